//! What the samples of one family do wrong: labels, repetition, order, and values that their type does not allow.

use std::collections::{HashMap, HashSet};

use crate::page::{Family, Figure, Format, Kind, Labels, Member, Role, Sink, canonical};
use crate::rule;

/// Clocks differ by a little; what lies further ahead is no time of the past.
const FUTURE_SECONDS: f64 = 3600.0;

/// Judges the samples of a family.
pub fn judge(family: &Family, format: Format, now: f64, sink: &mut impl Sink) {
    repetition(family, sink);
    if format == Format::OpenMetrics {
        contiguity(family, sink);
    }
    keys(family, sink);
    for member in &family.members {
        labels(family, member, format, sink);
        value(family, member, format, now, sink);
    }
}

/// Whether a time of the past lies too far ahead.
pub fn is_future(seconds: f64, now: f64) -> bool {
    seconds > now + FUTURE_SECONDS
}

fn repetition(family: &Family, sink: &mut impl Sink) {
    let mut last: HashMap<(&str, Labels), &Member> = HashMap::new();
    for member in &family.members {
        let sample = &member.sample;
        let mut labels: Labels = sample.labels.iter().filter(|(_, value)| !value.is_empty()).cloned().collect();
        labels.sort();
        let Some(before) = last.insert((&sample.name, labels), member) else { continue };
        let line = before.sample.line;
        match (&before.sample.timestamp, &sample.timestamp) {
            (None, None) => sink.defect(sample.line, rule::SERIES_REPEATED, format!("this series was in line {line}")),
            (Some(earlier), Some(later)) if later.value > earlier.value => {}
            (Some(earlier), Some(later)) => {
                let what = format!("{} of line {line} is not before {}", earlier.text, later.text);
                sink.defect(sample.line, rule::TIMESTAMP_ORDER, what);
            }
            _ => {
                let what = format!("of this series, line {line} or this one has a timestamp, and not both");
                sink.defect(sample.line, rule::TIMESTAMP_MIXED, what);
            }
        }
    }
}

fn contiguity(family: &Family, sink: &mut impl Sink) {
    let mut seen: HashSet<Labels> = HashSet::new();
    let mut current = None;
    for member in &family.members {
        let labels = family.metric_labels(member);
        if current.as_ref() == Some(&labels) {
            continue;
        }
        if !seen.insert(labels.clone()) {
            let what = "lines of another label set came between those of this one".to_owned();
            return sink.defect(member.sample.line, rule::METRIC_SPLIT, what);
        }
        current = Some(labels);
    }
}

fn keys(family: &Family, sink: &mut impl Sink) {
    let keys = |member: &Member| -> Vec<String> {
        let own = family.own_label(member.role);
        let names = member.sample.labels.iter().map(|(name, _)| name).filter(|name| Some(name.as_str()) != own);
        let mut names: Vec<String> = names.cloned().collect();
        names.sort();
        names
    };
    let Some(first) = family.members.first() else { return };
    let expected = keys(first);
    if let Some(other) = family.members.iter().find(|member| keys(member) != expected) {
        let (given, line) = (keys(other).join(", "), first.sample.line);
        let what = format!("labels ({given}), where line {line} has ({})", expected.join(", "));
        sink.defect(other.sample.line, rule::LABEL_KEYS_VARY, what);
    }
}

fn labels(family: &Family, member: &Member, format: Format, sink: &mut impl Sink) {
    let sample = &member.sample;
    for (name, value) in &sample.labels {
        if value.is_empty() {
            sink.defect(sample.line, rule::LABEL_EMPTY, format!("label {name:?} has an empty value"));
        }
        if name.starts_with('_') {
            sink.defect(sample.line, rule::LABEL_UNDERSCORE, format!("label {name:?} is reserved"));
        }
        let is_reserved = match (family.kind, member.role) {
            (Kind::Histogram | Kind::GaugeHistogram, role) => name == "le" && role != Role::Bucket,
            (Kind::Summary, role) => name == "quantile" && role != Role::Quantile,
            _ => false,
        };
        if is_reserved {
            let what = format!(
                "a {} has label {name:?} on its {} alone",
                family.kind.name(),
                match name.as_str() {
                    "le" => "buckets",
                    _ => "quantiles",
                }
            );
            sink.defect(sample.line, rule::LABEL_RESERVED, what);
        }
    }
    if member.role == Role::Quantile {
        quantile(member, format, sink);
    }
    if family.kind == Kind::StateSet && member.role == Role::Value && sample.label(&family.name).is_none() {
        sink.defect(sample.line, rule::STATESET_LABEL, format!("no label {:?} says which state this is", family.name));
    }
}

fn quantile(member: &Member, format: Format, sink: &mut impl Sink) {
    let line = member.sample.line;
    let Some(text) = member.sample.label("quantile") else {
        return sink.defect(line, rule::QUANTILE_LABEL, "no label \"quantile\"".to_owned());
    };
    match text.parse::<f64>() {
        Ok(quantile) if !(0.0..=1.0).contains(&quantile) => {
            sink.defect(line, rule::QUANTILE_LABEL, format!("quantile {text:?} is not in 0 to 1"));
        }
        Ok(quantile) if format == Format::OpenMetrics && canonical(quantile) != text => {
            let what = format!("quantile {text:?} is written {:?}", canonical(quantile));
            sink.defect(line, rule::THRESHOLD_SPELLING, what);
        }
        Ok(_) => {}
        Err(_) => sink.defect(line, rule::QUANTILE_LABEL, format!("quantile {text:?} is no number")),
    }
}

fn value(family: &Family, member: &Member, format: Format, now: f64, sink: &mut impl Sink) {
    let Figure { text, value } = &member.sample.value;
    let (value, line) = (*value, member.sample.line);
    let is_negative = value.is_nan() || value < 0.0;
    match (family.kind, member.role) {
        (Kind::Counter, Role::Total) if is_negative => {
            sink.defect(line, rule::COUNTER_VALUE, format!("a total is neither negative nor NaN: {text}"));
        }
        (_, Role::Created) if !value.is_finite() || value < 0.0 => {
            sink.defect(line, rule::CREATED_VALUE, format!("{text} is no time"));
        }
        (_, Role::Created) if is_future(value, now) => {
            sink.defect(line, rule::CREATED_VALUE, format!("{text} is in the future"));
        }
        (Kind::StateSet, Role::Value) if value != 0.0 && value != 1.0 => {
            sink.defect(line, rule::STATESET_VALUE, format!("a state is 0 or 1: {text}"));
        }
        (Kind::Info, Role::Value) if value != 1.0 => {
            sink.defect(line, rule::INFO_VALUE, format!("the value of an info is 1: {text}"));
        }
        // The text format takes observations of any sign.
        (Kind::Summary, Role::Quantile) if value < 0.0 && format == Format::OpenMetrics => {
            sink.defect(line, rule::QUANTILE_VALUE, format!("a quantile is not negative: {text}"));
        }
        (Kind::Summary, Role::Sum) if is_negative && format == Format::OpenMetrics => {
            sink.defect(line, rule::SUMMARY_VALUE, format!("the sum of a summary is neither negative nor NaN: {text}"));
        }
        (_, Role::Count | Role::Bucket) if is_negative => {
            sink.defect(line, rule::HISTOGRAM_VALUE, format!("a count is neither negative nor NaN: {text}"));
        }
        (_, Role::Count | Role::Bucket) if value.fract() != 0.0 => {
            sink.defect(line, rule::COUNT_FRACTION, format!("a count is a whole number: {text}"));
        }
        _ => {}
    }
}
