//! `diff`: what a change of program does to its page, so that dashboards and alerts can follow.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::Serialize;

use crate::page::{Family, Kind, Role, printable};
use crate::terminal::Palette;

/// What a family is, for those who query it.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Face {
    #[serde(rename = "type")]
    kind: &'static str,
    unit: String,
    help: String,
    labels: BTreeSet<String>,
    /// Of a histogram.
    thresholds: BTreeSet<String>,
    /// Of a summary.
    quantiles: BTreeSet<String>,
}

/// One difference.
#[derive(Debug, Serialize)]
#[serde(tag = "change", rename_all = "lowercase")]
enum Difference {
    /// A family that only the new page has.
    Appeared {
        family: String,
        #[serde(rename = "type")]
        kind: &'static str,
    },
    /// A family that only the old page has.
    Vanished {
        family: String,
        #[serde(rename = "type")]
        kind: &'static str,
    },
    /// A family whose `part` is another one.
    Changed { family: String, part: &'static str, old: String, new: String },
}

/// What is different between two pages.
#[derive(Debug, Serialize)]
pub struct Differences {
    differences: Vec<Difference>,
}

/// Compares two pages.
pub fn diff(old: &[Family], new: &[Family]) -> Differences {
    let (old, new) = (faces(old), faces(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut differences = Vec::new();
    for name in names {
        let family = name.clone();
        match (old.get(name), new.get(name)) {
            (None, Some(face)) => differences.push(Difference::Appeared { family, kind: face.kind }),
            (Some(face), None) => differences.push(Difference::Vanished { family, kind: face.kind }),
            (Some(old), Some(new)) => differences.extend(changes(name, old, new)),
            (None, None) => {}
        }
    }
    Differences { differences }
}

/// The families by their names in OpenMetrics, so that one page in both formats is the same: there a counter of the text format has
/// no `_total`, and creation times are no families.
fn faces(families: &[Family]) -> BTreeMap<String, Face> {
    let mut faces = BTreeMap::new();
    for family in families.iter().filter(|family| !family.members.is_empty() || family.typed.is_some()) {
        let is_counter = family.kind == Kind::Counter;
        let name = family.name.strip_suffix("_total").filter(|_| is_counter).unwrap_or(&family.name);
        let mut face = Face {
            kind: family.kind.name(),
            unit: family.unit().to_owned(),
            help: family.help().to_owned(),
            labels: BTreeSet::new(),
            thresholds: BTreeSet::new(),
            quantiles: BTreeSet::new(),
        };
        for member in &family.members {
            let own = family.own_label(member.role);
            for (label, value) in &member.sample.labels {
                match member.role {
                    Role::Bucket if own == Some(label) => face.thresholds.insert(canonical(value)),
                    Role::Quantile if own == Some(label) => face.quantiles.insert(canonical(value)),
                    _ => face.labels.insert(label.clone()),
                };
            }
        }
        faces.insert(name.to_owned(), face);
    }
    faces
}

/// A threshold in its one spelling.
fn canonical(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), crate::page::canonical)
}

fn changes(family: &str, old: &Face, new: &Face) -> Vec<Difference> {
    let list = |set: &BTreeSet<String>| set.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let numbers = |set: &BTreeSet<String>| {
        let mut numbers: Vec<&str> = set.iter().map(String::as_str).collect();
        numbers.sort_by(|left, right| {
            let value = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
            value(left).total_cmp(&value(right))
        });
        numbers.join(", ")
    };
    let parts = [
        ("type", old.kind.to_owned(), new.kind.to_owned()),
        ("unit", old.unit.clone(), new.unit.clone()),
        ("labels", list(&old.labels), list(&new.labels)),
        ("thresholds", numbers(&old.thresholds), numbers(&new.thresholds)),
        ("quantiles", numbers(&old.quantiles), numbers(&new.quantiles)),
        ("help", old.help.clone(), new.help.clone()),
    ];
    let changed = parts.into_iter().filter(|(_, old, new)| old != new);
    changed.map(|(part, old, new)| Difference::Changed { family: family.to_owned(), part, old, new }).collect()
}

impl Differences {
    /// Leaves out what only people read, which breaks no query.
    pub fn without_help(mut self) -> Self {
        self.differences.retain(|difference| !matches!(difference, Difference::Changed { part: "help", .. }));
        self
    }

    /// Leaves out units, which the text format cannot tell.
    pub fn without_units(mut self) -> Self {
        self.differences.retain(|difference| !matches!(difference, Difference::Changed { part: "unit", .. }));
        self
    }

    /// Whether the pages are the same.
    pub fn is_empty(&self) -> bool {
        self.differences.is_empty()
    }

    /// Writes them for people, one line each.
    pub fn write_text(&self, palette: Palette, out: &mut impl Write) -> io::Result<()> {
        let Palette { bad, fair, good, plain, .. } = palette;
        let shown = |text: &str| if text.is_empty() { "none".to_owned() } else { printable(text) };
        for difference in &self.differences {
            match difference {
                Difference::Appeared { family, kind } => {
                    writeln!(out, "{good}+ {}{plain} ({kind})", printable(family))?
                }
                Difference::Vanished { family, kind } => writeln!(out, "{bad}- {}{plain} ({kind})", printable(family))?,
                Difference::Changed { family, part, old, new } => {
                    writeln!(out, "{fair}~ {}{plain} {part}: {} -> {}", printable(family), shown(old), shown(new))?;
                }
            }
        }
        writeln!(out, "{} differences", self.differences.len())
    }

    /// Writes them for machines.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)
    }
}
