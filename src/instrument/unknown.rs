//! Values of unknown type: what another system tells, without saying what it is.

use super::{Gauge, SeriesRef, ledger::Reading, series::instrument};
use crate::sync::Ordering;

instrument! {
    /// A value of which nobody knows whether it is a total or a gauge, passed on from another system.
    ///
    /// Where that is known, declare what it is.
    ///
    /// # Ordering
    /// Relaxed: it publishes nothing but itself.
    ///
    /// # Examples
    /// ```
    /// let registry = manometer::Registry::new();
    /// let reading = registry.unknown("legacy_reading").single()?;
    /// reading.set(47.11);
    /// assert_eq!(reading.value(), 47.11);
    /// # Ok::<(), manometer::DeclareError>(())
    /// ```
    Unknown
}

impl Unknown {
    /// Sets the value. NaN and infinities are values like others, and pages print them.
    #[inline(always)]
    pub fn set(&self, value: f64) {
        Self::set_at(self.series.borrow(), value);
    }

    /// Sets the value to 0 and returns the one before.
    pub fn reset(&self) -> f64 {
        self.series.shared().ledger().gauge(self.series.borrow(), Reading::Take)
    }

    /// The value.
    pub fn value(&self) -> f64 {
        // Relaxed: it is one word.
        self.series.tuple().state().load(Ordering::Relaxed)
    }

    #[inline(always)]
    pub(crate) fn set_at(series: SeriesRef<'_>, value: f64) {
        Gauge::set_at(series, value);
    }
}
