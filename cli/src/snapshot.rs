//! `snapshot`: a page as JSON, for tools that read neither format.
//!
//! ```text
//! { "source": "http://…", "format": "OpenMetrics 1.0", "families": [
//!     { "name": "latency_seconds", "type": "histogram", "unit": "seconds", "help": "…", "metrics": [
//!         { "labels": { "method": "GET" }, "timestamp": null, "created": 1700000000.5,
//!           "value": …                                       gauge, unknown, info, stateset
//!           "total": …                                       counter
//!           "count": 7, "sum": 3.25, "buckets": [ { "le": "0.1", "count": 4 }, … ]
//!           "count": 7, "sum": 3.25, "quantiles": [ { "quantile": "0.5", "value": 0.2 }, … ]
//! } ] } ] }
//! ```
//!
//! Numbers are as the page has them, to the last digit; those that JSON lacks are the strings `"NaN"`, `"+Inf"` and `"-Inf"`. A field
//! that a metric does not have is left out. Each state of a stateset is a metric, with the state in its labels. Timestamps are in
//! seconds, whatever the format.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Number, Value};

use crate::page::{Family, Figure, Format, Kind, Member, Role};
use crate::source::Source;

#[derive(Serialize)]
struct Snapshot<'a> {
    source: &'a str,
    format: &'static str,
    families: Vec<FamilyShape<'a>>,
}

#[derive(Serialize)]
struct FamilyShape<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: Kind,
    unit: &'a str,
    help: &'a str,
    metrics: Vec<MetricShape<'a>>,
}

#[derive(Serialize, Default)]
struct MetricShape<'a> {
    labels: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    buckets: Vec<BTreeMap<&'static str, Value>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quantiles: Vec<BTreeMap<&'static str, Value>>,
}

/// Writes the JSON of a page.
pub fn write(source: &Source, name: &str, out: &mut impl Write) -> io::Result<()> {
    let families = source.families.iter().map(|family| FamilyShape {
        name: &family.name,
        kind: family.kind,
        unit: family.unit(),
        help: family.help(),
        metrics: metrics(family, source.format),
    });
    let snapshot = Snapshot { source: name, format: source.format.name(), families: families.collect() };
    serde_json::to_writer_pretty(&mut *out, &snapshot)?;
    writeln!(out)
}

fn metrics(family: &Family, format: Format) -> Vec<MetricShape<'_>> {
    let mut shapes = Vec::new();
    for metric in family.metrics() {
        if family.kind == Kind::StateSet {
            shapes.extend(metric.members.iter().map(|state| shape(family, &[state], format)));
        } else {
            shapes.push(shape(family, &metric.members, format));
        }
    }
    shapes
}

fn shape<'a>(family: &'a Family, members: &[&'a Member], format: Format) -> MetricShape<'a> {
    let mut shape = MetricShape::default();
    for member in members {
        let sample = &member.sample;
        let own = family.own_label(member.role).filter(|_| family.kind != Kind::StateSet);
        let labels = sample.labels.iter().filter(|(name, _)| Some(name.as_str()) != own);
        shape.labels.extend(labels.map(|(name, value)| (name.as_str(), value.as_str())));
        shape.timestamp = sample.timestamp.as_ref().map(|time| match format {
            Format::OpenMetrics => number(time),
            Format::Text => Value::from(time.value / 1000.0),
        });
        let value = number(&sample.value);
        let entry = |name: &'static str, what: &'static str| {
            let key = Value::from(sample.label(name).unwrap_or_default());
            BTreeMap::from([(name, key), (what, number(&sample.value))])
        };
        match member.role {
            Role::Value => shape.value = Some(value),
            Role::Total => shape.total = Some(value),
            Role::Created => shape.created = Some(value),
            Role::Sum => shape.sum = Some(value),
            Role::Count => shape.count = Some(value),
            Role::Bucket => shape.buckets.push(entry("le", "count")),
            Role::Quantile => shape.quantiles.push(entry("quantile", "value")),
            Role::Stray => {}
        }
    }
    shape
}

/// A number that JSON has, or the word for it.
fn number(figure: &Figure) -> Value {
    let whole = figure.text.parse::<u64>().map(Number::from).or_else(|_| figure.text.parse::<i64>().map(Number::from));
    if let Ok(whole) = whole {
        return Value::Number(whole);
    }
    match Number::from_f64(figure.value) {
        Some(number) => Value::Number(number),
        None if figure.value.is_nan() => Value::from("NaN"),
        None => Value::from(if figure.value > 0.0 { "+Inf" } else { "-Inf" }),
    }
}
