//! Declarations in a scope: named after it, with its preset key in front, giving views on its preset value.

use std::time::Duration;

use super::{
    Scope,
    books::{Entry, Used},
};
use crate::{
    family::{Family, LabelSet, TypedFamily, View},
    instrument::{ExemplarLabels, GaugeHistogram, Histogram, Instrument, StateSet, Summary, TakesExemplars},
    model::{DeclareError, FamilyName, MetricFamily},
    registry::Declaration,
};

/// A family that is being declared in a scope. Nothing exists until [`declare`](Self::declare) or [`single`](Self::single).
#[derive(Clone, Debug)]
#[must_use = "nothing is declared until `declare` or `single`"]
pub struct ScopedDeclaration<I> {
    scope: Scope,
    name: String,
    unit: String,
    help: String,
    label_keys: Vec<String>,
    declaration: Declaration<I>,
}

/// A family, and the view on it that a scope was given.
pub(super) struct Declared<I> {
    pub(super) family: Family<I>,
    pub(super) view: View<I>,
}

impl<I: Instrument> ScopedDeclaration<I> {
    pub(super) fn new(scope: &Scope, name: &str) -> Self {
        Self {
            scope: scope.clone(),
            name: name.to_owned(),
            unit: String::new(),
            help: String::new(),
            label_keys: Vec::new(),
            declaration: scope.registry().declaration(&format!("{}{name}", scope.prefix())),
        }
    }

    /// The unit, such as `seconds` or `bytes`; see [`Declaration::unit`].
    pub fn unit(self, unit: &str) -> Self {
        Self { unit: unit.to_owned(), ..self }
    }

    /// What the family means, for people.
    pub fn help(self, help: &str) -> Self {
        Self { help: help.to_owned(), ..self }
    }

    /// The label keys behind the preset one, in the order in which values will be given.
    pub fn labels(self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { label_keys: keys.into_iter().map(Into::into).collect(), ..self }
    }

    /// The most series of the family, all scopes together.
    pub fn max_series(self, max_series: usize) -> Self {
        Self { declaration: self.declaration.max_series(max_series), ..self }
    }

    /// How long a series is kept that nobody writes or holds; see [`Declaration::expire_after`].
    pub fn expire_after(self, idle: Duration) -> Self {
        Self { declaration: self.declaration.expire_after(idle), ..self }
    }

    /// Declares the family, and gives the view on the scope's preset value; on everything if the scope has none.
    ///
    /// # Errors
    /// Those of [`Declaration::declare`]: `DuplicateLabel` if a key is that of the preset, `Conflict` if a scope of this module with
    /// another preset key, or with none, declared the name. `Closed` if the scope is.
    pub fn declare(self) -> Result<View<I>, DeclareError> {
        self.give(|view| view)
    }

    /// Declares the family with the label keys of `L` behind that of the preset, in place of any that were given.
    ///
    /// # Errors
    /// Those of [`declare`](Self::declare).
    pub fn typed<L: LabelSet>(self) -> Result<TypedFamily<I, L>, DeclareError> {
        self.labels(L::KEYS.iter().copied()).give(TypedFamily::new)
    }

    /// Declares, and makes `give` of the view before the scope can be closed.
    fn give<T>(self, give: impl FnOnce(View<I>) -> T) -> Result<T, DeclareError> {
        let spaced_unit = if self.unit.is_empty() { String::new() } else { format!("{} ", self.unit) };
        let colon_help = if self.help.is_empty() { String::new() } else { format!(": {}", self.help) };
        let line = format!("{} ({spaced_unit}{}){colon_help}", self.name, I::KIND.metric_type());
        let declaration = self.declaration.unit(&self.unit).help(&self.help);
        self.scope.declare(&self.name, self.label_keys, line, declaration, give)
    }

