//! Series that come and go under many writers: every increment is found exactly once.

use manometer::{Collector, Counter, Family, LabelError, MetricPoint, Registry, RegistryOptions, collect};
use shuttle::rand::{Rng, thread_rng};

use crate::{on_threads, spawn, sum, under_many_schedules};

/// Labels in use: more than the first table of an index takes.
const LABELS: u32 = 7;

fn some_label() -> u32 {
    thread_rng().gen_range(0..LABELS)
}

fn total(point: &MetricPoint) -> u64 {
    match point {
        MetricPoint::Counter(point) => point.total.as_f64() as u64,
        other => panic!("no counter: {other:?}"),
    }
}

fn family(registry: &Registry) -> Family<Counter> {
    registry.counter("hits").labels(["k"]).declare().unwrap()
}

/// Five threads that add `times` each, by labels and by handles.
fn writers(family: &Family<Counter>, times: u64) -> Vec<shuttle::thread::JoinHandle<u64>> {
    let family = family.clone();
    on_threads(5, move |thread| {
        for round in 0..times {
            match (thread as u64 + round) % 3 {
                0 => family.with_partial_label(some_label()).unwrap().inc(()).unwrap(),
                _ => family.inc((some_label(),)).unwrap(),
            }
        }
        times
    })
}

/// Fails under mutant remove_before_final_read, no_recheck_insert, no_zero.
#[test]
fn increments_by_label_are_found_once_beside_removers_and_collectors() {
    under_many_schedules(|| {
        let registry = Registry::new();
        let family = family(&registry);
        let writers = writers(&family, 4);
        let remover = spawn({
            let family = family.clone();
            move || {
                let one = |_| family.remove((some_label(),)).unwrap().map_or(0, |point| total(&point));
                let removed: u64 = (0..4).map(one).sum();
                removed + family.remove_all().metrics().map(|metric| total(&metric.point())).sum::<u64>()
            }
        });
        let collector = spawn({
            let registry = registry.clone();
            move || {
                for _ in 0..3 {
                    let set = collect(&registry);
                    let labels: Vec<_> = set
                        .family("hits")
                        .unwrap()
                        .metrics()
                        .map(|metric| metric.value("k").unwrap().to_owned())
                        .collect();
                    assert!(labels.windows(2).all(|pair| pair[0] < pair[1]), "a row twice, or unsorted: {labels:?}");
                }
            }
        });
        let added = sum(writers);
        collector.join().unwrap();
        assert_eq!(remover.join().unwrap() + family.sum(), added);
    });
}

/// Fails under mutant no_recheck_insert.
#[test]
fn a_family_keeps_its_limit_and_every_increment() {
    under_many_schedules(|| {
        let registry = RegistryOptions::new().max_series(3).build();
        let family = family(&registry);
        let writers = writers(&family, 3);
        let remover = spawn({
            let family = family.clone();
            move || family.remove((some_label(),)).unwrap().map_or(0, |point| total(&point))
        });
        for _ in 0..3 {
            assert!(family.series_count() <= 3 && family.metrics().count() <= 4);
        }
        let added = sum(writers);
        assert_eq!(remover.join().unwrap() + family.sum(), added);
        // What was not refused a place is not in the overflow series.
        let overflow = family.find((":overflow",)).unwrap().map_or(0, |series| series.value());
        assert_eq!(overflow, family.overflowed());
    });
}

/// Fails under mutant no_recheck_insert.
#[test]
fn a_total_by_label_never_steps_back_while_the_table_grows() {
    under_many_schedules(|| {
        let registry = Registry::new();
        let family = family(&registry);
        let writers = writers(&family, 4);
        let collector = Collector::new(&registry);
        let mut before = 0;
        for _ in 0..4 {
            let set = collector.collect();
            let now = set.family("hits").unwrap().metrics().map(|metric| total(&metric.point())).sum();
            assert!(before <= now, "the totals went from {before} to {now}");
            before = now;
        }
        assert_eq!(sum(writers), family.sum());
    });
}

/// Fails under mutant publish_unlocked, order_before_books.
#[test]
fn sums_are_published_all_at_once_to_every_scraper() {
    under_many_schedules(|| {
        let registry = Registry::new();
        let family = registry.gauge("sessions").labels(["state"]).declare().unwrap();
        let publisher = spawn({
            let family = family.clone();
            move || {
                for round in 1..4 {
                    let count = |tally: &mut manometer::Tally<'_>| {
                        (0..round).try_for_each(|state| tally.add((state,), f64::from(round)))
                    };
                    family.accumulate(count).unwrap_or_else(|error: LabelError| panic!("{error}"));
                }
            }
        });
        let scrapers = on_threads(4, move |_| {
            let set = collect(&registry);
            let values: Vec<f64> = set
                .family("sessions")
                .unwrap()
                .metrics()
                .map(|metric| match metric.point() {
                    MetricPoint::Gauge(value) => value.as_f64(),
                    other => panic!("no gauge: {other:?}"),
                })
                .collect();
            // In round n there are n series, and each is n.
            assert!(values.iter().all(|value| *value == values.len() as f64), "half published: {values:?}");
            0
        });
        sum(scrapers);
        publisher.join().unwrap();
    });
}
