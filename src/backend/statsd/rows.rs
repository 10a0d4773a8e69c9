//! What was sent of the series of a family, and how their lines begin.

use super::{lines::Head, names::Naming};
use crate::{
    instrument::{Kind, Shared},
    tuple::Tuple,
};

/// What was sent of some series, a row for each. Only the columns that the kind of the family needs are filled.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Names and tags, one behind the other.
    text: String,
    /// Of each row: where its name, its tags and the row end.
    spans: Vec<[usize; 3]>,
    pub(super) states: Vec<State>,
    pub(super) totals: Vec<u128>,
    pub(super) floats: Vec<f64>,
    /// Whether a gauge is to be sent.
    pub(super) due: Vec<bool>,
    pub(super) moves: Vec<u64>,
    /// Of a stateset: which states are to be sent, as bits.
    pub(super) due_states: Vec<u64>,
    /// Of a gauge histogram: as of which move each bucket, the sum and the count were sent last.
    pub(super) as_of: Vec<u64>,
    /// Cumulative buckets and then the count, `width` of them for each row.
    pub(super) counts: Vec<u64>,
    /// Count and resets as of the sum of a histogram that was sent last.
    pub(super) sums: Vec<[u64; 2]>,
}

/// Whether a series is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is sent.
    Sent,
    /// It is, and that it is there is still to be said.
    New,
    /// Another series has its name.
    Blocked,
}

impl Rows {
    /// How a line of this row begins.
    pub(super) fn head(&self, row: usize) -> Head<'_> {
        self.head_of(row, "", "")
    }

    /// The same with `part` and `rest` behind the name.
    #[inline]
    pub(super) fn head_of<'a>(&'a self, row: usize, part: &'a str, rest: &'a str) -> Head<'a> {
        let [start, middle, end] = self.spans[row];
        Head { name: &self.text[start..middle], part, rest, tail: &self.text[middle..end] }
    }

    /// Adds a series of the family of which nothing was sent; it has lines for so many `buckets`.
    pub(super) fn add(&mut self, shared: &Shared, buckets: usize, naming: &Naming, tuple: &Tuple) {
        let mut tail = String::new();
        let start = self.text.len();
        naming.write_series(&shared.metadata, tuple, &mut self.text, &mut tail);
        self.name(start, &tail);
        let counter = matches!(shared.kind, Kind::Counter | Kind::FloatCounter);
        self.states.push(if counter && shared.announced { State::New } else { State::Sent });
        match shared.kind {
            Kind::Counter => self.totals.push(0),
            Kind::FloatCounter => self.floats.push(0.0),
            Kind::Gauge | Kind::Unknown => self.due.push(false),
            Kind::UpDownGauge => self.moves.push(0),
            Kind::StateSet => self.due_states.push(0),
            Kind::GaugeHistogram => self.as_of.resize(self.as_of.len() + buckets + 2, 0),
            Kind::Info => {}
            Kind::Histogram => {
                self.counts.resize(self.counts.len() + buckets + 1, 0);
                self.sums.push([0; 2]);
            }
            Kind::Summary => {
                self.counts.push(0);
                self.floats.push(0.0);
            }
        }
    }

    /// Adds row `at` of `other`, whose family has the same `kind` and as many `buckets`.
    pub(super) fn copy(&mut self, kind: Kind, buckets: usize, other: &Self, at: usize) {
        let Head { name, tail, .. } = other.head(at);
        let start = self.text.len();
        self.text.push_str(name);
        self.name(start, tail);
        self.states.push(other.states[at]);
        match kind {
            Kind::Counter => self.totals.push(other.totals[at]),
            Kind::FloatCounter => self.floats.push(other.floats[at]),
            Kind::Gauge | Kind::Unknown => self.due.push(other.due[at]),
            Kind::UpDownGauge => self.moves.push(other.moves[at]),
            Kind::StateSet => self.due_states.push(other.due_states[at]),
            Kind::GaugeHistogram => {
                let width = buckets + 2;
                self.as_of.extend_from_slice(&other.as_of[at * width..][..width]);
            }
            Kind::Info => {}
            Kind::Histogram => {
                let width = buckets + 1;
                self.counts.extend_from_slice(&other.counts[at * width..][..width]);
                self.sums.push(other.sums[at]);
            }
            Kind::Summary => {
                self.counts.push(other.counts[at]);
                self.floats.push(other.floats[at]);
            }
        }
    }

    /// Ends the row whose name was written from `start` on.
    fn name(&mut self, start: usize, tail: &str) {
        let middle = self.text.len();
        self.text.push_str(tail);
        self.spans.push([start, middle, self.text.len()]);
    }
}
