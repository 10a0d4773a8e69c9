use manometer::{Counter, Family, GaugeHistogram, Histogram, Metrics, StateSet};

#[derive(Metrics)]
struct Http {
    latency: Histogram,
    queued: GaugeHistogram,
    state: StateSet,
    requests: Family<Counter>,
}

fn main() {}
