//! Which series of a family came and went since the last push, and what those that went had been given.
//!
//! A push provider knows the series that it has seen in the family's order, and what it has sent of each. A series that it has seen
//! and that went is handed over by itself, with all it was ever given; one that it has never seen is merged with others of its
//! labels. So what waits here is bounded by the series seen the last time, and by the label sets used since.
#![cfg_attr(not(feature = "statsd"), allow(dead_code, reason = "only a provider that pushes asks for this"))]

use std::{collections::HashMap, fmt, mem};

use super::{Ledger, Lifetimes};
use crate::{
    instrument::{Kind, SeriesRef},
    sync::{Arc, AtomicU64, Ordering},
    tuple::Tuple,
};

/// Takes single observations, each to be sent by itself.
pub trait SampleSink: fmt::Debug + Send + Sync {
    /// Takes `times` observations of `value`. It neither waits nor allocates, and may drop them.
    fn sample(&self, series: SeriesRef<'_>, value: f64, times: u32);
}

/// What a family that is pushed knows of its provider.
#[derive(Clone, Debug, Default)]
pub struct Push {
    /// Counts the series of all families, so that of two the later one is known.
    births: Arc<AtomicU64>,
    /// Where the observations of histograms go one by one, if they do.
    samples: Option<Arc<dyn SampleSink>>,
}

impl Push {
    /// A provider that has seen nothing yet; histograms give their observations to `samples` as well.
    pub fn new(samples: Option<Arc<dyn SampleSink>>) -> Self {
        Self { births: Arc::default(), samples }
    }

    /// Whether histograms give their observations away one by one.
    pub fn wants_samples(&self) -> bool {
        self.samples.is_some()
    }

    /// The number of a new series: greater than that of every series before it.
    pub fn birth(&self) -> u64 {
        // Relaxed: the numbers of one word have one order.
        self.births.fetch_add(1, Ordering::Relaxed)
    }

    /// Gives observations away, if they are wanted and the registry has the series.
    pub fn sample(&self, series: SeriesRef<'_>, value: f64, times: u32) {
        if let Some(samples) = self.samples.as_ref().filter(|_| series.shared.kind == Kind::Histogram) {
            if series.tuple.is_live() {
                samples.sample(series, value, times);
            }
        }
    }
}

/// A series that left the registry, or several of the same labels.
#[derive(Debug)]
pub struct Departed {
    /// The series, or the first one.
    pub tuple: Tuple,
    /// One row: all that was ever added.
    pub lifetimes: Lifetimes,
}

/// What came and went since the last push.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// Series that no push has seen, with the number of their birth.
    arrived: HashMap<Tuple, u64>,
    /// Series that a push has seen.
    departed: Vec<Departed>,
    /// Series that none ever will, by labels.
    unseen: HashMap<Tuple, Lifetimes>,
}

impl Ledger {
    /// Takes in a new series of a family that is pushed.
    pub fn arrive(&mut self, tuple: &Tuple, birth: u64) {
        self.moves.arrived.insert(tuple.clone(), birth);
    }

    /// When the series was born, told once: to the first push that sees it.
    pub fn take_birth(&mut self, tuple: &Tuple) -> Option<u64> {
        self.moves.arrived.remove(tuple)
    }

    /// A series begins to go. Whether a push has seen it; if not, none will.
    pub fn leave(&mut self, tuple: &Tuple) -> bool {
        self.moves.arrived.remove(tuple).is_none()
    }

    /// The series is gone, and what is added to it from now on nobody is to see.
    pub fn depart(&mut self, series: SeriesRef<'_>, seen: bool) {
        let Some(lifetimes) = self.last_lifetime(series) else { return };
        let tuple = series.tuple.clone();
        if seen {
            self.moves.departed.push(Departed { tuple, lifetimes });
        } else if let Some(others) = self.moves.unseen.get_mut(&tuple) {
            others.merge(&lifetimes);
        } else {
            self.moves.unseen.insert(tuple, lifetimes);
        }
    }

    /// The series that went since this was last asked: those that a push has seen, and those that none has.
    pub fn take_departed(&mut self) -> (Vec<Departed>, Vec<Departed>) {
        let unseen = mem::take(&mut self.moves.unseen).into_iter();
        let unseen = unseen.map(|(tuple, lifetimes)| Departed { tuple, lifetimes });
        (mem::take(&mut self.moves.departed), unseen.collect())
    }
}
