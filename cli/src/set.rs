//! Families of a page become the library's own data, so that its view can show them.

use std::{collections::BTreeMap, sync::Arc};

use manometer::model::{Dialect, FamilyName, LabelTable, Metadata, MetricFamily, MetricType, Points, Timestamp};
use manometer::{DeclareError, MetricSet};

use crate::page::{Family, Kind, Member, Metric, Role};

/// What the view can show of a page, and the names of the families that it cannot.
#[derive(Debug, Default)]
pub struct Converted {
    pub set: MetricSet,
    pub left_out: Vec<(String, String)>,
}

/// Converts all families.
pub fn convert(families: &[Family]) -> Converted {
    let mut converted = Converted::default();
    for family in families {
        match convert_family(family) {
            Ok(family) => converted.set.families.push(family),
            Err(why) => converted.left_out.push((family.name.clone(), why)),
        }
    }
    converted
}

fn convert_family(family: &Family) -> Result<MetricFamily, String> {
    let kind = match family.kind {
        Kind::Counter => MetricType::Counter,
        Kind::Histogram | Kind::GaugeHistogram => MetricType::Histogram,
        Kind::Summary => MetricType::Summary,
        Kind::Gauge | Kind::Info | Kind::StateSet | Kind::Unknown => MetricType::Gauge,
    };
    let refused = |error: DeclareError| error.to_string();
    // A unit that is no suffix of the name would become part of it.
    let unit =
        Some(family.unit()).filter(|unit| family.name.ends_with(unit)).unwrap_or_else(|| guess_unit(&family.name));
    let name = FamilyName::compose_in(Dialect::Utf8, &family.name, unit, kind).map_err(refused)?;

    let mut metrics = family.metrics();
    let is_state = family.kind == Kind::StateSet;
    if is_state {
        // Each state is a series of its own.
        metrics = metrics.into_iter().flat_map(states).collect();
    }
    let mut keys: Vec<String> = Vec::new();
    for (key, _) in metrics.iter().flat_map(|metric| &metric.labels) {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    // In the order of values, which the table wants; of several points of one label set, the last.
    let mut rows: BTreeMap<Vec<String>, Metric<'_>> = BTreeMap::new();
    for metric in metrics {
        let value =
            |key: &String| metric.labels.iter().find_map(|(known, value)| (known == key).then(|| value.clone()));
        let values = keys.iter().map(|key| value(key).unwrap_or_default()).collect();
        rows.insert(values, metric);
    }
    let metadata = Metadata::new(name, kind).with_help(family.help()).with_labels(&keys).map_err(refused)?;
    let (labels, metrics): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let (metadata, points) = points(kind, metadata, &metrics)?;
    let table = LabelTable::new(&keys, labels).map_err(|error| error.to_string())?;
    MetricFamily::new(Arc::new(metadata), Arc::new(table), points).map_err(|error| error.to_string())
}

/// The units that the view writes in short, by the end of a name that no line gives a unit.
fn guess_unit(name: &str) -> &'static str {
    let stem = name.strip_suffix("_total").unwrap_or(name);
    ["seconds", "bytes"].into_iter().find(|unit| stem.ends_with(&format!("_{unit}"))).unwrap_or_default()
}

fn states<'a>(metric: Metric<'a>) -> Vec<Metric<'a>> {
    let state = |member: &'a Member| Metric { labels: member.sample.labels.clone(), members: vec![member] };
    metric.members.into_iter().map(state).collect()
}

/// The first value of a role in a metric.
fn value(metric: &Metric<'_>, role: Role) -> Option<f64> {
    metric.members.iter().find(|member| member.role == role).map(|member| member.sample.value.value)
}

