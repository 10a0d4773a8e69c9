//! The text: families in the order of their raw names, piece by piece or whole.

use std::{borrow::Borrow, cmp::Reverse, ops::ControlFlow};

use super::{
    Pattern, ViewError,
    graph::Graph,
    rate::{Change, Interval},
    row::{self, Style},
};
use crate::{
    model::{Cardinality, MetricFamily, MetricSet, Points, Timestamp, entries},
    sync::unix_millis,
};

/// How many values of each label a line about cardinality has.
const TOP_VALUES: usize = 5;

/// Where values begin.
const VALUE_COLUMN: usize = 50;

/// Which text is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A line for each series, with its value.
    #[default]
    Values,
    /// The same, and what each value is now, and how it changed over the last interval.
    Details,
    /// A graph for each histogram: how many observations fell into each bucket.
    Histogram,
    /// A graph for each histogram: how many observations were not above each threshold.
    Cumulative,
    /// A line for each family, that with the most series first: how many it has, and which labels make them so many.
    Cardinality,
}

/// What is shown, and how.
#[derive(Clone, Debug, Default)]
pub struct ShowOptions {
    form: Form,
    pattern: Pattern,
    interval: Option<Interval>,
    now: Option<Timestamp>,
    compat: bool,
}

impl ShowOptions {
    /// Every family, with its values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only the families whose raw name has a match of this regular expression somewhere; the empty one means all.
    ///
    /// # Errors
    /// As [`Pattern::new`].
    pub fn matching(self, pattern: &str) -> Result<Self, ViewError> {
        Ok(Self { pattern: Pattern::new(pattern)?, ..self })
    }

    /// In this form. [`histogram`] and [`cfgraph`] choose their own.
    #[must_use]
    pub fn form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// With the changes over this interval, in the form of details.
    #[must_use]
    pub fn over(self, interval: Interval) -> Self {
        Self { interval: Some(interval), ..self }
    }

    /// As if this were the present, from which the age of a counter is reckoned. It is the present of the clock that creation times are
    /// of, unless told otherwise; that clock never steps.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        Self { now: Some(now), ..self }
    }

    /// With decimal prefixes for bytes, and legends on one line, as Prosody has them.
    #[must_use]
    pub fn compat(self, compat: bool) -> Self {
        Self { compat, ..self }
    }
}

/// The whole text, in the form that the options say.
///
/// It ends with the number of families that are shown. See [`Form`] for what there is before it.
pub fn show(set: &MetricSet, options: &ShowOptions) -> String {
    let mut text = String::new();
    Listing::new(set, options.clone()).fill(&mut text, usize::MAX);
    text
}

/// A graph for each histogram: how many observations fell into each bucket. Other families say that they are none.
pub fn histogram(set: &MetricSet, options: &ShowOptions) -> String {
    show(set, &options.clone().form(Form::Histogram))
}

/// A graph for each histogram: how many observations were not above each threshold. Other families say that they are none.
pub fn cfgraph(set: &MetricSet, options: &ShowOptions) -> String {
    show(set, &options.clone().form(Form::Cumulative))
}

/// A text that is written piece by piece, so that it needs no memory for the whole.
///
/// It holds a set or a reference to one, as [`encode::Page`](crate::encode::Page) does.
#[derive(Debug)]
pub struct Listing<S> {
    set: S,
    options: ShowOptions,
    now: Timestamp,
    /// The families that are shown, in the order of their raw names, by their places in the set.
    shown: Vec<usize>,
    next: Next,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Next {
    Head { position: usize },
    Rows { position: usize, row: usize },
    Nothing,
}

impl<S: Borrow<MetricSet>> Listing<S> {
    /// A text of which nothing is written yet.
    pub fn new(set: S, options: ShowOptions) -> Self {
        let families = &set.borrow().families;
        let raw = |place: &usize| families[*place].metadata().name().raw();
        let mut shown: Vec<usize> = (0..families.len()).filter(|place| options.pattern.matches(raw(place))).collect();
        shown.sort_by(|left, right| raw(left).cmp(raw(right)));
        if options.form == Form::Cardinality {
            // Stable: of equal ones, the first by name.
            shown.sort_by_key(|place| Reverse(families[*place].len()));
        }
        let now = options.now.unwrap_or_else(|| Timestamp::from_millis(unix_millis()));
        Self { set, options, now, shown, next: Next::Head { position: 0 } }
    }

