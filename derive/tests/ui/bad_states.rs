use manometer::{Metrics, StateSet};

#[derive(Metrics)]
struct Parts {
    #[metric(states = ["on", "off", "on"])]
    lamp: StateSet,
    #[metric(states = ["on", ""])]
    pump: StateSet,
    #[metric(states = [])]
    valve: StateSet,
}

fn main() {}