    /// Declares a family without label keys other than that of the preset, and gives the scope's one metric of it.
    ///
    /// # Errors
    /// Those of [`declare`](Self::declare); `Labelled` if there are label keys.
    pub fn single(self) -> Result<I, DeclareError> {
        if !self.label_keys.is_empty() {
            let raw = format!("{}{}", self.scope.prefix(), self.name);
            let dialect = self.scope.registry().dialect();
            let name = FamilyName::compose_in(dialect, &raw, &self.unit, I::KIND.metric_type())?;
            return Err(DeclareError::Labelled { family: name.raw().to_owned(), keys: self.label_keys.len() });
        }
        self.give(only)
    }
}

impl<I: TakesExemplars> ScopedDeclaration<I> {
    /// Whom to ask for exemplars; see [`Declaration::exemplars`].
    pub fn exemplars(self, source: impl ExemplarLabels + Send + Sync + 'static) -> Self {
        Self { declaration: self.declaration.exemplars(source), ..self }
    }
}

impl ScopedDeclaration<Histogram> {
    /// The thresholds of the buckets; see [`Declaration::buckets`].
    pub fn buckets(self, thresholds: impl IntoIterator<Item = f64>) -> Self {
        Self { declaration: self.declaration.buckets(thresholds), ..self }
    }
}

impl ScopedDeclaration<Summary> {
    /// The quantiles to compute; see [`Declaration::quantiles`].
    pub fn quantiles(self, quantiles: impl IntoIterator<Item = f64>) -> Self {
        Self { declaration: self.declaration.quantiles(quantiles), ..self }
    }

    /// The interval over which quantiles are computed; see [`Declaration::interval`].
    pub fn interval(self, interval: Duration) -> Self {
        Self { declaration: self.declaration.interval(interval), ..self }
    }
}

impl ScopedDeclaration<GaugeHistogram> {
    /// The thresholds of the buckets; see [`Declaration::buckets`].
    pub fn buckets(self, thresholds: impl IntoIterator<Item = f64>) -> Self {
        Self { declaration: self.declaration.buckets(thresholds), ..self }
    }
}

impl ScopedDeclaration<StateSet> {
    /// The states; see [`Declaration::states`].
    pub fn states(self, states: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { declaration: self.declaration.states(states), ..self }
    }
}

impl<I: Instrument> Used for Declared<I> {
    fn is_live(&self) -> bool {
        self.family.is_live()
    }

    fn is_empty(&self) -> bool {
        self.family.series_count() == 0
    }

    fn take(&self) -> MetricFamily {
        self.view.remove_all()
    }
}

/// The one metric of a view without open keys.
pub(crate) fn only<I: Instrument>(view: View<I>) -> I {
    view.with_labels(()).expect("the only key is fixed")
}

impl Scope {
    /// Declares `declaration`, whose name is that of this scope and `name`, with the preset key before `keys`. `line` is how an
    /// operator reads it. What `give` makes of the view is made before the scope can be closed, so a series of it is removed then.
    pub(crate) fn declare<I: Instrument, T>(
        &self,
        name: &str,
        keys: Vec<String>,
        line: String,
        declaration: Declaration<I>,
        give: impl FnOnce(View<I>) -> T,
    ) -> Result<T, DeclareError> {
        // Behind a prefix no name is empty; without it, it must be one.
        FamilyName::compose_in(self.registry().dialect(), name, "", I::KIND.metric_type())?;
        let state = &self.state;
        let closed = || DeclareError::Closed { scope: state.prefix.clone(), name: name.to_owned() };
        state.books.declare(state.number, &state.identity, closed, |entries| {
            let preset = state.identity.preset();
            let keys = preset.iter().map(|(key, _)| (*key).to_owned()).chain(keys);
            let family = declaration.labels(keys).declare()?;
            let view = match preset {
                Some((_, value)) => family.with_partial_label(value).expect("the preset key is the first"),
                None => View::clone(&family),
            };
            let raw = family.metadata().name().raw().to_owned();
            entries.check_preset(&raw, &state.identity)?;
            let used = Box::new(Declared { family, view: view.clone() });
            Ok(Entry { raw, line, used, result: give(view) })
        })
    }
}
