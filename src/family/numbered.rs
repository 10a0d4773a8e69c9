//! Handles by number: found without a look-up, and no longer found once their series is removed.
//!
//! # Shape
//! Two arrays with a place for each number. 4 bytes: the slot of the series, as one number, or 0 while no handle is to be found. 32 bytes:
//! the handle, set once and kept to the end.
//! # Invariants
//! - N1: a handle stays until the arrays go, and so its slot is used by no other series (A4): who found the one or the other may
//!   record there for as long as they have the arrays.
//! - N2: what may be found changes under the family's writer lock alone: to a slot while its series is live, and to 0 as it is
//!   removed. So who begins after a removal does not find what was removed.
//! # Ordering
//! A slot is stored Release and found Acquire: the handle comes first, and the zeros of the cells. 0 is Relaxed: it hands nothing
//! over.
//! # Progress and cost
//! Finding is wait-free: a load, for a handle two. Making and removing take the lock.
//! # Not promised
//! Who found a series just before it was removed records unseen, as through any other handle.

use std::{
    fmt,
    sync::{OnceLock, Weak},
};

use super::core::{Core, Numbering};
use crate::{
    arena::Slot,
    instrument::{Instrument, Series},
    sync::{Arc, AtomicU32, Ordering, mutant},
};

/// An array of handles. Clones are the same.
pub struct Numbered<I> {
    slots: Arc<[AtomicU32]>,
    handles: Arc<[OnceLock<I>]>,
}

impl<I: Instrument> Numbered<I> {
    /// Places for so many handles to series of `core`.
    pub fn new(core: &Core, numbers: usize) -> Self {
        let slots: Arc<[AtomicU32]> = (0..numbers).map(|_| AtomicU32::new(0)).collect();
        let handles = (0..numbers).map(|_| OnceLock::new()).collect();
        if numbers > 0 {
            core.tell_of_removals(Box::new(Told { slots: Arc::downgrade(&slots), handles: Arc::downgrade(&handles) }));
        }
        Self { slots, handles }
    }

    /// The slot of the series of this number; nowhere if there is no handle yet, or its series was removed.
    #[inline(always)]
    pub fn slot(&self, number: usize) -> Slot {
        // Acquire: pairs with Release in `keep`.
        let order = mutant!("find_number_relaxed", Ordering::Acquire, Ordering::Relaxed);
        self.slots.get(number).map_or(Slot::NOWHERE, |slot| Slot::from_bits(slot.load(order)))
    }

    /// The handle of this number, if there is one and its series was not removed.
    #[inline(always)]
    pub fn find(&self, number: usize) -> Option<&I> {
        if self.slot(number).is_nowhere() { None } else { self.handles.get(number)?.get() }
    }

    /// Whether there never was a handle of this number.
    pub fn is_free(&self, number: usize) -> bool {
        self.handles.get(number).is_some_and(|handle| handle.get().is_none())
    }

    /// Keeps a handle to `series` under this number, unless there is one. It is found from now on, if it was not removed meanwhile.
    pub fn keep(&self, core: &Core, number: usize, series: Series) {
        let slot = series.slot();
        core.while_none_goes(|| {
            let place = &self.handles[number];
            if place.set(I::from_series(series)).is_ok() && is_live(place) {
                // Release: pairs with Acquire in `slot`.
                let order = mutant!("keep_number_relaxed", Ordering::Release, Ordering::Relaxed);
                self.slots[number].store(slot.to_bits(), order);
            }
        });
    }
}

fn is_live<I: Instrument>(handle: &OnceLock<I>) -> bool {
    handle.get().is_some_and(I::has_live_series)
}

impl<I> Clone for Numbered<I> {
    fn clone(&self) -> Self {
        Self { slots: self.slots.clone(), handles: self.handles.clone() }
    }
}

impl<I> fmt::Debug for Numbered<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handles = self.handles.iter().filter(|handle| handle.get().is_some()).count();
        write!(f, "{handles} of {}", self.handles.len())
    }
}

/// What the family knows of the arrays, while somebody has them.
struct Told<I> {
    slots: Weak<[AtomicU32]>,
    handles: Weak<[OnceLock<I>]>,
}

impl<I: Instrument> Numbering for Told<I> {
    fn forget_removed(&self) -> bool {
        let (Some(slots), Some(handles)) = (self.slots.upgrade(), self.handles.upgrade()) else { return false };
        for (slot, _) in slots.iter().zip(&*handles).filter(|(_, handle)| !is_live(handle)) {
            // Relaxed: who finds nothing looks up, and a look-up has its own order.
            slot.store(0, Ordering::Relaxed);
        }
        true
    }
}

impl<I> fmt::Debug for Told<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told")
    }
}
