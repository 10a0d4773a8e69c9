//! `opentelemetry` with `opentelemetry_sdk`: bound instruments where labels are known, attributes where not, and the page of
//! `opentelemetry-prometheus`, written by `prometheus`.

use opentelemetry::{
    KeyValue,
    metrics::{BoundCounter, BoundHistogram, Counter, Histogram, Meter, MeterProvider},
};
use opentelemetry_sdk::metrics::{Instrument, SdkMeterProvider, Stream};
use prometheus::{Registry, TextEncoder};

use crate::{
    inputs::{KEYS, THRESHOLDS},
    peer::{Counting, Peer, Values},
};

/// The provider, and the registry that it is read into.
pub struct OpenTelemetry {
    registry: Registry,
    meter: Meter,
    _provider: SdkMeterProvider,
}

fn attributes(values: Values<'_>) -> [KeyValue; 3] {
    [0, 1, 2].map(|at| KeyValue::new(KEYS[at], values[at].to_owned()))
}

impl Peer for OpenTelemetry {
    const NAME: &'static str = "opentelemetry";
    const COUNTING: Counting = Counting::OneAtomic;

    type Counter = BoundCounter<u64>;
    type Histogram = BoundHistogram<f64>;
    type Counters = Counter<u64>;
    type Histograms = Histogram<f64>;
    type Page = String;

    fn new(max_series: usize) -> Self {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone()).without_target_info();
        let exporter = exporter.build().expect("its names are new");
        let view = move |_: &Instrument| Stream::builder().with_cardinality_limit(max_series.max(1)).build().ok();
        let provider = SdkMeterProvider::builder().with_reader(exporter).with_view(view).build();
        Self { registry, meter: provider.meter("peers"), _provider: provider }
    }

    fn counter(&mut self) -> BoundCounter<u64> {
        self.meter.u64_counter("requests").with_description("Requests").build().bind(&[])
    }

    fn inc(counter: &BoundCounter<u64>) {
        counter.add(1);
    }

    fn histogram(&mut self) -> Option<BoundHistogram<f64>> {
        let histogram = self.meter.f64_histogram("latency").with_description("Latency");
        Some(histogram.with_boundaries(THRESHOLDS.to_vec()).build().bind(&[]))
    }

    fn observe(histogram: &BoundHistogram<f64>, value: f64) {
        histogram.record(value);
    }

    fn counters(&mut self) -> Option<Counter<u64>> {
        Some(self.meter.u64_counter("http_requests").with_description("Requests").build())
    }

    fn inc_by(counters: &Counter<u64>, values: Values<'_>) {
        counters.add(1, &attributes(values));
    }

    fn histograms(&mut self) -> Option<Histogram<f64>> {
        let histogram = self.meter.f64_histogram("http_latency").with_description("Latency");
        Some(histogram.with_boundaries(THRESHOLDS.to_vec()).build())
    }

    fn observe_by(histograms: &Histogram<f64>, values: Values<'_>, value: f64) {
        histograms.record(value, &attributes(values));
    }

    fn page(&self) -> Option<String> {
        Some(String::new())
    }

    fn render<'p>(&self, page: &'p mut String) -> &'p [u8] {
        page.clear();
        TextEncoder::new().encode_utf8(&self.registry.gather(), page).expect("a string takes everything");
        page.as_bytes()
    }
}
