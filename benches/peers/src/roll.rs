//! All peers, as functions that know their types: a loop over an operation is compiled for the very peer, so no call stands between.

use crate::{
    adapters::{
        self, FastMetrics, FastTelemetry, Manometer, Metrics, MetricsLib, MetricsLibSharded, Metriken, MetrikenSharded,
        OpenTelemetry, Prometheus, PrometheusClient, Vise,
    },
    peer::{Counting, Peer},
    questions::{correct, create, page, record, scrape},
    turns::Measured,
};

/// What an operation costs on so many threads, which do so many operations each.
pub type Side = Box<dyn Fn(usize, u64) -> Measured>;

/// Renders a page; what that cost.
pub type PageSide = Box<dyn FnMut() -> Measured>;

/// One peer.
pub struct Entry {
    /// Its name, as [`Peer::NAME`].
    pub name: &'static str,
    /// How its counter counts.
    pub counting: Counting,
    /// Increments of one counter.
    pub counter: fn() -> Side,
    /// Observations in one histogram.
    pub histogram: fn() -> Option<Side>,
    /// Look-ups among so many series.
    pub labels: fn(usize) -> Option<Side>,
    /// Creates series and prints what they cost; only once in a process.
    pub create: fn(),
    /// Whether it has counters by label values, and a page.
    pub creates: bool,
    /// Pages of so many counters.
    pub counters_page: fn(usize) -> Option<PageSide>,
    /// Pages of so many histograms.
    pub histograms_page: fn(usize) -> Option<PageSide>,
    /// A writer alone, and beside a scraper.
    pub scrape: fn() -> Option<scrape::Sides>,
    /// What is right and what is not.
    pub correct: fn() -> Measured,
}

fn entry<P: Peer>() -> Entry {
    let mut peer = P::new(1);
    let creates = peer.counters().is_some() && peer.page().is_some();
    Entry {
        name: P::NAME,
        counting: P::COUNTING,
        counter: record::counter::<P>,
        histogram: record::histogram::<P>,
        labels: record::labels::<P>,
        create: create::child::<P>,
        creates,
        counters_page: page::counters::<P>,
        histograms_page: page::histograms::<P>,
        scrape: scrape::sides::<P>,
        correct: correct::examine::<P>,
    }
}

/// All of them, manometer first.
pub fn all() -> Vec<Entry> {
    vec![
        entry::<Manometer>(),
        entry::<Prometheus>(),
        entry::<PrometheusClient>(),
        entry::<Metrics>(),
        entry::<adapters::Measured>(),
        entry::<FastMetrics>(),
        entry::<FastTelemetry>(),
        entry::<MetricsLib>(),
        entry::<MetricsLibSharded>(),
        entry::<Metriken>(),
        entry::<MetrikenSharded>(),
        entry::<OpenTelemetry>(),
        entry::<Vise>(),
    ]
}
