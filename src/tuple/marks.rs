//! What is noted beside the state of a series: that a gauge was written, or how often a word of a counter has wrapped.
//!
//! # Ordering
//! A gauge's writer stores the value, then the mark, Release; a push takes the mark by an exchange, Acquire, then loads the value.
//! So each value written is followed by a push that sends it or a later one: the exchange either takes its mark, or comes before it
//! and leaves it for the next push.

use super::Tuple;
use crate::sync::{Ordering, mutant, store_beside_exchanges};

/// The mark of a write that a push has not taken.
const FOR_PUSH: u16 = 1;

/// The mark of a write that a scan for idle series has not taken.
const FOR_EXPIRY: u16 = 2;

impl Tuple {
    /// How often a word of this series has wrapped.
    pub fn carries(&self) -> u16 {
        // Relaxed: readers come here after an Acquire of the word that wrapped; see `cell::count`.
        self.head().beside.load(Ordering::Relaxed)
    }

    /// Counts a wrap.
    pub fn carry(&self) {
        // Relaxed: see `carries`. It stops at the top instead of wrapping itself.
        let _ = self.head().beside.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |carries| carries.checked_add(1));
    }

    /// Says that this gauge was written; called after its value was stored.
    #[inline(always)]
    pub fn mark_written(&self) {
        // Release: pairs with Acquire in `take_written`; who takes this mark sees the value stored before it, or a later one.
        // Always stored, also where it stands already: a writer that only looked would have handed nothing over, and the reader
        // that takes the older mark could miss its value.
        let order = mutant!("mark_relaxed", Ordering::Release, Ordering::Relaxed);
        if mutant!("mark_only_if_unset", true, self.head().beside.load(Ordering::Relaxed) & FOR_PUSH == 0) {
            store_beside_exchanges(&self.head().beside, FOR_PUSH | FOR_EXPIRY, order);
        }
    }

    /// Whether this gauge was written since this was last asked; called before its value is loaded.
    pub fn take_written(&self) -> bool {
        // Acquire: pairs with Release in `mark_written`. One exchange, so that no mark falls between a look and a store.
        let order = mutant!("take_mark_relaxed", Ordering::Acquire, Ordering::Relaxed);
        mutant!("take_mark_in_two_steps", self.head().beside.fetch_and(!FOR_PUSH, order) & FOR_PUSH != 0, {
            let written = self.head().beside.load(order) & FOR_PUSH != 0;
            self.head().beside.store(FOR_EXPIRY, Ordering::Relaxed);
            written
        })
    }

    /// Whether this was written since this was last asked, whatever [`take_written`](Self::take_written) has taken.
    pub fn take_stirred(&self) -> bool {
        // Relaxed: a mark that is not seen yet is taken the next time; who must see it comes after the writer by other means.
        self.head().beside.load(Ordering::Relaxed) & FOR_EXPIRY != 0
            // Relaxed: no value is read by this mark. Who finds it lets the series stay.
            && self.head().beside.fetch_and(!FOR_EXPIRY, Ordering::Relaxed) & FOR_EXPIRY != 0
    }
}
