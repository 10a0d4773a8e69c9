//! Which bucket a value falls in: one look into a table, one comparison.
//!
//! # Shape
//! The table is indexed by the top bits of the `f64`: exponent and the `k` highest bits of the mantissa. Positive floats order like
//! their bits, so an entry can say how many thresholds lie below every value of its key, and which is the next. `k` is the smallest
//! for which no key spans two thresholds, so one comparison with the next threshold decides. It serves arbitrary thresholds, `le`
//! semantics exactly, without a branch to mispredict.
//!
//! Count and threshold lie in one entry, and both comparisons are of integers: until the bucket is known, a processor that does
//! not guess about aliases holds back every load behind the store to it.
//! # Limits
//! Where thresholds lie so close that no table of 1024 keys tells them apart, all values go the long way: a binary search.

use std::sync::Arc;

/// The largest table, in keys of 16 bytes.
const MOST_KEYS: u64 = 1024;

const MANTISSA_BITS: u32 = 52;
const INFINITY_BITS: u64 = f64::INFINITY.to_bits();

/// The thresholds of a histogram, ready to be searched.
#[derive(Debug)]
pub struct Search {
    thresholds: Arc<[f64]>,
    table: Box<[Key]>,
    /// The bits of the smallest value of the first key.
    first: u64,
    shift: u32,
    /// Values whose bits, less one, are below this are in the table: the positive finite ones, or none at all.
    tabled: u64,
    /// The same for those that go by the table at once: as many, or none.
    straight: u64,
}

/// What is known about all values whose top bits are the same.
#[derive(Clone, Copy, Debug)]
struct Key {
    /// How many thresholds are below all of them.
    below: usize,
    /// The bits of the next threshold, the only one that may be below some of them.
    next: u64,
}

impl Search {
    /// A search over `thresholds`, which are finite and ascending; none at all means that everything falls in the `+Inf` bucket.
    pub fn new(thresholds: Arc<[f64]>) -> Self {
        let not_positive = thresholds.partition_point(|limit| *limit <= 0.0);
        let positive = &thresholds[not_positive..];
        let lowest = positive.first().map_or(1, |limit| limit.to_bits());
        let highest = positive.last().map_or(1, |limit| limit.to_bits());
        let keys = |shift: u32| (highest >> shift) - (lowest >> shift) + 1;
        let apart =
            |shift: u32| positive.windows(2).all(|pair| pair[0].to_bits() >> shift != pair[1].to_bits() >> shift);
        let exact = (0..=MANTISSA_BITS).rev().take_while(|shift| keys(*shift) <= MOST_KEYS).find(|shift| apart(*shift));
        let shift = exact.unwrap_or(MANTISSA_BITS);
        // Where no table tells them apart, one key stands for a table that nobody asks; by exponents alone there could be 2047.
        let last = if exact.is_some() { highest } else { lowest };
        let key = |top: u64| {
            // Only positive values come here, and the lowest key may begin at zero.
            let below = thresholds.partition_point(|limit| *limit < f64::from_bits(top << shift)).max(not_positive);
            Key { below, next: thresholds.get(below).map_or(INFINITY_BITS, |limit| limit.to_bits()) }
        };
        let tabled = if exact.is_some() { INFINITY_BITS - 1 } else { 0 };
        Self {
            table: (lowest >> shift..=last >> shift).map(key).collect(),
            first: lowest >> shift << shift,
            shift,
            tabled,
            straight: tabled,
            thresholds,
        }
    }

    /// Lets every value go the long way, where there is time for more than a bucket.
    pub fn go_the_long_way(&mut self) {
        self.straight = 0;
    }

    /// The thresholds, ascending, without `+Inf`.
    pub fn thresholds(&self) -> &Arc<[f64]> {
        &self.thresholds
    }

    /// How many buckets there are, `+Inf` included.
    #[inline(always)]
    pub fn buckets(&self) -> usize {
        self.thresholds.len() + 1
    }

    /// The bucket of a positive, finite `value` by the table; what the table does not know is for
    /// [`search_bucket`](Self::search_bucket).
    #[inline(always)]
    pub fn bucket(&self, value: f64) -> Option<usize> {
        self.look_up(value, self.straight)
    }

    /// The same also where values go the long way.
    #[inline(always)]
    pub fn tabled_bucket(&self, value: f64) -> Option<usize> {
        self.look_up(value, self.tabled)
    }

    #[inline(always)]
    fn look_up(&self, value: f64, tabled: u64) -> Option<usize> {
        let bits = value.to_bits();
        // One comparison keeps out zero, negatives, infinities and NaN: as bits, none of them is from 1 to below infinity.
        if bits.wrapping_sub(1) >= tabled {
            return None;
        }
        // What is below the first key is in its bucket too, and what is above the last one is above its threshold.
        let key = (bits.saturating_sub(self.first) >> self.shift).min(self.table.len() as u64 - 1);
        #[allow(unsafe_code, reason = "a check on every observation for what was forced a line before")]
        // SAFETY: `new` makes at least one key, and `key` was forced below their number.
        let key = unsafe { self.table.get_unchecked(key as usize) };
        Some(key.below + usize::from(bits > key.next))
    }

    /// The bucket of any `value` that is not NaN, by binary search.
    #[cold]
    pub fn search_bucket(&self, value: f64) -> usize {
        self.thresholds.partition_point(|limit| *limit < value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(thresholds: &[f64], value: f64) -> usize {
        thresholds.iter().take_while(|limit| value > **limit).count()
    }

    /// Every threshold, its neighbours, and values over the whole range.
    fn probes(thresholds: &[f64]) -> Vec<f64> {
        let near = thresholds.iter().flat_map(|t| [*t, t.next_up(), t.next_down(), t * 0.75, t * 1.5]);
        let far = [5e-324, f64::MIN_POSITIVE, 1e-300, 1e-9, 0.3, 1.0, 7.0, 1e6, 1e15, 1e300, f64::MAX];
        near.chain(far).filter(|v| v.is_finite()).collect()
    }

    #[test]
    fn his_03_the_table_agrees_with_a_linear_scan() {
        let exponential = |n: i32, start: f64, factor: f64| (0..n).map(|i| start * factor.powi(i)).collect::<Vec<_>>();
        let sets = [
            vec![],
            vec![0.0],
            vec![-3.0, -0.5, 0.0],
            vec![-1.0, 0.0, 1.0],
            vec![0.0, 1e-310],
            vec![0.1],
            vec![0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0],
            exponential(20, 1e-4, 2.0),
            exponential(160, 1e-4, 1.09),
            vec![1.0, 1.0f64.next_up(), 1e10],
            vec![5e-324, 1e-300, 1.0, f64::MAX],
            (1..=251).map(f64::from).collect(),
        ];
        for thresholds in sets {
            let search = Search::new(thresholds.clone().into());
            for value in probes(&thresholds) {
                let want = linear(&thresholds, value);
                let found = search.bucket(value).unwrap_or_else(|| search.search_bucket(value));
                assert_eq!((found, search.search_bucket(value)), (want, want), "{value} in {thresholds:?}");
                let mut long = Search::new(thresholds.clone().into());
                long.go_the_long_way();
                assert_eq!((long.bucket(value), long.tabled_bucket(value)), (None, search.bucket(value)), "{value}");
            }
        }
    }

    #[test]
    fn the_fast_path_refuses_what_is_not_positive_and_finite() {
        let search = Search::new([1.0].into());
        for value in [0.0, -0.0, -1.0, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(search.bucket(value), None, "{value}");
        }
        for value in [5e-324, f64::MAX] {
            assert!(search.bucket(value).is_some(), "{value}");
        }
    }
}
