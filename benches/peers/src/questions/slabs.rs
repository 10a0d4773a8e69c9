//! How collecting grows with the threads that write: manometer alone, whose cells are one for each thread.

use std::{hint::black_box, sync::Barrier, thread};

use manometer::{Collector, Registry};

use crate::{
    clock::thread_cpu_ns,
    inputs::{KEYS, borrowed, label_sets},
    turns::Turn,
};

/// Counters, each written by every thread.
const SERIES: usize = 100_000;

/// A side for each number of threads that have written.
pub fn turns() -> Vec<Turn<'static>> {
    let sets = label_sets(SERIES);
    [1, 2, 4, 8, 16]
        .map(|threads| {
            let registry = Registry::new();
            let declared = registry.counter("http_requests").labels(KEYS).max_series(SERIES).declare();
            let family = declared.expect("nothing is wrong with it");
            let all_here = Barrier::new(threads);
            thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        for set in &sets {
                            family.inc(borrowed(set)).expect("three values");
                        }
                        // A thread that ends hands its slab on; these are to have one each.
                        all_here.wait();
                    });
                }
            });
            let collector = Collector::new(&registry).with_created(false);
            Turn::new("manometer", threads, move || {
                black_box(collector.collect());
                let before = thread_cpu_ns();
                black_box(collector.collect());
                vec![("cpu ns a series", (thread_cpu_ns() - before) as f64 / SERIES as f64)]
            })
        })
        .into()
}
