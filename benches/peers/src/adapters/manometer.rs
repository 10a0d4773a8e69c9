//! manometer: held handles, look-up by `family.inc`, a collector and a page that are kept.

use manometer::{
    Collector, Counter, Family, Histogram, Registry,
    encode::{Format, encode},
};

use crate::{
    inputs::{KEYS, THRESHOLDS},
    peer::{Counting, Peer, Values},
};

/// The registry.
#[derive(Debug)]
pub struct Manometer {
    registry: Registry,
    max_series: usize,
}

impl Peer for Manometer {
    const NAME: &'static str = "manometer";
    const COUNTING: Counting = Counting::Owned;

    type Counter = Counter;
    type Histogram = Histogram;
    type Counters = Family<Counter>;
    type Histograms = Family<Histogram>;
    type Page = (Collector, Vec<u8>);

    fn new(max_series: usize) -> Self {
        Self { registry: Registry::new(), max_series }
    }

    fn counter(&mut self) -> Counter {
        self.registry.counter("requests").help("Requests").single().expect("nothing is wrong with it")
    }

    fn inc(counter: &Counter) {
        counter.inc();
    }

    fn histogram(&mut self) -> Option<Histogram> {
        self.registry.histogram("latency").help("Latency").buckets(THRESHOLDS).single().ok()
    }

    fn observe(histogram: &Histogram, value: f64) {
        histogram.observe(value);
    }

    fn counters(&mut self) -> Option<Family<Counter>> {
        let declared = self.registry.counter("http_requests").help("Requests").labels(KEYS);
        declared.max_series(self.max_series).declare().ok()
    }

    fn inc_by(counters: &Family<Counter>, values: Values<'_>) {
        counters.inc(values).expect("three values");
    }

    fn histograms(&mut self) -> Option<Family<Histogram>> {
        let declared = self.registry.histogram("http_latency").help("Latency").buckets(THRESHOLDS).labels(KEYS);
        declared.max_series(self.max_series).declare().ok()
    }

    fn observe_by(histograms: &Family<Histogram>, values: Values<'_>, value: f64) {
        histograms.observe(values, value).expect("three values");
    }

    fn page(&self) -> Option<Self::Page> {
        // The peers' pages have no times of creation either.
        Some((Collector::new(&self.registry).with_created(false), Vec::new()))
    }

    fn render<'p>(&self, (collector, page): &'p mut Self::Page) -> &'p [u8] {
        page.clear();
        encode(&collector.collect(), Format::OpenMetrics, page);
        page
    }
}
