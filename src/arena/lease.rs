//! A shared slab, held for one operation by a thread that has none of its own (A3).
//!
//! # Progress and cost
//! Lock-free, and nobody waits for a holder that the system does not run: if every leased slab is taken, one more is made. An
//! operation costs one exchange and one store more than in a thread's own slab.

use super::{
    chunk::{OwnedCell, Slot},
    roster::Roster,
    slab::Owner,
};

/// The right to write in a shared slab until it is dropped.
#[derive(Debug)]
pub struct Lease<'s>(Owner<'s>);

impl<'s> Lease<'s> {
    /// Takes a free slab of `roster`, looking first at the one number `start`, so that threads do not all meet at one slab.
    pub(super) fn take(roster: &'s Roster, start: usize) -> Self {
        let skipped = start % roster.len().max(1);
        let owner = roster
            .iter()
            .skip(skipped)
            .find_map(|slab| slab.try_take())
            .or_else(|| roster.take_free())
            .or_else(|| roster.take_new(usize::MAX))
            .expect("there is no limit to leased slabs");
        Self(owner)
    }

    /// The cell at `slot` of the leased slab.
    pub fn cell(&self, slot: Slot) -> OwnedCell<'s> {
        self.0.cell_or_new(slot)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.0.slab().give_up();
    }
}
