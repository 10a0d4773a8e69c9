//! What a scrape costs on an idle engine: collecting, encoding, and what the first one after many new series adds.

mod support;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use manometer::{Collector, Registry};
use support::{
    inputs::{KEYS, Observations, THRESHOLDS, XorShift, borrowed, label_sets},
    pages::{self, Scraper},
};

const SERIES: usize = 100_000;

fn counters(c: &mut Criterion) {
    let mut group = c.benchmark_group("100 000 counters");
    group.sample_size(20);
    for slabs in [1, 8] {
        let registry = pages::written_counters(SERIES, slabs);
        let collector = Collector::new(&registry).with_created(false);
        group.bench_function(BenchmarkId::new("collect", slabs), |b| b.iter(|| drop(black_box(collector.collect()))));
        let mut scraper = Scraper::new(&registry);
        group.bench_function(BenchmarkId::new("collect and encode", slabs), |b| b.iter(|| scraper.scrape()));
    }
}

/// The order of labels is made by the first collection after series came or went.
fn first(c: &mut Criterion) {
    let sets = label_sets(SERIES);
    let mut group = c.benchmark_group("100 000 counters");
    group.sample_size(10);
    group.bench_function("first collect", |b| {
        b.iter_custom(|times| {
            let one = || {
                let (registry, family) = pages::counters(SERIES);
                pages::touch(&family, &sets);
                let collector = Collector::new(&registry);
                let begun = Instant::now();
                drop(collector.collect());
                begun.elapsed()
            };
            (0..times).map(|_| one()).sum::<Duration>()
        })
    });
}

fn histograms(c: &mut Criterion) {
    let mut group = c.benchmark_group("histograms");
    let (values, mut random) = (Observations::new(), XorShift::of_thread(0));
    for series in [1, 1000] {
        let registry = Registry::new();
        let declared = registry.histogram("latency").buckets(THRESHOLDS).labels(KEYS).declare();
        let family = declared.expect("nothing is wrong with it");
        for set in label_sets(series) {
            family.observe(borrowed(&set), values.draw(&mut random)).expect("three values");
        }
        let mut scraper = Scraper::new(&registry);
        group.bench_function(BenchmarkId::new("collect and encode", series), |b| b.iter(|| scraper.scrape()));
    }
}

criterion_group!(benches, counters, first, histograms);
criterion_main!(benches);
