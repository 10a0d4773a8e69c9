//! `metrics` with `metrics-exporter-prometheus`: handles from the recorder itself, which is what the macros come to, one look at the
//! global recorder later.
//!
//! A histogram keeps every observation until the upkeep that the documentation wants every few seconds; it is run between
//! measurements. Labels are owned strings, which is what the macros make of values that are known at run time.

use metrics::{Counter, Histogram, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::{
    inputs::{KEYS, THRESHOLDS},
    peer::{Counting, Peer, Values},
};

static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// The recorder.
pub struct Metrics(std::sync::Arc<PrometheusRecorder>);

fn key(name: &'static str, values: Values<'_>) -> Key {
    let labels = [0, 1, 2].map(|at| Label::new(KEYS[at], values[at].to_owned()));
    Key::from_parts(name, labels.to_vec())
}

impl Peer for Metrics {
    const NAME: &'static str = "metrics";
    const COUNTING: Counting = Counting::OneAtomic;

    type Counter = Counter;
    type Histogram = Histogram;
    type Counters = std::sync::Arc<PrometheusRecorder>;
    type Histograms = std::sync::Arc<PrometheusRecorder>;
    type Page = (PrometheusHandle, Vec<u8>);

    fn new(_: usize) -> Self {
        let builder = PrometheusBuilder::new().set_buckets(&THRESHOLDS).expect("there are some");
        Self(builder.build_recorder().into())
    }

    fn counter(&mut self) -> Counter {
        self.0.register_counter(&Key::from_static_name("requests"), &METADATA)
    }

    fn inc(counter: &Counter) {
        counter.increment(1);
    }

    fn histogram(&mut self) -> Option<Histogram> {
        Some(self.0.register_histogram(&Key::from_static_name("latency"), &METADATA))
    }

    fn observe(histogram: &Histogram, value: f64) {
        histogram.record(value);
    }

    fn counters(&mut self) -> Option<Self::Counters> {
        Some(self.0.clone())
    }

    fn inc_by(counters: &Self::Counters, values: Values<'_>) {
        counters.register_counter(&key("http_requests", values), &METADATA).increment(1);
    }

    fn histograms(&mut self) -> Option<Self::Histograms> {
        Some(self.0.clone())
    }

    fn observe_by(histograms: &Self::Histograms, values: Values<'_>, value: f64) {
        histograms.register_histogram(&key("http_latency", values), &METADATA).record(value);
    }

    fn page(&self) -> Option<Self::Page> {
        Some((self.0.handle(), Vec::new()))
    }

    fn render<'p>(&self, (handle, page): &'p mut Self::Page) -> &'p [u8] {
        page.clear();
        handle.render_to_write(page).expect("a vector takes everything");
        page
    }

    fn upkeep(&self) {
        self.0.handle().run_upkeep();
    }
}
