//! Exemplars: one observation of a bucket or counter, with where to look for more about it.

use std::collections::HashSet;

use crate::model::label::is_key;
use crate::model::{Timestamp, ValueError, write_labels};

/// The most code points of an exemplar's label names and values together, as OpenMetrics has it.
const MOST_CODE_POINTS: usize = 128;

/// One observation, and labels that lead to more about it, such as the id of a trace.
///
/// # Examples
/// ```
/// use manometer::model::{Exemplar, Timestamp};
///
/// let exemplar = Exemplar::new(&[("trace_id", "4bf92f35")], 0.67, Timestamp::from_millis(1_520_879_607_789))?;
/// assert_eq!(exemplar.label_text(), r#"trace_id="4bf92f35""#);
/// assert!(Exemplar::new(&[("trace_id", &"x".repeat(121))], 0.67, exemplar.timestamp()).is_err());
/// # Ok::<(), manometer::ValueError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    labels: Vec<(Box<str>, Box<str>)>,
    text: Box<str>,
    value: f64,
    timestamp: Timestamp,
}

impl Exemplar {
    /// An exemplar of an observation of `value` at `timestamp`.
    ///
    /// # Errors
    /// `ExemplarTooLong` for more than 128 code points of names and values together, `InvalidExemplarLabel` for a name that is no label key,
    /// or that occurs twice.
    pub fn new(labels: &[(&str, &str)], value: f64, timestamp: Timestamp) -> Result<Self, ValueError> {
        check_labels(labels)?;
        let mut text = String::new();
        let keys: Vec<Box<str>> = labels.iter().map(|(key, _)| Box::from(*key)).collect();
        write_labels(keys.iter(), labels.iter().map(|(_, value)| *value), &mut text);
        let labels = keys.into_iter().zip(labels.iter().map(|(_, value)| Box::from(*value))).collect();
        Ok(Self { labels, text: text.into(), value, timestamp })
    }

    /// Name and value of each label.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.labels.iter().map(|(key, value)| (&**key, &**value))
    }

    /// The labels as a page prints them between the braces.
    pub fn label_text(&self) -> &str {
        &self.text
    }

    /// What was observed, or added.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// When.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }
}

/// Whether these may be an exemplar's labels; see [`Exemplar::new`].
pub(crate) fn check_labels(labels: &[(&str, &str)]) -> Result<(), ValueError> {
    let code_points = labels.iter().map(|(key, value)| key.chars().count() + value.chars().count()).sum();
    if code_points > MOST_CODE_POINTS {
        return Err(ValueError::ExemplarTooLong { code_points });
    }
    let mut seen = HashSet::new();
    match labels.iter().position(|(key, _)| !is_key(key) || !seen.insert(*key)) {
        Some(at) => Err(ValueError::InvalidExemplarLabel { at }),
        None => Ok(()),
    }
}
