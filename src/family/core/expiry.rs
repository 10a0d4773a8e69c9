//! Idle series: found by comparing marks, hidden, and let go if nobody comes for them.
//!
//! # Protocol
//! Each collection is followed by a scan. It compares a mark of each series, which moves with every update, with that of the scan
//! before; so writers pay nothing. A series whose mark has stood still for as long as the family says, and which nobody holds a
//! handle of, is *condemned*: unlinked from the index, but not from the map. Look-ups in flight are let pass, and nobody waits for
//! them: if they have not passed by now, the next scan looks again. Look-ups that come meanwhile miss the index, go the slow way, find
//! the series in the map, and put it back. When all have passed, the condemned are taken out of the map, which waits for whoever
//! records through a shard, and looked at once more, under the writer lock: who has moved, or has a handle now, goes back into map
//! and index as if nothing had been; the others are removed.
//!
//! # Invariants
//! - E1: an update by label values is made in a series that stays, or before the last look at the mark, which then has moved.
//! - E2: a handle is made under a pin, the writer lock or the map's shard, or cloned from another: so a series without a handle at
//!   the last look has none that was made while it was live. A series with a handle never expires.
//! - E3: a value was read by a collection before the series goes: its mark is that of a scan before, which came after one.
//! - E4: the last look only looks. A mark that says "written" is taken by the comparison alone, which notes it, and the condemned of
//!   the scan before are looked at before their marks are taken.
//!
//! # Limits
//! It is the collections that look. A series goes at the first scan that comes after the limit, or the one after that.

use std::{collections::VecDeque, mem, time::Duration};

use super::{Core, Writer};
use crate::{
    arena::{Pinned, arena},
    family::order::Order,
    instrument::SeriesRef,
    sync::{Arc, mutant},
    tuple::{LabelKey, Tuple},
};

/// How many series are taken in hand at a time, so that who makes a new one does not wait long.
const AT_A_TIME: usize = 1024;

/// A series that may go.
#[derive(Debug)]
pub(super) struct Condemned {
    tuple: Tuple,
    mark: u64,
}

/// What is known of the series of a family, as of the last scan.
#[derive(Debug, Default)]
pub(super) struct Idle {
    order: Arc<Order>,
    /// The mark of each row.
    marks: Vec<u64>,
    /// During which scan each row was last found to have moved.
    moved: Vec<u32>,
    /// Room for the marks of the next scan.
    next_marks: Vec<u64>,
    /// When the scans were: the last one that is older than the limit, and all since.
    scans: VecDeque<(u32, Duration)>,
    /// The look-ups that may have a condemned series in their hands.
    pinned: Option<Pinned<'static>>,
}

impl Core {
    /// Looks for idle series as of `now`, and removes those whose time has come. Called after a collection; waits for no writer.
    pub fn expire(&self, now: Duration) {
        let (Some(idle), Some(limit)) = (&self.idle, self.shared.expire_after) else { return };
        let mut idle = idle.lock();
        let scan = self.shared.begin_scan();
        mutant!("marks_before_last_look" => self.compare(&mut idle, scan));
        // First, for the comparison takes marks away (E4).
        self.finish(&mut idle);
        self.compare(&mut idle, scan);
        if let Some(oldest) = idle.pass(scan, now, limit).filter(|_| idle.pinned.is_none()) {
            self.condemn(&mut idle, scan, oldest);
            self.finish(&mut idle);
        }
    }

    /// Compares the marks of all series with those of the scan before.
    fn compare(&self, idle: &mut Idle, scan: u32) {
        let (order, mut ledger) = self.open_books();
        let mut marks = mem::take(&mut idle.next_marks);
        ledger.read_marks(&self.shared, order.rows(), order.slots(), &mut marks);
        drop(ledger);
        if !Arc::ptr_eq(&order, &idle.order) {
            idle.align(order.clone(), scan);
        }
        if self.shared.kind.is_in_tuple() {
            let stirred = order.rows().iter().zip(&mut idle.moved).filter(|(tuple, _)| tuple.take_stirred());
            stirred.for_each(|(_, moved)| *moved = scan);
        } else {
            for ((mark, old), moved) in marks.iter().zip(&idle.marks).zip(&mut idle.moved) {
                *moved = if mark == old { *moved } else { scan };
            }
        }
        idle.next_marks = mem::replace(&mut idle.marks, marks);
    }

