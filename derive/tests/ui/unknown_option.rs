use manometer::{Counter, Metrics};

#[derive(Metrics)]
struct Http {
    #[metric(units = "bytes")]
    sent: Counter,
}

fn main() {}
