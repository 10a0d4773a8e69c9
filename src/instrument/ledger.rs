//! The books of one family, kept beside its cells: what was taken off each series, which slots are whose, which are free again.
//!
//! A cell only grows (A1), so a reset does not touch it: it writes down what the cells held, and readers subtract that. One lock
//! per family guards the books. Readers take it too, so that a value and its creation time belong together, a reset is seen whole,
//! and the selector of a wide cell has one writer. Recording never takes it.
//!
//! # Not promised
//! After a reset, the sum of a histogram or a float counter is as exact as the difference of two running sums.

mod lifetime;
mod moves;
mod natives;
mod windows;

use std::{
    collections::{HashMap, HashSet},
    mem,
};

use super::{
    Kind, SeriesRef, Shared,
    gauge_histogram::{came, went},
};
use crate::{
    arena::{Slot, SlotPool, Sums, arena},
    cell::{count, flip, sum, undo},
    model::{Points, Timestamp},
    sync::{Ordering, mutant, unix_millis},
    tuple::Tuple,
};

pub use lifetime::Lifetimes;
pub use moves::Push;
#[cfg(feature = "statsd")]
pub use moves::{Departed, SampleSink};

use moves::Moves;
use natives::NativeBooks;
use windows::Windows;

/// Rows from which on summing whole blocks beats looking up each slot.
const MANY_ROWS: usize = 32;

/// Retired series that may wait for the next collection.
const FEW_RETIRED: usize = 32;

/// Whether a reading leaves the value where it is, or takes it off, so that the series reads as new from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Only look.
    Look,
    /// Hand over. An operation that races with this is either in what is handed over, or in what is read later.
    Take,
}

/// The books of one family.
#[derive(Debug)]
pub struct Ledger {
    /// What was taken off each series, by slot; most have nothing.
    bases: HashMap<Slot, Base>,
    /// The counters that were found at their end.
    saturated: HashSet<Slot>,
    pool: SlotPool,
    /// Which series came and went since the last push; of use only to a provider that pushes.
    moves: Moves,
    /// The quantiles of summaries.
    windows: Windows,
    /// The buckets of native histograms.
    natives: NativeBooks,
    /// Series that left the registry and may still be held.
    retired: Vec<Tuple>,
    /// How many of them make the next new series look for free ones: twice as many as were left the last time.
    sweep_at: usize,
    /// Room for reading cells, kept between readings.
    scratch: Vec<u64>,
    /// Room for the buckets of one reading, kept likewise.
    counts: Vec<u64>,
    /// Room for summing whole chunks, kept between collections.
    sums: Sums,
}

/// What readers subtract from the cells of one series, and what is not in the cells at all.
#[derive(Debug)]
enum Base {
    Total {
        /// Signed and wide, since `set` may put a counter above what its cells hold.
        base: i128,
        /// All that was ever added by `set`.
        gained: u128,
    },
    Float {
        held: f64,
        /// What to add again: the total that was set. Kept apart, so that it reads as exactly that.
        set: f64,
        /// All that was ever added by `set`.
        gained: f64,
    },
    Level {
        base: i64,
        resets: u64,
    },
    Observed {
        buckets: Box<[u64]>,
        sum: f64,
        resets: u64,
    },
}

impl Ledger {
    /// Books of a family whose cells have `width` words; `alone` if it has one series only.
    pub fn new(width: usize, alone: bool) -> Self {
        Self {
            bases: HashMap::new(),
            saturated: HashSet::new(),
            pool: SlotPool::new(width.max(1), alone),
            moves: Moves::default(),
            windows: Windows::default(),
            natives: NativeBooks::default(),
            retired: Vec::new(),
            sweep_at: FEW_RETIRED,
            scratch: Vec::new(),
            counts: Vec::new(),
            sums: Sums::default(),
        }
    }

