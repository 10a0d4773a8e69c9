//! Lines of OpenMetrics 2.0: all values of a metric as one, its start time and its exemplars behind it.
//!
//! The text followed is that of 2.0.0-rc0.

use std::marker::PhantomData;

use crate::encode::{
    line::{Words, Writer, write_exemplar},
    look::Look,
};
use crate::model::{
    Metadata, MetricFamily, NativeHistogram, Number, Points, Sink, Timestamp, entries, spans, write_number,
    write_seconds,
};

/// As OpenMetrics 2.0 has it, with names in the words of `W`.
pub(super) struct Composite<W>(PhantomData<W>);

impl<W: Words> Writer for Composite<W> {
    /// Appends `name{labels} value st@time # {labels} value time`; a stateset has one metric a state here, which are the lines that
    /// it has in 1.0.
    fn write_metric(family: &MetricFamily, row: usize, look: &Look<'_>, room: &mut String, out: &mut Vec<u8>) {
        if let Points::StateSet { .. } = family.points() {
            return W::write_metric(family, row, look, room, out);
        }
        let labels = W::labels(family, row, look, room);
        W::write_head(look, look.rules.family_suffix(family.metadata().kind()), labels, None, out);
        write_value(family, row, out);
        if let Some(created) = created(family.points(), row).filter(|_| look.rules.created) {
            out.put(" st@");
            write_seconds(created, out);
        }
        for at in family.exemplars_of(row).iter().filter(|_| look.rules.exemplars) {
            write_exemplar(&at.exemplar, out);
        }
        out.put("\n");
    }
}

/// Appends a number, or `{…}` where a metric has several.
fn write_value(family: &MetricFamily, row: usize, out: &mut Vec<u8>) {
    let metadata = family.metadata();
    match family.points() {
        Points::Counter { totals, .. } => write_number(Number::Unsigned(totals[row]), out),
        Points::FloatCounter { totals, .. } => write_number(Number::Float(totals[row]), out),
        Points::Gauge { values } | Points::Unknown { values } => write_number(Number::Float(values[row]), out),
        Points::UpDown { values } => write_number(Number::Signed(values[row]), out),
        Points::Info => write_number(Number::Unsigned(1), out),
        // Written state by state.
        Points::StateSet { .. } => {}
        Points::Histogram { cumulative, sums, .. } => {
            let cumulative = entries(cumulative, row, metadata.buckets());
            let native = family.natives().get(row);
            write_distribution(["{count:", ",sum:"], metadata, (native, cumulative), sums[row], out);
        }
        Points::GaugeHistogram { cumulative, sums } => {
            let cumulative = entries(cumulative, row, metadata.buckets());
            write_distribution(["{gcount:", ",gsum:"], metadata, (None, cumulative), sums[row], out);
        }
        Points::Summary { counts, sums, quantiles, .. } => {
            write_count_and_sum(["{count:", ",sum:"], counts[row], sums[row], out);
            let values = entries(quantiles, row, metadata.quantiles().len()).iter().enumerate();
            let values = values.map(|(position, value)| (metadata.quantile_text(position), Number::Float(*value)));
            write_pairs(",quantile:[", values, out);
            out.put("}");
        }
    }
}

/// Appends the value of a histogram or gauge histogram; `words` are those before count and sum. Native buckets come first, and alone where
/// there are no thresholds.
///
/// A histogram has its sum here whatever its thresholds are.
fn write_distribution(
    words: [&str; 2],
    metadata: &Metadata,
    (native, cumulative): (Option<&NativeHistogram>, &[u64]),
    sum: f64,
    out: &mut Vec<u8>,
) {
    write_count_and_sum(words, cumulative[cumulative.len() - 1], sum, out);
    native.into_iter().for_each(|native| write_native(native, out));
    if native.is_none() || !metadata.thresholds().is_empty() {
        let counts = cumulative.iter().enumerate();
        let counts = counts.map(|(bucket, count)| (metadata.threshold_text(bucket), Number::Unsigned(*count)));
        write_pairs(",bucket:[", counts, out);
    }
    out.put("}");
}

fn write_native(native: &NativeHistogram, out: &mut Vec<u8>) {
    out.put(",schema:");
    write_number(Number::Signed(native.schema.into()), out);
    out.put(",zero_threshold:");
    write_number(Number::Float(native.zero_threshold), out);
    out.put(",zero_count:");
    write_number(Number::Unsigned(native.zero_count), out);
    write_native_buckets([",negative_spans:[", "],negative_buckets:["], &native.negative, out);
    write_native_buckets([",positive_spans:[", "],positive_buckets:["], &native.positive, out);
}

/// Appends the buckets of one sign, if there are any: `offset:length` of each run, then the counts.
fn write_native_buckets([spans_word, counts_word]: [&str; 2], buckets: &[(i32, u64)], out: &mut Vec<u8>) {
    if buckets.is_empty() {
        return;
    }
    write_list(spans_word, spans(buckets), out, |(offset, length), out| {
        write_number(Number::Signed(offset.into()), out);
        out.put(":");
        write_number(Number::Unsigned(length as u64), out);
    });
    write_list(counts_word, buckets.iter(), out, |(_, count), out| write_number(Number::Unsigned(*count), out));
    out.put("]");
}

fn write_count_and_sum([count_word, sum_word]: [&str; 2], count: u64, sum: f64, out: &mut Vec<u8>) {
    out.put(count_word);
    write_number(Number::Unsigned(count), out);
    out.put(sum_word);
    write_number(Number::Float(sum), out);
}

/// Appends `word`, `key:number` for each pair, and a bracket.
fn write_pairs<'a>(word: &str, pairs: impl Iterator<Item = (&'a str, Number)>, out: &mut Vec<u8>) {
    write_list(word, pairs, out, |(key, number), out| {
        out.put(key);
        out.put(":");
        write_number(number, out);
    });
    out.put("]");
}

/// Appends `word`, and what `write` makes of each item, with commas between.
fn write_list<T>(word: &str, items: impl Iterator<Item = T>, out: &mut Vec<u8>, write: impl Fn(T, &mut Vec<u8>)) {
    out.put(word);
    for (position, item) in items.enumerate() {
        if position > 0 {
            out.put(",");
        }
        write(item, out);
    }
}

/// When the metric in `row` began, if its type can tell.
fn created(points: &Points, row: usize) -> Option<Timestamp> {
    match points {
        Points::Counter { created, .. }
        | Points::FloatCounter { created, .. }
        | Points::Histogram { created, .. }
        | Points::Summary { created, .. } => created.get(row).copied(),
        Points::Gauge { .. }
        | Points::UpDown { .. }
        | Points::Info
        | Points::StateSet { .. }
        | Points::Unknown { .. }
        | Points::GaugeHistogram { .. } => None,
    }
}
