//! Totals are exact whatever threads do: many at once, short-lived, or recording while they end.

use std::{
    cell::RefCell,
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use manometer::{Collector, Counter, Histogram, MetricPoint, UpDownGauge};

use super::common::{family, registry, stress, together, value, while_running};

#[test]
fn gen_03_16_threads_of_a_million_adds_are_exact() {
    let registry = registry();
    let held = registry.counter("held").single().unwrap();
    let looked_up = registry.counter("looked_up").labels(["k"]).declare().unwrap();
    let float = registry.float_counter("float").single().unwrap();
    let adds = stress(1_000_000);
    let collector = Collector::new(&registry);
    let mut before = [0.0; 3];
    while_running(
        || {
            together(16, |thread| {
                for round in 0..adds {
                    held.inc();
                    if round % 8 == 0 {
                        looked_up.add((thread % 2,), 8).unwrap();
                        float.add(2.0);
                    }
                }
            });
        },
        || {
            let set = collector.collect();
            for (raw, before) in ["held", "looked_up", "float"].iter().zip(&mut before) {
                let total: f64 = family(&set, raw).metrics().map(|metric| value(&metric.point())).sum();
                assert!(total >= *before, "{raw} went from {before} to {total}");
                *before = total;
            }
        },
    );
    let all = 16 * adds as u64;
    assert_eq!(
        (held.value(), looked_up.sum(), float.value()),
        (all, 16 * 8 * adds.div_ceil(8) as u64, all as f64 / 4.0)
    );
}

#[test]
fn gau_01_a_level_never_reads_below_zero() {
    let registry = registry();
    let level = registry.up_down_gauge("level").single().unwrap();
    let shown = |value: f64| assert!(value >= 0.0, "{value} sessions");
    let (raised, lowered) = mpsc::sync_channel(64);
    let rounds = stress(200_000);
    let collector = Collector::new(&registry);
    while_running(
        || {
            thread::scope(|scope| {
                let (level, raised) = (&level, raised);
                scope.spawn(move || {
                    for round in 0..rounds {
                        let amount = 1 + (round % 3) as i64;
                        level.add(amount);
                        raised.send(amount).unwrap();
                    }
                });
                scope.spawn(move || lowered.iter().for_each(|amount| level.add(-amount)));
            });
        },
        || {
            shown(level.value() as f64);
            shown(value(&family(&collector.collect(), "level").metrics().next().unwrap().point()));
        },
    );
    assert_eq!(level.value(), 0);
}

/// Records when it is dropped, which a thread-local is while its thread ends.
struct Last(Counter, UpDownGauge, Histogram, manometer::Family<Counter>);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.inc();
        self.1.dec();
        self.2.observe(1.0);
        self.3.inc(("ended",)).expect("one value for one key");
        self.3.with_labels(("held",)).expect("one value for one key").inc();
    }
}

thread_local! {
    static EARLY: RefCell<Option<Last>> = const { RefCell::new(None) };
    static LATE: RefCell<Option<Last>> = const { RefCell::new(None) };
}

#[test]
fn gen_02_recording_while_a_thread_ends_counts() {
    let registry = registry();
    let counter = registry.counter("counter").single().unwrap();
    let level = registry.up_down_gauge("level").single().unwrap();
    let bounds = (0..100).map(f64::from);
    let histogram = registry.histogram("histogram").buckets(bounds).single().unwrap();
    let looked_up = registry.counter("looked_up").labels(["k"]).declare().unwrap();
    let last = || Some(Last(counter.clone(), level.clone(), histogram.clone(), looked_up.clone()));
    let batches = stress(200);
    for _ in 0..batches {
        together(4, |thread| {
            // Before the first record and after it: one is destroyed after the engine's own guard, the other before.
            if thread > 0 {
                EARLY.set(last());
            }
            level.add(if thread > 1 { 2 } else { 1 });
            counter.inc();
            if thread != 1 {
                LATE.set(last());
            }
            if thread == 0 {
                level.add(0);
            }
        });
    }
    let (threads, ended) = (4 * batches as u64, 6 * batches as u64);
    assert_eq!((counter.value(), level.value()), (threads + ended, 0));
    assert_eq!((histogram.count(), histogram.sum()), (ended, ended as f64));
    assert_eq!(looked_up.find(("ended",)).unwrap().unwrap().value(), ended);
    assert_eq!(looked_up.find(("held",)).unwrap().unwrap().value(), ended);
}

#[test]
fn gen_03_resets_and_clears_race_with_adds() {
    let registry = registry();
    let counter = registry.counter("counter").labels(["k"]).declare().unwrap();
    let summary = registry.summary("summary").labels(["k"]).declare().unwrap();
    let handles = [0, 1].map(|key| counter.with_labels((key,)).unwrap());
    let (taken, observed) = (AtomicU64::new(0), AtomicU64::new(0));
    let rounds = stress(300_000);
    let clear = || {
        for metric in counter.clear().metrics() {
            taken.fetch_add(value(&metric.point()) as u64, Ordering::Relaxed);
        }
        taken.fetch_add(handles[0].reset(), Ordering::Relaxed);
        for metric in summary.clear().metrics() {
            let MetricPoint::Summary(point) = metric.point() else { panic!("a summary's point") };
            assert_eq!(point.count as f64, point.sum, "a torn hand-over");
            observed.fetch_add(point.count, Ordering::Relaxed);
        }
    };
    while_running(
        || {
            together(4, |thread| {
                for round in 0..rounds {
                    match thread {
                        0 => handles[round % 2].inc(),
                        1 => counter.inc((round % 2,)).unwrap(),
                        _ => summary.observe((round % 2,), 1.0).unwrap(),
                    }
                }
            });
        },
        clear,
    );
    clear();
    assert_eq!((taken.into_inner(), observed.into_inner()), (2 * rounds as u64, 2 * rounds as u64));
    assert_eq!(counter.sum(), 0);
}

#[test]
fn gen_03_declaring_and_dropping_beside_writers_loses_nothing() {
    let running = AtomicBool::new(true);
    let rounds = stress(2_000);
    together(4, |thread| {
        if thread == 3 {
            // Other registries come and go, and their memory is used again.
            while running.load(Ordering::Acquire) {
                let other = registry();
                other.histogram("h").buckets([1.0, 2.0]).single().unwrap().observe_many(1.5, 77);
                other.counter("c").single().unwrap().add(77);
            }
            return;
        }
        for round in 0..rounds {
            let registry = registry();
            let counter = registry.counter("c").labels(["k"]).declare().unwrap();
            let histogram = registry.histogram("h").buckets([1.0, 2.0]).single().unwrap();
            let level = registry.up_down_gauge("l").single().unwrap();
            for key in 0..round % 10 {
                counter.inc((key,)).unwrap();
            }
            assert_eq!((counter.sum(), level.value()), (round as u64 % 10, 0), "an old value in a new family");
            assert_eq!((histogram.count(), histogram.sum()), (0, 0.0));
            histogram.observe(1.0);
            level.add(-9);
            assert_eq!((histogram.point().cumulative, level.value()), (vec![1, 1, 1], -9));
        }
        running.store(false, Ordering::Release);
    });
}
