//! Every instrument with one face, and what a plain model says of it.

use std::{collections::BTreeMap, fmt};

use manometer::{
    Counter, Declaration, DeclareError, Family, FloatCounter, Gauge, GaugeHistogram, Histogram, Instrument, LabelError,
    MetricFamily, MetricPoint, Registry, StateSet, Summary, UpDownGauge, View, model::Number,
};

/// What a series holds, as its model counts it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Whole(i64),
    Float(f64),
    /// Cumulative buckets, the last one for everything, and the sum.
    Observed(Vec<u64>, f64),
}

/// The values of series, by their labels.
pub type Held = BTreeMap<Vec<String>, Value>;

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
    GaugeHistogram,
    StateSet,
}

impl Kind {
    /// Those whose values add up: all but the stateset.
    pub const ADDING: [Self; 8] = [
        Self::Counter,
        Self::FloatCounter,
        Self::Gauge,
        Self::UpDown,
        Self::Narrow,
        Self::Wide,
        Self::Summary,
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
        self == other || is_histogram(self) && is_histogram(other)
    }

    /// What a new series holds.
    pub fn zero(self) -> Value {
        match self {
            Self::Counter | Self::UpDown | Self::StateSet => Value::Whole(0),
            Self::FloatCounter | Self::Gauge => Value::Float(0.0),
            Self::Narrow | Self::Wide | Self::Summary | Self::GaugeHistogram => {
                Value::Observed(vec![0; self.thresholds().len() + 1], 0.0)
            }
        }
    }

    /// Records as [`AnyHandle::record`] does.
    pub fn record(self, value: &mut Value, amount: u8, times: u8) {
        match value {
            Value::Whole(states) if self == Self::StateSet => *states = 1 << place(amount),
            Value::Whole(total) if self == Self::UpDown => *total += step(amount),
            Value::Whole(total) => *total += i64::from(amount),
            Value::Float(value) if self == Self::Gauge => *value += step(amount) as f64,
            Value::Float(value) => *value += quarters(amount),
            Value::Observed(cumulative, sum) => {
                let times = if self == Self::Summary { 1 } else { times };
                let value = quarters(amount);
                *sum += value * f64::from(times);
                let bounds = self.thresholds().into_iter().chain([f64::INFINITY]);
                let reached = cumulative.iter_mut().zip(bounds).filter(|(_, bound)| value <= *bound);
                reached.for_each(|(count, _)| *count += u64::from(times));
            }
        }
    }

    /// Sets as [`AnyHandle::set`] does.
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

    /// Declares or replaces.
    pub fn declare(self, registry: &Registry, name: &str, keys: &[&str]) -> Result<Box<dyn AnyFamily>, DeclareError> {
        fn done<I: Subject>(declaration: Declaration<I>, keys: &[&str]) -> Result<Box<dyn AnyFamily>, DeclareError> {
            Ok(Box::new(declaration.labels(keys.iter().copied()).help("a \"line\"\nand \\").declare()?))
        }
        match self {
            Self::Counter => done(registry.counter(name), keys),
            Self::FloatCounter => done(registry.float_counter(name), keys),
            Self::Gauge => done(registry.gauge(name), keys),
            Self::UpDown => done(registry.up_down_gauge(name), keys),
            Self::Narrow | Self::Wide => done(registry.histogram(name).buckets(self.thresholds()), keys),
            Self::Summary => done(registry.summary(name), keys),
            Self::GaugeHistogram => done(registry.gauge_histogram(name).buckets(self.thresholds()), keys),
            Self::StateSet => done(registry.state_set(name).states(STATES), keys),
        }
    }

    /// Declares in place of whatever has the name.
    pub fn replace(self, registry: &Registry, name: &str, keys: &[&str]) -> (Box<dyn AnyFamily>, Option<MetricFamily>) {
        fn done<I: Subject>(declaration: Declaration<I>, keys: &[&str]) -> (Box<dyn AnyFamily>, Option<MetricFamily>) {
            let (family, old) = declaration.labels(keys.iter().copied()).replace().expect("a good declaration");
            (Box::new(family), old)
        }
        match self {
            Self::Counter => done(registry.counter(name), keys),
            Self::FloatCounter => done(registry.float_counter(name), keys),
            Self::Gauge => done(registry.gauge(name), keys),
            Self::UpDown => done(registry.up_down_gauge(name), keys),
            Self::Narrow | Self::Wide => done(registry.histogram(name).buckets(self.thresholds()), keys),
            Self::Summary => done(registry.summary(name), keys),
            Self::GaugeHistogram => done(registry.gauge_histogram(name).buckets(self.thresholds()), keys),
            Self::StateSet => done(registry.state_set(name).states(STATES), keys),
        }
    }
}

