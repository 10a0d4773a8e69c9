//! Increases of series that are gone, until they are sent.

use super::lines::{Field, Head, Lines, Note, Source};

/// The most lines that may wait; what is beyond is dropped and counted.
const MOST: usize = 100_000;

/// One line that is due.
#[derive(Debug)]
struct Line {
    name: String,
    tail: String,
    amount: Amount,
    sent: bool,
}

/// What a line of a series that is gone says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Amount {
    /// An increase of a whole number.
    Whole(u128),
    /// An increase of a float.
    Float(f64),
    /// The last sum of a histogram, a gauge.
    Last(f64),
}

/// The lines that are due, in the order of names once they are written.
#[derive(Debug, Default)]
pub(super) struct Owed {
    lines: Vec<Line>,
}

impl Owed {
    /// Adds a line.
    pub(super) fn add(&mut self, name: String, tail: &str, amount: Amount) {
        self.lines.push(Line { name, tail: tail.to_owned(), amount, sent: false });
    }

    /// Joins the lines of one name, and returns how many were too many.
    pub(super) fn merge(&mut self) -> u64 {
        let kind = |line: &Line| matches!(line.amount, Amount::Last(_));
        self.lines.sort_by(|a, b| (&a.name, &a.tail, kind(a)).cmp(&(&b.name, &b.tail, kind(b))));
        self.lines.dedup_by(|later, line| {
            let same = line.name == later.name && line.tail == later.tail;
            let joined = match (line.amount, later.amount) {
                (Amount::Whole(one), Amount::Whole(other)) => Amount::Whole(one + other),
                (Amount::Float(one), Amount::Float(other)) => Amount::Float((one + other).min(f64::MAX)),
                (Amount::Last(_), Amount::Last(last)) => Amount::Last(last),
                _ => return false,
            };
            if same {
                line.amount = joined;
            }
            same
        });
        let over = self.lines.len().saturating_sub(MOST);
        self.lines.truncate(MOST);
        over as u64
    }

    /// Writes all that is due.
    pub(super) fn write(&self, lines: &mut Lines) {
        for (row, line) in self.lines.iter().enumerate() {
            let head = Head { name: &line.name, part: "", rest: "", tail: &line.tail };
            let note = Note { from: Source::Owed, row: row as u32, field: Field::Value };
            match line.amount {
                Amount::Whole(increase) => lines.whole(head, increase, note),
                Amount::Float(increase) => lines.float(head, increase, note),
                Amount::Last(value) => lines.gauge(head, value, note),
            }
        }
    }

    /// Notes that a line was sent.
    pub(super) fn note(&mut self, note: Note) {
        self.lines[note.row as usize].sent = true;
    }

    /// Forgets what was sent.
    pub(super) fn forget_sent(&mut self) {
        self.lines.retain(|line| !line.sent);
    }
}
