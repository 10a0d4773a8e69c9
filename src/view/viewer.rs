//! An operator who looks again and again, and compares with what was there the last time.

use std::time::Instant;

use super::{Form, Interval, ShowOptions, ViewError, show};
use crate::{
    collect::{Collector, Source},
    model::MetricSet,
    registry::Registry,
    sync::Arc,
};

/// What is shown where nothing is counted.
pub const DISABLED: &str = "Statistics are disabled. To enable them, set \"statistics\" to \"internal\", or \
                                   \"statistics_interval\" to a number of seconds.\n";

/// Shows what a registry or a manager has.
///
/// What it compares with is its own: any number of viewers and scrapers see the same as each of them would alone.
///
/// # Examples
/// ```
/// use manometer::{Registry, view::Viewer};
///
/// let registry = Registry::new();
/// registry.counter("hits").single()?.inc();
/// let mut viewer = Viewer::of(&registry);
/// print!("{}", viewer.details("hits")?);
/// // Later, with the rate since then:
/// print!("{}", viewer.details("hits")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Viewer {
    source: Arc<dyn Source>,
    compat: bool,
    /// What the last details were of, and when.
    last: Option<(Arc<MetricSet>, Instant)>,
}

impl Viewer {
    /// A viewer of what `source` has.
    pub fn new(source: Arc<dyn Source>) -> Self {
        Self { source, compat: false, last: None }
    }

    /// A viewer of one registry.
    pub fn of(registry: &Registry) -> Self {
        Self::new(Arc::new(Collector::new(registry)))
    }

    /// In the form that [`ShowOptions::compat`] says.
    #[must_use]
    pub fn compat(self, compat: bool) -> Self {
        Self { compat, ..self }
    }

    /// The families that match, with their values.
    ///
    /// Collects first; where nothing is counted, the text says so.
    ///
    /// # Errors
    /// As [`Pattern::new`](super::Pattern::new); nothing is collected then.
    pub fn show(&self, pattern: &str) -> Result<String, ViewError> {
        self.draw(pattern, Form::Values)
    }

    /// The same, and what each value is now, and its change over the last interval: that of the last two scheduled collections, or
    /// where there are none, that since the last call of this.
    ///
    /// # Errors
    /// As [`show`](Self::show).
    pub fn details(&mut self, pattern: &str) -> Result<String, ViewError> {
        let mut options = self.options(pattern, Form::Details)?;
        if !self.source.is_enabled() {
            return Ok(DISABLED.to_owned());
        }
        let set = self.source.scrape();
        let now = Instant::now();
        let earlier = self.last.replace((set.clone(), now));
        let own = || {
            let (earlier, then) = earlier?;
            Some(Interval { earlier, later: set.clone(), elapsed: now - then })
        };
        if let Some(interval) = self.source.last_two().map(Interval::from).or_else(own) {
            options = options.over(interval);
        }
        Ok(show(&set, &options))
    }

    /// A graph for each matching histogram: how many observations fell into each bucket.
    ///
    /// # Errors
    /// As [`show`](Self::show).
    pub fn histogram(&self, pattern: &str) -> Result<String, ViewError> {
        self.draw(pattern, Form::Histogram)
    }

    /// A graph for each matching histogram: how many observations were not above each threshold.
    ///
    /// # Errors
    /// As [`show`](Self::show).
    pub fn cfgraph(&self, pattern: &str) -> Result<String, ViewError> {
        self.draw(pattern, Form::Cumulative)
    }

    fn options(&self, pattern: &str, form: Form) -> Result<ShowOptions, ViewError> {
        Ok(ShowOptions::new().matching(pattern)?.form(form).compat(self.compat))
    }

    fn draw(&self, pattern: &str, form: Form) -> Result<String, ViewError> {
        let options = self.options(pattern, form)?;
        match self.source.is_enabled() {
            true => Ok(show(&self.source.scrape(), &options)),
            false => Ok(DISABLED.to_owned()),
        }
    }
}
