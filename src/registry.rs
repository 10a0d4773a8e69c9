//! Where families are declared, found, replaced and removed; names are unique here.

mod declare;
pub mod fields;
mod push;
mod windows;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use arc_swap::ArcSwap;

use crate::{
    family::{Core, Family},
    instrument::{
        Clock, Counter, FloatCounter, Gauge, GaugeHistogram, Health, HealthReport, Histogram, Info, Instrument,
        Monotonic, StateSet, Summary, Unknown, UpDownGauge,
    },
    model::{DeclareError, Dialect, EscapingScheme, Metadata, MetricFamily, reserved_names},
    sync::{Arc, AtomicU64, GatedMutex, Ordering},
};

pub use declare::Declaration;
pub use fields::{MetricField, Metrics};
#[cfg(feature = "statsd")]
pub(crate) use push::Wire;

use push::Pushed;
use windows::Windows;

/// The most series of a family that says nothing else.
pub const DEFAULT_MAX_SERIES: usize = 100_000;

/// A set of families. Cheap to clone; clones are the same registry. Registries share nothing but the memory they count in.
///
/// # Examples
/// ```
/// use manometer::Registry;
///
/// let registry = Registry::new();
/// let requests = registry
///     .counter("http_requests")
///     .help("Requests answered, by method and status")
///     .labels(["method", "status"])
///     .declare()?;
/// let get_ok = requests.with_labels(("GET", 200))?; // keep it: recording through it needs no look-up
/// get_ok.inc();
/// requests.inc(("PUT", 404))?; // or look the labels up each time
/// assert_eq!(requests.sum(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Registry {
    inner: Arc<State>,
}

#[derive(Debug)]
struct State {
    options: RegistryOptions,
    health: Arc<Health>,
    names: GatedMutex<Names>,
    /// Counts declarations and removals, so that the listing knows when it is old.
    changes: AtomicU64,
    /// The families as scrapes see them.
    listing: ArcSwap<Listing>,
    /// The provider that pushes from here, if one does.
    pushed: Option<Pushed>,
    /// What ends the windows of quantiles.
    windows: Windows,
    /// By what the age of idle series is reckoned.
    clock: GatedMutex<Ages>,
}

/// A clock that many threads read.
struct Ages(Arc<dyn Clock + Send + Sync>);

impl fmt::Debug for Ages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ages")
    }
}

/// The families by name, and who has which sample name.
#[derive(Debug, Default)]
struct Names {
    by_raw: BTreeMap<String, Arc<Core>>,
    /// Sample name, as a page of the scheme has it, to the raw name of the family that reserves it.
    reserved: HashMap<(EscapingScheme, String), String>,
    /// Name on the wire of a push provider to the raw name of the family that reserves it.
    on_wire: HashMap<String, String>,
}

/// All families at one time.
#[derive(Debug, Default)]
struct Listing {
    /// Which change of the registry this is the state after.
    changes: u64,
    by_raw: Vec<Arc<Core>>,
    by_exposed: Vec<Arc<Core>>,
}

/// How a registry treats what is declared in it.
///
/// # Examples
/// ```
/// use manometer::RegistryOptions;
///
/// let registry = RegistryOptions::new().max_series(10_000).strict_declarations(true).build();
/// # drop(registry);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RegistryOptions {
    max_series: usize,
    strict_declarations: bool,
    dialect: Dialect,
    disabled: bool,
}

impl RegistryOptions {
    /// The defaults: 100 000 series a family, differences in a re-declaration warn.
    pub fn new() -> Self {
        Self {
            max_series: DEFAULT_MAX_SERIES,
            strict_declarations: false,
            dialect: Dialect::OpenMetrics,
            disabled: false,
        }
    }

    /// The most series of a family that does not say for itself.
    pub fn max_series(self, max_series: usize) -> Self {
        Self { max_series, ..self }
    }

    /// Whether a re-declaration that differs in description, unit or buckets is an error instead of a warning.
    pub fn strict_declarations(self, strict_declarations: bool) -> Self {
        Self { strict_declarations, ..self }
    }

    /// Whose rules the names and thresholds follow; those of OpenMetrics unless told otherwise. [`Dialect::Utf8`] takes names and label
    /// keys that no old scraper could take, and escapes them for each that does not ask for them as they are.
    ///
    /// # Examples
    /// ```
    /// use manometer::{RegistryOptions, model::Dialect};
    ///
    /// let registry = RegistryOptions::new().dialect(Dialect::Prosody).build();
    /// let family = registry.histogram("wait_seconds").unit("seconds").buckets([1.0]).declare()?;
    /// assert_eq!(family.metadata().name().raw(), "wait_seconds_seconds");
    /// assert_eq!(family.metadata().threshold_text(0), "1");
    /// # Ok::<(), manometer::DeclareError>(())
    /// ```
    pub fn dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// Declarations are checked as ever, and what is recorded goes nowhere.
    pub(crate) fn disabled(self) -> Self {
        Self { disabled: true, ..self }
    }

