//! What is known on the sender's side of one family: what its series were given, what was sent of it, and how its lines begin.
//!
//! Nothing is subtracted until it was sent: a line says what was given less what was sent, and once it is out, what was sent becomes
//! what was given. So a send that fails needs no undoing.

use super::{
    lines::{Field, Head, Lines, Note, Source},
    names::{Naming, bucket_texts, state_texts},
    options::HistogramMode,
    owed::{Amount, Owed},
    rows::{Rows, State},
};
use crate::{
    family::{Core, Order},
    instrument::{Departed, Kind, Lifetimes},
    sync::Arc,
    tuple::Tuple,
};

/// One family.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) core: Arc<Core>,
    order: Arc<Order>,
    /// What the series were given, as last read.
    given: Lifetimes,
    rows: Rows,
    /// Series that are no longer in the order, until the registry says what they were given last.
    leaving: Vec<(Tuple, Rows)>,
    /// Series that were made and removed since the last reading.
    unseen: Vec<Departed>,
    /// Names of the buckets; none if buckets are not sent. Of a stateset, names of the states.
    buckets: Vec<String>,
}

/// A series that was not there the last time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newcomer {
    pub(super) birth: u64,
    pub(super) row: usize,
}

impl Book {
    pub(super) fn new(core: Arc<Core>, histograms: HistogramMode) -> Self {
        let shared = core.shared();
        let buckets = match shared.kind {
            // What has no names was refused when it was declared.
            Kind::Histogram if histograms == HistogramMode::Buckets => {
                bucket_texts(&shared.metadata).unwrap_or_default()
            }
            Kind::GaugeHistogram => bucket_texts(&shared.metadata).unwrap_or_default(),
            Kind::StateSet => state_texts(&shared.metadata).unwrap_or_default(),
            _ => Vec::new(),
        };
        Self {
            order: Arc::default(),
            given: Lifetimes::new(shared.kind),
            rows: Rows::default(),
            leaving: Vec::new(),
            unseen: Vec::new(),
            buckets,
            core,
        }
    }

    /// Whether single observations are sent and nothing else.
    fn is_sampled(&self) -> bool {
        self.core.shared().kind == Kind::Histogram && self.buckets.is_empty()
    }

    /// Reads what the series were given; new ones are added to `newcomers`, and what is due of those that are gone to `owed`.
    /// `freed` is told the lines of every series that no longer needs its names.
    pub(super) fn read(
        &mut self,
        naming: &Naming,
        newcomers: &mut Vec<Newcomer>,
        owed: &mut Owed,
        mut freed: impl FnMut(&str),
    ) {
        let core = self.core.clone();
        let shared = core.shared();
        let (order, mut ledger) = core.open_books();
        ledger.sweep(shared);
        ledger.read_lifetimes(shared, order.rows(), order.slots(), &mut self.given);
        let (departed, unseen) = ledger.take_departed();
        if !Arc::ptr_eq(&order, &self.order) {
            let first = newcomers.len();
            self.align(&order, naming, newcomers, &mut freed);
            for newcomer in &mut newcomers[first..] {
                // There since before the order was: see `Core::intern`.
                newcomer.birth = ledger.take_birth(&order.rows()[newcomer.row]).unwrap_or_default();
            }
            self.order = order;
        }
        drop(ledger);
        if let Lifetimes::Gauges { written, .. } = &self.given {
            self.rows.due.iter_mut().zip(written).for_each(|(due, written)| *due |= written);
        }
        if let Lifetimes::States { written, .. } = &self.given {
            let due = self.rows.due_states.iter_mut().zip(written).filter(|(_, written)| **written);
            due.for_each(|(due, _)| *due = u64::MAX);
        }
        for gone in departed {
            let Some(at) = self.leaving.iter().position(|(tuple, _)| tuple.as_ptr() == gone.tuple.as_ptr()) else {
                continue;
            };
            let (_, sent) = self.leaving.swap_remove(at);
            if sent.states[0] != State::Blocked {
                self.settle(&gone.lifetimes, &sent, owed);
            }
        }
        self.unseen.extend(unseen);
        if !matches!(self.given, Lifetimes::Totals(_) | Lifetimes::Floats(_) | Lifetimes::Observed { .. }) {
            // What shows a state is gone at once.
            self.leaving.clear();
        }
    }

