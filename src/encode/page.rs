//! Pages: metadata, lines or messages, and the end mark, in pieces or whole.

use std::borrow::Borrow;
use std::io;

use crate::encode::Format;
#[cfg(feature = "openmetrics2")]
use crate::encode::composite::Composite;
use crate::encode::format::{Head, Rules, Wording};
use crate::encode::line::{Prosody, Standard, Writer};
use crate::encode::protobuf;
use crate::encode::sample::is_sound;
use crate::model::{Metadata, MetricFamily, MetricSet, Sink, escape_into};

/// How much of a page [`write()`] holds at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// A page that is written piece by piece, so that it needs no memory for the whole.
///
/// It holds a set or a reference to one: `&MetricSet` and `Arc<MetricSet>` both do.
///
/// # Examples
/// ```
/// use manometer::encode::{Format, Page};
/// use manometer::model::MetricSet;
///
/// let set = MetricSet::default();
/// let mut page = Page::new(&set, Format::OpenMetrics);
/// let mut piece = Vec::new();
/// assert!(!page.fill(&mut piece, 64));
/// assert_eq!(piece, b"# EOF\n");
/// ```
#[derive(Debug)]
pub struct Page<S> {
    set: S,
    rules: Rules,
    next: Next,
    skipped: usize,
    /// For labels that no series holds as the page shows them.
    room: String,
}

/// What comes next on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The metadata of a family.
    Metadata { family: usize },
    /// The metrics of a family from `row` on.
    Rows { family: usize, row: usize },
    /// Nothing, the page is complete.
    Nothing,
}

impl<S: Borrow<MetricSet>> Page<S> {
    /// A page of which nothing is written yet.
    pub fn new(set: S, format: Format) -> Self {
        Self { set, rules: *format.rules(), next: Next::Metadata { family: 0 }, skipped: 0, room: String::new() }
    }

    /// The same without creation times, which are `_created` samples in text.
    #[must_use]
    pub fn without_created(mut self) -> Self {
        self.rules.created = false;
        self
    }

    /// Appends the next `at_least` bytes of the page to `out`, and up to the end of the metric that they reach into.
    ///
    /// False when the page is complete; fewer bytes are appended only then.
    pub fn fill(&mut self, out: &mut Vec<u8>, at_least: usize) -> bool {
        let Self { set, rules, next, skipped, room } = self;
        let set: &MetricSet = (*set).borrow();
        let stop = out.len().saturating_add(at_least);
        while out.len() < stop {
            *next = match *next {
                Next::Metadata { family } => match set.families.get(family) {
                    Some(current) => {
                        match rules.wording {
                            Wording::Protobuf => *skipped += protobuf::write_head(current, rules, out),
                            _ => write_metadata(current.metadata(), rules, out),
                        }
                        Next::Rows { family, row: 0 }
                    }
                    None => {
                        out.put(rules.end);
                        Next::Nothing
                    }
                },
                Next::Rows { family, row } => {
                    let current = &set.families[family];
                    let row = match rules.wording {
                        Wording::Standard => write_rows::<Standard>(current, row, stop, rules, skipped, room, out),
                        Wording::Prosody => write_rows::<Prosody>(current, row, stop, rules, skipped, room, out),
                        #[cfg(feature = "openmetrics2")]
                        Wording::Composite => write_rows::<Composite>(current, row, stop, rules, skipped, room, out),
                        Wording::Protobuf => protobuf::write_rows(current, row, stop, rules, out),
                    };
                    match row {
                        row if row < current.len() => Next::Rows { family, row },
                        _ => Next::Metadata { family: family + 1 },
                    }
                }
                Next::Nothing => return false,
            };
        }
        *next != Next::Nothing
    }

    /// How many metrics were left out so far, because their values would make the page invalid: a total or sum that is
    /// NaN or negative, a negative quantile, buckets that do not ascend. The sum of a gauge histogram may be negative where a
    /// threshold is.
    pub fn skipped(&self) -> usize {
        self.skipped
    }
}

/// Appends the whole page to `out`, and tells how many metrics were left out, as [`Page::skipped`] does.
///
/// Allocates only to grow `out`.
pub fn encode(set: &MetricSet, format: Format, out: &mut Vec<u8>) -> usize {
    let mut page = Page::new(set, format);
    page.fill(out, usize::MAX);
    page.skipped()
}

/// Writes the whole page to `out`, in pieces of about 64 KiB.
///
/// # Errors
/// Those of `out`; the page then ends where it stands.
pub fn write(set: &MetricSet, format: Format, out: &mut impl io::Write) -> io::Result<()> {
    let mut page = Page::new(set, format);
    let mut piece = Vec::with_capacity(2 * PIECE_BYTES);
    loop {
        let more = page.fill(&mut piece, PIECE_BYTES);
        out.write_all(&piece)?;
        if !more {
            return Ok(());
        }
        piece.clear();
    }
}

/// Appends the lines that describe a family (ITR-04).
fn write_metadata(metadata: &Metadata, rules: &Rules, out: &mut Vec<u8>) {
    let suffix = rules.family_suffix(metadata.kind());
    for head in rules.heads {
        let (keyword, text) = match head {
            Head::Help => ("# HELP ", metadata.help()),
            Head::Unit => ("# UNIT ", metadata.name().unit()),
            Head::Type => ("# TYPE ", rules.type_word(metadata.kind())),
        };
        if text.is_empty() && !rules.empty_heads {
            continue;
        }
        out.put(keyword);
        out.put(metadata.name().exposed());
        out.put(suffix);
        out.put(" ");
        match head {
            Head::Help => escape_into(text, rules.help_quotes, out),
            Head::Unit | Head::Type => out.put(text),
        }
        out.put("\n");
    }
}

/// Appends the metrics of `family` from row `from` on, until `out` is `stop` bytes long; returns the next row.
fn write_rows<W: Writer>(
    family: &MetricFamily,
    from: usize,
    stop: usize,
    rules: &Rules,
    skipped: &mut usize,
    room: &mut String,
    out: &mut Vec<u8>,
) -> usize {
    for row in from..family.len() {
        if out.len() >= stop {
            return row;
        }
        if !is_sound(family, row) {
            *skipped += 1;
            continue;
        }
        W::write_metric(family, row, rules, room, out);
    }
    family.len()
}
