//! The series of a family in label order, as one immutable list that scrapes share.

use std::cmp::Ordering;

use crate::{
    arena::Slot,
    model::LabelRows,
    sync::{Arc, prefetch},
    tuple::Tuple,
};

/// The series of one family at one time, sorted by label values.
#[derive(Debug, Default)]
pub struct Order {
    /// Which change of the family this is the state after.
    generation: u64,
    rows: Box<[Tuple]>,
    /// The slot of each row, so that reading many counters need not touch their tuples.
    slots: Box<[Slot]>,
}

/// How many rows ahead of a page the tuples are asked for: tuples lie in the order of their creation, not in that of the labels.
const AHEAD: usize = 8;

impl Order {
    /// Which change of the family this is the state after.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The series.
    pub fn rows(&self) -> &[Tuple] {
        &self.rows
    }

    /// The slots of all rows.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
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
        let slots = rows.iter().map(Tuple::slot).collect();
        Arc::new(Self { generation, rows: rows.into_boxed_slice(), slots })
    }
}

impl LabelRows for Order {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn text(&self, row: usize) -> &str {
        if let Some(ahead) = self.rows.get(row + AHEAD) {
            prefetch(ahead.as_ptr());
        }
        self.rows[row].text()
    }

    fn value(&self, row: usize, key: usize) -> &str {
        self.rows[row].value(key)
    }
}

fn by_values<'a>(a: impl Iterator<Item = &'a str>, b: impl Iterator<Item = &'a str>) -> Ordering {
    a.cmp(b)
}
