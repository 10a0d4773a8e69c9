//! Prometheus's protobuf format: families as `io.prometheus.client.MetricFamily` messages, each behind its length.
//!
//! What is optional in the schema is written also where it is zero, as the clients of Prometheus do, except for texts that are empty
//! and times that were not asked for. The unit precedes the metrics, although its number is higher: a reader takes fields in any
//! order, and the metrics of a large family go out in pieces.
//!
//! A family's length must be known before its first metric is written. So its metrics are counted first, all of them, and
//! written afterwards: the set does not change meanwhile.

use crate::encode::line::Writer;
use crate::encode::look::Look;
use crate::encode::sample::is_sound;
use crate::encode::schema::{
    bucket, counter, exemplar, family as fields, family_type, gauge, histogram, label, metric, quantile, span, summary,
    timestamp,
};
use crate::encode::wire::{Length, Wire};
use crate::model::{
    Exemplar, ExemplarAt, Metadata, MetricFamily, MetricType, NativeHistogram, Points, Timestamp, entries, spans,
};

/// Appends the length of a family and what is fixed about it.
///
/// A family of which no metric is left has no message: Prometheus's clients send none either.
pub(super) fn write_head(family: &MetricFamily, look: &Look<'_>, out: &mut Vec<u8>) {
    let mut length = Length::default();
    write_metadata(family.metadata(), look, &mut length);
    let mut is_empty = true;
    for row in (0..family.len()).filter(|&row| is_sound(family, row)) {
        is_empty = false;
        write_row(family, row, look, &mut length);
    }
    if !is_empty {
        out.put_varint(length.0 as u64);
        write_metadata(family.metadata(), look, out);
    }
}

/// As messages, behind the head of their family.
pub(super) struct Messages;

impl Writer for Messages {
    fn write_metric(family: &MetricFamily, row: usize, look: &Look<'_>, _: &mut String, out: &mut Vec<u8>) {
        write_row(family, row, look, out);
    }
}

fn write_metadata(metadata: &Metadata, look: &Look<'_>, out: &mut impl Wire) {
    out.delimited(fields::NAME, |out| {
        out.put_bytes(look.family.as_bytes());
        out.put_bytes(look.rules.family_suffix(metadata.kind()).as_bytes());
    });
    if !metadata.help().is_empty() {
        out.text(fields::HELP, metadata.help());
    }
    let kind = match metadata.kind() {
        MetricType::Counter => family_type::COUNTER,
        MetricType::Gauge | MetricType::Info | MetricType::StateSet => family_type::GAUGE,
        MetricType::Histogram => family_type::HISTOGRAM,
        MetricType::Summary => family_type::SUMMARY,
        MetricType::Unknown => family_type::UNTYPED,
        MetricType::GaugeHistogram => family_type::GAUGE_HISTOGRAM,
    };
    out.varint(fields::TYPE, kind);
    if !metadata.name().unit().is_empty() {
        out.text(fields::UNIT, metadata.name().unit());
    }
}

