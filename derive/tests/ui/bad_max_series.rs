use manometer::{Counter, Family, Metrics};

#[derive(Metrics)]
struct Http {
    #[metric(labels("peer"), max_series = 0)]
    peers: Family<Counter>,
}

fn main() {}
