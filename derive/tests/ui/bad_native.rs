use manometer::{Histogram, Metrics};

#[derive(Metrics)]
struct Http {
    #[metric(native(schema = 9))]
    latency: Histogram,
    #[metric(native(schema = -5))]
    size: Histogram,
    #[metric(native(zero_threshold = -0.1))]
    offset: Histogram,
    #[metric(native(max_buckets = 0))]
    age: Histogram,
    #[metric(native(factor = 1.1))]
    wait: Histogram,
}

fn main() {}
