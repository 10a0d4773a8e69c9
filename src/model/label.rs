//! Labels: which keys are allowed, how a label set is written, and the table that holds those of one family.

use std::{borrow::Cow, fmt};

use crate::model::{
    DeclareError, Dialect, EscapingScheme, LabelRule, MetricType, ShapeError, escape_into,
    scheme::{is_label_name, label_text},
};

/// The most label keys of a family: an interned label tuple counts them in one byte.
const MOST_KEYS: usize = 255;

/// The label under which Prometheus keeps the name of a metric.
const METRIC_NAME: &str = "__name__";

/// The label sets of one family, one row per metric, in label-value order.
///
/// The order is by the values of the first key, then of the second, and no row occurs twice: a page that walks the
/// rows repeats no series.
pub trait LabelRows: fmt::Debug + Send + Sync {
    /// How many rows there are.
    fn len(&self) -> usize;

    /// Whether there is no row.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The label set of `row` as [`write_label_text`] writes it.
    ///
    /// # Panics
    /// When there is no such row.
    fn text(&self, row: usize) -> &str;

    /// The value of the `key`th key in `row`.
    ///
    /// # Panics
    /// When there is no such row or key.
    fn value(&self, row: usize, key: usize) -> &str;
}

/// Label sets written down by hand.
///
/// # Examples
/// ```
/// use manometer::model::{LabelRows, LabelTable};
///
/// let labels = LabelTable::new(&["method", "path"], [["GET", "/"], ["PUT", "/\"x\""]])?;
/// assert_eq!(labels.text(1), r#"method="PUT",path="/\"x\"""#);
/// # Ok::<(), manometer::model::ShapeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LabelTable {
    keys: usize,
    values: Vec<Box<str>>,
    texts: Vec<Box<str>>,
}

impl LabelTable {
    /// Takes one value per key and row, the rows in label-value order.
    ///
    /// # Errors
    /// `Arity` for a row with too few or too many values, `Order` for one that does not come after the row before it.
    pub fn new<R>(keys: &[impl AsRef<str>], rows: impl IntoIterator<Item = R>) -> Result<Self, ShapeError>
    where
        R: IntoIterator<Item: Into<String>>,
    {
        let mut table = Self { keys: keys.len(), values: Vec::new(), texts: Vec::new() };
        for (row, values) in rows.into_iter().enumerate() {
            let start = table.values.len();
            table.values.extend(values.into_iter().map(|value| value.into().into_boxed_str()));
            let (before, values) = table.values.split_at(start);
            if values.len() != keys.len() {
                return Err(ShapeError::Arity { row, expected: keys.len(), given: values.len() });
            }
            if row > 0 && before[start - keys.len()..] >= *values {
                return Err(ShapeError::Order { row });
            }
            let mut text = String::new();
            write_label_text(keys, values.iter().map(AsRef::as_ref), &mut text);
            table.texts.push(text.into_boxed_str());
        }
        Ok(table)
    }

    /// The table of a family without label keys: one row, without values.
    pub fn unlabelled() -> Self {
        Self { keys: 0, values: Vec::new(), texts: vec![Box::from("")] }
    }
}

impl LabelRows for LabelTable {
    fn len(&self) -> usize {
        self.texts.len()
    }

    fn text(&self, row: usize) -> &str {
        &self.texts[row]
    }

    fn value(&self, row: usize, key: usize) -> &str {
        &self.values[row * self.keys..][..self.keys][key]
    }
}

/// Checks the label keys of a family, given by its raw name: `[A-Za-z][A-Za-z0-9_]*`, each once, none that its samples add
/// themselves: `le`, `quantile`, and the name of a stateset as a page shows it.
///
/// # Errors
/// `TooManyLabels` for more than 255; `InvalidLabel`, `DuplicateLabel` or `ReservedLabel` for the first key that breaks a rule.
pub fn check_keys(family: &str, kind: MetricType, keys: &[impl AsRef<str>]) -> Result<(), DeclareError> {
    check_keys_in(Dialect::OpenMetrics, family, kind, keys)
}

