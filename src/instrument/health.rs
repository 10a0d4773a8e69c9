//! What the engine refused or could not do as asked: counted here, never logged in a loop.

use crossbeam_utils::CachePadded;

use crate::{
    model::ValueError,
    sync::{AtomicU64, Ordering},
};

/// Counts of one registry's refusals. Relaxed throughout: each is a statistic of its own.
#[derive(Debug, Default)]
pub struct Health {
    /// By `ValueError`: not a number, infinite, negative, unknown state, no room. Padded apart from the rest, since hot paths may write here.
    rejected: CachePadded<[AtomicU64; 5]>,
    overflowed: AtomicU64,
    saturated: AtomicU64,
    conflicts: AtomicU64,
    exemplars: AtomicU64,
}

/// What one registry has refused so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HealthReport {
    /// Values refused because they are NaN.
    pub rejected_not_a_number: u64,
    /// Values refused because they are infinite.
    pub rejected_infinite: u64,
    /// Values refused because they are below zero.
    pub rejected_negative: u64,
    /// States refused because their stateset has no such state.
    pub rejected_unknown_state: u64,
    /// Values refused because the process has no room for another range of buckets of a native histogram.
    pub rejected_no_room: u64,
    /// Look-ups that ended in an overflow series.
    pub series_overflow: u64,
    /// Counters whose total reached the largest `u64` and stays there, the rest being dropped.
    pub saturated_counters: u64,
    /// Declarations that differed from the one that stands.
    pub declaration_conflicts: u64,
    /// Exemplars that were too long, had labels that no exemplar may have, came while another series got its first one, or whose source
    /// panicked.
    pub dropped_exemplars: u64,
}

impl Health {
    /// Counts a refused value.
    #[cold]
    #[inline(never)]
    pub fn reject(&self, reason: &ValueError) {
        let count = index(reason).map_or(&self.exemplars, |index| &self.rejected[index]);
        // Relaxed, here and below: a count that publishes nothing but itself.
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an exemplar that nothing was wrong with but its moment.
    pub fn drop_exemplar(&self) {
        // Relaxed: as above.
        self.exemplars.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a look-up that ended in an overflow series.
    pub fn overflow(&self) {
        // Relaxed: as above.
        self.overflowed.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a counter that reached its end.
    pub fn saturate(&self) {
        // Relaxed: as above.
        self.saturated.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a declaration that differed from the one that stands.
    pub fn conflict(&self) {
        // Relaxed: as above.
        self.conflicts.fetch_add(1, Ordering::Relaxed);
    }

    /// The counts now.
    pub fn report(&self) -> HealthReport {
        // Relaxed: as above.
        let now = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let rejected = |place: usize| now(&self.rejected[place]);
        HealthReport {
            rejected_not_a_number: rejected(NOT_A_NUMBER),
            rejected_infinite: rejected(INFINITE),
            rejected_negative: rejected(NEGATIVE),
            rejected_unknown_state: rejected(UNKNOWN_STATE),
            rejected_no_room: rejected(NO_ROOM),
            series_overflow: now(&self.overflowed),
            saturated_counters: now(&self.saturated),
            declaration_conflicts: now(&self.conflicts),
            dropped_exemplars: now(&self.exemplars),
        }
    }
}

const NOT_A_NUMBER: usize = 0;
const INFINITE: usize = 1;
const NEGATIVE: usize = 2;
const UNKNOWN_STATE: usize = 3;
const NO_ROOM: usize = 4;

/// Where a reason is counted; none for what is wrong with an exemplar, whose value counts all the same.
fn index(reason: &ValueError) -> Option<usize> {
    match reason {
        ValueError::NotANumber => Some(NOT_A_NUMBER),
        ValueError::Infinite => Some(INFINITE),
        ValueError::Negative => Some(NEGATIVE),
        ValueError::UnknownState { .. } => Some(UNKNOWN_STATE),
        ValueError::NoRoom => Some(NO_ROOM),
        ValueError::ExemplarTooLong { .. } | ValueError::InvalidExemplarLabel { .. } => None,
    }
}
