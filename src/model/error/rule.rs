//! The rules that a declaration may break, each said in words.

use std::fmt;

use crate::model::MetricType;

/// The rule that a list of buckets breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BucketRule {
    /// A threshold is NaN.
    NotANumber,
    /// A threshold is `-Inf`.
    NegativeInfinity,
    /// A threshold is less than the one before it.
    NotAscending,
    /// A threshold equals the one before it.
    Duplicate,
    /// The list is longer than a histogram can hold.
    TooMany,
    /// A threshold reads like the one before it, in a form of fewer digits.
    SameText,
}

/// The rule that quantiles break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuantileRule {
    /// A quantile is not from 0 to 1.
    OutOfRange,
    /// A quantile is given twice.
    Duplicate,
    /// The interval is not above 0, or longer than can be told.
    Interval,
}

/// The rule that the options of a native histogram break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NativeRule {
    /// The schema is not from -4 to 8.
    Schema,
    /// The zero threshold is negative, infinite or NaN.
    ZeroThreshold,
    /// Even the coarsest schema may need more buckets for the values beyond the zero threshold.
    MaxBuckets {
        /// How many it may need.
        least: usize,
    },
}

/// The rule that a unit breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnitRule {
    /// It is made of `[A-Za-z0-9_]`.
    Characters,
    /// This type has none.
    NoUnit(MetricType),
}

/// The rule that a label key of the dialect `Utf8` breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelRule {
    /// It is empty.
    Empty,
    /// It has a control character.
    ControlCharacter,
    /// It begins with an underscore: such names are reserved.
    Underscore,
    /// In an escaping scheme it is `__name__`, which is the name of the metric.
    MetricName,
}

/// The rule that a list of states breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateRule {
    /// A state is empty: its label would count as absent.
    Empty,
    /// A state occurs twice.
    Duplicate,
    /// The list is longer than a stateset can hold: 64.
    TooMany,
    /// A push provider gives the state the name of one before it.
    SameText,
}

impl fmt::Display for BucketRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "is not a number",
            Self::NegativeInfinity => "is no finite threshold",
            Self::NotAscending => "is less than the one before it",
            Self::Duplicate => "repeats the one before it",
            Self::TooMany => "is beyond the longest list that a histogram can hold",
            Self::SameText => "reads like the one before it in 14 digits",
        })
    }
}

impl fmt::Display for UnitRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Characters => f.write_str("is not made of [A-Za-z0-9_]"),
            Self::NoUnit(kind) => write!(f, "is given, and type {kind} has none"),
        }
    }
}

impl fmt::Display for LabelRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty",
            Self::ControlCharacter => "has a control character",
            Self::Underscore => "begins with an underscore, which is reserved",
            Self::MetricName => "is __name__ where names are escaped, which is the name of the metric",
        })
    }
}

impl fmt::Display for StateRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty",
            Self::Duplicate => "occurs before",
            Self::TooMany => "is beyond the 64 states that a stateset can hold",
            Self::SameText => "is sent under the name of one before it",
        })
    }
}