    /// A registry with these options and no families.
    pub fn build(self) -> Registry {
        self.build_with(None)
    }

    fn build_with(self, pushed: Option<Pushed>) -> Registry {
        Registry {
            inner: Arc::new(State {
                options: self,
                pushed,
                clock: GatedMutex::new(Ages(Arc::new(Monotonic::new()))),
                health: Arc::default(),
                names: GatedMutex::default(),
                changes: AtomicU64::new(0),
                listing: ArcSwap::default(),
                windows: Windows::new(),
            }),
        }
    }
}

impl Default for RegistryOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// A registry with the default options and no families.
    pub fn new() -> Self {
        RegistryOptions::new().build()
    }

    /// Begins the declaration of a counter of whole numbers. A name that ends in `_total` means the family without it, unless the
    /// registry's dialect is that of Prosody.
    pub fn counter(&self, name: &str) -> Declaration<Counter> {
        Declaration::new(self, name)
    }

    /// Begins the declaration of a counter of floats.
    pub fn float_counter(&self, name: &str) -> Declaration<FloatCounter> {
        Declaration::new(self, name)
    }

    /// Begins the declaration of a gauge.
    pub fn gauge(&self, name: &str) -> Declaration<Gauge> {
        Declaration::new(self, name)
    }

    /// Begins the declaration of a gauge that moves in steps.
    pub fn up_down_gauge(&self, name: &str) -> Declaration<UpDownGauge> {
        Declaration::new(self, name)
    }

    /// Begins the declaration of a histogram; it needs buckets.
    pub fn histogram(&self, name: &str) -> Declaration<Histogram> {
        Declaration::new(self, name)
    }

    /// Begins the declaration of a summary.
    pub fn summary(&self, name: &str) -> Declaration<Summary> {
        Declaration::new(self, name)
    }

    /// Begins the declaration of an info: text that does not change, in labels. A name that ends in `_info` means the family
    /// without it.
    pub fn info(&self, name: &str) -> Declaration<Info> {
        Declaration::new(self, name)
    }

    /// Begins the declaration of a stateset; it needs states.
    pub fn state_set(&self, name: &str) -> Declaration<StateSet> {
        Declaration::new(self, name)
    }

    /// Begins the declaration of a metric of which nobody knows what it is.
    pub fn unknown(&self, name: &str) -> Declaration<Unknown> {
        Declaration::new(self, name)
    }

    /// Begins the declaration of a gauge histogram; it needs buckets.
    pub fn gauge_histogram(&self, name: &str) -> Declaration<GaugeHistogram> {
        Declaration::new(self, name)
    }

    /// Begins the declaration of a family of `I`.
    pub(crate) fn declaration<I: Instrument>(&self, name: &str) -> Declaration<I> {
        Declaration::new(self, name)
    }

    /// The family of this raw name, if there is one and its instruments are `I`.
    pub fn get<I: Instrument>(&self, raw_name: &str) -> Option<Family<I>> {
        let core = self.inner.names.lock().by_raw.get(raw_name)?.clone();
        (core.shared().kind == I::KIND).then(|| Family::new(core))
    }

    /// What was declared under this raw name.
    pub fn metadata(&self, raw_name: &str) -> Option<Arc<Metadata>> {
        let names = self.inner.names.lock();
        names.by_raw.get(raw_name).map(|core| core.shared().metadata.clone())
    }

    /// What was declared, in the order of raw names, as of now.
    pub fn families(&self) -> Vec<Arc<Metadata>> {
        self.listing().by_raw.iter().map(|core| core.shared().metadata.clone()).collect()
    }

    /// Removes a family and hands back what its series held. `None` if there is none.
    ///
    /// Handles and views of it stay safe and count unseen; `is_live` tells them. The name is free again.
    pub fn remove(&self, raw_name: &str) -> Option<MetricFamily> {
        let core = self.inner.take_out(&mut self.inner.names.lock(), raw_name)?;
        Some(self.inner.close(core))
    }

    /// Whose rules the names and thresholds follow.
    pub fn dialect(&self) -> Dialect {
        self.inner.options.dialect
    }

    /// Reckons by `clock` from now on how long series were idle; by the system's monotonic clock otherwise. A registry that belongs to a
    /// manager goes by the manager's. So do the intervals of quantiles, unless a family that has some was declared before.
    pub fn set_clock(&self, clock: impl Clock + Send + Sync + 'static) {
        self.go_by(Arc::new(clock), true);
    }

    /// The same with a clock that others read too. `polls`: it is none that waiting can go by.
    pub(crate) fn go_by(&self, clock: Arc<dyn Clock + Send + Sync>, polls: bool) {
        self.inner.windows.set_clock(clock.clone(), polls);
        *self.inner.clock.lock() = Ages(clock);
    }

    /// Removes the series that have been idle for as long as their families say. After each collection.
    pub(crate) fn expire(&self) {
        let listing = self.listing();
        let mut expiring = listing.by_raw.iter().filter(|core| core.expires()).peekable();
        if expiring.peek().is_some() {
            let clock = self.inner.clock.lock().0.clone();
            let now = clock.now();
            expiring.for_each(|core| core.expire(now));
        }
    }

    /// What was refused so far.
    pub fn health(&self) -> HealthReport {
        self.inner.health.report()
    }

    /// The families in the order of exposed names, for a collector.
    pub(crate) fn for_each_exposed(&self, mut visit: impl FnMut(&Core)) {
        for core in &self.listing().by_exposed {
            visit(core);
        }
    }

    /// The families as of now.
    fn listing(&self) -> Arc<Listing> {
        let listing = self.inner.listing.load_full();
        // Relaxed: who knows of a change by any means cannot read an older number here, and who reads a newer one goes on to the
        // lock under which the change was made.
        if listing.changes == self.inner.changes.load(Ordering::Relaxed) {
            return listing;
        }
        let names = self.inner.names.lock();
        let by_raw: Vec<_> = names.by_raw.values().cloned().collect();
        let mut by_exposed = by_raw.clone();
        by_exposed.sort_by(|a, b| exposed(a).cmp(exposed(b)));
        // Relaxed: it moves only under the lock that is held here.
        let changes = self.inner.changes.load(Ordering::Relaxed);
        let listing = Arc::new(Listing { changes, by_raw, by_exposed });
        self.inner.listing.store(listing.clone());
        listing
    }
}

