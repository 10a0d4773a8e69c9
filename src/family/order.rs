//! The series of a family in label order, as one immutable list that scrapes share.
//!
//! It holds the text of all labels once more, end to end in the order of a page: a page of 100 000 lines is then copied from one
//! run of memory, and does not wait for each tuple to come from wherever it was made.

use std::cmp::Ordering;

use crate::{model::LabelRows, sync::Arc, tuple::Tuple};

/// The series of one family at one time, sorted by label values.
#[derive(Debug, Default)]
pub struct Order {
    /// Which change of the family this is the state after.
    generation: u64,
    rows: Box<[Tuple]>,
    /// The labels of all rows as a page prints them.
    text: Box<str>,
    /// Where the text of each row ends.
    ends: Box<[usize]>,
}

impl Order {
    /// Which change of the family this is the state after.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The series.
    pub fn rows(&self) -> &[Tuple] {
        &self.rows
    }

    /// The series whose first label values are `prefix`: they lie together.
    pub fn within(&self, prefix: &[Box<str>]) -> &[Tuple] {
        let against_prefix =
            |tuple: &Tuple| by_values(tuple.values().take(prefix.len()), prefix.iter().map(|value| &**value));
        let start = self.rows.partition_point(|tuple| against_prefix(tuple).is_lt());
        let len = self.rows[start..].partition_point(|tuple| against_prefix(tuple).is_eq());
        &self.rows[start..][..len]
    }

    /// This order without what was removed since, and with `fresh`.
    pub fn renewed(&self, mut fresh: Vec<Tuple>, generation: u64) -> Arc<Self> {
        fresh.retain(Tuple::is_live);
        fresh.sort_unstable_by(|a, b| by_values(a.values(), b.values()));
        let mut kept = self.rows.iter().filter(|tuple| tuple.is_live()).cloned().peekable();
        let mut rows = Vec::with_capacity(self.rows.len() + fresh.len());
        for tuple in fresh {
            while let Some(before) = kept.next_if(|old| by_values(old.values(), tuple.values()).is_lt()) {
                rows.push(before);
            }
            rows.push(tuple);
        }
        rows.extend(kept);
        let mut text = String::with_capacity(rows.iter().map(|tuple| tuple.text().len()).sum());
        let mut append = |tuple: &Tuple| {
            text.push_str(tuple.text());
            text.len()
        };
        let ends = rows.iter().map(&mut append).collect();
        Arc::new(Self { generation, rows: rows.into_boxed_slice(), text: text.into_boxed_str(), ends })
    }
}

impl LabelRows for Order {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn text(&self, row: usize) -> &str {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[row]]
    }

    fn value(&self, row: usize, key: usize) -> &str {
        self.rows[row].value(key)
    }
}

fn by_values<'a>(a: impl Iterator<Item = &'a str>, b: impl Iterator<Item = &'a str>) -> Ordering {
    a.cmp(b)
}