fn quarters(amount: u8) -> f64 {
    f64::from(amount) * 0.25
}

const STATES: [&str; 3] = ["up", "\"down\"", "ÿ"];

/// Which state an amount means, and whether setting makes it that.
fn place(amount: u8) -> usize {
    usize::from(amount) % STATES.len()
}

fn is_on(amount: u8) -> bool {
    amount >= 100
}

/// A step of either sign.
fn step(amount: u8) -> i64 {
    i64::from(amount) - 100
}

/// The value of a point, whose count, last bucket and sum are those of the same observations.
pub fn value(point: &MetricPoint) -> Value {
    match point {
        MetricPoint::Counter(point) => number(point.total),
        MetricPoint::Gauge(value) => number(*value),
        MetricPoint::Histogram(point) => Value::Observed(point.cumulative.clone(), point.sum),
        MetricPoint::GaugeHistogram(point) => Value::Observed(point.cumulative.clone(), point.sum),
        MetricPoint::StateSet(point) => {
            Value::Whole(point.on.iter().enumerate().map(|(place, on)| i64::from(*on) << place).sum())
        }
        MetricPoint::Summary(point) => Value::Observed(vec![point.count], point.sum),
        other => panic!("{other:?} is of no instrument"),
    }
}

fn number(number: Number) -> Value {
    match number {
        Number::Unsigned(total) => Value::Whole(total.try_into().expect("small")),
        Number::Signed(level) => Value::Whole(level),
        Number::Float(value) => Value::Float(value),
    }
}

/// What a family of plain data holds.
pub fn held(family: &MetricFamily) -> Held {
    let labels = |metric: &manometer::model::Metric<'_>| metric.labels().map(|(_, value)| value.to_owned()).collect();
    family.metrics().map(|metric| (labels(&metric), value(&metric.point()))).collect()
}

/// A handle of any instrument.
pub trait AnyHandle: Send {
    fn record(&self, amount: u8, times: u8);
    fn set(&self, amount: u8);
    fn reset(&self) -> Value;
    fn value(&self) -> Value;
    fn is_live(&self) -> bool;
}

/// A family of any instrument. A prefix is the value of its first key.
pub trait AnyFamily: fmt::Debug + Send + Sync {
    fn record(&self, labels: &[&str], amount: u8) -> Result<(), LabelError>;
    fn handle(&self, labels: &[&str]) -> Box<dyn AnyHandle>;
    fn find(&self, labels: &[&str]) -> Option<Value>;
    fn remove(&self, labels: &[&str]) -> Option<Value>;
    fn remove_all(&self, prefix: Option<&str>) -> Held;
    fn clear(&self, prefix: Option<&str>) -> Held;
    fn listed(&self) -> Vec<Vec<String>>;
    /// Publishes sums of quarters, if this is a family of gauges.
    fn accumulate(&self, prefix: Option<&str>, sums: &[(Vec<&str>, u8)]) -> bool;
}

/// What an instrument has of its own.
pub trait Subject: Instrument {
    fn record(&self, amount: u8, times: u8);
    fn record_by(view: &View<Self>, labels: &[&str], amount: u8) -> Result<(), LabelError>;
    fn set(&self, _amount: u8) {}
    fn reset(&self) -> Value;
    fn value(&self) -> Value;
    fn live(&self) -> bool;
    fn accumulate(_view: &View<Self>, _sums: &[(Vec<&str>, u8)]) -> bool {
        false
    }
}

macro_rules! subject {
    ($name:ident, $this:ident, $amount:ident, $times:ident, $record:expr, $reset:expr, $value:expr,
     |$view:ident, $labels:ident| $by:expr, {$($more:tt)*}) => {
        impl Subject for $name {
            fn record(&self, $amount: u8, $times: u8) {
                let $this = self;
                $record
            }
            fn record_by($view: &View<Self>, $labels: &[&str], $amount: u8) -> Result<(), LabelError> {
                $by
            }
            fn reset(&self) -> Value {
                let $this = self;
                $reset
            }
            fn value(&self) -> Value {
                let $this = self;
                $value
            }
            fn live(&self) -> bool {
                self.is_live()
            }
            $($more)*
        }
    };
}

