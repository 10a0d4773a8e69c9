//! Lines: the samples of one metric as text, in the words of the specifications or in those of Prosody.

use std::{iter::Peekable, marker::PhantomData, slice};

use crate::encode::{
    format::Rules,
    sample::{Value, Visitor, walk},
};
use crate::model::{
    Escaping, Exemplar, ExemplarAt, MetricFamily, Number, Sink, escape_into, suffix, write_17_digits, write_number,
    write_seconds,
};

/// In whose words a line is written. A type, so that a page chooses once and not in every line.
pub(super) trait Words {
    /// Whether a counter's creation time comes before its total.
    const CREATED_FIRST: bool;

    /// The labels in `row` as they stand between the braces; `room` is where they may be written.
    fn labels<'a>(family: &'a MetricFamily, row: usize, room: &'a mut String) -> &'a str;

    /// Appends a value.
    fn write(value: Value, out: &mut impl Sink);
}

/// As the specifications have it. The labels were written when the series was made.
pub(super) struct Standard;

impl Words for Standard {
    const CREATED_FIRST: bool = false;

    #[inline(always)]
    fn labels<'a>(family: &'a MetricFamily, row: usize, _: &'a mut String) -> &'a str {
        family.labels().text(row)
    }

    #[inline(always)]
    fn write(value: Value, out: &mut impl Sink) {
        value.write(out);
    }
}

/// As Prosody has it. Its labels are written anew for every page: they cost the series of nobody else any memory.
pub(super) struct Prosody;

impl Words for Prosody {
    const CREATED_FIRST: bool = true;

    fn labels<'a>(family: &'a MetricFamily, row: usize, room: &'a mut String) -> &'a str {
        room.clear();
        for (position, key) in family.metadata().label_keys().iter().enumerate() {
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
    /// Appends the metric in `row`, with its exemplars where `rules` have them.
    fn write_metric(family: &MetricFamily, row: usize, rules: &Rules, room: &mut String, out: &mut Vec<u8>);
}

impl<W: Words> Writer for W {
    #[inline(always)]
    fn write_metric(family: &MetricFamily, row: usize, rules: &Rules, room: &mut String, out: &mut Vec<u8>) {
        match family.exemplars_of(row) {
            exemplars if rules.exemplars && !exemplars.is_empty() => {
                write_lines_with_exemplars::<W>(family, row, rules, exemplars, room, out);
            }
            _ => write_lines::<W>(family, row, rules, room, out),
        }
    }
}

/// Appends the lines of the metric in `row`.
#[inline]
fn write_lines<W: Words>(family: &MetricFamily, row: usize, rules: &Rules, room: &mut String, out: &mut Vec<u8>) {
    let name = family.metadata().name().exposed();
    let labels = W::labels(family, row, room);
    walk(family, row, &mut Lines::<W> { name, labels, rules, out, words: PhantomData });
}

/// The same with `exemplars`, which are in the order of their buckets.
#[cold]
fn write_lines_with_exemplars<W: Words>(
    family: &MetricFamily,
    row: usize,
    rules: &Rules,
    exemplars: &[ExemplarAt],
    room: &mut String,
    out: &mut Vec<u8>,
) {
    let name = family.metadata().name().exposed();
    let labels = W::labels(family, row, room);
    let lines = Lines::<W> { name, labels, rules, out, words: PhantomData };
    let latest;
    let exemplars = match exemplars.iter().max_by_key(|at| at.exemplar.timestamp()) {
        // There is one line for all of them.
        Some(last) if family.metadata().is_native_alone() => {
            latest = [ExemplarAt { bucket: 0, ..last.clone() }];
            &latest[..]
        }
        _ => exemplars,
    };
    walk(family, row, &mut Annotated { lines, exemplars: exemplars.iter().peekable(), bucket: 0 });
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
    name: &'a str,
    labels: &'a str,
    rules: &'a Rules,
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
        let Self { name, labels, rules, out, .. } = self;
        if matches!(value, Value::Time(_)) && !rules.created {
            return;
        }
        out.put(name);
        out.put(rules.sample_suffix(suffix));
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
        W::write(value, *out);
        out.put("\n");
    }
}
