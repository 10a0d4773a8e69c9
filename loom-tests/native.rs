//! Native histograms: every reading is the state after a whole number of observations, wherever their buckets lie.

use std::sync::Arc;

use manometer::{
    arena::{Slot, SlotPool, arena, end_thread},
    cell::native::{HEAD_WIDTH, Scale},
    instrument::Natives,
};

use crate::{explore, spawn};

/// What the two threads observe: two values each, whose buckets are in two groups.
const BEFORE: [f64; 2] = [1.0, 16.0];
const MEANWHILE: [f64; 2] = [16.0, 1.0];

/// How many observations of the writer a reading holds, which agrees with itself.
fn progress(natives: &Natives, slot: Slot) -> usize {
    let held = natives.read(slot);
    let done = held.count() as usize - BEFORE.len();
    let sum: f64 = BEFORE.iter().chain(&MEANWHILE[..done]).sum();
    assert_eq!(held.sum, sum, "the sum covers the {done} observations of the buckets");
    let large = held.counts.get(&natives.scale().bucket(16.0)).copied().unwrap_or(0);
    assert_eq!(large, 1 + u64::from(done > 0), "each bucket has its own");
    done
}

/// Fails under mutant no_undo, no_validate, undo_from_first_word, bucket_after_commit, no_announce, one_sum_slot, sum_relaxed, bucket_relaxed,
/// commit_relaxed, announce_relaxed, first_read_relaxed, cells_read_relaxed.
#[test]
fn a_native_reading_is_a_growing_prefix() {
    explore(300, 2, || {
        let natives = Arc::new(Natives::new(Scale::new(0, 0.0)));
        let slot = SlotPool::new(HEAD_WIDTH, true).take(arena()).unwrap();
        let observe = |values: [f64; 2]| {
            let natives = natives.clone();
            spawn(move || values.iter().for_each(|value| assert!(natives.record(slot, *value, 1))))
        };
        // Groups and the slab's chunk are made under locks that loom does not see: the writer takes over a slab that has them.
        observe(BEFORE).join().unwrap();
        let writer = observe(MEANWHILE);
        let first = progress(&natives, slot);
        let second = progress(&natives, slot);
        assert!(first <= second, "a reading went back");
        writer.join().unwrap();
        assert_eq!(progress(&natives, slot), MEANWHILE.len());
        end_thread();
    });
}
