//! Accumulate and publish: gauges that are counted afresh each time, seen either all old or all new.

use std::collections::HashMap;

use super::{values::LabelValues, view::View};
use crate::{
    instrument::{Gauge, check_delta},
    model::LabelError,
};

/// Sums in the making, private until they are published.
#[derive(Debug)]
pub struct Tally<'v> {
    view: &'v View<Gauge>,
    sums: HashMap<Vec<Box<str>>, f64>,
}

impl Tally<'_> {
    /// Adds `delta` to the sum of these values, one for each free key of the view. NaN and infinities are refused and counted.
    ///
    /// # Errors
    /// `Arity` if there are not as many values as free keys.
    pub fn add(&mut self, values: impl LabelValues, delta: f64) -> Result<(), LabelError> {
        values.with(|values| {
            self.view.check_arity(values)?;
            if let Err(reason) = check_delta(delta) {
                self.view.core().shared().health.reject(&reason);
                return Ok(());
            }
            let values = values.iter().map(|value| Box::from(*value)).collect();
            *self.sums.entry(values).or_default() += delta;
            Ok(())
        })
    }
}

impl View<Gauge> {
    /// Counts afresh: `count` adds up in private, then all sums are published at once and every other series of the view
    /// becomes 0. A scrape sees all old values or all new ones.
    ///
    /// # Errors
    /// What `count` returns; then, and if it panics, the old values stay.
    ///
    /// # Examples
    /// ```
    /// use manometer::LabelError;
    ///
    /// let registry = manometer::Registry::new();
    /// let sessions = registry.gauge("sessions").labels(["state"]).declare()?;
    /// sessions.accumulate(|tally| {
    ///     for state in ["idle", "busy", "idle"] {
    ///         tally.add([state], 1.0)?;
    ///     }
    ///     Ok::<(), LabelError>(())
    /// })?;
    /// assert_eq!(sessions.with_labels(["idle"])?.value(), 2.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn accumulate<E>(&self, count: impl FnOnce(&mut Tally<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut tally = Tally { view: self, sums: HashMap::new() };
        count(&mut tally)?;
        self.core().publish(self.prefix(), &tally.sums);
        Ok(())
    }
}
