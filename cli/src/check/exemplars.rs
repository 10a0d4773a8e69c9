//! What exemplars do wrong.

use super::values::is_future;
use crate::page::{Family, Format, Kind, Role, Sink};
use crate::rule;

/// The most characters that names and values of an exemplar's labels may have together.
const MOST_CHARACTERS: usize = 128;

/// Judges the exemplars of a family.
pub fn judge(family: &Family, format: Format, now: f64, sink: &mut impl Sink) {
    if format == Format::Text {
        return; // the reader told that it has none
    }
    for member in &family.members {
        let line = member.sample.line;
        let Some(exemplar) = &member.sample.exemplar else { continue };
        let may = match family.kind {
            Kind::Counter => member.role == Role::Total,
            Kind::Histogram | Kind::GaugeHistogram => member.role == Role::Bucket,
            _ => false,
        };
        if !may {
            let what = format!("{} of a {} has no exemplar", member.sample.name, family.kind.name());
            sink.defect(line, rule::EXEMPLAR_PLACE, what);
        }
        let length: usize =
            exemplar.labels.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
        if length > MOST_CHARACTERS {
            let what = format!("its labels have {length} characters, of {MOST_CHARACTERS} at most");
            sink.defect(line, rule::EXEMPLAR_LENGTH, what);
        }
        for (name, _) in exemplar.labels.iter().filter(|(name, _)| name.starts_with('_')) {
            sink.defect(line, rule::LABEL_UNDERSCORE, format!("label {name:?} of the exemplar is reserved"));
        }
        let threshold = (member.role == Role::Bucket).then(|| member.sample.label("le")?.parse::<f64>().ok()).flatten();
        if threshold.is_some_and(|threshold| exemplar.value.value > threshold) {
            let what = format!("an observation of {} is not in this bucket", exemplar.value.text);
            sink.defect(line, rule::EXEMPLAR_VALUE, what);
        }
        if let Some(time) = exemplar.timestamp.as_ref().filter(|time| is_future(time.value, now)) {
            sink.defect(line, rule::EXEMPLAR_FUTURE, format!("{} is in the future", time.text));
        }
    }
}
