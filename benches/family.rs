//! What one update by label values costs: three labels, looked up each time, in CPU time per operation.

mod support;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use support::sides::{self, Side};

fn by_labels(c: &mut Criterion) {
    for series in [100, 10_000] {
        let mut group = c.benchmark_group(format!("by labels, {series} series"));
        let sides: [(&str, Side); 2] = [("family", sides::family_inc(series)), ("dashmap", sides::dash_inc(series))];
        for (name, side) in sides {
            for threads in [1, 2, 8] {
                group.bench_function(BenchmarkId::new(name, threads), |b| {
                    b.iter_custom(|ops| Duration::from_nanos((side(threads, ops) * ops as f64) as u64))
                });
            }
        }
    }
}

criterion_group!(benches, by_labels);
criterion_main!(benches);
