//! Families and views of them, as users hold them.

use std::{fmt, marker::PhantomData, ops::Deref, time::Duration};

use super::{
    core::Core,
    values::{LabelValue, LabelValues, NumberRoom},
};
use crate::{
    instrument::{Instrument, Reading, Series, SeriesRef},
    model::{LabelError, Metadata, MetricFamily, MetricPoint},
    sync::Arc,
    tuple::Tuple,
};

/// A family whose first label values may be fixed; every operation stays within them.
///
/// Views chain: fixing one key after the other reaches the same series as giving all values at once. A view is cheap to clone and
/// usable from any thread.
///
/// # Examples
/// ```
/// let registry = manometer::Registry::new();
/// let requests = registry.counter("requests").labels(["host", "method", "status"]).declare()?;
/// let host = requests.with_partial_label("example.org")?;
/// let reads = host.with_partial_label("GET")?;
/// reads.inc(("200",))?;
/// assert_eq!(requests.with_labels(("example.org", "GET", "200"))?.value(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct View<I> {
    core: Arc<Core>,
    prefix: Arc<[Box<str>]>,
    instrument: PhantomData<fn() -> I>,
}

impl<I: Instrument> View<I> {
    /// The series of these values, one for each free key, as a handle to keep. It is created on first use; the same values always
    /// give the same series.
    ///
    /// Keep the handle where the labels are known in advance: recording through it needs no look-up.
    ///
    /// # Errors
    /// `Arity` if there are not as many values as free keys; nothing is created then.
    pub fn with_labels(&self, values: impl LabelValues) -> Result<I, LabelError> {
        self.on_series(values, |series| I::from_series(Series::new(series.tuple.clone(), self.core.shared().clone())))
    }

    /// A view with the first free key fixed to `value`.
    ///
    /// # Errors
    /// `Arity` if no key is free.
    pub fn with_partial_label(&self, value: impl LabelValue) -> Result<Self, LabelError> {
        if self.free_keys() == 0 {
            return Err(self.arity(1));
        }
        let fixed = Box::from(value.text(&mut NumberRoom::new()));
        let prefix = self.prefix.iter().cloned().chain([fixed]).collect();
        Ok(Self { core: self.core.clone(), prefix, instrument: PhantomData })
    }

    /// The values that are fixed, in key order.
    pub fn fixed_values(&self) -> impl Iterator<Item = &str> {
        self.prefix.iter().map(|value| &**value)
    }

    /// What was declared: name, type, unit, help, label keys, thresholds.
    pub fn metadata(&self) -> &Arc<Metadata> {
        &self.core.shared().metadata
    }

    /// The series there are now, each with its labels, sorted by label values.
    ///
    /// Series made or removed meanwhile are wholly in or wholly out; no lock is held while iterating.
    pub fn metrics(&self) -> impl Iterator<Item = (Labels, I)> + use<I> {
        let shared = self.core.shared().clone();
        let metric = move |tuple: Tuple| {
            let metric = I::from_series(Series::new(tuple.clone(), shared.clone()));
            (Labels { tuple, metadata: shared.metadata.clone() }, metric)
        };
        // Where series expire, a handle is one to a live series, or none is made.
        let held = self.core.expires().then(|| {
            self.core.with_all(&self.prefix, |series| series.iter().cloned().map(&metric).collect::<Vec<_>>())
        });
        let listed = if held.is_some() { Vec::new() } else { self.core.order().within(&self.prefix).to_vec() };
        held.into_iter().flatten().chain(listed.into_iter().map(metric))
    }

    /// The series of these values if it exists; nothing is created.
    ///
    /// # Errors
    /// `Arity` if there are not as many values as free keys.
    pub fn find(&self, values: impl LabelValues) -> Result<Option<I>, LabelError> {
        values.with(|values| {
            self.check_arity(values)?;
            let shared = self.core.shared();
            let hold = |tuple: &Tuple| I::from_series(Series::new(tuple.clone(), shared.clone()));
            Ok(self.core.find(&self.prefix, values, hold))
        })
    }

    /// All values now, as plain data.
    pub fn collect(&self) -> MetricFamily {
        self.core.read(&self.prefix, Reading::Look)
    }

    /// Resets every series; they stay, at their initial value. Hands back what they held.
    ///
    /// A racing update is either handed back or in the new value.
    pub fn clear(&self) -> MetricFamily {
        self.core.read(&self.prefix, Reading::Take)
    }

    /// Removes the series of these values and hands back what it held; `None` if there is none.
    ///
    /// Handles of it stay safe and count unseen. The same labels make a new series when they are next looked up. Waits for the
    /// look-ups in flight, so that every increment by label values is in what is handed back, or in the new series.
    ///
    /// # Errors
    /// `Arity` if there are not as many values as free keys.
    pub fn remove(&self, values: impl LabelValues) -> Result<Option<MetricPoint>, LabelError> {
        values.with(|values| {
            self.check_arity(values)?;
            Ok(self.core.remove(&self.prefix, values))
        })
    }

    /// Removes every series of the view and hands back what they held; see [`remove`](Self::remove).
    pub fn remove_all(&self) -> MetricFamily {
        self.core.remove_all(&self.prefix)
    }