    /// Appends the next `at_least` bytes of the text to `out`, and up to the end of the series that they reach into.
    ///
    /// False when the text is complete; fewer bytes are appended only then.
    pub fn fill(&mut self, out: &mut String, at_least: usize) -> bool {
        let stop = out.len().saturating_add(at_least);
        while out.len() < stop {
            self.next = match self.next {
                Next::Head { position } => match self.shown.get(position) {
                    Some(_) => {
                        self.write_head(position, out);
                        Next::Rows { position, row: 0 }
                    }
                    None => {
                        out.push_str(&format!("{} statistics displayed\n", self.shown.len()));
                        Next::Nothing
                    }
                },
                Next::Rows { position, row } => match self.write_rows(position, row, stop, out) {
                    ControlFlow::Continue(()) => Next::Head { position: position + 1 },
                    ControlFlow::Break(row) => Next::Rows { position, row },
                },
                Next::Nothing => return false,
            };
        }
        !matches!(self.next, Next::Nothing)
    }

    fn family(&self, position: usize) -> &MetricFamily {
        &self.set.borrow().families[self.shown[position]]
    }

    fn is_graph(&self) -> bool {
        matches!(self.options.form, Form::Histogram | Form::Cumulative)
    }

    fn write_head(&self, position: usize, out: &mut String) {
        let metadata = self.family(position).metadata();
        if self.options.form == Form::Cardinality {
            let family = self.family(position);
            let cardinality = Cardinality::of(metadata, &**family.labels(), TOP_VALUES);
            out.push_str(&format!("{cardinality}\n"));
        } else if self.is_graph() {
            let before = if position == 0 { "\n" } else { "" };
            out.push_str(&format!("{before}#{}\n\n", metadata.name().raw()));
        } else if !metadata.label_keys().is_empty() {
            out.push_str(metadata.name().raw());
            out.push('\n');
        }
    }

    /// Appends the series from `row` on, until `out` is `stop` bytes long; breaks with the next one.
    fn write_rows(&self, position: usize, row: usize, stop: usize, out: &mut String) -> ControlFlow<usize> {
        match self.options.form {
            Form::Cardinality => ControlFlow::Continue(()),
            Form::Histogram | Form::Cumulative => self.write_graphs(position, row, stop, out),
            Form::Values | Form::Details => self.write_values(position, row, stop, out),
        }
    }

    fn write_values(&self, position: usize, from: usize, stop: usize, out: &mut String) -> ControlFlow<usize> {
        let family = self.family(position);
        let metadata = family.metadata();
        let style = Style { unit: metadata.name().unit(), now: self.now, compat: self.options.compat };
        let change = self.options.interval.as_ref().map(|interval| Change::new(interval, metadata));
        for (row, metric) in (from..family.len()).filter_map(|row| Some((row, family.metric(row)?))) {
            if out.len() >= stop {
                return ControlFlow::Break(row);
            }
            let start = match metadata.label_keys() {
                [] => metadata.name().raw().to_owned(),
                _ => format!("  {}", row::labels(&metric)),
            };
            out.push_str(&format!("{start:<VALUE_COLUMN$} {}", style.value(&metric.point())));
            if self.options.form == Form::Details {
                out.push_str(&style.details(&metric, change.as_ref()));
            }
            out.push('\n');
        }
        ControlFlow::Continue(())
    }

    fn write_graphs(&self, position: usize, from: usize, stop: usize, out: &mut String) -> ControlFlow<usize> {
        let family = self.family(position);
        let metadata = family.metadata();
        match family.points() {
            Points::Histogram { cumulative, .. } | Points::GaugeHistogram { cumulative, .. } if !family.is_empty() => {
                for (row, metric) in (from..family.len()).filter_map(|row| Some((row, family.metric(row)?))) {
                    if out.len() >= stop {
                        return ControlFlow::Break(row);
                    }
                    let counts = entries(cumulative, row, metadata.buckets());
                    let own: Vec<u64> = match self.options.form {
                        Form::Cumulative => counts.to_vec(),
                        _ => [0]
                            .iter()
                            .chain(counts)
                            .zip(counts)
                            .map(|(below, up_to)| up_to.saturating_sub(*below))
                            .collect(),
                    };
                    let mut title = metadata.name().raw().to_owned();
                    if !metadata.label_keys().is_empty() {
                        title.push(' ');
                        title.push_str(&row::labels(&metric));
                    }
                    let (thresholds, unit) = (metadata.thresholds(), metadata.name().unit());
                    Graph { title: &title, counts: &own, thresholds, unit, compat: self.options.compat }.draw(out);
                }
            }
            _ => out.push_str("[no data or not a histogram]\n"),
        }
        out.push('\n');
        ControlFlow::Continue(())
    }
}
