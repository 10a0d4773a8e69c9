use manometer::{Counter, Family, Metrics};

#[derive(Metrics)]
struct Http {
    requests: Family<Counter>,
}

fn main() {}
