//! What is fixed about a family from its declaration on.

use std::{ops::Range, sync::Arc, time::Duration};

use crate::model::native::{EXEMPLAR_PLACES, exemplar_place};
use crate::model::number::write_threshold;
use crate::model::{
    DeclareError, FamilyName, MetricType, NativeOptions, StateRule, check_keys_in, escape_into, label_text,
    scheme::is_label_name,
};

/// The most states of a stateset: they are the bits of one word, so that none is seen without the others.
const MOST_STATES: usize = 64;

/// Name, type, help, label keys, thresholds, quantiles and states of a family.
///
/// # Examples
/// ```
/// use manometer::model::{FamilyName, Metadata, MetricType};
///
/// let name = FamilyName::compose("latency", "seconds", MetricType::Histogram)?;
/// let metadata = Metadata::new(name, MetricType::Histogram)
///     .with_help("Time until the first byte")
///     .with_labels(&["method"])?
///     .with_thresholds([0.1, 1.0].into());
/// assert_eq!(metadata.threshold_text(1), "1.0");
/// # Ok::<(), manometer::model::DeclareError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    name: FamilyName,
    kind: MetricType,
    help: Box<str>,
    label_keys: Box<[Box<str>]>,
    /// The same as text has them before the `=`, if that is not the same.
    key_texts: Option<Box<[Box<str>]>>,
    thresholds: Arc<[f64]>,
    threshold_texts: Box<[Box<str>]>,
    quantiles: Arc<[f64]>,
    quantile_texts: Box<[Box<str>]>,
    interval: Option<Duration>,
    native: Option<NativeOptions>,
    states: Arc<[Box<str>]>,
    /// The states as pages print them.
    state_texts: Box<[Box<str>]>,
}

impl Metadata {
    /// A family without help, labels, finite thresholds, quantiles and states.
    pub fn new(name: FamilyName, kind: MetricType) -> Self {
        Self {
            name,
            kind,
            help: Box::default(),
            label_keys: Box::default(),
            key_texts: None,
            thresholds: Arc::default(),
            threshold_texts: Box::default(),
            quantiles: Arc::default(),
            quantile_texts: Box::default(),
            interval: None,
            native: None,
            states: Arc::default(),
            state_texts: Box::default(),
        }
    }

    /// The same with a help text.
    pub fn with_help(self, help: &str) -> Self {
        Self { help: help.into(), ..self }
    }

    /// The same with label keys.
    ///
    /// # Errors
    /// Those of [`check_keys_in`], by the name's dialect.
    pub fn with_labels(self, keys: &[impl AsRef<str>]) -> Result<Self, DeclareError> {
        check_keys_in(self.name.dialect(), self.name.raw(), self.kind, keys)?;
        let is_foreign = keys.iter().any(|key| !is_label_name(key.as_ref()));
        let key_texts = is_foreign.then(|| keys.iter().map(|key| label_text(key.as_ref()).into()).collect());
        Ok(Self { label_keys: keys.iter().map(|key| Box::from(key.as_ref())).collect(), key_texts, ..self })
    }

    /// The same with the thresholds of a histogram, which the caller has found to be finite and ascending. Their texts are those of
    /// the name's dialect.
    pub fn with_thresholds(self, thresholds: Arc<[f64]>) -> Self {
        let dialect = self.name.dialect();
        let threshold_texts = texts(&thresholds, |threshold, text| dialect.write_threshold(threshold, text));
        Self { threshold_texts, thresholds, ..self }
    }

    /// The same with the quantiles of a summary, which the caller has found to lie in 0 to 1 and to ascend.
    pub fn with_quantiles(self, quantiles: Arc<[f64]>) -> Self {
        Self { quantile_texts: texts(&quantiles, write_threshold), quantiles, ..self }
    }

    /// The same with the interval over which quantiles are computed.
    pub fn with_interval(self, interval: Duration) -> Self {
        Self { interval: Some(interval), ..self }
    }

    /// The same with the options of a native histogram, which the caller has found to be good.
    pub fn with_native(self, native: NativeOptions) -> Self {
        Self { native: Some(native), ..self }
    }

    /// The same with the states of a stateset.
    ///
    /// # Errors
    /// `NoStates`, or `InvalidStates` for the first that breaks a rule.
    pub fn with_states(self, states: &[impl AsRef<str>]) -> Result<Self, DeclareError> {
        let family = || self.name.raw().to_owned();
        if states.is_empty() {
            return Err(DeclareError::NoStates { family: family() });
        }
        for (position, state) in states.iter().map(AsRef::as_ref).enumerate() {
            let rule = match state {
                _ if position >= MOST_STATES => StateRule::TooMany,
                "" => StateRule::Empty,
                state if states[..position].iter().any(|before| before.as_ref() == state) => StateRule::Duplicate,
                _ => continue,
            };
            return Err(DeclareError::InvalidStates { family: family(), position, state: state.to_owned(), rule });
        }
        let text = |state: &str| {
            let mut text = String::new();
            escape_into(state, true, &mut text);
            text.into_boxed_str()
        };
        let state_texts = states.iter().map(|state| text(state.as_ref())).collect();
        Ok(Self { states: states.iter().map(|state| Box::from(state.as_ref())).collect(), state_texts, ..self })
    }

