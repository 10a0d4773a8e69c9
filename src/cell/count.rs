//! One-word totals of whole numbers, and the two-word level of things that come and go.
//!
//! # Shape
//! A total: `[sum]`. A level: `[raised, lowered]`.
//! # Ordering
//! Totals are stored Relaxed: each is one word, whose values in one slab are ordered by coherence alone, and it publishes
//! nothing but itself. Only a word that wraps is stored behind a Release fence, after its carry was counted, and words are loaded
//! Acquire, before carries are: so a total is never seen to shrink at the wrap. The fence covers every later store of the same thread, and
//! the one in `Slab::try_take` those of the owners that follow it.
//! Of a level, lowering is Release and is read first, with Acquire: whoever counts something going away also
//! counts its coming, which happened before. So a level that the program keeps at zero or above never reads below zero.
//! # Progress and cost
//! Wait-free: a load and a store, no lock prefix on x86-64.

use crate::{
    arena::{Arena, CellRef, OwnedCell, Slot},
    sync::{Ordering, fence, mutant},
};

/// Words of a total.
pub const TOTAL_WIDTH: usize = 1;

/// Words of a level.
pub const LEVEL_WIDTH: usize = 2;

const RAISED: usize = 0;
const LOWERED: usize = 1;

/// Adds `amount`. If that wraps the word, `carry` is called first.
#[inline(always)]
pub fn add(cell: OwnedCell<'_>, amount: u64, carry: impl FnOnce()) {
    if !add_within(cell, amount) {
        let sum = cell.own(0).wrapping_add(amount);
        // Relaxed: a mutant's own.
        mutant!("carry_after_wrap" => cell.put(0, sum, Ordering::Relaxed));
        carry();
        // Release: pairs with Acquire in `total`; who sees the wrapped word sees the carry. Only here, where nobody ever comes.
        if mutant!("carry_no_fence", true, false) {
            fence(Ordering::Release);
        }
        // Relaxed: see the head of this file.
        cell.put(0, sum, Ordering::Relaxed);
    }
}

/// Adds `amount`, unless that wraps the word; whether it did.
#[inline(always)]
pub fn add_within(cell: OwnedCell<'_>, amount: u64) -> bool {
    let sum = cell.own(0).checked_add(amount);
    // Relaxed: see the head of this file.
    sum.map(|sum| cell.put(0, sum, Ordering::Relaxed)).is_some()
}

/// The words of one total in all slabs, summed without the carries.
pub fn total(arena: &Arena, slot: Slot) -> u128 {
    // Acquire: pairs with the fences in `add` and `Slab::try_take`; the carries are read after this.
    let order = mutant!("total_relaxed", Ordering::Acquire, Ordering::Relaxed);
    arena.cells(slot).map(|cell| u128::from(cell.load(0, order))).sum()
}

/// Counts `amount` as come.
#[inline(always)]
pub fn raise(cell: OwnedCell<'_>, amount: u64) {
    // Relaxed: the program's own ordering puts it before the lowering that belongs to it.
    cell.put(RAISED, cell.own(RAISED).wrapping_add(amount), Ordering::Relaxed);
}

/// Counts `amount` as gone.
#[inline(always)]
pub fn lower(cell: OwnedCell<'_>, amount: u64) {
    // Release: pairs with Acquire in `level`; what this thread knows to have come is visible to whoever sees it gone.
    let order = mutant!("lower_relaxed", Ordering::Release, Ordering::Relaxed);
    cell.put(LOWERED, cell.own(LOWERED).wrapping_add(amount), order);
}

/// What has come and not gone, over all slabs.
pub fn level(arena: &Arena, slot: Slot) -> i64 {
    // Acquire: pairs with Release in `lower`. Lowered first: see the head of this file.
    let order = mutant!("level_relaxed", Ordering::Acquire, Ordering::Relaxed);
    let lowered = || arena.cells(slot).fold(0u64, |sum, cell| sum.wrapping_add(cell.load(LOWERED, order)));
    // Relaxed: the loads above brought in what happened before the lowerings they saw.
    let raised = || arena.cells(slot).fold(0u64, |sum, cell| sum.wrapping_add(cell.load(RAISED, Ordering::Relaxed)));
    mutant!("raised_first" => return { let raised = raised(); raised.wrapping_sub(lowered()) as i64 });
    let lowered = lowered();
    let raised = raised();
    raised.wrapping_sub(lowered) as i64
}

/// A number that grows whenever a level is raised or lowered, in any slab.
pub fn moves(arena: &Arena, slot: Slot) -> u64 {
    // Relaxed: each word only grows, and what is missed now is seen the next time.
    let words =
        |cell: CellRef<'_>| cell.load(RAISED, Ordering::Relaxed).wrapping_add(cell.load(LOWERED, Ordering::Relaxed));
    arena.cells(slot).fold(0, |moves, cell| moves.wrapping_add(words(cell)))
}
