//! Gauge histograms: what there is now, counted by size.

use super::{SeriesRef, histogram, ledger::Reading, series::instrument};
use crate::{
    arena::Slot,
    cell::undo,
    model::{GaugeHistogramPoint, ValueError},
};

instrument! {
    /// What there is now, counted in buckets by size, with the sum of the sizes: the messages in a queue, the files that are open.
    ///
    /// What comes on one thread may go on another. As long as only goes what came, with the value it came with, every snapshot is
    /// the state after a whole number of comings and goings, and nothing reads below zero. What goes without having come is shown
    /// as 0, and is missing from what comes later.
    ///
    /// # Shape
    /// Two histograms side by side, of what came and of what went. What went is read first.
    ///
    /// # Limits
    /// At most 63 thresholds. The sum is as exact as the difference of two running sums, and 0 when nothing is there.
    ///
    /// # Ordering
    /// Relaxed for the caller, except that whoever reads that something went also reads that it came.
    ///
    /// # Examples
    /// ```
    /// let registry = manometer::Registry::new();
    /// let queued = registry.gauge_histogram("queued").unit("bytes").buckets([1024.0, 65536.0]).single()?;
    /// queued.inc(100.0);
    /// queued.inc(4096.0);
    /// queued.dec(100.0);
    /// let point = queued.point();
    /// assert_eq!((point.cumulative, point.sum), (vec![0, 1, 1], 4096.0));
    /// # Ok::<(), manometer::DeclareError>(())
    /// ```
    GaugeHistogram
}

impl GaugeHistogram {
    /// One of size `value` comes.
    ///
    /// NaN, infinities, and negative values where no threshold is negative, are refused and counted.
    #[inline]
    pub fn inc(&self, value: f64) {
        Self::inc_at(self.series.borrow(), value);
    }

    /// One goes, which came with this very `value`.
    ///
    /// What `inc` refuses is refused here too.
    #[inline]
    pub fn dec(&self, value: f64) {
        Self::dec_at(self.series.borrow(), value);
    }

    /// One of size `value` comes.
    ///
    /// # Errors
    /// `NotANumber`, `Infinite`, or `Negative` where no threshold is negative; nothing is recorded then.
    pub fn try_inc(&self, value: f64) -> Result<(), ValueError> {
        let series = self.series.borrow();
        histogram::bucket(series, value).map(|bucket| record(series, came(series), bucket, value))
    }

    /// One goes, which came with this very `value`.
    ///
    /// # Errors
    /// As [`try_inc`](Self::try_inc).
    pub fn try_dec(&self, value: f64) -> Result<(), ValueError> {
        let series = self.series.borrow();
        histogram::bucket(series, value).map(|bucket| record(series, went(series), bucket, value))
    }

    /// Starts again from nothing, and returns what there was. What of that goes later goes without having come.
    pub fn reset(&self) -> GaugeHistogramPoint {
        self.read(Reading::Take)
    }

    /// The whole state over all threads.
    pub fn point(&self) -> GaugeHistogramPoint {
        self.read(Reading::Look)
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.point().count()
    }

    /// The sum of their values.
    pub fn sum(&self) -> f64 {
        self.point().sum
    }

    /// The thresholds of the family, without `+Inf`.
    pub fn thresholds(&self) -> &[f64] {
        self.series.shared().search.thresholds()
    }

    fn read(&self, reading: Reading) -> GaugeHistogramPoint {
        let series = self.series.borrow();
        let mut cumulative = Vec::new();
        let sum = series.shared.ledger().present(series, &mut cumulative, reading);
        GaugeHistogramPoint { thresholds: series.shared.search.thresholds().clone(), cumulative, sum }
    }

    #[inline]
    pub(crate) fn inc_at(series: SeriesRef<'_>, value: f64) {
        match histogram::bucket(series, value) {
            Ok(bucket) => record(series, came(series), bucket, value),
            Err(reason) => series.shared.health.reject(&reason),
        }
    }

    #[inline]
    pub(crate) fn dec_at(series: SeriesRef<'_>, value: f64) {
        match histogram::bucket(series, value) {
            Ok(bucket) => record(series, went(series), bucket, value),
            Err(reason) => series.shared.health.reject(&reason),
        }
    }
}

/// Where what came is counted.
pub(super) fn came(series: SeriesRef<'_>) -> Slot {
    series.tuple.slot()
}

/// Where what went is counted.
pub(super) fn went(series: SeriesRef<'_>) -> Slot {
    match series.tuple.slot() {
        nowhere if nowhere.is_nowhere() => nowhere,
        slot => slot.plus(undo::HEAD + series.shared.search.buckets()),
    }
}

#[inline]
fn record(series: SeriesRef<'_>, slot: Slot, bucket: usize, value: f64) {
    if !slot.is_nowhere() {
        series.record(slot, bucket, value, 1);
    }
}
