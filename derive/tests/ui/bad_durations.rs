use manometer::{Counter, Family, Metrics, Summary};

#[derive(Metrics)]
struct Http {
    #[metric(labels("peer"), expire_after = std::time::Duration::ZERO)]
    peers: Family<Counter>,
    #[metric(labels("peer"), expire_after = "10s")]
    bytes: Family<Counter>,
    #[metric(quantiles = [0.5], interval = std::time::Duration::from_secs(0))]
    latency: Summary,
    #[metric(quantiles = [0.5], interval = 60)]
    size: Summary,
}

fn main() {}
