//! Dialects: whose rules the names and the thresholds of a registry follow.

use crate::model::number::{write_general, write_threshold};
use crate::model::{MetricType, Number, Sink, name::replaced, suffix};

/// The significant digits in which Prosody writes a threshold.
const PROSODY_DIGITS: usize = 14;

/// Whose rules names are composed by, and thresholds written by.
///
/// A registry has one, and so has every name that is declared in it: identity and `le` are the same on every page and outside of
/// pages. All else that makes a page look like Prosody's is its [format](crate::encode::Format::Prosody).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// Those of OpenMetrics: no unit and no `_total` twice, `le="1.0"`.
    #[default]
    OpenMetrics,
    /// Those of OpenMetrics, and names are exposed as they are, dots, spaces and all letters: to readers that take such, in quotes, and to
    /// others in the [scheme](crate::model::EscapingScheme) that they ask for.
    ///
    /// For programs whose names are given, as by OpenTelemetry's conventions. Label keys may be any text that is not empty, has no
    /// control character and begins with no underscore. Names that one of the schemes makes the same clash.
    Utf8,
    /// Those of Prosody 0.12 and 13: the unit is always appended, a counter keeps its `_total`, `le="1"`.
    Prosody,
}

impl Dialect {
    /// What is left of a family's name without what its samples add.
    pub(super) fn stem(self, name: &str, kind: MetricType) -> &str {
        match (self, kind) {
            (Self::OpenMetrics | Self::Utf8, MetricType::Counter) => name.strip_suffix(suffix::TOTAL).unwrap_or(name),
            (_, MetricType::Info) => name.strip_suffix(suffix::INFO).unwrap_or(name),
            _ => name,
        }
    }

    /// Whether `unit`, which is not empty, is to be added to `stem` (NAM-02).
    pub(super) fn adds_unit(self, stem: &str, unit: &str) -> bool {
        match self {
            Self::OpenMetrics | Self::Utf8 => !stem.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_')),
            Self::Prosody => true,
        }
    }

    /// A raw name as a page shows it that takes it.
    pub(super) fn exposed(self, raw: &str) -> String {
        match self {
            Self::OpenMetrics | Self::Prosody => replaced(raw),
            Self::Utf8 => raw.to_owned(),
        }
    }

    /// Appends a finite threshold as `le` has it (HIS-06).
    pub(crate) fn write_threshold(self, threshold: f64, out: &mut impl Sink) {
        match self {
            Self::OpenMetrics | Self::Utf8 => write_threshold(threshold, out),
            Self::Prosody => write_general(Number::Float(threshold), PROSODY_DIGITS, out),
        }
    }
}
