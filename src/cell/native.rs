//! Native histograms: exponential buckets of one schema over the whole range of an `f64`, counted and summed whole.
//!
//! # Shape
//! Bucket `i` of schema `s` holds the values above 2^((i-1)/2^s) and up to 2^(i/2^s); of the negative values likewise. What is not farther
//! from zero than the zero threshold is in the **zero bucket**. The buckets are numbered from the zero bucket, 0, over the positive
//! ones to the negative ones, and lie in **groups** of 64. A series has a **head** in every slab that it was written in,
//! `[selector, bank[0], bank[1], recent[0..4]]`, with banks of `[word, sum[0], sum[1], zero]`, and beside it a cell for each group,
//! `[bank[0], bank[1]]`, made when the first value falls in it. `recent` is the writer's own: the slots of the groups that it used last.
//!
//! The head is a wide cell's (see `flip`), and each of its banks an undo cell's (see `undo`), whose buckets lie apart. So a snapshot
//! of a slab is the state after a whole number of observations: the count is the sum of the buckets, and the sum covers just them.
//! # Ordering
//! That of `undo`, which does not ask where a bucket lies. The reader looks for groups between its two reads of `word`: the
//! group of an observation before the first one was published before that observation's commit, which is Release and read Acquire. Of later
//! observations, the one that may be in flight is taken out if its bucket was seen, and has nothing to be taken out otherwise.
//! # Progress and cost
//! write: wait-free, an undo cell's four stores. read: at most one flip, as a wide cell. 1 KiB for each group of 64 buckets and slab.
//! # Limits
//! `word` = count:42 | parity:1 | cur:21. A reader would take one state for another if it was stopped between two loads for exactly a
//! multiple of 2^42 observations.

use super::{
    flip, recent,
    undo::{self, Buckets, HEAD},
};
use crate::{
    arena::{CellRef, OwnedCell, Slab, Slot},
    sync::Ordering,
};

/// Buckets of a group. A model makes do with few, each of which loom has to follow.
pub const GROUP: usize = if cfg!(manometer_loom) { 2 } else { 64 };

/// Words of a group's cell.
pub const GROUP_WIDTH: usize = 2 * GROUP;

/// Words of a head.
pub const HEAD_WIDTH: usize = RECENT + WAYS;

/// Words of a bank in the head: those of an undo cell, and the zero bucket.
const BANK: usize = HEAD + 1;
const RECENT: usize = 1 + 2 * BANK;

/// How many groups the writer remembers.
const WAYS: usize = 4;

/// Bits that name a bucket: of schema 8 there are a million.
const BITS: u32 = 21;

const MANTISSA_BITS: u32 = 52;
const MANTISSA: u64 = (1 << MANTISSA_BITS) - 1;
/// The exponent of infinity and of what is no number.
const TOP: u64 = 0x7ff;
const BIAS: i32 = 1023;

/// No value is as small as two to the power of minus this.
const LEAST: i32 = 1075;

/// Which bucket a value falls in.
#[derive(Debug)]
pub struct Scale {
    /// What is known of the values whose mantissas begin alike.
    table: Box<[Key]>,
    shift: u32,
    zero_threshold: u64,
    /// The bits of the least ordinary value, and how many there are from there on.
    ordinary: (u64, u64),
    /// Powers of two are cut in 2^`up` buckets, or 2^`down` of them joined in one.
    up: u32,
    down: u32,
    /// What the bounds below an exponent are short of the number of its first bucket, before they are joined.
    lift: i32,
    /// How much bucket numbers are moved up, to begin at zero.
    offset: i32,
    /// How many buckets the positive values have at most.
    half: usize,
}

#[derive(Clone, Copy, Debug)]
struct Key {
    /// How many bounds are below all of its mantissas.
    below: u32,
    /// The next bound, the only one that may be below some of them.
    next: u64,
}

impl Scale {
    /// The buckets of `schema`, which is from -4 to 8, around a zero bucket up to `zero_threshold`.
    pub fn new(schema: i32, zero_threshold: f64) -> Self {
        let (up, down) = (schema.max(0) as u32, (-schema).max(0) as u32);
        let count = 1u32 << up;
        let bound = |part: u32| (f64::from(part) / f64::from(count)).exp2().to_bits() & MANTISSA;
        let bounds: Vec<u64> = (0..count).map(bound).collect();
        // Bounds are farther apart than 2^-(up + 1), so a key of that width meets one at most.
        let shift = MANTISSA_BITS - up - 1;
        let key = |top: u64| {
            let below = bounds.partition_point(|bound| *bound < top << shift);
            Key { below: below as u32, next: bounds.get(below).copied().unwrap_or(u64::MAX) }
        };
        let offset = ((LEAST << up) >> down) + 1;
        let zero_threshold = zero_threshold.to_bits();
        let least = f64::MIN_POSITIVE.to_bits().max(zero_threshold + 1);
        Self {
            table: (0..2 << up).map(key).collect(),
            shift,
            zero_threshold,
            ordinary: (least, (TOP << MANTISSA_BITS).saturating_sub(least)),
            up,
            down,
            lift: (offset << down) + (1 << down) - 1 - (BIAS << up),
            offset,
            half: (2 * offset as usize + 2).next_multiple_of(GROUP),
        }
    }

