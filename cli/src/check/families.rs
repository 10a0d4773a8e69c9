//! What families do wrong by their names, their metadata, and among one another.

use std::collections::HashMap;

use crate::page::{Family, Format, Kind, Sink};
use crate::rule;

/// Suffixes that belong to samples.
const RESERVED: [&str; 8] = ["_total", "_created", "_count", "_sum", "_bucket", "_gcount", "_gsum", "_info"];

/// Units that a name may well end in.
const UNITS: [&str; 10] =
    ["seconds", "bytes", "ratio", "ratios", "meters", "grams", "joules", "volts", "amperes", "celsius"];

/// Judges all families of a page.
pub fn judge(families: &[Family], format: Format, sink: &mut impl Sink) {
    clashes(families, format, sink);
    for family in families {
        metadata(family, format, sink);
        name(family, format, sink);
    }
}

fn clashes(families: &[Family], format: Format, sink: &mut impl Sink) {
    let mut owners: HashMap<String, &Family> = HashMap::new();
    for family in families {
        for (suffix, _) in family.kind.roles(format) {
            let sample = format!("{}{suffix}", family.name);
            if let Some(other) = owners.get(&sample) {
                let (kind, line) = (other.kind.name(), other.line);
                let what = format!("{sample} also belongs to the {kind} {} of line {line}", other.name);
                sink.defect(family.line, rule::NAME_CLASH, what);
                break;
            }
            owners.insert(sample, family);
        }
    }
}

fn metadata(family: &Family, format: Format, sink: &mut impl Sink) {
    let name = &family.name;
    if family.typed.is_none() {
        sink.defect(family.line, rule::TYPE_MISSING, format!("{name} has no TYPE line"));
    }
    if family.help().is_empty() {
        let line = family.help.as_ref().map_or(family.line, |slot| slot.line);
        sink.defect(line, rule::HELP_MISSING, format!("nothing says what {name} is"));
    }
    if let Some(unit) = family.unit.as_ref().filter(|unit| !unit.text.is_empty()) {
        if matches!(family.kind, Kind::Info | Kind::StateSet) {
            sink.defect(unit.line, rule::UNIT_FORBIDDEN, format!("{} {name} has a unit", family.kind.name()));
        } else if is_unit(&unit.text) && !name.strip_suffix(&unit.text).is_some_and(|stem| stem.ends_with('_')) {
            let what = format!("{name} does not end in _{}", unit.text);
            sink.defect(unit.line, rule::UNIT_SUFFIX, what);
        }
    } else if format == Format::OpenMetrics && !matches!(family.kind, Kind::Info | Kind::StateSet) {
        let unit = UNITS.iter().find(|unit| name.strip_suffix(*unit).is_some_and(|stem| stem.ends_with('_')));
        if let Some(unit) = unit {
            sink.defect(family.line, rule::UNIT_MISSING, format!("{name} has no line `# UNIT {name} {unit}`"));
        }
    }
}

fn name(family: &Family, format: Format, sink: &mut impl Sink) {
    let Family { name, line, kind, .. } = family;
    if name.starts_with('_') {
        sink.defect(*line, rule::FAMILY_UNDERSCORE, format!("{name} begins with an underscore"));
    }
    if name.contains(':') {
        sink.defect(*line, rule::FAMILY_COLON, format!("{name} has a colon"));
    }
    // A family of no type bears the name of its only sample.
    let is_sample = family.typed.is_none() || format == Format::Text;
    if let Some(suffix) = RESERVED.iter().find(|suffix| !is_sample && name.ends_with(**suffix)) {
        sink.defect(*line, rule::NAME_SUFFIX, format!("{name} ends in {suffix}, as only samples do"));
    }
    if format == Format::Text && *kind == Kind::Counter && !name.ends_with("_total") {
        sink.defect(*line, rule::TOTAL_ABSENT_TEXT, format!("counter {name} does not end in _total"));
    }
}

/// Whether the reader has nothing to say against a unit.
fn is_unit(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'))
}
