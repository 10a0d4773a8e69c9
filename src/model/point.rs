//! Points: the values of one metric at one time, and the numbers and times in them.

use std::sync::Arc;

/// A wall-clock time in whole milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The time `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub fn millis(self) -> u64 {
        self.0
    }

    /// Seconds since the Unix epoch.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}

/// A value, integer as long as it is one: totals above 2^53 keep their last digits.
///
/// [`Display`](std::fmt::Display) writes what a page shows, and ignores a precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A count.
    Unsigned(u64),
    /// A difference of counts.
    Signed(i64),
    /// Any other value, NaN and infinities included.
    Float(f64),
}

impl Number {
    /// The nearest `f64`.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Unsigned(value) => value as f64,
            Self::Signed(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

/// The values of one metric at one time.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MetricPoint {
    /// Of a counter.
    Counter(CounterPoint),
    /// Of a gauge.
    Gauge(Number),
    /// Of a histogram.
    Histogram(HistogramPoint),
    /// Of a summary.
    Summary(SummaryPoint),
    /// Of an info, which has no value but its labels.
    Info,
    /// Of a stateset.
    StateSet(StateSetPoint),
    /// Of a metric of unknown type.
    Unknown(Number),
    /// Of a gauge histogram.
    GaugeHistogram(GaugeHistogramPoint),
}

/// The point of a counter.
#[derive(Clone, Debug, PartialEq)]
pub struct CounterPoint {
    /// The sum of all increments since `created`.
    pub total: Number,
    /// When the counter was made or last reset.
    pub created: Option<Timestamp>,
}

/// The point of a histogram.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramPoint {
    /// The finite thresholds, ascending; `+Inf` is implied.
    pub thresholds: Arc<[f64]>,
    /// Observations not above each threshold, and last of all those not above `+Inf`.
    pub cumulative: Vec<u64>,
    /// The sum of the observations.
    pub sum: f64,
    /// When the histogram was made or last reset.
    pub created: Option<Timestamp>,
}

impl HistogramPoint {
    /// How many observations there are: the bucket of `+Inf`.
    pub fn count(&self) -> u64 {
        self.cumulative.last().copied().unwrap_or_default()
    }
}

/// The point of a summary.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryPoint {
    /// How many observations there are.
    pub count: u64,
    /// The sum of the observations.
    pub sum: f64,
    /// Pairs of quantile and value, the value NaN as long as there is none.
    pub quantiles: Vec<(f64, f64)>,
    /// When the summary was made or last reset.
    pub created: Option<Timestamp>,
}

/// The point of a stateset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateSetPoint {
    /// The states, in declared order.
    pub states: Arc<[Box<str>]>,
    /// Which of them are on.
    pub on: Vec<bool>,
}

impl StateSetPoint {
    /// The states that are on, in declared order.
    pub fn active(&self) -> impl Iterator<Item = &str> {
        self.states.iter().zip(&self.on).filter(|(_, on)| **on).map(|(state, _)| &**state)
    }
}

/// The point of a gauge histogram: what there is now.
#[derive(Clone, Debug, PartialEq)]
pub struct GaugeHistogramPoint {
    /// The finite thresholds, ascending; `+Inf` is implied.
    pub thresholds: Arc<[f64]>,
    /// How many are not above each threshold, and last of all those not above `+Inf`.
    pub cumulative: Vec<u64>,
    /// The sum of their values.
    pub sum: f64,
}

impl GaugeHistogramPoint {
    /// How many there are: the bucket of `+Inf`.
    pub fn count(&self) -> u64 {
        self.cumulative.last().copied().unwrap_or_default()
    }
}
