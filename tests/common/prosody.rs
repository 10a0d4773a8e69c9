//! The page of a Prosody server in `tests/data/prosody`: read, declared and recorded anew, and put in the order that is ours.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::{collections::BTreeMap, fs};

use manometer::{DeclareError, Histogram, Manager, Scope};

/// One family as the page has it.
#[derive(Debug)]
pub struct Family {
    name: String,
    help: String,
    unit: String,
    kind: String,
    samples: Vec<Sample>,
}

/// One line that is a sample.
#[derive(Clone, Debug)]
struct Sample {
    line: String,
    suffix: String,
    /// Without `le`.
    labels: Vec<(String, String)>,
    le: Option<f64>,
    value: f64,
}

/// The file of this name in `tests/data`.
pub fn data(name: &str) -> String {
    let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The families of the page, in its order.
pub fn families() -> Vec<Family> {
    let page = data("prosody/metrics-page.txt");
    let mut families: Vec<Family> = Vec::new();
    for line in page.lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words[..] {
            ["#", "EOF"] => {}
            ["#", "HELP", name, help] => {
                let (name, help) = (name.to_owned(), help.to_owned());
                families.push(Family { name, help, unit: String::new(), kind: String::new(), samples: Vec::new() });
            }
            ["#", "UNIT", _, unit] => last(&mut families).unit = unit.to_owned(),
            ["#", "TYPE", _, kind] => last(&mut families).kind = kind.to_owned(),
            _ => {
                let family = last(&mut families);
                let sample = Sample::read(line, &family.name);
                family.samples.push(sample);
            }
        }
    }
    assert_eq!(families.len(), 40, "the page was not read whole");
    families
}

fn last(families: &mut [Family]) -> &mut Family {
    families.last_mut().expect("help comes first")
}

impl Sample {
    fn read(line: &str, family: &str) -> Self {
        let (name, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = name.split_once('{').unwrap_or((name, "}"));
        let labels = labels.strip_suffix('}').expect("a closed brace").split(',').filter(|label| !label.is_empty());
        let mut labels: Vec<(String, String)> = labels
            .map(|label| {
                let (key, value) = label.split_once('=').expect("a label");
                (key.to_owned(), value.trim_matches('"').to_owned())
            })
            .collect();
        let has_le = labels.last().is_some_and(|(key, _)| key == "le");
        let le = has_le.then(|| labels.pop().expect("there is a last").1.parse().expect("a threshold"));
        let suffix = name.strip_prefix(family).expect("samples of the family").to_owned();
        Self { line: line.to_owned(), suffix, labels, le, value: value.parse().expect("a number") }
    }

    /// Where it stands among the samples of its series.
    fn rank(&self, kind: &str) -> usize {
        let order: &[&str] = match kind {
            "counter" => &["_created", "_total"],
            "gauge" => &[""],
            _ => &["_bucket", "_sum", "_count", "_created"],
        };
        order.iter().position(|suffix| **suffix == *self.suffix).expect("a sample of this type")
    }
}

impl Family {
    /// The samples by the labels of their series.
    fn series(&self) -> BTreeMap<Vec<&str>, Vec<&Sample>> {
        let mut series: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for sample in &self.samples {
            let values = sample.labels.iter().map(|(_, value)| value.as_str()).collect();
            series.entry(values).or_default().push(sample);
        }
        series
    }

