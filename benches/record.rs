//! What one update costs through a held handle: CPU time per operation, on 1, 2 and 8 threads.

mod support;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use support::sides::{self, Side};

/// Measures `side` on each number of threads.
fn measure(c: &mut Criterion, group: &str, name: &str, threads: &[usize], side: Side) {
    let mut group = c.benchmark_group(group);
    for &threads in threads {
        group.bench_function(BenchmarkId::new(name, threads), |b| {
            b.iter_custom(|ops| Duration::from_nanos((side(threads, ops) * ops as f64) as u64))
        });
    }
}

fn counters(c: &mut Criterion) {
    measure(c, "counter", "inc", &[1, 2, 8], sides::counter_inc());
    measure(c, "counter", "inc reloaded", &[1], sides::counter_inc_reloaded());
    measure(c, "counter", "fetch_add", &[1, 2, 8], sides::fetch_add());
    measure(c, "float", "add", &[1, 2, 8], sides::float_add());
    measure(c, "float", "atomic_float", &[1, 2, 8], sides::float_fetch_add());
}

fn gauges(c: &mut Criterion) {
    measure(c, "gauge", "add", &[1, 2, 8], sides::gauge_add());
    measure(c, "gauge", "up_down", &[1, 2, 8], sides::up_down_inc());
}

fn histograms(c: &mut Criterion) {
    measure(c, "histogram", "draw alone", &[1], sides::draw_alone());
    measure(c, "histogram", "observe", &[1, 2, 8], sides::observe());
    measure(c, "histogram", "observe native", &[1, 2, 8], sides::observe_native());
    measure(c, "histogram", "observe with quantiles", &[1, 2, 8], sides::observe_quantiles());
    measure(c, "histogram", "hot/cold", &[1, 2, 8], sides::observe_hot_cold());
}

criterion_group!(benches, counters, gauges, histograms);
criterion_main!(benches);
