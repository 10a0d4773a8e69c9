//! Where the quantiles of a family's summaries are counted, and when one window ends and the next begins.
//!
//! # Shape
//! Each series that was observed has a **directory** of the magnitudes that it met, in leaves of 64, and for each magnitude one slot:
//! a cell in the slab of every thread that met it. So memory goes by the range of what is observed and not by its number. Beside it are
//! the least and the greatest value of each bank, shared by all threads: read at every observation, exchanged when one goes beyond.
//! # Windows
//! A window counts in the bank that the lowest bit of the **turn** names. At its end the turn goes on, and so observations go to the other
//! bank; when those that saw the last turn are surely over, the bank at rest is read. One observation reads the turn once, so its
//! extreme and its count are of one window.
//! # Ordering
//! A turn is Release and pairs with the Acquire of an observation: who counts in a bank finds the extremes of its last window taken, and
//! does not take one of them for a value of this window. An observation that was stopped between reading the turn and counting for
//! longer than the reader waits is not lost: words only grow, so it is in the next reading of its bank, and in no other. Extremes
//! are stored before the count, which is Release: a reading, Acquire, sees the extremes of all that it counts, unless an earlier
//! reading of the bank took them. Exchanges of extremes are Relaxed: each is one word, and what it publishes goes by the count.
//! A slot is published Release and found Acquire: the zeros of a slot that is used again come first (A4).
//! # Progress and cost
//! Wait-free but for what happens once: a magnitude's first observation takes the family's lock for slots and allocates. Extremes
//! are a fetch-and-min and a fetch-and-max, only for a value beyond those of its window so far.
//! # Not promised
//! A signal handler that interrupts an observation may be the first to meet a magnitude only if it may allocate as well. Once the
//! process has no slot left, values of new magnitudes are counted and summed, and missing in quantiles.

use super::sparse::{Leaves, Pages};
use crate::{
    arena::{self, Arena, Slot, SlotPool, arena},
    cell::sketch::{self, MAGNITUDES, PARTS, Place},
    sync::{AtomicU64, GatedMutex, Ordering, mutant},
};

/// Words of a summary's own cell, so that its series lie so far apart.
const STRIDE: usize = 4;

/// The sketches of one family.
#[derive(Debug)]
pub struct Sketches {
    /// How many windows have ended.
    turn: AtomicU64,
    /// Slots of magnitudes. Whoever makes something in a directory holds this.
    pool: GatedMutex<SlotPool>,
    pages: Pages<Sketch, STRIDE>,
}

/// What one series has beside its cells.
#[derive(Debug)]
pub struct Sketch {
    /// The slots of the magnitudes that were met.
    leaves: Leaves,
    extremes: [Extremes; 2],
}

/// A magnitude, and what a bank has ever counted in its parts.
pub type Held = (usize, [u64; PARTS]);

/// The least and the greatest value of a window, as bits, which order like the values.
#[derive(Debug)]
struct Extremes {
    least: AtomicU64,
    greatest: AtomicU64,
}

impl Extremes {
    fn new() -> Self {
        Self { least: AtomicU64::new(u64::MAX), greatest: AtomicU64::new(0) }
    }

    #[inline(always)]
    fn take_in(&self, bits: u64) {
        // Relaxed, both: an older extreme of this window only costs an exchange, and one of an earlier window the turn has ruled out.
        if bits < self.least.load(Ordering::Relaxed) {
            self.least.fetch_min(bits, Ordering::Relaxed);
        }
        // Relaxed, both: as above.
        if bits > self.greatest.load(Ordering::Relaxed) {
            self.greatest.fetch_max(bits, Ordering::Relaxed);
        }
    }

    /// Hands the extremes over and begins anew.
    fn take(&self) -> (f64, f64) {
        // Relaxed: the counts were read before, Acquire; see the head of this file.
        let least = self.least.swap(u64::MAX, Ordering::Relaxed);
        let greatest = self.greatest.swap(0, Ordering::Relaxed);
        (f64::from_bits(least), f64::from_bits(greatest))
    }
}

impl Sketch {
    fn new() -> Self {
        Self { leaves: Leaves::new(MAGNITUDES), extremes: [Extremes::new(), Extremes::new()] }
    }

