//! The index in front of a family's map: from label values to a series without a lock and without an allocation.
//!
//! # Shape
//! An open table of tagged addresses of tuples: the upper 16 bits of the hash lie in the upper 16 bits of the address, so that a
//! probe rarely has to look at a tuple that is not the one. Linear probing, at most half full: fuller, and the probes of a look-up
//! are too many to be guessed right. A removed entry leaves a tombstone until the table is next rebuilt. The table owns nothing: the family's map holds a reference to every tuple in it.
//! # Invariants
//! - I1: only the holder of the family's writer lock changes the table or replaces it.
//! - I2: a tuple, or a table, is freed only after every look-up that was pinned when it was unlinked has ended (see `arena::pins`).
//! # Ordering
//! An entry is stored Release and found Acquire, so that the tuple is found whole; so is the table itself. Unlinking needs no
//! order of its own: the pins' fences decide whether a look-up may still see it.
//! # Progress and cost
//! Look-up: wait-free but for the length of a probe sequence; about 20 ns with the hash of three short labels.
//! # Limits
//! An address that uses its upper 16 bits cannot be tagged; such a tuple is found in the map alone.

use std::{fmt, mem, ptr};

use crate::{
    arena::{Pin, Pinned, arena},
    sync::{AtomicBool, AtomicPtr, Ordering, Watched, mutant, prefetch},
    tuple::{Borrowed, Query, Tuple},
};

/// Where the tag lies in an entry. On targets with narrower addresses there is none, and none if a test asks to be like one.
#[cfg(all(target_pointer_width = "64", not(manometer_untagged)))]
const TAG: usize = !0 << 48;
#[cfg(any(not(target_pointer_width = "64"), manometer_untagged))]
const TAG: usize = 0;

/// The address of a removed entry.
const TOMBSTONE: *mut u8 = ptr::without_provenance_mut(1);

const FIRST_ENTRIES: usize = 8;

/// How many entries ahead a table that is moved asks for tuples, each of which is somewhere else in memory.
const AHEAD: usize = 16;

/// The index of one family.
pub struct Index {
    /// Null until the first series.
    table: AtomicPtr<Table>,
    /// Whether some tuple could not be tagged, and is found in the map alone.
    incomplete: AtomicBool,
    /// Whether some are left out for a while, and found in the map alone.
    hides: AtomicBool,
}

/// What the holder of the writer lock knows about the index (I1).
#[derive(Debug, Default)]
pub struct IndexWriter {
    /// Entries in use, tombstones included.
    used: usize,
    /// Entries that are not tombstones.
    live: usize,
    /// Tables that were replaced, with the look-ups that may still be in them (I2).
    replaced: Vec<(Replaced, Pinned<'static>)>,
}

struct Table {
    entries: Box<[AtomicPtr<u8>]>,
    watched: Watched,
}

impl Index {
    /// An index without a table.
    pub fn new() -> Self {
        Self {
            table: AtomicPtr::new(ptr::null_mut()),
            incomplete: AtomicBool::new(false),
            hides: AtomicBool::new(false),
        }
    }

    /// Whether every series of the family that was counted is in the index.
    pub fn is_complete(&self) -> bool {
        // Relaxed: counting the series orders this with `insert`; see `Core::is_full`.
        !self.incomplete.load(Ordering::Relaxed) && !self.hides()
    }

    /// The series of these label values, if it is indexed. The pin keeps it.
    #[inline]
    pub fn find<'p>(&self, _pin: &'p Pin, query: &Query<'_>) -> Option<Borrowed<'p>> {
        // Acquire: pairs with Release in `rebuild`; the entries of a new table come before its address.
        let table = self.table.load(mutant!("find_table_relaxed", Ordering::Acquire, Ordering::Relaxed));
        #[allow(unsafe_code, reason = "the table is shared by address, so that it can be replaced under readers")]
        // SAFETY: null, or a table from `Box::into_raw` that `IndexWriter` frees only after this pin has passed (I2), or with the family,
        // which the caller borrows.
        let table = unsafe { table.as_ref() }?;
        table.watched.used();
        let tag = tag(query.hash());
        for place in table.probe(query.hash()) {
            // Acquire: pairs with Release in `insert`; the tuple comes before its address.
            let entry = table.entry(place).load(mutant!("find_relaxed", Ordering::Acquire, Ordering::Relaxed));
            // Without the tag, if it is the one, an address; else what no address is.
            let untagged = entry.map_addr(|addr| addr ^ tag);
            if untagged.addr() & TAG == 0 && untagged > TOMBSTONE {
                #[allow(unsafe_code, reason = "the index holds addresses; the family's map holds the references")]
                // SAFETY: an entry that is neither null nor a tombstone is the tagged address of a tuple of which the map holds
                // a reference until after the entry was unlinked and every pin of that time has passed, this one included (I2).
                let tuple = unsafe { Tuple::borrow_raw(untagged) };
                if tuple.matches(query) {
                    return Some(tuple);
                }
            }
            if entry.is_null() {
                return None;
            }
        }
        None
    }

