//! Summaries: observations counted and summed, without buckets.

use super::{
    SeriesRef,
    histogram::{observe_unusual, try_observe_at},
    ledger::Reading,
    series::instrument,
};
use crate::{
    arena::Slot,
    model::{SummaryPoint, Timestamp, ValueError},
};

instrument! {
    /// Observations counted and summed; count and sum always belong together.
    ///
    /// # Ordering
    /// As [`Histogram`](super::Histogram). A summary is a histogram's cell with one bucket.
    ///
    /// # Examples
    /// ```
    /// let registry = manometer::Registry::new();
    /// let sizes = registry.summary("reply").unit("bytes").single()?;
    /// sizes.observe(512.0);
    /// assert_eq!((sizes.count(), sizes.sum()), (1, 512.0));
    /// # Ok::<(), manometer::DeclareError>(())
    /// ```
    Summary
}

impl Summary {
    /// Adds one observation, in the family's unit. NaN, infinities and negative values are refused and counted.
    #[inline(always)]
    pub fn observe(&self, value: f64) {
        Self::observe_at(self.series.slot(), self.series.borrow(), value);
    }

    /// Adds one observation.
    ///
    /// # Errors
    /// `NotANumber`, `Infinite` or `Negative`; nothing is recorded then.
    pub fn try_observe(&self, value: f64) -> Result<(), ValueError> {
        try_observe_at(self.series.slot(), self.series.borrow(), value, 1)
    }

    /// Starts again from nothing, created now, and returns what was removed. A racing observation is in the one or the other.
    pub fn reset(&self) -> SummaryPoint {
        self.read(Reading::Take)
    }

    /// The whole state over all threads.
    pub fn point(&self) -> SummaryPoint {
        self.read(Reading::Look)
    }

    /// How many observations there are.
    pub fn count(&self) -> u64 {
        self.point().count
    }

    /// The sum of the observations.
    pub fn sum(&self) -> f64 {
        self.point().sum
    }

    /// The quantiles of the family, ascending, each with its value in the window that ended last: NaN before the first one has ended,
    /// and after one without observations.
    pub fn quantiles(&self) -> Vec<(f64, f64)> {
        self.point().quantiles
    }

    /// When counting began.
    pub fn created(&self) -> Timestamp {
        self.series.shared().ledger().created(self.series.borrow())
    }

    fn read(&self, reading: Reading) -> SummaryPoint {
        let series = self.series.borrow();
        let mut ledger = series.shared.ledger();
        let created = Some(ledger.created(series));
        let mut counts = Vec::with_capacity(1);
        let mut values = Vec::new();
        ledger.quantiles(series, &mut values);
        let sum = ledger.observed(series, &mut counts, reading);
        let quantiles = series.shared.metadata.quantiles().iter().copied().zip(values).collect();
        SummaryPoint { count: counts[0], sum, quantiles, created }
    }

    #[inline(always)]
    pub(crate) fn observe_at(slot: Slot, series: SeriesRef<'_>, value: f64) {
        if slot.is_nowhere() {
            return;
        }
        match series.shared.search.bucket(value) {
            Some(bucket) => series.record(slot, bucket, value, 1),
            None => observe_untabled(slot, series, value),
        }
    }
}

/// An observation for quantiles as well, or one that is anything but ordinary.
#[inline(never)]
fn observe_untabled(slot: Slot, series: SeriesRef<'_>, value: f64) {
    // What is covered is not negative, not infinite and a number, as its bits are between those of two values that are accepted.
    let sketches = series.shared.sketches.as_ref();
    if !sketches.is_some_and(|sketches| sketches.try_record(slot, value)) {
        observe_unusual(slot, series, value, 1);
    }
}
