//! The plain data of a scrape: names, labels, points, and the set that holds them.
//!
//! A [`MetricSet`] holds families, a [`MetricFamily`] the metrics of one name, a [`Metric`] the values of one label
//! set. Nothing here changes while it is read, and nothing here knows a page or a registry: live state is turned into
//! this, and every encoder reads only this.
//!
//! Points lie in columns, one per field and family, so that a collector fills them in one pass over its memory and a
//! page walks them in order.

mod cardinality;
mod columns;
mod dialect;
mod error;
mod exemplar;
mod family;
mod kind;
mod label;
mod metadata;
mod name;
mod native;
mod number;
mod point;
mod scheme;
mod settings;
mod text;

pub use cardinality::{Cardinality, LabelCardinality};
pub use columns::Points;
pub use dialect::Dialect;
pub use error::{
    BucketRule, DeclareError, LabelError, LabelRule, NativeRule, QuantileRule, ShapeError, StateRule, UnitRule,
    ValueError,
};
pub use exemplar::Exemplar;
pub use family::{ExemplarAt, Metric, MetricFamily, MetricSet};
pub use kind::MetricType;
pub use label::{LabelRows, LabelTable, check_keys, check_keys_in, write_label_text};
pub use metadata::Metadata;
pub use name::{FamilyName, reserved_names};
pub use native::{NativeHistogram, NativeOptions};
pub use point::{
    CounterPoint, GaugeHistogramPoint, HistogramPoint, MetricPoint, Number, StateSetPoint, SummaryPoint, Timestamp,
};
pub use scheme::EscapingScheme;
pub use settings::{ConfigError, Setting, Settings};

pub(crate) use cardinality::OVERFLOW;
pub(crate) use columns::entries;
pub(crate) use exemplar::check_labels;
pub(crate) use kind::suffix;
pub(crate) use label::write_labels;
pub(crate) use native::{join, spans};
#[cfg(feature = "view")]
pub(crate) use number::write_general;
pub(crate) use number::{write_17_digits, write_number, write_seconds};
pub(crate) use scheme::label_text;
pub(crate) use text::{Escaping, Sink, escape_into};