    /// The name.
    pub fn name(&self) -> &FamilyName {
        &self.name
    }

    /// The type.
    pub fn kind(&self) -> MetricType {
        self.kind
    }

    /// The help text as declared; empty when there is none.
    pub fn help(&self) -> &str {
        &self.help
    }

    /// The label keys in declared order.
    pub fn label_keys(&self) -> &[Box<str>] {
        &self.label_keys
    }

    /// The label keys as text has them before the `=`: in quotes those that are not classic.
    pub(crate) fn key_texts(&self) -> &[Box<str>] {
        self.key_texts.as_ref().unwrap_or(&self.label_keys)
    }

    /// Whether all label keys are classic.
    pub(crate) fn has_classic_keys(&self) -> bool {
        self.key_texts.is_none()
    }

    /// Whether the name is classic, as the name of a label too if its samples have one.
    pub(crate) fn has_classic_name(&self) -> bool {
        self.name.is_classic() && (self.kind != MetricType::StateSet || is_label_name(self.name.exposed()))
    }

    /// The finite thresholds, ascending; `+Inf` is implied.
    pub fn thresholds(&self) -> &Arc<[f64]> {
        &self.thresholds
    }

    /// The quantiles, ascending.
    pub fn quantiles(&self) -> &Arc<[f64]> {
        &self.quantiles
    }

    /// The interval over which quantiles are computed, if there are any.
    pub fn interval(&self) -> Option<Duration> {
        self.interval
    }

    /// The options of a native histogram, if it is one.
    pub fn native(&self) -> Option<&NativeOptions> {
        self.native.as_ref()
    }

    /// How many buckets a histogram has, that of `+Inf` included.
    pub fn buckets(&self) -> usize {
        self.thresholds.len() + 1
    }

    /// Where the exemplars of a bucket have their places among those of a metric. A native histogram without classic buckets has several for
    /// its only one.
    pub(crate) fn exemplar_places(&self, bucket: usize) -> Range<usize> {
        if self.is_native_alone() { 0..EXEMPLAR_PLACES } else { bucket..bucket + 1 }
    }

    /// The place of an exemplar of `value`, which was counted in `bucket`.
    pub(crate) fn exemplar_place(&self, bucket: usize, value: f64) -> usize {
        if self.is_native_alone() { exemplar_place(value) } else { bucket }
    }

    /// The most exemplars that a metric can have.
    pub(crate) fn most_exemplars(&self) -> usize {
        self.exemplar_places(self.thresholds.len()).end
    }

    /// Whether it is a native histogram without classic buckets.
    pub(crate) fn is_native_alone(&self) -> bool {
        self.native.is_some() && self.thresholds.is_empty()
    }

    /// The threshold of `bucket` as every format writes it in `le`.
    pub fn threshold_text(&self, bucket: usize) -> &str {
        self.threshold_texts.get(bucket).map_or("+Inf", AsRef::as_ref)
    }

    /// The quantile at `position` as every format writes it in `quantile`.
    ///
    /// # Panics
    /// When there is no such quantile.
    pub fn quantile_text(&self, position: usize) -> &str {
        &self.quantile_texts[position]
    }

    /// The states of a stateset, in declared order.
    pub fn states(&self) -> &Arc<[Box<str>]> {
        &self.states
    }

    /// The state at `position` as every format writes it.
    ///
    /// # Panics
    /// When there is no such state.
    pub fn state_text(&self, position: usize) -> &str {
        &self.state_texts[position]
    }

    /// Whether a threshold is negative, or a native histogram takes negative values: such a histogram takes negative observations, and so exposes neither sum nor
    /// count, since its sum may shrink.
    pub fn has_negative_threshold(&self) -> bool {
        self.thresholds.first().is_some_and(|lowest| *lowest < 0.0)
            || self.native.is_some_and(|native| native.takes_negative())
    }
}

fn texts(bounds: &[f64], write: impl Fn(f64, &mut String)) -> Box<[Box<str>]> {
    let text = |bound: &f64| {
        let mut text = String::new();
        write(*bound, &mut text);
        text.into_boxed_str()
    };
    bounds.iter().map(text).collect()
}
