//! The tests of behaviour and of stress once more, with no thread owning a slab: every record leases one.

#![allow(clippy::duplicate_mod, reason = "each file brings its own `common`, and here they meet")]

mod common;

#[path = "behaviour_counter.rs"]
mod behaviour_counter;
#[path = "behaviour_gauge.rs"]
mod behaviour_gauge;
#[path = "behaviour_histogram.rs"]
mod behaviour_histogram;
#[path = "behaviour_iteration.rs"]
mod behaviour_iteration;
#[path = "behaviour_labels.rs"]
mod behaviour_labels;
#[path = "behaviour_life.rs"]
mod behaviour_life;
#[path = "behaviour_registry.rs"]
mod behaviour_registry;
#[path = "behaviour_summary.rs"]
mod behaviour_summary;
#[path = "behaviour_timer.rs"]
mod behaviour_timer;
#[path = "behaviour_types.rs"]
mod behaviour_types;
#[path = "programs/main.rs"]
mod programs;
#[path = "stress/main.rs"]
mod stress;

#[test]
fn every_thread_of_this_binary_leases() {
    common::each_engine(|engine| {
        assert_eq!(engine, common::Engine::Leased);
        let registry = common::registry();
        let counter = registry.counter("c").single().unwrap();
        engine.spread(common::ROUNDS, |_| counter.inc());
        let slabs = manometer::slab_counts();
        assert_eq!((slabs.owned, slabs.max_owned), (0, 0));
        assert!(slabs.leased > 0);
    });
}
