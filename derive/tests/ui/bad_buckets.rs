use manometer::{Histogram, Metrics};

#[derive(Metrics)]
struct Http {
    #[metric(buckets = [0.1, 1.0, 0.5])]
    latency: Histogram,
}

fn main() {}
