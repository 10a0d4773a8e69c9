//! What series were ever given: their values without the resets, for those who send increases.
#![cfg_attr(not(feature = "statsd"), allow(dead_code, reason = "only a provider that pushes asks for this"))]

use std::mem;

use super::{Base, Ledger, MANY_ROWS, Reading, cumulate, finite, whole};
use crate::{
    arena::{Slot, arena},
    cell::{count, sum},
    instrument::{
        Kind, SeriesRef, Shared,
        gauge_histogram::{came, went},
    },
    sync::Ordering,
    tuple::Tuple,
};

/// All that series of one family were ever given, whatever was taken off them since. Columns with an entry per series.
#[derive(Debug)]
pub enum Lifetimes {
    /// Of counters of whole numbers: all that was ever added.
    Totals(Vec<u128>),
    /// Of counters of floats.
    Floats(Vec<f64>),
    /// Of gauges.
    Gauges {
        /// Values.
        values: Vec<f64>,
        /// Which were written since the last reading of this kind.
        written: Vec<bool>,
    },
    /// Of gauges that move by steps.
    Levels {
        /// Values.
        values: Vec<i64>,
        /// Numbers that change whenever the level is moved or reset.
        moves: Vec<u64>,
    },
    /// Of statesets.
    States {
        /// Which states are on, as bits.
        bits: Vec<u64>,
        /// Which were written since the last reading of this kind.
        written: Vec<bool>,
    },
    /// Of gauge histograms.
    Present {
        /// Cumulative counts of what is there, one per threshold and one for `+Inf`.
        cumulative: Vec<u64>,
        /// Sums of what is there.
        sums: Vec<f64>,
        /// Numbers that change whenever something comes or goes, or all is reset.
        moves: Vec<u64>,
    },
    /// Of infos: there is nothing to send.
    Nothing,
    /// Of histograms and summaries.
    Observed {
        /// Cumulative counts of all observations ever made, one per threshold and one for `+Inf`.
        cumulative: Vec<u64>,
        /// Sums of all observations ever made.
        sums: Vec<f64>,
        /// Sums of the observations since the last reset.
        shown: Vec<f64>,
        /// How often the series were reset.
        resets: Vec<u64>,
    },
}

impl Lifetimes {
    /// Empty columns for a family of this kind.
    pub fn new(kind: Kind) -> Self {
        match kind {
            Kind::Counter => Self::Totals(vec![]),
            Kind::FloatCounter => Self::Floats(vec![]),
            Kind::Gauge | Kind::Unknown => Self::Gauges { values: vec![], written: vec![] },
            Kind::StateSet => Self::States { bits: vec![], written: vec![] },
            Kind::GaugeHistogram => Self::Present { cumulative: vec![], sums: vec![], moves: vec![] },
            Kind::Info => Self::Nothing,
            Kind::UpDownGauge => Self::Levels { values: vec![], moves: vec![] },
            Kind::Histogram | Kind::Summary => {
                Self::Observed { cumulative: vec![], sums: vec![], shown: vec![], resets: vec![] }
            }
        }
    }

    /// Empties every column and keeps its memory.
    fn clear(&mut self) {
        match self {
            Self::Totals(totals) => totals.clear(),
            Self::Floats(totals) => totals.clear(),
            Self::Gauges { values, written } => {
                values.clear();
                written.clear();
            }
            Self::Levels { values, moves } => {
                values.clear();
                moves.clear();
            }
            Self::States { bits, written } => {
                bits.clear();
                written.clear();
            }
            Self::Present { cumulative, sums, moves } => {
                cumulative.clear();
                sums.clear();
                moves.clear();
            }
            Self::Nothing => {}
            Self::Observed { cumulative, sums, shown, resets } => {
                cumulative.clear();
                sums.clear();
                shown.clear();
                resets.clear();
            }
        }
    }

