//! Lines of OpenMetrics 2.0: all values of a metric as one, its start time and its exemplars behind it.
//!
//! The text followed is that of 2.0.0-rc0.

use std::marker::PhantomData;

use crate::encode::{
    line::{Words, Writer, write_exemplar},
    look::Look,
};
use crate::model::{Metadata, MetricFamily, Number, Points, Sink, Timestamp, entries, write_number, write_seconds};

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
            write_distribution(["{count:", ",sum:"], metadata, cumulative, sums[row], out);
        }
        Points::GaugeHistogram { cumulative, sums } => {
            let cumulative = entries(cumulative, row, metadata.buckets());
            write_distribution(["{gcount:", ",gsum:"], metadata, cumulative, sums[row], out);
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

/// Appends the value of a histogram or gauge histogram; `words` are those before count and sum.
///
/// A histogram has its sum here whatever its thresholds are.
fn write_distribution(words: [&str; 2], metadata: &Metadata, cumulative: &[u64], sum: f64, out: &mut Vec<u8>) {
    write_count_and_sum(words, cumulative[cumulative.len() - 1], sum, out);
    let counts = cumulative.iter().enumerate();
    let counts = counts.map(|(bucket, count)| (metadata.threshold_text(bucket), Number::Unsigned(*count)));
    write_pairs(",bucket:[", counts, out);
    out.put("}");
}

fn write_count_and_sum([count_word, sum_word]: [&str; 2], count: u64, sum: f64, out: &mut Vec<u8>) {
    out.put(count_word);
    write_number(Number::Unsigned(count), out);
    out.put(sum_word);
    write_number(Number::Float(sum), out);
}

/// Appends `word`, `key:number` for each pair, and a bracket.
fn write_pairs<'a>(word: &str, pairs: impl Iterator<Item = (&'a str, Number)>, out: &mut Vec<u8>) {
    out.put(word);
    for (position, (key, number)) in pairs.enumerate() {
        if position > 0 {
            out.put(",");
        }
        out.put(key);
        out.put(":");
        write_number(number, out);
    }
    out.put("]");
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
