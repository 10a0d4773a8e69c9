//! One series as its handle holds it, and what all series of a family share.

use std::{fmt, sync::OnceLock, time::Duration};

use super::{ExemplarSource, Exemplars, Health, Ledger, MOST_THRESHOLDS, Natives, ledger::Push, sketch::Sketches};
use crate::{
    arena::{self, OwnedCell, Slot},
    cell::{
        count, flip,
        native::{self, Scale},
        search::Search,
        sketch, sum, undo,
    },
    model::{Metadata, MetricType, NativeOptions, Points},
    sync::{Arc, AtomicBool, AtomicU32, GatedGuard, GatedMutex, Ordering, gate, unix_millis},
    tuple::Tuple,
};

/// What kind of cells a family has. Finer than its [`MetricType`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Whole numbers that only grow.
    Counter,
    /// Floats that only grow.
    FloatCounter,
    /// A float that is set and added to.
    Gauge,
    /// A whole number that goes up and down by steps.
    UpDownGauge,
    /// Observations in buckets.
    Histogram,
    /// Observations, counted and summed.
    Summary,
    /// Text in labels.
    Info,
    /// States that are each on or off.
    StateSet,
    /// A float that is set, of unknown meaning.
    Unknown,
    /// What there is now, in buckets.
    GaugeHistogram,
}

impl Kind {
    /// The type that a page shows.
    pub fn metric_type(self) -> MetricType {
        match self {
            Self::Counter | Self::FloatCounter => MetricType::Counter,
            Self::Gauge | Self::UpDownGauge => MetricType::Gauge,
            Self::Histogram => MetricType::Histogram,
            Self::Summary => MetricType::Summary,
            Self::Info => MetricType::Info,
            Self::StateSet => MetricType::StateSet,
            Self::Unknown => MetricType::Unknown,
            Self::GaugeHistogram => MetricType::GaugeHistogram,
        }
    }

    /// What to call it when a declaration differs: the type, and the number where a type has two.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Counter => "counter of whole numbers",
            Self::FloatCounter => "counter of floats",
            Self::Gauge => "gauge",
            Self::UpDownGauge => "gauge of steps",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
            Self::Unknown => "unknown",
            Self::GaugeHistogram => "gauge histogram",
        }
    }

    /// Empty columns for the points of such a family.
    pub fn points(self) -> Points {
        match self {
            Self::Counter => Points::Counter { totals: vec![], created: vec![] },
            Self::FloatCounter => Points::FloatCounter { totals: vec![], created: vec![] },
            Self::Gauge => Points::Gauge { values: vec![] },
            Self::UpDownGauge => Points::UpDown { values: vec![] },
            Self::Histogram => Points::Histogram { cumulative: vec![], sums: vec![], created: vec![] },
            Self::Summary => Points::Summary { counts: vec![], sums: vec![], quantiles: vec![], created: vec![] },
            Self::Info => Points::Info,
            Self::StateSet => Points::StateSet { on: vec![] },
            Self::Unknown => Points::Unknown { values: vec![] },
            Self::GaugeHistogram => Points::GaugeHistogram { cumulative: vec![], sums: vec![] },
        }
    }

    /// Whether the value of a series lies in its tuple, so that it has no cell: `set` must win over all threads.
    pub fn is_in_tuple(self) -> bool {
        matches!(self, Self::Gauge | Self::Info | Self::StateSet | Self::Unknown)
    }

    /// Whether a declaration needs thresholds.
    pub fn has_thresholds(self) -> bool {
        matches!(self, Self::Histogram | Self::GaugeHistogram)
    }

    /// The most thresholds that a cell has room for.
    pub fn most_thresholds(self) -> usize {
        if self == Self::GaugeHistogram { flip::NARROW - 1 } else { MOST_THRESHOLDS }
    }

    /// Words of a cell with `buckets` buckets; none if the value is in its tuple.
    pub fn width(self, buckets: usize) -> usize {
        match self {
            Self::Counter => count::TOTAL_WIDTH,
            Self::FloatCounter => sum::WIDTH,
            Self::Gauge | Self::Info | Self::StateSet | Self::Unknown => 0,
            // What came, and what went.
            Self::GaugeHistogram => 2 * (undo::HEAD + buckets),
            Self::UpDownGauge => count::LEVEL_WIDTH,
            Self::Histogram | Self::Summary if buckets <= flip::NARROW => undo::HEAD + buckets,
            Self::Histogram | Self::Summary => flip::width(buckets),
        }
    }
}

