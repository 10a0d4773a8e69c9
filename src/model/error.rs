//! What the doors of the engine answer to a bad declaration, label, value or table.

use std::error::Error;
use std::fmt;

use crate::model::{MetricType, label::broken_rule};

/// Why a family was not declared.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DeclareError {
    /// Nothing is left of the name, once a counter's `_total` or an info's `_info` is dropped.
    EmptyName,
    /// The name holds a control character.
    InvalidName {
        /// The name as given.
        name: String,
        /// Byte offset of the control character.
        at: usize,
    },
    /// The unit holds something other than `[A-Za-z0-9_]`, or the type has no unit.
    InvalidUnit {
        /// The unit as given.
        unit: String,
        /// The rule it breaks.
        rule: UnitRule,
    },
    /// A type given as text is none of the known ones.
    UnknownType {
        /// The text.
        given: String,
    },
    /// A label key is not `[A-Za-z][A-Za-z0-9_]*`. Registries of [`Dialect::Utf8`](crate::model::Dialect::Utf8) take more.
    InvalidLabel {
        /// Raw name of the family.
        family: String,
        /// The key.
        label: String,
    },
    /// A label key is one that even the dialect `Utf8` does not take.
    ForbiddenLabel {
        /// Raw name of the family.
        family: String,
        /// The key.
        label: String,
        /// The rule it breaks.
        rule: LabelRule,
    },
    /// Two label keys look the same in an escaping scheme.
    LabelClash {
        /// Raw name of the family.
        family: String,
        /// The key that was refused.
        label: String,
        /// The key before it.
        other: String,
        /// What both look like.
        form: String,
    },
    /// A label key occurs twice.
    DuplicateLabel {
        /// Raw name of the family.
        family: String,
        /// The key.
        label: String,
    },
    /// A label key is one that the samples of this type add themselves: `le` or `quantile`.
    ReservedLabel {
        /// Raw name of the family.
        family: String,
        /// The key.
        label: String,
    },
    /// There are more label keys than a series can hold: 255.
    TooManyLabels {
        /// Raw name of the family.
        family: String,
        /// How many keys were given.
        given: usize,
    },
    /// A histogram was declared without its buckets.
    NoBuckets {
        /// Raw name of the family.
        family: String,
    },
    /// The buckets are no ascending list of finite thresholds.
    InvalidBuckets {
        /// Raw name of the family.
        family: String,
        /// Position in the list as given.
        position: usize,
        /// The threshold there.
        threshold: f64,
        /// The rule it breaks.
        rule: BucketRule,
    },
    /// A summary has quantiles, and no interval over which they are computed.
    MissingInterval {
        /// Raw name of the family.
        family: String,
    },
    /// The quantiles of a summary, or their interval, cannot be.
    InvalidQuantiles {
        /// Raw name of the family.
        family: String,
        /// The quantile, or the interval in seconds.
        given: f64,
        /// The rule it breaks.
        rule: QuantileRule,
    },
    /// The options of a native histogram cannot be.
    InvalidNative {
        /// Raw name of the family.
        family: String,
        /// The schema, the zero threshold or the number of buckets.
        given: f64,
        /// The rule it breaks.
        rule: NativeRule,
    },
    /// The system gives no thread that ends the windows of quantiles.
    NoThread {
        /// Raw name of the family.
        family: String,
        /// What the system says.
        reason: String,
    },
    /// A stateset was declared without its states.
    NoStates {
        /// Raw name of the family.
        family: String,
    },
    /// The states are no list of different names.
    InvalidStates {
        /// Raw name of the family.
        family: String,
        /// Position in the list as given.
        position: usize,
        /// The state there.
        state: String,
        /// The rule it breaks.
        rule: StateRule,
    },
    /// Two families would expose one sample name.
    NameClash {
        /// Raw name of the refused family.
        name: String,
        /// Raw name of the family that stands.
        other: String,
        /// The sample name they would share.
        sample: String,
    },
    /// The family stands with another declaration.
    Conflict {
        /// Raw name of the family.
        name: String,
        /// What differs: `type`, `labels`, `unit`, `description`, `buckets`, `quantiles`, `interval`, `states`, or the `preset` label of
        /// scopes.
        field: &'static str,
        /// The value that stands.
        standing: String,
        /// The value that was refused.
        given: String,
    },
    /// The single metric was asked of a family that has label keys.
    Labelled {
        /// Raw name of the family.
        family: String,
        /// How many keys it has.
        keys: usize,
    },
    /// The process has no room for another series.
    Full {
        /// Raw name of the family.
        family: String,
    },
    /// A measure of this type has no such option, or takes no bare number or text.
    UnknownOption {
        /// The measure's name, with its prefix.
        measure: String,
        /// Its type.
        kind: &'static str,
        /// The option, or the bare value.
        option: String,
        /// The options there are.
        known: &'static [&'static str],
        /// The option that was probably meant.
        hint: Option<&'static str>,
    },
    /// An option of a measure has a value that it cannot have.
    InvalidOption {
        /// The measure's name, with its prefix.
        measure: String,
        /// The option.
        option: &'static str,
        /// The value.
        given: String,
        /// What it must be.
        rule: &'static str,
    },
    /// The scope was closed.
    Closed {
        /// What all names of the scope begin with.
        scope: String,
        /// The name that was to be declared.
        name: String,
    },
}

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

