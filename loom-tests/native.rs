//! Native histograms: every reading is the state after a whole number of observations, wherever their buckets lie.

use std::sync::Arc;

use manometer::{
    arena::{Slot, SlotPool, arena, end_thread},
    cell::native::{HEAD_WIDTH, Scale},
    instrument::Natives,
};

use crate::{explore, spawn};

/// Three observations in two groups; the sum tells how many of them there are.
const VALUES: [f64; 3] = [1.0, 16.0, 1.0];

/// How many observations a reading holds, which agrees with itself.
fn progress(natives: &Natives, slot: Slot) -> usize {
    let held = natives.read(slot);
    let done = held.count() as usize;
    assert_eq!(held.sum, VALUES[..done].iter().sum::<f64>(), "the sum covers the {done} observations of the buckets");
    let large = held.counts.get(&natives.scale().bucket(VALUES[1])).copied().unwrap_or(0);
    assert_eq!(large, u64::from(done > 1), "each bucket has its own");
    done
}

/// Fails under mutant no_undo, no_validate.
#[test]
fn a_native_reading_is_a_growing_prefix() {
    explore(300, 2, || {
        let natives = Arc::new(Natives::new(Scale::new(0, 0.0)));
        let slot = SlotPool::new(HEAD_WIDTH, true).take(arena()).unwrap();
        let writer = spawn({
            let natives = natives.clone();
            move || VALUES.iter().for_each(|value| assert!(natives.record(slot, *value, 1)))
        });
        let first = progress(&natives, slot);
        let second = progress(&natives, slot);
        assert!(first <= second, "a reading went back");
        writer.join().unwrap();
        assert_eq!(progress(&natives, slot), VALUES.len());
        end_thread();
    });
}
