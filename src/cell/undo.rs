//! Buckets, sum and count of one histogram in one slab, readable whole while its owner writes.
//!
//! Other designs make the reader wait for the writer. Here the reader *subtracts* the operation in flight: the writer says first
//! which bucket it is about to add to, and keeps two sums in turn.
//!
//! # Shape
//! `[word, sum[0], sum[1], bucket[0..n]]`, 8 bytes each, in one chunk.
//! `word` = count:54 | parity:1 | cur:9, where `cur` is one more than the bucket of the operation in flight, 0 if none.
//! Where the buckets lie apart from their head and are many, as in `cell::native`, `cur` has more bits and the count fewer.
//! All zeros is an empty cell.
//! # Invariants
//! - U1: an operation announces its bucket in `cur` before it stores anything else.
//! - U2: `sum[parity]` is the sum after `count` operations; the other slot belongs to the operation in flight.
//! - U3: the operation that follows stores to `sum[parity]` only after its own announcement.
//! # Ordering
//! Every store of the writer is Release and every load of the reader but the last is Acquire; no fence. Commit and the first read
//! pair: operations up to `count` are in. A read of a bucket or sum that holds operation m pairs with that store, so the second
//! read of `word` sees m's announcement or something later: either another count, and the reader tries again, or m's `cur`, and
//! the reader takes m out again. The announcement is Release too, because the first read may meet it instead of the commit before
//! it, and since C++20 a later plain store of the same thread does not continue a release sequence.
//! On x86-64 these are plain stores and loads; on AArch64 they spare the writer a `dmb ish`.
//! # Progress and cost
//! write: wait-free, four stores, no lock prefix on x86-64. read: lock-free; retries only if an operation was completed meanwhile,
//! and never because of a writer that was stopped in the middle.
//! # Limits
//! The count in `word` wraps at 2^54: it is only compared, the exposed count is the sum of the buckets. To take one state for
//! another, a reader would have to be stopped between its two reads of `word` for exactly a multiple of 2^54 observations: two
//! years of single ones, or at least four million operations that count up to 2^32 each. No more buckets than a chunk holds. One operation at a time, also of one thread: what interrupts it uses another slab.
//! # Not promised
//! Two histograms read in one scrape are not of one instant.

use crate::{
    arena::{CellRef, OwnedCell},
    sync::{CHUNK_SLOTS, Ordering, mutant, yield_now},
};

/// Words before the first bucket.
pub const HEAD: usize = 3;

const WORD: usize = 0;
const SUMS: usize = 1;

/// Bits of `cur` where the buckets lie behind their head; the parity comes next, and then the count.
const CUR_BITS: u32 = 9;

const _: () =
    assert!((CHUNK_SLOTS - HEAD) as u64 <= cur(CUR_BITS), "`cur` names every bucket that a chunk has room for");

/// The largest number that `cur` holds in so many bits.
pub const fn cur(bits: u32) -> u64 {
    (1 << bits) - 1
}

/// After how many failed attempts a reader lets others run.
const PATIENCE: u32 = 64;

/// Adds `times` observations of `value` to `bucket` of the cell that begins `at` words into `cell`.
#[inline(always)]
pub fn write(cell: OwnedCell<'_>, at: usize, bucket: usize, value: f64, times: u64) {
    write_apart::<CUR_BITS>(cell, at, bucket, (cell, at + HEAD + bucket), value, times);
}

/// The same where the bucket is a word of another cell of the same slab, and `cur` has `BITS` bits to name it.
#[inline(always)]
pub fn write_apart<const BITS: u32>(
    cell: OwnedCell<'_>,
    at: usize,
    bucket: usize,
    (apart, place): (OwnedCell<'_>, usize),
    value: f64,
    times: u64,
) {
    let word = cell.own(at + WORD);
    debug_assert!(word & cur(BITS) == 0, "one operation at a time: see `arena::undisturbed`");
    if mutant!("no_announce", true, false) {
        // Release: pairs with the first read; without an operation in between it also hands over the operations before (U1).
        let order = mutant!("announce_relaxed", Ordering::Release, Ordering::Relaxed);
        cell.put(at + WORD, word + (bucket as u64 + 1), order);
    }
    let parity = (word >> BITS) as usize & 1;
    let other = mutant!("one_sum_slot", parity ^ 1, parity);
    let sum = f64::from_bits(cell.own(at + SUMS + parity)) + value * times as f64;
    // Release: pairs with the reader's load of this slot; who sees it sees the announcement (U2, U3).
    cell.put(at + SUMS + other, sum.to_bits(), mutant!("sum_relaxed", Ordering::Release, Ordering::Relaxed));
    let held = apart.own(place).wrapping_add(times);
    // Release: pairs with the reader's load of this bucket; who sees it sees the announcement (U1).
    let order = mutant!("bucket_relaxed", Ordering::Release, Ordering::Relaxed);
    mutant!("bucket_after_commit", apart.put(place, held, order), ());
    let turned = mutant!("one_sum_slot", word ^ (1 << BITS), word);
    let committed = turned.wrapping_add(times << (BITS + 1));
    // Release: pairs with the first read; hands over sum and bucket of this operation (U2).
    cell.put(at + WORD, committed, mutant!("commit_relaxed", Ordering::Release, Ordering::Relaxed));
    mutant!("bucket_after_commit" => apart.put(place, held, order));
}

/// What one successful attempt saw beside the buckets.
#[derive(Clone, Copy, Debug)]
pub struct Reading<const BITS: u32 = CUR_BITS> {
    word: u64,
    /// The sum of the observations in the buckets.
    pub sum: f64,
}

impl<const BITS: u32> Reading<BITS> {
    /// Whether the cell at `cell` has completed no operation since this reading.
    pub fn still_holds(self, cell: CellRef<'_>) -> bool {
        // Relaxed: every load before it that this must not overtake is Acquire.
        same_operation::<BITS>(self.word, cell.load(WORD, Ordering::Relaxed))
    }
}

/// The buckets that one attempt reads.
pub trait Buckets {
    /// Loads all of them anew; their total.
    fn load(&mut self, order: Ordering) -> u64;

    /// Takes `times` observations out of one again.
    fn take_out(&mut self, bucket: usize, times: u64);
}

/// Buckets that lie behind their head.
struct Behind<'a> {
    cell: CellRef<'a>,
    buckets: &'a mut [u64],
}