    /// A zeroed slot for a new series of `shared`; None if the process has none left.
    pub fn open(&mut self, shared: &Shared) -> Option<Slot> {
        if self.retired.len() >= self.sweep_at {
            self.sweep(shared);
            self.sweep_at = FEW_RETIRED.max(2 * self.retired.len());
        }
        match shared.kind {
            kind if kind.is_in_tuple() => Some(Slot::BESIDE),
            _ => self.pool.take(arena()).or_else(|| {
                // The last resort before there is none: series that are free and were not looked for.
                self.sweep(shared);
                self.pool.take(arena())
            }),
        }
    }

    /// Takes back a slot that no series came to use.
    pub fn give_back(&mut self, slot: Slot, shared: &Shared) {
        if !shared.kind.is_in_tuple() {
            self.pool.give(slot, arena());
        }
    }

    /// Takes in a series that left the registry. Its slot is used again when nobody can write to it any more (A4).
    pub fn retire(&mut self, tuple: Tuple) {
        self.retired.push(tuple);
    }

    /// Frees the slots of retired series that nobody holds any more. `shared` is the family of these books.
    pub fn sweep(&mut self, shared: &Shared) {
        let mut free = Vec::new();
        self.retired.retain(|tuple| {
            let sole = tuple.is_sole();
            free.extend(sole.then(|| tuple.slot()));
            !sole
        });
        for slot in free {
            self.bases.remove(&slot);
            self.saturated.remove(&slot);
            if let Some(sketches) = &shared.sketches {
                self.windows.forget(sketches, slot);
            }
            if let Some(native) = &shared.native {
                self.natives.forget(slot);
                native.forget(slot);
            }
            self.give_back(slot, shared);
        }
    }

    /// The total of a counter. It stops at the largest `u64`.
    pub fn total(&mut self, series: SeriesRef<'_>, reading: Reading) -> u64 {
        let held = whole(count::total(arena(), series.tuple.slot()), series.tuple);
        self.total_of(series, held, reading)
    }

    /// Sets the total of a counter. A step back is a reset.
    pub fn set_total(&mut self, series: SeriesRef<'_>, value: u64) {
        let held = whole(count::total(arena(), series.tuple.slot()), series.tuple);
        let total = self.total_of(series, held, Reading::Look);
        let gain = value.checked_sub(total).unwrap_or_else(|| {
            begin_anew(series);
            value
        });
        let gained = self.gained(series.tuple.slot()) + u128::from(gain);
        self.saturated.remove(&series.tuple.slot());
        self.keep(series.tuple.slot(), Base::Total { base: held - i128::from(value), gained });
    }

    /// The total of a float counter.
    pub fn float(&mut self, series: SeriesRef<'_>, reading: Reading) -> f64 {
        let held = finite(sum::total(arena(), series.tuple.slot()));
        self.float_of(series, held, reading)
    }

    /// Sets the total of a float counter. A step back is a reset.
    pub fn set_float(&mut self, series: SeriesRef<'_>, value: f64) {
        let held = finite(sum::total(arena(), series.tuple.slot()));
        let total = self.float_of(series, held, Reading::Look);
        if value < total {
            begin_anew(series);
        }
        let gain = if value < total { value } else { value - total };
        let gained = finite(self.gained_float(series.tuple.slot()) + gain);
        self.keep(series.tuple.slot(), Base::Float { held, set: value, gained });
    }

    /// The value of a gauge, or of a metric of unknown type.
    pub fn gauge(&mut self, series: SeriesRef<'_>, reading: Reading) -> f64 {
        match reading {
            // Relaxed: a gauge is one word; the lock is what makes a family's gauges change together.
            Reading::Look => series.tuple.state().load(Ordering::Relaxed),
            Reading::Take => {
                // Relaxed: as above.
                let taken = series.tuple.state().swap(0.0, Ordering::Relaxed);
                series.tuple.mark_written();
                taken
            }
        }
    }

