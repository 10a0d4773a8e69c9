//! What the doors of the engine answer to a bad declaration, label, value or table.

mod rule;
mod value;

use std::error::Error;
use std::fmt;

use crate::model::label::broken_rule;

pub use rule::{BucketRule, LabelRule, NativeRule, QuantileRule, StateRule, UnitRule};
pub use value::{ShapeError, ValueError};

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

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Arity { family, expected, given } = self;
        write!(f, "family {family:?} needs {expected} label values here, not {given}")
    }
}

impl Error for DeclareError {}
impl Error for LabelError {}
