//! `prometheus`: integer counters, vectors looked up by `with_label_values`, text into a string that is kept.

use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry, TextEncoder};

use crate::{
    inputs::{KEYS, THRESHOLDS},
    peer::{Counting, Peer, Values},
};

/// The registry.
#[derive(Debug)]
pub struct Prometheus(Registry);

impl Prometheus {
    fn register<C: prometheus::core::Collector + Clone + 'static>(&self, collector: C) -> C {
        self.0.register(Box::new(collector.clone())).expect("its name is new");
        collector
    }
}

fn histogram_options(name: &str) -> HistogramOpts {
    HistogramOpts::new(name, "Latency").buckets(THRESHOLDS.to_vec())
}

impl Peer for Prometheus {
    const NAME: &'static str = "prometheus";
    const COUNTING: Counting = Counting::OneAtomic;

    type Counter = IntCounter;
    type Histogram = Histogram;
    type Counters = IntCounterVec;
    type Histograms = HistogramVec;
    type Page = String;

    fn new(_: usize) -> Self {
        Self(Registry::new())
    }

    fn counter(&mut self) -> IntCounter {
        self.register(IntCounter::new("requests", "Requests").expect("nothing is wrong with it"))
    }

    fn inc(counter: &IntCounter) {
        counter.inc();
    }

    fn histogram(&mut self) -> Option<Histogram> {
        Some(self.register(Histogram::with_opts(histogram_options("latency")).ok()?))
    }

    fn observe(histogram: &Histogram, value: f64) {
        histogram.observe(value);
    }

    fn counters(&mut self) -> Option<IntCounterVec> {
        Some(self.register(IntCounterVec::new(Opts::new("http_requests", "Requests"), &KEYS).ok()?))
    }

    fn inc_by(counters: &IntCounterVec, values: Values<'_>) {
        counters.with_label_values(&values).inc();
    }

    fn histograms(&mut self) -> Option<HistogramVec> {
        Some(self.register(HistogramVec::new(histogram_options("http_latency"), &KEYS).ok()?))
    }

    fn observe_by(histograms: &HistogramVec, values: Values<'_>, value: f64) {
        histograms.with_label_values(&values).observe(value);
    }

    fn page(&self) -> Option<String> {
        Some(String::new())
    }

    fn render<'p>(&self, page: &'p mut String) -> &'p [u8] {
        page.clear();
        TextEncoder::new().encode_utf8(&self.0.gather(), page).expect("a string takes everything");
        page.as_bytes()
    }
}
