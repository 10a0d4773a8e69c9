//! Gauges: values that go up and down, set from anywhere or counted in steps.

use super::{SeriesRef, ledger::Reading, series::instrument};
use crate::{
    arena::{self, Slot},
    cell::count,
    model::ValueError,
    sync::Ordering,
};

instrument! {
    /// A float that is set and added to, such as a temperature or a queue's length.
    ///
    /// One shared word per series, since a `set` must win over all threads. For what comes and goes on many threads, such as
    /// requests in flight, [`UpDownGauge`] is several times faster.
    ///
    /// # Ordering
    /// Relaxed: a gauge publishes nothing but itself.
    ///
    /// # Examples
    /// ```
    /// let registry = manometer::Registry::new();
    /// let temperature = registry.gauge("room_temperature").unit("celsius").single()?;
    /// temperature.set(21.5);
    /// temperature.add(-0.5);
    /// assert_eq!(temperature.value(), 21.0);
    /// # Ok::<(), manometer::DeclareError>(())
    /// ```
    Gauge
}

impl Gauge {
    /// Sets the value. NaN and infinities are values like others, and pages print them.
    #[inline(always)]
    pub fn set(&self, value: f64) {
        Self::set_at(self.series.borrow(), value);
    }

    /// Adds `delta`, of either sign; every concurrent `add` counts. NaN and infinities are refused and counted.
    #[inline(always)]
    pub fn add(&self, delta: f64) {
        Self::add_at(self.series.borrow(), delta);
    }

    /// Adds `delta`, of either sign.
    ///
    /// # Errors
    /// `NotANumber` or `Infinite`; nothing changes then.
    pub fn try_add(&self, delta: f64) -> Result<(), ValueError> {
        check_delta(delta)?;
        Self::add_at(self.series.borrow(), delta);
        Ok(())
    }

    /// Adds `delta` and returns the value that came of it; counts nothing that it refuses.
    pub(super) fn add_and_get(&self, delta: f64) -> Result<f64, ValueError> {
        check_delta(delta)?;
        let series = self.series.borrow();
        if series.tuple.slot().is_nowhere() {
            return Ok(0.0);
        }
        // Relaxed: a gauge is one word.
        let before = series.tuple.state().fetch_add(delta, Ordering::Relaxed);
        series.tuple.mark_written();
        Ok(before + delta)
    }

    /// Sets the value to 0 and returns the one before.
    pub fn reset(&self) -> f64 {
        self.series.shared().ledger().gauge(self.series.borrow(), Reading::Take)
    }

    /// The value.
    pub fn value(&self) -> f64 {
        // Relaxed: a gauge is one word.
        self.series.tuple().state().load(Ordering::Relaxed)
    }

    #[inline(always)]
    pub(crate) fn set_at(series: SeriesRef<'_>, value: f64) {
        if !series.tuple.slot().is_nowhere() {
            // Relaxed: a gauge is one word.
            series.tuple.state().store(value, Ordering::Relaxed);
            series.tuple.mark_written();
        }
    }

    #[inline(always)]
    pub(crate) fn add_at(series: SeriesRef<'_>, delta: f64) {
        match check_delta(delta) {
            _ if series.tuple.slot().is_nowhere() => {}
            // Relaxed: a gauge is one word.
            Ok(()) => {
                series.tuple.state().fetch_add(delta, Ordering::Relaxed);
                series.tuple.mark_written();
            }
            Err(reason) => series.shared.health.reject(&reason),
        }
    }
}

/// What may be added to a gauge: anything finite.
pub fn check_delta(delta: f64) -> Result<(), ValueError> {
    match delta {
        nan if nan.is_nan() => Err(ValueError::NotANumber),
        infinite if infinite.is_infinite() => Err(ValueError::Infinite),
        _ => Ok(()),
    }
}

instrument! {
    /// A whole number that goes up and down in steps on any thread, such as requests in flight.
    ///
    /// Costs what a [`Counter`](super::Counter) costs. It cannot be set. A level that the program keeps at zero or above never
    /// reads below zero, even if what came on one thread goes on another.
    ///
    /// # Ordering
    /// Relaxed for the caller, except that whoever reads a decrement also reads the increments that happened before it.
    ///
    /// # Examples
    /// ```
    /// let registry = manometer::Registry::new();
    /// let in_flight = registry.up_down_gauge("requests_in_flight").single()?;
    /// in_flight.inc();
    /// in_flight.dec();
    /// assert_eq!(in_flight.value(), 0);
    /// # Ok::<(), manometer::DeclareError>(())
    /// ```
    UpDownGauge
}

impl UpDownGauge {
    /// Goes up by one.
    #[inline(always)]
    pub fn inc(&self) {
        Self::add_at(self.series.slot(), 1);
    }

    /// Goes down by one.
    #[inline(always)]
    pub fn dec(&self) {
        Self::add_at(self.series.slot(), -1);
    }

    /// Goes up by `delta`, or down if it is negative.
    #[inline(always)]
    pub fn add(&self, delta: i64) {
        Self::add_at(self.series.slot(), delta);
    }

    /// Starts again from 0 and returns the level before. A racing step is in the one or the other.
    pub fn reset(&self) -> i64 {
        self.series.shared().ledger().level(self.series.borrow(), Reading::Take)
    }

    /// The level over all threads.
    pub fn value(&self) -> i64 {
        self.series.shared().ledger().level(self.series.borrow(), Reading::Look)
    }

    #[inline(always)]
    pub(crate) fn add_at(slot: Slot, delta: i64) {
        let amount = delta.unsigned_abs();
        arena::write!(slot, cell => if delta < 0 { count::lower(cell, amount) } else { count::raise(cell, amount) });
    }
}