/// What all series of one family share.
#[derive(Debug)]
pub struct Shared {
    /// Where observations fall. Without thresholds for everything that is no histogram.
    pub search: Search,
    /// What kind of cells the series have.
    pub kind: Kind,
    /// Name, type, labels.
    pub metadata: Arc<Metadata>,
    /// Where refusals are counted.
    pub health: Arc<Health>,
    /// What a provider that pushes has to do with this family; None with any other.
    pub push: Option<Push>,
    /// Whether a push provider tells of a series as soon as there is one.
    pub announced: bool,
    /// How long a series is kept that nobody writes or holds; None is for good.
    pub expire_after: Option<Duration>,
    /// Which scan for idle series was the last to begin.
    scan: AtomicU32,
    /// Whether the word of some counter has wrapped.
    carried: AtomicBool,
    /// Where observations are counted for quantiles; None without quantiles.
    pub sketches: Option<Sketches>,
    /// Where native histograms count; None for every other family.
    pub native: Option<Natives>,
    /// Whom the family asks for exemplars, if anybody.
    pub source: Option<ExemplarSource>,
    /// Whether an observation is only counted: nobody is sent it by itself or asked about it.
    pub only_counts: bool,
    ledger: GatedMutex<Ledger>,
    /// Made by the first exemplar.
    exemplars: OnceLock<Box<Exemplars>>,
}

impl Shared {
    /// A family without series.
    pub fn new(kind: Kind, metadata: Arc<Metadata>, health: Arc<Health>) -> Self {
        let search = Search::new(metadata.thresholds().clone());
        let width = match kind {
            _ if metadata.native().is_some() => native::HEAD_WIDTH,
            _ if metadata.interval().is_some() => sketch::HEAD_WIDTH,
            _ => kind.width(search.buckets()),
        };
        let alone = metadata.label_keys().is_empty();
        Self {
            search,
            kind,
            metadata,
            health,
            push: None,
            announced: false,
            expire_after: None,
            scan: AtomicU32::new(0),
            carried: AtomicBool::new(false),
            sketches: None,
            native: None,
            source: None,
            only_counts: true,
            ledger: GatedMutex::new(Ledger::new(width, alone)),
            exemplars: OnceLock::new(),
        }
    }

    /// Tells a family that is not used yet that a provider pushes it.
    pub fn set_push(&mut self, push: Option<Push>) {
        self.push = push;
        if self.sends_samples() {
            self.search.go_the_long_way();
            self.only_counts = false;
        }
    }

    /// Whether a provider is sent each observation by itself.
    pub fn sends_samples(&self) -> bool {
        self.kind == Kind::Histogram && self.push.as_ref().is_some_and(Push::wants_samples)
    }

    /// Tells a family that is not used yet that its observations are counted for quantiles. No table knows their one bucket then,
    /// so a summary without quantiles need not ask.
    pub fn set_sketches(&mut self) {
        debug_assert_eq!(self.kind, Kind::Summary, "only summaries have quantiles");
        self.search.go_the_long_way();
        self.sketches = Some(Sketches::new());
    }

    /// Tells a family that is not used yet that it counts in native buckets. They know its other buckets, so no table has to.
    pub fn set_native(&mut self) {
        self.search.go_the_long_way();
        let scale = |options: &NativeOptions| Scale::new(options.given_schema(), options.given_zero_threshold());
        let natives = |scale| Natives::new(scale, self.metadata.thresholds());
        self.native = self.metadata.native().map(scale).map(natives);
    }

