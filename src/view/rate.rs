//! What happened between two collections, series by series.

use std::{cmp::Ordering, time::Duration};

use crate::{
    collect::Sampled,
    model::{Metadata, Metric, MetricFamily, MetricPoint, MetricSet, Number, Timestamp},
    sync::Arc,
};

/// Two collections, and the time between them by a clock that never steps.
#[derive(Clone, Debug)]
pub struct Interval {
    /// What was at its beginning.
    pub earlier: Arc<MetricSet>,
    /// What was at its end.
    pub later: Arc<MetricSet>,
    /// How long it was.
    pub elapsed: Duration,
}

/// The older one first, as [`Source::last_two`](crate::Source::last_two) has them.
impl From<[Sampled; 2]> for Interval {
    fn from([older, newer]: [Sampled; 2]) -> Self {
        Self { elapsed: newer.at.saturating_sub(older.at), earlier: older.set, later: newer.set }
    }
}

/// One family at both ends of an interval.
#[derive(Debug)]
pub struct Change<'a> {
    earlier: Option<&'a MetricFamily>,
    later: Option<&'a MetricFamily>,
    /// How long the interval is.
    pub seconds: f64,
}

impl<'a> Change<'a> {
    /// The family that `metadata` describes, as far as it is at either end.
    pub fn new(interval: &'a Interval, metadata: &Metadata) -> Self {
        let is_same = |family: &&MetricFamily| {
            family.metadata().kind() == metadata.kind() && family.metadata().label_keys() == metadata.label_keys()
        };
        let find = |set: &'a MetricSet| set.family(metadata.name().raw()).filter(is_same);
        let seconds = interval.elapsed.as_secs_f64();
        Self { earlier: find(&interval.earlier), later: find(&interval.later), seconds }
    }

    /// The points of the series of `metric` at both ends, the first one None if there was none yet; None if the interval was over
    /// before the series was made.
    pub fn ends(&self, metric: &Metric<'_>) -> Option<(Option<MetricPoint>, MetricPoint)> {
        let later = find(self.later?, metric)?;
        Some((self.earlier.and_then(|family| find(family, metric)), later))
    }
}

/// The point of the series in `family` that has the labels of `metric`; rows are in the order of label values.
fn find(family: &MetricFamily, metric: &Metric<'_>) -> Option<MetricPoint> {
    let (mut low, mut high) = (0, family.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let candidate = family.metric(middle)?;
        match candidate.labels().cmp(metric.labels()) {
            Ordering::Less => low = middle + 1,
            Ordering::Equal => return Some(candidate.point()),
            Ordering::Greater => high = middle,
        }
    }
    None
}

/// By how much a total grew. It began at zero if there was none, or if it was reset since: its creation time moved, or it shrank.
pub fn growth(earlier: Option<(Number, Option<Timestamp>)>, later: (Number, Option<Timestamp>)) -> f64 {
    match (earlier, later) {
        (Some((before, created)), (now, created_now)) if created == created_now && before.as_f64() <= now.as_f64() => {
            match (before, now) {
                // Not by way of a float, which has no last digits for large totals.
                (Number::Unsigned(before), Number::Unsigned(now)) => now.saturating_sub(before) as f64,
                _ => now.as_f64() - before.as_f64(),
            }
        }
        (_, (now, _)) => now.as_f64(),
    }
}
