use manometer::{Counter, Metrics};

#[derive(Metrics)]
struct Http {
    #[metric(buckets = [0.1])]
    requests: Counter,
}

fn main() {}
