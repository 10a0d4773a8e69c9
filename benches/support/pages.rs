//! Registries with many series, and a scraper of them.

use manometer::{
    Collector, Counter, Family, Registry,
    encode::{Format, encode},
};

use super::inputs::{KEYS, borrowed, label_sets};

/// A registry with one family of counters, which may have so many series and has none yet.
pub fn counters(series: usize) -> (Registry, Family<Counter>) {
    let registry = Registry::new();
    let declared =
        registry.counter("http_requests").help("Requests answered").labels(KEYS).max_series(series).declare();
    let family = declared.expect("nothing is wrong with it");
    (registry, family)
}

/// Adds one to each of `sets`: the first time, that makes them.
pub fn touch(family: &Family<Counter>, sets: &[[String; 3]]) {
    for set in sets {
        family.inc(borrowed(set)).expect("three values");
    }
}

/// A registry with `series` counters that `slabs` threads have written to, each to all of them.
pub fn written_counters(series: usize, slabs: usize) -> Registry {
    let (registry, family) = counters(series);
    let sets = label_sets(series);
    let all_here = std::sync::Barrier::new(slabs);
    std::thread::scope(|scope| {
        for _ in 0..slabs {
            scope.spawn(|| {
                touch(&family, &sets);
                all_here.wait();
            });
        }
    });
    registry
}

/// Collects and encodes, in memory that it keeps.
#[derive(Debug)]
pub struct Scraper {
    collector: Collector,
    page: Vec<u8>,
}

impl Scraper {
    /// A scraper that leaves creation times out.
    pub fn new(registry: &Registry) -> Self {
        Self { collector: Collector::new(registry).with_created(false), page: Vec::new() }
    }

    /// One scrape; returns the length of the page.
    pub fn scrape(&mut self) -> usize {
        self.page.clear();
        let skipped = encode(&self.collector.collect(), Format::OpenMetrics, &mut self.page);
        assert_eq!(skipped, 0, "every metric is sound");
        self.page.len()
    }
}
