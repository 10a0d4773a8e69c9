//! Dialects: whose rules the names and the thresholds of a registry follow.

use crate::model::number::{write_general, write_threshold};
use crate::model::{MetricType, Number, Sink, suffix};

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
    /// Those of Prosody 0.12 and 13: the unit is always appended, a counter keeps its `_total`, `le="1"`.
    Prosody,
}

impl Dialect {
    /// What is left of a family's name without what its samples add.
    pub(super) fn stem(self, name: &str, kind: MetricType) -> &str {
        match (self, kind) {
            (Self::OpenMetrics, MetricType::Counter) => name.strip_suffix(suffix::TOTAL).unwrap_or(name),
            (_, MetricType::Info) => name.strip_suffix(suffix::INFO).unwrap_or(name),
            _ => name,
        }
    }

    /// Whether `unit`, which is not empty, is to be added to `stem` (NAM-02).
    pub(super) fn adds_unit(self, stem: &str, unit: &str) -> bool {
        match self {
            Self::OpenMetrics => !stem.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_')),
            Self::Prosody => true,
        }
    }

    /// Appends a finite threshold as `le` has it (HIS-06).
    pub(crate) fn write_threshold(self, threshold: f64, out: &mut impl Sink) {
        match self {
            Self::OpenMetrics => write_threshold(threshold, out),
            Self::Prosody => write_general(Number::Float(threshold), PROSODY_DIGITS, out),
        }
    }
}
