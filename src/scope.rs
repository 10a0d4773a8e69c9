//! Scopes: what one part of a program declares, under one prefix and, if it likes, with one label fixed.
//!
//! The names of a scope of the module `c2s` begin with `<namespace>_mod_c2s/`. Its preset label, such as `host`, goes before the
//! declared keys; what it declares are views on that label's value, so scopes of one module share their families and never each
//! other's series.
//!
//! # The life of a scope
//! Scopes of one module and one preset are one *member* of the manager's books, however often they are opened. Dropping a scope
//! keeps everything, so that a reload which opens it again goes on counting. [`Scope::close`] removes the member's series, and the
//! families that no other member uses; but as long as another scope of the same member is open, that one keeps them.

mod books;
mod declare;

use std::fmt;

use crate::{
    family::{LabelValue, NumberRoom},
    instrument::{
        Counter, FloatCounter, Gauge, GaugeHistogram, Histogram, Info, StateSet, Summary, Unknown, UpDownGauge,
    },
    model::{DeclareError, FamilyName, MetricSet, MetricType, check_keys_in},
    registry::Registry,
    sync::Arc,
};

pub(crate) use books::Books;
pub use declare::ScopedDeclaration;
pub(crate) use declare::only;

use books::Identity;

/// A part of a program that declares under a prefix of its own, with one label fixed if it has a preset. Clones are one scope.
///
/// # Examples
/// ```
/// let manager = manometer::Manager::builder().manual().provider("internal").build()?;
/// let scope = manager.scope("c2s").preset("host", "example.org").open()?;
/// let connections = scope.gauge("connections").help("Open client connections").labels(["type"]).declare()?;
/// connections.set(("c2s",), 3.0)?;
///
/// let registry = manager.registry().expect("enabled");
/// let family = registry.get::<manometer::Gauge>("prosody_mod_c2s/connections").expect("declared above");
/// assert_eq!(family.with_labels(("example.org", "c2s"))?.value(), 3.0);
/// assert_eq!(scope.declarations(), ["connections (gauge): Open client connections"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Scope {
    state: Arc<State>,
}

/// One opening of a scope.
struct State {
    books: Arc<Books>,
    identity: Identity,
    /// What stands before a name: `<namespace>_mod_<module>/`.
    prefix: String,
    /// How much of the prefix is the namespace.
    namespace_len: usize,
    number: u64,
}

/// A scope that is being described. It exists from [`open`](Self::open) on.
#[derive(Clone, Debug)]
#[must_use = "there is no scope until `open`"]
pub struct ScopeBuilder {
    books: Arc<Books>,
    identity: Identity,
}

impl ScopeBuilder {
    pub(crate) fn new(books: &Arc<Books>, module: &str) -> Self {
        Self { books: books.clone(), identity: Identity::Module { name: module.to_owned(), preset: None } }
    }

    /// Fixes the label `key`, which all families of the scope have first, to `value`.
    pub fn preset(self, key: &str, value: impl LabelValue) -> Self {
        let value = value.text(&mut NumberRoom::new()).to_owned();
        let name = self.identity.module().to_owned();
        Self { identity: Identity::Module { name, preset: Some((key.to_owned(), value)) }, ..self }
    }

    /// Opens the scope.
    ///
    /// # Errors
    /// `EmptyName` or `InvalidName` for the name of the module, `InvalidLabel` for the key.
    pub fn open(self) -> Result<Scope, DeclareError> {
        let module = self.identity.module();
        FamilyName::compose(module, "", MetricType::Gauge)?;
        let prefix = format!("{}_mod_{module}/", self.books.namespace());
        if let Some((key, _)) = self.identity.preset() {
            check_keys_in(self.books.registry().dialect(), &prefix, MetricType::Gauge, &[key])?;
        }
        Ok(Scope::new(self.books, self.identity, prefix))
    }
}

