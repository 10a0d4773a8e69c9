//! Pages: metadata, lines and the end mark, in pieces or whole.

use std::borrow::Borrow;
use std::io;

use crate::encode::Format;
use crate::encode::format::Dialect;
use crate::encode::sample::{Value, Visitor, is_sound, walk};
use crate::model::{Metadata, MetricFamily, MetricSet, MetricType, Sink, escape_into, suffix};

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
    dialect: Dialect,
    next: Next,
    skipped: usize,
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
        Self { set, dialect: *format.dialect(), next: Next::Metadata { family: 0 }, skipped: 0 }
    }

    /// The same without `_created` samples.
    #[must_use]
    pub fn without_created(mut self) -> Self {
        self.dialect.created = false;
        self
    }

    /// Appends the next `at_least` bytes of the page to `out`, and up to the end of the metric that they reach into.
    ///
    /// False when the page is complete; fewer bytes are appended only then.
    pub fn fill(&mut self, out: &mut Vec<u8>, at_least: usize) -> bool {
        let Self { set, dialect, next, skipped } = self;
        let set: &MetricSet = (*set).borrow();
        let stop = out.len().saturating_add(at_least);
        while out.len() < stop {
            *next = match *next {
                Next::Metadata { family } => match set.families.get(family) {
                    Some(current) => {
                        write_metadata(current.metadata(), dialect, out);
                        Next::Rows { family, row: 0 }
                    }
                    None => {
                        out.put(dialect.end);
                        Next::Nothing
                    }
                },
                Next::Rows { family, row } => {
                    let current = &set.families[family];
                    match write_rows(current, row, stop, dialect, skipped, out) {
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
    /// NaN or negative, a negative quantile, buckets that do not ascend.
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

/// Appends the lines that describe a family (ITR-04); unit and help only if there are any.
fn write_metadata(metadata: &Metadata, dialect: &Dialect, out: &mut Vec<u8>) {
    let head = |keyword: &str, out: &mut Vec<u8>| {
        out.put(keyword);
        out.put(metadata.name().exposed());
        out.put(if metadata.kind() == MetricType::Counter { dialect.counter_suffix } else { suffix::NONE });
        out.put(" ");
    };
    head("# TYPE ", out);
    out.put(metadata.kind().as_str());
    out.put("\n");
    if dialect.units && !metadata.name().unit().is_empty() {
        head("# UNIT ", out);
        out.put(metadata.name().unit());
        out.put("\n");
    }
    if !metadata.help().is_empty() {
        head("# HELP ", out);
        escape_into(metadata.help(), dialect.help_quotes, out);
        out.put("\n");
    }
}

/// Appends the metrics of `family` from row `from` on, until `out` is `stop` bytes long; returns the next row.
fn write_rows(
    family: &MetricFamily,
    from: usize,
    stop: usize,
    dialect: &Dialect,
    skipped: &mut usize,
    out: &mut Vec<u8>,
) -> usize {
    let name = family.metadata().name().exposed();
    for row in from..family.len() {
        if out.len() >= stop {
            return row;
        }
        if !is_sound(family, row) {
            *skipped += 1;
            continue;
        }
        let labels = family.labels().text(row);
        walk(family, row, &mut Lines { name, labels, dialect, out });
    }
    family.len()
}

/// The lines of one metric, as they come.
struct Lines<'a> {
    name: &'a str,
    labels: &'a str,
    dialect: &'a Dialect,
    out: &'a mut Vec<u8>,
}

impl Visitor for Lines<'_> {
    /// Appends one line: `name_suffix{labels,extra="text"} value`.
    // Always inlined: where `walk` names a sample, its suffix and the kind of its value are constants. Called instead,
    // a line of a counter takes half as long again.
    #[inline(always)]
    fn sample(&mut self, suffix: &'static str, extra: Option<(&'static str, &str)>, value: Value) {
        let Self { name, labels, dialect, out } = self;
        if matches!(value, Value::Time(_)) && !dialect.created {
            return;
        }
        out.put(name);
        out.put(suffix);
        match extra {
            None if labels.is_empty() => out.put(" "),
            None => {
                out.put("{");
                out.put(labels);
                out.put("} ");
            }
            Some((label, text)) => {
                out.put("{");
                if !labels.is_empty() {
                    out.put(labels);
                    out.put(",");
                }
                out.put(label);
                out.put("=\"");
                out.put(text);
                out.put("\"} ");
            }
        }
        value.write(*out);
        out.put("\n");
    }
}
