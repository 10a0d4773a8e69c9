//! Why a value was not recorded, and why plain data is no family.

use std::{error::Error, fmt};

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

impl Error for ValueError {}
impl Error for ShapeError {}