    /// What a bank has ever counted, by magnitude, and then its extremes since they were last taken.
    pub fn take(&self, arena: &Arena, bank: usize) -> (Vec<Held>, (f64, f64)) {
        let counts =
            || self.leaves.slots().map(|(magnitude, slot)| (magnitude, sketch::read(arena, slot, bank))).collect();
        mutant!("extremes_before_counts", (counts(), self.extremes[bank].take()), {
            let early = self.extremes[bank].take();
            crate::sync::yield_now();
            (counts(), early)
        })
    }
}

impl Sketches {
    /// Sketches of a family that has no observation yet.
    pub fn new() -> Self {
        Self {
            turn: AtomicU64::new(0),
            pool: GatedMutex::new(SlotPool::new(sketch::WIDTH, false)),
            pages: Pages::new(),
        }
    }

    /// Counts one observation of the series at `slot`. `value` is finite and not negative; the caller is [undisturbed](arena::undisturbed).
    #[inline(always)]
    pub fn record(&self, slot: Slot, value: f64) {
        let place = Place::of(value);
        match self.find(slot).and_then(|sketch| Some((sketch, sketch.leaves.slot(place.magnitude)?))) {
            Some((sketch, at)) => self.count(sketch, at, place, value, false),
            None => self.record_new(slot, place, value, false),
        }
    }

    /// The same for an operation that interrupts another of this very thread.
    #[cold]
    pub fn record_interrupting(&self, slot: Slot, value: f64) {
        self.record_new(slot, Place::of(value), value, true);
    }

    #[inline(always)]
    fn count(&self, sketch: &Sketch, at: Slot, place: Place, value: f64, interrupting: bool) {
        let bank = self.turns() as usize & 1;
        let bits = (value + 0.0).to_bits();
        if mutant!("extremes_last", true, false) {
            sketch.extremes[bank].take_in(bits);
        }
        if interrupting {
            arena::write_leased(at, |cell| sketch::add(cell, bank, place.part));
        } else {
            arena::write!(at, cell => sketch::add(cell, bank, place.part));
        }
        if mutant!("extremes_last", false, true) {
            sketch.extremes[bank].take_in(bits);
        }
    }

    #[cold]
    #[inline(never)]
    fn record_new(&self, slot: Slot, place: Place, value: f64, interrupting: bool) {
        if let Some((sketch, at)) = self.make(slot, place.magnitude) {
            self.count(sketch, at, place, value, interrupting);
        }
    }

    /// The sketch at `slot` and the slot of one of its magnitudes, made if need be. None if the process has no slot left.
    fn make(&self, slot: Slot, magnitude: usize) -> Option<(&Sketch, Slot)> {
        // Before anything is begun: a process that forks waits for this lock, and for nothing else here.
        let mut pool = self.pool.lock();
        let sketch = self.pages.make(slot, Sketch::new);
        let at = sketch.leaves.make(magnitude, || pool.take(arena()))?;
        Some((sketch, at))
    }

    /// The sketch of the series at `slot`, if it was ever observed.
    #[inline(always)]
    pub fn find(&self, slot: Slot) -> Option<&Sketch> {
        self.pages.find(slot)
    }

    /// How many windows have ended.
    #[inline(always)]
    pub fn turns(&self) -> u64 {
        // Acquire: pairs with Release in `turn`; what was taken of the bank that is counted in again is gone.
        self.turn.load(mutant!("turns_relaxed", Ordering::Acquire, Ordering::Relaxed))
    }

    /// Ends a window: from now on observations go to the other bank. Returns the one that comes to rest. One thread turns.
    pub fn turn(&self) -> usize {
        // Release: pairs with Acquire in `turns`; hands over that the other bank was read.
        let order = mutant!("end_of_window_relaxed", Ordering::Release, Ordering::Relaxed);
        self.turn.fetch_add(1, order) as usize & 1
    }

    /// Gives the slots of a series back that nobody can observe any more (A4).
    pub fn forget(&self, slot: Slot) {
        let Some(sketch) = self.find(slot) else { return };
        let mut pool = self.pool.lock();
        sketch.leaves.clear(|at| pool.give(at, arena()));
        sketch.extremes.iter().for_each(|extremes| _ = extremes.take());
    }

    /// Gives every slot back when the family itself is gone (A4).
    pub fn dissolve(&self) {
        self.pool.lock().dissolve(arena());
    }
}
