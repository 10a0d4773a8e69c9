//! The datagrams that Prosody 0.12.3 sent, sent again: what each says was done is done here, and what comes is compared.
//!
//! `tests/data/statsd/datagrams.txt` has one payload a line. Left out are those that section 19 of docs/behaviour.md calls defects:
//! values that are no number, a negative counter, a line feed and a colon in a name. Prosody writes 14 digits, so numbers are the
//! same if they agree so far; its buckets come in any order.
#![cfg(feature = "statsd")]

mod statsd;

use std::{collections::BTreeMap, fs, path::Path};

use manometer::{Counter, FloatCounter, Gauge, Histogram, RegistryOptions, Summary, backend::Provider};
use statsd::Server;

/// A line of the capture.
#[derive(Clone, Debug)]
struct Line {
    name: String,
    value: f64,
    kind: String,
}

impl Line {
    /// None for a defect.
    fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.strip_prefix("prosody.")?.split_once(':')?;
        let (value, kind) = rest.split_once('|')?;
        let value: f64 = value.parse().ok()?;
        let sound =
            value.is_finite() && (kind == "g" || value >= 0.0) && !name.contains('\\') && !name.starts_with("has");
        let line = Self { name: name.to_owned(), value, kind: kind.to_owned() };
        (sound && matches!(kind, "g" | "c")).then_some(line)
    }

    /// The same to 14 digits. A counter's `_total` belongs to its page alone.
    fn agrees(&self, other: &Self) -> bool {
        let name = |line: &Self| line.name.strip_suffix("_total").unwrap_or(&line.name).to_owned();
        let near = (self.value - other.value).abs() <= 1e-12 * self.value.abs().max(1e-12);
        name(self) == name(other) && self.kind == other.kind && near
    }
}

/// Lines that one operation sent.
fn operations(lines: &[Line]) -> Vec<Vec<Line>> {
    let mut operations: Vec<Vec<Line>> = Vec::new();
    let mut open = Vec::new();
    for line in lines {
        let many = line.name.contains(".bucket.") || line.name.ends_with(".sum") || line.name.ends_with(".count");
        open.push(line.clone());
        if !many || line.name.ends_with(".count") {
            operations.push(std::mem::take(&mut open));
        }
    }
    assert!(open.is_empty(), "the last operation has its count");
    operations
}

#[derive(Default)]
struct Made {
    counters: BTreeMap<String, Counter>,
    floats: BTreeMap<String, FloatCounter>,
    gauges: BTreeMap<String, Gauge>,
    histograms: BTreeMap<String, Histogram>,
    summaries: BTreeMap<String, Summary>,
}

#[test]
fn std_07_std_08_std_10_prosodys_datagrams_are_sent_again() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/statsd/datagrams.txt");
    let text = fs::read_to_string(path).expect("readable");
    let captured: Vec<&str> = text.lines().collect();
    assert_eq!(captured.len(), 173);
    let lines: Vec<Line> = captured.iter().filter_map(|text| Line::parse(text)).collect();
    // Two lines of a sample that is not a number go; so does what else has a defect.
    let lines: Vec<Line> = lines.into_iter().filter(|line| !line.name.contains("latency_seconds.nan")).collect();
    assert!(lines.len() > 160, "only {} lines are sound", lines.len());

    let mut thresholds: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (base, bucket) in lines.iter().filter_map(|line| line.name.split_once(".bucket.")) {
        if let Ok(threshold) = bucket.replace('_', ".").parse::<f64>() {
            thresholds.entry(base.to_owned()).or_default().push(threshold);
        }
    }
    let server = Server::start();
    let statsd = server.options().prefix("prosody").batch(false).start(RegistryOptions::new()).unwrap();
    let registry = statsd.registry();
    let raw = |name: &str| name.replace('.', "/");
    let whole = |name: &str| lines.iter().filter(|line| line.name == name).all(|line| line.value.fract() == 0.0);
    let mut made = Made::default();
    for operation in operations(&lines) {
        let Line { name, value, kind } = &operation[0];
        let last = &operation[operation.len() - 1].name;
        if let Some(base) = last.strip_suffix(".count") {
            let sum = operation.iter().find(|line| line.name.ends_with(".sum")).expect("a sum comes with a count");
            if sum.kind == "c" {
                let make = || registry.summary(&raw(base)).single().unwrap();
                made.summaries.entry(base.to_owned()).or_insert_with(make).observe(sum.value);
            } else {
                let mut buckets = thresholds.get(base).cloned().unwrap_or_default();
                buckets.sort_by(f64::total_cmp);
                buckets.dedup();
                let make = || registry.histogram(&raw(base)).buckets(buckets).single().unwrap();
                let histogram = made.histograms.entry(base.to_owned()).or_insert_with(make);
                // What 14 digits lost must not lift a sample over its bucket.
                histogram.observe((sum.value - histogram.sum()) * (1.0 - 1e-13));
            }
        } else if kind == "g" {
            let make = || registry.gauge(&raw(name)).single().unwrap();
            made.gauges.entry(name.clone()).or_insert_with(make).set(*value);
        } else if whole(name) {
            let declaration = registry.counter(&raw(name));
            let declaration = if *value == 0.0 { declaration.announced() } else { declaration };
            made.counters.entry(name.clone()).or_insert_with(|| declaration.single().unwrap()).add(*value as u64);
        } else {
            let make = || registry.float_counter(&raw(name)).single().unwrap();
            made.floats.entry(name.clone()).or_insert_with(make).add(*value);
        }
        statsd.flush().unwrap();
        let datagrams = server.datagrams();
        let mut sent: Vec<Line> = Vec::new();
        for datagram in &datagrams {
            let set = datagram.split('\n').next_back().expect("split gives one");
            let line = Line::parse(set).unwrap_or_else(|| panic!("{datagram:?} is no line"));
            assert!(set.len() == datagram.len() || line.value < 0.0, "{datagram:?} is more than one line");
            sent.push(line);
        }
        assert_eq!(sent.len(), operation.len(), "{sent:?} for {operation:?}");
        for line in &operation {
            assert!(sent.iter().any(|sent| sent.agrees(line)), "no {line:?} in {datagrams:?}");
        }
    }
}
