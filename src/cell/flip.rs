//! Wide cells: two undo cells and a selector, so that reading hundreds of buckets does not starve behind a tight writer.
//!
//! An attempt to read a wide cell takes longer than an operation, so a writer that never rests would make every attempt fail. The
//! reader then moves the selector: the writer goes on in the other bank, and the one it left stands still.
//!
//! # Shape
//! `[selector, bank[0], bank[1]]`, each bank an undo cell of the same number of buckets, all in one chunk. The selector counts
//! flips; its lowest bit names the active bank.
//! # Invariants
//! - F1: only a reader that holds the family's ledger lock stores the selector.
//! - F2: the selector moves only after two attempts at the active bank have failed. Then the writer has seen the last flip, and no
//!   operation of its own can still reach the inactive bank. Without this acknowledgement a straggler would break the prefix.
//! # Ordering
//! The selector is Relaxed on both sides: it hands nothing over. That the writer saw its last value, `e`, follows from the failures. An
//! operation was completed in the active bank after the reader first looked there; a straggler of the epoch `e - 2`, in the
//! same bank, was over before the selector became `e - 1`, and the writer's loads of the selector do not go back. So that operation
//! saw `e`. The second failing attempt begins with an Acquire of the word that ended the first, or of a later one: all that the writer did
//! before, in either bank, is visible to what the reader does next.
//! # Progress and cost
//! write: wait-free, an undo cell's and one load more. read: after `FAILURES` attempts at most one flip, then one bank at rest.

use super::undo;
use crate::{
    arena::{CellRef, OwnedCell},
    sync::{Ordering, mutant},
};

/// Buckets up to which one bank is enough: reading them takes no longer than a few operations.
pub const NARROW: usize = 64;

/// Failed attempts before the reader flips; at least two (F2). A model would need a writer of more operations to come to a flip.
const FAILURES: u32 = if cfg!(manometer_loom) { 2 } else { 4 };

const SELECTOR: usize = 0;

/// Words of a wide cell of `buckets` buckets.
pub const fn width(buckets: usize) -> usize {
    1 + 2 * (undo::HEAD + buckets)
}

/// Adds `times` observations of `value` to `bucket` of a cell of `buckets` buckets.
#[inline(always)]
pub fn write(cell: OwnedCell<'_>, buckets: usize, bucket: usize, value: f64, times: u64) {
    // Relaxed: whichever flip it sees, it goes on from there; see the head of this file.
    let epoch = cell.as_reader().load(SELECTOR, Ordering::Relaxed);
    undo::write(cell, bank_at(epoch, buckets), bucket, value, times);
}

/// Adds the cell at `cell` to `totals` and returns its sum. `scratch` is twice as long as `totals` and is overwritten.
///
/// The caller holds the family's ledger lock (F1).
pub fn read(cell: CellRef<'_>, totals: &mut [u64], scratch: &mut [u64]) -> f64 {
    let buckets = totals.len();
    let (rest, busy) = scratch.split_at_mut(buckets);
    let sum = read_banks(
        cell,
        |epoch| bank_at(epoch, buckets),
        |bank, _| undo::try_read(bank, rest),
        |bank, _| undo::try_read(bank, busy),
    );
    undo::add_buckets(totals, rest);
    undo::add_buckets(totals, busy);
    sum
}

/// Reads both banks of the wide cell at `cell` as they were at one moment, and returns their sum. A bank begins `at` its epoch; `rest` makes an
/// attempt at the inactive one and `busy` at the active one, and what each read last is what counts.
///
/// The caller holds the family's ledger lock (F1).
pub fn read_banks<const BITS: u32>(
    cell: CellRef<'_>,
    at: impl Fn(u64) -> usize,
    mut rest: impl FnMut(CellRef<'_>, u64) -> Option<undo::Reading<BITS>>,
    mut busy: impl FnMut(CellRef<'_>, u64) -> Option<undo::Reading<BITS>>,
) -> f64 {
    let epoch = cell.selector();
    let active = cell.plus(at(epoch));
    let inactive = cell.plus(at(epoch + 1));
    let mut rest = || rest(inactive, epoch + 1);
    let mut busy = || busy(active, epoch);
    let mut failed = 0;
    undo::retry(|| {
        // Only an operation that began before its writer saw the last flip can still write here.
        let resting = rest()?;
        if let Some(moving) = busy() {
            // Both held at one moment if the first still holds after the second was read.
            let both = mutant!("no_recheck", resting.still_holds(inactive), true);
            return both.then_some(resting.sum + moving.sum);
        }
        failed += 1;
        if failed < mutant!("flip_after_one", FAILURES, 1) {
            return None;
        }
        // The writer is in the active bank for good (F2): the other one stands still until the selector moves.
        let resting = undo::retry(&mut rest);
        cell.select(epoch + 1);
        let left = undo::retry(&mut busy);
        Some(resting.sum + left.sum)
    })
}

fn bank_at(epoch: u64, buckets: usize) -> usize {
    1 + (epoch as usize & 1) * (undo::HEAD + buckets)
}
