//! The six types of measures, and what each stands for.

use std::{fmt, str::FromStr};

use crate::model::DeclareError;

/// What a measure is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MeasureType {
    /// A value that is set.
    Amount,
    /// A total that is added to.
    Counter,
    /// How often something happens.
    Rate,
    /// How long something takes, in seconds.
    Times,
    /// How large something is, in bytes.
    Sizes,
    /// Any observations, counted and summed.
    Distribution,
}

impl MeasureType {
    const ALL: [Self; 6] = [Self::Amount, Self::Counter, Self::Rate, Self::Times, Self::Sizes, Self::Distribution];

    /// The word for it in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amount => "amount",
            Self::Counter => "counter",
            Self::Rate => "rate",
            Self::Times => "times",
            Self::Sizes => "sizes",
            Self::Distribution => "distribution",
        }
    }

    /// The word for it in a description that nobody wrote: a rate is a counter.
    pub(super) fn described(self) -> &'static str {
        match self {
            Self::Rate => Self::Counter.as_str(),
            other => other.as_str(),
        }
    }

    /// The unit of every measure of this type, if it is not an option.
    pub(super) fn fixed_unit(self) -> Option<&'static str> {
        match self {
            Self::Times => Some("seconds"),
            Self::Sizes => Some("bytes"),
            _ => None,
        }
    }

    /// The thresholds of a measure that says nothing else.
    pub(super) fn default_buckets(self) -> &'static [f64] {
        const KIB: f64 = 1024.0;
        const MIB: f64 = 1024.0 * KIB;
        match self {
            Self::Times => &[0.001, 0.01, 0.1, 1.0, 10.0, 100.0],
            Self::Sizes => {
                &[KIB, 4.0 * KIB, 32.0 * KIB, 128.0 * KIB, MIB, 4.0 * MIB, 32.0 * MIB, 128.0 * MIB, 1024.0 * MIB]
            }
            _ => &[],
        }
    }

    /// The options it has in a configuration.
    pub(super) fn options(self) -> &'static [&'static str] {
        match self {
            Self::Amount => &["initial", "unit", "description"],
            Self::Distribution => &["unit", "description", "quantiles", "interval"],
            Self::Counter | Self::Rate => &["unit", "description"],
            Self::Times | Self::Sizes => &["buckets", "description"],
        }
    }
}

impl fmt::Display for MeasureType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for MeasureType {
    type Err = DeclareError;

    /// Reads the word that [`as_str`](Self::as_str) writes.
    ///
    /// # Errors
    /// `UnknownType` for any other text.
    fn from_str(text: &str) -> Result<Self, DeclareError> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| DeclareError::UnknownType { given: text.to_owned() })
    }
}