impl Buckets for Behind<'_> {
    fn load(&mut self, order: Ordering) -> u64 {
        let mut total = 0u64;
        for (index, bucket) in self.buckets.iter_mut().enumerate() {
            *bucket = self.cell.load(HEAD + index, order);
            total = total.wrapping_add(*bucket);
        }
        total
    }

    fn take_out(&mut self, bucket: usize, times: u64) {
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            *bucket = bucket.wrapping_sub(times);
        }
    }
}

/// One attempt to read the cell at `cell` as it was after some number of operations; `buckets` is overwritten.
///
/// None if an operation was completed meanwhile.
pub fn try_read(cell: CellRef<'_>, buckets: &mut [u64]) -> Option<Reading> {
    try_read_apart(cell, &mut Behind { cell, buckets })
}

/// The same for buckets wherever they lie.
pub fn try_read_apart<const BITS: u32>(cell: CellRef<'_>, buckets: &mut impl Buckets) -> Option<Reading<BITS>> {
    // Acquire: pairs with the commit, or with the announcement after it.
    let first = cell.load(WORD, mutant!("first_read_relaxed", Ordering::Acquire, Ordering::Relaxed));
    // Acquire: pairs with the stores of operations later than `first`, so that the second read cannot miss them.
    let order = mutant!("cells_read_relaxed", Ordering::Acquire, Ordering::Relaxed);
    let total = buckets.load(order);
    let sum = f64::from_bits(cell.load(SUMS + ((first >> BITS) as usize & 1), order));
    // Relaxed: the Acquire loads above keep it after them.
    let second = cell.load(WORD, Ordering::Relaxed);
    if mutant!("no_validate", !same_operation::<BITS>(first, second), false) {
        return None;
    }
    let in_flight = total.wrapping_sub(first >> (BITS + 1)) & (u64::MAX >> (BITS + 1));
    if mutant!("no_undo", in_flight != 0, false) {
        let cur = mutant!("undo_from_first_word", second, first) & cur(BITS);
        debug_assert!(cur != 0, "what is in flight was announced (U1)");
        buckets.take_out((cur as usize).wrapping_sub(1), mutant!("undo_one", in_flight, 1));
    }
    Some(Reading { word: first, sum })
}

/// Adds the cell at `cell` to `totals` and returns its sum; `scratch` is as long as `totals` and is overwritten.
pub fn read(cell: CellRef<'_>, totals: &mut [u64], scratch: &mut [u64]) -> f64 {
    let reading = retry(|| try_read(cell, scratch));
    add_buckets(totals, scratch);
    reading.sum
}

/// Adds bucket by bucket.
pub fn add_buckets(totals: &mut [u64], more: &[u64]) {
    for (total, more) in totals.iter_mut().zip(more) {
        *total = total.wrapping_add(*more);
    }
}

/// Attempts until one succeeds, letting others run now and then.
pub fn retry<R>(mut attempt: impl FnMut() -> Option<R>) -> R {
    let mut failed = 0;
    loop {
        if let Some(result) = attempt() {
            return result;
        }
        failed += 1;
        if failed % PATIENCE == 0 {
            yield_now();
        } else {
            pause();
        }
    }
}

fn pause() {
    #[cfg(not(manometer_mocked))]
    std::hint::spin_loop();
    #[cfg(manometer_mocked)]
    yield_now();
}

/// Whether two values of a word have the same count and parity: no operation was completed between them.
fn same_operation<const BITS: u32>(first: u64, second: u64) -> bool {
    (first ^ second) & !cur(BITS) == 0
}
