//! `metriken`: counters in its global list, a family whose members are handles, text by `metriken-exposition`.
//!
//! It has no look-up of a member by label values, so the members are made and held, and that question is not asked. Its histograms have
//! buckets of its own layout, of whole numbers, so questions about eleven thresholds and about their sums are not asked either. The
//! sharded group, made for counters that many threads meet on, is a setting of its own.

use std::sync::{Arc, Mutex};

use metriken::{Counter, CounterFamily, CounterMember, DynBoxedMetric, MetricBuilder, ShardedCounterGroup};
use metriken_exposition::{PrometheusOptions, prometheus_text};

use crate::{
    inputs::KEYS,
    peer::{Absent, Counting, Peer, Values},
};

/// Its list of metrics is the process's.
#[derive(Debug)]
pub struct Metriken;

/// A family and the members made so far. Both live as long as the process: a member borrows its family.
pub struct Members {
    family: &'static DynBoxedMetric<CounterFamily>,
    members: Mutex<Vec<CounterMember<'static>>>,
}

impl Peer for Metriken {
    const NAME: &'static str = "metriken";
    const COUNTING: Counting = Counting::OneAtomic;
    const LOOKS_UP: bool = false;

    type Counter = Arc<DynBoxedMetric<Counter>>;
    type Histogram = Absent;
    type Counters = Members;
    type Histograms = Absent;
    type Page = String;

    fn new(_: usize) -> Self {
        Self
    }

    fn counter(&mut self) -> Self::Counter {
        Arc::new(MetricBuilder::new("requests").description("Requests").build(Counter::new()))
    }

    fn inc(counter: &Self::Counter) {
        counter.increment();
    }

    fn histogram(&mut self) -> Option<Absent> {
        None
    }

    fn observe(histogram: &Absent, _: f64) {
        match *histogram {}
    }

    fn counters(&mut self) -> Option<Members> {
        let family = MetricBuilder::new("http_requests").description("Requests").build(CounterFamily::new());
        Some(Members { family: Box::leak(Box::new(family)), members: Mutex::default() })
    }

    fn inc_by(counters: &Members, values: Values<'_>) {
        let labels = [0, 1, 2].map(|at| (KEYS[at], values[at]));
        let member = counters.family.member(labels);
        member.increment();
        counters.members.lock().expect("nobody panicked").push(member);
    }

    fn histograms(&mut self) -> Option<Absent> {
        None
    }

    fn observe_by(histograms: &Absent, _: Values<'_>, _: f64) {
        match *histograms {}
    }

    fn page(&self) -> Option<String> {
        Some(String::new())
    }

    fn render<'p>(&self, page: &'p mut String) -> &'p [u8] {
        *page = prometheus_text(&PrometheusOptions::default());
        page.as_bytes()
    }
}

/// The same with its sharded counters.
#[derive(Debug)]
pub struct MetrikenSharded;

impl Peer for MetrikenSharded {
    const NAME: &'static str = "metriken, sharded";
    const COUNTING: Counting = Counting::Striped;

    type Counter = Arc<DynBoxedMetric<ShardedCounterGroup>>;
    type Histogram = Absent;
    type Counters = Absent;
    type Histograms = Absent;
    type Page = Absent;

    fn new(_: usize) -> Self {
        Self
    }

    fn counter(&mut self) -> Self::Counter {
        Arc::new(MetricBuilder::new("requests").build(ShardedCounterGroup::new(1)))
    }

    fn inc(counter: &Self::Counter) {
        counter.increment(0);
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