    /// Adds a series of the same labels that came after this one. Both are of one kind and have one row.
    pub(super) fn merge(&mut self, later: &Self) {
        match (self, later) {
            (Self::Totals(totals), Self::Totals(more)) => totals[0] += more[0],
            (Self::Floats(totals), Self::Floats(more)) => totals[0] = finite(totals[0] + more[0]),
            (
                Self::Observed { cumulative, sums, shown, resets },
                Self::Observed { cumulative: counts, sums: more, shown: last, .. },
            ) => {
                cumulative.iter_mut().zip(counts).for_each(|(total, more)| *total = total.wrapping_add(*more));
                sums[0] = finite(sums[0] + more[0]);
                shown[0] = last[0];
                resets[0] += 1;
            }
            _ => {}
        }
    }
}

impl Ledger {
    /// Makes `lifetimes` those of all series of a family, whose tuples are `rows` and whose slots are `slots`.
    ///
    /// For one reader alone: it takes the marks of written gauges away.
    pub fn read_lifetimes(&mut self, shared: &Shared, rows: &[Tuple], slots: &[Slot], lifetimes: &mut Lifetimes) {
        lifetimes.clear();
        let mut sums = mem::take(&mut self.sums);
        match lifetimes {
            Lifetimes::Totals(totals) if rows.len() >= MANY_ROWS && self.pool.sum(arena(), &mut sums) => {
                if self.bases.is_empty() && !shared.has_carried() {
                    totals.extend(slots.iter().map(|slot| u128::from(sums.of(*slot))));
                } else {
                    totals.extend(rows.iter().map(|tuple| {
                        let held = whole(sums.of(tuple.slot()).into(), tuple);
                        held as u128 + self.gained(tuple.slot())
                    }));
                }
            }
            lifetimes => {
                for tuple in rows {
                    self.append_lifetime(SeriesRef { tuple, shared }, lifetimes);
                }
            }
        }
        self.sums = sums;
    }

    /// Makes `marks` numbers of all series of a family, of which each changes with every update that counts; the marks of what has
    /// no cell are another matter, see [`Tuple::take_stirred`].
    pub fn read_marks(&mut self, shared: &Shared, rows: &[Tuple], slots: &[Slot], marks: &mut Vec<u64>) {
        marks.clear();
        let mut sums = mem::take(&mut self.sums);
        match shared.kind {
            Kind::Counter if rows.len() >= MANY_ROWS && self.pool.sum(arena(), &mut sums) => {
                marks.extend(slots.iter().map(|slot| sums.of(*slot)));
                if !self.bases.is_empty() {
                    let gained = slots.iter().map(|slot| self.gained(*slot) as u64);
                    marks.iter_mut().zip(gained).for_each(|(mark, gained)| *mark = mark.wrapping_add(gained));
                }
            }
            _ => marks.extend(rows.iter().map(|tuple| self.mark(SeriesRef { tuple, shared }))),
        }
        self.sums = sums;
    }

    /// The same of one series.
    pub fn mark(&mut self, series: SeriesRef<'_>) -> u64 {
        let slot = series.tuple.slot();
        match series.shared.kind {
            Kind::Counter => (count::total(arena(), slot) as u64).wrapping_add(self.gained(slot) as u64),
            Kind::FloatCounter => {
                sum::total(arena(), slot).to_bits() ^ self.gained_float(slot).to_bits().rotate_left(7)
            }
            Kind::UpDownGauge => count::moves(arena(), slot),
            Kind::Histogram | Kind::Summary => self.count_of(series, slot),
            Kind::GaugeHistogram => {
                self.count_of(series, came(series)).wrapping_add(self.count_of(series, went(series)))
            }
            Kind::Gauge | Kind::Unknown | Kind::StateSet | Kind::Info => 0,
        }
    }

