//! `prometheus-client`: a label set of its own type, looked up by `get_or_create`, text into a string that is kept.
//!
//! The type owns its values, so each look-up makes three strings: the interface takes a label set by reference and no borrowed one.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

use crate::{
    inputs::THRESHOLDS,
    peer::{Counting, Peer, Values},
};

/// Three labels.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Labels {
    method: String,
    path: String,
    status: String,
}

impl From<Values<'_>> for Labels {
    fn from([method, path, status]: Values<'_>) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), status: status.to_owned() }
    }
}

/// The registry.
#[derive(Debug)]
pub struct PrometheusClient(Registry);

impl Peer for PrometheusClient {
    const NAME: &'static str = "prometheus-client";
    const COUNTING: Counting = Counting::OneAtomic;

    type Counter = Counter;
    type Histogram = Histogram;
    type Counters = Family<Labels, Counter>;
    type Histograms = Family<Labels, Histogram, fn() -> Histogram>;
    type Page = String;

    fn new(_: usize) -> Self {
        Self(Registry::default())
    }

    fn counter(&mut self) -> Counter {
        let counter = Counter::default();
        self.0.register("requests", "Requests", counter.clone());
        counter
    }

    fn inc(counter: &Counter) {
        counter.inc();
    }

    fn histogram(&mut self) -> Option<Histogram> {
        let histogram = Histogram::new(THRESHOLDS);
        self.0.register("latency", "Latency", histogram.clone());
        Some(histogram)
    }

    fn observe(histogram: &Histogram, value: f64) {
        histogram.observe(value);
    }

    fn counters(&mut self) -> Option<Self::Counters> {
        let family = Family::default();
        self.0.register("http_requests", "Requests", family.clone());
        Some(family)
    }

    fn inc_by(counters: &Self::Counters, values: Values<'_>) {
        counters.get_or_create(&values.into()).inc();
    }

    fn histograms(&mut self) -> Option<Self::Histograms> {
        let family: Self::Histograms = Family::new_with_constructor(|| Histogram::new(THRESHOLDS));
        self.0.register("http_latency", "Latency", family.clone());
        Some(family)
    }

    fn observe_by(histograms: &Self::Histograms, values: Values<'_>, value: f64) {
        histograms.get_or_create(&values.into()).observe(value);
    }

    fn page(&self) -> Option<String> {
        Some(String::new())
    }

    fn render<'p>(&self, page: &'p mut String) -> &'p [u8] {
        page.clear();
        encode(page, &self.0).expect("a string takes everything");
        page.as_bytes()
    }
}