/// Why label values name no series.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelError {
    /// The number of values is not the number of free keys.
    Arity {
        /// Raw name of the family.
        family: String,
        /// How many values were needed.
        expected: usize,
        /// How many values were given.
        given: usize,
    },
}

/// Why a value was not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueError {
    /// The value is NaN.
    NotANumber,
    /// The value is `+Inf` or `-Inf`.
    Infinite,
    /// The value is below zero where only growth is possible.
    Negative,
    /// The process has no room for another range of buckets of a native histogram.
    NoRoom,
    /// The label names and values of an exemplar are longer than 128 code points together.
    ExemplarTooLong {
        /// How long they are.
        code_points: usize,
    },
    /// The name of an exemplar's label is not `[A-Za-z][A-Za-z0-9_]*`, or occurs twice.
    InvalidExemplarLabel {
        /// Which of the labels, counted from 0.
        at: usize,
    },
    /// A stateset has no such state.
    UnknownState {
        /// Raw name of the family.
        family: String,
        /// The state as given.
        state: String,
    },
}

/// Why labels and points make no family.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShapeError {
    /// The points are those of another type than the metadata says.
    Kind {
        /// Raw name of the family.
        family: String,
        /// The type in the metadata.
        expected: &'static str,
        /// The type of the points.
        given: &'static str,
    },
    /// Native histograms are given to a family of another type.
    Native {
        /// Raw name of the family.
        family: String,
    },
    /// An exemplar is where no exemplar can be.
    Exemplar {
        /// Raw name of the family.
        family: String,
        /// The row it says.
        row: usize,
        /// The bucket it says.
        bucket: usize,
    },
    /// A column is too long or too short for the number of rows.
    Rows {
        /// Raw name of the family.
        family: String,
        /// The column, named as in `Points`.
        column: &'static str,
        /// How many entries it needs.
        expected: usize,
        /// How many entries it has.
        given: usize,
    },
    /// A row of labels has not one value per key.
    Arity {
        /// The row.
        row: usize,
        /// How many keys there are.
        expected: usize,
        /// How many values it has.
        given: usize,
    },
    /// A row of labels does not come after the one before it in label-value order, or repeats it.
    Order {
        /// The row.
        row: usize,
    },
}

