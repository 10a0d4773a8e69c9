//! Names on the wire: the raw name and the label values joined by `/`, then `.` as `_`, then `/` as `.`.
//!
//! What the wire gives a meaning, and what is no text, becomes `_` everywhere: control characters, space, `:`, `|`, `@`, `#`, and
//! in tags also `,`. So no name, value or tag can start another line or another field.

use super::options::{HistogramMode, TagMode};
use crate::{
    model::{BucketRule, DeclareError, Dialect, Metadata, MetricType, StateRule},
    registry::Wire,
    tuple::Tuple,
};

/// How families and series are named.
#[derive(Clone, Debug)]
pub(super) struct Naming {
    /// The prefix with its point, or nothing.
    lead: String,
    tags: TagMode,
    histograms: HistogramMode,
}

impl Naming {
    pub(super) fn new(prefix: &str, tags: TagMode, histograms: HistogramMode) -> Self {
        let lead = if prefix.is_empty() { String::new() } else { format!("{prefix}.") };
        Self { lead, tags, histograms }
    }

    /// Appends the name of a series, and to `tail` what follows the type on its lines.
    pub(super) fn write_series(&self, metadata: &Metadata, tuple: &Tuple, name: &mut String, tail: &mut String) {
        name.push_str(&self.lead);
        write_part(metadata.name().raw(), name);
        match self.tags {
            TagMode::None => {
                for value in tuple.values() {
                    name.push('.');
                    write_part(value, name);
                }
            }
            TagMode::DogStatsd => {
                let mut lead = "|#";
                // An empty value is as good as no label, in tags as on a page.
                let tags = metadata.label_keys().iter().zip(tuple.values()).filter(|(_, value)| !value.is_empty());
                for (key, value) in tags {
                    tail.push_str(lead);
                    write_tag_part(key, tail);
                    tail.push(':');
                    write_tag_part(value, tail);
                    lead = ",";
                }
            }
        }
    }
}

impl Wire for Naming {
    fn names(&self, metadata: &Metadata) -> Result<Vec<String>, DeclareError> {
        let mut name = String::new();
        write_part(metadata.name().raw(), &mut name);
        let mut names = vec![name.clone()];
        // With labels in the name, what comes behind it is known series by series.
        let whole = metadata.label_keys().is_empty() || self.tags == TagMode::DogStatsd;
        match metadata.kind() {
            MetricType::Histogram if self.histograms == HistogramMode::Buckets => {
                let texts = bucket_texts(metadata)?;
                if whole {
                    names.extend(texts.iter().map(|text| format!("{name}.bucket.{text}")));
                    names.extend(["sum", "count"].map(|part| format!("{name}.{part}")));
                }
            }
            MetricType::GaugeHistogram => {
                let texts = bucket_texts(metadata)?;
                if whole {
                    names.extend(texts.iter().map(|text| format!("{name}.bucket.{text}")));
                    names.extend(["sum", "count"].map(|part| format!("{name}.{part}")));
                }
            }
            MetricType::StateSet => {
                let texts = state_texts(metadata)?;
                if whole {
                    names.extend(texts.iter().map(|text| format!("{name}.{text}")));
                }
            }
            // Never sent, so nothing is reserved.
            MetricType::Info => names.clear(),
            MetricType::Summary if whole => {
                names.extend(["sum", "count"].map(|part| format!("{name}.{part}")));
            }
            _ => {}
        }
        Ok(names)
    }
}

/// The name of each bucket, `+Inf` last.
///
/// # Errors
/// `InvalidBuckets` if two have one name.
pub(super) fn bucket_texts(metadata: &Metadata) -> Result<Vec<String>, DeclareError> {
    let mut texts: Vec<String> = Vec::with_capacity(metadata.buckets());
    for (position, &threshold) in metadata.thresholds().iter().enumerate() {
        let mut text = String::new();
        Dialect::Prosody.write_threshold(threshold, &mut text);
        let text = text.replace('.', "_");
        if texts.last() == Some(&text) {
            let (family, rule) = (metadata.name().raw().to_owned(), BucketRule::SameText);
            return Err(DeclareError::InvalidBuckets { family, position, threshold, rule });
        }
        texts.push(text);
    }
    texts.push("+Inf".to_owned());
    Ok(texts)
}

/// The name of each state.
///
/// # Errors
/// `InvalidStates` if two have one name.
pub(super) fn state_texts(metadata: &Metadata) -> Result<Vec<String>, DeclareError> {
    let mut texts: Vec<String> = Vec::with_capacity(metadata.states().len());
    for (position, state) in metadata.states().iter().enumerate() {
        let mut text = String::new();
        write_part(state, &mut text);
        if texts.contains(&text) {
            let (family, state, rule) = (metadata.name().raw().to_owned(), state.to_string(), StateRule::SameText);
            return Err(DeclareError::InvalidStates { family, position, state, rule });
        }
        texts.push(text);
    }
    Ok(texts)
}

fn write_part(part: &str, name: &mut String) {
    name.extend(part.chars().map(|c| match c {
        '.' => '_',
        '/' => '.',
        c => safe(c),
    }));
}

fn write_tag_part(part: &str, tail: &mut String) {
    tail.extend(part.chars().map(|c| if c == ',' { '_' } else { safe(c) }));
}

/// What stands for a character on the wire.
pub(super) fn safe(c: char) -> char {
    if is_unsafe(c) { '_' } else { c }
}

/// Whether a character could start another line or field.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, ' ' | ':' | '|' | '@' | '#')
}
