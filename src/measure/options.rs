//! Options of measures as a configuration has them.

use super::MeasureType;
use crate::model::{DeclareError, Setting};

/// What a declaration may say; each type has some of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub(super) unit: Option<String>,
    pub(super) help: Option<String>,
    pub(super) initial: f64,
    pub(super) buckets: Option<Vec<f64>>,
    pub(super) quantiles: Vec<f64>,
    /// In seconds.
    pub(super) interval: Option<f64>,
}

impl Options {
    /// The options of the measure `name` of type `kind`.
    ///
    /// # Errors
    /// `UnknownOption`, `InvalidOption`.
    pub(super) fn read(kind: MeasureType, name: &str, given: &Setting) -> Result<Self, DeclareError> {
        let unknown = |option: &str| DeclareError::UnknownOption {
            measure: name.to_owned(),
            kind: kind.as_str(),
            option: option.to_owned(),
            known: kind.options(),
            hint: (option == "units" && kind.fixed_unit().is_none()).then_some("unit"),
        };
        let mut options = Self::default();
        match (given, kind) {
            (Setting::Integer(_) | Setting::Float(_), MeasureType::Counter | MeasureType::Rate) => {}
            (Setting::Integer(_) | Setting::Float(_), MeasureType::Amount) => options.set(name, "initial", given)?,
            (Setting::Text(_), MeasureType::Distribution) => options.set(name, "unit", given)?,
            (Setting::Table(table), _) => {
                for (key, value) in table.iter() {
                    let known = kind.options().iter().find(|known| **known == key);
                    options.set(name, known.ok_or_else(|| unknown(key))?, value)?;
                }
            }
            (bare, _) => return Err(unknown(&bare.to_string())),
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, option: &'static str, value: &Setting) -> Result<(), DeclareError> {
        let invalid =
            |rule| DeclareError::InvalidOption { measure: name.to_owned(), option, given: value.to_string(), rule };
        match option {
            "initial" => self.initial = number(value).ok_or_else(|| invalid("a number"))?,
            "buckets" => self.buckets = Some(numbers(value).ok_or_else(|| invalid("a list of numbers"))?),
            "quantiles" => self.quantiles = numbers(value).ok_or_else(|| invalid("a list of numbers"))?,
            "interval" => self.interval = Some(number(value).ok_or_else(|| invalid("a number of seconds"))?),
            text => {
                let Setting::Text(value) = value else { return Err(invalid("text")) };
                *(if text == "unit" { &mut self.unit } else { &mut self.help }) = Some(value.clone());
            }
        }
        Ok(())
    }
}

fn number(value: &Setting) -> Option<f64> {
    match value {
        Setting::Integer(number) => Some(*number as f64),
        Setting::Float(number) => Some(*number),
        _ => None,
    }
}

fn numbers(value: &Setting) -> Option<Vec<f64>> {
    match value {
        Setting::List(values) => values.iter().map(number).collect(),
        _ => None,
    }
}