impl State {
    fn put_in(&self, names: &mut Names, core: Arc<Core>) {
        self.reserve_wire(names, &core.shared().metadata);
        names.put_in(core);
        self.change();
    }

    fn take_out(&self, names: &mut Names, raw_name: &str) -> Option<Arc<Core>> {
        let core = names.take_out(raw_name)?;
        self.change();
        Some(core)
    }

    /// Takes the family off for good, and hands back what it held.
    fn close(&self, core: Arc<Core>) -> MetricFamily {
        let held = core.close();
        if let Some(pushed) = &self.pushed {
            pushed.closed(core);
        }
        held
    }

    /// Tells the listing that it is old.
    fn change(&self) {
        // Relaxed: it hands nothing over; see `Registry::listing`.
        self.changes.fetch_add(1, Ordering::Relaxed);
    }
}

fn exposed(core: &Core) -> &str {
    core.shared().metadata.name().exposed()
}

/// What a family reserves. Where names are escaped for those who want that, two may differ in one scheme and be the same in another.
fn reserved(metadata: &Metadata) -> impl Iterator<Item = (EscapingScheme, String)> {
    let schemes = match metadata.name().dialect() {
        Dialect::Utf8 => &EscapingScheme::CLASHING[..],
        _ => &[EscapingScheme::Underscores],
    };
    schemes.iter().flat_map(|&scheme| {
        let name = metadata.name().escaped(scheme, metadata.kind());
        let samples: Vec<_> = reserved_names(&name, metadata.kind()).collect();
        samples.into_iter().map(move |sample| (scheme, sample))
    })
}

impl Names {
    /// Whether every sample name of a new family is free.
    fn check_clash(&self, metadata: &Metadata) -> Result<(), DeclareError> {
        let name = metadata.name();
        for place in reserved(metadata) {
            if let Some(other) = self.reserved.get(&place).filter(|other| *other != name.raw()) {
                let (name, other, sample) = (name.raw().to_owned(), other.clone(), place.1);
                return Err(DeclareError::NameClash { name, other, sample });
            }
        }
        Ok(())
    }

    fn put_in(&mut self, core: Arc<Core>) {
        let metadata = &core.shared().metadata;
        let raw = metadata.name().raw();
        self.reserved.extend(reserved(metadata).map(|place| (place, raw.to_owned())));
        self.by_raw.insert(raw.to_owned(), core);
    }

    fn take_out(&mut self, raw_name: &str) -> Option<Arc<Core>> {
        let core = self.by_raw.remove(raw_name)?;
        self.reserved.retain(|_, owner| owner != raw_name);
        self.on_wire.retain(|_, owner| owner != raw_name);
        Some(core)
    }
}