    /// The level of an up-down gauge.
    pub fn level(&mut self, series: SeriesRef<'_>, reading: Reading) -> i64 {
        let slot = series.tuple.slot();
        let held = count::level(arena(), slot);
        let (base, resets) = match self.bases.get(&slot) {
            Some(Base::Level { base, resets }) => (*base, *resets),
            _ => (0, 0),
        };
        if reading == Reading::Take {
            self.keep(slot, Base::Level { base: held, resets: resets + 1 });
        }
        held.wrapping_sub(base)
    }

    /// Appends the buckets of a histogram or summary, cumulative, and returns the sum.
    pub fn observed(&mut self, series: SeriesRef<'_>, cumulative: &mut Vec<u64>, reading: Reading) -> f64 {
        let slot = series.tuple.slot();
        let start = cumulative.len();
        cumulative.resize(start + series.shared.search.buckets(), 0);
        let totals = &mut cumulative[start..];
        let held_sum = self.read_observed(series, slot, totals);
        let resets = self.resets(slot) + 1;
        let taken =
            (reading == Reading::Take).then(|| Base::Observed { buckets: (&*totals).into(), sum: held_sum, resets });
        let mut sum = held_sum;
        if let Some(Base::Observed { buckets, sum: base, .. }) = self.bases.get(&slot) {
            for (total, base) in totals.iter_mut().zip(buckets) {
                *total = total.wrapping_sub(*base);
            }
            sum -= base;
        }
        if let Some(taken) = taken {
            self.keep(slot, taken);
            begin_anew(series);
            if let Some(sketches) = &series.shared.sketches {
                self.windows.reset(sketches, slot);
            }
        }
        let count = cumulate(totals);
        // What a reset took off may leave a rounding error below zero, or beside it.
        let sum = match series.shared.metadata.has_negative_threshold() {
            _ if count == 0 => 0.0,
            true => sum,
            false => sum.max(0.0),
        };
        if let (Some(natives), Some(options)) = (&series.shared.native, series.shared.metadata.native()) {
            self.natives.note((options, natives), slot, sum, reading);
        }
        sum
    }

    /// Appends the values of a summary's quantiles in the window that ended last.
    pub fn quantiles(&self, series: SeriesRef<'_>, values: &mut Vec<f64>) {
        let quantiles = series.shared.metadata.quantiles().len();
        self.windows.append(series.tuple.slot(), quantiles, values);
    }

    /// Takes the quantiles of a window that has ended from the bank that came to rest.
    pub fn end_window(&mut self, series: SeriesRef<'_>, bank: usize) {
        if let Some(sketches) = &series.shared.sketches {
            self.windows.end(sketches, series.tuple.slot(), bank, series.shared.metadata.quantiles());
        }
    }

    /// Appends to `on` which states of a stateset are on.
    pub fn states(&mut self, series: SeriesRef<'_>, on: &mut Vec<bool>, reading: Reading) {
        let bits = match reading {
            // Relaxed: as a gauge.
            Reading::Look => series.tuple.bits().load(Ordering::Relaxed),
            Reading::Take => {
                // Relaxed: as a gauge.
                let taken = series.tuple.bits().swap(0, Ordering::Relaxed);
                series.tuple.mark_written();
                taken
            }
        };
        on.extend((0..series.shared.metadata.states().len()).map(|state| (bits >> state) & 1 == 1));
    }

    /// Appends the buckets of a gauge histogram, cumulative, and returns the sum.
    pub fn present(&mut self, series: SeriesRef<'_>, cumulative: &mut Vec<u64>, reading: Reading) -> f64 {
        let slot = series.tuple.slot();
        let start = cumulative.len();
        let mut sum = self.append_net(series, cumulative);
        let totals = &mut cumulative[start..];
        let resets = self.resets(slot) + 1;
        let taken = (reading == Reading::Take).then(|| Base::Observed { buckets: (&*totals).into(), sum, resets });
        if let Some(Base::Observed { buckets, sum: base, .. }) = self.bases.get(&slot) {
            for (total, base) in totals.iter_mut().zip(buckets) {
                *total = total.wrapping_sub(*base);
            }
            sum -= base;
        }
        if let Some(taken) = taken {
            self.keep(slot, taken);
        }
        // What went without having come reads as nothing.
        totals.iter_mut().for_each(|total| *total = (*total as i64).max(0) as u64);
        match series.shared.metadata.has_negative_threshold() {
            _ if cumulate(totals) == 0 => 0.0,
            true => sum,
            false => sum.max(0.0),
        }
    }

