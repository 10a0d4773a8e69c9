//! Histograms: observations counted in buckets, with their sum.

use super::{ExemplarLabels, SeriesRef, counter::check_amount, exemplars, ledger::Reading, series::instrument};
use crate::{
    arena::Slot,
    model::{Exemplar, HistogramPoint, NativeHistogram, Timestamp, ValueError},
    sync::Arc,
};

instrument! {
    /// Observations counted in buckets, with their sum; every snapshot is the state after a whole number of observations.
    ///
    /// # Limits
    /// At most 251 thresholds, and the `+Inf` bucket.
    ///
    /// # Ordering
    /// Relaxed for the caller: an observation publishes nothing but itself. A collection that starts after `observe` returned,
    /// and is ordered after it by other means, contains it. What a snapshot holds of one thread is a prefix of its program order.
    ///
    /// # Examples
    /// ```
    /// let registry = manometer::Registry::new();
    /// let latency = registry.histogram("request_latency").unit("seconds").buckets([0.01, 0.1, 1.0]).single()?;
    /// latency.observe(0.02);
    /// let point = latency.point();
    /// assert_eq!(point.cumulative, [0, 1, 1, 1]);
    /// assert_eq!(point.sum, 0.02);
    /// # Ok::<(), manometer::DeclareError>(())
    /// ```
    Histogram
}

impl Histogram {
    /// Adds one observation, in the family's unit (seconds for durations).
    ///
    /// NaN, infinities, and negative values where no threshold is negative, are refused and counted.
    #[inline(always)]
    pub fn observe(&self, value: f64) {
        self.observe_many(value, 1);
    }

    /// Adds `times` observations of the same value, whole: no snapshot holds a part of them. None at all is legal.
    #[inline(always)]
    pub fn observe_many(&self, value: f64, times: u32) {
        if times > 0 {
            Self::observe_at(self.series.slot(), self.series.borrow(), value, times);
        }
    }

    /// Adds one observation.
    ///
    /// # Errors
    /// `NotANumber`, `Infinite`, or `Negative` where no threshold is negative; nothing is recorded then.
    pub fn try_observe(&self, value: f64) -> Result<(), ValueError> {
        try_observe_at(self.series.slot(), self.series.borrow(), value, 1)
    }

    /// Adds one observation, and keeps it as the exemplar of its bucket: the last one of each is shown, in OpenMetrics and protobuf.
    ///
    /// A native histogram that has no other buckets keeps the last of each power of two, or of two that are 16 apart: at most 16 of
    /// either sign. OpenMetrics 1.0, with one line for them, shows the latest.
    ///
    /// An exemplar that breaks a rule is dropped and counted, and so is one that comes while another series of the family gets its first
    /// one; the observation counts all the same. Neither if the value is refused. Allocates for the exemplar.
    ///
    /// # Examples
    /// ```
    /// let latency = manometer::Registry::new().histogram("latency").buckets([0.1, 1.0]).single()?;
    /// latency.observe_with_exemplar(0.67, [("trace_id", "4bf92f35")]);
    /// assert_eq!(latency.exemplar(1).map(|exemplar| exemplar.value()), Some(0.67));
    /// # Ok::<(), manometer::DeclareError>(())
    /// ```
    pub fn observe_with_exemplar(&self, value: f64, labels: impl ExemplarLabels) {
        let series = self.series.borrow();
        match Self::record_at(series, value) {
            Ok(bucket) => exemplars::attach(series, bucket, value, &labels),
            Err(reason) => series.shared.health.reject(&reason),
        }
    }

    /// Adds one observation, and keeps it as the exemplar of its bucket.
    ///
    /// # Errors
    /// Those of [`try_observe`](Self::try_observe), `ExemplarTooLong` or `InvalidExemplarLabel`; nothing is recorded then.
    pub fn try_observe_with_exemplar(&self, value: f64, labels: impl ExemplarLabels) -> Result<(), ValueError> {
        exemplars::check(&labels)?;
        let series = self.series.borrow();
        exemplars::attach(series, Self::record_at(series, value)?, value, &labels);
        Ok(())
    }

    /// The last exemplar of a bucket, counted from 0; that of `+Inf` is the last. A native histogram without others has just that one.
    pub fn exemplar(&self, bucket: usize) -> Option<Arc<Exemplar>> {
        let shared = self.series.shared();
        (bucket < shared.search.buckets()).then(|| exemplars::last(self.series.tuple(), shared, bucket)).flatten()
    }

    /// Starts again from nothing, created now, and returns what was removed. A racing observation is in the one or the other.
    pub fn reset(&self) -> HistogramPoint {
        self.read(Reading::Take)
    }

