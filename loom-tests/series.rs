//! Series by their labels: created once, removed whole, and their slots used again.

use std::sync::Arc;

use manometer::{
    Counter, Family, MetricPoint, Registry,
    arena::{Slot, pin},
    collect,
    model::{CounterPoint, Number},
    set_max_owned_slabs,
    sync::{Ordering, OwnedU64},
    tuple::{LabelSeed, Query, Tuple},
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

/// Fails under mutant remove_before_final_read, pin_no_fence, reclaim_no_fence, unpin_relaxed, wait_relaxed, reclaim_no_wait, no_unlink.
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

/// Fails under mutant remove_before_final_read, reclaim_no_wait, no_detach, removal_unsaid.
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
        let query = Query::new(&LabelSeed::default(), &[], &[]);
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

/// Fails under mutant dec_relaxed, free_relaxed.
#[test]
fn a_tuple_is_freed_after_its_last_use() {
    explore(4, None, || {
        let query = Query::new(&LabelSeed::default(), &[], &[]);
        let mine = Tuple::new(&query, &[], "", Slot::NOWHERE, 0.0).unwrap();
        let holder = spawn({
            let theirs = mine.clone();
            move || assert_eq!(theirs.text(), "")
        });
        assert_eq!(mine.text(), "");
        drop(mine);
        holder.join().unwrap();
    });
}

/// Fails under mutant dec_relaxed, no_ref_check, no_zero.
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

/// Fails under mutant no_ref_check, cell_given_twice.
#[test]
fn a_handle_of_a_removed_series_counts_in_no_other() {
    explore(20000, None, || {
        let (registry, family) = declare();
        let handle = family.with_labels(("a",)).unwrap();
        let writer = spawn(move || {
            handle.inc();
            handle.value()
        });
        let removed = total(family.remove(("a",)).unwrap());
        collect(&registry);
        let new = family.with_labels(("a",)).unwrap();
        assert!(removed <= 1 && new.is_live());
        assert_eq!(writer.join().unwrap(), 1);
        assert_eq!(new.value(), 0, "the old handle wrote in the new series");
    });
}

/// Fails under mutant record_unlocked.
#[test]
fn an_increment_that_makes_its_series_is_not_lost_to_a_removal() {
    explore(4, None, || {
        let (_registry, family) = declare();
        let writer = spawn({
            let family = family.clone();
            move || family.inc(("a",)).unwrap()
        });
        let removed = family.remove(("a",)).unwrap().map_or(0, |point| total(Some(point)));
        writer.join().unwrap();
        assert_eq!(removed + family.sum(), 1);
    });
}

/// Fails under mutant record_outside_shard, remove_before_final_read.
#[test]
fn an_increment_of_a_thread_without_a_slab_is_not_lost_to_a_removal() {
    explore(500, None, || {
        set_max_owned_slabs(0);
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

/// Fails under mutant detach_relaxed, pin_no_fence.
#[test]
fn who_sees_a_series_gone_finds_another() {
    explore(2000, None, || {
        let (_registry, family) = declare();
        let handle = family.with_labels(("a",)).unwrap();
        let remover = spawn({
            let family = family.clone();
            move || {
                family.remove(("a",)).unwrap();
            }
        });
        if !handle.is_live() {
            assert!(family.with_labels(("a",)).unwrap().is_live(), "the old series was found again");
        }
        remover.join().unwrap();
    });
}

/// Fails under mutant no_second_look, full_relaxed, count_relaxed.
#[test]
fn the_last_place_is_one_series_for_everybody() {
    explore(60, None, || {
        let registry = Registry::new();
        let family = registry.counter("hits").labels(["k"]).max_series(1).declare().unwrap();
        // The overflow series exists, and then there is a place again.
        family.inc(("first",)).unwrap();
        family.inc(("too many",)).unwrap();
        family.remove(("first",)).unwrap();
        on_two_threads({
            let family = family.clone();
            move || family.inc(("last",)).unwrap()
        });
        assert_eq!(family.find(("last",)).unwrap().unwrap().value(), 2);
        assert_eq!(family.overflowed(), 1);
    });
}

/// Fails under mutant change_late.
#[test]
fn a_series_that_was_found_is_in_the_next_collection() {
    explore(80, None, || {
        let (registry, family) = declare();
        let maker = spawn({
            let family = family.clone();
            move || family.inc(("a",)).unwrap()
        });
        let found = family.find(("a",)).unwrap().is_some();
        let set = collect(&registry);
        assert!(!found || set.family("hits").unwrap().len() == 1, "the series was found, and then not collected");
        maker.join().unwrap();
    });
}

/// Fails under mutant remove_keeps_lock.
#[test]
fn a_scrape_does_not_wait_for_a_remover_that_waits_for_a_stopped_look_up() {
    explore(80, None, || {
        let (registry, family) = declare();
        family.inc(("a",)).unwrap();
        // A look-up that the system has stopped in the middle.
        let stopped = pin().expect("there is no limit to slabs");
        let remover = spawn({
            let family = family.clone();
            move || total(family.remove(("a",)).unwrap())
        });
        let rows = collect(&registry).family("hits").unwrap().len();
        assert!(rows <= 1);
        drop(stopped);
        assert_eq!(remover.join().unwrap(), 1);
    });
}