    /// The same with room for `cuts` buckets more of either sign; see [`Cuts`](super::cuts::Cuts).
    pub fn with_room(self, cuts: usize) -> Self {
        Self { half: (self.half + cuts).next_multiple_of(GROUP), ..self }
    }

    /// How many groups there can be.
    pub fn groups(&self) -> usize {
        2 * self.half / GROUP
    }

    /// The bucket of `value`, which is finite.
    pub fn bucket(&self, value: f64) -> usize {
        if let Some(bucket) = self.ordinary(value) {
            return bucket;
        }
        let size = value.abs().to_bits();
        if size <= self.zero_threshold {
            return 0;
        }
        let place = match (size >> MANTISSA_BITS) as i32 {
            0 => self.subnormal(size),
            exponent => self.place(exponent, size & MANTISSA),
        };
        1 + place + usize::from(value < 0.0) * self.half
    }

    /// The bucket of a value that is positive, finite, not subnormal and above the zero threshold: one comparison of bits tells. None
    /// of any other.
    #[inline(always)]
    pub fn ordinary(&self, value: f64) -> Option<usize> {
        let bits = value.to_bits();
        let (least, count) = self.ordinary;
        (bits.wrapping_sub(least) < count).then(|| 1 + self.place((bits >> MANTISSA_BITS) as i32, bits & MANTISSA))
    }

    #[inline(always)]
    fn place(&self, exponent: i32, mantissa: u64) -> usize {
        let key = self.table[(mantissa >> self.shift) as usize];
        let above = (key.below + u32::from(mantissa > key.next)) as i32;
        (((exponent << self.up) + above + self.lift) >> self.down) as usize
    }

    #[cold]
    fn subnormal(&self, steps: u64) -> usize {
        let power = steps.ilog2();
        self.place(power as i32 - 1074 + BIAS, steps << (MANTISSA_BITS - power) & MANTISSA)
    }

    /// Whether a bucket holds negative values.
    pub fn is_negative(&self, bucket: usize) -> bool {
        bucket > self.half
    }

    /// Whether a bucket holds negative values, and its number in the schema; None for the zero bucket.
    pub fn number(&self, bucket: usize) -> Option<(bool, i32)> {
        let place = bucket.checked_sub(1)?;
        Some((place >= self.half, (place % self.half) as i32 - self.offset))
    }
}

/// The group of a bucket; None for the zero bucket.
#[inline(always)]
pub fn group(bucket: usize) -> Option<usize> {
    Some(bucket.checked_sub(1)? / GROUP)
}

/// The slot of a group if the owner of this head used it lately.
#[inline(always)]
pub fn last(head: OwnedCell<'_>, group: usize) -> Option<Slot> {
    recent::find::<WAYS>(head, RECENT, group)
}

/// Remembers the slot of a group.
pub fn remember(head: OwnedCell<'_>, group: usize, slot: Slot) {
    recent::remember::<WAYS>(head, RECENT, group, slot);
}

/// Adds `times` observations of `value` to `bucket`, whose group's cell is `cell`; the zero bucket lies in the head.
#[inline(always)]
pub fn write(head: OwnedCell<'_>, cell: Option<OwnedCell<'_>>, bucket: usize, value: f64, times: u64) {
    // Relaxed: as in `flip::write`.
    let epoch = head.as_reader().load(0, Ordering::Relaxed);
    let at = bank_at(epoch);
    let place = match cell {
        Some(cell) => (cell, group_bank(epoch) + (bucket - 1) % GROUP),
        None => (head, at + HEAD),
    };
    undo::write_apart::<BITS>(head, at, bucket, place, value, times);
}

fn bank_at(epoch: u64) -> usize {
    1 + (epoch as usize & 1) * BANK
}

fn group_bank(epoch: u64) -> usize {
    (epoch as usize & 1) * GROUP
}

/// Buckets that are not empty, ascending: number and count.
pub type Counts = Vec<(usize, u64)>;

/// One bank of a series in one slab.
struct Bank<'a, F> {
    slab: &'a Slab,
    /// The groups that there are, ascending.
    groups: &'a F,
    /// What was read.
    held: &'a mut Counts,
}

