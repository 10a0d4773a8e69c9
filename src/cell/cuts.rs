//! Native buckets that are cut where classic ones end, so that one word counts an observation for both.
//!
//! # Shape
//! Away from zero, the number of a value's native bucket never falls, and neither does the number of thresholds between zero and the value.
//! Their sum is therefore another one wherever either of them is: it numbers the pieces into which the thresholds cut the native buckets,
//! and says of each piece which native bucket and which classic one it lies in. A threshold in the zero bucket cuts that likewise: the first
//! piece keeps number 0, the others are the first of the positive ones.
//! # Invariants
//! - K1: two values have one piece only if they have one native bucket and one classic bucket.
//!
//! So a piece is counted as any native bucket is, by the same four stores, and whatever holds of a reading (see `native`) holds of both
//! distributions: they are two ways to add up the same words.
//! # Progress and cost
//! Two looks into a table in place of one, and as many words as there are thresholds more, at most.

use std::sync::Arc;

use super::{native::Scale, search::Search};

/// The pieces of the native buckets of one family that has thresholds as well.
#[derive(Debug)]
pub struct Cuts {
    search: Search,
    /// How many thresholds are below the zero bucket.
    below_zero: usize,
    /// The first piece above each of the others, ascending.
    upward: Box<[usize]>,
    /// The first piece down from each threshold below the zero bucket, from zero on: ascending too.
    downward: Box<[usize]>,
}

impl Cuts {
    /// Cuts the buckets of `scale`, which has room for it, at `thresholds`, which are finite and ascending.
    pub fn new(thresholds: Arc<[f64]>, scale: &Scale) -> Self {
        let below_zero = thresholds.iter().take_while(|limit| scale.is_negative(scale.bucket(**limit))).count();
        let search = Search::new(thresholds.clone());
        let mut cuts = Self { search, below_zero, upward: Box::default(), downward: Box::default() };
        let (below, above) = thresholds.split_at(below_zero);
        let beyond = above.iter().map(|limit| next_up(*limit)).filter(|value| value.is_finite());
        cuts.upward = beyond.map(|value| cuts.piece(scale.bucket(value), value)).collect();
        cuts.downward = below.iter().rev().map(|limit| cuts.piece(scale.bucket(*limit), *limit)).collect();
        cuts
    }

    /// The piece that `value`, which is finite, falls in, in its native `bucket`.
    #[inline(never)]
    pub fn piece(&self, bucket: usize, value: f64) -> usize {
        let classic = self.search.bucket(value).unwrap_or_else(|| self.search.search_bucket(value));
        bucket + classic.abs_diff(self.below_zero)
    }

    /// The native bucket of `scale`, and the classic one, that a piece lies in.
    pub fn buckets(&self, scale: &Scale, piece: usize) -> (usize, usize) {
        let passed = |starts: &[usize]| starts.partition_point(|start| *start <= piece);
        // There is room for all pieces of the positive buckets before the negative ones begin.
        if scale.is_negative(piece) {
            let passed = passed(&self.downward);
            (piece - passed, self.below_zero - passed)
        } else {
            let passed = passed(&self.upward);
            (piece - passed, self.below_zero + passed)
        }
    }
}

/// The next float above `value`, which is finite.
fn next_up(value: f64) -> f64 {
    let bits = value.to_bits();
    f64::from_bits(match value {
        0.0 => 1,
        positive if positive > 0.0 => bits + 1,
        _ => bits - 1,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// Every threshold, its neighbours, the ends of the zero bucket, and values over the whole range, of both signs.
    fn probes(thresholds: &[f64], zero_threshold: f64) -> impl Iterator<Item = f64> {
        let near = thresholds.iter().flat_map(|t| [*t, t * 0.75, t * 1.01, t * 1.5]).chain([zero_threshold]);
        let far = (-1074..1024).step_by(5).flat_map(|power| [1.0, 1.1, 1.5].map(|part| f64::from(power).exp2() * part));
        let all: Vec<f64> = near.chain(far).chain([0.0, f64::MAX]).collect();
        let beside = all.into_iter().flat_map(|value| [value.next_down(), value, value.next_up()]);
        beside.flat_map(|value| [value, -value]).filter(|value| value.is_finite())
    }

    #[test]
    fn a_piece_is_in_the_buckets_that_its_values_are_in() {
        let many: Vec<f64> = (-125..=125).map(|step| f64::from(step) / 8.0).collect();
        let sets: [&[f64]; 9] = [
            &[],
            &[0.0],
            &[1.0, 2.0, 4.0],
            &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0],
            &[1.01, 1.02, 1.03, 1.04],
            &[-2.0, -0.25, -0.1, 0.0, 0.1, 0.25, 3.0],
            &[-5e-324, 5e-324, 1e-310],
            &[f64::MIN, -1e300, 1e300, f64::MAX],
            &many,
        ];
        for (thresholds, schema) in sets.into_iter().flat_map(|set| [-4, 0, 3, 8].map(|schema| (set, schema))) {
            for zero_threshold in [0.0, 5e-324, f64::from(-128).exp2(), 0.25, 3.0] {
                let scale = Scale::new(schema, zero_threshold).with_room(thresholds.len());
                let cuts = Cuts::new(thresholds.into(), &scale);
                let mut seen = HashMap::new();
                for value in probes(thresholds, zero_threshold) {
                    let piece = cuts.piece(scale.bucket(value), value);
                    let classic = thresholds.iter().take_while(|limit| value > **limit).count();
                    let own = (scale.bucket(value), classic);
                    assert_eq!(
                        cuts.buckets(&scale, piece),
                        own,
                        "{value:e}: piece {piece} of {thresholds:?}, {schema}"
                    );
                    assert_eq!(*seen.entry(own).or_insert(piece), piece, "K1: {value:e} of {thresholds:?}, {schema}");
                }
            }
        }
    }

    #[test]
    fn the_next_float_is_that_of_the_standard_library() {
        for value in probes(&[1.0, f64::MIN_POSITIVE], 5e-324) {
            assert_eq!(next_up(value).to_bits(), value.next_up().to_bits(), "above {value:e}");
        }
    }

    #[test]
    fn without_a_threshold_nothing_is_cut() {
        let scale = Scale::new(3, 0.25);
        let cuts = Cuts::new([].into(), &scale);
        for value in probes(&[], 0.25) {
            assert_eq!(cuts.piece(scale.bucket(value), value), scale.bucket(value));
        }
    }
}