subject!(
    Counter,
    this,
    amount,
    _times,
    this.add(amount.into()),
    Value::Whole(this.reset() as i64),
    Value::Whole(this.value() as i64),
    |view, labels| view.add(labels, amount.into()),
    {
        fn set(&self, amount: u8) {
            Counter::set(self, amount.into());
        }
    }
);
subject!(
    FloatCounter,
    this,
    amount,
    _times,
    this.add(quarters(amount)),
    Value::Float(this.reset()),
    Value::Float(this.value()),
    |view, labels| view.add(labels, quarters(amount)),
    {
        fn set(&self, amount: u8) {
            FloatCounter::set(self, quarters(amount));
        }
    }
);
subject!(
    Gauge,
    this,
    amount,
    _times,
    this.add(step(amount) as f64),
    Value::Float(this.reset()),
    Value::Float(this.value()),
    |view, labels| view.add(labels, step(amount) as f64),
    {
        fn set(&self, amount: u8) {
            Gauge::set(self, quarters(amount));
        }
        fn accumulate(view: &View<Self>, sums: &[(Vec<&str>, u8)]) -> bool {
            let add = |tally: &mut manometer::Tally<'_>| {
                sums.iter().try_for_each(|(labels, amount)| tally.add(&labels[..], quarters(*amount)))
            };
            view.accumulate(add).is_ok()
        }
    }
);
subject!(
    UpDownGauge,
    this,
    amount,
    _times,
    this.add(step(amount)),
    Value::Whole(this.reset()),
    Value::Whole(this.value()),
    |view, labels| view.add(labels, step(amount)),
    {}
);
subject!(
    Histogram,
    this,
    amount,
    times,
    this.observe_many(quarters(amount), times.into()),
    value(&MetricPoint::Histogram(this.reset())),
    value(&MetricPoint::Histogram(this.point())),
    |view, labels| view.observe(labels, quarters(amount)),
    {}
);
subject!(
    Summary,
    this,
    amount,
    _times,
    this.observe(quarters(amount)),
    value(&MetricPoint::Summary(this.reset())),
    value(&MetricPoint::Summary(this.point())),
    |view, labels| view.observe(labels, quarters(amount)),
    {}
);

subject!(
    GaugeHistogram,
    this,
    amount,
    times,
    (0..times).for_each(|_| this.inc(quarters(amount))),
    value(&MetricPoint::GaugeHistogram(this.reset())),
    value(&MetricPoint::GaugeHistogram(this.point())),
    |view, labels| view.inc(labels, quarters(amount)),
    {
        fn set(&self, amount: u8) {
            self.inc(quarters(amount));
            self.dec(quarters(amount));
        }
    }
);
subject!(
    StateSet,
    this,
    amount,
    _times,
    this.enter(STATES[place(amount)]),
    value(&MetricPoint::StateSet(this.reset())),
    value(&MetricPoint::StateSet(this.point())),
    |view, labels| view.enter(labels, STATES[place(amount)]),
    {
        fn set(&self, amount: u8) {
            StateSet::set(self, STATES[place(amount)], is_on(amount));
        }
    }
);

impl<I: Subject> AnyHandle for I {
    fn record(&self, amount: u8, times: u8) {
        Subject::record(self, amount, times);
    }

    fn set(&self, amount: u8) {
        Subject::set(self, amount);
    }

    fn reset(&self) -> Value {
        Subject::reset(self)
    }

    fn value(&self) -> Value {
        Subject::value(self)
    }

    fn is_live(&self) -> bool {
        self.live()
    }
}

impl<I: Subject> AnyFamily for Family<I> {
    fn record(&self, labels: &[&str], amount: u8) -> Result<(), LabelError> {
        I::record_by(self, labels, amount)
    }

    fn handle(&self, labels: &[&str]) -> Box<dyn AnyHandle> {
        Box::new(self.with_labels(labels).expect("a value for each key"))
    }

    fn find(&self, labels: &[&str]) -> Option<Value> {
        View::find(self, labels).expect("a value for each key").map(|series| Subject::value(&series))
    }

    fn remove(&self, labels: &[&str]) -> Option<Value> {
        View::remove(self, labels).expect("a value for each key").map(|point| value(&point))
    }

    fn remove_all(&self, prefix: Option<&str>) -> Held {
        held(&view(self, prefix).remove_all())
    }

    fn clear(&self, prefix: Option<&str>) -> Held {
        held(&view(self, prefix).clear())
    }

    fn listed(&self) -> Vec<Vec<String>> {
        self.metrics().map(|(labels, _)| labels.values().map(str::to_owned).collect()).collect()
    }

    fn accumulate(&self, prefix: Option<&str>, sums: &[(Vec<&str>, u8)]) -> bool {
        I::accumulate(&view(self, prefix), sums)
    }
}

fn view<I: Subject>(family: &Family<I>, prefix: Option<&str>) -> View<I> {
    match prefix {
        None => View::clone(family),
        Some(value) => family.with_partial_label(value).expect("a key is free"),
    }
}
