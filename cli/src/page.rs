//! A metrics page of either text format, read strictly and never given up: what can be read is here with its line, and
//! what cannot goes to a sink as a defect.
//!
//! Nothing here knows how the library writes pages: reader and writer are two opinions of one standard.

mod group;
mod number;
mod read;
mod scan;
#[cfg(test)]
mod tests;

pub use group::{Family, Kind, Member, Metric, Role, group};
pub use number::canonical;
pub use read::{Item, Keyword, read};
pub use scan::{is_label_name, is_metric_name};

use crate::rule::Rule;

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// OpenMetrics 1.0.
    #[value(name = "openmetrics")]
    OpenMetrics,
    /// Prometheus text 0.0.4.
    Text,
}

impl Format {
    /// How people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenMetrics => "OpenMetrics 1.0",
            Self::Text => "Prometheus text 0.0.4",
        }
    }

    /// The format that a page without a content type seems to be in, by what only OpenMetrics has.
    pub fn guess(page: &[u8]) -> Self {
        let mut marks = page.split(|byte| *byte == b'\n').map(|line| {
            let typed = line.strip_prefix(b"# TYPE ").and_then(|rest| rest.rsplit(|byte| *byte == b' ').next());
            line.starts_with(b"# UNIT ")
                || line == b"# EOF"
                || matches!(typed, Some(b"unknown" | b"info" | b"stateset" | b"gaugehistogram"))
        });
        if marks.any(|mark| mark) { Self::OpenMetrics } else { Self::Text }
    }
}

/// Something that a page does wrong.
#[derive(Clone, Debug)]
pub struct Defect {
    /// The line, counted from one; 0 for what is said beside the page, in its headers.
    pub line: usize,
    /// Which rule it breaks.
    pub rule: Rule,
    /// What is there, and what should be.
    pub what: String,
}

/// Takes defects as they are found.
pub trait Sink {
    /// Takes one.
    fn defect(&mut self, line: usize, rule: Rule, what: String);
}

impl Sink for Vec<Defect> {
    fn defect(&mut self, line: usize, rule: Rule, what: String) {
        self.push(Defect { line, rule, what });
    }
}

/// A number with the text that it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// As it is on the page.
    pub text: String,
    /// What it means.
    pub value: f64,
}

/// A label set in the order of the page.
pub type Labels = Vec<(String, String)>;

/// One line with a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its line.
    pub line: usize,
    /// Its name, suffix included.
    pub name: String,
    /// Its labels, `le` and `quantile` included.
    pub labels: Labels,
    /// Its value.
    pub value: Figure,
    /// When it was, in the unit of the format: seconds, or milliseconds in the text format.
    pub timestamp: Option<Figure>,
    /// An example of what was counted.
    pub exemplar: Option<Exemplar>,
}

impl Sample {
    /// The value of the label `name`.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }
}

/// What follows ` # ` on a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// Its labels.
    pub labels: Labels,
    /// The value that was observed.
    pub value: Figure,
    /// When it was, in seconds.
    pub timestamp: Option<Figure>,
}

/// `text` without anything that could command a terminal or begin another line.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter.is_control() {
            true => out.extend(letter.escape_default()),
            false => out.push(letter),
        }
    }
    out
}
