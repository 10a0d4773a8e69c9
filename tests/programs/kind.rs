//! What a family can be of: how it is declared, and what a plain model says of a value of that kind.

use std::{sync::Arc, time::Duration};

use manometer::{Declaration, DeclareError, MetricFamily, Registry};

use super::{
    subject::{AnyFamily, Subject},
    value::{Quantiles, Value},
};

/// What a family is of. A wide histogram has another cell than a narrow one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    FloatCounter,
    Gauge,
    UpDown,
    Narrow,
    Wide,
    Summary,
    Quantiles,
    GaugeHistogram,
    StateSet,
}

/// How long the windows of quantiles are.
pub const WINDOW: Duration = Duration::from_millis(4);

/// After how long an idle series goes, in a family whose series do.
pub const IDLE: Duration = Duration::from_secs(2);

/// What the states of a stateset are called.
pub const STATES: [&str; 3] = ["up", "\"down\"", "ÿ"];

impl Kind {
    /// Those whose values add up: all but the stateset.
    pub const ADDING: [Self; 9] = [
        Self::Counter,
        Self::FloatCounter,
        Self::Gauge,
        Self::UpDown,
        Self::Narrow,
        Self::Wide,
        Self::Summary,
        Self::Quantiles,
        Self::GaugeHistogram,
    ];

    /// The thresholds of the histograms of this kind.
    pub fn thresholds(self) -> Vec<f64> {
        match self {
            Self::Narrow | Self::GaugeHistogram => vec![0.5, 8.0, 32.0],
            Self::Wide => (0..100).map(|step| f64::from(step) * 0.5).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether a declaration of `other` means a family of this.
    pub fn is_declared_by(self, other: Self) -> bool {
        let is_histogram = |kind| matches!(kind, Self::Narrow | Self::Wide);
        let is_summary = |kind| matches!(kind, Self::Summary | Self::Quantiles);
        self == other || is_histogram(self) && is_histogram(other) || is_summary(self) && is_summary(other)
    }

    /// Whether writing the value that is there is writing all the same.
    pub fn notes_every_write(self) -> bool {
        matches!(self, Self::Gauge | Self::StateSet)
    }

    /// What a new series holds.
    pub fn zero(self) -> Value {
        match self {
            Self::Counter | Self::UpDown | Self::StateSet => Value::Whole(0),
            Self::FloatCounter | Self::Gauge => Value::Float(0.0),
            Self::Narrow | Self::Wide | Self::Summary | Self::Quantiles | Self::GaugeHistogram => {
                let quantiles = if self == Self::Quantiles { Quantiles::of(&[]) } else { Quantiles::default() };
                Value::Observed(vec![0; self.thresholds().len() + 1], 0.0, quantiles)
            }
        }
    }

    /// Records as [`AnyHandle::record`](super::subject::AnyHandle::record) does.
    pub fn record(self, value: &mut Value, amount: u8, times: u8) {
        match value {
            Value::Whole(states) if self == Self::StateSet => *states = 1 << place(amount),
            Value::Whole(total) if self == Self::UpDown => *total += step(amount),
            Value::Whole(total) => *total += i64::from(amount),
            Value::Float(value) if self == Self::Gauge => *value += step(amount) as f64,
            Value::Float(value) => *value += quarters(amount),
            Value::Observed(cumulative, sum, _) => {
                let times = if matches!(self, Self::Summary | Self::Quantiles) { 1 } else { times };
                let value = quarters(amount);
                *sum += value * f64::from(times);
                let bounds = self.thresholds().into_iter().chain([f64::INFINITY]);
                let reached = cumulative.iter_mut().zip(bounds).filter(|(_, bound)| value <= *bound);
                reached.for_each(|(count, _)| *count += u64::from(times));
            }
        }
    }

    /// Sets as [`AnyHandle::set`](super::subject::AnyHandle::set) does.
    pub fn set(self, value: &mut Value, amount: u8) {
        match (self, value) {
            (Self::Counter, Value::Whole(total)) => *total = amount.into(),
            (Self::FloatCounter | Self::Gauge, Value::Float(total)) => *total = quarters(amount),
            (Self::StateSet, Value::Whole(states)) if is_on(amount) => *states |= 1 << place(amount),
            (Self::StateSet, Value::Whole(states)) => *states &= !(1 << place(amount)),
            // What comes and goes leaves nothing.
            _ => {}
        }
    }

    /// The bucket and the value of an exemplar that comes with `amount`; None if this kind has no exemplars.
    pub fn exemplar(self, amount: u8) -> Option<(usize, f64)> {
        let value = quarters(amount);
        match self {
            Self::Counter => Some((0, amount.into())),
            Self::FloatCounter => Some((0, value)),
            Self::Narrow | Self::Wide => Some((self.thresholds().partition_point(|bound| *bound < value), value)),
            _ => None,
        }
    }

    /// Declares a family, whose idle series go if it `expires`.
    pub fn declare(
        self,
        registry: &Registry,
        name: &str,
        keys: &[&str],
        expires: bool,
    ) -> Result<Arc<dyn AnyFamily>, DeclareError> {
        self.begin(registry, name, Declare { keys, expires })
    }

    /// The same in place of whatever has the name.
    pub fn replace(
        self,
        registry: &Registry,
        name: &str,
        keys: &[&str],
        expires: bool,
    ) -> (Arc<dyn AnyFamily>, Option<MetricFamily>) {
        self.begin(registry, name, Replace(Declare { keys, expires }))
    }

    fn begin<E: End>(self, registry: &Registry, name: &str, end: E) -> E::Done {
        match self {
            Self::Counter => end.end(registry.counter(name)),
            Self::FloatCounter => end.end(registry.float_counter(name)),
            Self::Gauge => end.end(registry.gauge(name)),
            Self::UpDown => end.end(registry.up_down_gauge(name)),
            Self::Narrow | Self::Wide => end.end(registry.histogram(name).buckets(self.thresholds())),
            Self::Summary => end.end(registry.summary(name)),
            Self::Quantiles => end.end(registry.summary(name).quantiles(Quantiles::RANKS).interval(WINDOW)),
            Self::GaugeHistogram => end.end(registry.gauge_histogram(name).buckets(self.thresholds())),
            Self::StateSet => end.end(registry.state_set(name).states(STATES)),
        }
    }
}

/// How a declaration that was begun is ended.
trait End {
    type Done;
    fn end<I: Subject>(self, declaration: Declaration<I>) -> Self::Done;
}

struct Declare<'a> {
    keys: &'a [&'a str],
    expires: bool,
}

