//! `vise`: a group by derive, families looked up by index, its OpenMetrics text into a string that is kept.
//!
//! A family's key owns its values, as `prometheus-client`'s does, on which this is built.

use vise::{Buckets, Counter, Family, Format, Histogram, Metrics, Registry};

use crate::{
    inputs::THRESHOLDS,
    peer::{Counting, Peer, Values},
};

/// Three labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, vise::EncodeLabelSet)]
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

/// All there is.
#[derive(Clone, Debug, Metrics)]
pub struct Group {
    /// Requests
    requests: Counter,
    /// Latency
    #[metrics(buckets = Buckets::values(&THRESHOLDS))]
    latency: Histogram,
    /// Requests
    http_requests: Family<Labels, Counter>,
    /// Latency
    #[metrics(buckets = Buckets::values(&THRESHOLDS))]
    http_latency: Family<Labels, Histogram>,
}

/// The group and its registry.
#[derive(Debug)]
pub struct Vise {
    group: Group,
    registry: Registry,
}

impl Peer for Vise {
    const NAME: &'static str = "vise";
    const COUNTING: Counting = Counting::OneAtomic;

    type Counter = Counter;
    type Histogram = Histogram;
    type Counters = Family<Labels, Counter>;
    type Histograms = Family<Labels, Histogram>;
    type Page = String;

    fn new(_: usize) -> Self {
        let (group, mut registry) = (Group::default(), Registry::empty());
        registry.register_metrics(&group);
        Self { group, registry }
    }

    fn counter(&mut self) -> Counter {
        self.group.requests.clone()
    }

    fn inc(counter: &Counter) {
        counter.inc();
    }

    fn histogram(&mut self) -> Option<Histogram> {
        Some(self.group.latency.clone())
    }

    fn observe(histogram: &Histogram, value: f64) {
        histogram.observe(value);
    }

    fn counters(&mut self) -> Option<Self::Counters> {
        Some(self.group.http_requests.clone())
    }

    fn inc_by(counters: &Self::Counters, values: Values<'_>) {
        counters[&values.into()].inc();
    }

    fn histograms(&mut self) -> Option<Self::Histograms> {
        Some(self.group.http_latency.clone())
    }

    fn observe_by(histograms: &Self::Histograms, values: Values<'_>, value: f64) {
        histograms[&values.into()].observe(value);
    }

    fn page(&self) -> Option<String> {
        Some(String::new())
    }

    fn render<'p>(&self, page: &'p mut String) -> &'p [u8] {
        page.clear();
        self.registry.encode(page, Format::OpenMetrics).expect("a string takes everything");
        page.as_bytes()
    }
}
