//! Lines on their way into datagrams, each with what is noted once it is sent.
//!
//! # Shape
//! Units lie one behind the other, a line feed behind each, so that any run of them is a datagram as it lies. A unit is one line, or
//! the two of a negative gauge, which must not be parted: the first sets 0, since `-5` alone would mean five less.

use std::mem;

use super::number::{write_magnitude, write_whole};

/// What a unit says, for when it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) from: Source,
    pub(super) row: u32,
    pub(super) field: Field,
}

/// Whose unit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Of the family at this place.
    Book(u32),
    /// Of a series that is gone.
    Owed,
    /// A single observation.
    Sample,
}

/// Which line of a series it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// The one line of a counter or gauge.
    Value,
    /// That a new counter is there.
    New,
    /// A bucket of a histogram.
    Bucket(u16),
    /// The sum of a histogram or summary.
    Sum,
    /// The count of a histogram or summary.
    Count,
}

/// The parts of a line before its value and behind its type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    pub(super) name: &'a str,
    /// What the line adds to the name of its series.
    pub(super) part: &'a str,
    /// What the part goes on with.
    pub(super) rest: &'a str,
    /// Tags.
    pub(super) tail: &'a str,
}

/// Units that wait to be sent.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: Vec<u8>,
    /// Of each unit: its end, not counting its line feed.
    units: Vec<(usize, Note)>,
    /// How many of them were sent.
    sent: usize,
    /// How many of them were handed to the system.
    out: usize,
    /// In how many datagrams those are that were handed over and not sent yet.
    datagrams: usize,
}

impl Lines {
    /// How many bytes are held.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.units.clear();
        (self.sent, self.out, self.datagrams) = (0, 0, 0);
    }

    /// Adds an increase of a whole number.
    #[inline]
    pub(super) fn whole(&mut self, head: Head<'_>, increase: u128, note: Note) {
        self.begin(head);
        write_whole(increase, &mut self.text);
        self.end("|c", head, note);
    }

    /// Adds an increase of a float, which is not negative.
    pub(super) fn float(&mut self, head: Head<'_>, increase: f64, note: Note) {
        self.begin(head);
        write_magnitude(increase, &mut self.text);
        self.end("|c", head, note);
    }

    /// Adds the value of a gauge, which is finite.
    pub(super) fn gauge(&mut self, head: Head<'_>, value: f64, note: Note) {
        self.zero_before(head, value < 0.0);
        write_magnitude(value, &mut self.text);
        self.end("|g", head, note);
    }

    /// Adds the level of a gauge that moves by steps.
    pub(super) fn level(&mut self, head: Head<'_>, level: i64, note: Note) {
        self.zero_before(head, level < 0);
        write_whole(level.unsigned_abs().into(), &mut self.text);
        self.end("|g", head, note);
    }

    /// Adds a single observation of type `kind`, which stands for `1 / rate` of them.
    pub(super) fn sample(&mut self, head: Head<'_>, value: f64, kind: &str, rate: f64, note: Note) {
        self.begin(head);
        if value < 0.0 {
            self.put("-");
        }
        write_magnitude(value, &mut self.text);
        self.put("|");
        self.put(kind);
        if rate < 1.0 {
            self.put("|@");
            write_magnitude(rate, &mut self.text);
        }
        self.end("", head, note);
    }

    /// The next datagram: as many units as `most` bytes hold, one if there is no `batch`; a longer one by itself.
    ///
    /// None if there is no unit left, or, unless `all` are to go, if others may still fit.
    pub(super) fn next(&self, most: usize, batch: bool, all: bool) -> Option<Datagram<'_>> {
        self.after(0, most, batch, all)
    }

    /// The datagram that is next after `units` more of them.
    #[inline]
    pub(super) fn after(&self, units: usize, most: usize, batch: bool, all: bool) -> Option<Datagram<'_>> {
        let first = self.out + units;
        let start = self.start_of(first);
        let rest = &self.units[first..];
        let fitting = match batch {
            true => rest.iter().take_while(|(end, _)| end - start <= most).count().max(1),
            false => 1,
        };
        let (end, _) = rest.get(fitting - 1)?;
        (all || !batch || fitting < rest.len()).then(|| Datagram {
            text: &self.text[start..*end],
            stream: &self.text[start..=*end],
            units: fitting,
            datagrams: 1,
        })
    }

    /// Whether nothing comes after the next `units`.
    pub(super) fn ends_after(&self, units: usize) -> bool {
        self.out + units == self.units.len()
    }

    /// Whether something was handed to the system of which it is not known what became of it.
    pub(super) fn are_in_doubt(&self) -> bool {
        self.out > self.sent
    }

    /// Notes that the next `units` were handed to the system as so many datagrams; it has not said yet what became of them.
    pub(super) fn hand_over(&mut self, units: usize, datagrams: usize) {
        self.out += units;
        self.datagrams += datagrams;
    }

    /// Notes that all that was handed over was sent, and tells `note`. Returns how many datagrams that were.
    pub(super) fn settle(&mut self, mut note: impl FnMut(Note)) -> u64 {
        self.units[self.sent..self.out].iter().for_each(|(_, done)| note(*done));
        self.sent = self.out;
        mem::take(&mut self.datagrams) as u64
    }

    /// Notes that what is in doubt was not sent: it is next again.
    pub(super) fn take_back(&mut self) {
        (self.out, self.datagrams) = (self.sent, 0);
    }

    /// How many of the next units lie wholly in their first `bytes` bytes, line feeds counted.
    pub(super) fn units_in(&self, bytes: usize) -> usize {
        let start = self.start_of(self.out);
        self.units[self.out..].iter().take_while(|(end, _)| end + 1 - start <= bytes).count()
    }

    /// Gives the memory of what was sent to what comes.
    pub(super) fn compact(&mut self) {
        let start = self.start_of(self.sent);
        self.text.drain(..start);
        self.units.drain(..self.sent);
        self.units.iter_mut().for_each(|(end, _)| *end -= start);
        self.out -= self.sent;
        self.sent = 0;
    }

    /// Where a unit begins.
    fn start_of(&self, unit: usize) -> usize {
        unit.checked_sub(1).map_or(0, |before| self.units[before].0 + 1)
    }

    fn zero_before(&mut self, head: Head<'_>, negative: bool) {
        self.begin(head);
        if negative {
            self.put("0|g");
            self.put(head.tail);
            self.put("\n");
            self.begin(head);
            self.put("-");
        }
    }

    #[inline]
    fn begin(&mut self, head: Head<'_>) {
        self.put(head.name);
        self.put(head.part);
        self.put(head.rest);
        self.put(":");
    }

    #[inline]
    fn end(&mut self, kind: &str, head: Head<'_>, note: Note) {
        self.put(kind);
        self.put(head.tail);
        self.units.push((self.text.len(), note));
        self.put("\n");
    }

    #[inline]
    fn put(&mut self, text: &str) {
        self.text.extend_from_slice(text.as_bytes());
    }
}

/// Units that go together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datagram<'a> {
    /// Their lines, with line feeds between them.
    pub(super) text: &'a [u8],
    /// The same with a line feed at the end.
    pub(super) stream: &'a [u8],
    pub(super) units: usize,
    pub(super) datagrams: usize,
}
