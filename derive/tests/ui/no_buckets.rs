use manometer::{Histogram, Metrics};

#[derive(Metrics)]
struct Http {
    latency: Histogram,
}

fn main() {}
