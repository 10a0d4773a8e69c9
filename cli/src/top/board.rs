//! What was seen: every family and series with its rates, and how they went over the last looks.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use crate::page::{Family, Kind, Labels, Metric, Role, printable};
use crate::set::buckets;

/// How many numbers are kept for all series together: 16 MiB of them.
const MOST_NUMBERS: usize = 2 << 20;

/// How many looks are kept: ten minutes of one every two seconds.
const MOST_LOOKS: usize = 300;

/// All families at the last look.
#[derive(Debug, Default)]
pub struct Board {
    pub families: Vec<FamilyRow>,
    /// When that was.
    at: Option<Instant>,
}

/// A family.
#[derive(Debug)]
pub struct FamilyRow {
    pub name: String,
    pub kind: Kind,
    pub unit: String,
    pub help: String,
    pub series: Vec<SeriesRow>,
    /// The sum over its series.
    pub now: f64,
    /// What was added in a second between the last two looks; None at the first, and for what does not only grow.
    pub rate: Option<f64>,
    /// The share of its value that came or went between the last two looks.
    pub change: f64,
    /// Rates, or values where there are none, one per look.
    pub track: VecDeque<f64>,
}

/// A series.
#[derive(Debug)]
pub struct SeriesRow {
    pub labels: Labels,
    /// Total, number of observations, or value.
    pub now: f64,
    pub rate: Option<f64>,
    /// Sum of the observations, of a histogram or summary.
    pub sum: Option<f64>,
    /// Thresholds and cumulative counts.
    pub buckets: Vec<(f64, f64)>,
    /// The counts when it was first seen, or since it began anew.
    base: Vec<(f64, f64)>,
    /// What a summary says of itself.
    pub quantiles: Vec<(String, f64)>,
    pub track: VecDeque<f64>,
}

impl Board {
    /// How many series there are.
    pub fn series(&self) -> usize {
        self.families.iter().map(|family| family.series.len()).sum()
    }

    /// The family of this name.
    pub fn family(&self, name: &str) -> Option<&FamilyRow> {
        self.families.iter().find(|family| family.name == name)
    }

    /// Takes what was seen at `at`.
    pub fn update(&mut self, families: &[Family], at: Instant) {
        let elapsed = self.at.map(|before| at.saturating_duration_since(before).as_secs_f64());
        let elapsed = elapsed.filter(|seconds| *seconds > 0.0);
        let mut old: HashMap<String, FamilyRow> =
            self.families.drain(..).map(|family| (family.name.clone(), family)).collect();
        let mut rows: Vec<FamilyRow> = Vec::new();
        for family in families.iter().filter(|family| !family.members.is_empty()) {
            let before = old.remove(&family.name).filter(|row| row.kind == family.kind);
            rows.push(FamilyRow::new(family, before, elapsed));
        }
        let series: usize = rows.iter().map(|row| row.series.len()).sum();
        let most = (MOST_NUMBERS / series.max(1)).clamp(2, MOST_LOOKS);
        for family in &mut rows {
            shorten(&mut family.track, MOST_LOOKS);
            family.series.iter_mut().for_each(|series| shorten(&mut series.track, most));
        }
        (self.families, self.at) = (rows, Some(at));
    }
}

fn shorten(track: &mut VecDeque<f64>, most: usize) {
    while track.len() > most {
        track.pop_front();
    }
}

/// Whether the number of such a family only grows.
fn is_cumulative(kind: Kind) -> bool {
    matches!(kind, Kind::Counter | Kind::Histogram | Kind::Summary)
}

