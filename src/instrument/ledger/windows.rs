//! The quantiles of summaries: what the last window of each series held, and what its banks had counted before this one.

use std::collections::{BTreeMap, HashMap};

use crate::{
    arena::{Slot, arena},
    cell::sketch::{PARTS, Place},
    instrument::sketch::Sketches,
};

/// The windows of the series of one family.
#[derive(Debug, Default)]
pub(super) struct Windows {
    series: HashMap<Slot, Window>,
}

#[derive(Debug, Default)]
struct Window {
    /// What each bank had counted when it was last read, by magnitude.
    bases: BTreeMap<usize, Box<[[u64; PARTS]; 2]>>,
    /// The quantiles of the window that ended last; none if it had no observations.
    values: Option<Box<[f64]>>,
}

/// What was observed in one window.
#[derive(Debug)]
struct Observed {
    /// How many observations fell where, ascending.
    counts: Vec<(Place, u64)>,
    least: f64,
    greatest: f64,
}

impl Windows {
    /// Appends the values of `quantiles` for the series at `slot`.
    pub(super) fn append(&self, slot: Slot, quantiles: usize, values: &mut Vec<f64>) {
        match self.series.get(&slot).and_then(|window| window.values.as_ref()) {
            Some(known) => values.extend_from_slice(known),
            None => values.resize(values.len() + quantiles, f64::NAN),
        }
    }

    /// Reads the bank at rest: its window has ended, and its quantiles are those to show.
    pub(super) fn end(&mut self, sketches: &Sketches, slot: Slot, bank: usize, quantiles: &[f64]) {
        if let Some(observed) = self.take(sketches, slot, bank) {
            let values = (!observed.counts.is_empty()).then(|| observed.quantiles(quantiles));
            self.series.entry(slot).or_default().values = values;
        }
    }

    /// Begins anew: what was observed so far is in no window, and no quantile is known.
    pub(super) fn reset(&mut self, sketches: &Sketches, slot: Slot) {
        for bank in 0..2 {
            if self.take(sketches, slot, bank).is_some() {
                self.series.entry(slot).or_default().values = None;
            }
        }
        sketches.begin_anew();
    }

    /// Forgets a series that nobody can observe any more.
    pub(super) fn forget(&mut self, sketches: &Sketches, slot: Slot) {
        self.series.remove(&slot);
        sketches.forget(slot);
    }

    /// What a bank has counted since it was last read. None if the series was never observed.
    fn take(&mut self, sketches: &Sketches, slot: Slot, bank: usize) -> Option<Observed> {
        let sketch = sketches.find(slot)?;
        let window = self.series.entry(slot).or_default();
        let (held, (least, greatest)) = sketch.take(arena(), bank);
        let mut counts = Vec::new();
        for (magnitude, held) in held {
            let base = &mut window.bases.entry(magnitude).or_insert_with(|| Box::new([[0; PARTS]; 2]))[bank];
            for (part, (held, base)) in held.iter().zip(&*base).enumerate().filter(|(_, (held, base))| held != base) {
                counts.push((Place { magnitude, part }, held.wrapping_sub(*base)));
            }
            *base = held;
        }
        Some(Observed { counts, least, greatest })
    }
}

impl Observed {
    /// The values of rank max(1, ⌈q·n⌉); the first and the last exactly.
    fn quantiles(&self, quantiles: &[f64]) -> Box<[f64]> {
        let (lowest, highest) = (self.counts[0].0, self.counts[self.counts.len() - 1].0);
        // An observation that was stopped on its way may be in this reading and its extreme in the one before, or the other way round.
        let exact = |value: f64, place: Place| match value >= 0.0 && value.is_finite() && Place::of(value) == place {
            true => value,
            false => place.middle(),
        };
        let (least, greatest) = (exact(self.least, lowest), exact(self.greatest, highest));
        let total: u64 = self.counts.iter().map(|(_, count)| count).sum();
        let value = |quantile: &f64| {
            let rank = ((quantile * total as f64).ceil() as u64).clamp(1, total);
            if rank == 1 {
                return least;
            }
            let mut below = 0;
            let reached = self.counts.iter().find(|(_, count)| {
                below += count;
                below >= rank
            });
            match reached {
                Some((place, _)) if rank < total => place.middle().clamp(least, greatest),
                _ => greatest,
            }
        };
        quantiles.iter().map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(values: &[f64]) -> Observed {
        let mut counts = BTreeMap::new();
        for value in values {
            let place = Place::of(*value);
            *counts.entry((place.magnitude, place.part)).or_insert(0) += 1;
        }
        let counts = counts.into_iter().map(|((magnitude, part), count)| (Place { magnitude, part }, count)).collect();
        let extreme = |pick: fn(f64, f64) -> f64| values.iter().copied().reduce(pick).expect("some");
        Observed { counts, least: extreme(f64::min), greatest: extreme(f64::max) }
    }

    #[test]
    fn sum_03_the_first_and_last_rank_are_exact() {
        let some = observed(&[0.1, 0.2, 0.3]);
        assert_eq!(*some.quantiles(&[0.0, 0.3]), [0.1, 0.1]);
        assert_eq!(*some.quantiles(&[0.67, 1.0]), [0.3, 0.3]);
        assert_eq!(*observed(&[0.7]).quantiles(&[0.0, 0.5, 1.0]), [0.7, 0.7, 0.7]);
    }

    #[test]
    fn an_extreme_of_another_window_is_not_taken() {
        let some = Observed { least: 0.001, greatest: 0.0, ..observed(&[0.1, 0.2, 0.3]) };
        let values = some.quantiles(&[0.0, 1.0]);
        assert!((values[0] / 0.1 - 1.0).abs() < 0.01 && (values[1] / 0.3 - 1.0).abs() < 0.01, "{values:?}");
    }
}
