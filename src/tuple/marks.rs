//! What is noted beside the state of a series: that a gauge was written, or how often a word of a counter has wrapped.
//!
//! # Ordering
//! A gauge's writer stores the value, then the mark, Release; a push takes the mark by an exchange, Acquire, then loads the value.
//! So each value written is followed by a push that sends it or a later one: the exchange either takes its mark, or comes before it
//! and leaves it for the next push. A scan for idle series takes its own mark likewise, so that the next collection shows the value.

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
            // Relaxed: a mutant's own.
            self.head().beside.store(FOR_EXPIRY, Ordering::Relaxed);
            written
        })
    }

    /// Whether this was written since a scan last took the mark, whatever [`take_written`](Self::take_written) has taken.
    pub fn is_stirred(&self) -> bool {
        // Relaxed: no value is read by this, and who must see a mark comes after its writer by other means.
        self.head().beside.load(Ordering::Relaxed) & FOR_EXPIRY != 0
    }

    /// The same, and takes the mark; called after one collection and before the next.
    pub fn take_stirred(&self) -> bool {
        // Acquire: pairs with Release in `mark_written`; the next collection reads the value of the mark that is taken, or a later one.
        let order = mutant!("take_stirred_relaxed", Ordering::Acquire, Ordering::Relaxed);
        self.is_stirred() && self.head().beside.fetch_and(!FOR_EXPIRY, order) & FOR_EXPIRY != 0
    }
}