impl Declare<'_> {
    fn complete<I: Subject>(&self, declaration: Declaration<I>) -> Declaration<I> {
        let declaration = declaration.labels(self.keys.iter().copied()).help("a \"line\"\nand \\");
        if self.expires { declaration.expire_after(IDLE) } else { declaration }
    }
}

impl End for Declare<'_> {
    type Done = Result<Arc<dyn AnyFamily>, DeclareError>;
    fn end<I: Subject>(self, declaration: Declaration<I>) -> Self::Done {
        Ok(Arc::new(self.complete(declaration).declare()?))
    }
}

struct Replace<'a>(Declare<'a>);

impl End for Replace<'_> {
    type Done = (Arc<dyn AnyFamily>, Option<MetricFamily>);
    fn end<I: Subject>(self, declaration: Declaration<I>) -> Self::Done {
        let (family, old) = self.0.complete(declaration).replace().expect("a good declaration");
        (Arc::new(family), old)
    }
}

/// What an amount means to whatever counts in floats.
pub fn quarters(amount: u8) -> f64 {
    f64::from(amount) * 0.25
}

/// Which state an amount means.
pub fn place(amount: u8) -> usize {
    usize::from(amount) % STATES.len()
}

/// Whether setting a state to an amount switches it on.
pub fn is_on(amount: u8) -> bool {
    amount >= 100
}

/// A step of either sign.
pub fn step(amount: u8) -> i64 {
    i64::from(amount) - 100
}