    /// Adds a series that is in the family's map already.
    pub fn insert(&self, writer: &mut IndexWriter, tuple: &Tuple) {
        // A test without tags takes every fourth address for one that cannot have any.
        if tuple.as_ptr().addr() & TAG != 0 || cfg!(manometer_untagged) && tuple.hash() % 4 == 0 {
            // Relaxed: see `is_complete`.
            self.incomplete.store(true, Ordering::Relaxed);
            return;
        }
        let capacity = self.table(writer).map_or(0, |table| table.entries.len());
        if 2 * (writer.used + 1) > capacity {
            self.rebuild(writer);
        }
        let Some(table) = self.table(writer) else { return };
        table.put(tuple);
        writer.used += 1;
        writer.live += 1;
    }

    /// Whether series are left out for a while.
    pub fn hides(&self) -> bool {
        // Acquire: pairs with Release in `hide`; who finds none hidden any more finds them in map and index again.
        self.hides.load(mutant!("hides_relaxed", Ordering::Acquire, Ordering::Relaxed))
    }

    /// Says whether series are left out for a while that exist all the same: before the first is removed, and after all are back
    /// or gone for good.
    pub fn hide(&self, _writer: &mut IndexWriter, some: bool) {
        // Release: pairs with Acquire in `hides`; hands over what is back in map and index.
        let order = mutant!("hide_relaxed", Ordering::Release, Ordering::Relaxed);
        self.hides.store(mutant!("hide_nothing", some, false), order);
    }

    /// Unlinks a series. It may be freed once the look-ups of this moment have passed.
    pub fn remove(&self, writer: &mut IndexWriter, tuple: &Tuple) {
        let Some(table) = self.table(writer) else { return };
        for place in table.probe(tuple.hash()) {
            // Relaxed: only the holder of the writer lock stores entries (I1).
            let entry = table.entry(place).load(Ordering::Relaxed);
            if entry.is_null() {
                return;
            }
            if entry == tagged(tuple) {
                // Release: pairs with Acquire in `find`; who misses a series that is only hidden knows that it may be. Of one
                // that is gone nothing is handed over; see the head of this file.
                let order = mutant!("tombstone_relaxed", Ordering::Release, Ordering::Relaxed);
                table.entry(place).store(TOMBSTONE, order);
                writer.live -= 1;
                return;
            }
        }
    }

    /// Replaces the table by one without tombstones, with room for half as many again or more.
    fn rebuild(&self, writer: &mut IndexWriter) {
        writer.sweep();
        let old = self.table(writer);
        let entries = (3 * (writer.live + 1)).next_power_of_two().max(FIRST_ENTRIES);
        let table = Table::new(entries);
        let old_entries = old.map_or(&[][..], |old| &old.entries);
        for (place, entry) in old_entries.iter().enumerate() {
            if let Some(ahead) = old_entries.get(place + AHEAD) {
                // Relaxed: the address is only asked for.
                prefetch(ahead.load(Ordering::Relaxed).map_addr(|addr| addr & !TAG));
            }
            // Relaxed: only the holder of the writer lock stores entries (I1).
            let entry = entry.load(Ordering::Relaxed);
            if !entry.is_null() && entry != TOMBSTONE {
                #[allow(unsafe_code, reason = "the index holds addresses; the family's map holds the references")]
                // SAFETY: the map holds a reference of every tuple in the table, and removing one takes the lock held here.
                let tuple = unsafe { Tuple::borrow_raw(entry.map_addr(|addr| addr & !TAG)) };
                table.put(&tuple);
            }
        }
        writer.used = writer.live;
        // Release: pairs with Acquire in `find`; hands over the entries.
        let order = mutant!("table_relaxed", Ordering::Release, Ordering::Relaxed);
        // Relaxed: the old table is known to this thread through the writer lock.
        let old = self.table.load(Ordering::Relaxed);
        let new = Box::into_raw(Box::new(table));
        mutant!("pinned_too_early", self.table.store(new, order), ());
        if !old.is_null() {
            // After the store: a look-up that is not among them finds the new table.
            writer.replaced.push((Replaced(old), arena().pinned()));
        }
        mutant!("pinned_too_early" => self.table.store(new, order));
    }

