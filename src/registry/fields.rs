//! Structs of metrics: what `#[derive(Metrics)]` needs to declare one family for each field.

use super::{Declaration, Registry};
use crate::{
    family::{Family, LabelSet, TypedFamily},
    instrument::{Instrument, Kind},
    model::DeclareError,
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
    /// Whether it has label keys that a declaration must name.
    const NAMES_LABELS: bool;
    /// Whether it is a histogram.
    const HAS_BUCKETS: bool;

    /// Declares it.
    ///
    /// # Errors
    /// Those of [`Declaration::declare`].
    fn declare_field(registry: &Registry, field: FieldOptions<'_>) -> Result<Self, DeclareError>;
}

/// What the attributes of a field say.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FieldOptions<'a> {
    /// Name of the family, without its unit.
    pub name: &'a str,
    /// Unit, or nothing.
    pub unit: &'a str,
    /// What it means, for people.
    pub help: &'a str,
    /// Keys of its labels.
    pub labels: &'a [&'a str],
    /// Thresholds of a histogram; nothing else has any.
    pub buckets: Option<Vec<f64>>,
    /// The most series, if not what the registry says.
    pub max_series: Option<usize>,
}

impl<'a> FieldOptions<'a> {
    /// Options of a field of this name and nothing else.
    pub fn new(name: &'a str) -> Self {
        Self { name, ..Self::default() }
    }

    fn declaration<I: Instrument>(self, registry: &Registry) -> Declaration<I> {
        let mut declaration =
            registry.declaration(self.name).unit(self.unit).help(self.help).labels(self.labels.iter().copied());
        if let Some(max_series) = self.max_series {
            declaration = declaration.max_series(max_series);
        }
        match self.buckets {
            Some(thresholds) if is_histogram::<I>() => declaration.thresholds(thresholds),
            _ => declaration,
        }
    }
}

#[diagnostic::do_not_recommend]
impl<I: Instrument> MetricField for I {
    const NAMES_LABELS: bool = false;
    const HAS_BUCKETS: bool = is_histogram::<I>();

    fn declare_field(registry: &Registry, field: FieldOptions<'_>) -> Result<Self, DeclareError> {
        field.declaration(registry).single()
    }
}

impl<I: Instrument> MetricField for Family<I> {
    const NAMES_LABELS: bool = true;
    const HAS_BUCKETS: bool = is_histogram::<I>();

    fn declare_field(registry: &Registry, field: FieldOptions<'_>) -> Result<Self, DeclareError> {
        field.declaration(registry).declare()
    }
}

impl<I: Instrument, L: LabelSet> MetricField for TypedFamily<I, L> {
    const NAMES_LABELS: bool = false;
    const HAS_BUCKETS: bool = is_histogram::<I>();

    fn declare_field(registry: &Registry, field: FieldOptions<'_>) -> Result<Self, DeclareError> {
        field.declaration(registry).typed()
    }
}

const fn is_histogram<I: Instrument>() -> bool {
    matches!(I::KIND, Kind::Histogram)
}

/// Stops the compiler where a field's attributes do not fit its type.
pub const fn check_field<F: MetricField>(has_labels: bool, has_buckets: bool) {
    assert!(
        !has_labels || F::NAMES_LABELS,
        "`labels` belongs to a `Family`; an instrument has none, a `TypedFamily` has those of its type"
    );
    assert!(has_labels || !F::NAMES_LABELS, "a `Family` needs `labels`");
    assert!(!has_buckets || F::HAS_BUCKETS, "`buckets` belongs to a histogram");
    assert!(has_buckets || !F::HAS_BUCKETS, "a histogram needs `buckets`");
}