fn points(kind: MetricType, metadata: Metadata, metrics: &[Metric<'_>]) -> Result<(Metadata, Points), String> {
    let created = created(metrics);
    Ok(match kind {
        MetricType::Counter => {
            let texts = || metrics.iter().map(|metric| metric.members.iter().find(|member| member.role == Role::Total));
            let texts = texts().map(|total| Some(total?.sample.value.text.as_str()));
            let texts: Option<Vec<&str>> = texts.collect();
            let texts = texts.ok_or("a label set has no total")?;
            let whole: Result<Vec<u64>, _> = texts.iter().map(|text| text.parse()).collect();
            let points = match whole {
                Ok(totals) => Points::Counter { totals, created },
                Err(_) => {
                    let totals = texts.iter().map(|text| text.parse().unwrap_or(f64::NAN)).collect();
                    Points::FloatCounter { totals, created }
                }
            };
            (metadata, points)
        }
        MetricType::Histogram => histogram(metadata, metrics, created)?,
        MetricType::Summary => {
            let quantiles = |metric: &Metric<'_>| -> Vec<(f64, f64)> {
                let quantile = |member: &&Member| {
                    Some((member.sample.label("quantile")?.parse().ok()?, member.sample.value.value))
                };
                let members = metric.members.iter().filter(|member| member.role == Role::Quantile);
                members.filter_map(quantile).collect()
            };
            let first: Vec<f64> =
                metrics.first().map(quantiles).unwrap_or_default().iter().map(|pair| pair.0).collect();
            let mut values = Vec::new();
            for metric in metrics {
                let own = quantiles(metric);
                if own.iter().map(|pair| pair.0).ne(first.iter().copied()) {
                    return Err("its label sets have different quantiles".to_owned());
                }
                values.extend(own.iter().map(|pair| pair.1));
            }
            let column = |role| metrics.iter().map(move |metric| value(metric, role));
            let points = Points::Summary {
                counts: column(Role::Count).map(|count| count.unwrap_or_default() as u64).collect(),
                sums: column(Role::Sum).map(Option::unwrap_or_default).collect(),
                quantiles: values,
                created,
            };
            (metadata.with_quantiles(first.into()), points)
        }
        _ => {
            let values = metrics.iter().map(|metric| value(metric, Role::Value).unwrap_or(f64::NAN)).collect();
            (metadata, Points::Gauge { values })
        }
    })
}

fn histogram(
    metadata: Metadata,
    metrics: &[Metric<'_>],
    created: Vec<Timestamp>,
) -> Result<(Metadata, Points), String> {
    let first = metrics.first().map(buckets).unwrap_or_else(|| vec![(f64::INFINITY, 0.0)]);
    let thresholds: Vec<f64> = first.iter().map(|bucket| bucket.0).collect();
    let ascends = thresholds.windows(2).all(|pair| pair[0] < pair[1]);
    if !ascends || thresholds.last() != Some(&f64::INFINITY) {
        return Err("its buckets do not ascend to +Inf".to_owned());
    }
    let mut cumulative = Vec::new();
    for metric in metrics {
        let own = buckets(metric);
        if own.iter().map(|bucket| bucket.0).ne(thresholds.iter().copied()) {
            return Err("its label sets have different buckets".to_owned());
        }
        cumulative.extend(own.iter().map(|bucket| bucket.1 as u64));
    }
    let sums = metrics.iter().map(|metric| value(metric, Role::Sum).unwrap_or(f64::NAN)).collect();
    let finite = thresholds[..thresholds.len() - 1].into();
    Ok((metadata.with_thresholds(finite), Points::Histogram { cumulative, sums, created }))
}

/// Thresholds and cumulative counts of a metric, as far as they can be read.
pub fn buckets(metric: &Metric<'_>) -> Vec<(f64, f64)> {
    let bucket = |member: &&Member| {
        let threshold: f64 = member.sample.label("le")?.parse().ok()?;
        Some((threshold, member.sample.value.value))
    };
    metric.members.iter().filter(|member| member.role == Role::Bucket).filter_map(bucket).collect()
}

/// The creation times, if every label set has a sound one.
fn created(metrics: &[Metric<'_>]) -> Vec<Timestamp> {
    let time = |metric| value(metric, Role::Created).filter(|seconds| (0.0..1e11).contains(seconds));
    let times: Option<Vec<f64>> = metrics.iter().map(time).collect();
    times.unwrap_or_default().into_iter().map(|seconds| Timestamp::from_millis((seconds * 1000.0) as u64)).collect()
}