    /// Tells a family that is not used yet whom to ask for exemplars. An observation goes the long way then, and the handle of a counter
    /// knows no slot, so that it does too: where there is time to ask.
    pub fn set_source(&mut self, source: Option<ExemplarSource>) {
        if source.is_some() {
            self.search.go_the_long_way();
        }
        self.only_counts &= source.is_none();
        self.source = source;
    }

    /// Which scan for idle series was the last to begin.
    pub fn scan(&self) -> u32 {
        // Relaxed: a hint.
        self.scan.load(Ordering::Relaxed)
    }

    /// A scan for idle series begins; its number.
    pub fn begin_scan(&self) -> u32 {
        // Relaxed: as above.
        self.scan.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// The family's books. Whoever holds them is its only reader: they may move the selectors of wide cells.
    pub fn ledger(&self) -> GatedGuard<'_, Ledger> {
        self.ledger.lock()
    }

    /// Whether the word of some counter has wrapped, so that its tuple has a carry.
    pub fn has_carried(&self) -> bool {
        // Relaxed: readers come here after an Acquire of the word that wrapped; see `cell::count`.
        self.carried.load(Ordering::Relaxed)
    }

    /// Forgets the exemplars of one series, so that it is due for new ones.
    pub fn forget_exemplars(&self, tuple: &Tuple) {
        if let Some(exemplars) = self.exemplars_if_any() {
            exemplars.forget(tuple);
        }
        if let Some(source) = &self.source {
            source.forget(tuple.slot());
        }
    }

    pub(super) fn exemplars(&self) -> &Exemplars {
        // Through the gate, like a lock: no fork comes while one thread makes what others would wait for.
        self.exemplars.get().unwrap_or_else(|| {
            let _inside = gate::enter();
            self.exemplars.get_or_init(Box::default)
        })
    }

    /// The exemplars, if there ever was one.
    pub fn exemplars_if_any(&self) -> Option<&Exemplars> {
        self.exemplars.get().map(|exemplars| &**exemplars)
    }

    /// What a new series holds in the word beside its cells.
    pub fn first_state(&self) -> f64 {
        match self.kind {
            kind if kind.is_in_tuple() => 0.0,
            Kind::UpDownGauge | Kind::GaugeHistogram => 0.0,
            _ => unix_millis() as f64,
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Every handle and every view held a reference, so nobody can write to these slots any more (A4).
        self.ledger().dissolve();
        self.sketches.iter().for_each(Sketches::dissolve);
        self.native.iter().for_each(Natives::dissolve);
    }
}

/// One series, borrowed for one operation.
#[derive(Clone, Copy, Debug)]
pub struct SeriesRef<'a> {
    /// Its labels, slot and state.
    pub tuple: &'a Tuple,
    /// Its family.
    pub shared: &'a Shared,
}

impl SeriesRef<'_> {
    /// Counts a wrap of this counter's word, before it is stored.
    #[cold]
    #[inline(never)]
    pub fn carry(self) {
        // Relaxed: the fence in `cell::count::add` publishes it.
        self.shared.carried.store(true, Ordering::Relaxed);
        self.tuple.carry();
    }

    /// Adds `times` observations of `value` to `bucket`.
    #[inline(always)]
    pub fn record(self, slot: Slot, bucket: usize, value: f64, times: u32) {
        match arena::undisturbed() {
            Some(_busy) => arena::write!(slot, cell => self.write(cell, bucket, value, times)),
            None => self.record_interrupting(slot, bucket, value, times),
        }
    }

    /// This operation interrupts another of this very thread: a signal handler records. It uses a leased slab.
    #[cold]
    #[inline(never)]
    fn record_interrupting(self, slot: Slot, bucket: usize, value: f64, times: u32) {
        arena::write_leased(slot, |cell| self.write(cell, bucket, value, times));
    }

    #[inline(always)]
    fn write(self, cell: OwnedCell<'_>, bucket: usize, value: f64, times: u32) {
        match self.shared.search.buckets() {
            buckets if buckets <= flip::NARROW => undo::write(cell, 0, bucket, value, times.into()),
            buckets => flip::write(cell, buckets, bucket, value, times.into()),
        }
    }
}

