//! What writing a page costs in each format, of what was collected before.

mod support;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use manometer::{
    Collector, Registry, RegistryOptions,
    encode::{Format, Page, encode},
    model::{Dialect, EscapingScheme},
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

/// Names that are not classic, as they are and escaped for who cannot read them.
fn foreign_names(c: &mut Criterion) {
    let registry = RegistryOptions::new().dialect(Dialect::Utf8).build();
    let family = registry.counter("http.server.requests").labels(KEYS.map(|key| format!("http.{key}"))).declare();
    let family = family.expect("nothing is wrong with it");
    for set in label_sets(10_000) {
        family.inc(borrowed(&set)).expect("three values");
    }
    let set = Collector::new(&registry).with_created(false).collect();
    let mut group = c.benchmark_group("encode 10 000 counters of foreign names");
    let mut page = Vec::new();
    for scheme in [EscapingScheme::AllowUtf8, EscapingScheme::Underscores] {
        group.bench_function(BenchmarkId::from_parameter(scheme.as_str()), |b| {
            b.iter(|| {
                page.clear();
                Page::new(&*set, Format::OpenMetrics).escaping(scheme).fill(&mut page, usize::MAX);
                black_box(page.len())
            });
        });
    }
}

criterion_group!(benches, counters, histograms, foreign_names);
criterion_main!(benches);
