//! Series that come and go under their writers: nothing is counted twice, nothing is lost, nothing old is shown.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use manometer::{Clock, Collector, MetricPoint, collect, slab_counts};

use super::common::{family, options, registry, stress, together, value, while_running};

#[test]
fn reg_10_gen_03_adding_and_removing_one_label_set_loses_nothing() {
    let registry = registry();
    let counter = registry.counter("c").labels(["a", "b"]).declare().unwrap();
    let view = counter.with_partial_label("x").unwrap();
    let taken = AtomicU64::new(0);
    let rounds = stress(300_000);
    while_running(
        || {
            together(4, |thread| {
                for round in 0..rounds {
                    match (thread, round % 64) {
                        (0, 0) => view.inc(("y",)).unwrap(),
                        (0, _) => view.add(("y",), 1).unwrap(),
                        _ => counter.inc(("x", "y")).unwrap(),
                    }
                }
            });
        },
        || {
            if let Some(point) = counter.remove(("x", "y")).unwrap() {
                taken.fetch_add(value(&point) as u64, Ordering::Relaxed);
            }
            for metric in view.remove_all().metrics() {
                taken.fetch_add(value(&metric.point()) as u64, Ordering::Relaxed);
            }
        },
    );
    assert!(taken.load(Ordering::Relaxed) > 0 || counter.sum() > 0);
    assert_eq!(taken.into_inner() + counter.sum(), 4 * rounds as u64);
}

#[test]
fn reg_10_gen_03_removed_histograms_are_handed_back_whole() {
    let registry = registry();
    for buckets in [8, 100] {
        let name = format!("h{buckets}");
        let bounds = (1..=buckets).map(f64::from);
        let histogram = registry.histogram(&name).buckets(bounds).labels(["k"]).declare().unwrap();
        let taken = AtomicU64::new(0);
        let rounds = stress(100_000);
        let take = |point: MetricPoint| {
            let MetricPoint::Histogram(point) = point else { panic!("a histogram's point") };
            assert_eq!(point.count() as f64, point.sum, "a torn hand-over");
            taken.fetch_add(point.count(), Ordering::Relaxed);
        };
        while_running(
            || together(3, |_| (0..rounds).for_each(|round| histogram.observe((round % 3,), 1.0).unwrap())),
            || (0..3).filter_map(|key| histogram.remove((key,)).unwrap()).for_each(take),
        );
        histogram.remove_all().metrics().for_each(|metric| take(metric.point()));
        assert_eq!(taken.into_inner(), 3 * rounds as u64, "{buckets} buckets");
    }
}

#[test]
fn reg_11_the_limit_holds_under_concurrent_inserts() {
    let registry = options().max_series(100).build();
    let counter = registry.counter("c").labels(["k"]).declare().unwrap();
    let rounds = stress(20_000);
    while_running(
        || together(8, |thread| (0..rounds).for_each(|round| counter.inc(((thread * 7 + round) % 1000,)).unwrap())),
        || {
            let set = collect(&registry);
            assert!(family(&set, "c").len() <= 101 && counter.series_count() <= 100);
        },
    );
    let all = 8 * rounds as u64;
    let overflow = counter.find((":overflow",)).unwrap().unwrap().value();
    assert_eq!((counter.series_count(), counter.metrics().count(), counter.sum()), (100, 101, all));
    assert_eq!(registry.health().series_overflow, overflow, "each look-up beyond the limit is counted");
    assert_eq!(overflow, all - counter.metrics().map(|(_, metric)| metric.value()).sum::<u64>() + overflow);
}

#[test]
fn reg_13_the_same_labels_from_many_threads_are_one_series() {
    let registry = registry();
    let counter = registry.counter("c").labels(["round", "k"]).declare().unwrap();
    let rounds = stress(2_000).min(20_000);
    together(4, |_| {
        for round in 0..rounds {
            counter.with_labels((round, "held")).unwrap().inc();
            counter.inc((round, "looked up")).unwrap();
        }
    });
    assert_eq!((counter.series_count(), counter.sum()), (2 * rounds, 8 * rounds as u64));
    assert!(counter.metrics().all(|(_, metric)| metric.value() == 4));
}

#[test]
fn reg_10_a_new_series_never_shows_an_old_value() {
    let registry = registry();
    let counter = registry.counter("c").labels(["k"]).declare().unwrap();
    let histogram = registry.histogram("h").buckets((1..100).map(f64::from)).labels(["k"]).declare().unwrap();
    let level = registry.up_down_gauge("l").labels(["k"]).declare().unwrap();
    let rounds = stress(20_000);
    let cycle = |thread: usize| {
        for round in 0..rounds {
            // Held now and then beyond its removal, so that slots come back out of order.
            let held = (round % 5 == 0).then(|| counter.with_labels((thread,)).unwrap());
            counter.add((thread,), 3).unwrap();
            let point = counter.remove((thread,)).unwrap().unwrap();
            assert_eq!(value(&point), 3.0, "in round {round}");
            if let Some(held) = held {
                held.add(1000);
                assert_eq!(held.value(), 1003);
            }
            histogram.observe((thread,), (1 + round % 50) as f64).unwrap();
            let MetricPoint::Histogram(point) = histogram.remove((thread,)).unwrap().unwrap() else {
                panic!("no point")
            };
            assert_eq!((point.count(), point.sum), (1, (1 + round % 50) as f64));
            let new = level.with_labels((thread,)).unwrap();
            assert_eq!(new.value(), 0);
            new.add(-5);
            assert_eq!(value(&level.remove((thread,)).unwrap().unwrap()), -5.0);
        }
    };
    while_running(
        || together(3, cycle),
        || {
            let set = collect(&registry);
            for metric in family(&set, "c").metrics() {
                assert!([0.0, 3.0].contains(&value(&metric.point())), "{metric:?}");
            }
        },
    );
    assert_eq!((counter.series_count(), histogram.series_count(), level.series_count()), (0, 0, 0));
}

