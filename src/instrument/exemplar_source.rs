//! Exemplars that a family asks for itself: of what the recording thread is doing, where a bucket is due for one.
//!
//! # When a bucket is due
//! Until it has an exemplar, and again once a collection has seen that one: any more would be replaced before anybody saw them. So a
//! scrape finds an exemplar of the time since the one before, however rarely or often it comes, and no clock is read. A source that has no labels is
//! asked again at the next record; one whose labels break a rule, or that panics, is done with until the next collection.
//! # Ordering
//! Relaxed throughout: marks and turns hand nothing over. Who sees an old one asks once too often, or a collection later.
//! # Progress and cost
//! Wait-free where no bucket is due: a look at one word more. The source itself takes what it takes, and then an exemplar is allocated.
//! # Not promised
//! A signal handler may record in such a family only if it may allocate, and its source may be asked there.

use std::{
    cell::Cell,
    fmt, mem,
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{Counter, ExemplarLabels, FloatCounter, Histogram, Instrument, SeriesRef, exemplars, sparse::Pages};
use crate::{
    arena::{self, OwnedCell, Slot},
    sync::{Arc, AtomicU32, Ordering, thread_own},
};

/// An instrument whose points can have exemplars.
pub trait TakesExemplars: Instrument {}

impl TakesExemplars for Counter {}
impl TakesExemplars for FloatCounter {}
impl TakesExemplars for Histogram {}

/// What knows the labels of an exemplar, whoever asks.
pub type AnyLabels = dyn ExemplarLabels + Send + Sync;

impl fmt::Debug for AnyLabels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExemplarLabels")
    }
}

/// The turn in which what never had an exemplar got its last one.
const NEVER: u32 = 0;

thread_own! {
    /// Whether this thread is in a source: what that records asks nobody.
    static ASKING: Cell<bool> = Cell::new(false);
}

/// Whom a family asks for exemplars, and which of its buckets are due for one.
#[derive(Debug)]
pub struct ExemplarSource {
    /// Unwind safety is its own business: it is asked again after a panic.
    labels: AssertUnwindSafe<Arc<AnyLabels>>,
    /// How many collections have seen the exemplars there are, and one.
    turn: AtomicU32,
    /// Of each series, by place of an exemplar, the turn in which it last got an exemplar.
    marks: Pages<Box<[AtomicU32]>, 1>,
}

impl ExemplarSource {
    /// The source of a family without series.
    pub fn new(labels: Arc<AnyLabels>) -> Self {
        Self { labels: AssertUnwindSafe(labels), turn: AtomicU32::new(NEVER + 1), marks: Pages::new() }
    }

    /// A new series at `slot` with `places` for exemplars, all of them due. The caller holds the family's writer lock.
    pub fn open(&self, slot: Slot, places: usize) {
        self.marks.make(slot, || (0..places).map(|_| AtomicU32::new(NEVER)).collect());
        // The slot may have been another series'.
        self.forget(slot);
    }

    /// Every bucket of the series at `slot` is due.
    pub fn forget(&self, slot: Slot) {
        // Relaxed: see the head of this file.
        self.marks.find(slot).into_iter().flatten().for_each(|mark| mark.store(NEVER, Ordering::Relaxed));
    }

    /// A collection has seen what there is: every bucket is due.
    pub fn renew(&self) {
        // Relaxed: as above.
        self.turn.fetch_add(1, Ordering::Relaxed);
    }

    fn is_due(&self, slot: Slot, place: usize) -> bool {
        // Relaxed: as above.
        let mark = self.marks.find(slot).map(|marks| marks[place].load(Ordering::Relaxed));
        mark.is_some_and(|mark| mark != self.turn.load(Ordering::Relaxed))
    }

    /// This place is not due before the next collection.
    pub fn mark(&self, slot: Slot, place: usize) {
        if let Some(marks) = self.marks.find(slot) {
            // Relaxed: as above.
            marks[place].store(self.turn.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    #[cold]
    #[inline(never)]
    fn ask(&self, series: SeriesRef<'_>, bucket: usize, value: f64) {
        if ASKING.with(|asking| asking.replace(true)) {
            return;
        }
        let mut answered = false;
        let asked = catch_unwind(AssertUnwindSafe(|| {
            self.labels.with(&mut |labels| {
                answered = true;
                exemplars::keep(series, bucket, value, labels);
            });
        }));
        ASKING.with(|asking| asking.set(false));
        let Err(panic) = asked else { return };
        if !answered {
            self.mark(series.tuple.slot(), series.shared.metadata.exemplar_place(bucket, value));
            series.shared.health.drop_exemplar();
        }
        if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
            // What that carries may panic in turn, and so on: it ends here.
            mem::forget(another);
        }
    }
}

impl SeriesRef<'_> {
    /// Whether the family has a source, and an exemplar of `value`, in this bucket, is due.
    #[inline]
    pub fn is_due(self, bucket: usize, value: f64) -> bool {
        let place = || self.shared.metadata.exemplar_place(bucket, value);
        self.shared.source.as_ref().is_some_and(|source| source.is_due(self.tuple.slot(), place()))
    }

    /// Asks the family's source, if it has one, for an exemplar of `value`, which was counted in `bucket`; if that is due.
    ///
    /// The source is somebody else's code, and may look up and record: so never under a lock, nor while a series is pinned.
    pub fn ask(self, bucket: usize, value: f64) {
        if let Some(source) = self.shared.source.as_ref().filter(|_| self.is_due(bucket, value)) {
            source.ask(self, bucket, value);
        }
    }

    /// Counts `value` by `op` where the hot path of a handle at `slot` found no cell: this thread has none yet, or the handle is one of a
    /// family with a source, which is asked then.
    #[cold]
    #[inline(never)]
    pub fn write_slow(self, slot: Slot, value: f64, op: impl Fn(OwnedCell<'_>)) {
        if slot != Slot::BESIDE {
            return arena::write_slow(slot, op);
        }
        arena::write!(self.tuple.slot(), cell => op(cell));
        self.ask(0, value);
    }
}
