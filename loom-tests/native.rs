//! Native histograms: every reading is the state after a whole number of observations, wherever their buckets lie.

use std::sync::Arc;

use manometer::{
    arena::{Slot, SlotPool, arena, end_thread},
    cell::native::{HEAD_WIDTH, Scale},
    instrument::{Natives, native::Held},
};

use crate::{explore, spawn};

/// What the two threads observe: two values each.
struct Plan {
    /// Where classic buckets end, if there are any.
    thresholds: &'static [f64],
    before: [f64; 2],
    meanwhile: [f64; 2],
}

/// Buckets in two groups.
const APART: Plan = Plan { thresholds: &[], before: [1.0, 16.0], meanwhile: [16.0, 1.0] };

/// One native bucket, from 8 to 16, in which a classic one ends.
const CUT: Plan = Plan { thresholds: &[12.0], before: [10.0, 16.0], meanwhile: [16.0, 10.0] };

impl Plan {
    /// How many observations of the writer a reading holds, which agrees with itself.
    fn progress(&self, natives: &Natives, slot: Slot) -> usize {
        let mut held = Held::default();
        let mut classic = vec![0; self.thresholds.len() + 1];
        natives.read(slot, &mut held, &mut classic);
        let count: u64 = held.counts.iter().map(|(_, count)| count).sum();
        let done = count as usize - self.before.len();
        let seen: Vec<f64> = self.before.iter().chain(&self.meanwhile[..done]).copied().collect();
        assert_eq!(held.sum, seen.iter().sum::<f64>(), "the sum covers the {done} observations of the buckets");
        let of = |number: i32| {
            let in_it = held.counts.iter().filter(|(piece, _)| natives.buckets(*piece).0 == Some((false, number)));
            in_it.map(|(_, count)| *count).sum::<u64>()
        };
        let seen_in =
            |lower: f64, upper: f64| seen.iter().filter(|value| **value > lower && **value <= upper).count() as u64;
        assert_eq!((of(0), of(4)), (seen_in(0.5, 1.0), seen_in(8.0, 16.0)), "each bucket has its own");
        let mut lower = 0.0;
        for (count, upper) in classic.iter().zip(self.thresholds.iter().copied().chain([f64::INFINITY])) {
            assert_eq!(
                *count,
                seen_in(lower, upper),
                "the classic bucket up to {upper}, {done} observations of the writer"
            );
            lower = upper;
        }
        done
    }

    /// Two readings beside a writer, and one after it.
    fn read_beside(&'static self) {
        let natives = Arc::new(Natives::new(Scale::new(0, 0.0), &self.thresholds.into()));
        let slot = SlotPool::new(HEAD_WIDTH, true).take(arena()).unwrap();
        let observe = |values: [f64; 2]| {
            let natives = natives.clone();
            spawn(move || values.iter().for_each(|value| assert!(natives.record(slot, *value, 1))))
        };
        // Groups and the slab's chunk are made under locks that loom does not see: the writer takes over a slab that has them.
        observe(self.before).join().unwrap();
        let writer = observe(self.meanwhile);
        let first = self.progress(&natives, slot);
        let second = self.progress(&natives, slot);
        assert!(first <= second, "a reading went back");
        writer.join().unwrap();
        assert_eq!(self.progress(&natives, slot), self.meanwhile.len());
        end_thread();
    }
}

/// Fails under mutant no_undo, no_validate, undo_from_first_word, bucket_after_commit, no_announce, one_sum_slot, sum_relaxed, bucket_relaxed,
/// commit_relaxed, announce_relaxed, first_read_relaxed, cells_read_relaxed.
#[test]
fn a_native_reading_is_a_growing_prefix() {
    explore(300, 2, || APART.read_beside());
}

/// Fails under mutant native_read_apart, no_undo, no_validate, undo_from_first_word, bucket_after_commit.
#[test]
fn both_kinds_of_buckets_are_of_one_reading() {
    explore(300, 2, || CUT.read_beside());
}
