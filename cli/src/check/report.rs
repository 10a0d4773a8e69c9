//! The verdict, for people and for machines.

use std::io::{self, Write};

use serde::Serialize;

use super::Verdict;
use crate::page::printable;
use crate::rule::Level;
use crate::terminal::Palette;

/// How a verdict is written for people.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// The colours, if any.
    pub palette: Palette,
    /// Whether what is only advised is left out.
    pub errors_only: bool,
}

/// One line of the JSON form's list.
#[derive(Serialize)]
struct Entry<'a> {
    line: usize,
    rule: &'static str,
    level: Level,
    what: &'a str,
    scraper: &'static str,
    section: &'static str,
    checklist: &'static str,
}

/// The JSON form.
#[derive(Serialize)]
struct Report<'a> {
    source: &'a str,
    format: &'static str,
    families: usize,
    samples: usize,
    errors: usize,
    advice: usize,
    defects: Vec<Entry<'a>>,
}

impl Verdict {
    /// How many defects are of this level.
    pub fn count(&self, level: Level) -> usize {
        self.defects.iter().filter(|defect| defect.rule.level == level).count()
    }
}

/// Writes a verdict for people: a block for each defect, and one line in the end.
pub fn write_text(verdict: &Verdict, source: &str, style: Style, out: &mut impl Write) -> io::Result<()> {
    let Palette { bad, fair, good, dim, plain } = style.palette;
    for defect in &verdict.defects {
        let (colour, level) = match defect.rule.level {
            Level::Error => (bad, "error"),
            Level::Advice if style.errors_only => continue,
            Level::Advice => (fair, "advice"),
        };
        let place = match defect.line {
            0 => format!("{source}: headers"),
            line => format!("{source}:{line}"),
        };
        let rule = defect.rule;
        writeln!(out, "{place}: {colour}{level}{plain} [{}] {}", rule.id, printable(&defect.what))?;
        writeln!(out, "    {dim}scraper: {}{plain}", rule.scraper)?;
        writeln!(out, "    {dim}rule: {} ({}){plain}", rule.section, rule.checklist)?;
    }
    let (errors, advice) = (verdict.count(Level::Error), verdict.count(Level::Advice));
    let result = match errors {
        0 => format!("{good}valid{plain}"),
        _ => format!("{bad}defective{plain}"),
    };
    let (families, samples, format) = (verdict.families, verdict.samples, verdict.format.name());
    writeln!(
        out,
        "{source}: {result} {format}, {families} families, {samples} samples: {errors} errors, {advice} advice"
    )
}

/// Writes a verdict for machines, as one JSON object.
pub fn write_json(verdict: &Verdict, source: &str, errors_only: bool, out: &mut impl Write) -> io::Result<()> {
    let shown = verdict.defects.iter().filter(|defect| !errors_only || defect.rule.level == Level::Error);
    let defects = shown.map(|defect| Entry {
        line: defect.line,
        rule: defect.rule.id,
        level: defect.rule.level,
        what: &defect.what,
        scraper: defect.rule.scraper,
        section: defect.rule.section,
        checklist: defect.rule.checklist,
    });
    let report = Report {
        source,
        format: verdict.format.name(),
        families: verdict.families,
        samples: verdict.samples,
        errors: verdict.count(Level::Error),
        advice: verdict.count(Level::Advice),
        defects: defects.collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}
