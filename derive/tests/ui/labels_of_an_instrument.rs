use manometer::{Counter, Metrics};

#[derive(Metrics)]
struct Http {
    #[metric(labels("method"))]
    requests: Counter,
}

fn main() {}
