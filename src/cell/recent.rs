//! What an owner remembers beside a cell: the slots that it used last, so that it need not look them up.
//!
//! # Shape
//! A word each: `number + 1`:32 | slot:32, 0 for none. A number has its place by its lowest bits; another one takes it over.
//! # Ordering
//! Relaxed on both sides: only owners of the slab look here, and it is handed from one to the next (A2). The words go to zero with the rest of their
//! cell once nobody can record in the series any more, before a slot that they name is another's (A4).

use crate::{
    arena::{OwnedCell, Slot},
    sync::Ordering,
};

/// The slot of `number`, if it is among the `WAYS` that are remembered from the word `at` on.
#[inline(always)]
pub fn find<const WAYS: usize>(cell: OwnedCell<'_>, at: usize, number: usize) -> Option<Slot> {
    let held = cell.own(at + number % WAYS);
    (held >> 32 == number as u64 + 1).then(|| Slot::from_bits(held as u32))
}

/// Remembers the slot of `number`.
pub fn remember<const WAYS: usize>(cell: OwnedCell<'_>, at: usize, number: usize, slot: Slot) {
    // Relaxed: see the head of this file.
    cell.put(at + number % WAYS, (number as u64 + 1) << 32 | u64::from(slot.to_bits()), Ordering::Relaxed);
}
