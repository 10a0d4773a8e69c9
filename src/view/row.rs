//! One series as a person reads it: its labels, and its value in the unit of its family.

use super::{
    quantity::{binary, decimal},
    rate::{Change, growth},
};
use crate::model::{HistogramPoint, Metric, MetricPoint, Number, StateSetPoint, SummaryPoint, Timestamp};

/// What a summary or histogram without observations says.
const NOTHING_OBSERVED: &str = "no obs.";

/// The labels of a series, `k=v k=v`, on one line whatever is in them.
pub fn labels(metric: &Metric<'_>) -> String {
    let mut text = String::new();
    for (key, value) in metric.labels() {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(key);
        text.push('=');
        put_plain(value, &mut text);
    }
    text
}

/// How values are shown.
#[derive(Clone, Copy, Debug)]
pub struct Style<'a> {
    /// The unit of the family; empty if it has none.
    pub unit: &'a str,
    /// The present, by the clock that creation times are of.
    pub now: Timestamp,
    /// Whether bytes have decimal prefixes.
    pub compat: bool,
}

impl Style<'_> {
    /// The value of a series (VIW-03 to VIW-05).
    pub fn value(&self, point: &MetricPoint) -> String {
        match point {
            MetricPoint::Counter(point) => match point.created {
                Some(created) => {
                    let age = self.now.millis().saturating_sub(created.millis()) as f64 / 1000.0;
                    let rate = if age > 0.0 { point.total.as_f64() / age } else { 0.0 };
                    format!("{} [avg]", self.rate(rate))
                }
                // Nobody knows since when, so this is what there is to tell.
                None => self.total(point.total),
            },
            MetricPoint::Gauge(value) | MetricPoint::Unknown(value) => self.amount(value.as_f64()),
            MetricPoint::Info => "1".to_owned(),
            MetricPoint::StateSet(point) => states(point),
            MetricPoint::Histogram(point) => self.average(point.count(), point.sum),
            MetricPoint::GaugeHistogram(point) => self.average(point.count(), point.sum),
            MetricPoint::Summary(point) => {
                let mut text = self.average(point.count, point.sum);
                if point.count > 0 {
                    for (quantile, value) in &point.quantiles {
                        text.push_str(&format!(", {} [q {}]", self.observed(*value), Number::Float(*quantile)));
                    }
                }
                text
            }
        }
    }

    /// What the details add: the value as it is, and what happened in an interval (VIW-08).
    pub fn details(&self, metric: &Metric<'_>, change: Option<&Change<'_>>) -> String {
        let current = match metric.point() {
            MetricPoint::Counter(point) => point.total.to_string(),
            MetricPoint::Gauge(value) | MetricPoint::Unknown(value) => value.to_string(),
            // What the value says is all there is to say.
            MetricPoint::Info | MetricPoint::StateSet(_) => return String::new(),
            MetricPoint::GaugeHistogram(point) => events(point.count() as f64),
            MetricPoint::Histogram(point) => events(point.count() as f64),
            MetricPoint::Summary(point) => events(point.count as f64),
        };
        let mut text = format!(", {current} [now]");
        if let Some(change) = change.filter(|change| change.seconds > 0.0) {
            let seconds = change.seconds;
            if let Some(change) = change.ends(metric).and_then(|(from, to)| self.change(from, to, seconds)) {
                text.push_str(&format!(", {change} [last {}]", decimal(seconds, "s")));
            }
        }
        text
    }

    /// What happened between two points of one series; None if they are not of one type.
    fn change(&self, earlier: Option<MetricPoint>, later: MetricPoint, seconds: f64) -> Option<String> {
        let observed = |before: Option<(u64, f64, _)>, (count, sum, created)| {
            let counts = before.map(|(count, _, created)| (Number::Unsigned(count), created));
            let count_growth = growth(counts, (Number::Unsigned(count), created));
            // The sum of a histogram may shrink, so its count decides whether both began anew.
            let base =
                before.filter(|(before, _, made)| *made == created && *before <= count).map_or(0.0, |(_, sum, _)| sum);
            let rate = decimal(count_growth / seconds, "events/s");
            if count_growth == 0.0 { rate } else { format!("{rate} of {}", self.observed((sum - base) / count_growth)) }
        };
        let histogram = |point: HistogramPoint| (point.count(), point.sum, point.created);
        let summary = |point: SummaryPoint| (point.count, point.sum, point.created);
        Some(match (earlier, later) {
            (None, MetricPoint::Counter(to)) => self.rate(growth(None, (to.total, to.created)) / seconds),
            (Some(MetricPoint::Counter(from)), MetricPoint::Counter(to)) => {
                self.rate(growth(Some((from.total, from.created)), (to.total, to.created)) / seconds)
            }
            (Some(MetricPoint::Gauge(from)), MetricPoint::Gauge(to))
            | (Some(MetricPoint::Unknown(from)), MetricPoint::Unknown(to)) => {
                decimal((to.as_f64() - from.as_f64()) / seconds, &format!("{}/s", symbol(self.unit)))
            }
            (None, MetricPoint::Histogram(to)) => observed(None, histogram(to)),
            (Some(MetricPoint::Histogram(from)), MetricPoint::Histogram(to)) => {
                observed(Some(histogram(from)), histogram(to))
            }
            (None, MetricPoint::Summary(to)) => observed(None, summary(to)),
            (Some(MetricPoint::Summary(from)), MetricPoint::Summary(to)) => observed(Some(summary(from)), summary(to)),
            _ => return None,
        })
    }

    /// An increase per second.
    fn rate(&self, per_second: f64) -> String {
        match self.unit {
            "" => decimal(per_second, "events/s"),
            // So many seconds per second are a share of one.
            "seconds" => decimal(per_second * 100.0, "%"),
            unit => decimal(per_second, &format!("{}/s", symbol(unit))),
        }
    }

    fn total(&self, total: Number) -> String {
        match self.unit {
            "" => events(total.as_f64()),
            unit => decimal(total.as_f64(), symbol(unit)),
        }
    }

    fn amount(&self, value: f64) -> String {
        match self.unit {
            "bytes" if !self.compat => binary(value, "B"),
            unit => decimal(value, symbol(unit)),
        }
    }

    fn average(&self, count: u64, sum: f64) -> String {
        match count {
            0 => NOTHING_OBSERVED.to_owned(),
            _ => format!("{} [avg]", self.observed(sum / count as f64)),
        }
    }

    /// What one event came to.
    fn observed(&self, value: f64) -> String {
        decimal(value, &format!("{}/event", symbol(self.unit)))
    }
}

fn events(count: f64) -> String {
    decimal(count, "events")
}

/// The states that are on.
fn states(point: &StateSetPoint) -> String {
    let mut text = String::new();
    for state in point.active() {
        if !text.is_empty() {
            text.push_str(", ");
        }
        put_plain(state, &mut text);
    }
    if text.is_empty() { "no state".to_owned() } else { text }
}

/// Appends foreign text as one line.
fn put_plain(foreign: &str, text: &mut String) {
    for letter in foreign.chars() {
        // Neither a second line nor a command to the operator's terminal.
        match letter.is_control() {
            true => text.extend(letter.escape_default()),
            false => text.push(letter),
        }
    }
}

/// The short form of a unit.
fn symbol(unit: &str) -> &str {
    match unit {
        "seconds" => "s",
        "bytes" => "B",
        unit => unit,
    }
}
