//! Statesets: named states that are each on or off.

use super::{SeriesRef, ledger::Reading, series::instrument};
use crate::{
    model::{StateSetPoint, ValueError},
    sync::Ordering,
};

instrument! {
    /// States that are each on or off, such as the phase that a server is in, or the features that are switched on.
    ///
    /// All states are bits of one word: a scrape never sees a part of a change, and of states that exclude each other, changed by
    /// [`enter`](Self::enter) alone, it never sees two. In the beginning all are off.
    ///
    /// # Limits
    /// At most 64 states.
    ///
    /// # Ordering
    /// Relaxed: it publishes nothing but itself.
    ///
    /// # Examples
    /// ```
    /// let registry = manometer::Registry::new();
    /// let phase = registry.state_set("phase").states(["starting", "running", "stopping"]).single()?;
    /// phase.enter("running");
    /// assert_eq!(phase.point().active().collect::<Vec<_>>(), ["running"]);
    /// assert!(phase.try_enter("asleep").is_err(), "no such state; `enter` would count this");
    /// # Ok::<(), manometer::DeclareError>(())
    /// ```
    StateSet
}

impl StateSet {
    /// Switches `state` on and all others off, at once. A state that was not declared is refused and counted.
    pub fn enter(&self, state: &str) {
        Self::enter_at(self.series.borrow(), state);
    }

    /// Switches `state` on or off. A state that was not declared is refused and counted.
    pub fn set(&self, state: &str, on: bool) {
        Self::set_at(self.series.borrow(), state, on);
    }

    /// Switches `state` on and all others off, at once.
    ///
    /// # Errors
    /// `UnknownState`; nothing changes then.
    pub fn try_enter(&self, state: &str) -> Result<(), ValueError> {
        enter(self.series.borrow(), state)
    }

    /// Switches `state` on or off.
    ///
    /// # Errors
    /// `UnknownState`; nothing changes then.
    pub fn try_set(&self, state: &str, on: bool) -> Result<(), ValueError> {
        set(self.series.borrow(), state, on)
    }

    /// Whether `state` is on; false if there is no such state.
    pub fn is_on(&self, state: &str) -> bool {
        let series = self.series.borrow();
        // Relaxed: it is one word.
        bit(series, state).is_ok_and(|bit| series.tuple.bits().load(Ordering::Relaxed) & bit != 0)
    }

    /// All states now.
    pub fn point(&self) -> StateSetPoint {
        self.read(Reading::Look)
    }

    /// Switches all states off and returns how they were.
    pub fn reset(&self) -> StateSetPoint {
        self.read(Reading::Take)
    }

    fn read(&self, reading: Reading) -> StateSetPoint {
        let series = self.series.borrow();
        let mut on = Vec::new();
        series.shared.ledger().states(series, &mut on, reading);
        StateSetPoint { states: series.shared.metadata.states().clone(), on }
    }

    pub(crate) fn enter_at(series: SeriesRef<'_>, state: &str) {
        enter(series, state).unwrap_or_else(|reason| series.shared.health.reject(&reason));
    }

    pub(crate) fn set_at(series: SeriesRef<'_>, state: &str, on: bool) {
        set(series, state, on).unwrap_or_else(|reason| series.shared.health.reject(&reason));
    }
}

fn enter(series: SeriesRef<'_>, state: &str) -> Result<(), ValueError> {
    let bit = bit(series, state)?;
    if !series.tuple.slot().is_nowhere() {
        // Relaxed: it is one word.
        series.tuple.bits().store(bit, Ordering::Relaxed);
        series.tuple.mark_written();
    }
    Ok(())
}

fn set(series: SeriesRef<'_>, state: &str, on: bool) -> Result<(), ValueError> {
    let bit = bit(series, state)?;
    if !series.tuple.slot().is_nowhere() {
        let states = series.tuple.bits();
        match on {
            // Relaxed: it is one word.
            true => states.fetch_or(bit, Ordering::Relaxed),
            // Relaxed: as above.
            false => states.fetch_and(!bit, Ordering::Relaxed),
        };
        series.tuple.mark_written();
    }
    Ok(())
}

/// The bit of a state.
fn bit(series: SeriesRef<'_>, state: &str) -> Result<u64, ValueError> {
    let metadata = &series.shared.metadata;
    let position = metadata.states().iter().position(|own| **own == *state);
    position
        .map(|position| 1 << position)
        .ok_or_else(|| ValueError::UnknownState { family: metadata.name().raw().to_owned(), state: state.to_owned() })
}