    /// Declares the family as the module did that it is of, once for each host, and records what it shows.
    fn declare(&self, manager: &Manager) -> Result<(), DeclareError> {
        let Some((module, name)) = self.name.strip_prefix("prosody_mod_").and_then(|name| name.split_once("__")) else {
            return self.fill_own(manager);
        };
        let name = name.strip_suffix(&format!("_{}", self.unit)).unwrap_or(name);
        // What nobody has described was declared as a measure.
        let measured = self.help.strip_prefix(&format!("mod_{module}/{name} "));
        if self.samples.is_empty() {
            return self.declare_empty(&manager.scope(module).open()?, name);
        }
        for (values, samples) in self.series() {
            let keys: Vec<&str> = samples[0].labels.iter().map(|(key, _)| key.as_str()).collect();
            let scope = match keys.first() {
                Some(preset) => manager.scope(module).preset(preset, values[0]).open()?,
                None => manager.scope(module).open()?,
            };
            let (keys, values) = (keys.get(1..).unwrap_or(&[]), values.get(1..).unwrap_or(&[]));
            let value = samples.iter().find(|sample| ["", "_total", "_count"].contains(&&*sample.suffix));
            let value = value.expect("a series has one").value;
            let bounds = samples.iter().filter_map(|sample| sample.le.filter(|le| le.is_finite()));
            match (measured, &*self.kind) {
                (Some("counter"), "counter") => {
                    assert_eq!(value, scope.measure(name).rate().declare()?.instrument().value() as f64)
                }
                (Some("amount"), "gauge") => {
                    let amount = scope.measure(name).amount();
                    let amount = if self.unit.is_empty() { amount } else { amount.unit(&self.unit) };
                    amount.declare()?.set(value);
                }
                (Some("times"), "histogram") => drop(scope.measure(name).times().buckets(bounds).declare()?),
                (Some("sizes"), "histogram") => drop(scope.measure(name).sizes().buckets(bounds).declare()?),
                (None, "counter") => {
                    let family =
                        scope.counter(name).unit(&self.unit).help(&self.help).labels(keys.to_vec()).declare()?;
                    family.with_labels(values).expect("a value for each key").add(value as u64);
                }
                (None, "gauge") => {
                    let family = scope.gauge(name).unit(&self.unit).help(&self.help).labels(keys.to_vec()).declare()?;
                    family.with_labels(values).expect("a value for each key").set(value);
                }
                (None, "histogram") => {
                    let family = scope.histogram(name).unit(&self.unit).help(&self.help).buckets(bounds);
                    family.single()?;
                    assert_eq!(value, 0.0, "no module of the page has observed anything");
                }
                other => panic!("{}: {other:?}", self.name),
            }
        }
        Ok(())
    }

    /// A family whose series nobody has looked up yet. Its keys are not on the page.
    fn declare_empty(&self, scope: &Scope, name: &str) -> Result<(), DeclareError> {
        match &*self.kind {
            "counter" => scope.counter(name).unit(&self.unit).help(&self.help).labels(["any"]).declare().map(drop),
            "gauge" => scope.gauge(name).unit(&self.unit).help(&self.help).labels(["any"]).declare().map(drop),
            kind => panic!("{}: an empty {kind}", self.name),
        }
    }

    /// What a manager declares by itself: it gets the observations of the page.
    fn fill_own(&self, manager: &Manager) -> Result<(), DeclareError> {
        let raw = self.name.replacen("stats_", "stats.", 1);
        let family = manager.registry().expect("enabled").get::<Histogram>(&raw).expect("a manager's own");
        let own = family.with_labels(()).expect("no keys");
        let of = |suffix: &str| self.samples.iter().find(|sample| sample.suffix == suffix).expect("it is there").value;
        // One observation has the whole sum, the others are 0; all fall into the lowest bucket, as on the page.
        own.observe(of("_sum"));
        (1..of("_count") as u64).for_each(|_| own.observe(0.0));
        Ok(())
    }

    fn lines(&self) -> Vec<String> {
        let Self { name, help, unit, kind, .. } = self;
        let mut lines =
            vec![format!("# HELP {name} {help}"), format!("# UNIT {name} {unit}"), format!("# TYPE {name} {kind}")];
        for (_, mut samples) in self.series() {
            samples.sort_by_key(|sample| sample.rank(kind));
            lines.extend(samples.iter().map(|sample| sample.line.clone()));
        }
        lines
    }
}

/// Declares and records in `manager` what the page shows.
pub fn declare_all(manager: &Manager) {
    for family in families() {
        family.declare(manager).unwrap_or_else(|error| panic!("{}: {error}", family.name));
    }
}

/// The page of the file with its families and samples in the order that is ours.
pub fn expected_page() -> String {
    let mut families = families();
    families.sort_by(|a, b| a.name.cmp(&b.name));
    let lines = families.iter().flat_map(Family::lines).chain(["# EOF".to_owned()]);
    lines.map(|line| line + "\n").collect()
}

/// The same page without creation times.
pub fn without_times(page: &str) -> String {
    let is_time = |line: &str| line.split(['{', ' ']).next().is_some_and(|name| name.ends_with("_created"));
    page.split_inclusive('\n')
        .map(|line| match is_time(line) {
            true => format!("{} <time>\n", line.rsplit_once(' ').expect("a value").0),
            false => line.to_owned(),
        })
        .collect()
}
