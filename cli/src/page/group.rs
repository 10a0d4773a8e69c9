//! Items become families: which sample belongs to which name, and what the metadata says of it.

use std::collections::HashMap;

use serde::Serialize;

use super::{Format, Item, Keyword, Labels, Sample, Sink};
use crate::rule;

/// The type of a family, of either format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
    GaugeHistogram,
    StateSet,
    Info,
    Summary,
    Unknown,
}

impl Kind {
    /// Reads a word of either format; the second is whether it is one of `format`.
    fn read(word: &str, format: Format) -> Option<(Self, bool)> {
        let (kind, everywhere) = match word {
            "counter" => (Self::Counter, true),
            "gauge" => (Self::Gauge, true),
            "histogram" => (Self::Histogram, true),
            "summary" => (Self::Summary, true),
            "untyped" => return Some((Self::Unknown, format == Format::Text)),
            "unknown" => (Self::Unknown, false),
            "gaugehistogram" => (Self::GaugeHistogram, false),
            "stateset" => (Self::StateSet, false),
            "info" => (Self::Info, false),
            _ => return None,
        };
        Some((kind, everywhere || format == Format::OpenMetrics))
    }

    /// The word of OpenMetrics for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::StateSet => "stateset",
            Self::Info => "info",
            Self::Summary => "summary",
            Self::Unknown => "unknown",
        }
    }

    /// What the samples of such a family are called, and what each is.
    pub fn roles(self, format: Format) -> &'static [(&'static str, Role)] {
        match (self, format) {
            (Self::Counter, Format::OpenMetrics) => &[("_total", Role::Total), ("_created", Role::Created)],
            (Self::Counter, Format::Text) => &[("", Role::Total)],
            (Self::Gauge | Self::Unknown | Self::StateSet, _) => &[("", Role::Value)],
            (Self::Info, Format::OpenMetrics) => &[("_info", Role::Value)],
            (Self::Info, Format::Text) => &[("", Role::Value)],
            (Self::Histogram, Format::OpenMetrics) => {
                &[("_bucket", Role::Bucket), ("_sum", Role::Sum), ("_count", Role::Count), ("_created", Role::Created)]
            }
            (Self::Histogram, Format::Text) => {
                &[("_bucket", Role::Bucket), ("_sum", Role::Sum), ("_count", Role::Count)]
            }
            (Self::GaugeHistogram, _) => &[("_bucket", Role::Bucket), ("_gsum", Role::Sum), ("_gcount", Role::Count)],
            (Self::Summary, Format::OpenMetrics) => {
                &[("", Role::Quantile), ("_sum", Role::Sum), ("_count", Role::Count), ("_created", Role::Created)]
            }
            (Self::Summary, Format::Text) => &[("", Role::Quantile), ("_sum", Role::Sum), ("_count", Role::Count)],
        }
    }
}

/// What a sample is in its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Value,
    Total,
    Created,
    Bucket,
    Sum,
    Count,
    Quantile,
    /// A sample that its family cannot have.
    Stray,
}

/// A sample in its family.
#[derive(Clone, Debug)]
pub struct Member {
    pub role: Role,
    pub sample: Sample,
}

/// The text of a metadata line.
#[derive(Clone, Debug)]
pub struct Slot {
    pub line: usize,
    pub text: String,
}

/// All lines of one name.
#[derive(Clone, Debug)]
pub struct Family {
    /// Its name; that of the sample for a counter of the text format.
    pub name: String,
    /// The line where it begins.
    pub line: usize,
    pub kind: Kind,
    /// Where its type is, if it has one.
    pub typed: Option<usize>,
    pub unit: Option<Slot>,
    pub help: Option<Slot>,
    pub members: Vec<Member>,
    /// Whether the page came back to it, and that was told.
    split: bool,
    /// How far its metadata has come, in the order of the standard.
    rank: usize,
}

/// The samples of one label set.
#[derive(Debug)]
pub struct Metric<'a> {
    /// Its labels, without those that tell its samples apart.
    pub labels: Labels,
    pub members: Vec<&'a Member>,
}

