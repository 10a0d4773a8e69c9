//! Names of families: composed from name and unit, escaped for a page, and reserved with all their samples.

use crate::model::{DeclareError, MetricType, UnitRule, suffix};

/// The name of a family, in the form that identifies it and in the form that pages show.
///
/// Two families with one raw name are one family; two raw names may share an exposed form, which a registry refuses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FamilyName {
    raw: String,
    exposed: String,
    unit: String,
}

impl FamilyName {
    /// Joins `name` and `unit` by `_`, unless the unit is empty or the name already ends in it.
    ///
    /// A counter's `_total`, and the `_info` of an info, are dropped first, for they belong to the sample and not to the family.
    ///
    /// # Errors
    /// `InvalidName` for a control character, `InvalidUnit` for anything outside `[A-Za-z0-9_]` in the unit and for any unit of an
    /// info or a stateset, `EmptyName` when nothing is left of the name.
    ///
    /// # Examples
    /// ```
    /// use manometer::model::{FamilyName, MetricType};
    ///
    /// let name = FamilyName::compose("http/latency", "seconds", MetricType::Histogram)?;
    /// assert_eq!(name.raw(), "http/latency_seconds");
    /// assert_eq!(name.exposed(), "http__latency_seconds");
    /// # Ok::<(), manometer::model::DeclareError>(())
    /// ```
    pub fn compose(name: &str, unit: &str, kind: MetricType) -> Result<Self, DeclareError> {
        if let Some((at, _)) = name.char_indices().find(|(_, character)| character.is_control()) {
            return Err(DeclareError::InvalidName { name: name.to_owned(), at });
        }
        if !unit.bytes().all(is_name_byte) {
            return Err(DeclareError::InvalidUnit { unit: unit.to_owned(), rule: UnitRule::Characters });
        }
        if !unit.is_empty() && matches!(kind, MetricType::Info | MetricType::StateSet) {
            return Err(DeclareError::InvalidUnit { unit: unit.to_owned(), rule: UnitRule::NoUnit(kind) });
        }
        let stem = match kind {
            MetricType::Counter => name.strip_suffix(suffix::TOTAL).unwrap_or(name),
            MetricType::Info => name.strip_suffix(suffix::INFO).unwrap_or(name),
            _ => name,
        };
        if stem.is_empty() {
            return Err(DeclareError::EmptyName);
        }
        let has_unit = stem.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_'));
        let raw = if unit.is_empty() || has_unit { stem.to_owned() } else { format!("{stem}_{unit}") };
        Ok(Self { exposed: escaped(&raw), raw, unit: unit.to_owned() })
    }

    /// The name that identifies the family.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The name on a page, `[A-Za-z_][A-Za-z0-9_]*`: `/` is `__`, every other foreign byte `_`.
    pub fn exposed(&self) -> &str {
        &self.exposed
    }

    /// The unit, which the name ends in; empty when there is none.
    pub fn unit(&self) -> &str {
        &self.unit
    }
}

/// Every name that a family of this exposed name and type may put on a page, its own included.
///
/// A family reserves them all, so that no two families can ever write one sample name.
pub fn reserved_names(exposed: &str, kind: MetricType) -> impl Iterator<Item = String> {
    let samples = kind.suffixes().iter().filter(|suffix| !suffix.is_empty());
    [suffix::NONE].iter().chain(samples).map(move |suffix| format!("{exposed}{suffix}"))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A raw name as a page shows it.
pub(super) fn escaped(raw: &str) -> String {
    let mut exposed = String::with_capacity(raw.len() + 1);
    if raw.starts_with(|first: char| first.is_ascii_digit()) {
        exposed.push('_');
    }
    for byte in raw.bytes() {
        match byte {
            b'/' => exposed.push_str("__"),
            byte if is_name_byte(byte) => exposed.push(char::from(byte)),
            _ => exposed.push('_'),
        }
    }
    exposed
}
