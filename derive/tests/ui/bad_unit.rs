use manometer::{Counter, Metrics};

#[derive(Metrics)]
struct Disk {
    #[metric(unit = "m/s")]
    moved: Counter,
}

fn main() {}
