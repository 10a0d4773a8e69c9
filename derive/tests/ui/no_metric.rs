use manometer::Metrics;

#[derive(Metrics)]
struct Http {
    name: String,
}

fn main() {}