    /// Removes every series of the view to which `keep` says no, by its labels and the value it has now, and hands back what those
    /// held; see [`remove`](Self::remove).
    ///
    /// No lock is held while `keep` runs: it may look up, record, and remove. Series that are made meanwhile stay. If it panics,
    /// nothing is removed.
    ///
    /// # Examples
    /// ```
    /// use manometer::MetricPoint;
    ///
    /// let registry = manometer::Registry::new();
    /// let temperature = registry.gauge("temperature").labels(["sensor"]).declare()?;
    /// temperature.set(("attic",), 31.0)?;
    /// temperature.set(("cellar",), f64::NAN)?;
    /// let gone = temperature.retain(|labels, last| match last {
    ///     MetricPoint::Gauge(value) => labels.get("sensor") == Some("attic") || !value.as_f64().is_nan(),
    ///     _ => true,
    /// });
    /// assert_eq!((gone.len(), temperature.series_count()), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn retain(&self, mut keep: impl FnMut(&Labels, &MetricPoint) -> bool) -> MetricFamily {
        let metadata = self.metadata();
        self.core.retain(&self.prefix, |tuple, last| {
            keep(&Labels { tuple: tuple.clone(), metadata: metadata.clone() }, last)
        })
    }

    /// Makes the series of these label sets, so that they are on pages from now on and start at zero. In a family whose series
    /// expire, these do not. Those that there are already are left as they are.
    ///
    /// # Errors
    /// `Arity` if a set has not as many values as there are free keys; nothing is made then.
    ///
    /// # Examples
    /// ```
    /// let registry = manometer::Registry::new();
    /// let requests = registry.counter("requests").labels(["method", "status"]).declare()?;
    /// requests.start_at_zero([("GET", 200), ("GET", 404), ("PUT", 200)])?;
    /// assert_eq!(requests.series_count(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start_at_zero<V: LabelValues>(&self, sets: impl IntoIterator<Item = V>) -> Result<(), LabelError> {
        let sets: Vec<V> = sets.into_iter().collect();
        sets.iter().try_for_each(|values| values.with(|values| self.check_arity(values)))?;
        // A handle that is never let go: see `Core::expire`.
        sets.iter().try_for_each(|values| self.on_series(values, |series| series.tuple.hold(series.shared.scan())))
    }

    /// Whether the registry still has this family.
    pub fn is_live(&self) -> bool {
        self.core.is_live()
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(super) fn prefix(&self) -> &[Box<str>] {
        &self.prefix
    }

    /// Runs `op` on the series of these values. `op` is short and looks nothing up; see [`Core::with_series`].
    #[inline]
    pub(super) fn on_series<R>(
        &self,
        values: impl LabelValues,
        op: impl FnOnce(SeriesRef<'_>) -> R,
    ) -> Result<R, LabelError> {
        values.with(|values| self.on_values(values, op))
    }

    /// The same by text.
    #[inline(always)]
    pub(super) fn on_values<R>(&self, values: &[&str], op: impl FnOnce(SeriesRef<'_>) -> R) -> Result<R, LabelError> {
        self.check_arity(values)?;
        Ok(self.core.with_series(&self.prefix, values, op))
    }

    #[inline]
    pub(super) fn check_arity(&self, values: &[&str]) -> Result<(), LabelError> {
        if values.len() == self.free_keys() { Ok(()) } else { Err(self.arity(values.len())) }
    }

    #[inline]
    fn free_keys(&self) -> usize {
        self.core.shared().metadata.label_keys().len() - self.prefix.len()
    }

    #[cold]
    fn arity(&self, given: usize) -> LabelError {
        LabelError::Arity { family: self.metadata().name().raw().to_owned(), expected: self.free_keys(), given }
    }
}

impl<I> Clone for View<I> {
    fn clone(&self) -> Self {
        Self { core: self.core.clone(), prefix: self.prefix.clone(), instrument: PhantomData }
    }
}

impl<I> fmt::Debug for View<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.core.shared().metadata.name().raw();
        f.debug_struct("View").field("family", &name).field("fixed", &self.prefix).finish_non_exhaustive()
    }
}

/// A family: all series of one name. It is a [`View`] with nothing fixed, and can do what every view can.
pub struct Family<I> {
    view: View<I>,
}

impl<I: Instrument> Family<I> {
    /// The caller has made sure that the family is one of `I`.
    pub(crate) fn new(core: Arc<Core>) -> Self {
        debug_assert_eq!(core.shared().kind, I::KIND, "a family has one kind of instruments");
        Self { view: View { core, prefix: Arc::default(), instrument: PhantomData } }
    }

    /// The family as a view that fixes nothing.
    pub fn view(&self) -> &View<I> {
        &self.view
    }

    /// The most series it may have; further ones end in the overflow series.
    pub fn max_series(&self) -> usize {
        self.view.core.max_series()
    }

    /// How many look-ups ended in the overflow series, because the family was full.
    pub fn overflowed(&self) -> u64 {
        self.view.core.overflowed()
    }

    /// How long a series is kept that nobody writes or holds; `None` is for good.
    pub fn expires_after(&self) -> Option<Duration> {
        self.view.core.shared().expire_after
    }

    /// How many series there are, the overflow series not counted.
    pub fn series_count(&self) -> usize {
        self.view.core.len()
    }
}

impl<I> Deref for Family<I> {
    type Target = View<I>;

    #[inline]
    fn deref(&self) -> &View<I> {
        &self.view
    }
}

impl<I> Clone for Family<I> {
    fn clone(&self) -> Self {
        Self { view: self.view.clone() }
    }
}

impl<I> fmt::Debug for Family<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Family").field(&self.view.core.shared().metadata.name().raw()).finish()
    }
}

/// The labels of one series.
#[derive(Clone)]
pub struct Labels {
    tuple: Tuple,
    metadata: Arc<Metadata>,
}

impl Labels {
    /// The values in key order, empty ones included.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.tuple.values()
    }

    /// The value of the label `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        let index = self.metadata.label_keys().iter().position(|own| **own == *key)?;
        Some(self.tuple.value(index))
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values()).finish()
    }
}