    /// The whole state over all threads.
    pub fn point(&self) -> HistogramPoint {
        self.read(Reading::Look)
    }

    /// The native histogram over all threads; None of a family that is not [native](crate::Declaration::native).
    pub fn native_point(&self) -> Option<NativeHistogram> {
        let series = self.series.borrow();
        let mut ledger = series.shared.ledger();
        ledger.observed(series, &mut Vec::new(), Reading::Look);
        ledger.take_natives().pop()
    }

    /// How many observations there are.
    pub fn count(&self) -> u64 {
        self.point().count()
    }

    /// The sum of the observations.
    pub fn sum(&self) -> f64 {
        self.point().sum
    }

    /// The thresholds of the family, without `+Inf`.
    pub fn thresholds(&self) -> &[f64] {
        self.series.shared().search.thresholds()
    }

    /// When counting began.
    pub fn created(&self) -> Timestamp {
        self.series.shared().ledger().created(self.series.borrow())
    }

    fn read(&self, reading: Reading) -> HistogramPoint {
        let series = self.series.borrow();
        let mut ledger = series.shared.ledger();
        let created = Some(ledger.created(series));
        let mut cumulative = Vec::new();
        let sum = ledger.observed(series, &mut cumulative, reading);
        ledger.take_natives();
        HistogramPoint { thresholds: series.shared.search.thresholds().clone(), cumulative, sum, created }
    }

    #[inline(always)]
    pub(crate) fn observe_at(slot: Slot, series: SeriesRef<'_>, value: f64, times: u32) {
        if slot.is_nowhere() {
            return;
        }
        match series.shared.search.bucket(value) {
            Some(bucket) => series.record(slot, bucket, value, times),
            None => observe_untabled(slot, series, value, times),
        }
    }

    /// Adds one observation of any value, and asks nobody for an exemplar; returns its bucket.
    pub(crate) fn record_at(series: SeriesRef<'_>, value: f64) -> Result<usize, ValueError> {
        record_unusual(series.tuple.slot(), series, value, 1)
    }
}

/// An observation in native buckets, of a family with a source of exemplars, or one that is anything but ordinary.
#[inline(never)]
fn observe_untabled(slot: Slot, series: SeriesRef<'_>, value: f64, times: u32) {
    let shared = series.shared;
    match &shared.native {
        Some(native) if shared.only_counts && native.try_record(slot, value, times) => {}
        None if shared.source.is_some() && !shared.sends_samples() => match shared.search.tabled_bucket(value) {
            Some(bucket) => {
                series.record(slot, bucket, value, times);
                series.ask(bucket, value);
            }
            None => observe_unusual(slot, series, value, times),
        },
        _ => observe_unusual(slot, series, value, times),
    }
}

/// Zero, a negative value, something to refuse, thresholds that no table tells apart, a sample that is to be sent by itself, or one for
/// which something has to be made or found first.
#[cold]
#[inline(never)]
pub(super) fn observe_unusual(slot: Slot, series: SeriesRef<'_>, value: f64, times: u32) {
    if let Err(reason) = try_observe_at(slot, series, value, times) {
        series.shared.health.reject(&reason);
    }
}

/// Adds observations of any value, and asks for an exemplar if one is due.
pub(super) fn try_observe_at(slot: Slot, series: SeriesRef<'_>, value: f64, times: u32) -> Result<(), ValueError> {
    let bucket = record_unusual(slot, series, value, times)?;
    series.ask(bucket, value);
    Ok(())
}

/// Adds observations of any value; returns their bucket.
fn record_unusual(slot: Slot, series: SeriesRef<'_>, value: f64, times: u32) -> Result<usize, ValueError> {
    let bucket = bucket(series, value)?;
    match (&series.shared.sketches, &series.shared.native) {
        (Some(sketches), _) if !slot.is_nowhere() => sketches.record(slot, value),
        (_, Some(native)) if !native.record(slot, value, times) => return Err(ValueError::NoRoom),
        (_, Some(_)) => {}
        _ => series.record(slot, bucket, value, times),
    }
    if let Some(push) = &series.shared.push {
        push.sample(series, value, times);
    }
    Ok(bucket)
}

/// The bucket of any value that this family accepts.
pub(super) fn bucket(series: SeriesRef<'_>, value: f64) -> Result<usize, ValueError> {
    match check_amount(value) {
        Err(ValueError::Negative) if series.shared.metadata.has_negative_threshold() => {}
        checked => checked?,
    }
    Ok(series.shared.search.search_bucket(value))
}
