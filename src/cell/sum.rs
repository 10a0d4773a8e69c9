//! A float total in two words that take turns, readable whole while its owner adds.
//!
//! A processor is slow to load a float that it has just stored: on one word, each addition waits for the one before it. Here every
//! other addition goes to the other word, and only the turn, a whole number, is handed from one to the next.
//!
//! # Shape
//! `[turn, sum[0], sum[1]]`. `turn` counts additions; its lowest bit names the word that the next one goes to.
//! # Invariants
//! - T1: addition `n` stores to `sum[n & 1]` alone, and only while `turn` is `n`.
//! # Ordering
//! All stores are Release, and all loads of the reader but the last are Acquire. If `turn` reads `n`, all additions before `n` are
//! visible. A read of a sum that holds addition `m > n` pairs with that store, before which `turn` became `n + 1` (T1), so the
//! second read of `turn` sees that too, and the reader tries again. Otherwise the sums hold all additions before `n`, and `n` itself
//! or not: a prefix either way.
//! # Progress and cost
//! add: wait-free, two loads and two stores, no lock prefix on x86-64. read: lock-free; retries only if an addition was completed
//! meanwhile.

use super::undo::retry;
use crate::{
    arena::{Arena, CellRef, OwnedCell, Slot},
    sync::{Ordering, mutant},
};

/// Words of a float total.
pub const WIDTH: usize = 3;

const TURN: usize = 0;
const SUMS: usize = 1;

/// Adds `amount`.
#[inline(always)]
pub fn add(cell: OwnedCell<'_>, amount: f64) {
    let turn = cell.own(TURN);
    let own = SUMS + (turn & 1) as usize;
    let sum = f64::from_bits(cell.own(own)) + amount;
    // Release: pairs with the reader's load of this word; who sees it sees the turn it was made in (T1).
    cell.put(own, sum.to_bits(), mutant!("addition_relaxed", Ordering::Release, Ordering::Relaxed));
    // Release: pairs with the first read of the turn; hands over this addition.
    cell.put(TURN, turn.wrapping_add(1), mutant!("turn_relaxed", Ordering::Release, Ordering::Relaxed));
}

/// One attempt to read the total after some number of additions; None if one was completed meanwhile.
pub fn try_read(cell: CellRef<'_>) -> Option<f64> {
    // Acquire: pairs with the end of the addition before this turn.
    let turn = cell.load(TURN, mutant!("first_turn_relaxed", Ordering::Acquire, Ordering::Relaxed));
    // Acquire: pairs with later additions, so that the second read of the turn cannot miss them.
    let order = mutant!("sums_read_relaxed", Ordering::Acquire, Ordering::Relaxed);
    let sums = [SUMS, SUMS + 1].map(|sum| f64::from_bits(cell.load(sum, order)));
    // Relaxed: the Acquire loads above keep it after them.
    let same = cell.load(TURN, Ordering::Relaxed) == turn;
    mutant!("no_turn_check", same, true).then_some(sums[0] + sums[1])
}

/// The total over all slabs.
pub fn total(arena: &Arena, slot: Slot) -> f64 {
    // Not `sum`, which begins with -0.0.
    arena.cells(slot).fold(0.0, |sum, cell| sum + retry(|| try_read(cell)))
}
