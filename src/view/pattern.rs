//! Which families are shown: a regular expression on the raw name.

use std::{error::Error, fmt};

use regex_automata::meta::Regex;

/// What a compiled pattern may take: enough for any that a person writes, and not for one that is written to do harm.
const MOST_BYTES: usize = 1 << 20;

/// A regular expression that is looked for anywhere in a family's raw name, so that a plain word means every name with it.
#[derive(Clone, Default)]
pub struct Pattern {
    text: String,
    /// None means every name.
    regex: Option<Regex>,
}

impl Pattern {
    /// Reads `pattern`; the empty one means every family.
    ///
    /// # Errors
    /// `Malformed` with the place and the reason; `TooLarge` if it would take more than a mebibyte of memory.
    pub fn new(pattern: &str) -> Result<Self, ViewError> {
        if pattern.is_empty() {
            return Ok(Self::default());
        }
        let limits = Regex::config().nfa_size_limit(Some(MOST_BYTES));
        let regex = Regex::builder().configure(limits).build(pattern);
        let text = pattern.to_owned();
        regex
            .map(|regex| Self { text, regex: Some(regex) })
            .map_err(|error| ViewError::new(pattern, error.syntax_error()))
    }

    /// Whether a family of this raw name is shown.
    pub fn matches(&self, raw: &str) -> bool {
        self.regex.as_ref().is_none_or(|regex| regex.is_match(raw))
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

/// Why nothing is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ViewError {
    /// The pattern is no regular expression.
    Malformed {
        /// The pattern.
        pattern: String,
        /// The byte in it where what is wrong begins.
        position: usize,
        /// What is wrong.
        reason: String,
    },
    /// The pattern stands for too much, as `(x{1000}){1000}` does.
    TooLarge {
        /// The pattern.
        pattern: String,
    },
}

impl ViewError {
    fn new(pattern: &str, error: Option<&regex_syntax::Error>) -> Self {
        let pattern = pattern.to_owned();
        let (position, reason) = match error {
            Some(regex_syntax::Error::Parse(error)) => (error.span().start.offset, error.kind().to_string()),
            Some(regex_syntax::Error::Translate(error)) => (error.span().start.offset, error.kind().to_string()),
            _ => return Self::TooLarge { pattern },
        };
        Self::Malformed { pattern, position, reason }
    }
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { pattern, position, reason } => {
                write!(f, "pattern {pattern:?} is malformed at byte {position}: {reason}")
            }
            Self::TooLarge { pattern } => {
                write!(f, "pattern {pattern:?} is too large: compiled, it may take {MOST_BYTES} bytes")
            }
        }
    }
}

impl Error for ViewError {}
