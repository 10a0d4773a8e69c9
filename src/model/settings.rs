//! Configuration as plain data, whatever it was written in, and what is wrong with it.

use std::{collections::BTreeMap, error::Error, fmt};

/// One value of a configuration.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Setting {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Yes or no.
    Boolean(bool),
    /// Several values in order.
    List(Vec<Setting>),
    /// Values by key.
    Table(Settings),
}

/// Values by key: a table of a configuration.
///
/// # Examples
/// ```
/// use manometer::model::Settings;
///
/// let settings = Settings::new().with("statistics", "statsd").with("statistics_interval", 10);
/// assert_eq!(settings.text("statistics")?, Some("statsd"));
/// assert_eq!(settings.number("statistics_interval")?, Some(10.0));
/// # Ok::<(), manometer::model::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings(BTreeMap<String, Setting>);

/// Why a configuration is refused. Nothing was started.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// A key is none that is known.
    UnknownKey {
        /// The key.
        key: String,
        /// The known key that is most like it.
        nearest: Option<&'static str>,
    },
    /// A key has a value that it cannot have.
    Invalid {
        /// The key.
        key: String,
        /// The value.
        given: String,
        /// What it must be.
        rule: &'static str,
    },
    /// The text is no TOML.
    Syntax {
        /// What the parser says, with the place.
        message: String,
    },
    /// A provider cannot be had.
    Provider {
        /// Its name.
        name: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server that the configuration describes cannot start.
    Server {
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl Settings {
    /// A table without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with `key` set to `value`.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Setting>) -> Self {
        self.0.insert(key.into(), value.into());
        self
    }

    /// The table that a TOML document describes.
    ///
    /// # Errors
    /// `Syntax` if it is none; `Invalid` for dates and times, which no key here has.
    #[cfg(feature = "config")]
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| ConfigError::Syntax { message: error.to_string() })?;
        Self::try_from(table)
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All keys and values, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The value of `key`, whatever it is.
    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.0.get(key)
    }

    /// The text at `key`; None if it is unset.
    ///
    /// # Errors
    /// `Invalid` if it is something else.
    pub fn text(&self, key: &str) -> Result<Option<&str>, ConfigError> {
        self.read(key, "text", |value| match value {
            Setting::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// The whole number at `key`; None if it is unset.
    ///
    /// # Errors
    /// `Invalid` if it is something else.
    pub fn integer(&self, key: &str) -> Result<Option<i64>, ConfigError> {
        self.read(key, "a whole number", |value| match value {
            Setting::Integer(number) => Some(*number),
            _ => None,
        })
    }

    /// The number at `key`, which may be written as text; None if it is unset.
    ///
    /// # Errors
    /// `Invalid` if it is something else, NaN and infinities included.
    pub fn number(&self, key: &str) -> Result<Option<f64>, ConfigError> {
        self.read(key, "a finite number", |value| {
            let number = match value {
                Setting::Integer(number) => *number as f64,
                Setting::Float(number) => *number,
                Setting::Text(text) => text.parse().ok()?,
                _ => return None,
            };
            number.is_finite().then_some(number)
        })
    }

    /// The truth value at `key`; None if it is unset.
    ///
    /// # Errors
    /// `Invalid` if it is something else.
    pub fn boolean(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        self.read(key, "true or false", |value| match value {
            Setting::Boolean(truth) => Some(*truth),
            _ => None,
        })
    }

    /// The texts at `key`, where a lone text is a list of one; None if it is unset.
    ///
    /// # Errors
    /// `Invalid` if it is something else.
    pub fn texts(&self, key: &str) -> Result<Option<Vec<&str>>, ConfigError> {
        self.read(key, "a text or a list of texts", |value| match value {
            Setting::Text(text) => Some(vec![text.as_str()]),
            Setting::List(values) => values
                .iter()
                .map(|value| match value {
                    Setting::Text(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect(),
            _ => None,
        })
    }

    /// The table at `key`; None if it is unset.
    ///
    /// # Errors
    /// `Invalid` if it is something else.
    pub fn table(&self, key: &str) -> Result<Option<&Settings>, ConfigError> {
        self.read(key, "a table", |value| match value {
            Setting::Table(table) => Some(table),
            _ => None,
        })
    }

    /// The error that says that the value of `key` is not as `rule` says.
    pub fn invalid(&self, key: &str, rule: &'static str) -> ConfigError {
        let given = self.get(key).map_or_else(String::new, Setting::to_string);
        ConfigError::Invalid { key: key.to_owned(), given, rule }
    }

    /// Refuses keys that are not in `known`.
    ///
    /// # Errors
    /// `UnknownKey` for the first one, with the known key that is most like it.
    pub fn check_keys(&self, known: &[&'static str]) -> Result<(), ConfigError> {
        match self.0.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(ConfigError::UnknownKey { key: key.clone(), nearest: nearest(key, known) }),
        }
    }

    fn read<'s, T>(
        &'s self,
        key: &str,
        rule: &'static str,
        read: impl FnOnce(&'s Setting) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| self.invalid(key, rule)),
        }
    }
}

/// The key in `known` that takes the fewest changes to become, if it takes fewer than half of the letters.
fn nearest(key: &str, known: &[&'static str]) -> Option<&'static str> {
    let (changes, nearest) = known.iter().map(|known| (changes(key, known), *known)).min()?;
    (changes <= key.chars().count() / 2).then_some(nearest)
}

/// The least number of letters to insert, delete or replace that makes `one` the `other` (Levenshtein's distance).
fn changes(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (done, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = done + 1;
        for (at, there) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *there);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

impl FromIterator<(String, Setting)> for Settings {
    fn from_iter<T: IntoIterator<Item = (String, Setting)>>(values: T) -> Self {
        Self(values.into_iter().collect())
    }
}

impl From<&str> for Setting {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Setting {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i32> for Setting {
    fn from(number: i32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<i64> for Setting {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for Setting {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<bool> for Setting {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

impl<T: Into<Setting>> From<Vec<T>> for Setting {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Setting>, const N: usize> From<[T; N]> for Setting {
    fn from(values: [T; N]) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl From<Settings> for Setting {
    fn from(table: Settings) -> Self {
        Self::Table(table)
    }
}

#[cfg(feature = "config")]
impl TryFrom<toml::Table> for Settings {
    type Error = ConfigError;

    fn try_from(table: toml::Table) -> Result<Self, ConfigError> {
        let values = table.into_iter().map(|(key, value)| {
            let setting = from_toml(&key, value)?;
            Ok((key, setting))
        });
        values.collect()
    }
}

#[cfg(feature = "config")]
fn from_toml(key: &str, value: toml::Value) -> Result<Setting, ConfigError> {
    Ok(match value {
        toml::Value::String(text) => Setting::Text(text),
        toml::Value::Integer(number) => Setting::Integer(number),
        toml::Value::Float(number) => Setting::Float(number),
        toml::Value::Boolean(truth) => Setting::Boolean(truth),
        toml::Value::Array(values) => {
            Setting::List(values.into_iter().map(|value| from_toml(key, value)).collect::<Result<_, _>>()?)
        }
        toml::Value::Table(table) => Setting::Table(Settings::try_from(table)?),
        toml::Value::Datetime(time) => {
            let rule = "text, a number, a boolean, a list or a table";
            return Err(ConfigError::Invalid { key: key.to_owned(), given: time.to_string(), rule });
        }
    })
}

/// As TOML would have it.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number:?}"),
            Self::Boolean(truth) => write!(f, "{truth}"),
            Self::List(values) => {
                f.write_str("[")?;
                for (at, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Table(table) => {
                f.write_str("{")?;
                for (at, (key, value)) in table.iter().enumerate() {
                    write!(f, "{} {key} = {value}", if at == 0 { "" } else { "," })?;
                }
                f.write_str(" }")
            }
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey { key, nearest: None } => write!(f, "key {key:?} is not known"),
            Self::UnknownKey { key, nearest: Some(nearest) } => {
                write!(f, "key {key:?} is not known; the nearest one is {nearest:?}")
            }
            Self::Invalid { key, given, rule } => write!(f, "{key} is {given}, which is not {rule}"),
            Self::Syntax { message } => write!(f, "the configuration is no TOML: {message}"),
            Self::Provider { name, source } => write!(f, "provider {name:?} cannot be used: {source}"),
            Self::Server { source } => write!(f, "the metrics server cannot start: {source}"),
        }
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Provider { source, .. } | Self::Server { source } => Some(&**source),
            Self::UnknownKey { .. } | Self::Invalid { .. } | Self::Syntax { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_another_kind_is_named_with_its_key() {
        let settings = Settings::new().with("interval", "1 minute").with("ports", [5280, 5281]).with("deep", true);
        assert_eq!(
            settings.number("interval").unwrap_err().to_string(),
            "interval is \"1 minute\", which is not a finite number"
        );
        assert_eq!(
            settings.texts("ports").unwrap_err().to_string(),
            "ports is [5280, 5281], which is not a text or a list of texts"
        );
        assert_eq!(settings.table("deep").unwrap_err().to_string(), "deep is true, which is not a table");
        assert_eq!(settings.text("absent").unwrap(), None);
    }

    #[test]
    fn an_unknown_key_is_answered_with_the_nearest_known_one() {
        let near = Settings::new().with("statistic_interval", 5).check_keys(&["statistics", "statistics_interval"]);
        let near = near.unwrap_err().to_string();
        assert_eq!(near, "key \"statistic_interval\" is not known; the nearest one is \"statistics_interval\"");
        let far = Settings::new().with("zzz", 5).check_keys(&["statistics"]).unwrap_err().to_string();
        assert_eq!(far, "key \"zzz\" is not known");
    }

    #[test]
    #[cfg(feature = "config")]
    fn toml_becomes_the_same_settings() {
        let text =
            "statistics = 'statsd'\nstatistics_interval = 0.5\n[statistics_config]\nbatch = true\nids = [1, 2]\n";
        let inner = Settings::new().with("batch", true).with("ids", [1, 2]);
        let same = Settings::new()
            .with("statistics", "statsd")
            .with("statistics_interval", 0.5)
            .with("statistics_config", inner);
        assert_eq!(Settings::from_toml(text).unwrap(), same);
        assert!(matches!(Settings::from_toml("a = "), Err(ConfigError::Syntax { .. })));
        assert!(matches!(Settings::from_toml("a = 1979-05-27"), Err(ConfigError::Invalid { .. })));
    }
}
