//! What a new series costs: 100 000 of them with three labels, made by one thread in an empty family.

mod support;

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use support::{inputs::label_sets, pages};

const SERIES: usize = 100_000;

fn create(c: &mut Criterion) {
    let sets = label_sets(SERIES);
    let mut group = c.benchmark_group("create");
    group.sample_size(10).throughput(Throughput::Elements(SERIES as u64));
    group.bench_function("100 000 series", |b| {
        b.iter_custom(|times| {
            let one = || {
                let (_registry, family) = pages::counters(SERIES);
                let begun = Instant::now();
                pages::touch(&family, &sets);
                begun.elapsed()
            };
            (0..times).map(|_| one()).sum::<Duration>()
        })
    });
}

criterion_group!(benches, create);
criterion_main!(benches);
