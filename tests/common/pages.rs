//! Sets made by hand, and their pages compared as whole texts with those in `tests/data`.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::sync::Arc;

use manometer::encode::{Format, encode};
use manometer::model::{FamilyName, LabelTable, Metadata, MetricFamily, MetricSet, MetricType, Points, Timestamp};

/// The creation time in every expected page.
pub(crate) const CREATED: Timestamp = Timestamp::from_millis(1_795_239_171_804);

/// A family's metadata, without a unit.
pub(crate) fn metadata(kind: MetricType, name: &str) -> Metadata {
    with_unit(kind, name, "")
}

/// A family's metadata.
pub(crate) fn with_unit(kind: MetricType, name: &str, unit: &str) -> Metadata {
    Metadata::new(FamilyName::compose(name, unit, kind).expect("a valid name"), kind)
}

/// A family with one metric, which has no labels.
pub(crate) fn single(metadata: Metadata, points: Points) -> MetricFamily {
    MetricFamily::new(Arc::new(metadata), Arc::new(LabelTable::unlabelled()), points).expect("columns of one entry")
}

/// A family with these label sets.
pub(crate) fn labelled<const KEYS: usize>(
    metadata: Metadata,
    keys: [&str; KEYS],
    rows: &[[&str; KEYS]],
    points: Points,
) -> MetricFamily {
    let metadata = metadata.with_labels(&keys).expect("valid keys");
    let labels = LabelTable::new(&keys, rows.iter().copied()).expect("rows in order");
    MetricFamily::new(Arc::new(metadata), Arc::new(labels), points).expect("columns of the rows' length")
}

/// Integer totals without creation times.
pub(crate) fn totals<const ROWS: usize>(totals: [u64; ROWS]) -> Points {
    Points::Counter { totals: totals.into(), created: vec![] }
}

/// Gauge values.
pub(crate) fn values<const ROWS: usize>(values: [f64; ROWS]) -> Points {
    Points::Gauge { values: values.into() }
}

/// One histogram created at [`CREATED`].
pub(crate) fn buckets<const BUCKETS: usize>(cumulative: [u64; BUCKETS], sum: f64) -> Points {
    Points::Histogram { cumulative: cumulative.into(), sums: vec![sum], created: vec![CREATED] }
}

/// One summary without creation time.
pub(crate) fn quantiles<const QUANTILES: usize>(count: u64, sum: f64, quantiles: [f64; QUANTILES]) -> Points {
    Points::Summary { counts: vec![count], sums: vec![sum], quantiles: quantiles.into(), created: vec![] }
}

/// The whole page of these families, and how many metrics it leaves out.
pub(crate) fn page(format: Format, families: Vec<MetricFamily>) -> (String, usize) {
    let mut page = Vec::new();
    let skipped = encode(&MetricSet { families }, format, &mut page);
    (String::from_utf8(page).expect("a page is UTF-8"), skipped)
}

/// Compares the page of these families with `tests/data/<format>/<case>.txt`, and fails with what differs.
pub(crate) fn expect_page(case: &str, format: Format, families: Vec<MetricFamily>) {
    let folder = match format {
        Format::OpenMetrics => "openmetrics",
        Format::Text => "text",
        Format::Prosody => "prosody",
        #[cfg(feature = "openmetrics2")]
        Format::OpenMetrics2 => "openmetrics2",
        other => panic!("no folder has pages of {other:?}"),
    };
    let path = format!("{}/tests/data/{folder}/{case}.txt", env!("CARGO_MANIFEST_DIR"));
    let expected = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (found, _) = page(format, families);
    assert!(found == expected, "the page differs from {path}:\n{}", difference(&expected, &found));
}

/// The lines between the common start and the common end of two texts, `-` for the first and `+` for the second.
fn difference(expected: &str, found: &str) -> String {
    let (expected, found): (Vec<_>, Vec<_>) = (lines(expected), lines(found));
    let start = expected.iter().zip(&found).take_while(|(left, right)| left == right).count();
    let (expected, found) = (&expected[start..], &found[start..]);
    let end = expected.iter().rev().zip(found.iter().rev()).take_while(|(left, right)| left == right).count();
    let missing = expected[..expected.len() - end].iter().map(|line| format!("-{line:?}\n"));
    let surplus = found[..found.len() - end].iter().map(|line| format!("+{line:?}\n"));
    format!("after line {start}\n{}", missing.chain(surplus).collect::<String>())
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}
