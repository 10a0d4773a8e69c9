//! Lines: the samples of one metric as text, in the words of the specifications or in those of Prosody.

use std::{iter::Peekable, marker::PhantomData, slice};

use crate::encode::{
    look::Look,
    sample::{Value, Visitor, walk},
};
use crate::model::{
    Escaping, Exemplar, ExemplarAt, MetricFamily, Number, Sink, escape_into, suffix, write_17_digits, write_labels,
    write_number, write_seconds,
};

/// In whose words a line is written. A type, so that a page chooses once and not in every line.
pub(super) trait Words {
    /// Whether a counter's creation time comes before its total.
    const CREATED_FIRST: bool;

    /// The labels in `row` as they stand between the braces; `room` is where they may be written.
    fn labels<'a>(family: &'a MetricFamily, row: usize, look: &Look<'_>, room: &'a mut String) -> &'a str;

    /// Appends what stands before a value: `name_suffix{labels,extra="text"} `.
    #[inline(always)]
    fn write_head(look: &Look<'_>, suffix: &str, labels: &str, extra: Option<(&str, &str)>, out: &mut impl Sink) {
        out.put(look.family);
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
    }

    /// Appends a value.
    fn write(value: Value, out: &mut impl Sink);
}

/// As the specifications have it, with names as the registry has them. The labels were written when the series was made.
pub(super) struct Standard;

impl Words for Standard {
    const CREATED_FIRST: bool = false;

    #[inline(always)]
    fn labels<'a>(family: &'a MetricFamily, row: usize, _: &Look<'_>, _: &'a mut String) -> &'a str {
        family.labels().text(row)
    }

    #[inline(always)]
    fn write(value: Value, out: &mut impl Sink) {
        value.write(out);
    }
}

/// As the specifications have it, with names that are escaped or in quotes.
pub(super) struct Foreign;

impl Words for Foreign {
    const CREATED_FIRST: bool = false;

    /// Labels whose keys are escaped are written anew for every page, as those of Prosody are.
    fn labels<'a>(family: &'a MetricFamily, row: usize, look: &Look<'_>, room: &'a mut String) -> &'a str {
        let text = family.labels().text(row);
        let Some(keys) = look.keys.filter(|_| !text.is_empty()) else { return text };
        room.clear();
        write_labels(keys.iter(), (0..keys.len()).map(|key| family.labels().value(row, key)), room);
        room
    }

    fn write_head(look: &Look<'_>, suffix: &str, labels: &str, extra: Option<(&str, &str)>, out: &mut impl Sink) {
        if !look.is_quoted {
            return Standard::write_head(look, suffix, labels, extra, out);
        }
        out.put("{");
        look.write_name(suffix, out);
        if !labels.is_empty() {
            out.put(",");
            out.put(labels);
        }
        if let Some((label, text)) = extra {
            [",", label, "=\"", text, "\""].iter().for_each(|part| out.put(part));
        }
        out.put("} ");
    }

    fn write(value: Value, out: &mut impl Sink) {
        value.write(out);
    }
}

/// As Prosody has it. Its labels are written anew for every page: they cost the series of nobody else any memory.
pub(super) struct Prosody;

impl Words for Prosody {
    const CREATED_FIRST: bool = true;

    fn labels<'a>(family: &'a MetricFamily, row: usize, look: &Look<'_>, room: &'a mut String) -> &'a str {
        room.clear();
        for (position, key) in look.each_key(family.metadata()).iter().enumerate() {
            if position > 0 {
                room.push(',');
            }
            room.push_str(key);
            room.push_str("=\"");
            escape_into(family.labels().value(row, position), true, &mut Escaping(room));
            room.push('"');
        }
        room
    }

    fn write(value: Value, out: &mut impl Sink) {
        match value {
            Value::Number(number) => write_17_digits(number, out),
            Value::Time(time) => write_17_digits(Number::Float(time.millis() as f64 / 1000.0), out),
        }
    }
}

