//! Samples: which lines a metric has, in which order, and when it may have none.

use crate::model::{
    Metadata, Metric, MetricFamily, MetricType, Number, Points, Sink, Timestamp, entries, suffix, write_number,
    write_seconds,
};

/// One line of a page, as text: what follows the family's name, the label that the line adds, and the value.
///
/// `Sample { suffix: "_bucket", extra: Some(("le", "0.1")), value: "7" }`, with owned texts, is a bucket of a histogram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What the sample's name adds to the family's.
    pub suffix: &'static str,
    /// The label that comes after those of the metric, `le`, `quantile` or the name of a stateset, and its text as it is printed.
    pub extra: Option<(String, String)>,
    /// The value.
    pub value: String,
}

/// The samples of one metric in the order of every page but Prosody's, and with its numbers, whether or not a page would leave the
/// metric out.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use manometer::encode::samples;
/// use manometer::model::{FamilyName, LabelTable, Metadata, MetricFamily, MetricType, Points};
///
/// let name = FamilyName::compose("load", "", MetricType::Gauge)?;
/// let metadata = Arc::new(Metadata::new(name, MetricType::Gauge));
/// let points = Points::Gauge { values: vec![0.25] };
/// let family = MetricFamily::new(metadata, Arc::new(LabelTable::unlabelled()), points)?;
///
/// let metric = family.metrics().next().expect("its one metric");
/// assert_eq!(samples(&metric)[0].value, "0.25");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn samples(metric: &Metric<'_>) -> Vec<Sample> {
    let mut samples = Vec::new();
    walk(metric.family(), metric.row(), metric.family().metadata().name().exposed(), &mut samples);
    samples
}

/// Takes the samples of a metric, one after the other.
pub(super) trait Visitor {
    /// Whether it wants a counter's creation time before its total, and not behind it.
    const CREATED_FIRST: bool = false;

    /// Takes a sample: suffix of its name, extra label with its text, value.
    fn sample(&mut self, suffix: &'static str, extra: Option<(&str, &str)>, value: Value);
}

impl Visitor for Vec<Sample> {
    fn sample(&mut self, suffix: &'static str, extra: Option<(&str, &str)>, value: Value) {
        let mut text = String::new();
        value.write(&mut text);
        self.push(Sample {
            suffix,
            extra: extra.map(|(label, text)| (label.to_owned(), text.to_owned())),
            value: text,
        });
    }
}

/// What stands at the end of a line.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    /// A count, a total, a sum or a gauge.
    Number(Number),
    /// A creation time.
    Time(Timestamp),
}

impl Value {
    /// Appends the value as every format shows it.
    #[inline(always)]
    pub(super) fn write(self, out: &mut impl Sink) {
        match self {
            Self::Number(number) => write_number(number, out),
            Self::Time(time) => write_seconds(time, out),
        }
    }
}

