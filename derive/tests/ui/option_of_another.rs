use std::time::Duration;

use manometer::{Counter, Family, Gauge, Histogram, Info, Metrics, StateSet, Summary, Unknown};

#[derive(Metrics)]
struct Http {
    #[metric(buckets = [0.1])]
    requests: Counter,
    #[metric(native)]
    size: Summary,
    #[metric(exemplars = [("pod", "a-1")])]
    level: Gauge,
    #[metric(quantiles = [0.5], interval = Duration::from_secs(60))]
    open: Gauge,
    #[metric(states = ["on", "off"])]
    odd: Unknown,
    #[metric(text = [("version", "1")], labels("version"))]
    versions: Family<Info>,
    #[metric(unit = "seconds", states = ["on", "off"])]
    state: StateSet,
    #[metric(labels("method"))]
    hits: Counter,
    #[metric(max_series = 10)]
    misses: Counter,
    #[metric(expire_after = Duration::from_secs(60), buckets = [0.1])]
    latency: Histogram,
}

fn main() {}
