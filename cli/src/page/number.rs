//! Numbers: which texts are some, and how a threshold is to be written.

use manometer::model::{FamilyName, Metadata, MetricType};

use super::{Figure, Sink};
use crate::rule::{self, Rule};

/// Reads a number as the formats have them: decimal with or without exponent, or one of the words for what is not finite.
///
/// A defect goes to `sink`: `malformed` for a text that is none, [`rule::NUMBER_RANGE`] for one that no float holds,
/// [`rule::NUMBER_SPELLING`] for a word that is not written as usual.
pub fn parse(text: &str, line: usize, malformed: Rule, sink: &mut impl Sink) -> Option<Figure> {
    let figure = |value| Some(Figure { text: text.to_owned(), value });
    match text {
        "NaN" => return figure(f64::NAN),
        "+Inf" => return figure(f64::INFINITY),
        "-Inf" => return figure(f64::NEG_INFINITY),
        _ => {}
    }
    let unsigned = text.trim_start_matches(['+', '-']);
    if ["inf", "infinity", "nan"].iter().any(|word| word.eq_ignore_ascii_case(unsigned)) {
        if let Ok(value) = text.parse::<f64>() {
            sink.defect(line, rule::NUMBER_SPELLING, format!("{text:?} is written +Inf, -Inf or NaN"));
            return figure(value);
        }
    }
    let is_decimal = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    match text.parse::<f64>() {
        Ok(value) if is_decimal && value.is_finite() => figure(value),
        Ok(_) if is_decimal => {
            sink.defect(line, rule::NUMBER_RANGE, format!("{text} is more than a 64-bit float holds"));
            None
        }
        _ => {
            sink.defect(line, malformed, format!("{text:?} is no number"));
            None
        }
    }
}

/// The one way in which a threshold or quantile is written: that of the library, which is the standard's.
pub fn canonical(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let text = || {
        let name = FamilyName::compose("t", "", MetricType::Histogram).ok()?;
        let metadata = Metadata::new(name, MetricType::Histogram).with_thresholds([value].into());
        Some(metadata.threshold_text(0).to_owned())
    };
    text().unwrap_or_default()
}
