//! Thresholds of histograms: which lists are good, and two ways to make one.

use std::{sync::Arc, time::Duration};

use crate::model::{BucketRule, DeclareError, QuantileRule};

/// The most thresholds of a histogram: two banks of its buckets must fit in a chunk (see `cell::flip`).
pub const MOST_THRESHOLDS: usize = 251;

/// As long a list as is ever made: the shortest that is refused.
const TOO_MANY: usize = MOST_THRESHOLDS + 1;

/// Checks the thresholds of `family`: finite, ascending, not more than `most`. A last `+Inf` is dropped, since it is implied.
///
/// # Errors
/// `InvalidBuckets` with the first position that breaks a rule.
pub fn check_thresholds(family: &str, most: usize, given: &[f64]) -> Result<Arc<[f64]>, DeclareError> {
    let broken_rule = |position: usize, threshold: f64| {
        let before = position.checked_sub(1).map(|position| given[position]);
        match threshold {
            nan if nan.is_nan() => Some(BucketRule::NotANumber),
            f64::NEG_INFINITY => Some(BucketRule::NegativeInfinity),
            repeated if before == Some(repeated) => Some(BucketRule::Duplicate),
            // A `+Inf` that is not the last leaves nothing for the next to be above, which is named.
            lower if before.is_some_and(|before| lower < before) => Some(BucketRule::NotAscending),
            _ if position >= most && threshold.is_finite() => Some(BucketRule::TooMany),
            _ => None,
        }
    };
    for (position, threshold) in given.iter().copied().enumerate() {
        if let Some(rule) = broken_rule(position, threshold) {
            return Err(DeclareError::InvalidBuckets { family: family.to_owned(), position, threshold, rule });
        }
    }
    // One value for both zeros, as `le` has one text for them.
    Ok(given.iter().filter(|threshold| threshold.is_finite()).map(|threshold| threshold + 0.0).collect())
}

/// Quantiles, ascending, and their interval.
pub type CheckedQuantiles = (Arc<[f64]>, Duration);

/// Checks the quantiles of `family` and the seconds of their interval; gives both in the form that is kept, quantiles ascending. An
/// interval alone is legal, and then nothing is kept of it.
///
/// # Errors
/// `InvalidQuantiles`, `MissingInterval`.
pub fn check_quantiles(
    family: &str,
    given: &[f64],
    seconds: Option<f64>,
) -> Result<Option<CheckedQuantiles>, DeclareError> {
    let invalid = |given, rule| DeclareError::InvalidQuantiles { family: family.to_owned(), given, rule };
    if let Some(outside) = given.iter().find(|quantile| !(0.0..=1.0).contains(*quantile)) {
        return Err(invalid(*outside, QuantileRule::OutOfRange));
    }
    // One value for both zeros, as the label has one text for them.
    let mut quantiles: Vec<f64> = given.iter().map(|quantile| quantile + 0.0).collect();
    quantiles.sort_by(f64::total_cmp);
    if let Some(pair) = quantiles.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(invalid(pair[0], QuantileRule::Duplicate));
    }
    let interval = seconds.map(|seconds| match Duration::try_from_secs_f64(seconds) {
        Ok(interval) if !interval.is_zero() => Ok(interval),
        _ => Err(invalid(seconds, QuantileRule::Interval)),
    });
    match (quantiles.is_empty(), interval.transpose()?) {
        (true, _) => Ok(None),
        (false, Some(interval)) => Ok(Some((quantiles.into(), interval))),
        (false, None) => Err(DeclareError::MissingInterval { family: family.to_owned() }),
    }
}

/// `count` thresholds, the first `start`, each `factor` times the one before.
///
/// What is not a good list, such as a factor of 1, is refused where the histogram is declared.
///
/// # Examples
/// ```
/// assert_eq!(manometer::exponential_buckets(0.25, 2.0, 4), [0.25, 0.5, 1.0, 2.0]);
/// ```
pub fn exponential_buckets(start: f64, factor: f64, count: usize) -> Vec<f64> {
    std::iter::successors(Some(start), |threshold| Some(threshold * factor)).take(count.min(TOO_MANY)).collect()
}

/// `count` thresholds, the first `start`, each `width` above the one before.
///
/// # Examples
/// ```
/// assert_eq!(manometer::linear_buckets(10.0, 5.0, 3), [10.0, 15.0, 20.0]);
/// ```
pub fn linear_buckets(start: f64, width: f64, count: usize) -> Vec<f64> {
    (0..count.min(TOO_MANY)).map(|step| start + width * step as f64).collect()
}