/// One series, shared by the handles that clone it.
pub struct Series {
    slot: Slot,
    tuple: Tuple,
    shared: Arc<Shared>,
}

impl Series {
    /// A handle's own reference to a series. In a family whose series expire, the caller has it pinned, or holds the writer lock or
    /// the shard of the map.
    pub fn new(tuple: Tuple, shared: Arc<Shared>) -> Self {
        if shared.expire_after.is_some() {
            tuple.hold(shared.scan());
        }
        let is_asking_counter = shared.source.is_some() && matches!(shared.kind, Kind::Counter | Kind::FloatCounter);
        let slot = if is_asking_counter { Slot::BESIDE } else { tuple.slot() };
        Self { slot, tuple, shared }
    }

    /// The slot, without going through the tuple; [`Slot::BESIDE`] of a counter whose family has a source of exemplars.
    #[inline(always)]
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// The family.
    #[inline(always)]
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Labels, slot and state.
    #[inline(always)]
    pub fn tuple(&self) -> &Tuple {
        &self.tuple
    }

    /// The series for one operation.
    #[inline(always)]
    pub fn borrow(&self) -> SeriesRef<'_> {
        SeriesRef { tuple: &self.tuple, shared: &self.shared }
    }
}

impl Clone for Series {
    fn clone(&self) -> Self {
        self.tuple.hold_too();
        Self { slot: self.slot, tuple: self.tuple.clone(), shared: self.shared.clone() }
    }
}

impl Drop for Series {
    fn drop(&mut self) {
        self.tuple.let_go();
    }
}

impl fmt::Debug for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{{{}}}", self.shared.metadata.name().raw(), self.tuple.text())
    }
}

/// What a family can be a family of.
///
/// Implemented by the instruments of this crate, and by nothing else.
pub trait Instrument: Clone + fmt::Debug + Send + Sync + sealed::Sealed + 'static {
    /// What kind of cells it has.
    #[doc(hidden)]
    const KIND: Kind;

    /// A handle to `series`, which is one of [`KIND`](Self::KIND). There is no way back, so that nobody outside can ever have one.
    #[doc(hidden)]
    fn from_series(series: Series) -> Self;

    /// What `is_live` of the instrument says.
    #[doc(hidden)]
    fn has_live_series(&self) -> bool;
}

pub(super) mod sealed {
    /// Keeps [`Instrument`](super::Instrument) to this crate.
    pub trait Sealed {}
}

/// Writes what every instrument has in common: it is a handle to one series.
macro_rules! instrument {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name {
            series: $crate::instrument::Series,
        }

        impl $crate::instrument::series::sealed::Sealed for $name {}

        impl $crate::instrument::Instrument for $name {
            const KIND: $crate::instrument::Kind = $crate::instrument::Kind::$name;

            fn from_series(series: $crate::instrument::Series) -> Self {
                Self { series }
            }

            #[inline(always)]
            fn has_live_series(&self) -> bool {
                self.series.tuple().is_live()
            }
        }

        impl $name {
            /// Whether the registry still exports this series. A handle of a removed one stays safe and counts unseen.
            pub fn is_live(&self) -> bool {
                self.series.tuple().is_live()
            }

            /// What was declared: name, type, unit, help, label keys.
            pub fn metadata(&self) -> &$crate::model::Metadata {
                &self.series.shared().metadata
            }

            /// The label values, in the order of the family's keys. The text is shared with every page that prints it.
            pub fn label_values(&self) -> impl Iterator<Item = &str> {
                self.series.tuple().values()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.series)
            }
        }
    };
}
pub(super) use instrument;
