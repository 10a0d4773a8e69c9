//! Bucket lists: accepted exactly by the rules; then every observation is in the bucket where a plain search puts it, and NaN,
//! infinities and negative values are refused where they must be.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use manometer::{DeclareError, Registry, collect, model::BucketRule};
use manometer_fuzz::pages_read_back;

#[derive(Arbitrary, Debug)]
struct Input {
    list: List,
    observations: Vec<Value>,
}

#[derive(Arbitrary, Debug)]
enum List {
    AsGiven(Vec<f64>),
    /// Made good, to get past the rules: many, and close together.
    Sorted(Vec<f64>),
    /// Neighbours in the last bits.
    Dense {
        start: f64,
        steps: Vec<u16>,
    },
}

#[derive(Arbitrary, Debug)]
enum Value {
    Any(f64),
    /// A threshold, or a few floats beside it.
    Near(u8, i8),
}

fuzz_target!(|input: Input| {
    let given = input.list.into_thresholds();
    let registry = Registry::new();
    let declared = registry.histogram("h").buckets(given.iter().copied()).single();
    let histogram = match (declared, broken(&given)) {
        (Ok(histogram), None) => histogram,
        (Err(DeclareError::InvalidBuckets { family, position, threshold, rule }), Some(broken)) => {
            assert_eq!((family.as_str(), position, rule), ("h", broken.0, broken.1), "{given:?}");
            assert_eq!(threshold.to_bits(), given[position].to_bits());
            assert_eq!(collect(&registry).families.len(), 0, "what is refused leaves nothing behind");
            return;
        }
        (declared, broken) => panic!("{declared:?} where {broken:?} was expected: {given:?}"),
    };
    let thresholds: Vec<f64> = given.iter().copied().filter(|threshold| threshold.is_finite()).collect();
    assert_eq!(histogram.thresholds(), thresholds);
    let takes_negative = thresholds.first().is_some_and(|lowest| *lowest < 0.0);

    let mut counts = vec![0u64; thresholds.len() + 1];
    let (mut sum, mut refused) = (0.0, 0);
    for value in input.observations {
        let value = value.get(&thresholds);
        histogram.observe(value);
        if !value.is_finite() || (value < 0.0 && !takes_negative) {
            refused += 1;
            continue;
        }
        let bucket = thresholds.iter().position(|threshold| value <= *threshold).unwrap_or(thresholds.len());
        counts[bucket] += 1;
        sum += value;
    }
    let cumulative: Vec<u64> = counts
        .iter()
        .scan(0, |running, count| {
            *running += count;
            Some(*running)
        })
        .collect();
    let point = histogram.point();
    assert_eq!(point.cumulative, cumulative, "{thresholds:?}");
    // One thread records, so the order of additions is the same; a sum that runs over stays at the largest float.
    let expected = if sum.is_nan() { point.sum } else { f64::clamp(sum, f64::MIN, f64::MAX) };
    assert_eq!(point.sum, expected);
    let health = registry.health();
    let all = health.rejected_not_a_number + health.rejected_infinite + health.rejected_negative;
    assert_eq!(all, refused);
    pages_read_back(&collect(&registry));
});

impl List {
    fn into_thresholds(self) -> Vec<f64> {
        match self {
            Self::AsGiven(list) => list,
            Self::Sorted(mut list) => {
                list.retain(|threshold| threshold.is_finite());
                list.sort_by(f64::total_cmp);
                list.dedup();
                list
            }
            Self::Dense { start, steps } => {
                let start = if start.is_finite() { start } else { 1.0 };
                let step = |at: &mut f64, steps: &u16| {
                    *at = moved(*at, i32::from(*steps) + 1);
                    at.is_finite().then_some(*at)
                };
                steps.iter().scan(start, step).collect()
            }
        }
    }
}

impl Value {
    fn get(self, thresholds: &[f64]) -> f64 {
        match self {
            Self::Any(value) => value,
            Self::Near(_, _) if thresholds.is_empty() => 0.0,
            Self::Near(at, steps) => moved(thresholds[usize::from(at) % thresholds.len()], steps.into()),
        }
    }
}

/// The float so many floats above, or below. Beyond the largest there are infinity and NaN.
fn moved(value: f64, steps: i32) -> f64 {
    // Magnitudes are in the order of their bits; below zero, count down from it.
    let turned = |place: i64| if place < 0 { i64::MIN - place } else { place };
    f64::from_bits(turned(turned(value.to_bits() as i64) + i64::from(steps)) as u64)
}

/// The first position that breaks a rule, and the rule.
fn broken(given: &[f64]) -> Option<(usize, BucketRule)> {
    for (position, threshold) in given.iter().enumerate() {
        let before = position.checked_sub(1).map(|before| given[before]);
        if threshold.is_nan() {
            return Some((position, BucketRule::NotANumber));
        }
        if *threshold == f64::NEG_INFINITY {
            return Some((position, BucketRule::NegativeInfinity));
        }
        if before == Some(*threshold) {
            return Some((position, BucketRule::Duplicate));
        }
        if before.is_some_and(|before| before > *threshold) {
            return Some((position, BucketRule::NotAscending));
        }
        if position == 251 && threshold.is_finite() {
            return Some((position, BucketRule::TooMany));
        }
    }
    None
}
