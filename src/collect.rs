//! Live state becomes plain data: once, exactly.
//!
//! # Consistency
//! What a collection promises of each MetricPoint, and what it does not:
//! - No observation is torn: a histogram is the state of each thread's cell after a whole number of operations (P1). Its `+Inf`
//!   bucket, its count and the sum of its buckets are one number, and its sum covers exactly those observations (P2).
//! - Of each thread that has a slab of its own, what is counted in one series is a prefix of what that thread did to it (P3). A
//!   thread that leases records here and there, and each leased slab shows a prefix of what was done in it.
//! - Everything that happened before the call is in (P4). Totals never decrease between resets (P5).
//! - No writer is stopped or delayed; no collection waits for a writer, not even for one that was stopped in the middle of a record
//!   (P6). It may wait for a thread that is making a series, which takes a lock.
//! - *Not* promised: one instant across series, or across the threads of one counter. What happens while a collection runs may be
//!   in one series and not in another.
//!
//! # Ordering
//! Who asks does an exchange on `begun`, and so does who begins. If the asker saw an older number than the one a collection began
//! with, its exchange came first, and all that it had done is visible to that collection.

use std::{fmt, time::Duration};

use crate::{
    model::{MetricFamily, MetricSet},
    registry::Registry,
    sync::{Arc, AtomicU64, GatedMutex, Ordering, mutant},
};

/// Reads every family of a registry once.
///
/// For repeated scrapes, a [`Collector`] reuses the memory of the one before.
///
/// # Examples
/// ```
/// use manometer::{Registry, collect};
///
/// let registry = Registry::new();
/// registry.counter("hits").single()?.inc();
/// let set = collect(&registry);
/// let hits = set.family("hits").expect("declared above");
/// assert_eq!(hits.len(), 1);
/// # Ok::<(), manometer::DeclareError>(())
/// ```
pub fn collect(registry: &Registry) -> MetricSet {
    let mut set = MetricSet::default();
    refill(&mut set, registry, true);
    set
}

/// Where a door gets what it shows: a [`Collector`], or a manager that also runs handlers first.
pub trait Source: fmt::Debug + Send + Sync {
    /// Whether there is anything to show.
    fn is_enabled(&self) -> bool {
        true
    }

    /// All families as of some moment after this call. It may wait for application code, so it is not for an asynchronous task,
    /// unless [`is_quick`](Self::is_quick).
    fn scrape(&self) -> Arc<MetricSet>;

    /// Whether `scrape` only reads memory, and waits for nobody's code.
    fn is_quick(&self) -> bool {
        false
    }

    /// Whether its pages show creation times. They are in what it collects all the same, since rates are counted from them.
    fn created_samples(&self) -> bool {
        true
    }

    /// The last two scheduled collections, the older one first, if there is a schedule and there were two.
    fn last_two(&self) -> Option<[Sampled; 2]> {
        None
    }

    /// A door counts metrics that it left out, since they cannot be shown.
    fn count_render_errors(&self, _metrics: u64) {}

    /// A door counts a client that it turned away, by the reason.
    fn count_denied(&self, _reason: &'static str) {}
}

/// All families at one time.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// When that was, on the clock of whoever collected.
    pub at: Duration,
    /// The families.
    pub set: Arc<MetricSet>,
}

impl Source for Collector {
    fn scrape(&self) -> Arc<MetricSet> {
        self.collect()
    }

    fn is_quick(&self) -> bool {
        true
    }
}

/// Collects one registry again and again, for any number of scrapers.
///
/// Scrapers that ask while a collection runs share the next one: nobody gets values older than the question, and no number of
/// scrapers makes more than two collections overlap their waiting.
#[derive(Debug)]
pub struct Collector {
    registry: Registry,
    with_created: bool,
    /// Collections begun so far.
    begun: AtomicU64,
    /// The result of the last one. Its memory is used again when nobody reads it any more.
    last: GatedMutex<Option<Arc<MetricSet>>>,
}

impl Collector {
    /// A collector of `registry` that reads creation times.
    pub fn new(registry: &Registry) -> Self {
        Self { registry: registry.clone(), with_created: true, begun: AtomicU64::new(0), last: GatedMutex::new(None) }
    }

    /// Whether creation times are read, and so printed as `_created`. Many ingestors store each as one more series.
    #[must_use]
    pub fn with_created(self, with_created: bool) -> Self {
        Self { with_created, ..self }
    }

    /// The registry that is collected.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// All families as of some moment after this call, in the order of exposed names.
    ///
    /// Allocates nothing when the families and series are those of the last time and nobody holds its result any more.
    pub fn collect(&self) -> Arc<MetricSet> {
        // AcqRel: an exchange, although it adds nothing, so that this question and each beginning have an order. Pairs with the one
        // below; see the head.
        let asked = self.begun.fetch_add(0, mutant!("ask_relaxed", Ordering::AcqRel, Ordering::Relaxed));
        let mut last = self.last.lock();
        // Relaxed: it moves only under the lock that is held here.
        let begun = self.begun.load(Ordering::Relaxed);
        let is_newer = begun > mutant!("share_older", asked, asked.wrapping_sub(1));
        if let Some(newer) = last.as_ref().filter(|_| is_newer) {
            return newer.clone();
        }
        // AcqRel: pairs with the exchange of everybody who asked before; see the head.
        self.begun.fetch_add(1, mutant!("begin_relaxed", Ordering::AcqRel, Ordering::Relaxed));
        // Taken out meanwhile, so that a panic leaves nothing half read for the next one to share.
        let mut set = last.take().unwrap_or_default();
        if Arc::get_mut(&mut set).is_none() {
            set = Arc::default();
        }
        let whole = Arc::get_mut(&mut set).expect("nobody else has a reference, not even a weak one");
        refill(whole, &self.registry, self.with_created);
        *last = Some(set.clone());
        set
    }
}

/// Makes `set` the state of `registry`, in the memory it has.
fn refill(set: &mut MetricSet, registry: &Registry, with_created: bool) {
    let families = &mut set.families;
    let mut count = 0;
    registry.for_each_exposed(|core| {
        let is_same = |family: &MetricFamily| Arc::ptr_eq(family.metadata(), &core.shared().metadata);
        if !families.get(count).is_some_and(is_same) {
            families.insert(count, core.empty_family());
        }
        core.collect_into(&mut families[count], with_created);
        count += 1;
    });
    families.truncate(count);
    // All is read, so whatever goes now was shown once more.
    registry.expire();
}
