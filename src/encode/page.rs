//! Pages: metadata, lines or messages, and the end mark, in pieces or whole.

use std::borrow::Borrow;
use std::io;

use crate::encode::Format;
#[cfg(feature = "openmetrics2")]
use crate::encode::composite::Composite;
use crate::encode::format::{Head, Rules, Wording};
use crate::encode::line::{Foreign, Prosody, Standard, Writer};
use crate::encode::look::{Look, Renamed};
use crate::encode::protobuf::{self, Messages};
use crate::encode::sample::is_sound;
use crate::model::{EscapingScheme, Metadata, MetricFamily, MetricSet, Sink, escape_into};

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

    /// The same with names in this scheme; in underscores otherwise, which every reader takes, and so is the page of Prosody whatever this
    /// says.
    ///
    /// Quoted names (`AllowUtf8`) are for readers that asked for them alone. A page whose names are escaped takes longer, and some allocations
    /// for each piece and family: names are made anew, and so are the labels where keys are not classic.
    ///
    /// # Examples
    /// ```
    /// use manometer::encode::{Format, Page};
    /// use manometer::model::{Dialect, EscapingScheme};
    /// use manometer::{RegistryOptions, collect};
    ///
    /// let registry = RegistryOptions::new().dialect(Dialect::Utf8).build();
    /// registry.counter("http.hits").labels(["http.method"]).declare()?.inc(("GET",))?;
    /// let set = collect(&registry);
    /// let page = |scheme| {
    ///     let mut page = Vec::new();
    ///     Page::new(&set, Format::Text).escaping(scheme).fill(&mut page, usize::MAX);
    ///     String::from_utf8(page)
    /// };
    /// let quoted = "# TYPE \"http.hits_total\" counter\n{\"http.hits_total\",\"http.method\"=\"GET\"} 1\n";
    /// assert_eq!(page(EscapingScheme::AllowUtf8)?, quoted);
    /// let escaped = "# TYPE http_hits_total counter\nhttp_hits_total{http_method=\"GET\"} 1\n";
    /// assert_eq!(page(EscapingScheme::Underscores)?, escaped);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn escaping(mut self, scheme: EscapingScheme) -> Self {
        if !matches!(self.rules.wording, Wording::Prosody) {
            self.rules.scheme = scheme;
        }
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
                        let renamed = Renamed::of(current.metadata(), rules);
                        let look = Look::new(current.metadata(), rules, renamed.as_ref());
                        match rules.wording {
                            Wording::Protobuf => protobuf::write_head(current, &look, out),
                            _ => write_metadata(current.metadata(), &look, out),
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
                    let renamed = Renamed::of(current.metadata(), rules);
                    let look = Look::new(current.metadata(), rules, renamed.as_ref());
                    let write: WriteRows = match (rules.wording, &renamed) {
                        (Wording::Standard, None) => write_rows::<Standard>,
                        (Wording::Standard, Some(_)) => write_rows::<Foreign>,
                        #[cfg(feature = "openmetrics2")]
                        (Wording::Composite, None) => write_rows::<Composite<Standard>>,
                        #[cfg(feature = "openmetrics2")]
                        (Wording::Composite, Some(_)) => write_rows::<Composite<Foreign>>,
                        (Wording::Prosody, _) => write_rows::<Prosody>,
                        (Wording::Protobuf, _) => write_rows::<Messages>,
                    };
                    let row = write(current, row, stop, &look, skipped, room, out);
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
/// Names that are not classic are in underscores; see [`Page::escaping`]. Allocates only to grow `out`, and for those names.
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
fn write_metadata(metadata: &Metadata, look: &Look<'_>, out: &mut Vec<u8>) {
    let rules = look.rules;
    let suffix = rules.family_suffix(metadata.kind());
    for head in rules.heads {
        let (keyword, text) = match head {
            Head::Help => ("# HELP ", metadata.help()),
            Head::Unit => ("# UNIT ", metadata.name().unit()),
            Head::Type => ("# TYPE ", rules.type_word(metadata.kind())),
        };
        // Of what is escaped, the end of the name may be another: a unit that it does not end in would cost the page.
        let is_lost = matches!(head, Head::Unit) && !look.has_unit(text);
        if (text.is_empty() && !rules.empty_heads) || is_lost {
            continue;
        }
        out.put(keyword);
        look.write_name(suffix, out);
        out.put(" ");
        match head {
            Head::Help => escape_into(text, rules.help_quotes, out),
            Head::Unit | Head::Type => out.put(text),
        }
        out.put("\n");
    }
}

/// Appends rows of a family, as [`write_rows`] does.
type WriteRows = fn(&MetricFamily, usize, usize, &Look<'_>, &mut usize, &mut String, &mut Vec<u8>) -> usize;

/// Appends the metrics of `family` from row `from` on, until `out` is `stop` bytes long; returns the next row.
fn write_rows<W: Writer>(
    family: &MetricFamily,
    from: usize,
    stop: usize,
    look: &Look<'_>,
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
        W::write_metric(family, row, look, room, out);
    }
    family.len()
}