/// Writes whole metrics.
pub(super) trait Writer {
    /// Appends the metric in `row`, with its exemplars where the rules have them.
    fn write_metric(family: &MetricFamily, row: usize, look: &Look<'_>, room: &mut String, out: &mut Vec<u8>);
}

impl<W: Words> Writer for W {
    #[inline(always)]
    fn write_metric(family: &MetricFamily, row: usize, look: &Look<'_>, room: &mut String, out: &mut Vec<u8>) {
        match family.exemplars_of(row) {
            exemplars if look.rules.exemplars && !exemplars.is_empty() => {
                write_lines_with_exemplars::<W>(family, row, look, exemplars, room, out);
            }
            _ => write_lines::<W>(family, row, look, room, out),
        }
    }
}

/// Appends the lines of the metric in `row`.
#[inline]
fn write_lines<W: Words>(family: &MetricFamily, row: usize, look: &Look<'_>, room: &mut String, out: &mut Vec<u8>) {
    let labels = W::labels(family, row, look, room);
    walk(family, row, look.state, &mut Lines::<W> { look: *look, labels, out, words: PhantomData });
}

/// The same with `exemplars`, which are in the order of their buckets.
#[cold]
fn write_lines_with_exemplars<W: Words>(
    family: &MetricFamily,
    row: usize,
    look: &Look<'_>,
    exemplars: &[ExemplarAt],
    room: &mut String,
    out: &mut Vec<u8>,
) {
    let labels = W::labels(family, row, look, room);
    let lines = Lines::<W> { look: *look, labels, out, words: PhantomData };
    let latest;
    let exemplars = match exemplars.iter().max_by_key(|at| at.exemplar.timestamp()) {
        // There is one line for all of them.
        Some(last) if family.metadata().is_native_alone() => {
            latest = [ExemplarAt { bucket: 0, ..last.clone() }];
            &latest[..]
        }
        _ => exemplars,
    };
    walk(family, row, look.state, &mut Annotated { lines, exemplars: exemplars.iter().peekable(), bucket: 0 });
}

/// Lines of which some have an exemplar behind them.
struct Annotated<'a, W> {
    lines: Lines<'a, W>,
    exemplars: Peekable<slice::Iter<'a, ExemplarAt>>,
    /// The bucket of the next line that has one.
    bucket: usize,
}

impl<W: Words> Visitor for Annotated<'_, W> {
    const CREATED_FIRST: bool = W::CREATED_FIRST;

    fn sample(&mut self, suffix: &'static str, extra: Option<(&str, &str)>, value: Value) {
        self.lines.sample(suffix, extra, value);
        if suffix != suffix::TOTAL && suffix != suffix::BUCKET {
            return;
        }
        let bucket = self.bucket;
        self.bucket += 1;
        if let Some(ExemplarAt { exemplar, .. }) = self.exemplars.next_if(|next| next.bucket == bucket) {
            let out = &mut *self.lines.out;
            // The line feed comes behind the exemplar.
            out.pop();
            write_exemplar(exemplar, out);
            out.put("\n");
        }
    }
}

/// Appends an exemplar as it stands behind a value: ` # {labels} value time`.
pub(super) fn write_exemplar(exemplar: &Exemplar, out: &mut Vec<u8>) {
    out.put(" # {");
    out.put(exemplar.label_text());
    out.put("} ");
    write_number(Number::Float(exemplar.value()), out);
    out.put(" ");
    write_seconds(exemplar.timestamp(), out);
}

/// The lines of one metric, as they come.
struct Lines<'a, W> {
    look: Look<'a>,
    labels: &'a str,
    out: &'a mut Vec<u8>,
    words: PhantomData<W>,
}

impl<W: Words> Visitor for Lines<'_, W> {
    const CREATED_FIRST: bool = W::CREATED_FIRST;

    /// Appends one line: `name_suffix{labels,extra="text"} value`.
    // Always inlined: where `walk` names a sample, its suffix and the kind of its value are constants. Called instead,
    // a line of a counter takes half as long again.
    #[inline(always)]
    fn sample(&mut self, suffix: &'static str, extra: Option<(&str, &str)>, value: Value) {
        let Self { look, labels, out, .. } = self;
        if matches!(value, Value::Time(_)) && !look.rules.created {
            return;
        }
        W::write_head(look, look.rules.sample_suffix(suffix), labels, extra, *out);
        W::write(value, *out);
        out.put("\n");
    }
}