impl Scope {
    /// The manager's own: no module, no preset, `<namespace>_` before the names.
    pub(crate) fn root(books: &Arc<Books>) -> Self {
        Self::new(books.clone(), Identity::Root, format!("{}_", books.namespace()))
    }

    fn new(books: Arc<Books>, identity: Identity, prefix: String) -> Self {
        let number = books.open(&identity);
        let namespace_len = books.namespace().len() + "_".len();
        Self { state: Arc::new(State { books, identity, prefix, namespace_len, number }) }
    }

    /// Begins the declaration of a counter of whole numbers.
    pub fn counter(&self, name: &str) -> ScopedDeclaration<Counter> {
        ScopedDeclaration::new(self, name)
    }

    /// Begins the declaration of a counter of floats.
    pub fn float_counter(&self, name: &str) -> ScopedDeclaration<FloatCounter> {
        ScopedDeclaration::new(self, name)
    }

    /// Begins the declaration of a gauge.
    pub fn gauge(&self, name: &str) -> ScopedDeclaration<Gauge> {
        ScopedDeclaration::new(self, name)
    }

    /// Begins the declaration of a gauge that moves in steps.
    pub fn up_down_gauge(&self, name: &str) -> ScopedDeclaration<UpDownGauge> {
        ScopedDeclaration::new(self, name)
    }

    /// Begins the declaration of a histogram; it needs buckets.
    pub fn histogram(&self, name: &str) -> ScopedDeclaration<Histogram> {
        ScopedDeclaration::new(self, name)
    }

    /// Begins the declaration of a summary.
    pub fn summary(&self, name: &str) -> ScopedDeclaration<Summary> {
        ScopedDeclaration::new(self, name)
    }

    /// Begins the declaration of an info: text that does not change, in labels. A name that ends in `_info` means the family
    /// without it.
    pub fn info(&self, name: &str) -> ScopedDeclaration<Info> {
        ScopedDeclaration::new(self, name)
    }

    /// Begins the declaration of a stateset; it needs states.
    pub fn state_set(&self, name: &str) -> ScopedDeclaration<StateSet> {
        ScopedDeclaration::new(self, name)
    }

    /// Begins the declaration of a metric of which nobody knows what it is.
    pub fn unknown(&self, name: &str) -> ScopedDeclaration<Unknown> {
        ScopedDeclaration::new(self, name)
    }

    /// Begins the declaration of a gauge histogram; it needs buckets.
    pub fn gauge_histogram(&self, name: &str) -> ScopedDeclaration<GaugeHistogram> {
        ScopedDeclaration::new(self, name)
    }

    /// What was declared here, in the order of first declaration, as lines for an operator: `connections (gauge): Open client
    /// connections`, `m (bytes amount)`.
    pub fn declarations(&self) -> Vec<String> {
        self.state.books.lines(self.state.number)
    }

    /// What all names of the scope begin with.
    pub fn prefix(&self) -> &str {
        &self.state.prefix
    }

    /// The key and value of the preset label.
    pub fn preset(&self) -> Option<(&str, &str)> {
        self.state.identity.preset()
    }

    /// Ends the scope: pushes once more, then removes its series, and the families that no other scope uses. Hands back what they
    /// held; nothing if the scope is closed already, or if another one with this module and preset is open and keeps them.
    ///
    /// Handles stay safe and count unseen. Views stay safe too, but where another scope keeps the family, whoever looks labels up
    /// through one makes their series again. Later declarations here are refused. (Dropping a scope keeps everything.)
    pub fn close(&self) -> MetricSet {
        self.state.books.close(self.state.number, &self.state.identity)
    }

    /// The prefix without the namespace, for descriptions.
    pub(crate) fn short_prefix(&self) -> &str {
        &self.state.prefix[self.state.namespace_len..]
    }

    pub(crate) fn registry(&self) -> &Registry {
        self.state.books.registry()
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.books.leave(self.number, &self.identity);
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("prefix", &self.state.prefix).field("preset", &self.preset()).finish()
    }
}
