//! Recording by label values: look-up and update in one call, without a handle, an allocation or a lock.
//!
//! These borrow the values, find the series under a pin, and record before the pin is lifted. Where the labels are known in
//! advance, a handle from [`View::with_labels`] spares the look-up.

use super::{values::LabelValues, view::View};
use crate::{
    instrument::{
        Counter, FloatCounter, Gauge, GaugeHistogram, Histogram, InFlight, SeriesRef, StateSet, Summary,
        TakesExemplars, Unknown, UpDownGauge,
    },
    model::{LabelError, Points, ValueError},
};

impl<I: TakesExemplars> View<I> {
    /// Records `value` by `usual`; where the family has a source of exemplars, by `asking`, which says in which bucket it was counted.
    #[inline(always)]
    fn record(
        &self,
        values: impl LabelValues,
        value: f64,
        usual: impl FnOnce(SeriesRef<'_>),
        asking: impl FnOnce(SeriesRef<'_>) -> Result<usize, ValueError>,
    ) -> Result<(), LabelError> {
        values.with(|values| match self.core().shared().source {
            None => self.on_values(values, usual),
            Some(_) => self.record_and_ask(values, value, asking),
        })
    }

    /// Records, and asks the source for an exemplar when the pin has been lifted, so that it may look up and remove what it likes.
    #[cold]
    #[inline(never)]
    fn record_and_ask(
        &self,
        values: &[&str],
        value: f64,
        record: impl FnOnce(SeriesRef<'_>) -> Result<usize, ValueError>,
    ) -> Result<(), LabelError> {
        let shared = self.core().shared();
        let due = self.on_values(values, |series| match record(series) {
            Ok(bucket) => series.is_due(bucket, value).then(|| (series.tuple.clone(), bucket)),
            Err(reason) => {
                shared.health.reject(&reason);
                None
            }
        })?;
        if let Some((tuple, bucket)) = due {
            SeriesRef { tuple: &tuple, shared }.ask(bucket, value);
        }
        Ok(())
    }
}

impl View<Counter> {
    /// Adds one to the series of these values.
    ///
    /// # Errors
    /// `Arity` if there are not as many values as free keys.
    #[inline]
    pub fn inc(&self, values: impl LabelValues) -> Result<(), LabelError> {
        self.add(values, 1)
    }

    /// Adds `amount` to the series of these values; see [`Counter::add`].
    ///
    /// # Errors
    /// As [`inc`](Self::inc).
    #[inline]
    pub fn add(&self, values: impl LabelValues, amount: u64) -> Result<(), LabelError> {
        let usual = move |series: SeriesRef<'_>| Counter::add_at(series.tuple.slot(), series, amount);
        self.record(values, amount as f64, usual, move |series| Ok(Counter::record_at(series, amount)))
    }

    /// The sum over all series. It stops at the largest `u64`.
    pub fn sum(&self) -> u64 {
        match self.collect().points() {
            Points::Counter { totals, .. } => totals.iter().fold(0, |sum, total| sum.saturating_add(*total)),
            _ => 0,
        }
    }
}

impl View<FloatCounter> {
    /// Adds `amount` to the series of these values; see [`FloatCounter::add`].
    ///
    /// # Errors
    /// `Arity` if there are not as many values as free keys.
    #[inline]
    pub fn add(&self, values: impl LabelValues, amount: f64) -> Result<(), LabelError> {
        let usual = move |series: SeriesRef<'_>| FloatCounter::add_at(series.tuple.slot(), series, amount);
        self.record(values, amount, usual, move |series| FloatCounter::record_at(series, amount))
    }

    /// The sum over all series.
    pub fn sum(&self) -> f64 {
        match self.collect().points() {
            Points::FloatCounter { totals, .. } => totals.iter().fold(0.0, |sum, total| sum + total),
            _ => 0.0,
        }
    }
}

impl View<Gauge> {
    /// Sets the series of these values; see [`Gauge::set`].
    ///
    /// # Errors
    /// `Arity` if there are not as many values as free keys.
    #[inline]
    pub fn set(&self, values: impl LabelValues, value: f64) -> Result<(), LabelError> {
        self.on_series(values, |series| Gauge::set_at(series, value))
    }

    /// Adds `delta` to the series of these values; see [`Gauge::add`].
    ///
    /// # Errors
    /// As [`set`](Self::set).
    #[inline]
    pub fn add(&self, values: impl LabelValues, delta: f64) -> Result<(), LabelError> {
        self.on_series(values, |series| Gauge::add_at(series, delta))
    }

    /// The sum over all series.
    pub fn sum(&self) -> f64 {
        match self.collect().points() {
            Points::Gauge { values } => values.iter().fold(0.0, |sum, value| sum + value),
            _ => 0.0,
        }
    }
}

impl View<UpDownGauge> {
    /// Moves the series of these values by `delta`; see [`UpDownGauge::add`].
    ///
    /// # Errors
    /// `Arity` if there are not as many values as free keys.
    #[inline]
    pub fn add(&self, values: impl LabelValues, delta: i64) -> Result<(), LabelError> {
        self.on_series(values, |series| UpDownGauge::add_at(series.tuple.slot(), delta))
    }

    /// The sum over all series.
    pub fn sum(&self) -> i64 {
        match self.collect().points() {
            Points::UpDown { values } => values.iter().fold(0, |sum: i64, value| sum.saturating_add(*value)),
            _ => 0,
        }
    }
}

impl View<UpDownGauge> {
    /// Goes up by one in the series of these values, and down again when the guard is dropped; see
    /// [`InFlight`](crate::InFlight).
    ///
    /// # Errors
    /// `Arity` if there are not as many values as free keys.
    pub fn guard(&self, values: impl LabelValues) -> Result<InFlight, LabelError> {
        Ok(self.with_labels(values)?.guard())
    }
}

impl View<Histogram> {
    /// Adds one observation to the series of these values; see [`Histogram::observe`].
    ///
    /// # Errors
    /// `Arity` if there are not as many values as free keys.
    #[inline]
    pub fn observe(&self, values: impl LabelValues, value: f64) -> Result<(), LabelError> {
        let usual = move |series: SeriesRef<'_>| Histogram::observe_at(series.tuple.slot(), series, value, 1);
        self.record(values, value, usual, move |series| Histogram::record_at(series, value))
    }
}

impl View<Summary> {
    /// Adds one observation to the series of these values; see [`Summary::observe`].
    ///
    /// # Errors
    /// `Arity` if there are not as many values as free keys.
    #[inline]
    pub fn observe(&self, values: impl LabelValues, value: f64) -> Result<(), LabelError> {
        self.on_series(values, |series| Summary::observe_at(series.tuple.slot(), series, value))
    }
}

impl View<StateSet> {
    /// Switches `state` on and all others off in the series of these values; see [`StateSet::enter`].
    ///
    /// # Errors
    /// `Arity` if there are not as many values as free keys.
    #[inline]
    pub fn enter(&self, values: impl LabelValues, state: &str) -> Result<(), LabelError> {
        self.on_series(values, |series| StateSet::enter_at(series, state))
    }

    /// Switches `state` on or off in the series of these values; see [`StateSet::set`].
    ///
    /// # Errors
    /// `Arity` if there are not as many values as free keys.
    #[inline]
    pub fn set(&self, values: impl LabelValues, state: &str, on: bool) -> Result<(), LabelError> {
        self.on_series(values, |series| StateSet::set_at(series, state, on))
    }
}

impl View<Unknown> {
    /// Sets the series of these values; see [`Unknown::set`].
    ///
    /// # Errors
    /// `Arity` if there are not as many values as free keys.
    #[inline]
    pub fn set(&self, values: impl LabelValues, value: f64) -> Result<(), LabelError> {
        self.on_series(values, |series| Unknown::set_at(series, value))
    }
}

impl View<GaugeHistogram> {
    /// One of size `value` comes to the series of these values; see [`GaugeHistogram::inc`].
    ///
    /// # Errors
    /// `Arity` if there are not as many values as free keys.
    #[inline]
    pub fn inc(&self, values: impl LabelValues, value: f64) -> Result<(), LabelError> {
        self.on_series(values, |series| GaugeHistogram::inc_at(series, value))
    }

    /// One goes from the series of these values; see [`GaugeHistogram::dec`].
    ///
    /// # Errors
    /// `Arity` if there are not as many values as free keys.
    #[inline]
    pub fn dec(&self, values: impl LabelValues, value: f64) -> Result<(), LabelError> {
        self.on_series(values, |series| GaugeHistogram::dec_at(series, value))
    }
}