impl FamilyRow {
    fn new(family: &Family, before: Option<Self>, elapsed: Option<f64>) -> Self {
        let (mut old, mut track) = match before {
            Some(row) => (row.series, row.track),
            None => (Vec::new(), VecDeque::new()),
        };
        let mut old: HashMap<Labels, SeriesRow> = old.drain(..).map(|row| (row.labels.clone(), row)).collect();
        let mut series: Vec<SeriesRow> = Vec::new();
        let (mut moved, mut rate) = (0.0, None);
        for (labels, metric) in rows(family) {
            let before = old.remove(&labels);
            let then = before.as_ref().map(|row| row.now);
            let row = SeriesRow::new(labels, &metric, family.kind, before, elapsed);
            // A series that came while we watched brought all that it has.
            moved += then
                .filter(|then| !is_cumulative(family.kind) || *then <= row.now)
                .map_or(row.now, |then| row.now - then)
                .abs();
            rate = row.rate.map_or(rate, |own| Some(rate.unwrap_or(0.0) + own));
            series.push(row);
        }
        moved += old.values().map(|row| row.now.abs()).sum::<f64>();
        let now: f64 = series.iter().map(|row| row.now).sum();
        let whole: f64 = series.iter().map(|row| row.now.abs()).sum::<f64>().max(moved);
        let change = if elapsed.is_some() && whole > 0.0 && moved.is_finite() { moved / whole } else { 0.0 };
        if let Some(number) = if is_cumulative(family.kind) { rate } else { Some(now) } {
            track.push_back(number);
        }
        let (name, kind) = (family.name.clone(), family.kind);
        let (unit, help) = (printable(family.unit()), printable(family.help()));
        Self { name, kind, unit, help, series, now, rate, change, track }
    }

    /// How many values each label has, the most first.
    pub fn cardinality(&self) -> Vec<(&str, usize)> {
        let mut values: HashMap<&str, BTreeSet<&str>> = HashMap::new();
        for (name, value) in self.series.iter().flat_map(|series| &series.labels) {
            values.entry(name).or_default().insert(value);
        }
        let mut counts: Vec<_> = values.into_iter().map(|(name, values)| (name, values.len())).collect();
        counts.sort_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(right.0)));
        counts
    }
}

/// The series of a family: its metrics, or the single states of a stateset.
fn rows(family: &Family) -> Vec<(Labels, Metric<'_>)> {
    let metrics = family.metrics().into_iter();
    if family.kind != Kind::StateSet {
        return metrics.map(|metric| (metric.labels.clone(), metric)).collect();
    }
    let states = metrics.flat_map(|metric| metric.members);
    let row = |member| Metric { labels: Vec::new(), members: vec![member] };
    states.map(|member| (member.sample.labels.clone(), row(member))).collect()
}

impl SeriesRow {
    fn new(labels: Labels, metric: &Metric<'_>, kind: Kind, before: Option<Self>, elapsed: Option<f64>) -> Self {
        let value =
            |role| metric.members.iter().find(|member| member.role == role).map(|member| member.sample.value.value);
        let buckets = buckets(metric);
        let now = match kind {
            Kind::Counter => value(Role::Total),
            Kind::Histogram | Kind::GaugeHistogram => {
                buckets.last().map(|bucket| bucket.1).or_else(|| value(Role::Count))
            }
            Kind::Summary => value(Role::Count),
            Kind::Gauge | Kind::Unknown | Kind::Info | Kind::StateSet => value(Role::Value),
        };
        let now = now.unwrap_or(f64::NAN);
        let quantiles = metric.members.iter().filter(|member| member.role == Role::Quantile);
        let quantiles = quantiles
            .filter_map(|member| Some((printable(member.sample.label("quantile")?), member.sample.value.value)));
        let quantiles = quantiles.collect();
        let growth = before.as_ref().map(|before| if now >= before.now { now - before.now } else { now });
        let rate = match (elapsed, growth) {
            (Some(seconds), Some(growth)) if is_cumulative(kind) => Some(growth / seconds),
            (Some(seconds), None) if is_cumulative(kind) => Some(now / seconds),
            _ => None,
        };
        let (mut track, base) = match before {
            Some(row) if now >= row.now && row.base.len() == buckets.len() => (row.track, row.base),
            Some(row) => (row.track, buckets.iter().map(|bucket| (bucket.0, 0.0)).collect()),
            None => (VecDeque::new(), buckets.clone()),
        };
        if let Some(number) = if is_cumulative(kind) { rate } else { Some(now) } {
            track.push_back(number);
        }
        Self { labels, now, rate, sum: value(Role::Sum), buckets, base, quantiles, track }
    }

    /// Thresholds and cumulative counts of what came since it was first seen.
    pub fn watched(&self) -> Vec<(f64, f64)> {
        let pairs = self.buckets.iter().zip(&self.base);
        pairs.map(|(now, then)| (now.0, (now.1 - then.1).max(0.0))).collect()
    }

    /// Its labels on one line.
    pub fn shown(&self) -> String {
        let pairs = self.labels.iter().map(|(name, value)| format!("{}={}", printable(name), printable(value)));
        pairs.collect::<Vec<_>>().join(" ")
    }
}
