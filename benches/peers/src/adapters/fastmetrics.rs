//! `fastmetrics`: a label set of its own type, looked up by `with_or_new`, text into a string that is kept.
//!
//! The type owns its values, as `prometheus-client`'s does, and for the same reason.

use fastmetrics::{
    derive::LabelSet,
    format::text::{self, TextProfile},
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

use crate::{
    inputs::THRESHOLDS,
    peer::{Counting, Peer, Values},
};

/// Three labels.
#[derive(Clone, Debug, Eq, PartialEq, Hash, LabelSet)]
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
pub struct FastMetrics(Registry);

impl Peer for FastMetrics {
    const NAME: &'static str = "fastmetrics";
    const COUNTING: Counting = Counting::OneAtomic;

    type Counter = Counter;
    type Histogram = Histogram;
    type Counters = Family<Labels, Counter>;
    type Histograms = Family<Labels, Histogram>;
    type Page = String;

    fn new(_: usize) -> Self {
        Self(Registry::builder().build().expect("nothing is wrong with it"))
    }

    fn counter(&mut self) -> Counter {
        let counter = Counter::default();
        self.0.register("requests", "Requests", counter.clone()).expect("its name is new");
        counter
    }

    fn inc(counter: &Counter) {
        counter.inc();
    }

    fn histogram(&mut self) -> Option<Histogram> {
        let histogram = Histogram::new(THRESHOLDS);
        self.0.register("latency", "Latency", histogram.clone()).ok()?;
        Some(histogram)
    }

    fn observe(histogram: &Histogram, value: f64) {
        histogram.observe(value);
    }

    fn counters(&mut self) -> Option<Self::Counters> {
        let family = Family::default();
        self.0.register("http_requests", "Requests", family.clone()).ok()?;
        Some(family)
    }

    fn inc_by(counters: &Self::Counters, values: Values<'_>) {
        counters.with_or_new(&values.into(), |counter| counter.inc());
    }

    fn histograms(&mut self) -> Option<Self::Histograms> {
        let family = Family::new(|| Histogram::new(THRESHOLDS));
        self.0.register("http_latency", "Latency", family.clone()).ok()?;
        Some(family)
    }

    fn observe_by(histograms: &Self::Histograms, values: Values<'_>, value: f64) {
        histograms.with_or_new(&values.into(), |histogram| histogram.observe(value));
    }

    fn page(&self) -> Option<String> {
        Some(String::new())
    }

    fn render<'p>(&self, page: &'p mut String) -> &'p [u8] {
        page.clear();
        text::encode(page, &self.0, TextProfile::default()).expect("a string takes everything");
        page.as_bytes()
    }
}
