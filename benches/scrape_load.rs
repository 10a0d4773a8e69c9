//! What scrapes and writers cost each other: snapshots under writers, and a writer beside a scraper that never pauses.

mod support;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use support::load::{Beside, snapshots_under_writers, writer_speed};

/// The mean of a snapshot; `ratios` tells the percentiles.
fn snapshots(c: &mut Criterion) {
    let mut group = c.benchmark_group("snapshot of a histogram under writers");
    group.sample_size(10);
    for writers in [0, 1, 8, 32] {
        group.bench_function(BenchmarkId::from_parameter(writers), |b| {
            b.iter_custom(|times| {
                let seen = snapshots_under_writers(writers, times as usize);
                assert_eq!(seen.inexact, 0, "every snapshot is exact");
                Duration::from_nanos(seen.nanos.iter().sum::<f64>() as u64)
            })
        });
    }
}

/// The time of 1000 turns of a writer, an increment and an observation each.
fn writers(c: &mut Criterion) {
    let mut group = c.benchmark_group("1000 turns of a writer");
    group.sample_size(10);
    for beside in [Beside::Idle, Beside::Scrapes, Beside::CollectsHot] {
        group.bench_function(format!("{beside:?}"), |b| {
            b.iter_custom(|times| {
                let turns_per_second = writer_speed(beside, Duration::from_millis(50));
                Duration::from_secs_f64(1000.0 / turns_per_second * times as f64)
            })
        });
    }
}

criterion_group!(benches, snapshots, writers);
criterion_main!(benches);