    /// Adds what was given to series that no reading has seen. Whether their names are another's is asked of `is_free`; returns how
    /// many were.
    pub(super) fn settle_unseen(
        &mut self,
        naming: &Naming,
        owed: &mut Owed,
        is_free: impl Fn(&[String]) -> bool,
    ) -> u64 {
        let mut blocked = 0;
        for gone in std::mem::take(&mut self.unseen) {
            let mut sent = Rows::default();
            sent.add(self.core.shared(), self.buckets.len(), naming, &gone.tuple);
            let successor = self.order.rows().binary_search_by(|tuple| tuple.values().cmp(gone.tuple.values()));
            let free = match successor {
                Ok(row) => self.rows.states[row] != State::Blocked,
                Err(_) => is_free(&self.line_names(&sent, 0)),
            };
            if free {
                self.settle(&gone.lifetimes, &sent, owed);
            } else {
                blocked += 1;
            }
        }
        blocked
    }

    /// Whether nothing is left to hear about, once the family is gone.
    pub(super) fn is_settled(&self) -> bool {
        self.leaving.is_empty() && self.rows.states.is_empty()
    }

    /// Every name that the series in `row` has on the wire, with its tags.
    pub(super) fn names_of(&self, row: usize) -> Vec<String> {
        self.line_names(&self.rows, row)
    }

    /// Leaves a series out for good.
    pub(super) fn block(&mut self, row: usize) {
        self.rows.states[row] = State::Blocked;
    }

    /// Whether the series is left out.
    pub(super) fn is_blocked(&self, tuple: &Tuple) -> bool {
        // There are few of them, and mostly none.
        let mut blocked = self.rows.states.iter().zip(self.order.rows()).filter(|(state, _)| **state == State::Blocked);
        blocked.any(|(_, own)| own.as_ptr() == tuple.as_ptr())
    }

    /// Whether any series is left out.
    pub(super) fn has_blocked(&self) -> bool {
        self.rows.states.contains(&State::Blocked)
    }

