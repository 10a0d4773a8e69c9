//! Sparse storage: what a few series of a family have beside their cells, and slots that are made when they are first needed.
//!
//! Whoever makes something here holds the lock of the pool that the slots come from; whoever looks waits for nobody.
//! # Ordering
//! A slot is published Release and found Acquire: the zeros of a slot that is used again come first (A4).

use std::sync::OnceLock;

use crate::{
    arena::Slot,
    sync::{AtomicU32, CHUNK_SLOTS, Ordering, mutant},
};

/// Slots of one leaf, and chunks of one page.
const LEAF: usize = 64;
const PAGE: usize = 256;

/// A `T` for each series that needs one, by chunk and offset of its slot. Series lie at least `STRIDE` words apart.
#[derive(Debug)]
pub struct Pages<T, const STRIDE: usize>(Box<[OnceLock<Page<T>>]>);

type Page<T> = Box<[OnceLock<Chunk<T>>]>;
type Chunk<T> = Box<[OnceLock<Box<T>>]>;

impl<T, const STRIDE: usize> Pages<T, STRIDE> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self(empty(PAGE))
    }

    /// What the series at `slot` has.
    #[inline(always)]
    pub fn find(&self, slot: Slot) -> Option<&T> {
        let chunk = self.0[slot.chunk() / PAGE].get()?[slot.chunk() % PAGE].get()?;
        chunk[slot.offset() / STRIDE].get().map(|held| &**held)
    }

    /// The same, made if need be.
    pub fn make(&self, slot: Slot, make: impl FnOnce() -> T) -> &T {
        let page = self.0[slot.chunk() / PAGE].get_or_init(|| empty(PAGE));
        let chunk = page[slot.chunk() % PAGE].get_or_init(|| empty(CHUNK_SLOTS / STRIDE));
        chunk[slot.offset() / STRIDE].get_or_init(|| Box::new(make()))
    }
}

/// Slots by number, in leaves of 64 that are made with their first slot: as bits, 0 where there is none.
#[derive(Debug)]
pub struct Leaves(Box<[OnceLock<Box<[AtomicU32]>>]>);

impl Leaves {
    /// Room for `len` slots, of which there is none.
    pub fn new(len: usize) -> Self {
        Self(empty(len.div_ceil(LEAF)))
    }

    /// The slot of this number, if it was made.
    #[inline(always)]
    pub fn slot(&self, number: usize) -> Option<Slot> {
        let leaf = self.0[number / LEAF].get()?;
        // Acquire: pairs with Release in `make`; the zeros of the slot come first.
        let bits = leaf[number % LEAF].load(mutant!("magnitude_read_relaxed", Ordering::Acquire, Ordering::Relaxed));
        (bits != 0).then(|| Slot::from_bits(bits))
    }

    /// The slot of this number, which is `take`n if there is none; None if there is none to take.
    pub fn make(&self, number: usize, take: impl FnOnce() -> Option<Slot>) -> Option<Slot> {
        let leaf = self.0[number / LEAF].get_or_init(|| (0..LEAF).map(|_| AtomicU32::new(0)).collect());
        if let Some(made) = self.slot(number) {
            return Some(made);
        }
        let slot = take()?;
        // Release: pairs with Acquire in `slot`; hands over the zeros of a slot that is used again.
        let order = mutant!("magnitude_relaxed", Ordering::Release, Ordering::Relaxed);
        leaf[number % LEAF].store(slot.to_bits(), order);
        Some(slot)
    }

    /// The slots that were made, with their numbers, ascending.
    pub fn slots(&self) -> impl Iterator<Item = (usize, Slot)> {
        let made = self.0.iter().enumerate().filter(|(_, leaf)| leaf.get().is_some());
        let numbers = made.flat_map(|(index, _)| index * LEAF..(index + 1) * LEAF);
        numbers.filter_map(|number| Some((number, self.slot(number)?)))
    }

    /// Hands every slot over to `give`, when nobody can write to it any more (A4).
    pub fn clear(&self, mut give: impl FnMut(Slot)) {
        for (number, slot) in self.slots() {
            give(slot);
            if let Some(leaf) = self.0[number / LEAF].get() {
                // Relaxed: whoever records in the next series got it through the lock of the family's books.
                leaf[number % LEAF].store(0, Ordering::Relaxed);
            }
        }
    }
}

fn empty<T>(len: usize) -> Box<[OnceLock<T>]> {
    (0..len).map(|_| OnceLock::new()).collect()
}
