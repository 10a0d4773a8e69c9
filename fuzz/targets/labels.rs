//! Label keys and label values: keys accepted exactly by the rules; a family is a map of whole label sets to totals, whatever the
//! values; and its pages read back.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use manometer::{
    DeclareError, LabelError, MetricPoint, MetricType, Registry, collect,
    model::{Number, check_keys},
};
use manometer_fuzz::{Kind, pages_read_back};

const KEYS: [&str; 3] = ["a", "b", "c"];

#[derive(Arbitrary, Debug)]
struct Input {
    kind: Kind,
    keys: Vec<String>,
    arity: u8,
    most: u8,
    acts: Vec<Act>,
}

#[derive(Arbitrary, Debug)]
enum Act {
    Add(Vec<String>, u8),
    /// By a view of the first value.
    AddWithin(Vec<String>, u8),
    /// By a handle.
    Hold(Vec<String>, u8),
    Remove(Vec<String>),
    RemoveWithin(String),
    ClearWithin(String),
}

fuzz_target!(|input: Input| {
    keys_follow_the_rules(input.kind.into(), &input.keys);
    let arity = usize::from(input.arity) % (KEYS.len() + 1);
    let registry = Registry::new();
    let family = registry.counter("c").labels(KEYS[..arity].iter().copied()).max_series(usize::from(input.most));
    let family = family.declare().expect("good keys");
    let mut model = Model { arity, most: usize::from(input.most), ..Model::default() };
    if arity == 0 {
        model.totals.insert(Vec::new(), 0);
    }
    for act in &input.acts {
        match act {
            Act::Add(values, amount) => {
                let wrong = || LabelError::Arity { family: "c".to_owned(), expected: arity, given: values.len() };
                let done = family.add(&texts(values)[..], u64::from(*amount));
                assert_eq!(done, if model.add(values, *amount) { Ok(()) } else { Err(wrong()) });
            }
            Act::AddWithin(values, amount) => {
                let Some((first, rest)) = values.split_first() else { continue };
                let view = family.with_partial_label(first);
                assert_eq!(view.is_ok(), arity > 0);
                let done = view.and_then(|view| view.add(&texts(rest)[..], u64::from(*amount)));
                assert_eq!(done.is_ok(), arity > 0 && model.add(values, *amount));
            }
            Act::Hold(values, amount) => {
                let handle = family.with_labels(&texts(values)[..]);
                assert_eq!(handle.is_ok(), model.add(values, *amount));
                if let Ok(handle) = handle {
                    handle.add((*amount).into());
                    assert!(handle.is_live());
                    assert!(
                        handle.label_values().eq(values) || handle.label_values().all(|value| value == ":overflow")
                    );
                }
            }
            Act::Remove(values) => {
                let removed = family.remove(&texts(values)[..]);
                match values.len() == arity {
                    // The one series of a family without keys can go, too; it is made again when it is next looked up.
                    true => assert_eq!(removed.map(|point| point.map(|point| total(&point))), Ok(model.remove(values))),
                    false => assert!(removed.is_err()),
                }
            }
            Act::RemoveWithin(first) if arity > 0 => {
                let view = family.with_partial_label(first).expect("a key is free");
                let removed = view.remove_all();
                for metric in removed.metrics() {
                    let values: Vec<_> = metric.labels().map(|(_, value)| value.to_owned()).collect();
                    assert_eq!(values[0], *first);
                    assert_eq!(model.remove(&values), Some(total(&metric.point())));
                }
                assert!(model.totals.keys().all(|values| values[0] != *first));
            }
            Act::ClearWithin(first) if arity > 0 => {
                let cleared = family.with_partial_label(first).expect("a key is free").clear();
                for metric in cleared.metrics() {
                    let values: Vec<_> = metric.labels().map(|(_, value)| value.to_owned()).collect();
                    let held = model.totals.insert(values, 0);
                    assert_eq!(held, Some(total(&metric.point())));
                }
            }
            Act::RemoveWithin(_) | Act::ClearWithin(_) => {}
        }
    }
    let set = collect(&registry);
    let found: BTreeMap<Vec<String>, u64> = set.families[0]
        .metrics()
        .map(|metric| (metric.labels().map(|(_, value)| value.to_owned()).collect(), total(&metric.point())))
        .collect();
    assert_eq!(found, model.totals);
    pages_read_back(&set);
});

#[derive(Debug, Default)]
struct Model {
    arity: usize,
    most: usize,
    totals: BTreeMap<Vec<String>, u64>,
}

impl Model {
    /// Whether there are as many values as keys; then the amount is added, to the overflow series if the family is full.
    fn add(&mut self, values: &[String], amount: u8) -> bool {
        if values.len() != self.arity {
            return false;
        }
        let overflow = vec![":overflow".to_owned(); self.arity];
        let listed = self.totals.len() - usize::from(self.arity > 0 && self.totals.contains_key(&overflow));
        let is_known = self.totals.contains_key(values);
        let own = is_known || self.arity == 0 || listed < self.most;
        *self.totals.entry(if own { values.to_vec() } else { overflow }).or_default() += u64::from(amount);
        true
    }

    fn remove(&mut self, values: &[String]) -> Option<u64> {
        self.totals.remove(values)
    }
}

fn texts(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}

fn total(point: &MetricPoint) -> u64 {
    match point {
        MetricPoint::Counter(point) => match point.total {
            Number::Unsigned(total) => total,
            other => panic!("{other:?} is not whole"),
        },
        other => panic!("{other:?} is no counter's"),
    }
}

/// The rules of label keys, said once more.
fn keys_follow_the_rules(kind: MetricType, keys: &[String]) {
    let is_key = |key: &str| {
        let mut letters = key.chars();
        letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    let is_own = |key: &str| match kind {
        MetricType::Histogram => key == "le",
        MetricType::Summary => key == "quantile",
        _ => false,
    };
    let distinct: BTreeSet<_> = keys.iter().collect();
    let sound = keys.len() <= 255 && keys.iter().all(|key| is_key(key) && !is_own(key)) && distinct.len() == keys.len();
    match check_keys("f", kind, keys) {
        Ok(()) => assert!(sound, "{keys:?}"),
        Err(error) => {
            assert!(!sound, "{keys:?}: {error}");
            match error {
                DeclareError::InvalidLabel { label, .. } => assert!(!is_key(&label)),
                DeclareError::ReservedLabel { label, .. } => assert!(is_own(&label)),
                DeclareError::DuplicateLabel { label, .. } => {
                    assert!(keys.iter().filter(|key| **key == label).count() > 1);
                }
                DeclareError::TooManyLabels { given, .. } => assert_eq!(given, keys.len()),
                other => panic!("{other:?}"),
            }
        }
    }
}
