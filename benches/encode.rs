//! What writing a page costs in each format, of what was collected before.

mod support;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use manometer::{
    Collector, Registry,
    encode::{Format, encode},
};
use support::{
    inputs::{KEYS, Observations, THRESHOLDS, XorShift, borrowed, label_sets},
    pages::written_counters,
};

const FORMATS: [Format; 3] = [Format::OpenMetrics, Format::Text, Format::Protobuf];

fn pages(c: &mut Criterion, group: &str, registry: &Registry) {
    let set = Collector::new(registry).with_created(false).collect();
    let mut group = c.benchmark_group(group);
    let mut page = Vec::new();
    for format in FORMATS {
        group.bench_function(BenchmarkId::from_parameter(format!("{format:?}")), |b| {
            b.iter(|| {
                page.clear();
                encode(&set, format, &mut page);
                black_box(page.len())
            });
        });
    }
}

fn counters(c: &mut Criterion) {
    pages(c, "encode 10 000 counters", &written_counters(10_000, 1));
}

fn histograms(c: &mut Criterion) {
    let registry = Registry::new();
    let declared = registry.histogram("latency").buckets(THRESHOLDS).labels(KEYS).declare();
    let family = declared.expect("nothing is wrong with it");
    let (values, mut random) = (Observations::new(), XorShift::of_thread(0));
    for set in label_sets(1000) {
        family.observe(borrowed(&set), values.draw(&mut random)).expect("three values");
    }
    pages(c, "encode 1000 histograms", &registry);
}

criterion_group!(benches, counters, histograms);
criterion_main!(benches);
