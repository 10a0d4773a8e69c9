use manometer::{Metrics, Summary};

#[derive(Metrics)]
struct Http {
    #[metric(quantiles = [0.5, 99.0], interval = std::time::Duration::from_secs(60))]
    latency: Summary,
    #[metric(quantiles = [0.5, 0.9, 0.5], interval = std::time::Duration::from_secs(60))]
    size: Summary,
    #[metric(quantiles = [0, 1], interval = std::time::Duration::from_secs(60))]
    wait: Summary,
    #[metric(quantiles = [0.5])]
    age: Summary,
    #[metric(interval = std::time::Duration::from_secs(60))]
    depth: Summary,
}

fn main() {}
