//! `metrics-lib`: handles from the registry, a label set for each look-up, text into a string that is kept.
//!
//! A label set owns the values that are known at run time only. The sharded counter, which the documentation advises where many threads
//! meet on one counter, is a setting of its own.

use std::sync::Arc;

use metrics_lib::{Counter, Histogram, LabelSet, Registry, ShardedCounter, exporters::prometheus};

use crate::{
    inputs::{KEYS, THRESHOLDS},
    peer::{Absent, Counting, Peer, Values},
};

/// The registry.
pub struct MetricsLib(Arc<Registry>);

fn labels(values: Values<'_>) -> LabelSet {
    LabelSet::from([0, 1, 2].map(|at| (KEYS[at], values[at].to_owned())))
}

fn registry(max_series: usize) -> Arc<Registry> {
    Arc::new(Registry::with_cardinality_cap(max_series + 8))
}

impl Peer for MetricsLib {
    const NAME: &'static str = "metrics-lib";
    const COUNTING: Counting = Counting::OneAtomic;

    type Counter = Arc<Counter>;
    type Histogram = Arc<Histogram>;
    type Counters = Arc<Registry>;
    type Histograms = Arc<Registry>;
    type Page = String;

    fn new(max_series: usize) -> Self {
        Self(registry(max_series))
    }

    fn counter(&mut self) -> Arc<Counter> {
        self.0.counter("requests")
    }

    fn inc(counter: &Arc<Counter>) {
        counter.inc();
    }

    fn histogram(&mut self) -> Option<Arc<Histogram>> {
        self.0.configure_histogram("latency", THRESHOLDS).ok()?;
        Some(self.0.histogram("latency"))
    }

    fn observe(histogram: &Arc<Histogram>, value: f64) {
        histogram.observe(value);
    }

    fn counters(&mut self) -> Option<Arc<Registry>> {
        Some(self.0.clone())
    }

    fn inc_by(registry: &Arc<Registry>, values: Values<'_>) {
        registry.counter_with("http_requests", &labels(values)).inc();
    }

    fn histograms(&mut self) -> Option<Arc<Registry>> {
        self.0.configure_histogram("http_latency", THRESHOLDS).ok()?;
        Some(self.0.clone())
    }

    fn observe_by(registry: &Arc<Registry>, values: Values<'_>, value: f64) {
        registry.histogram_with("http_latency", &labels(values)).observe(value);
    }

    fn page(&self) -> Option<String> {
        Some(String::new())
    }

    fn render<'p>(&self, page: &'p mut String) -> &'p [u8] {
        page.clear();
        prometheus::render_into(page, &self.0);
        page.as_bytes()
    }
}

/// The registry, asked for sharded counters.
pub struct MetricsLibSharded(Arc<Registry>);

impl Peer for MetricsLibSharded {
    const NAME: &'static str = "metrics-lib, sharded";
    const COUNTING: Counting = Counting::Striped;

    type Counter = Arc<ShardedCounter>;
    type Histogram = Absent;
    type Counters = Absent;
    type Histograms = Absent;
    type Page = Absent;

    fn new(max_series: usize) -> Self {
        Self(registry(max_series))
    }

    fn counter(&mut self) -> Arc<ShardedCounter> {
        self.0.sharded_counter("requests")
    }

    fn inc(counter: &Arc<ShardedCounter>) {
        counter.inc();
    }

    fn histogram(&mut self) -> Option<Absent> {
        None
    }

    fn observe(histogram: &Absent, _: f64) {
        match *histogram {}
    }

    fn counters(&mut self) -> Option<Absent> {
        None
    }

    fn inc_by(counters: &Absent, _: Values<'_>) {
        match *counters {}
    }

    fn histograms(&mut self) -> Option<Absent> {
        None
    }

    fn observe_by(histograms: &Absent, _: Values<'_>, _: f64) {
        match *histograms {}
    }

    fn page(&self) -> Option<Absent> {
        None
    }

    fn render<'p>(&self, page: &'p mut Absent) -> &'p [u8] {
        match *page {}
    }
}