impl Family {
    fn new(name: &str, line: usize) -> Self {
        let name = name.to_owned();
        Self {
            name,
            line,
            kind: Kind::Unknown,
            typed: None,
            unit: None,
            help: None,
            members: Vec::new(),
            split: false,
            rank: 0,
        }
    }

    /// The unit, if a line says so.
    pub fn unit(&self) -> &str {
        self.unit.as_ref().map_or("", |slot| &slot.text)
    }

    /// The help, if there is one.
    pub fn help(&self) -> &str {
        self.help.as_ref().map_or("", |slot| &slot.text)
    }

    /// The label that tells samples of one metric apart.
    pub fn own_label(&self, role: Role) -> Option<&str> {
        match role {
            Role::Bucket => Some("le"),
            Role::Quantile => Some("quantile"),
            Role::Value if self.kind == Kind::StateSet => Some(&self.name),
            _ => None,
        }
    }

    /// The labels of a sample that are its metric's, sorted, those with empty values left out.
    pub fn metric_labels(&self, member: &Member) -> Labels {
        let own = match self.kind {
            // On whatever sample it is: where it does not belong, it has been told of as such.
            Kind::Histogram | Kind::GaugeHistogram => Some("le"),
            Kind::Summary => Some("quantile"),
            _ => self.own_label(member.role),
        };
        let labels =
            member.sample.labels.iter().filter(|(name, value)| Some(name.as_str()) != own && !value.is_empty());
        let mut labels: Labels = labels.cloned().collect();
        labels.sort();
        labels
    }

    /// The metrics in the order of the page; those of different times are apart.
    pub fn metrics(&self) -> Vec<Metric<'_>> {
        let mut places = HashMap::new();
        let mut metrics: Vec<Metric<'_>> = Vec::new();
        for member in self.members.iter().filter(|member| member.role != Role::Stray) {
            let labels = self.metric_labels(member);
            let time = member.sample.timestamp.as_ref().map(|time| time.text.as_str());
            let place = *places.entry((labels.clone(), time)).or_insert_with(|| {
                metrics.push(Metric { labels, members: Vec::new() });
                metrics.len() - 1
            });
            metrics[place].members.push(member);
        }
        metrics
    }

    fn role(&self, sample: &str, format: Format) -> Option<Role> {
        let suffix = sample.strip_prefix(self.name.as_str())?;
        self.kind.roles(format).iter().find_map(|(known, role)| (*known == suffix).then_some(*role))
    }
}

/// Every suffix that a sample may add to the name of its family, the empty one first.
const SUFFIXES: [&str; 8] = ["", "_total", "_created", "_bucket", "_sum", "_count", "_info", "_gcount"];

/// Puts items into families, in the order in which those begin.
pub fn group(items: Vec<Item>, format: Format, sink: &mut impl Sink) -> Vec<Family> {
    let mut groups = Groups { format, sink, families: Vec::new(), places: HashMap::new(), current: None };
    for item in items {
        match item {
            Item::Metadata { line, keyword, name, text } => groups.metadata(line, keyword, &name, text),
            Item::Sample(sample) => groups.sample(sample),
        }
    }
    groups.families
}

struct Groups<'a, S> {
    format: Format,
    sink: &'a mut S,
    families: Vec<Family>,
    places: HashMap<String, usize>,
    current: Option<usize>,
}