impl<I: Iterator<Item = (usize, Slot)>, F: Fn() -> I> Bank<'_, F> {
    /// One attempt at the bank of this `epoch`, which begins at `head`.
    fn try_read(&mut self, head: CellRef<'_>, epoch: u64) -> Option<undo::Reading<BITS>> {
        undo::try_read_apart(head, &mut Apart { bank: self, head, epoch })
    }
}

struct Apart<'a, 'b, F> {
    bank: &'a mut Bank<'b, F>,
    head: CellRef<'a>,
    epoch: u64,
}

impl<I: Iterator<Item = (usize, Slot)>, F: Fn() -> I> Buckets for Apart<'_, '_, F> {
    fn load(&mut self, order: Ordering) -> u64 {
        let held = &mut *self.bank.held;
        held.clear();
        let mut total = self.head.load(HEAD, order);
        held.push((0, total));
        for (group, slot) in (self.bank.groups)() {
            let Some(cell) = self.bank.slab.cell(slot) else { continue };
            for part in 0..GROUP {
                let count = cell.load(group_bank(self.epoch) + part, order);
                total = total.wrapping_add(count);
                if count != 0 {
                    held.push((1 + group * GROUP + part, count));
                }
            }
        }
        total
    }

    fn take_out(&mut self, bucket: usize, times: u64) {
        if let Ok(at) = self.bank.held.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            self.bank.held[at].1 = self.bank.held[at].1.wrapping_sub(times);
        }
    }
}

/// Makes `banks` what the two banks of a slab hold of the series whose head is `head`, and returns their sum. `groups` gives the groups that
/// there are, ascending.
///
/// The caller holds the family's ledger lock (F1).
pub fn read<I: Iterator<Item = (usize, Slot)>>(
    slab: &Slab,
    head: CellRef<'_>,
    groups: impl Fn() -> I,
    banks: &mut [Counts; 2],
) -> f64 {
    let [rest, busy] = banks;
    let mut rest = Bank { slab, groups: &groups, held: rest };
    let mut busy = Bank { slab, groups: &groups, held: busy };
    flip::read_banks(head, bank_at, |head, epoch| rest.try_read(head, epoch), |head, epoch| busy.try_read(head, epoch))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of the bucket by the definition, in logarithms; near a bound either side will do.
    fn is_in(value: f64, number: i32, schema: i32) -> bool {
        let width = f64::from(-schema).exp2();
        let place = value.log2();
        let slack = 1e-9;
        place > (f64::from(number) - 1.0) * width - slack && place <= f64::from(number) * width + slack
    }

    #[test]
    fn a_value_is_in_the_bucket_that_its_schema_says() {
        for schema in -4..=8 {
            let scale = Scale::new(schema, 0.0);
            let powers = (-1022..1024).map(|power| f64::from(power).exp2());
            let within = powers.flat_map(|power| (0..64).map(move |step| power * (1.0 + f64::from(step) / 64.0)));
            let subnormal = (1..3000).chain((0..52).map(|power| 1 << power)).map(f64::from_bits);
            for value in within.chain(subnormal).chain([f64::MAX]) {
                for value in
                    [value.next_down(), value, value.next_up()].into_iter().filter(|v| *v > 0.0 && v.is_finite())
                {
                    let (negative, number) = scale.number(scale.bucket(value)).expect("not zero");
                    assert!(!negative && is_in(value, number, schema), "{value:e} is in {number} of schema {schema}");
                    assert_eq!(scale.number(scale.bucket(-value)), Some((true, number)));
                    assert!(group(scale.bucket(-value)).unwrap() < scale.groups());
                    assert!((scale.bucket(-value) as u64) < undo::cur(BITS), "`cur` names it");
                }
            }
        }
    }

    #[test]
    fn a_power_of_two_is_the_upper_bound_of_its_bucket() {
        for schema in 0..=8 {
            let scale = Scale::new(schema, 0.0);
            for power in [-1074, -1022, -10, -1, 0, 1, 10, 1023] {
                let value = f64::from(power).exp2();
                assert_eq!(scale.number(scale.bucket(value)), Some((false, power << schema)), "2^{power} in {schema}");
            }
        }
        assert_eq!(Scale::new(-2, 0.0).bucket(16.0) + 1, Scale::new(-2, 0.0).bucket(16.0f64.next_up()));
    }

    #[test]
    fn the_zero_bucket_ends_at_its_threshold() {
        let scale = Scale::new(3, 0.25);
        for value in [0.0, -0.0, 0.25, -0.25, 1e-300] {
            assert_eq!(scale.bucket(value), 0);
        }
        assert_ne!(scale.bucket(0.25f64.next_up()), 0);
        assert_eq!(Scale::new(3, 0.0).bucket(-0.0), 0);
    }
}
