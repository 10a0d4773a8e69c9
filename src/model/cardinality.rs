//! Which families have the most series, and which labels make them so many.

use std::{cmp::Reverse, collections::HashMap, fmt};

use crate::model::{LabelRows, Metadata, MetricSet};

/// How many series a family has, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cardinality {
    /// Raw name of the family.
    pub family: String,
    /// How many series it has, an overflow series included.
    pub series: usize,
    /// Whether one of them is its overflow series: the family is full, or was.
    pub has_overflow: bool,
    /// Its labels, the one with the most values first.
    pub labels: Vec<LabelCardinality>,
}

/// How many values a label has, and which are the most frequent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelCardinality {
    /// The key.
    pub key: String,
    /// How many different values it has.
    pub values: usize,
    /// The values with the most series, with how many those are; equal ones in the order of their text.
    pub top: Vec<(String, usize)>,
}

/// The value of every label of an overflow series.
pub(crate) const OVERFLOW: &str = ":overflow";

impl Cardinality {
    /// Counts the values of each label; at most `top` of each are listed. Overflow series, whose values are made up, count as
    /// series alone.
    pub fn of(metadata: &Metadata, labels: &dyn LabelRows, top: usize) -> Self {
        let keys = metadata.label_keys();
        let is_overflow =
            |row: usize| !keys.is_empty() && (0..keys.len()).all(|key| labels.value(row, key) == OVERFLOW);
        let mut has_overflow = false;
        let mut counts: Vec<HashMap<&str, usize>> = vec![HashMap::new(); keys.len()];
        for row in 0..labels.len() {
            if is_overflow(row) {
                has_overflow = true;
                continue;
            }
            for (key, counts) in counts.iter_mut().enumerate() {
                *counts.entry(labels.value(row, key)).or_default() += 1;
            }
        }
        let of_key = |key: &str, counts: HashMap<&str, usize>| {
            let values = counts.len();
            let mut sorted: Vec<(&str, usize)> = counts.into_iter().collect();
            sorted.sort_unstable_by_key(|(value, count)| (Reverse(*count), *value));
            sorted.truncate(top);
            let top = sorted.into_iter().map(|(value, count)| (value.to_owned(), count)).collect();
            LabelCardinality { key: key.to_owned(), values, top }
        };
        let mut labels_by_values: Vec<LabelCardinality> =
            keys.iter().zip(counts).map(|(key, counts)| of_key(key, counts)).collect();
        // Stable: of equal ones, the first declared.
        labels_by_values.sort_by_key(|label| Reverse(label.values));
        let family = metadata.name().raw().to_owned();
        Self { family, series: labels.len(), has_overflow, labels: labels_by_values }
    }
}

/// `requests: 1002 series, overflowing; path 1000 values (/a 2, /b 1), method 2 values (GET 900, PUT 101)`.
impl fmt::Display for Cardinality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} series", self.family, self.series)?;
        if self.has_overflow {
            f.write_str(", overflowing")?;
        }
        for (position, label) in self.labels.iter().enumerate() {
            let before = if position == 0 { "; " } else { ", " };
            write!(f, "{before}{} {} values", label.key, label.values)?;
            for (position, (value, count)) in label.top.iter().enumerate() {
                write!(f, "{}{} {count}", if position == 0 { " (" } else { ", " }, value.escape_debug())?;
            }
            if !label.top.is_empty() {
                f.write_str(")")?;
            }
        }
        Ok(())
    }
}

impl MetricSet {
    /// The `families` families with the most series, largest first, each label with its `values` most frequent values.
    ///
    /// # Examples
    /// ```
    /// let registry = manometer::Registry::new();
    /// let requests = registry.counter("requests").labels(["method", "path"]).declare()?;
    /// for path in ["/", "/a", "/b"] {
    ///     requests.inc(("GET", path))?;
    /// }
    /// let largest = &manometer::collect(&registry).cardinality(10, 1)[0];
    /// assert_eq!((largest.series, largest.labels[0].key.as_str(), largest.labels[0].values), (3, "path", 3));
    /// assert_eq!(largest.to_string(), "requests: 3 series; path 3 values (/ 1), method 1 values (GET 3)");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cardinality(&self, families: usize, values: usize) -> Vec<Cardinality> {
        let mut largest: Vec<_> = self.families.iter().collect();
        largest.sort_by(|a, b| {
            (Reverse(a.len()), a.metadata().name().raw()).cmp(&(Reverse(b.len()), b.metadata().name().raw()))
        });
        largest.truncate(families);
        largest.iter().map(|family| Cardinality::of(family.metadata(), &**family.labels(), values)).collect()
    }
}