    /// Appends what is due of the series in `row`; returns how many values cannot be sent.
    #[inline]
    pub(super) fn write(&mut self, book: u32, row: usize, lines: &mut Lines) -> u64 {
        let Self { given, rows, buckets, .. } = self;
        let note = |field| Note { from: Source::Book(book), row: row as u32, field };
        let state = rows.states[row];
        match given {
            Lifetimes::Totals(totals) => {
                if totals[row] == rows.totals[row] && state == State::Sent || state == State::Blocked {
                    return 0;
                }
                let head = rows.head(row);
                if state == State::New {
                    lines.whole(head, 0, note(Field::New));
                }
                if totals[row] != rows.totals[row] {
                    lines.whole(head, totals[row].wrapping_sub(rows.totals[row]), note(Field::Value));
                }
            }
            Lifetimes::Floats(totals) => {
                if state == State::Blocked {
                    return 0;
                }
                if state == State::New {
                    lines.whole(rows.head(row), 0, note(Field::New));
                }
                if totals[row] > rows.floats[row] {
                    lines.float(rows.head(row), totals[row] - rows.floats[row], note(Field::Value));
                }
            }
            Lifetimes::Gauges { values, .. } => {
                if !rows.due[row] || state == State::Blocked {
                    return 0;
                }
                if !values[row].is_finite() {
                    rows.due[row] = false;
                    return 1;
                }
                lines.gauge(rows.head(row), values[row], note(Field::Value));
            }
            Lifetimes::Levels { values, moves } => {
                if moves[row] != rows.moves[row] && state != State::Blocked {
                    lines.level(rows.head(row), values[row], note(Field::Value));
                }
            }
            Lifetimes::Nothing => {}
            Lifetimes::States { bits, .. } => {
                if state == State::Blocked {
                    return 0;
                }
                for (position, text) in buckets.iter().enumerate() {
                    if (rows.due_states[row] >> position) & 1 == 1 {
                        let value = (bits[row] >> position) & 1;
                        let head = rows.head_of(row, ".", text);
                        lines.level(head, value as i64, note(Field::Bucket(position as u16)));
                    }
                }
            }
            Lifetimes::Present { cumulative, sums, moves } => {
                if state == State::Blocked {
                    return 0;
                }
                let width = buckets.len();
                let given = &cumulative[row * width..][..width];
                let as_of = &rows.as_of[row * (width + 2)..][..width + 2];
                for (bucket, count) in given.iter().enumerate().filter(|(bucket, _)| as_of[*bucket] != moves[row]) {
                    let head = rows.head_of(row, ".bucket.", &buckets[bucket]);
                    lines.level(head, as_level(*count), note(Field::Bucket(bucket as u16)));
                }
                if as_of[width] != moves[row] {
                    lines.gauge(rows.head_of(row, ".sum", ""), sums[row], note(Field::Sum));
                }
                if as_of[width + 1] != moves[row] {
                    let head = rows.head_of(row, ".count", "");
                    lines.level(head, as_level(given[width - 1]), note(Field::Count));
                }
            }
            Lifetimes::Observed { cumulative, sums, shown, resets } => {
                if state == State::Blocked {
                    return 0;
                }
                if self.core.shared().kind == Kind::Summary {
                    let increase = sums[row] - rows.floats[row];
                    if increase > 0.0 {
                        lines.float(rows.head_of(row, ".sum", ""), increase, note(Field::Sum));
                    }
                    let count = cumulative[row].wrapping_sub(rows.counts[row]);
                    if count > 0 {
                        lines.whole(rows.head_of(row, ".count", ""), count.into(), note(Field::Count));
                    }
                    return 0;
                }
                let width = buckets.len();
                if width == 0 {
                    return 0;
                }
                let given = &cumulative[row * width..][..width];
                let sent = &rows.counts[row * (width + 1)..][..width + 1];
                for (bucket, (given, sent)) in
                    given.iter().zip(sent).enumerate().filter(|(_, (given, sent))| given != sent)
                {
                    let head = rows.head_of(row, ".bucket.", &buckets[bucket]);
                    lines.whole(head, given.wrapping_sub(*sent).into(), note(Field::Bucket(bucket as u16)));
                }
                let count = given[width - 1];
                if rows.sums[row] != [count, resets[row]] {
                    lines.gauge(rows.head_of(row, ".sum", ""), shown[row], note(Field::Sum));
                }
                if count != sent[width] {
                    let head = rows.head_of(row, ".count", "");
                    lines.whole(head, count.wrapping_sub(sent[width]).into(), note(Field::Count));
                }
            }
        }
        0
    }

    /// How many series there are.
    pub(super) fn len(&self) -> usize {
        self.rows.states.len()
    }

    /// Notes that a line was sent.
    #[inline]
    pub(super) fn note(&mut self, note: Note) {
        let row = note.row as usize;
        let rows = &mut self.rows;
        if note.field == Field::New {
            rows.states[row] = State::Sent;
            return;
        }
        match &self.given {
            Lifetimes::Totals(totals) => rows.totals[row] = totals[row],
            Lifetimes::Floats(totals) => rows.floats[row] = totals[row],
            Lifetimes::Gauges { .. } => rows.due[row] = false,
            Lifetimes::Levels { moves, .. } => rows.moves[row] = moves[row],
            Lifetimes::Nothing => {}
            Lifetimes::States { .. } => {
                if let Field::Bucket(position) = note.field {
                    rows.due_states[row] &= !(1 << position);
                }
            }
            Lifetimes::Present { moves, .. } => {
                let width = self.buckets.len();
                let line = match note.field {
                    Field::Bucket(bucket) => usize::from(bucket),
                    Field::Sum => width,
                    _ => width + 1,
                };
                rows.as_of[row * (width + 2) + line] = moves[row];
            }
            Lifetimes::Observed { cumulative, sums, resets, .. } => match (note.field, self.buckets.len()) {
                (Field::Sum, 0) => rows.floats[row] = sums[row],
                (_, 0) => rows.counts[row] = cumulative[row],
                (Field::Bucket(bucket), width) => {
                    let bucket = usize::from(bucket);
                    rows.counts[row * (width + 1) + bucket] = cumulative[row * width + bucket];
                }
                (Field::Sum, width) => rows.sums[row] = [cumulative[row * width + width - 1], resets[row]],
                (_, width) => rows.counts[row * (width + 1) + width] = cumulative[row * width + width - 1],
            },
        }
    }

