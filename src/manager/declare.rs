//! What a manager declares: measures and scopes by its namespace, and metrics under the very name that is given.

use super::Manager;
use crate::{
    instrument::{
        Counter, FloatCounter, Gauge, GaugeHistogram, Histogram, Info, Instrument, StateSet, Summary, Unknown,
        UpDownGauge,
    },
    measure::MeasureName,
    registry::Declaration,
    scope::ScopeBuilder,
};

impl Manager {
    /// Begins the declaration of a measure, named `<namespace>_` and `name`; its type comes next.
    pub fn measure(&self, name: &str) -> MeasureName {
        self.handle.root.measure(name)
    }

    /// Begins the description of a scope for a module, whose names begin with `<namespace>_mod_<module>/`.
    pub fn scope(&self, module: &str) -> ScopeBuilder {
        ScopeBuilder::new(&self.handle.books, module)
    }

    /// Begins the declaration of a counter of whole numbers, under this very name; see [`Registry::counter`](crate::Registry::counter).
    pub fn counter(&self, name: &str) -> Declaration<Counter> {
        self.metric(name)
    }

    /// Begins the declaration of a counter of floats, under this very name.
    pub fn float_counter(&self, name: &str) -> Declaration<FloatCounter> {
        self.metric(name)
    }

    /// Begins the declaration of a gauge, under this very name.
    pub fn gauge(&self, name: &str) -> Declaration<Gauge> {
        self.metric(name)
    }

    /// Begins the declaration of a gauge that moves in steps, under this very name.
    pub fn up_down_gauge(&self, name: &str) -> Declaration<UpDownGauge> {
        self.metric(name)
    }

    /// Begins the declaration of a histogram, under this very name; it needs buckets.
    pub fn histogram(&self, name: &str) -> Declaration<Histogram> {
        self.metric(name)
    }

    /// Begins the declaration of a summary, under this very name.
    pub fn summary(&self, name: &str) -> Declaration<Summary> {
        self.metric(name)
    }

    /// Begins the declaration of an info, under this very name: text that does not change, in labels. A name that ends in `_info` means the family
    /// without it.
    pub fn info(&self, name: &str) -> Declaration<Info> {
        self.metric(name)
    }

    /// Begins the declaration of a stateset, under this very name; it needs states.
    pub fn state_set(&self, name: &str) -> Declaration<StateSet> {
        self.metric(name)
    }

    /// Begins the declaration of a metric of which nobody knows what it is, under this very name.
    pub fn unknown(&self, name: &str) -> Declaration<Unknown> {
        self.metric(name)
    }

    /// Begins the declaration of a gauge histogram, under this very name; it needs buckets.
    pub fn gauge_histogram(&self, name: &str) -> Declaration<GaugeHistogram> {
        self.metric(name)
    }

    fn metric<I: Instrument>(&self, name: &str) -> Declaration<I> {
        self.state().registry.declaration(name)
    }
}
