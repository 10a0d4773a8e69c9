//! Names of families: composed from name and unit, escaped for a page, and reserved with all their samples.

use std::borrow::Cow;

use crate::model::{DeclareError, Dialect, EscapingScheme, MetricType, UnitRule, scheme::is_metric_name, suffix};

/// The name of a family, in the form that identifies it and in the form that pages show.
///
/// Two families with one raw name are one family; two raw names may share an exposed form, which a registry refuses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FamilyName {
    raw: String,
    exposed: String,
    unit: String,
    dialect: Dialect,
    /// Whether the exposed form has only the letters that all pages take.
    classic: bool,
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
        Self::compose_in(Dialect::OpenMetrics, name, unit, kind)
    }

    /// The same by the rules of a dialect; those of Prosody append every unit and drop no `_total`, and `Utf8` exposes the name as it is.
    ///
    /// # Errors
    /// Those of [`compose`](Self::compose).
    ///
    /// # Examples
    /// ```
    /// use manometer::model::{Dialect, FamilyName, MetricType};
    ///
    /// let name = FamilyName::compose_in(Dialect::Prosody, "age_seconds", "seconds", MetricType::Gauge)?;
    /// assert_eq!(name.raw(), "age_seconds_seconds");
    /// # Ok::<(), manometer::model::DeclareError>(())
    /// ```
    pub fn compose_in(dialect: Dialect, name: &str, unit: &str, kind: MetricType) -> Result<Self, DeclareError> {
        if let Some((at, _)) = name.char_indices().find(|(_, character)| character.is_control()) {
            return Err(DeclareError::InvalidName { name: name.to_owned(), at });
        }
        if !unit.bytes().all(is_name_byte) {
            return Err(DeclareError::InvalidUnit { unit: unit.to_owned(), rule: UnitRule::Characters });
        }
        if !unit.is_empty() && matches!(kind, MetricType::Info | MetricType::StateSet) {
            return Err(DeclareError::InvalidUnit { unit: unit.to_owned(), rule: UnitRule::NoUnit(kind) });
        }
        let stem = dialect.stem(name, kind);
        if stem.is_empty() {
            return Err(DeclareError::EmptyName);
        }
        let raw = match !unit.is_empty() && dialect.adds_unit(stem, unit) {
            true => format!("{stem}_{unit}"),
            false => stem.to_owned(),
        };
        let exposed = dialect.exposed(&raw);
        Ok(Self { classic: is_metric_name(&exposed), exposed, raw, unit: unit.to_owned(), dialect })
    }

    /// The name that identifies the family.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The name on a page, `[A-Za-z_][A-Za-z0-9_]*`: `/` is `__`, every other foreign byte `_`. In the dialect `Utf8` it is the raw
    /// name, and [`escaped`](Self::escaped) where a page takes only classic ones.
    pub fn exposed(&self) -> &str {
        &self.exposed
    }

    /// Whether the exposed name is `[A-Za-z_:][A-Za-z0-9_:]*`, and so the same on every page but those that escape dots.
    pub fn is_classic(&self) -> bool {
        self.classic
    }

    /// The name on a page of this scheme, for a family of this type, without what its samples add.
    ///
    /// The `_total` of a counter and the `_info` of an info are escaped with the name, since Prometheus takes them for a part of it. All
    /// other suffixes come behind what was escaped.
    ///
    /// # Examples
    /// ```
    /// use manometer::model::{Dialect, EscapingScheme, FamilyName, MetricType};
    ///
    /// let name = FamilyName::compose_in(Dialect::Utf8, "http.hits", "", MetricType::Counter)?;
    /// assert_eq!(name.escaped(EscapingScheme::Underscores, MetricType::Counter), "http_hits");
    /// assert_eq!(name.escaped(EscapingScheme::Values, MetricType::Counter), "U__http_2e_hits_"); // and then `_total`
    /// # Ok::<(), manometer::model::DeclareError>(())
    /// ```
    pub fn escaped(&self, scheme: EscapingScheme, kind: MetricType) -> Cow<'_, str> {
        if scheme == EscapingScheme::AllowUtf8 || (self.classic && scheme != EscapingScheme::Dots) {
            return Cow::Borrowed(&self.exposed);
        }
        let own = kind.own_suffix();
        let mut escaped = scheme.metric_name(&format!("{}{own}", self.exposed)).into_owned();
        // An underscore becomes one or two, and the letters stay: it still ends so.
        escaped.truncate(escaped.len() - own.len());
        Cow::Owned(escaped)
    }

    /// The unit, which the name ends in; empty when there is none.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// Whose rules it was composed by.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }
}

/// Every name that a family of this exposed name and type may put on a page, its own included.
///
/// A family reserves them all, so that no two families can ever write one sample name; in the dialect `Utf8` so it does with the names
/// of each escaping scheme.
pub fn reserved_names(exposed: &str, kind: MetricType) -> impl Iterator<Item = String> {
    let samples = kind.suffixes().iter().filter(|suffix| !suffix.is_empty());
    [suffix::NONE].iter().chain(samples).map(move |suffix| format!("{exposed}{suffix}"))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A raw name as a page shows it in the dialects that know no other letters.
pub(super) fn replaced(raw: &str) -> String {
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
