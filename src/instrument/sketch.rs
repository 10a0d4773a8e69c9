//! Where the quantiles of a family's summaries are counted, and when one window ends and the next begins.
//!
//! # Shape
//! Each series that was observed has a **directory** of the magnitudes that it met, in leaves of 64, and for each magnitude one slot:
//! a cell in the slab of every thread that met it. So memory goes by the range of what is observed and not by its number. Beside it are
//! the least and the greatest value of each bank, shared by all threads. A thread finds the magnitudes that it used last, and which
//! values its extremes of this window cover, in its own cell: so most observations touch nothing that is shared but the turn.
//! # Windows
//! A window counts in the bank that the lowest bit of the **turn** names. At its end the turn goes on, and so observations go to the other
//! bank; when those that saw the last turn are surely over, the bank at rest is read. One observation reads the turn once, so its
//! extreme and its count are of one window. A reset moves the turn by two: observations go on in the same bank, and hand in
//! their extremes anew.
//! # Ordering
//! A turn is Release and pairs with the Acquire of an observation: who counts in a bank finds the extremes of its last window taken, and
//! does not take one of them for a value of this window. An observation that was stopped between reading the turn and counting for
//! longer than the reader waits is not lost: words only grow, so it is in the next reading of its bank, and in no other. Extremes
//! are stored before the count, which is Release: a reading, Acquire, sees the extremes of all that it counts, unless an earlier
//! reading of the bank took them. Exchanges of extremes are Relaxed: each is one word, and what it publishes goes by the count.
//! A slot is published Release and found Acquire: the zeros of a slot that is used again come first (A4).
//! # Progress and cost
//! Wait-free but for what happens once: a magnitude's first observation takes the family's lock for slots and allocates. Extremes
//! are a fetch-and-min and a fetch-and-max, only for a value beyond those that its thread met in this window so far.
//! # Not promised
//! A signal handler that interrupts an observation may be the first to meet a magnitude only if it may allocate as well. Once the
//! process has no slot left, values of new magnitudes are counted and summed, and missing in quantiles.

use super::sparse::{Leaves, Pages};
use crate::{
    arena::{self, Arena, Slot, SlotPool, arena},
    cell::sketch::{self, HEAD_WIDTH, MAGNITUDES, PARTS, Place},
    sync::{AtomicU64, GatedMutex, Ordering, mutant},
};

/// Series lie at least so far apart.
const STRIDE: usize = 8;

const _: () = assert!(HEAD_WIDTH >= STRIDE, "no two heads are in one stride");

/// The sketches of one family.
#[derive(Debug)]
pub struct Sketches {
    /// Its lowest bit names the bank; it moves on with every window and every reset.
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

    /// Counts one observation of the series at `slot`, which is not [nowhere](Slot::NOWHERE), if `value` is covered by extremes that
    /// this thread has handed in and its magnitude is at hand; false, and nothing was done, if not. The caller tries
    /// [`record`](Self::record) then, behind everything else: what is not called again needs no register to be saved.
    #[inline(always)]
    #[must_use = "false says that nothing was counted"]
    pub fn try_record(&self, slot: Slot, value: f64) -> bool {
        // Relaxed: it is compared with the turn of an observation that came before on this slab, and had it Acquire.
        let turn = self.turn.load(Ordering::Relaxed);
        let busy = arena::undisturbed();
        let head = busy.as_ref().and_then(|_| arena::own_cell(slot));
        let Some(head) = head.filter(|head| sketch::covers(*head, turn, value.to_bits())) else { return false };
        let place = Place::of(value);
        let Some(cell) = sketch::last(head, place.magnitude).and_then(arena::own_cell) else { return false };
        sketch::count(head, value);
        sketch::add(cell, bank(turn), place.part);
        true
    }

    /// Counts one observation of the series at `slot`, which is not [nowhere](Slot::NOWHERE); `value` is finite and not negative. Hands in
    /// the extremes, and makes or finds what the thread has not at hand.
    pub fn record(&self, slot: Slot, value: f64) {
        let place = Place::of(value);
        let turn = self.turns();
        let busy = arena::undisturbed();
        let interrupting = busy.is_none();
        let Some((sketch, at)) = self.find_magnitude(slot, place).or_else(|| self.make(slot, place.magnitude)) else {
            return arena::write_two([slot; 2], interrupting, |[head, _]| sketch::count(head, value));
        };
        // Both zeros are one value.
        let bits = (value + 0.0).to_bits();
        let extremes = &sketch.extremes[bank(turn)];
        mutant!("extremes_last", extremes.take_in(bits), ());
        arena::write_two([slot, at], interrupting, |[head, cell]| {
            sketch::count(head, value);
            sketch::cover(head, turn, bits);
            sketch::remember(head, place.magnitude, at);
            sketch::add(cell, bank(turn), place.part);
        });
        mutant!("extremes_last" => extremes.take_in(bits));
    }

    fn find_magnitude(&self, slot: Slot, place: Place) -> Option<(&Sketch, Slot)> {
        let sketch = self.find(slot)?;
        Some((sketch, sketch.leaves.slot(place.magnitude)?))
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
    pub fn find(&self, slot: Slot) -> Option<&Sketch> {
        self.pages.find(slot)
    }

    /// The turn that observations go by.
    pub fn turns(&self) -> u64 {
        // Acquire: pairs with Release in `turn`; what was taken of the bank that is counted in again is gone.
        self.turn.load(mutant!("turns_relaxed", Ordering::Acquire, Ordering::Relaxed))
    }

    /// Ends a window: from now on observations go to the other bank. Returns the one that comes to rest. One thread ends windows.
    pub fn turn(&self) -> usize {
        // Release: pairs with Acquire in `turns`; hands over that the other bank was read.
        let order = mutant!("end_of_window_relaxed", Ordering::Release, Ordering::Relaxed);
        self.turn.fetch_add(1, order) as usize & 1
    }

    /// Lets every thread hand in its extremes anew, in the same bank: those of some series were taken off it.
    pub fn begin_anew(&self) {
        // Release: pairs with Acquire in `turns`; hands over that the extremes are gone.
        self.turn.fetch_add(2, mutant!("reset_relaxed", Ordering::Release, Ordering::Relaxed));
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

/// The bank that observations of a turn go to.
#[inline(always)]
fn bank(turn: u64) -> usize {
    turn as usize & 1
}