/// The same by the rules of a dialect. In `Utf8` a key is any text that is not empty, has no control character and does not begin with
/// an underscore, and in no escaping scheme it may look like another one, like one that samples add, or like `__name__`.
///
/// # Errors
/// Those of [`check_keys`]; in `Utf8` also `ForbiddenLabel` instead of `InvalidLabel`, and `LabelClash`.
pub fn check_keys_in(
    dialect: Dialect,
    family: &str,
    kind: MetricType,
    keys: &[impl AsRef<str>],
) -> Result<(), DeclareError> {
    if keys.len() > MOST_KEYS {
        return Err(DeclareError::TooManyLabels { family: family.to_owned(), given: keys.len() });
    }
    let exposed = dialect.exposed(family);
    let own_label = kind.own_label(&exposed);
    for (position, key) in keys.iter().enumerate() {
        let key = key.as_ref();
        let (family, label) = (|| family.to_owned(), || key.to_owned());
        match (dialect, broken_rule(key)) {
            (Dialect::Utf8, Some(rule)) => {
                return Err(DeclareError::ForbiddenLabel { family: family(), label: label(), rule });
            }
            (Dialect::OpenMetrics | Dialect::Prosody, _) if !is_key(key) => {
                return Err(DeclareError::InvalidLabel { family: family(), label: label() });
            }
            _ => {}
        }
        if own_label.is_some_and(|own| common_form(own, key).is_some()) {
            return Err(DeclareError::ReservedLabel { family: family(), label: label() });
        }
        for earlier in keys[..position].iter().map(AsRef::as_ref) {
            match common_form(earlier, key) {
                None => {}
                Some(_) if earlier == key => {
                    return Err(DeclareError::DuplicateLabel { family: family(), label: label() });
                }
                Some(form) => {
                    let (other, form) = (earlier.to_owned(), form.into_owned());
                    return Err(DeclareError::LabelClash { family: family(), label: label(), other, form });
                }
            }
        }
    }
    Ok(())
}

/// Appends a label set as a line shows it between the braces: `a="x",b="y"`, and `"a.b"="z"` for a key that is not classic.
///
/// Values are escaped once; a label with an empty value is left out, since the formats hold it for absent.
pub fn write_label_text<'a>(keys: &[impl AsRef<str>], values: impl Iterator<Item = &'a str>, out: &mut String) {
    write_labels(keys.iter().map(|key| label_text(key.as_ref())), values, out);
}

/// The same with the keys as text has them before the `=`.
pub(crate) fn write_labels<'a>(
    keys: impl Iterator<Item = impl AsRef<str>>,
    values: impl Iterator<Item = &'a str>,
    out: &mut String,
) {
    let present = keys.zip(values).filter(|(_, value)| !value.is_empty());
    for (position, (key, value)) in present.enumerate() {
        if position > 0 {
            out.push(',');
        }
        out.push_str(key.as_ref());
        out.push_str("=\"");
        escape_into(value, true, out);
        out.push('"');
    }
}

/// Whether this may be the name of a label.
pub(super) fn is_key(key: &str) -> bool {
    key.starts_with(|first: char| first.is_ascii_alphabetic())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The rule of the dialect `Utf8` that this key breaks.
pub(super) fn broken_rule(key: &str) -> Option<LabelRule> {
    match key {
        "" => Some(LabelRule::Empty),
        key if key.contains(char::is_control) => Some(LabelRule::ControlCharacter),
        key if key.starts_with('_') => Some(LabelRule::Underscore),
        key if common_form(METRIC_NAME, key).is_some() => Some(LabelRule::MetricName),
        _ => None,
    }
}

/// What two names of labels both look like in one scheme, if they do.
fn common_form<'k>(one: &str, other: &'k str) -> Option<Cow<'k, str>> {
    if is_label_name(one) && is_label_name(other) {
        return (one == other).then_some(Cow::Borrowed(other));
    }
    EscapingScheme::CLASHING.iter().find_map(|scheme| {
        let form = scheme.label_name(other);
        (form == scheme.label_name(one)).then_some(form)
    })
}