/// Writes the metric in `row`; a stateset is a metric per state.
fn write_row(family: &MetricFamily, row: usize, look: &Look<'_>, out: &mut impl Wire) {
    let metadata = family.metadata();
    if let Points::StateSet { on } = family.points() {
        let states = metadata.states();
        for (state, &on) in states.iter().zip(entries(on, row, states.len())) {
            out.delimited(fields::METRIC, |out| {
                write_labels(family, row, look, out);
                write_label(metric::LABEL, look.state, state, out);
                write_value(metric::GAUGE, on.into(), out);
            });
        }
        return;
    }
    let created = |times: &[Timestamp]| times.get(row).copied().filter(|_| look.rules.created);
    out.delimited(fields::METRIC, |out| {
        write_labels(family, row, look, out);
        match family.points() {
            Points::Counter { totals, created: times } => {
                write_counter(totals[row] as f64, created(times), family.exemplars_of(row), out);
            }
            Points::FloatCounter { totals, created: times } => {
                write_counter(totals[row], created(times), family.exemplars_of(row), out);
            }
            Points::Gauge { values } => write_value(metric::GAUGE, values[row], out),
            Points::UpDown { values } => write_value(metric::GAUGE, values[row] as f64, out),
            Points::Unknown { values } => write_value(metric::UNTYPED, values[row], out),
            Points::Info => write_value(metric::GAUGE, 1.0, out),
            Points::StateSet { .. } => {}
            Points::Histogram { cumulative, sums, created: times } => {
                let cumulative = entries(cumulative, row, metadata.buckets());
                let buckets = Buckets { metadata, cumulative, native: family.natives().get(row) };
                write_histogram(buckets, sums[row], created(times), family.exemplars_of(row), out);
            }
            Points::GaugeHistogram { cumulative, sums } => {
                let cumulative = entries(cumulative, row, metadata.buckets());
                write_histogram(Buckets { metadata, cumulative, native: None }, sums[row], None, &[], out);
            }
            Points::Summary { counts, sums, quantiles, created: times } => {
                let values = entries(quantiles, row, metadata.quantiles().len());
                write_summary(counts[row], sums[row], (metadata.quantiles(), values), created(times), out);
            }
        }
    });
}

/// Writes the labels; one with an empty value is absent, as on every page.
fn write_labels(family: &MetricFamily, row: usize, look: &Look<'_>, out: &mut impl Wire) {
    for (position, key) in look.each_key(family.metadata()).iter().enumerate() {
        let value = family.labels().value(row, position);
        if !value.is_empty() {
            write_label(metric::LABEL, key, value, out);
        }
    }
}

fn write_label(field: u32, key: &str, value: &str, out: &mut impl Wire) {
    out.delimited(field, |out| {
        out.text(label::NAME, key);
        out.text(label::VALUE, value);
    });
}

/// Writes a gauge or an untyped metric, which are messages of the same shape.
fn write_value(field: u32, value: f64, out: &mut impl Wire) {
    out.delimited(field, |out| out.double(gauge::VALUE, value));
}

fn write_counter(total: f64, created: Option<Timestamp>, exemplars: &[ExemplarAt], out: &mut impl Wire) {
    out.delimited(metric::COUNTER, |out| {
        out.double(counter::VALUE, total);
        if let Some(at) = exemplars.first() {
            write_exemplar(counter::EXEMPLAR, &at.exemplar, out);
        }
        write_time(counter::CREATED, created, out);
    });
}

/// Cumulative counts, the metadata that has their thresholds, and native buckets of the same observations.
#[derive(Clone, Copy)]
struct Buckets<'a> {
    metadata: &'a Metadata,
    cumulative: &'a [u64],
    native: Option<&'a NativeHistogram>,
}

/// Writes a histogram, or a gauge histogram, which its family's type tells apart; `exemplars` are in the order of the buckets.
///
/// Sum and count are there even where a threshold is negative and text has neither: a reader would take absent ones for zero. Native buckets
/// come without classic ones unless there are thresholds, so that Prometheus takes the native ones also where it would prefer classic.
fn write_histogram(
    buckets: Buckets<'_>,
    sum: f64,
    created: Option<Timestamp>,
    exemplars: &[ExemplarAt],
    out: &mut impl Wire,
) {
    let Buckets { metadata, cumulative, native } = buckets;
    out.delimited(metric::HISTOGRAM, |out| {
        out.varint(histogram::COUNT, cumulative[cumulative.len() - 1]);
        out.double(histogram::SUM, sum);
        let is_classic = native.is_none() || !metadata.thresholds().is_empty();
        if is_classic {
            write_classic(metadata, cumulative, exemplars, out);
        }
        native.into_iter().for_each(|native| write_native(native, out));
        write_time(histogram::CREATED, created, out);
        if !is_classic {
            exemplars.iter().for_each(|at| write_exemplar(histogram::EXEMPLAR, &at.exemplar, out));
        }
    });
}