    /// How many observations the cells at `slot` hold.
    fn count_of(&mut self, series: SeriesRef<'_>, slot: Slot) -> u64 {
        let mut counts = mem::take(&mut self.counts);
        counts.clear();
        counts.resize(series.shared.search.buckets(), 0);
        self.read_observed(series, slot, &mut counts);
        let count = counts.iter().fold(0, |sum: u64, count| sum.wrapping_add(*count));
        self.counts = counts;
        count
    }

    /// What a series that goes was ever given; None for what shows a state, which is not sent once it is gone.
    pub(super) fn last_lifetime(&mut self, series: SeriesRef<'_>) -> Option<Lifetimes> {
        let kind = series.shared.kind;
        if kind.is_in_tuple() || matches!(kind, Kind::UpDownGauge | Kind::GaugeHistogram) {
            return None;
        }
        let mut lifetimes = Lifetimes::new(series.shared.kind);
        self.append_lifetime(series, &mut lifetimes);
        Some(lifetimes)
    }

    fn append_lifetime(&mut self, series: SeriesRef<'_>, lifetimes: &mut Lifetimes) {
        let slot = series.tuple.slot();
        match lifetimes {
            Lifetimes::Totals(totals) => {
                let held = whole(count::total(arena(), slot), series.tuple);
                totals.push(held as u128 + self.gained(slot));
            }
            Lifetimes::Floats(totals) => {
                totals.push(finite(sum::total(arena(), slot) + self.gained_float(slot)));
            }
            Lifetimes::Gauges { values, written } => {
                // The mark before the value: see `tuple`.
                written.push(series.tuple.take_written());
                values.push(self.gauge(series, Reading::Look));
            }
            Lifetimes::Levels { values, moves } => {
                // Before the level: what moves after this is a move for the next reading too.
                moves.push(count::moves(arena(), slot).wrapping_add(self.resets(slot)));
                values.push(self.level(series, Reading::Look));
            }
            Lifetimes::States { bits, written } => {
                // The mark before the value: see `tuple`.
                written.push(series.tuple.take_written());
                // Relaxed: it is one word.
                bits.push(series.tuple.bits().load(Ordering::Relaxed));
            }
            Lifetimes::Present { cumulative, sums, moves } => {
                // Before the buckets: what moves after this is a move for the next reading too.
                moves.push(self.mark(series).wrapping_add(self.resets(slot)));
                sums.push(self.present(series, cumulative, Reading::Look));
            }
            Lifetimes::Nothing => {}
            Lifetimes::Observed { cumulative, sums, shown, resets } => {
                let start = cumulative.len();
                cumulative.resize(start + series.shared.search.buckets(), 0);
                let ever = &mut cumulative[start..];
                let held = self.read_observed(series, slot, ever);
                let count = cumulate(ever);
                let (since, times) = match self.bases.get(&slot) {
                    Some(Base::Observed { buckets, sum, resets }) => {
                        let then = buckets.iter().fold(0, |then: u64, bucket| then.wrapping_add(*bucket));
                        (if count == then { 0.0 } else { held - sum }, *resets)
                    }
                    _ => (held, 0),
                };
                sums.push(held);
                let may_fall = series.shared.metadata.has_negative_threshold();
                shown.push(if may_fall { since } else { since.max(0.0) });
                resets.push(times);
            }
        }
    }

    /// All that was ever added to a counter by `set`.
    pub(super) fn gained(&self, slot: Slot) -> u128 {
        match self.bases.get(&slot) {
            Some(Base::Total { gained, .. }) => *gained,
            _ => 0,
        }
    }

    /// All that was ever added to a float counter by `set`.
    pub(super) fn gained_float(&self, slot: Slot) -> f64 {
        match self.bases.get(&slot) {
            Some(Base::Float { gained, .. }) => *gained,
            _ => 0.0,
        }
    }

    /// How often a level, a histogram or a summary was reset.
    pub(super) fn resets(&self, slot: Slot) -> u64 {
        match self.bases.get(&slot) {
            Some(Base::Level { resets, .. } | Base::Observed { resets, .. }) => *resets,
            _ => 0,
        }
    }
}
