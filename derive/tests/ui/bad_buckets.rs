use manometer::{GaugeHistogram, Histogram, Metrics};

#[derive(Metrics)]
struct Http {
    #[metric(buckets = [0.1, 1.0, 0.5])]
    latency: Histogram,
    #[metric(buckets = [1, 2])]
    queued: GaugeHistogram,
}

fn main() {}