    /// Appends what came less what went, bucket by bucket, and returns the same of the sums.
    fn append_net(&mut self, series: SeriesRef<'_>, buckets: &mut Vec<u64>) -> f64 {
        let start = buckets.len();
        buckets.resize(start + series.shared.search.buckets(), 0);
        let totals = &mut buckets[start..];
        // What went first. Its reads are Acquire, and who takes something away knows that it came: so what came is read as of
        // later, and holds all that went.
        let mut gone = vec![0; totals.len()];
        let gone_sum = mutant!("came_before_went", self.read_cells(went(series), &mut gone), 0.0);
        let sum = self.read_cells(came(series), totals);
        let went_sum = mutant!("came_before_went", gone_sum, self.read_cells(went(series), &mut gone));
        for (total, gone) in totals.iter_mut().zip(gone) {
            *total = total.wrapping_sub(gone);
        }
        finite(sum - went_sum)
    }

    /// When the series began, or was last reset.
    pub fn created(&self, series: SeriesRef<'_>) -> Timestamp {
        // Relaxed: written and read under the lock of these books; before that, the tuple was handed over as a whole.
        Timestamp::from_millis(series.tuple.state().load(Ordering::Relaxed) as u64)
    }

    /// Appends one series to the columns of its family; with its creation time if `with_created`.
    pub fn append(&mut self, series: SeriesRef<'_>, points: &mut Points, with_created: bool, reading: Reading) {
        if let Some(created) = points.created_mut().filter(|_| with_created) {
            created.push(self.created(series));
        }
        match points {
            Points::Counter { totals, .. } => totals.push(self.total(series, reading)),
            Points::FloatCounter { totals, .. } => totals.push(self.float(series, reading)),
            Points::Gauge { values } | Points::Unknown { values } => values.push(self.gauge(series, reading)),
            Points::Info => {}
            Points::StateSet { on } => self.states(series, on, reading),
            Points::GaugeHistogram { cumulative, sums } => sums.push(self.present(series, cumulative, reading)),
            Points::UpDown { values } => values.push(self.level(series, reading)),
            Points::Histogram { cumulative, sums, .. } => sums.push(self.observed(series, cumulative, reading)),
            Points::Summary { counts, sums, quantiles, .. } => {
                self.quantiles(series, quantiles);
                sums.push(self.observed(series, counts, reading));
            }
        }
    }

    /// Appends all series of a family, whose tuples are `rows` and whose slots are `slots`, to its columns. The same as
    /// [`append`](Self::append) for each; many counters are summed block by block instead of slot by slot.
    pub fn append_all(
        &mut self,
        shared: &Shared,
        rows: &[Tuple],
        slots: &[Slot],
        points: &mut Points,
        with_created: bool,
    ) {
        let series = |tuple| SeriesRef { tuple, shared };
        let many = rows.len() >= MANY_ROWS && shared.kind == Kind::Counter;
        let mut sums = mem::take(&mut self.sums);
        match points {
            Points::Counter { totals, created } if many && self.pool.sum(arena(), &mut sums) => {
                if self.bases.is_empty() && !shared.has_carried() {
                    // What the cells hold is what there is, and nothing lies in the tuples.
                    totals.extend(slots.iter().map(|slot| sums.of(*slot)));
                } else {
                    totals.extend(rows.iter().map(|tuple| {
                        let held = whole(sums.of(tuple.slot()).into(), tuple);
                        self.total_of(series(tuple), held, Reading::Look)
                    }));
                }
                if with_created {
                    created.extend(rows.iter().map(|tuple| self.created(series(tuple))));
                }
            }
            points => {
                for tuple in rows {
                    self.append(series(tuple), points, with_created, Reading::Look);
                }
            }
        }
        self.sums = sums;
    }

