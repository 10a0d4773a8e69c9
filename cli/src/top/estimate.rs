//! Quantiles out of buckets.

/// The quantile `q` of the observations that `cumulative` counts up to each of the thresholds, which ascend to infinity.
///
/// Observations are taken to lie evenly in their bucket, the first of which begins at zero unless its threshold is below. What lies above
/// the last finite threshold is told as that threshold: it is at least so much. None where there are no observations.
pub fn quantile(cumulative: &[(f64, f64)], q: f64) -> Option<f64> {
    let total = cumulative.last().map(|bucket| bucket.1).filter(|total| *total > 0.0)?;
    let rank = q * total;
    let place = cumulative.iter().position(|bucket| bucket.1 >= rank && bucket.1 > 0.0)?;
    let (threshold, count) = cumulative[place];
    let (mut lower, below) = match place.checked_sub(1) {
        Some(before) => cumulative[before],
        None => (threshold.min(0.0), 0.0),
    };
    if !threshold.is_finite() {
        return Some(lower).filter(|_| place > 0);
    }
    if !lower.is_finite() {
        lower = threshold;
    }
    let share = if count > below { (rank - below) / (count - below) } else { 1.0 };
    Some(lower + (threshold - lower) * share.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKETS: [(f64, f64); 4] = [(0.1, 50.0), (0.2, 90.0), (0.4, 99.0), (f64::INFINITY, 100.0)];

    #[test]
    fn observations_lie_evenly_in_their_bucket() {
        let close = |q, expected: f64| {
            let found = quantile(&BUCKETS, q).expect("observations");
            assert!((found - expected).abs() < 1e-9, "{q}: {found}");
        };
        close(0.25, 0.05);
        close(0.5, 0.1);
        close(0.7, 0.15);
        close(0.99, 0.4);
        close(1.0, 0.4); // at least so much
    }

    #[test]
    fn nothing_observed_has_no_quantile() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[(1.0, 0.0), (f64::INFINITY, 0.0)], 0.5), None);
        assert_eq!(quantile(&[(f64::INFINITY, 7.0)], 0.5), None, "one bucket tells nothing");
        assert_eq!(quantile(&[(-1.0, 2.0), (f64::INFINITY, 2.0)], 0.5), Some(-1.0));
    }
}
