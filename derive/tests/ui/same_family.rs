use manometer::{Counter, Gauge, Metrics};

#[derive(Metrics)]
#[metrics(prefix = "http")]
struct Http {
    requests: Counter,
    #[metric(name = "requests")]
    open: Gauge,
}

fn main() {}