impl fmt::Display for DeclareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyName => f.write_str("the name is empty, not counting a counter's `_total`"),
            Self::InvalidName { name, at } => write!(f, "name {name:?} has a control character at byte {at}"),
            Self::InvalidUnit { unit, rule } => write!(f, "unit {unit:?} {rule}"),
            Self::UnknownType { given } => write!(f, "{given:?} is not a metric type"),
            Self::InvalidLabel { family, label } => {
                write!(f, "label {label:?} of family {family:?} is not [A-Za-z][A-Za-z0-9_]*")?;
                match broken_rule(label) {
                    Some(_) => Ok(()),
                    None => f.write_str("; the dialect Utf8 would take it"),
                }
            }
            Self::ForbiddenLabel { family, label, rule } => write!(f, "label {label:?} of family {family:?} {rule}"),
            Self::LabelClash { family, label, other, form } => {
                write!(
                    f,
                    "labels {label:?} and {other:?} of family {family:?} are both {form:?} where names are escaped"
                )
            }
            Self::DuplicateLabel { family, label } => write!(f, "label {label:?} of family {family:?} occurs twice"),
            Self::ReservedLabel { family, label } => {
                write!(f, "label {label:?} of family {family:?} is reserved for the samples of its type")
            }
            Self::TooManyLabels { family, given } => {
                write!(f, "family {family:?} has {given} label keys, more than the 255 that a series can hold")
            }
            Self::NoBuckets { family } => write!(f, "histogram {family:?} has no buckets"),
            Self::InvalidBuckets { family, position, threshold, rule } => {
                write!(f, "bucket {position} of family {family:?}, {threshold}, {rule}")
            }
            Self::MissingInterval { family } => write!(f, "summary {family:?} has quantiles and no interval"),
            Self::InvalidNative { family, given, rule: NativeRule::Schema } => {
                write!(f, "the schema {given} of the native histogram {family:?} is not from -4 to 8")
            }
            Self::InvalidNative { family, given, rule: NativeRule::ZeroThreshold } => {
                write!(f, "the zero threshold {given} of the native histogram {family:?} is negative or not finite")
            }
            Self::InvalidNative { family, given, rule: NativeRule::MaxBuckets { least } } => {
                write!(
                    f,
                    "{given} buckets are too few for the native histogram {family:?}: at least {least} may be needed"
                )
            }
            Self::InvalidQuantiles { family, given, rule: QuantileRule::OutOfRange } => {
                write!(f, "quantile {given} of family {family:?} is not from 0 to 1")
            }
            Self::InvalidQuantiles { family, given, rule: QuantileRule::Duplicate } => {
                write!(f, "quantile {given} of family {family:?} is given twice")
            }
            Self::InvalidQuantiles { family, given, rule: QuantileRule::Interval } => {
                write!(f, "interval {given} of family {family:?} is no number of seconds above 0")
            }
            Self::NoThread { family, reason } => {
                write!(f, "no thread is to be had for the quantiles of family {family:?}: {reason}")
            }
            Self::NoStates { family } => write!(f, "stateset {family:?} has no states"),
            Self::InvalidStates { family, position, state, rule } => {
                write!(f, "state {position} of family {family:?}, {state:?}, {rule}")
            }
            Self::NameClash { name, other, sample } => {
                write!(f, "families {name:?} and {other:?} would both expose {sample:?}")
            }
            Self::Conflict { name, field, standing, given } => {
                write!(f, "family {name:?} stands with {field} {standing:?}, not {given:?}")
            }
            Self::Labelled { family, keys } => {
                write!(f, "family {family:?} has {keys} label keys, so it has no single metric")
            }
            Self::Full { family } => write!(f, "no room is left for a series of family {family:?}"),
            Self::UnknownOption { measure, kind, option, known, hint } => {
                write!(f, "measure {measure:?} of type {kind} takes no {option:?}, but {}", known.join(", "))?;
                hint.map_or(Ok(()), |hint| write!(f, "; {hint:?} may be meant"))
            }
            Self::InvalidOption { measure, option, given, rule } => {
                write!(f, "option {option} of measure {measure:?} is {given}, which is not {rule}")
            }
            Self::Closed { scope, name } => write!(f, "scope {scope:?} is closed, so {name:?} is not declared in it"),
        }
    }
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

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Arity { family, expected, given } = self;
        write!(f, "family {family:?} needs {expected} label values here, not {given}")
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANumber => f.write_str("the value is not a number"),
            Self::Infinite => f.write_str("the value is infinite"),
            Self::Negative => f.write_str("the value is negative"),
            Self::NoRoom => f.write_str("the process has no room for another range of buckets"),
            Self::ExemplarTooLong { code_points } => {
                write!(f, "the exemplar's labels are {code_points} code points long, and 128 is the most")
            }
            Self::InvalidExemplarLabel { at } => {
                write!(f, "the exemplar's label {at} has a name that no label may have, or that occurs twice")
            }
            Self::UnknownState { family, state } => write!(f, "stateset {family:?} has no state {state:?}"),
        }
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind { family, expected, given } => {
                write!(f, "family {family:?} is a {expected}, but its points are those of a {given}")
            }
            Self::Native { family } => write!(f, "{family:?} is no histogram and can have no native ones"),
            Self::Exemplar { family, row, bucket } => {
                write!(f, "family {family:?} has no bucket {bucket} in row {row} for an exemplar")
            }
            Self::Rows { family, column, expected, given } => {
                write!(f, "column {column} of family {family:?} needs {expected} entries, not {given}")
            }
            Self::Arity { row, expected, given } => write!(f, "row {row} needs {expected} label values, not {given}"),
            Self::Order { row } => write!(f, "row {row} does not come after the one before it"),
        }
    }
}

impl Error for DeclareError {}
impl Error for LabelError {}
impl Error for ValueError {}
impl Error for ShapeError {}
