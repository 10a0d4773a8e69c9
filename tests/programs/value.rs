//! What a series holds, as the engine says it and as a model counts it.

use std::collections::BTreeMap;

use manometer::{MetricFamily, MetricPoint, model::Metric, model::Number};

/// What a series holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Whole(i64),
    Float(f64),
    /// Cumulative buckets, the last one for everything, the sum, and the quantiles of the window that ended last.
    Observed(Vec<u64>, f64, Quantiles),
}

/// The values of series, by their labels.
pub type Held = BTreeMap<Vec<String>, Value>;

/// The last exemplar of each bucket: what was observed, and the value of its label.
pub type Exemplars = BTreeMap<usize, (f64, String)>;

/// The values of [`RANKS`](Self::RANKS) in one window, or of none; NaN if it had no observations.
///
/// Two are equal if their ends are and the others differ by one per cent at most.
#[derive(Clone, Debug, Default)]
pub struct Quantiles(pub Vec<f64>);

impl Quantiles {
    pub const RANKS: [f64; 5] = [0.0, 0.25, 0.5, 0.9, 1.0];

    /// Those of `window`, by their definition.
    pub fn of(window: &[f64]) -> Self {
        let mut sorted = window.to_vec();
        sorted.sort_by(f64::total_cmp);
        let place = |rank: f64| ((rank * sorted.len() as f64).ceil() as usize).max(1) - 1;
        Self(Self::RANKS.iter().map(|rank| sorted.get(place(*rank)).copied().unwrap_or(f64::NAN)).collect())
    }
}

impl PartialEq for Quantiles {
    fn eq(&self, other: &Self) -> bool {
        let ends = [0, self.0.len().saturating_sub(1)];
        let is_same = |(place, (own, other)): (usize, (&f64, &f64))| {
            let allowed = if ends.contains(&place) { 0.0 } else { 0.01 * own.min(*other) };
            own.is_nan() && other.is_nan() || (own - other).abs() <= allowed
        };
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).enumerate().all(is_same)
    }
}

/// The value of a point, whose count, last bucket and sum are those of the same observations.
pub fn value(point: &MetricPoint) -> Value {
    match point {
        MetricPoint::Counter(point) => number(point.total),
        MetricPoint::Gauge(value) => number(*value),
        MetricPoint::Histogram(point) => Value::Observed(point.cumulative.clone(), point.sum, Quantiles::default()),
        MetricPoint::GaugeHistogram(point) => {
            Value::Observed(point.cumulative.clone(), point.sum, Quantiles::default())
        }
        MetricPoint::StateSet(point) => {
            Value::Whole(point.on.iter().enumerate().map(|(place, on)| i64::from(*on) << place).sum())
        }
        MetricPoint::Summary(point) => {
            let quantiles = point.quantiles.iter().map(|(_, value)| *value).collect();
            Value::Observed(vec![point.count], point.sum, Quantiles(quantiles))
        }
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

fn labels(metric: &Metric<'_>) -> Vec<String> {
    metric.labels().map(|(_, value)| value.to_owned()).collect()
}

/// What a family of plain data holds.
pub fn held(family: &MetricFamily) -> Held {
    family.metrics().map(|metric| (labels(&metric), value(&metric.point()))).collect()
}

/// The exemplars of a family of plain data, by labels; each has one label.
pub fn exemplars(family: &MetricFamily) -> BTreeMap<Vec<String>, Exemplars> {
    let own = |metric: &Metric<'_>| {
        let label = |labels: Vec<(&str, &str)>| labels[0].1.to_owned();
        let last = metric.exemplars().map(|(bucket, last)| (bucket, (last.value(), label(last.labels().collect()))));
        last.collect::<Exemplars>()
    };
    family.metrics().map(|metric| (labels(&metric), own(&metric))).filter(|(_, own)| !own.is_empty()).collect()
}
