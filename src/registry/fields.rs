//! Structs of metrics: what `#[derive(Metrics)]` needs to declare one family for each field.

mod options;

use super::{Declaration, Registry};
use crate::{
    family::{Family, LabelSet, TypedFamily},
    instrument::{
        Counter, FloatCounter, Gauge, GaugeHistogram, Histogram, Info, Instrument, Kind, StateSet, Summary, Unknown,
        UpDownGauge,
    },
    model::DeclareError,
};

pub use options::{
    HasBuckets, HasExemplars, HasLabels, HasNative, HasQuantiles, HasSeries, HasStates, HasText, HasUnit,
};

/// A struct whose fields are metrics; made by `#[derive(Metrics)]`.
pub trait Metrics: Sized {
    /// Declares a family for each field.
    ///
    /// # Errors
    /// Those of [`Declaration::declare`], for the first field that is refused. Families of the fields before it stand.
    fn declare(registry: &Registry) -> Result<Self, DeclareError>;
}

/// What can be a field of a [`Metrics`] struct: an instrument, a [`Family`], or a [`TypedFamily`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no metric",
    label = "a field is an instrument, a `Family` or a `TypedFamily`"
)]
pub trait MetricField: Sized {
    /// The instrument of its series.
    type Instrument: Instrument;
    /// Whether it has label keys that a declaration must name.
    const NAMES_LABELS: bool;
    /// The label keys that its type has.
    const KEYS: &'static [&'static str];

    /// Declares it.
    ///
    /// # Errors
    /// Those of [`Declaration::declare`].
    fn declare_field(declaration: Declaration<Self::Instrument>) -> Result<Self, DeclareError>;
}

/// An instrument alone: a family without label keys. One by one, so that the compiler speaks of fields and not of instruments.
macro_rules! instruments {
    ($($instrument:ident),+) => {$(
        impl MetricField for $instrument {
            type Instrument = Self;
            const NAMES_LABELS: bool = false;
            const KEYS: &'static [&'static str] = &[];

            fn declare_field(declaration: Declaration<Self>) -> Result<Self, DeclareError> {
                declaration.single()
            }
        }
    )+};
}

instruments!(Counter, FloatCounter, Gauge, UpDownGauge, Histogram, Summary, Info, StateSet, Unknown, GaugeHistogram);

impl<I: Instrument> MetricField for Family<I> {
    type Instrument = I;
    const NAMES_LABELS: bool = true;
    const KEYS: &'static [&'static str] = &[];

    fn declare_field(declaration: Declaration<I>) -> Result<Self, DeclareError> {
        declaration.declare()
    }
}

impl<I: Instrument, L: LabelSet> MetricField for TypedFamily<I, L> {
    type Instrument = I;
    const NAMES_LABELS: bool = false;
    const KEYS: &'static [&'static str] = L::KEYS;

    fn declare_field(declaration: Declaration<I>) -> Result<Self, DeclareError> {
        declaration.typed()
    }
}

/// Begins the declaration of a field.
pub fn declaration<F: MetricField>(registry: &Registry, name: &str, help: &str) -> Declaration<F::Instrument> {
    registry.declaration(name).help(help)
}

/// Stops the compiler where a field lacks an option that its type cannot do without.
pub const fn check_field<F: MetricField>(has_labels: bool, has_buckets: bool, has_states: bool) {
    assert!(has_labels || !F::NAMES_LABELS, "a `Family` needs `labels`");
    match F::Instrument::KIND {
        Kind::Histogram => assert!(has_buckets, "a histogram needs `buckets`, or to be `native`"),
        Kind::GaugeHistogram => assert!(has_buckets, "a gauge histogram needs `buckets`"),
        Kind::StateSet => assert!(has_states, "a stateset needs `states`"),
        _ => {}
    }
    let mut at = 0;
    while at < F::KEYS.len() {
        check_key::<F>(F::KEYS[at]);
        at += 1;
    }
}

/// Stops the compiler where a label key is one that the samples of the type have themselves.
pub const fn check_key<F: MetricField>(key: &str) {
    match (F::Instrument::KIND, key.as_bytes()) {
        (Kind::Histogram | Kind::GaugeHistogram, b"le") => panic!("`le` is the label of the buckets"),
        (Kind::Summary, b"quantile") => panic!("`quantile` is the label of the quantiles"),
        _ => {}
    }
}
