use manometer::{Counter, Metrics};

#[derive(Metrics)]
struct Disk {
    #[metric(unit = "bytes")]
    #[metric(unit = "seconds")]
    moved: Counter,
}

fn main() {}
