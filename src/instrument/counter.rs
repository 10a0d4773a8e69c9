//! Counters: totals that only grow, of whole numbers or of floats.

use super::{ExemplarLabels, SeriesRef, exemplars, ledger::Reading, series::instrument};
use crate::{
    arena::{self, Slot},
    cell::{count, sum},
    model::{Exemplar, Timestamp, ValueError},
    sync::{Arc, mutant},
};

instrument! {
    /// A total of whole numbers that only grows.
    ///
    /// # Ordering
    /// Relaxed for the caller: recording publishes nothing but itself. A collection that starts after `inc` returned, and is
    /// ordered after it by other means, contains it.
    ///
    /// # Limits
    /// The exposed total stops at 18446744073709551615; it never wraps. What is beyond is dropped, and the counter is counted in
    /// [`HealthReport::saturated_counters`](super::HealthReport::saturated_counters).
    ///
    /// # Examples
    /// ```
    /// let registry = manometer::Registry::new();
    /// let hits = registry.counter("cache_hits").help("Look-ups answered from memory").single()?;
    /// hits.inc();
    /// hits.add(2);
    /// assert_eq!(hits.value(), 3);
    /// # Ok::<(), manometer::DeclareError>(())
    /// ```
    Counter
}

impl Counter {
    /// Adds one.
    #[inline(always)]
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `amount`. Adding 0 is legal and changes nothing.
    #[inline(always)]
    pub fn add(&self, amount: u64) {
        Self::add_at(self.series.slot(), self.series.borrow(), amount);
    }

    /// Adds `amount`, and keeps it as the counter's exemplar: the last one is shown, in OpenMetrics.
    ///
    /// An exemplar that breaks a rule is dropped and counted, and so is one that comes while another series of the family gets its first
    /// one; the amount counts all the same. Allocates for the exemplar.
    ///
    /// # Examples
    /// ```
    /// let requests = manometer::Registry::new().counter("requests").single()?;
    /// requests.add_with_exemplar(1, [("trace_id", "4bf92f35")]);
    /// assert_eq!(requests.exemplar().map(|exemplar| exemplar.value()), Some(1.0));
    /// # Ok::<(), manometer::DeclareError>(())
    /// ```
    pub fn add_with_exemplar(&self, amount: u64, labels: impl ExemplarLabels) {
        let series = self.series.borrow();
        exemplars::attach(series, Self::record_at(series, amount), amount as f64, &labels);
    }

    /// Adds `amount`, and keeps it as the counter's exemplar.
    ///
    /// # Errors
    /// `ExemplarTooLong` or `InvalidExemplarLabel`; nothing is recorded then.
    pub fn try_add_with_exemplar(&self, amount: u64, labels: impl ExemplarLabels) -> Result<(), ValueError> {
        exemplars::check(&labels)?;
        self.add_with_exemplar(amount, labels);
        Ok(())
    }

    /// The last exemplar.
    pub fn exemplar(&self) -> Option<Arc<Exemplar>> {
        exemplars::last(self.series.tuple(), self.series.shared(), 0)
    }

    /// Moves the total to `total`, for counts that are kept elsewhere (CPU time, bytes of an interface).
    ///
    /// A higher one moves it there, an equal one changes nothing. A lower one is a reset: the creation time becomes now.
    /// Takes the family's lock; not for hot paths.
    pub fn set(&self, total: u64) {
        self.series.shared().ledger().set_total(self.series.borrow(), total);
    }

    /// Starts again from 0, created now, and returns the total that was removed. A racing `add` is in the one or the other.
    pub fn reset(&self) -> u64 {
        let take = || self.series.shared().ledger().total(self.series.borrow(), Reading::Take);
        mutant!("reset_in_two_steps", take(), (self.value(), take()).0)
    }

    /// The total over all threads.
    pub fn value(&self) -> u64 {
        self.series.shared().ledger().total(self.series.borrow(), Reading::Look)
    }

    /// When counting began.
    pub fn created(&self) -> Timestamp {
        self.series.shared().ledger().created(self.series.borrow())
    }

    #[inline(always)]
    pub(crate) fn add_at(slot: Slot, series: SeriesRef<'_>, amount: u64) {
        if slot.is_nowhere() {
            return;
        }
        match arena::own_cell(slot) {
            Some(cell) => count::add(cell, amount, || series.carry()),
            None => series.write_slow(slot, amount as f64, move |cell| count::add(cell, amount, || series.carry())),
        }
    }

    /// Adds `amount`, and asks nobody for an exemplar; returns the one bucket that a counter is.
    pub(crate) fn record_at(series: SeriesRef<'_>, amount: u64) -> usize {
        Self::add_at(series.tuple.slot(), series, amount);
        0
    }

    /// Adds `amount` at the slot of a counter, if that takes nothing but a cell that this thread has and the word does not wrap; whether
    /// it did.
    #[inline(always)]
    pub(crate) fn add_in_place(slot: Slot, amount: u64) -> bool {
        !slot.is_nowhere() && arena::own_cell(slot).is_some_and(|cell| count::add_within(cell, amount))
    }
}

