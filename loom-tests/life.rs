//! How series end by themselves: idle ones, and those whose last owner goes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use manometer::{
    Clock, Counter, Family, MetricPoint, Registry, arena::pin, collect, model::Number, set_max_owned_slabs,
};

use crate::{explore, spawn};

/// A clock that stands still until it is moved. No part of the model.
#[derive(Clone, Debug, Default)]
struct HandClock(Arc<AtomicU64>);

impl Clock for HandClock {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

/// A family of at most `most` counters with one series, `a`, at 1, whose time is up: the next collection may remove it.
fn idle(most: usize) -> (Registry, Family<Counter>) {
    let (registry, clock) = (Registry::new(), HandClock::default());
    registry.set_clock(clock.clone());
    let family = registry.counter("hits").labels(["k"]).expire_after(Duration::from_secs(1)).max_series(most);
    let family = family.declare().unwrap();
    family.inc(("a",)).unwrap();
    collect(&registry);
    clock.0.store(1, Ordering::Relaxed);
    (registry, family)
}

/// The total of a counter.
fn total(point: &MetricPoint) -> u64 {
    match point {
        MetricPoint::Counter(point) => match point.total {
            Number::Unsigned(total) => total,
            other => panic!("no whole number: {other:?}"),
        },
        other => panic!("no counter: {other:?}"),
    }
}

/// The value of a gauge.
fn level(point: &MetricPoint) -> f64 {
    match point {
        MetricPoint::Gauge(value) => value.as_f64(),
        other => panic!("no gauge: {other:?}"),
    }
}

/// Fails under mutant expire_unpassed, no_last_look.
#[test]
fn an_increment_beside_an_expiry_is_in_the_old_series_or_in_a_new_one() {
    explore(200, 3, || {
        let (registry, family) = idle(10);
        let writer = spawn({
            let family = family.clone();
            move || family.inc(("a",)).unwrap()
        });
        collect(&registry);
        writer.join().unwrap();
        // The old series with both, or a new one with the second.
        assert!(matches!(family.sum(), 1 | 2) && family.series_count() == 1, "{} is left", family.sum());
        let is_old = family.sum() == 2;
        collect(&registry);
        assert_eq!(family.sum(), if is_old { 2 } else { 1 }, "nothing goes later that has just moved");
    });
}

/// Fails under mutant last_look_in_the_map.
#[test]
fn an_increment_of_a_thread_without_a_slab_is_not_lost_to_an_expiry() {
    explore(200, 3, || {
        set_max_owned_slabs(0);
        let (registry, family) = idle(10);
        let writer = spawn({
            let family = family.clone();
            move || family.inc(("a",)).unwrap()
        });
        collect(&registry);
        writer.join().unwrap();
        assert!(matches!(family.sum(), 1 | 2), "{} is left", family.sum());
    });
}

/// Fails under mutant expire_held, let_go_relaxed, handles_relaxed.
#[test]
fn nothing_is_lost_that_was_recorded_through_a_live_handle() {
    explore(200, 3, || {
        let (registry, family) = idle(10);
        let holder = spawn({
            let family = family.clone();
            move || {
                let handle = family.with_labels(("a",)).unwrap();
                handle.inc();
                assert!(handle.is_live(), "a series with a handle went");
            }
        });
        collect(&registry);
        holder.join().unwrap();
        assert!(matches!(family.sum(), 1 | 2), "{} is left", family.sum());
    });
}

/// Fails under mutant marks_before_last_look.
#[test]
fn what_is_set_beside_two_scans_is_shown_before_it_goes() {
    explore(200, 2, || {
        let (registry, clock) = (Registry::new(), HandClock::default());
        registry.set_clock(clock.clone());
        let family = registry.gauge("load").labels(["k"]).expire_after(Duration::from_secs(1)).declare().unwrap();
        family.set(("a",), 1.0).unwrap();
        collect(&registry);
        clock.0.store(1, Ordering::Relaxed);
        let writer = spawn({
            let family = family.clone();
            move || family.set(("a",), 5.0).unwrap()
        });
        let shows = || collect(&registry).family("load").unwrap().metrics().any(|metric| level(&metric.point()) == 5.0);
        let shown = shows() | shows();
        writer.join().unwrap();
        assert!(shown || shows(), "nobody ever saw it");
    });
}

/// Fails under mutant hide_nothing, tombstone_relaxed.
#[test]
fn a_hidden_series_of_a_full_family_is_not_taken_for_one_too_many() {
    explore(20, None, || {
        let (registry, family) = idle(1);
        family.inc(("too many",)).unwrap();
        // A look-up that the system has stopped in the middle: what is hidden stays so.
        let stopped = pin().expect("there is no limit to slabs");
        let writer = spawn({
            let family = family.clone();
            move || family.inc(("a",)).unwrap()
        });
        collect(&registry);
        writer.join().unwrap();
        assert_eq!(family.overflowed(), 1, "it has its place");
        assert_eq!(family.find(("a",)).unwrap().unwrap().value(), 2);
        drop(stopped);
    });
}

/// Fails under mutant hides_relaxed, hide_relaxed.
#[test]
fn a_series_that_is_back_is_not_taken_for_one_too_many() {
    explore(20, 3, || {
        let (registry, family) = idle(1);
        family.inc(("too many",)).unwrap();
        let stopped = pin().expect("there is no limit to slabs");
        collect(&registry);
        drop(stopped);
        // It is hidden, and held: the next collection puts it back.
        let held = family.find(("a",)).unwrap().unwrap();
        let writer = spawn({
            let family = family.clone();
            move || family.inc(("a",)).unwrap()
        });
        collect(&registry);
        writer.join().unwrap();
        assert_eq!(family.overflowed(), 1, "it has its place");
        assert!(held.is_live());
        assert_eq!(held.value(), 2);
    });
}

/// Fails under mutant drop_for_others, unlink_unowned.
#[test]
fn who_owns_a_series_has_a_live_one() {
    explore(100, 3, || {
        let registry = Registry::new();
        let family = registry.counter("hits").labels(["k"]).declare().unwrap();
        let first = family.owned(("a",)).unwrap();
        first.inc();
        let other = spawn({
            let family = family.clone();
            move || {
                let owned = family.owned(("a",)).unwrap();
                owned.inc();
                assert!(owned.is_live(), "it went with another owner");
                owned.close().map_or(0, |last| total(&last))
            }
        });
        let handed_back = first.close().map_or(0, |last| total(&last));
        assert_eq!(handed_back + other.join().unwrap(), 2);
        assert_eq!(family.series_count(), 0);
    });
}

/// Fails under mutant unpin_relaxed.
#[test]
fn a_look_up_beside_the_end_of_an_owner_is_in_the_old_series_or_in_a_new_one() {
    explore(100, 3, || {
        let registry = Registry::new();
        let family = registry.counter("hits").labels(["k"]).declare().unwrap();
        let owned = family.owned(("a",)).unwrap();
        let writer = spawn({
            let family = family.clone();
            move || family.inc(("a",)).unwrap()
        });
        let handed_back = owned.close().map_or(0, |last| total(&last));
        writer.join().unwrap();
        assert_eq!(handed_back + family.sum(), 1);
    });
}
