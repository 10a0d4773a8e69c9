//! Collections that several scrapers share.

use std::sync::Arc;

use manometer::{Collector, MetricPoint, Registry, model::Number};

use crate::{explore, spawn};

/// The total of the only metric, as a scraper gets it.
fn scrape(collector: &Collector) -> Number {
    let set = collector.collect();
    match set.family("hits").and_then(|family| family.metrics().next()).map(|metric| metric.point()) {
        Some(MetricPoint::Counter(point)) => point.total,
        other => panic!("no counter: {other:?}"),
    }
}

/// Fails under mutant ask_relaxed, begin_relaxed, share_older.
#[test]
fn a_shared_collection_holds_what_each_scraper_did_before() {
    explore(400, None, || {
        let registry = Registry::new();
        let counter = registry.counter("hits").single().unwrap();
        let collector = Arc::new(Collector::new(&registry).with_created(false));
        let scraper = spawn({
            let collector = collector.clone();
            move || {
                counter.inc();
                assert_eq!(scrape(&collector), Number::Unsigned(1));
            }
        });
        scrape(&collector);
        scraper.join().unwrap();
    });
}