instrument! {
    /// A total of floats that only grows, such as seconds of CPU time.
    ///
    /// # Ordering
    /// As [`Counter`].
    ///
    /// # Examples
    /// ```
    /// let registry = manometer::Registry::new();
    /// let busy = registry.float_counter("cpu").unit("seconds").single()?;
    /// busy.add(0.25);
    /// busy.add(-1.0); // refused and counted
    /// assert_eq!(busy.value(), 0.25);
    /// assert_eq!(registry.health().rejected_negative, 1);
    /// # Ok::<(), manometer::DeclareError>(())
    /// ```
    FloatCounter
}

impl FloatCounter {
    /// Adds `amount`. Negative amounts, NaN and infinities are refused and counted.
    #[inline(always)]
    pub fn add(&self, amount: f64) {
        Self::add_at(self.series.slot(), self.series.borrow(), amount);
    }

    /// Adds `amount`.
    ///
    /// # Errors
    /// `Negative`, `NotANumber` or `Infinite`; nothing is recorded then.
    pub fn try_add(&self, amount: f64) -> Result<(), ValueError> {
        check_amount(amount)?;
        Self::add_at(self.series.slot(), self.series.borrow(), amount);
        Ok(())
    }

    /// Adds `amount`, and keeps it as the counter's exemplar; see [`Counter::add_with_exemplar`]. Neither if the amount is refused.
    pub fn add_with_exemplar(&self, amount: f64, labels: impl ExemplarLabels) {
        let series = self.series.borrow();
        match Self::record_at(series, amount) {
            Ok(bucket) => exemplars::attach(series, bucket, amount, &labels),
            Err(reason) => series.shared.health.reject(&reason),
        }
    }

    /// Adds `amount`, and keeps it as the counter's exemplar.
    ///
    /// # Errors
    /// Those of [`try_add`](Self::try_add), `ExemplarTooLong` or `InvalidExemplarLabel`; nothing is recorded then.
    pub fn try_add_with_exemplar(&self, amount: f64, labels: impl ExemplarLabels) -> Result<(), ValueError> {
        exemplars::check(&labels)?;
        let series = self.series.borrow();
        exemplars::attach(series, Self::record_at(series, amount)?, amount, &labels);
        Ok(())
    }

    /// The last exemplar.
    pub fn exemplar(&self) -> Option<Arc<Exemplar>> {
        exemplars::last(self.series.tuple(), self.series.shared(), 0)
    }

    /// Moves the total to `total`; see [`Counter::set`]. Negative values, NaN and infinities are refused and counted.
    pub fn set(&self, total: f64) {
        if let Err(reason) = self.try_set(total) {
            self.series.shared().health.reject(&reason);
        }
    }

    /// Moves the total to `total`; see [`Counter::set`].
    ///
    /// # Errors
    /// `Negative`, `NotANumber` or `Infinite`; nothing changes then.
    pub fn try_set(&self, total: f64) -> Result<(), ValueError> {
        check_amount(total)?;
        self.series.shared().ledger().set_float(self.series.borrow(), total);
        Ok(())
    }

    /// Starts again from 0, created now, and returns the total that was removed. A racing `add` is in the one or the other.
    pub fn reset(&self) -> f64 {
        self.series.shared().ledger().float(self.series.borrow(), Reading::Take)
    }

    /// The total over all threads.
    pub fn value(&self) -> f64 {
        self.series.shared().ledger().float(self.series.borrow(), Reading::Look)
    }

    /// When counting began.
    pub fn created(&self) -> Timestamp {
        self.series.shared().ledger().created(self.series.borrow())
    }

    /// Adds `amount` if it is one, and asks nobody for an exemplar; returns the one bucket that a counter is.
    pub(crate) fn record_at(series: SeriesRef<'_>, amount: f64) -> Result<usize, ValueError> {
        check_amount(amount)?;
        Self::add_at(series.tuple.slot(), series, amount);
        Ok(0)
    }

    #[inline(always)]
    pub(crate) fn add_at(slot: Slot, series: SeriesRef<'_>, amount: f64) {
        if slot.is_nowhere() {
            return;
        }
        // As bits, every finite float from +0 on is below infinity, and nothing else is. -0.0 takes the long way.
        if amount.to_bits() < f64::INFINITY.to_bits() {
            match arena::own_cell(slot) {
                Some(cell) => sum::add(cell, amount),
                None => series.write_slow(slot, amount, move |cell| sum::add(cell, amount)),
            }
        } else if let Err(reason) = check_amount(amount) {
            series.shared.health.reject(&reason);
        }
    }
}

/// What may be added to a total: finite and not below zero.
pub(super) fn check_amount(amount: f64) -> Result<(), ValueError> {
    match amount {
        nan if nan.is_nan() => Err(ValueError::NotANumber),
        infinite if infinite.is_infinite() => Err(ValueError::Infinite),
        negative if negative < 0.0 => Err(ValueError::Negative),
        _ => Ok(()),
    }
}
