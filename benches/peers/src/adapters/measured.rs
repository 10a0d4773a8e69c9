//! `measured`: a group by derive, labels interned by `ParaCord` as in its own benches, the buffered encoder.

use std::sync::Arc;

use measured::{
    Counter, CounterVec, Histogram, HistogramVec, LabelGroup, MetricGroup, metric::histogram::Thresholds,
    text::BufferedTextEncoder,
};
use paracord::ParaCord;

use crate::{
    inputs::THRESHOLDS,
    peer::{Counting, Peer, Values},
};

const BUCKETS: usize = THRESHOLDS.len();

/// Three labels.
#[derive(Clone, Copy, LabelGroup)]
#[label(set = LabelSet)]
struct Labels<'a> {
    #[label(dynamic_with = ParaCord)]
    method: &'a str,
    #[label(dynamic_with = ParaCord)]
    path: &'a str,
    #[label(dynamic_with = ParaCord)]
    status: &'a str,
}

impl<'a> From<Values<'a>> for Labels<'a> {
    fn from([method, path, status]: Values<'a>) -> Self {
        Self { method, path, status }
    }
}

/// All there is.
#[derive(MetricGroup)]
pub struct Group {
    /// Requests
    requests: Counter,
    /// Latency
    latency: Histogram<BUCKETS>,
    /// Requests
    http_requests: CounterVec<LabelSet>,
    /// Latency
    http_latency: HistogramVec<LabelSet, BUCKETS>,
}

fn label_set() -> LabelSet {
    LabelSet { method: ParaCord::default(), path: ParaCord::default(), status: ParaCord::default() }
}

/// The group.
pub struct Measured(Arc<Group>);

impl Peer for Measured {
    const NAME: &'static str = "measured";
    const COUNTING: Counting = Counting::OneAtomic;

    type Counter = Arc<Group>;
    type Histogram = Arc<Group>;
    type Counters = Arc<Group>;
    type Histograms = Arc<Group>;
    type Page = (BufferedTextEncoder, Vec<u8>);

    fn new(_: usize) -> Self {
        let thresholds = || Thresholds::with_buckets(THRESHOLDS);
        Self(Arc::new(Group {
            requests: Counter::new(),
            latency: Histogram::with_metadata(thresholds()),
            http_requests: CounterVec::with_label_set(label_set()),
            http_latency: HistogramVec::with_label_set_and_metadata(label_set(), thresholds()),
        }))
    }

    fn counter(&mut self) -> Arc<Group> {
        self.0.clone()
    }

    fn inc(group: &Arc<Group>) {
        group.requests.inc();
    }

    fn histogram(&mut self) -> Option<Arc<Group>> {
        Some(self.0.clone())
    }

    fn observe(group: &Arc<Group>, value: f64) {
        group.latency.observe(value);
    }

    fn counters(&mut self) -> Option<Arc<Group>> {
        Some(self.0.clone())
    }

    fn inc_by(group: &Arc<Group>, values: Values<'_>) {
        group.http_requests.inc(values.into());
    }

    fn histograms(&mut self) -> Option<Arc<Group>> {
        Some(self.0.clone())
    }

    fn observe_by(group: &Arc<Group>, values: Values<'_>, value: f64) {
        group.http_latency.observe(values.into(), value);
    }

    fn page(&self) -> Option<Self::Page> {
        Some((BufferedTextEncoder::new(), Vec::new()))
    }

    fn render<'p>(&self, (encoder, page): &'p mut Self::Page) -> &'p [u8] {
        self.0.collect_group_into(encoder).expect("memory takes everything");
        // `Bytes` of its own; taking them into the vector, if they are the only ones, copies nothing.
        *page = encoder.finish().into();
        page
    }
}