    /// The table as the holder of the writer lock sees it.
    fn table(&self, _writer: &IndexWriter) -> Option<&Table> {
        #[allow(unsafe_code, reason = "the table is shared by address, so that it can be replaced under readers")]
        // SAFETY: the current table is freed only by `rebuild`, which needs the writer, or by `drop`.
        // Relaxed: whoever stored it held the same lock.
        unsafe {
            self.table.load(Ordering::Relaxed).as_ref()
        }
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        // Relaxed: `&mut self` means that whoever used the index has handed it over.
        let table = self.table.load(Ordering::Relaxed);
        if !table.is_null() {
            drop(Replaced(table));
        }
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").finish_non_exhaustive()
    }
}

impl IndexWriter {
    /// Frees the replaced tables that no look-up is in any more.
    pub fn sweep(&mut self) {
        self.replaced.retain_mut(|(_, pinned)| !pinned.passed());
    }
}

impl Drop for IndexWriter {
    fn drop(&mut self) {
        // The family is gone, and with it every look-up in it; nothing is left to wait for.
        mem::take(&mut self.replaced);
    }
}

impl Table {
    fn new(entries: usize) -> Self {
        let entries = (0..entries).map(|_| AtomicPtr::new(ptr::null_mut())).collect();
        Self { entries, watched: Watched::new() }
    }

    /// The places where a hash may lie, in order, again and again: an unused one ends every search, and half of them are.
    #[inline(always)]
    fn probe(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        let mask = self.entries.len() - 1;
        (hash as usize & mask..).map(move |place| place & mask)
    }

    /// What lies in a place of a probe sequence.
    #[inline(always)]
    fn entry(&self, place: usize) -> &AtomicPtr<u8> {
        #[allow(unsafe_code, reason = "a check on every look-up for what was masked a line before")]
        // SAFETY: `probe` gives places below the number of entries, a power of two.
        unsafe {
            self.entries.get_unchecked(place)
        }
    }

    /// Stores a tuple in the first place of its probe sequence that was never used.
    fn put(&self, tuple: &Tuple) {
        for entry in self.probe(tuple.hash()).map(|place| self.entry(place)) {
            // Relaxed: only the holder of the writer lock stores entries (I1).
            if entry.load(Ordering::Relaxed).is_null() {
                // Release: pairs with Acquire in `find`; hands over the tuple.
                let order = mutant!("insert_relaxed", Ordering::Release, Ordering::Relaxed);
                return entry.store(tagged(tuple), order);
            }
        }
    }
}

/// A table that readers may still be in; dropping it frees it.
struct Replaced(*mut Table);

#[allow(unsafe_code, reason = "a table is addresses in atomics; only the lock's holder frees it")]
// SAFETY: the pointer is the only thing in it, and what it points to may be used from any thread.
unsafe impl Send for Replaced {}

impl Drop for Replaced {
    fn drop(&mut self) {
        #[allow(unsafe_code, reason = "frees what `rebuild` took from the index")]
        // SAFETY: the pointer came from `Box::into_raw` and is in nobody else's hands: its look-ups have passed (I2), or the
        // index itself is gone.
        let table = unsafe { Box::from_raw(self.0) };
        table.watched.freed();
    }
}

impl fmt::Debug for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replaced")
    }
}

fn tag(hash: u64) -> usize {
    hash as usize & TAG
}

fn tagged(tuple: &Tuple) -> *mut u8 {
    tuple.as_ptr().map_addr(|addr| addr | tag(tuple.hash()))
}

#[cfg(all(test, not(manometer_mocked)))]
mod tests {
    use super::*;
    use crate::{arena::Slot, tuple::LabelSeed};

    #[test]
    fn what_lies_behind_a_removed_entry_is_still_found_and_still_removed() {
        let (seed, index, mut writer) = (LabelSeed::default(), Index::new(), IndexWriter::default());
        let indexed =
            |value: &String| !cfg!(manometer_untagged) || Query::new(&seed, &[], &[value.as_str()]).hash() % 4 != 0;
        let values: Vec<String> = (0..1000).map(|value| value.to_string()).filter(indexed).collect();
        let make = |value: &String| {
            let values = [value.as_str()];
            Tuple::new(&Query::new(&seed, &[], &values), &["k".into()], "", Slot::NOWHERE, 0.0).expect("a short text")
        };
        let tuples: Vec<Tuple> = values.iter().map(make).collect();
        tuples.iter().for_each(|tuple| index.insert(&mut writer, tuple));
        let pin = crate::arena::pin().expect("few threads");
        let found = |value: &String| index.find(&pin, &Query::new(&seed, &[], &[value.as_str()])).is_some();
        assert!(values.iter().all(found), "an entry is missing");
        // Half of the entries are tombstones from now on, and many probe sequences go through one.
        let (even, odd): (Vec<usize>, Vec<usize>) = (0..values.len()).partition(|at| at % 2 == 0);
        even.iter().for_each(|at| index.remove(&mut writer, &tuples[*at]));
        assert!(odd.iter().all(|at| found(&values[*at])), "an entry behind a removed one is lost");
        odd.iter().for_each(|at| index.remove(&mut writer, &tuples[*at]));
        assert!(!values.iter().any(found), "an entry behind a removed one was not removed");
        assert_eq!(writer.live, 0);
    }
}