/// Writes classic buckets, each with its exemplar.
fn write_classic(metadata: &Metadata, cumulative: &[u64], exemplars: &[ExemplarAt], out: &mut impl Wire) {
    let mut exemplars = exemplars.iter().peekable();
    let thresholds = metadata.thresholds().iter().copied().chain([f64::INFINITY]);
    for (position, (&count, threshold)) in cumulative.iter().zip(thresholds).enumerate() {
        let exemplar = exemplars.next_if(|next| next.bucket == position);
        out.delimited(histogram::BUCKET, |out| {
            out.varint(bucket::CUMULATIVE_COUNT, count);
            out.double(bucket::UPPER_BOUND, threshold);
            if let Some(at) = exemplar {
                write_exemplar(bucket::EXEMPLAR, &at.exemplar, out);
            }
        });
    }
}

/// Writes native buckets.
fn write_native(native: &NativeHistogram, out: &mut impl Wire) {
    out.signed(histogram::SCHEMA, native.schema.into());
    out.double(histogram::ZERO_THRESHOLD, native.zero_threshold);
    out.varint(histogram::ZERO_COUNT, native.zero_count);
    write_buckets((histogram::NEGATIVE_SPAN, histogram::NEGATIVE_DELTA), &native.negative, out);
    write_buckets((histogram::POSITIVE_SPAN, histogram::POSITIVE_DELTA), &native.positive, out);
    if native.zero_threshold == 0.0 && native.count() == 0 {
        // Without a threshold, a bucket or a span a reader takes it for a classic histogram: a span of nothing says what it is.
        write_span(histogram::POSITIVE_SPAN, 0, 0, out);
    }
}

/// Writes the buckets of one sign, number and count, ascending: as spans without a gap, and as counts less the count before.
fn write_buckets((span, delta): (u32, u32), buckets: &[(i32, u64)], out: &mut impl Wire) {
    for (offset, length) in spans(buckets) {
        write_span(span, offset, length, out);
    }
    let mut before = 0;
    for (_, count) in buckets {
        out.signed(delta, count.wrapping_sub(before) as i64);
        before = *count;
    }
}

fn write_span(field: u32, offset: i32, length: usize, out: &mut impl Wire) {
    out.delimited(field, |out| {
        out.signed(span::OFFSET, offset.into());
        out.varint(span::LENGTH, length as u64);
    });
}

/// Writes a summary; `quantiles` are those asked for and their values.
fn write_summary(count: u64, sum: f64, quantiles: (&[f64], &[f64]), created: Option<Timestamp>, out: &mut impl Wire) {
    out.delimited(metric::SUMMARY, |out| {
        out.varint(summary::COUNT, count);
        out.double(summary::SUM, sum);
        for (&asked, &value) in quantiles.0.iter().zip(quantiles.1) {
            out.delimited(summary::QUANTILE, |out| {
                out.double(quantile::QUANTILE, asked);
                out.double(quantile::VALUE, value);
            });
        }
        write_time(summary::CREATED, created, out);
    });
}

fn write_exemplar(field: u32, given: &Exemplar, out: &mut impl Wire) {
    out.delimited(field, |out| {
        for (key, value) in given.labels() {
            write_label(exemplar::LABEL, key, value, out);
        }
        out.double(exemplar::VALUE, given.value());
        write_time(exemplar::TIMESTAMP, Some(given.timestamp()), out);
    });
}

fn write_time(field: u32, time: Option<Timestamp>, out: &mut impl Wire) {
    if let Some(time) = time {
        out.delimited(field, |out| {
            out.varint(timestamp::SECONDS, time.millis() / 1000);
            out.varint(timestamp::NANOS, time.millis() % 1000 * 1_000_000);
        });
    }
}
