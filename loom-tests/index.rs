//! The index: an entry is found whole, and while the table grows under the look-up.

use std::sync::Arc;

use manometer::{
    arena::{Slot, pin},
    family::{Index, IndexWriter},
    tuple::{LabelSeed, Query, Tuple},
};

use crate::{explore, spawn};

/// How many entries the first table takes.
const FIRST_TABLE: usize = 4;

fn with_query<R>(value: usize, act: impl FnOnce(&Query<'_>) -> R) -> R {
    act(&Query::new(&LabelSeed::default(), &[], &[&value.to_string()]))
}

/// A series whose only label has this value.
fn tuple(value: usize) -> Tuple {
    with_query(value, |query| {
        Tuple::new(query, &[Box::from("k")], &format!(r#"k="{value}""#), Slot::NOWHERE, 0.0).unwrap()
    })
}

/// Whether the index has the series, which must be whole then.
fn finds(index: &Index, value: usize) -> bool {
    let pin = pin().expect("there is no limit to slabs");
    with_query(value, |query| index.find(&pin, query).is_some_and(|tuple| tuple.is_live()))
}

/// Inserts one series more than `before`, while another thread looks up the first and the last of them.
fn insert_beside_look_ups(before: usize) {
    let index = Arc::new(Index::new());
    let mut writer = IndexWriter::default();
    let mut tuples: Vec<_> = (0..before).map(tuple).collect();
    tuples.iter().for_each(|tuple| index.insert(&mut writer, tuple));
    let reader = spawn({
        let index = index.clone();
        move || {
            let found = finds(&index, before);
            assert!(finds(&index, 0), "the first series was lost");
            assert!(!found || finds(&index, before), "the last series was lost again");
        }
    });
    tuples.push(tuple(before));
    index.insert(&mut writer, &tuples[before]);
    writer.sweep();
    reader.join().unwrap();
    assert!((0..=before).all(|value| finds(&index, value)));
}

/// Fails under mutant find_relaxed, insert_relaxed.
#[test]
fn an_entry_is_found_with_its_tuple() {
    explore(5, None, || insert_beside_look_ups(1));
}

/// Fails under mutant find_table_relaxed, table_relaxed, pinned_too_early, pin_no_fence, reclaim_no_fence, reclaim_no_wait,
/// unpin_relaxed, wait_relaxed.
#[test]
fn a_table_that_grows_keeps_its_entries() {
    explore(400, None, || insert_beside_look_ups(FIRST_TABLE));
}
