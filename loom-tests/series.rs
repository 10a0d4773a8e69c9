//! Series by their labels: created once, removed whole, and their slots used again.

use std::sync::Arc;

use manometer::{
    Counter, Family, MetricPoint, Registry,
    arena::Slot,
    collect,
    model::{CounterPoint, Number},
    sync::{HashSeed, Ordering, OwnedU64},
    tuple::{Query, Tuple},
};

use crate::{explore, spawn};

/// A registry with a family of counters.
fn declare() -> (Registry, Family<Counter>) {
    let registry = Registry::new();
    let family = registry.counter("hits").labels(["k"]).declare().unwrap();
    (registry, family)
}

/// The total of a counter that was removed.
fn total(point: Option<MetricPoint>) -> u64 {
    match point {
        Some(MetricPoint::Counter(CounterPoint { total: Number::Unsigned(total), .. })) => total,
        other => panic!("no counter: {other:?}"),
    }
}

/// Runs the same act on two threads.
fn on_two_threads(act: impl Fn() + 'static) {
    let act = Arc::new(act);
    let other = spawn({
        let act = act.clone();
        move || act()
    });
    act();
    other.join().unwrap();
}

/// Fails under mutant no_recheck_insert.
#[test]
fn two_threads_that_create_one_series_share_it() {
    explore(20000, None, || {
        let (_registry, family) = declare();
        on_two_threads({
            let family = family.clone();
            move || family.with_labels(("a",)).unwrap().inc()
        });
        assert_eq!(family.series_count(), 1);
        assert_eq!(family.sum(), 2);
    });
}

/// Fails under mutant remove_before_final_read, pin_no_fence, reclaim_no_fence, unpin_relaxed, wait_relaxed, reclaim_no_wait.
#[test]
fn an_increment_is_in_what_removal_hands_back_or_in_the_next_series() {
    explore(200, None, || {
        let (_registry, family) = declare();
        family.inc(("a",)).unwrap();
        let writer = spawn({
            let family = family.clone();
            move || family.inc(("a",)).unwrap()
        });
        let removed = total(family.remove(("a",)).unwrap());
        writer.join().unwrap();
        assert_eq!(removed + family.sum(), 2);
    });
}

/// Fails under mutant remove_before_final_read, reclaim_no_wait.
#[test]
fn a_collection_beside_a_removal_frees_nothing_too_early() {
    explore(3000, 3, || {
        let (registry, family) = declare();
        family.inc(("a",)).unwrap();
        let writer = spawn({
            let family = family.clone();
            move || family.inc(("a",)).unwrap()
        });
        let remover = spawn({
            let family = family.clone();
            move || total(family.remove(("a",)).unwrap())
        });
        collect(&registry);
        writer.join().unwrap();
        assert_eq!(remover.join().unwrap() + family.sum(), 2);
    });
}

/// Fails under mutant dec_relaxed, check_relaxed, no_ref_check.
#[test]
fn the_sole_holder_of_a_series_comes_after_all_others() {
    explore(5, None, || {
        let query = Query::new(&HashSeed::default(), &[], &[]);
        let mine = Tuple::new(&query, &[], "", Slot::NOWHERE, 0.0).unwrap();
        let word = Arc::new(OwnedU64::new(0));
        let holder = spawn({
            let (theirs, word) = (mine.clone(), word.clone());
            move || {
                word.put(1, Ordering::Relaxed);
                drop(theirs);
            }
        });
        if mine.is_sole() {
            word.put(1, Ordering::Relaxed);
        }
        holder.join().unwrap();
    });
}

/// Fails under mutant dec_relaxed, no_ref_check.
#[test]
fn a_slot_is_used_again_after_its_last_handle() {
    explore(10, None, || {
        let (registry, family) = declare();
        let handle = family.with_labels(("old",)).unwrap();
        family.remove(("old",)).unwrap();
        let writer = spawn(move || handle.inc());
        collect(&registry);
        let new = family.with_labels(("new",)).unwrap();
        new.inc();
        writer.join().unwrap();
        assert_eq!(new.value(), 1);
    });
}
