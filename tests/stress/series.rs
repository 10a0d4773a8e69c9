//! Series that come and go under their writers: nothing is counted twice, nothing is lost, nothing old is shown.

use std::sync::atomic::{AtomicU64, Ordering};

use manometer::{MetricPoint, collect};

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