#[test]
fn itr_01_a_set_that_is_held_does_not_change() {
    let registry = registry();
    let counter = registry.counter("c").labels(["k"]).declare().unwrap();
    let mut held = Vec::new();
    while_running(
        || {
            together(2, |thread| {
                for round in 0..stress(20_000) {
                    counter.inc((thread,)).unwrap();
                    counter.inc((1000 + round % 100,)).unwrap();
                    counter.remove((1000 + (round + 50) % 100,)).unwrap();
                }
            });
        },
        || {
            let set = collect(&registry);
            let rows: Vec<_> = family(&set, "c").metrics().map(|m| format!("{m:?}")).collect();
            held.push((set, rows));
            held.drain(..held.len().saturating_sub(50));
        },
    );
    for (set, rows) in &held {
        let now = family(set, "c").metrics().map(|m| format!("{m:?}"));
        assert!(now.eq(rows.iter().cloned()), "a set changed while it was held");
    }
    assert!(!held.is_empty());
}

/// A clock that stands still until it is moved.
#[derive(Clone, Default)]
struct HandClock(Arc<AtomicU64>);

impl Clock for HandClock {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

/// With `MANOMETER_STRESS=1` in a release build, a million series live and go.
#[test]
fn reg_10_gen_03_series_are_added_expire_and_come_back_while_scraped() {
    let (registry, clock) = (registry(), HandClock::default());
    registry.set_clock(clock.clone());
    let (rounds, at_once) = (20, stress(50_000));
    let hits = registry.counter("hits").labels(["k", "round"]).max_series(4 * at_once);
    let hits = hits.expire_after(Duration::from_secs(1)).declare().unwrap();
    let collector = Collector::new(&registry);
    // What each series that lives has shown last, by labels and creation; and what those had that are gone.
    let mut living: HashMap<(u64, u64), u64> = HashMap::new();
    let (mut ended, mut resident, mut total) = (0, Vec::new(), 0);
    for round in 0..rounds {
        while_running(
            || together(3, |thread| (thread..at_once).step_by(3).for_each(|k| hits.inc((k, round % 3)).unwrap())),
            || {
                // A scrape, at a time that does not move: nothing expires, and nothing waits.
                collector.collect();
            },
        );
        total += at_once as u64;
        let before = std::mem::take(&mut living);
        for metric in collect(&registry).family("hits").unwrap().metrics() {
            let MetricPoint::Counter(point) = metric.point() else { panic!("a counter's point") };
            let number = |key| metric.value(key).unwrap().parse::<u64>().unwrap();
            let key = (4 * number("k") + number("round"), point.created.unwrap().millis());
            living.insert(key, point.total.as_f64() as u64);
        }
        ended += before.iter().filter(|(key, _)| !living.contains_key(*key)).map(|(_, total)| total).sum::<u64>();
        clock.0.fetch_add(1, Ordering::Relaxed);
        resident.push(resident_kib());
    }
    assert_eq!(ended + living.values().sum::<u64>(), total, "an increment was lost");
    drop(living);
    assert!(hits.series_count() <= 3 * at_once, "{} series", hits.series_count());
    assert_eq!(hits.overflowed(), 0);
    // A look-up of another test that the system has stopped puts it off, as one of this family would.
    for _ in 0..10_000 {
        clock.0.fetch_add(1, Ordering::Relaxed);
        collector.collect();
        if hits.series_count() == 0 {
            break;
        }
        std::thread::yield_now();
    }
    assert_eq!(hits.series_count(), 0);
    assert!(slab_counts().owned <= slab_counts().max_owned);
    // Flat: what the first rounds took serves the others.
    let (early, late) = (resident[rounds / 2], resident[rounds - 1]);
    assert!(late <= early + early / 4 + 30_000, "{resident:?} KiB");
}

/// Memory of this process that is in the machine; 0 where the system does not say.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|kib| kib.parse().ok()).unwrap_or_default()
}

#[test]
fn reg_10_a_new_series_takes_over_no_reset() {
    let registry = registry();
    let counter = registry.counter("c").labels(["k"]).declare().unwrap();
    // Each round resets a series and removes it; in time its slot goes to another, which must not start below zero.
    for round in 0..stress(10_000) {
        let held = counter.with_labels((round,)).unwrap();
        held.add(7);
        assert_eq!((held.value(), held.reset()), (7, 7), "in round {round}");
        held.add(2);
        drop(held);
        assert_eq!(value(&counter.remove((round,)).unwrap().unwrap()), 2.0, "in round {round}");
    }
}
