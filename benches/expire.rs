//! What looking for idle series costs: collections of a million counters whose family expires, and of as many that stay; and what a writer
//! spends on an update meanwhile.

mod support;

use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use manometer::{Collector, Counter, Family, Registry};
use support::inputs::{KEYS, borrowed, label_sets};

const SERIES: usize = 1_000_000;

/// Longer than any bench.
const IDLE: Duration = Duration::from_secs(24 * 60 * 60);

/// A registry with a million counters.
fn million(expires: bool) -> (Registry, Family<Counter>) {
    let registry = Registry::new();
    let declaration = registry.counter("http_requests").labels(KEYS).max_series(SERIES);
    let declaration = if expires { declaration.expire_after(IDLE) } else { declaration };
    let family = declaration.declare().expect("nothing is wrong with it");
    for set in label_sets(SERIES) {
        family.inc(borrowed(&set)).expect("three values");
    }
    (registry, family)
}

fn scan(c: &mut Criterion) {
    let mut group = c.benchmark_group("1 000 000 counters");
    group.sample_size(20);
    for (name, expires) in [("collect", false), ("collect and look for idle ones", true)] {
        let (registry, _family) = million(expires);
        let collector = Collector::new(&registry).with_created(false);
        group.bench_function(name, |b| b.iter(|| drop(black_box(collector.collect()))));
    }
}

/// One increment through a handle, while collections follow one another on another core.
fn writers(c: &mut Criterion) {
    let mut group = c.benchmark_group("inc beside collections");
    group.sample_size(20);
    for (name, expires) in [("that only read", false), ("that look for idle series", true)] {
        let (registry, family) = million(expires);
        let collector = Collector::new(&registry).with_created(false);
        let counter = family.with_labels(["GET", "/api/v1/tenants/000000/items", "200"]).expect("three values");
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                // Relaxed: nothing but the flag is read.
                while !done.load(Ordering::Relaxed) {
                    drop(black_box(collector.collect()));
                }
            });
            group.bench_function(name, |b| {
                b.iter_custom(|times| {
                    let begun = Instant::now();
                    (0..times).for_each(|_| black_box(&counter).inc());
                    begun.elapsed()
                });
            });
            done.store(true, Ordering::Relaxed);
        });
    }
}

criterion_group!(benches, scan, writers);
criterion_main!(benches);
