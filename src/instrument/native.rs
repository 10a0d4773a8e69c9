//! Where native histograms count: the groups of buckets of each series, made when a value first falls in them.
//!
//! # Progress and cost
//! Wait-free and without allocation but for what happens once: a group's first observation takes the family's lock for slots and
//! allocates, and so does the first of a thread in the group's chunk. A thread finds the four groups that it used last in its own
//! cell, others in the series' directory, which it only reads.
//! # Not promised
//! A signal handler that interrupts an observation may be the first to meet a group only if it may allocate as well. Once the
//! process has no slot left, values of new groups are refused and counted.

use std::sync::Arc;

use super::sparse::{Leaves, Pages};
use crate::{
    arena::{self, Slot, SlotPool, arena},
    cell::{
        cuts::Cuts,
        native::{self, Counts, GROUP_WIDTH, HEAD_WIDTH, Scale},
    },
    model::join,
    sync::{GatedMutex, mutant},
};

/// Series lie at least so far apart.
const STRIDE: usize = 8;

const _: () = assert!(HEAD_WIDTH >= STRIDE, "no two heads are in one stride");

/// The native histograms of one family.
#[derive(Debug)]
pub struct Natives {
    scale: Scale,
    /// What the thresholds of the family make of the buckets; None without thresholds.
    cuts: Option<Cuts>,
    /// Slots of groups. Whoever makes something in a directory holds this.
    pool: GatedMutex<SlotPool>,
    /// The groups that each series met.
    series: Pages<Leaves, STRIDE>,
}

/// What was read of a series, in memory that is used again.
#[derive(Debug, Default)]
pub struct Held {
    /// Observations by bucket, or by piece of one where there are thresholds; ascending.
    pub counts: Counts,
    /// Their sum.
    pub sum: f64,
    /// Room for what one slab holds.
    banks: [Counts; 2],
}

impl Natives {
    /// A family without series, in the buckets of `scale`, and in those that end at `thresholds`, if there are any.
    pub fn new(scale: Scale, thresholds: &Arc<[f64]>) -> Self {
        let scale = scale.with_room(thresholds.len());
        let cuts = (!thresholds.is_empty()).then(|| Cuts::new(thresholds.clone(), &scale));
        Self { scale, cuts, pool: GatedMutex::new(SlotPool::new(GROUP_WIDTH, false)), series: Pages::new() }
    }

    /// The native bucket and the classic one of what is counted as `piece`: for the first, whether it holds negative values, and its number
    /// in the schema; None for the zero bucket.
    pub fn buckets(&self, piece: usize) -> (Option<(bool, i32)>, usize) {
        let (native, classic) = self.cuts.as_ref().map_or((piece, 0), |cuts| cuts.buckets(&self.scale, piece));
        (self.scale.number(native), classic)
    }

    /// Counts `times` observations of `value`, which is finite, in the series at `slot`. False if there is no place left for it.
    #[must_use = "an observation that found no place is to be counted as refused"]
    pub fn record(&self, slot: Slot, value: f64, times: u32) -> bool {
        let bucket = self.cut(self.scale.bucket(value), value);
        slot.is_nowhere()
            || Self::record_at_hand(slot, bucket, value, times)
            || self.record_slow(slot, bucket, value, times)
    }

    /// The same for an [ordinary](Scale::ordinary) value whose group this thread has at hand; false, and nothing was done, if it is
    /// another one. The caller tries [`record`](Self::record) then, behind everything else: what is not called again needs no register
    /// to be saved.
    #[inline(always)]
    #[must_use = "false says that nothing was counted"]
    pub fn try_record(&self, slot: Slot, value: f64, times: u32) -> bool {
        let bucket = self.scale.ordinary(value);
        bucket.is_some_and(|bucket| Self::record_at_hand(slot, self.cut(bucket, value), value, times))
    }

    /// The piece of `bucket` that `value` is in; the bucket itself without thresholds.
    #[inline(always)]
    fn cut(&self, bucket: usize, value: f64) -> usize {
        self.cuts.as_ref().map_or(bucket, |cuts| cuts.piece(bucket, value))
    }

    #[inline(always)]
    fn record_at_hand(slot: Slot, bucket: usize, value: f64, times: u32) -> bool {
        let busy = arena::undisturbed();
        let head = busy.as_ref().and_then(|_| arena::own_cell(slot));
        let (Some(head), Some(group)) = (head, native::group(bucket)) else { return false };
        let Some(cell) = native::last(head, group).and_then(arena::own_cell) else { return false };
        native::write(head, Some(cell), bucket, value, times.into());
        true
    }

    /// Makes or finds what the thread has not at hand.
    #[cold]
    #[inline(never)]
    fn record_slow(&self, slot: Slot, bucket: usize, value: f64, times: u32) -> bool {
        let busy = arena::undisturbed();
        let interrupting = busy.is_none();
        let Some(group) = native::group(bucket) else {
            arena::write_two([slot; 2], interrupting, |[head, _]| {
                native::write(head, None, bucket, value, times.into())
            });
            return true;
        };
        let Some(at) = self.find(slot, group).or_else(|| self.make(slot, group)) else { return false };
        arena::write_two([slot, at], interrupting, |[head, cell]| {
            native::remember(head, group, at);
            native::write(head, Some(cell), bucket, value, times.into());
        });
        true
    }

    fn find(&self, slot: Slot, group: usize) -> Option<Slot> {
        self.series.find(slot)?.slot(group)
    }

    fn make(&self, slot: Slot, group: usize) -> Option<Slot> {
        // Before anything is begun: a process that forks waits for this lock, and for nothing else here.
        let mut pool = self.pool.lock();
        let groups = self.series.make(slot, || Leaves::new(self.scale.groups()));
        groups.make(group, || pool.take(arena()))
    }

    /// Makes `held` what all slabs hold of the series at `slot`, and adds the same, by classic bucket, to `totals`. The caller holds the
    /// family's books (F1).
    pub fn read(&self, slot: Slot, held: &mut Held, totals: &mut [u64]) {
        self.read_cells(slot, held);
        for &(piece, count) in &held.counts {
            let total = &mut totals[self.buckets(piece).1];
            *total = total.wrapping_add(count);
        }
        mutant!("native_read_apart" => self.read_cells(slot, held));
    }

    fn read_cells(&self, slot: Slot, held: &mut Held) {
        let Held { counts, sum, banks } = held;
        counts.clear();
        *sum = 0.0;
        let groups = || self.series.find(slot).into_iter().flat_map(Leaves::slots);
        for slab in arena().slabs() {
            if let Some(head) = slab.cell(slot) {
                *sum += native::read(slab, head, groups, banks);
                banks.iter().for_each(|bank| counts.extend_from_slice(bank));
            }
        }
        // Not `sort_by_key`, which allocates.
        counts.sort_unstable_by_key(|(piece, _)| *piece);
        join(counts);
        counts.retain(|(_, count)| *count != 0);
    }

    /// Gives the slots of a series back that nobody can observe any more (A4).
    pub fn forget(&self, slot: Slot) {
        let mut pool = self.pool.lock();
        if let Some(groups) = self.series.find(slot) {
            groups.clear(|at| pool.give(at, arena()));
        }
    }

    /// Gives every slot back when the family itself is gone (A4).
    pub fn dissolve(&self) {
        self.pool.lock().dissolve(arena());
    }
}