    /// Lays the rows out as `order` has them.
    fn align(&mut self, order: &Order, naming: &Naming, newcomers: &mut Vec<Newcomer>, freed: &mut impl FnMut(&str)) {
        let old = std::mem::take(&mut self.rows);
        let (shared, width) = (self.core.shared(), self.buckets.len());
        let mut rows = Rows::default();
        let mut known = self.order.rows().iter().enumerate().peekable();
        let mut left = Vec::new();
        for (row, tuple) in order.rows().iter().enumerate() {
            // Both are sorted, so what stands before this one and is not it is gone.
            while let Some((at, _)) = known
                .next_if(|(_, other)| other.as_ptr() != tuple.as_ptr() && other.values().cmp(tuple.values()).is_le())
            {
                left.push(at);
            }
            match known.next_if(|(_, other)| other.as_ptr() == tuple.as_ptr()) {
                Some((at, _)) => rows.copy(shared.kind, width, &old, at),
                None => {
                    rows.add(shared, width, naming, tuple);
                    newcomers.push(Newcomer { birth: 0, row });
                }
            }
        }
        left.extend(known.map(|(at, _)| at));
        for at in left {
            if old.states[at] != State::Blocked {
                self.line_names(&old, at).iter().for_each(|name| freed(name));
            }
            let mut sent = Rows::default();
            sent.copy(shared.kind, width, &old, at);
            self.leaving.push((self.order.rows()[at].clone(), sent));
        }
        self.rows = rows;
    }

    /// Adds what a series that is gone was given, less what was sent of it: `sent` has its one row.
    fn settle(&self, given: &Lifetimes, sent: &Rows, owed: &mut Owed) {
        let Head { name, tail, .. } = sent.head(0);
        let mut add = |part: &str, amount| owed.add(format!("{name}{part}"), tail, amount);
        match given {
            Lifetimes::Totals(totals) if totals[0] > sent.totals[0] => {
                add("", Amount::Whole(totals[0] - sent.totals[0]));
            }
            Lifetimes::Floats(totals) if totals[0] > sent.floats[0] => {
                add("", Amount::Float(totals[0] - sent.floats[0]));
            }
            Lifetimes::Observed { cumulative, sums, .. } if self.core.shared().kind == Kind::Summary => {
                if sums[0] > sent.floats[0] {
                    add(".sum", Amount::Float(sums[0] - sent.floats[0]));
                }
                if cumulative[0] != sent.counts[0] {
                    add(".count", Amount::Whole(cumulative[0].wrapping_sub(sent.counts[0]).into()));
                }
            }
            Lifetimes::Observed { cumulative, shown, resets, .. } if !self.buckets.is_empty() => {
                let width = self.buckets.len();
                for (bucket, text) in self.buckets.iter().enumerate() {
                    let increase = cumulative[bucket].wrapping_sub(sent.counts[bucket]);
                    if increase > 0 {
                        add(&format!(".bucket.{text}"), Amount::Whole(increase.into()));
                    }
                }
                let count = cumulative[width - 1];
                if sent.sums[0] != [count, resets[0]] {
                    add(".sum", Amount::Last(shown[0]));
                }
                if count != sent.counts[width] {
                    add(".count", Amount::Whole(count.wrapping_sub(sent.counts[width]).into()));
                }
            }
            _ => {}
        }
    }

    fn line_names(&self, rows: &Rows, row: usize) -> Vec<String> {
        let Head { name, tail, .. } = rows.head(row);
        let parts: Vec<String> = match self.core.shared().kind {
            Kind::Info => Vec::new(),
            Kind::StateSet => self.buckets.iter().map(|text| format!(".{text}")).collect(),
            Kind::Histogram | Kind::GaugeHistogram if !self.is_sampled() => {
                let buckets = self.buckets.iter().map(|text| format!(".bucket.{text}"));
                buckets.chain([".sum", ".count"].map(String::from)).collect()
            }
            Kind::Summary => [".sum", ".count"].map(String::from).into(),
            _ => vec![String::new()],
        };
        parts.iter().map(|part| format!("{name}{part}{tail}")).collect()
    }
}

/// A count of what is there; the largest level for what no level can say.
fn as_level(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
