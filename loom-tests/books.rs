//! The books beside the cells: what a reset hands back, and sums that are published all at once.

use manometer::{Counter, Family, Gauge, LabelError, Registry, collect};

use crate::{explore, spawn};

/// A counter at 1, and a slab that waits for its next writer.
fn counter() -> (Registry, Counter) {
    let registry = Registry::new();
    let counter = registry.counter("hits").single().unwrap();
    let first = spawn({
        let counter = counter.clone();
        move || counter.inc()
    });
    first.join().unwrap();
    (registry, counter)
}

/// Fails under mutant base_read_again, reset_in_two_steps.
#[test]
fn an_increment_is_in_what_a_reset_hands_back_or_in_what_is_left() {
    explore(5, None, || {
        let (_registry, counter) = counter();
        let writer = spawn({
            let counter = counter.clone();
            move || counter.inc()
        });
        let taken = counter.reset();
        writer.join().unwrap();
        assert_eq!(taken + counter.value(), 2);
    });
}

/// Fails under mutant base_read_again, reset_in_two_steps.
#[test]
fn two_resets_hand_back_an_increment_once() {
    explore(400, 3, || {
        let (_registry, counter) = counter();
        let writer = spawn({
            let counter = counter.clone();
            move || counter.inc()
        });
        let other = spawn({
            let counter = counter.clone();
            move || counter.reset()
        });
        let taken = counter.reset() + other.join().unwrap();
        writer.join().unwrap();
        assert_eq!(taken + counter.value(), 2);
    });
}

/// The values of a family's gauges as a scrape shows them.
fn shown(registry: &Registry) -> Vec<(String, f64)> {
    let set = collect(registry);
    let metrics = set.family("sessions").unwrap().metrics().map(|metric| {
        let manometer::MetricPoint::Gauge(value) = metric.point() else { panic!("no gauge") };
        (metric.value("state").unwrap().to_owned(), value.as_f64())
    });
    metrics.collect()
}

fn publish(family: &Family<Gauge>, state: &str) {
    family.accumulate(|tally| tally.add([state], 1.0)).unwrap_or_else(|error: LabelError| panic!("{error}"));
}

/// Fails under mutant publish_unlocked, order_before_books.
#[test]
fn sums_are_published_all_at_once() {
    explore(10, None, || {
        let registry = Registry::new();
        let family = registry.gauge("sessions").labels(["state"]).declare().unwrap();
        publish(&family, "busy");
        let old = shown(&registry);
        let counting = spawn({
            let family = family.clone();
            move || publish(&family, "idle")
        });
        let now = shown(&registry);
        let new = vec![("busy".to_owned(), 0.0), ("idle".to_owned(), 1.0)];
        assert!(now == old || now == new, "half old and half new: {now:?}");
        counting.join().unwrap();
        assert_eq!(shown(&registry), new);
    });
}
