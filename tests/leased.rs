//! The tests of behaviour once more, in a process in which no thread owns a slab: every record leases one.

#![allow(clippy::duplicate_mod, reason = "each file brings the common ground along")]

#[path = "behaviour_counter.rs"]
mod counter;
#[path = "behaviour_gauge.rs"]
mod gauge;
#[path = "behaviour_histogram.rs"]
mod histogram;
#[path = "behaviour_iteration.rs"]
mod iteration;
#[path = "behaviour_labels.rs"]
mod labels;
#[path = "behaviour_registry.rs"]
mod registry;
#[path = "behaviour_summary.rs"]
mod summary;

#[test]
fn no_thread_owns_a_slab() {
    assert_eq!(manometer::slab_counts().owned, 0);
}