impl<S: Sink> Groups<'_, S> {
    fn metadata(&mut self, line: usize, keyword: Keyword, name: &str, text: String) {
        let place = match self.places.get(name) {
            Some(place) => {
                let place = *place;
                let split = self.enter(place, line);
                let family = &self.families[place];
                let repeated = match keyword {
                    Keyword::Type => family.typed,
                    Keyword::Unit => family.unit.as_ref().map(|slot| slot.line),
                    Keyword::Help => family.help.as_ref().map(|slot| slot.line),
                };
                if let Some(before) = repeated {
                    let what = format!("line {before} said that of {name}");
                    self.sink.defect(line, rule::METADATA_REPEATED, what);
                } else if let Some(first) = family.members.first().filter(|_| !split) {
                    let what = format!("samples of {name} began in line {}", first.sample.line);
                    self.sink.defect(line, rule::METADATA_LATE, what);
                }
                place
            }
            None => self.begin(name, line),
        };
        let rank = keyword as usize;
        if self.format == Format::OpenMetrics && rank < self.families[place].rank {
            self.sink.defect(line, rule::METADATA_ORDER, "the order is TYPE, UNIT, HELP".to_owned());
        }
        self.families[place].rank = rank;
        match keyword {
            Keyword::Type => self.set_kind(place, line, &text),
            Keyword::Unit => self.families[place].unit = Some(Slot { line, text }),
            Keyword::Help => self.families[place].help = Some(Slot { line, text }),
        }
    }

    fn set_kind(&mut self, place: usize, line: usize, word: &str) {
        let known = Kind::read(word, self.format);
        if !matches!(known, Some((_, true))) {
            self.sink.defect(line, rule::TYPE_UNKNOWN, format!("{word:?} is no type of {}", self.format.name()));
        }
        let kind = known.map_or(Kind::Unknown, |(kind, _)| kind);
        let family = &mut self.families[place];
        family.typed = Some(line);
        family.kind = kind;
        if let (Kind::Counter, Format::OpenMetrics, Some(stem)) =
            (kind, self.format, family.name.strip_suffix("_total"))
        {
            let what = format!("the name of the family is {stem:?}; `_total` belongs to its samples");
            self.sink.defect(line, rule::TOTAL_NAMED, what);
            family.name = stem.to_owned();
            self.places.entry(family.name.clone()).or_insert(place);
        }
    }

    fn sample(&mut self, sample: Sample) {
        let role_in = |groups: &Self, place: usize| groups.families[place].role(&sample.name, groups.format);
        if let Some((place, role)) = self.current.and_then(|place| Some((place, role_in(self, place)?))) {
            return self.families[place].members.push(Member { role, sample });
        }
        let stems = SUFFIXES.iter().chain(&["_gsum"]).filter_map(|suffix| sample.name.strip_suffix(suffix));
        let found =
            stems.filter_map(|stem| self.places.get(stem)).find_map(|place| Some((*place, role_in(self, *place)?)));
        if let Some((place, role)) = found {
            self.enter(place, sample.line);
            return self.families[place].members.push(Member { role, sample });
        }
        if let Some((place, role)) = self.misnamed(&sample) {
            return self.families[place].members.push(Member { role, sample });
        }
        let place = self.begin(&sample.name.clone(), sample.line);
        self.families[place].members.push(Member { role: Role::Value, sample });
    }

    /// The family that `sample` was meant for, if it is the current one and the sample only has the wrong suffix.
    fn misnamed(&mut self, sample: &Sample) -> Option<(usize, Role)> {
        let place = self.current?;
        let family = &self.families[place];
        let suffix = sample.name.strip_prefix(family.name.as_str()).filter(|_| family.typed.is_some())?;
        let is_counter = family.kind == Kind::Counter && self.format == Format::OpenMetrics;
        if is_counter && suffix.is_empty() {
            let what = format!("the sample of counter {} is called {0}_total", family.name);
            self.sink.defect(sample.line, rule::TOTAL_MISSING, what);
            return Some((place, Role::Total));
        }
        // The text format has no rule against a further family of such a name.
        let is_meant = suffix.is_empty() || self.format == Format::OpenMetrics;
        if is_meant && (SUFFIXES.contains(&suffix) || suffix == "_gsum") {
            let what = format!("a {} has no sample {}", family.kind.name(), sample.name);
            self.sink.defect(sample.line, rule::SAMPLE_SUFFIX, what);
            return Some((place, Role::Stray));
        }
        None
    }

    fn begin(&mut self, name: &str, line: usize) -> usize {
        let place = self.families.len();
        self.families.push(Family::new(name, line));
        self.places.insert(name.to_owned(), place);
        self.current = Some(place);
        place
    }

    /// Makes a known family the current one; true if the page had left it.
    fn enter(&mut self, place: usize, line: usize) -> bool {
        let left = self.current != Some(place);
        self.current = Some(place);
        let family = &mut self.families[place];
        if left && !family.split {
            family.split = true;
            let what = format!("{} began in line {}, and others came between", family.name, family.line);
            self.sink.defect(line, rule::FAMILY_SPLIT, what);
        }
        left
    }
}