    /// Gives every slot back when the family itself is gone, and with it every handle.
    pub fn dissolve(&mut self) {
        self.pool.dissolve(arena());
    }

    /// Writes down what readers subtract from now on. Of a series that is nowhere there is nothing to subtract.
    fn keep(&mut self, slot: Slot, base: Base) {
        if !slot.is_nowhere() {
            self.bases.insert(slot, base);
        }
    }

    fn total_of(&mut self, series: SeriesRef<'_>, held: i128, reading: Reading) -> u64 {
        let slot = series.tuple.slot();
        let base = match self.bases.get(&slot) {
            Some(Base::Total { base, .. }) => *base,
            _ => 0,
        };
        let total = u64::try_from((held - base).max(0)).unwrap_or_else(|_| {
            if self.saturated.insert(slot) {
                series.shared.health.saturate();
            }
            u64::MAX
        });
        if reading == Reading::Take {
            self.saturated.remove(&slot);
            // The same number that is handed back: what was added meanwhile is in the next one.
            let base = mutant!("base_read_again", held, whole(count::total(arena(), slot), series.tuple));
            self.keep(slot, Base::Total { base, gained: self.gained(slot) });
            begin_anew(series);
        }
        total
    }

    fn float_of(&mut self, series: SeriesRef<'_>, held: f64, reading: Reading) -> f64 {
        let slot = series.tuple.slot();
        let (base, set) = match self.bases.get(&slot) {
            Some(Base::Float { held, set, .. }) => (*held, *set),
            _ => (0.0, 0.0),
        };
        if reading == Reading::Take {
            self.keep(slot, Base::Float { held, set: 0.0, gained: self.gained_float(slot) });
            begin_anew(series);
        }
        (held - base).max(0.0) + set
    }

    /// The same for a histogram or a summary of any kind.
    fn read_observed(&mut self, series: SeriesRef<'_>, slot: Slot, totals: &mut [u64]) -> f64 {
        match &series.shared.native {
            Some(natives) => {
                natives.read(slot, &mut self.natives.held, totals);
                finite(self.natives.held.sum)
            }
            None => self.read_cells(slot, totals),
        }
    }

    /// Adds the buckets of every cell at `slot` to `totals`, and returns the sum of their sums.
    fn read_cells(&mut self, slot: Slot, totals: &mut [u64]) -> f64 {
        let buckets = totals.len();
        if self.scratch.len() < 2 * buckets {
            self.scratch.resize(2 * buckets, 0);
        }
        let sums = arena().cells(slot).map(|cell| match buckets {
            narrow if narrow <= flip::NARROW => undo::read(cell, totals, &mut self.scratch[..buckets]),
            _ => flip::read(cell, totals, &mut self.scratch[..2 * buckets]),
        });
        finite(sums.sum())
    }
}

/// Makes counts per bucket cumulative; returns the last one.
fn cumulate(buckets: &mut [u64]) -> u64 {
    let mut running = 0u64;
    for bucket in buckets {
        running = running.wrapping_add(*bucket);
        *bucket = running;
    }
    running
}

/// What the cells of a counter hold together, with the wraps that were counted.
fn whole(cells: u128, tuple: &Tuple) -> i128 {
    (cells + (u128::from(tuple.carries()) << u64::BITS)) as i128
}

/// A sum that ran over stays at the largest float, so that no difference of two becomes NaN.
fn finite(sum: f64) -> f64 {
    sum.clamp(f64::MIN, f64::MAX)
}

fn begin_anew(series: SeriesRef<'_>) {
    if !series.tuple.slot().is_nowhere() {
        // Relaxed: see `Ledger::created`.
        series.tuple.state().store(unix_millis() as f64, Ordering::Relaxed);
    }
    series.shared.forget_exemplars(series.tuple);
}
