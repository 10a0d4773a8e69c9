//! `fast-telemetry`: counters striped over as many words as there are cores, label sets at run time, Prometheus text.
//!
//! Its histograms observe whole numbers, microseconds by custom; what is observed here is seconds, so the page's sum is a million times it.

use std::{sync::Arc, thread::available_parallelism};

use fast_telemetry::{Counter, DynamicCounter, DynamicHistogram, Histogram, PrometheusExport};

use crate::{
    inputs::{KEYS, THRESHOLDS},
    peer::{Counting, Peer, Values},
};

/// Whatever was declared.
pub struct FastTelemetry {
    max_series: usize,
    requests: Option<Arc<Counter>>,
    latency: Option<Arc<Histogram>>,
    http_requests: Option<Arc<DynamicCounter>>,
    http_latency: Option<Arc<DynamicHistogram>>,
}

fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

fn micros(seconds: f64) -> u64 {
    (seconds * 1e6) as u64
}

fn labels(values: Values<'_>) -> [(&'static str, &str); 3] {
    [(KEYS[0], values[0]), (KEYS[1], values[1]), (KEYS[2], values[2])]
}

impl Peer for FastTelemetry {
    const NAME: &'static str = "fast-telemetry";
    const COUNTING: Counting = Counting::Striped;
    const SUM_UNIT: f64 = 1e-6;

    type Counter = Arc<Counter>;
    type Histogram = Arc<Histogram>;
    type Counters = Arc<DynamicCounter>;
    type Histograms = Arc<DynamicHistogram>;
    type Page = String;

    fn new(max_series: usize) -> Self {
        Self { max_series, requests: None, latency: None, http_requests: None, http_latency: None }
    }

    fn counter(&mut self) -> Arc<Counter> {
        self.requests.insert(Arc::new(Counter::new(cores()))).clone()
    }

    fn inc(counter: &Arc<Counter>) {
        counter.inc();
    }

    fn histogram(&mut self) -> Option<Arc<Histogram>> {
        let histogram = Histogram::new(&THRESHOLDS.map(micros), cores());
        Some(self.latency.insert(Arc::new(histogram)).clone())
    }

    fn observe(histogram: &Arc<Histogram>, value: f64) {
        histogram.record(micros(value));
    }

    fn counters(&mut self) -> Option<Arc<DynamicCounter>> {
        // One more than asked for: near the limit it counts in its overflow series already.
        let counters = DynamicCounter::with_max_series(cores(), self.max_series + 1);
        Some(self.http_requests.insert(Arc::new(counters)).clone())
    }

    fn inc_by(counters: &Arc<DynamicCounter>, values: Values<'_>) {
        counters.inc(&labels(values));
    }

    fn histograms(&mut self) -> Option<Arc<DynamicHistogram>> {
        let histograms = DynamicHistogram::with_limits(&THRESHOLDS.map(micros), cores(), self.max_series + 1);
        Some(self.http_latency.insert(Arc::new(histograms)).clone())
    }

    fn observe_by(histograms: &Arc<DynamicHistogram>, values: Values<'_>, value: f64) {
        histograms.record(&labels(values), micros(value));
    }

    fn page(&self) -> Option<String> {
        Some(String::new())
    }

    fn render<'p>(&self, page: &'p mut String) -> &'p [u8] {
        page.clear();
        if let Some(metric) = &self.requests {
            metric.export_prometheus(page, "requests", "Requests");
        }
        if let Some(metric) = &self.latency {
            metric.export_prometheus(page, "latency", "Latency");
        }
        if let Some(metric) = &self.http_requests {
            metric.export_prometheus(page, "http_requests", "Requests");
        }
        if let Some(metric) = &self.http_latency {
            metric.export_prometheus(page, "http_latency", "Latency");
        }
        page.as_bytes()
    }
}