/// Hands the samples in `row` to `visitor` in their fixed order (ITR-02), but for what it wants first. `state_label` is that of a stateset.
#[inline]
pub(super) fn walk<V: Visitor>(family: &MetricFamily, row: usize, state_label: &str, visitor: &mut V) {
    let metadata = family.metadata();
    let created_first = V::CREATED_FIRST && metadata.kind() == MetricType::Counter;
    if let (true, Points::Counter { created, .. } | Points::FloatCounter { created, .. }) =
        (created_first, family.points())
    {
        visit_time(created, row, visitor);
    }
    let created = match family.points() {
        Points::Counter { totals, created } => {
            visitor.sample(suffix::TOTAL, None, Value::Number(Number::Unsigned(totals[row])));
            created
        }
        Points::FloatCounter { totals, created } => {
            visitor.sample(suffix::TOTAL, None, Value::Number(Number::Float(totals[row])));
            created
        }
        Points::Info => return visitor.sample(suffix::INFO, None, Value::Number(Number::Unsigned(1))),
        Points::StateSet { on } => {
            for (position, &on) in entries(on, row, metadata.states().len()).iter().enumerate() {
                let state = Some((state_label, metadata.state_text(position)));
                visitor.sample(suffix::NONE, state, Value::Number(Number::Unsigned(on.into())));
            }
            return;
        }
        Points::GaugeHistogram { cumulative, sums } => {
            let buckets = entries(cumulative, row, metadata.buckets());
            walk_buckets(metadata, buckets, visitor);
            visitor.sample(suffix::GAUGE_SUM, None, Value::Number(Number::Float(sums[row])));
            visitor.sample(suffix::GAUGE_COUNT, None, Value::Number(Number::Unsigned(buckets[buckets.len() - 1])));
            return;
        }
        Points::Gauge { values } | Points::Unknown { values } => {
            return visitor.sample(suffix::NONE, None, Value::Number(Number::Float(values[row])));
        }
        Points::UpDown { values } => {
            return visitor.sample(suffix::NONE, None, Value::Number(Number::Signed(values[row])));
        }
        Points::Histogram { cumulative, sums, created } => {
            let buckets = entries(cumulative, row, metadata.buckets());
            walk_buckets(metadata, buckets, visitor);
            if !metadata.has_negative_threshold() {
                visitor.sample(suffix::SUM, None, Value::Number(Number::Float(sums[row])));
                visitor.sample(suffix::COUNT, None, Value::Number(Number::Unsigned(buckets[buckets.len() - 1])));
            }
            created
        }
        Points::Summary { counts, sums, quantiles, created } => {
            for (position, &value) in entries(quantiles, row, metadata.quantiles().len()).iter().enumerate() {
                let quantile = Some(("quantile", metadata.quantile_text(position)));
                visitor.sample(suffix::NONE, quantile, Value::Number(Number::Float(value)));
            }
            visitor.sample(suffix::SUM, None, Value::Number(Number::Float(sums[row])));
            visitor.sample(suffix::COUNT, None, Value::Number(Number::Unsigned(counts[row])));
            created
        }
    };
    if !created_first {
        visit_time(created, row, visitor);
    }
}

#[inline(always)]
fn visit_time(created: &[Timestamp], row: usize, visitor: &mut impl Visitor) {
    if let Some(&time) = created.get(row) {
        visitor.sample(suffix::CREATED, None, Value::Time(time));
    }
}

#[inline]
fn walk_buckets(metadata: &Metadata, buckets: &[u64], visitor: &mut impl Visitor) {
    for (bucket, &count) in buckets.iter().enumerate() {
        let le = Some(("le", metadata.threshold_text(bucket)));
        visitor.sample(suffix::BUCKET, le, Value::Number(Number::Unsigned(count)));
    }
}

/// Whether the formats allow the values in `row`: totals, sums and quantiles not negative, none of them but a quantile
/// NaN, and buckets ascending (ITR-09).
#[inline]
pub(super) fn is_sound(family: &MetricFamily, row: usize) -> bool {
    let metadata = family.metadata();
    match family.points() {
        Points::Counter { .. }
        | Points::Gauge { .. }
        | Points::UpDown { .. }
        | Points::Info
        | Points::StateSet { .. }
        | Points::Unknown { .. } => true,
        Points::GaugeHistogram { cumulative, sums } => {
            entries(cumulative, row, metadata.buckets()).is_sorted()
                && !sums[row].is_nan()
                && (metadata.has_negative_threshold() || sums[row] >= 0.0)
        }
        Points::FloatCounter { totals, .. } => totals[row] >= 0.0,
        Points::Histogram { cumulative, sums, .. } => {
            entries(cumulative, row, metadata.buckets()).is_sorted()
                && (metadata.has_negative_threshold() || sums[row] >= 0.0)
        }
        Points::Summary { sums, quantiles, .. } => {
            let quantiles = entries(quantiles, row, metadata.quantiles().len());
            sums[row] >= 0.0 && quantiles.iter().all(|value| value.is_nan() || *value >= 0.0)
        }
    }
}
