//! The options that some fields alone have: a trait for each, so that the compiler can say whose they are.

use std::time::Duration;

use super::{Declaration, MetricField};
use crate::{
    family::{Family, LabelSet, LabelValue, TypedFamily},
    instrument::{
        Counter, ExemplarLabels, FloatCounter, Gauge, GaugeHistogram, Histogram, Info, Instrument, StateSet, Summary,
        TakesExemplars, Unknown, UpDownGauge,
    },
    model::{DeclareError, NativeOptions},
};

/// What has `labels` that are named.
#[diagnostic::on_unimplemented(
    message = "`labels` belongs to a `Family`",
    label = "`{Self}` is none: an instrument has no labels, and a `TypedFamily` has those of its type"
)]
pub trait HasLabels: MetricField {
    /// See [`Declaration::labels`].
    fn labels(declaration: Declaration<Self::Instrument>, keys: &[&str]) -> Declaration<Self::Instrument> {
        declaration.labels(keys.iter().copied())
    }
}

impl<I: Instrument> HasLabels for Family<I> {}

/// What has any number of series.
#[diagnostic::on_unimplemented(
    message = "`max_series` and `expire_after` belong to a `Family` or a `TypedFamily`",
    label = "`{Self}` is one series, which stays"
)]
pub trait HasSeries: MetricField {
    /// See [`Declaration::max_series`].
    fn max_series(declaration: Declaration<Self::Instrument>, max_series: usize) -> Declaration<Self::Instrument> {
        declaration.max_series(max_series)
    }

    /// See [`Declaration::expire_after`].
    fn expire_after(declaration: Declaration<Self::Instrument>, idle: Duration) -> Declaration<Self::Instrument> {
        declaration.expire_after(idle)
    }
}

impl<I: Instrument> HasSeries for Family<I> {}
impl<I: Instrument, L: LabelSet> HasSeries for TypedFamily<I, L> {}

/// What has a `unit`.
#[diagnostic::on_unimplemented(
    message = "an info and a stateset have no `unit`",
    label = "not of `{Self}`, which is no number of anything"
)]
pub trait HasUnit: Instrument {
    /// See [`Declaration::unit`].
    fn unit(declaration: Declaration<Self>, unit: &str) -> Declaration<Self> {
        declaration.unit(unit)
    }
}

impl HasUnit for Counter {}
impl HasUnit for FloatCounter {}
impl HasUnit for Gauge {}
impl HasUnit for UpDownGauge {}
impl HasUnit for Histogram {}
impl HasUnit for Summary {}
impl HasUnit for Unknown {}
impl HasUnit for GaugeHistogram {}

/// What has `buckets`.
#[diagnostic::on_unimplemented(
    message = "`buckets` belongs to a histogram or a gauge histogram",
    label = "`{Self}` is neither"
)]
pub trait HasBuckets: Instrument {
    /// See [`Declaration::buckets`].
    fn buckets(declaration: Declaration<Self>, thresholds: impl IntoIterator<Item = f64>) -> Declaration<Self> {
        declaration.thresholds(thresholds.into_iter().collect())
    }
}

impl HasBuckets for Histogram {}
impl HasBuckets for GaugeHistogram {}

/// What can be `native`.
#[diagnostic::on_unimplemented(message = "`native` belongs to a histogram", label = "`{Self}` is none")]
pub trait HasNative: Instrument {
    /// See [`Declaration::native`].
    fn native(declaration: Declaration<Self>, options: NativeOptions) -> Declaration<Self>;
}

impl HasNative for Histogram {
    fn native(declaration: Declaration<Self>, options: NativeOptions) -> Declaration<Self> {
        declaration.native(options)
    }
}

/// What has `exemplars`.
#[diagnostic::on_unimplemented(
    message = "`exemplars` belongs to a counter or a histogram",
    label = "`{Self}` is neither"
)]
pub trait HasExemplars: TakesExemplars {
    /// See [`Declaration::exemplars`].
    fn exemplars(
        declaration: Declaration<Self>,
        source: impl ExemplarLabels + Send + Sync + 'static,
    ) -> Declaration<Self> {
        declaration.exemplars(source)
    }
}

impl HasExemplars for Counter {}
impl HasExemplars for FloatCounter {}
impl HasExemplars for Histogram {}

/// What has `quantiles`.
#[diagnostic::on_unimplemented(message = "`quantiles` and `interval` belong to a summary", label = "`{Self}` is none")]
pub trait HasQuantiles: Instrument {
    /// See [`Declaration::quantiles`].
    fn quantiles(declaration: Declaration<Self>, quantiles: impl IntoIterator<Item = f64>) -> Declaration<Self>;

    /// See [`Declaration::interval`].
    fn interval(declaration: Declaration<Self>, interval: Duration) -> Declaration<Self>;
}

impl HasQuantiles for Summary {
    fn quantiles(declaration: Declaration<Self>, quantiles: impl IntoIterator<Item = f64>) -> Declaration<Self> {
        declaration.quantiles(quantiles)
    }

    fn interval(declaration: Declaration<Self>, interval: Duration) -> Declaration<Self> {
        declaration.interval(interval)
    }
}

/// What has `states`.
#[diagnostic::on_unimplemented(message = "`states` belongs to a stateset", label = "`{Self}` is none")]
pub trait HasStates: Instrument {
    /// See [`Declaration::states`].
    fn states(declaration: Declaration<Self>, states: impl IntoIterator<Item = impl Into<String>>)
    -> Declaration<Self>;
}

impl HasStates for StateSet {
    fn states(
        declaration: Declaration<Self>,
        states: impl IntoIterator<Item = impl Into<String>>,
    ) -> Declaration<Self> {
        declaration.states(states)
    }
}

/// What is `text`.
#[diagnostic::on_unimplemented(
    message = "`text` belongs to an info",
    label = "`{Self}` is none; a `Family` of infos takes `labels`, and is given text by `with_labels`"
)]
pub trait HasText: MetricField {
    /// See [`Declaration::text`].
    ///
    /// # Errors
    /// Those of [`Declaration::declare`].
    fn text<K: Into<String>, V: LabelValue>(
        declaration: Declaration<Self::Instrument>,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, DeclareError>;
}

impl HasText for Info {
    fn text<K: Into<String>, V: LabelValue>(
        declaration: Declaration<Info>,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, DeclareError> {
        declaration.text(pairs)
    }
}
