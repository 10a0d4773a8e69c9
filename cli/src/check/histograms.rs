//! What the buckets, sum and count of a histogram say of one another.

use crate::page::{Family, Format, Kind, Member, Role, Sink, canonical};
use crate::rule;

/// How far a sum may lie outside of what its buckets allow: sums of floats are rounded.
const ROUNDING: f64 = 1e-6;

struct Bucket<'a> {
    threshold: f64,
    text: &'a str,
    count: f64,
    line: usize,
}

/// Judges a family that has buckets; others are none of its business.
pub fn judge(family: &Family, format: Format, sink: &mut impl Sink) {
    if !matches!(family.kind, Kind::Histogram | Kind::GaugeHistogram) {
        return;
    }
    for metric in family.metrics() {
        let first = metric.members[0].sample.line;
        let buckets: Vec<Bucket<'_>> =
            metric.members.iter().filter_map(|member| bucket(member, format, sink)).collect();
        let find = |role| metric.members.iter().find(|member| member.role == role).copied();
        let (sum, count) = (find(Role::Sum), find(Role::Count));
        order(&buckets, sink);
        let last = buckets.iter().find(|bucket| bucket.threshold == f64::INFINITY);
        if last.is_none() {
            sink.defect(first, rule::BUCKET_INFINITY, format!("{} has no bucket le=\"+Inf\"", family.name));
        }
        if let (Some(last), Some(count)) = (last, count) {
            if count.sample.value.value != last.count {
                let what = format!("{} observations, and {} in bucket +Inf", count.sample.value.text, last.count);
                sink.defect(count.sample.line, rule::COUNT_DIFFERS, what);
            }
        }
        if let (Some(one), None) | (None, Some(one)) = (sum, count) {
            let what = format!("{} comes without its {}", one.sample.name, if sum.is_some() { "count" } else { "sum" });
            sink.defect(one.sample.line, rule::COUNT_OR_SUM_ALONE, what);
        }
        if let Some(sum) = sum {
            judge_sum(family.kind, &buckets, sum, format, sink);
        }
    }
}

/// The bucket that a member is; None if it is none, or its threshold cannot be read.
fn bucket<'a>(member: &'a Member, format: Format, sink: &mut impl Sink) -> Option<Bucket<'a>> {
    let sample = &member.sample;
    let line = sample.line;
    if member.role != Role::Bucket {
        return None;
    }
    let Some(text) = sample.label("le") else {
        sink.defect(line, rule::BUCKET_THRESHOLD, "the bucket has no label \"le\"".to_owned());
        return None;
    };
    let Some(threshold) = text.parse::<f64>().ok().filter(|threshold| !threshold.is_nan()) else {
        sink.defect(line, rule::BUCKET_THRESHOLD, format!("le={text:?} is no number"));
        return None;
    };
    let canonical = canonical(threshold);
    if text != canonical {
        if threshold.is_infinite() {
            sink.defect(line, rule::THRESHOLD_INFINITY, format!("le={text:?} is written {canonical:?}"));
        } else if format == Format::OpenMetrics {
            sink.defect(line, rule::THRESHOLD_SPELLING, format!("le={text:?} is written {canonical:?}"));
        }
    }
    Some(Bucket { threshold, text, count: sample.value.value, line })
}

fn order(buckets: &[Bucket<'_>], sink: &mut impl Sink) {
    for (position, bucket) in buckets.iter().enumerate() {
        if let Some(same) = buckets[..position].iter().find(|before| before.threshold == bucket.threshold) {
            // The same text is the same series, which is told of as such.
            if same.text != bucket.text {
                let what = format!("le={:?} is le={:?} of line {}", bucket.text, same.text, same.line);
                sink.defect(bucket.line, rule::BUCKET_REPEATED, what);
            }
            continue;
        }
        let Some(before) = position.checked_sub(1).map(|before| &buckets[before]) else { continue };
        if before.threshold > bucket.threshold {
            let what = format!("le={:?} comes after le={:?}", bucket.text, before.text);
            sink.defect(bucket.line, rule::BUCKET_ORDER, what);
        } else if before.count > bucket.count {
            let what = format!("{} up to {}, though {} up to {}", bucket.count, bucket.text, before.count, before.text);
            sink.defect(bucket.line, rule::BUCKET_CUMULATIVE, what);
        }
    }
}

fn judge_sum(kind: Kind, buckets: &[Bucket<'_>], sum: &Member, format: Format, sink: &mut impl Sink) {
    let (line, text, value) = (sum.sample.line, &sum.sample.value.text, sum.sample.value.value);
    let has_negative = buckets.iter().any(|bucket| bucket.threshold < 0.0);
    if has_negative && kind == Kind::Histogram && format == Format::OpenMetrics {
        let what = "a histogram with negative thresholds has neither sum nor count".to_owned();
        return sink.defect(line, rule::SUM_OF_NEGATIVES, what);
    }
    // The text format takes observations of any sign, and NaN.
    if format == Format::OpenMetrics && (value.is_nan() || (value < 0.0 && !has_negative)) {
        let what = format!("without negative thresholds the sum is neither negative nor NaN: {text}");
        return sink.defect(line, rule::HISTOGRAM_VALUE, what);
    }
    if let Some((least, most)) = bounds(buckets, format) {
        let size = |bound: f64| if bound.is_finite() { bound.abs() } else { 0.0 };
        let slack = ROUNDING * size(least).max(size(most));
        if value < least - slack || value > most + slack {
            let what = format!("the buckets allow a sum of {least} to {most}: {text}");
            sink.defect(line, rule::SUM_IMPOSSIBLE, what);
        }
    }
}

/// What the sum is between; None where the buckets do not tell, or contradict one another.
fn bounds(buckets: &[Bucket<'_>], format: Format) -> Option<(f64, f64)> {
    let ascends =
        buckets.windows(2).all(|pair| pair[0].threshold < pair[1].threshold && pair[0].count <= pair[1].count);
    let is_whole = buckets.last()?.threshold == f64::INFINITY && buckets.iter().all(|bucket| bucket.count.is_finite());
    if !ascends || !is_whole {
        return None;
    }
    // In OpenMetrics no observation is negative without a negative threshold.
    let is_bounded = format == Format::OpenMetrics && buckets[0].threshold >= 0.0;
    let floor = if is_bounded { 0.0 } else { f64::NEG_INFINITY };
    let lower = std::iter::once((floor, 0.0)).chain(buckets.iter().map(|bucket| (bucket.threshold, bucket.count)));
    let mut bounds = (0.0, 0.0);
    for ((from, below), bucket) in lower.zip(buckets) {
        let own = bucket.count - below;
        if own > 0.0 {
            bounds.0 += own * from;
            bounds.1 += own * bucket.threshold;
        }
    }
    Some(bounds)
}
