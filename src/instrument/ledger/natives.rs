//! The books of native histograms: what was taken off each bucket, and the points that were read.

use std::{collections::HashMap, mem};

use super::{Ledger, Reading};
use crate::{
    arena::Slot,
    instrument::native::{Held, Natives},
    model::{NativeHistogram, NativeOptions},
};

/// What is known of the native histograms of a family.
#[derive(Debug, Default)]
pub(super) struct NativeBooks {
    /// What was taken off the buckets, by slot; ascending by bucket.
    bases: HashMap<Slot, Box<[(usize, u64)]>>,
    /// What was read last.
    pub(super) held: Held,
    /// The points that were read since they were last asked for, and behind them memory for the next.
    points: Vec<NativeHistogram>,
    /// How many were read.
    read: usize,
}

impl NativeBooks {
    /// Forgets a series that nobody observes any more.
    pub(super) fn forget(&mut self, slot: Slot) {
        self.bases.remove(&slot);
    }

    /// Notes the point of the series at `slot`: what was read last, less what was taken off. If it is `reading` to take, all of that
    /// is taken off from now on.
    pub(super) fn note(
        &mut self,
        (options, natives): (&NativeOptions, &Natives),
        slot: Slot,
        sum: f64,
        reading: Reading,
    ) {
        let base = self.bases.get(&slot).map_or([].as_slice(), |base| &**base);
        let taken = |piece: usize| match base.binary_search_by_key(&piece, |(piece, _)| *piece) {
            Ok(at) => base[at].1,
            Err(_) => 0,
        };
        if self.points.len() == self.read {
            self.points.push(options.empty_point());
        }
        let point = &mut self.points[self.read];
        self.read += 1;
        options.clear(point);
        for &(piece, count) in &self.held.counts {
            match count.wrapping_sub(taken(piece)) {
                0 => {}
                count => point.add(natives.buckets(piece).0, count),
            }
        }
        point.sum = sum;
        options.limit(point);
        if reading == Reading::Take && !slot.is_nowhere() {
            self.bases.insert(slot, self.held.counts.as_slice().into());
        }
    }
}

impl Ledger {
    /// The native histograms that were read since this was last asked, in the order of their readings.
    pub fn take_natives(&mut self) -> Vec<NativeHistogram> {
        let NativeBooks { points, read, .. } = &mut self.natives;
        points.truncate(mem::take(read));
        mem::take(points)
    }

    /// Gives memory for the points that are read from now on: those of an earlier collection.
    pub fn reuse_natives(&mut self, points: Vec<NativeHistogram>) {
        self.natives.points = points;
        self.natives.read = 0;
    }
}
