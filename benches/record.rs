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

/// With a source whose exemplar nobody has seen yet, so that none is due, and with one that never has labels, and is asked each time.
fn exemplars(c: &mut Criterion) {
    let trace = [("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736")];
    let none = None::<[(&str, &str); 1]>;
    measure(c, "exemplars", "inc, none due", &[1, 2], sides::counter_inc_asking(trace));
    measure(c, "exemplars", "inc, asks in vain", &[1, 2], sides::counter_inc_asking(none));
    measure(c, "exemplars", "observe, none due", &[1, 2], sides::observe_asking(trace));
    measure(c, "exemplars", "observe, asks in vain", &[1, 2], sides::observe_asking(none));
}

criterion_group!(benches, counters, gauges, histograms, exemplars);
criterion_main!(benches);