    /// Hides every series from the index that has not moved since the scan `oldest`, and that nobody holds or asked for.
    fn condemn(&self, idle: &mut Idle, scan: u32, oldest: u32) {
        let mut candidates = Vec::new();
        for (row, moved) in idle.moved.iter_mut().enumerate().filter(|(_, moved)| **moved <= oldest) {
            let tuple = &idle.order.rows()[row];
            if mutant!("expire_held", tuple.handles() > 0, false) || tuple.asked() >= *moved {
                *moved = scan;
            } else if !self.is_overflow(tuple.values()) {
                candidates.push((tuple.clone(), idle.marks[row]));
            }
        }
        for some in candidates.chunks(AT_A_TIME) {
            let mut writer = self.writer.lock();
            self.index.hide(&mut writer.index, true);
            for (tuple, mark) in some.iter().filter(|(tuple, _)| tuple.is_live()) {
                self.index.remove(&mut writer.index, tuple);
                writer.condemned.insert(tuple.as_ptr().addr(), Condemned { tuple: tuple.clone(), mark: *mark });
            }
        }
        // After the last was unlinked: a look-up that is not among these misses them all.
        idle.pinned = (!candidates.is_empty()).then(|| arena().pinned());
    }

    /// Removes the condemned for whom nobody came, if all who may still have come for them have passed.
    fn finish(&self, idle: &mut Idle) {
        let Some(pinned) = &mut idle.pinned else { return };
        if mutant!("expire_unpassed", !pinned.passed(), false) {
            return;
        }
        idle.pinned = None;
        loop {
            let mut writer = self.writer.lock();
            let some: Vec<usize> = writer.condemned.keys().take(AT_A_TIME).copied().collect();
            if some.is_empty() {
                self.index.hide(&mut writer.index, false);
                return;
            }
            let mut going = Vec::new();
            for address in some {
                let Some(condemned) = writer.condemned.remove(&address) else { continue };
                match self.is_idle_still(&condemned) {
                    true => going.push(condemned.tuple),
                    false => {
                        self.map.insert(condemned.tuple.clone());
                        self.index.insert(&mut writer.index, &condemned.tuple);
                    }
                }
            }
            if going.is_empty() {
                continue;
            }
            let gone = self.unlink(&mut writer, going);
            drop(writer);
            // No look-up has them in its hands: those of the time when they were hidden have passed, and no later one found them.
            self.retire(gone);
        }
    }

    /// Takes a condemned series out of the map, and looks at it a last time.
    fn is_idle_still(&self, condemned: &Condemned) -> bool {
        let Condemned { tuple, mark } = condemned;
        let series = SeriesRef { tuple, shared: &self.shared };
        // Waits for whoever records through the map's shard.
        mutant!("last_look_in_the_map", self.map.remove(tuple as &dyn LabelKey), None);
        // The handles first: who lets the last one go has recorded before (E2).
        let is_held = mutant!("expire_held", tuple.handles() > 0, false);
        // Only what has no cell has such a mark; of a counter the same bits count carries.
        let has_moved = self.shared.kind.is_in_tuple() && tuple.is_stirred()
            || mutant!("no_last_look", self.shared.ledger().mark(series) != *mark, false);
        !is_held && !has_moved
    }

    /// Somebody came for a series: if it was condemned, it goes back into the index.
    pub(super) fn reprieve(&self, writer: &mut Writer, tuple: &Tuple) {
        if writer.condemned.remove(&tuple.as_ptr().addr()).is_some() {
            self.index.insert(&mut writer.index, tuple);
        }
    }
}

impl Idle {
    /// Notes when a scan was. The last one before it that is as old as the limit, if there is one: what moved since that has not been
    /// idle for so long, and what this scan has found to move no collection has read (E3).
    fn pass(&mut self, scan: u32, now: Duration, limit: Duration) -> Option<u32> {
        let is_old = |(_, at): &(u32, Duration)| now.saturating_sub(*at) >= limit;
        while self.scans.get(1).is_some_and(is_old) {
            self.scans.pop_front();
        }
        let oldest = self.scans.front().filter(|oldest| is_old(oldest)).map(|(number, _)| *number);
        self.scans.push_back((scan, now));
        oldest
    }

    /// Lays the columns out as `order` has its rows. A series that was not there before has just moved.
    fn align(&mut self, order: Arc<Order>, scan: u32) {
        let (mut marks, mut moved) = (Vec::with_capacity(order.rows().len()), Vec::with_capacity(order.rows().len()));
        let mut known = self.order.rows().iter().enumerate().peekable();
        for tuple in order.rows() {
            let is_this = |other: &Tuple| other.as_ptr() == tuple.as_ptr();
            // Both are sorted, so what stands before this one and is not it is gone.
            while known.next_if(|(_, other)| !is_this(other) && other.values().cmp(tuple.values()).is_le()).is_some() {}
            let row = known.next_if(|(_, other)| is_this(other)).map(|(row, _)| row);
            marks.push(row.map_or(0, |row| self.marks[row]));
            moved.push(row.map_or(scan, |row| self.moved[row]));
        }
        (self.order, self.marks, self.moved) = (order, marks, moved);
    }
}
