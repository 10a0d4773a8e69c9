//! The books of native histograms: what was taken off each bucket, and the points that were read.

use std::{
    collections::{BTreeMap, HashMap},
    mem,
};

use super::{Ledger, Reading};
use crate::{
    arena::Slot,
    instrument::native::{Held, Natives},
    model::{NativeHistogram, NativeOptions},
};

/// What is known of the native histograms of a family.
#[derive(Debug, Default)]
pub(super) struct NativeBooks {
    /// What was taken off the buckets, by slot.
    bases: HashMap<Slot, BTreeMap<usize, u64>>,
    /// The points that were read since they were last asked for.
    points: Vec<NativeHistogram>,
}

impl NativeBooks {
    /// Forgets a series that nobody observes any more.
    pub(super) fn forget(&mut self, slot: Slot) {
        self.bases.remove(&slot);
    }

    /// Notes the point of the series at `slot`: what its cells `held`, less what was taken off. If it is `reading` to take, all of that
    /// is taken off from now on.
    pub(super) fn read(
        &mut self,
        (options, natives): (&NativeOptions, &Natives),
        (slot, held): (Slot, Held),
        sum: f64,
        reading: Reading,
    ) {
        let base = self.bases.get(&slot);
        let mut zero_count = 0;
        let mut signed = [Vec::new(), Vec::new()];
        for (bucket, count) in &held.counts {
            let taken = base.and_then(|base| base.get(bucket)).copied().unwrap_or_default();
            match (natives.scale().number(*bucket), count.wrapping_sub(taken)) {
                (_, 0) => {}
                (None, count) => zero_count = count,
                (Some((negative, number)), count) => signed[usize::from(negative)].push((number, count)),
            }
        }
        self.points.push(options.point(zero_count, signed, sum));
        if reading == Reading::Take && !slot.is_nowhere() {
            self.bases.insert(slot, held.counts);
        }
    }
}

impl Ledger {
    /// The native histograms that were read since this was last asked, in the order of their readings.
    pub fn take_natives(&mut self) -> Vec<NativeHistogram> {
        mem::take(&mut self.natives.points)
    }
}
