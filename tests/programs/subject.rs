//! Every instrument with one face.

use std::{fmt, sync::Arc};

use manometer::{
    Counter, Family, FloatCounter, Gauge, GaugeHistogram, Histogram, Instrument, LabelError, MetricPoint, StateSet,
    Summary, UpDownGauge, View, model::Exemplar,
};

use super::{
    kind::{STATES, is_on, place, quarters, step},
    value::{Held, Value, held, value},
};

/// A handle of any instrument.
pub trait AnyHandle: Send {
    fn record(&self, amount: u8, times: u8);
    /// Records once, with an exemplar if this has any.
    fn record_with(&self, amount: u8, labels: &[(&str, &str)]);
    /// What was observed, and the value of the one label, of the exemplar in a bucket.
    fn exemplar(&self, bucket: usize) -> Option<(f64, String)>;
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
    /// What is exposed. Unlike listing, this asks for no handle.
    fn exposed(&self) -> Held;
    /// Publishes sums of quarters, if this is a family of gauges.
    fn accumulate(&self, prefix: Option<&str>, sums: &[(Vec<&str>, u8)]) -> bool;
}

/// What an instrument has of its own.
pub trait Subject: Instrument {
    fn record(&self, amount: u8, times: u8);
    fn record_by(view: &View<Self>, labels: &[&str], amount: u8) -> Result<(), LabelError>;
    fn record_with(&self, amount: u8, _labels: &[(&str, &str)]) {
        Subject::record(self, amount, 1);
    }
    fn exemplar(&self, _bucket: usize) -> Option<Arc<Exemplar>> {
        None
    }
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
        fn record_with(&self, amount: u8, labels: &[(&str, &str)]) {
            self.add_with_exemplar(amount.into(), labels);
        }
        fn exemplar(&self, bucket: usize) -> Option<Arc<Exemplar>> {
            Counter::exemplar(self).filter(|_| bucket == 0)
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
        fn record_with(&self, amount: u8, labels: &[(&str, &str)]) {
            self.add_with_exemplar(quarters(amount), labels);
        }
        fn exemplar(&self, bucket: usize) -> Option<Arc<Exemplar>> {
            FloatCounter::exemplar(self).filter(|_| bucket == 0)
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
    {
        fn record_with(&self, amount: u8, labels: &[(&str, &str)]) {
            self.observe_with_exemplar(quarters(amount), labels);
        }
        fn exemplar(&self, bucket: usize) -> Option<Arc<Exemplar>> {
            Histogram::exemplar(self, bucket)
        }
    }
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

    fn record_with(&self, amount: u8, labels: &[(&str, &str)]) {
        Subject::record_with(self, amount, labels);
    }

    fn exemplar(&self, bucket: usize) -> Option<(f64, String)> {
        let label = |exemplar: &Exemplar| exemplar.labels().map(|(_, value)| value.to_owned()).next();
        Subject::exemplar(self, bucket).map(|exemplar| (exemplar.value(), label(&exemplar).unwrap_or_default()))
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

    fn exposed(&self) -> Held {
        held(&self.collect())
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
