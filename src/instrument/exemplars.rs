//! Exemplars of a family's series: the last one of each bucket, or of each power of two of a native histogram that has no others.
//!
//! A family that never had one has no room for them, and no record that comes without one ever looks here. An exemplar is one
//! allocation that is swapped in whole, so nobody reads half of one; who swaps waits for nobody. Only the first exemplar of a series needs a
//! place in the map, and whoever finds the map busy with that drops his own exemplar and counts it, rather than wait.

use std::{
    hash::{Hash, Hasher},
    ops::Range,
};

use arc_swap::ArcSwapOption;

use super::{SeriesRef, series::Shared};
use crate::{
    model::{Exemplar, ExemplarAt, Timestamp, ValueError, check_labels},
    sync::{Arc, SideMap, unix_millis},
    tuple::Tuple,
};

/// What can be an exemplar's labels: pairs of name and value, or something that knows them, such as the trace that a thread is in.
///
/// # Examples
/// ```
/// use manometer::{ExemplarLabels, Registry};
///
/// /// The trace that a request belongs to, if it belongs to one.
/// struct Trace(Option<u64>);
///
/// impl ExemplarLabels for Trace {
///     fn with(&self, op: &mut dyn FnMut(&[(&str, &str)])) {
///         if let Some(trace) = self.0 {
///             op(&[("trace_id", &format!("{trace:016x}"))]);
///         }
///     }
/// }
///
/// let requests = Registry::new().counter("requests").single()?;
/// requests.add_with_exemplar(1, Trace(None)); // counts, without an exemplar
/// requests.add_with_exemplar(1, Trace(Some(7)));
/// assert_eq!(requests.exemplar().expect("the last one").label_text(), r#"trace_id="0000000000000007""#);
/// # Ok::<(), manometer::DeclareError>(())
/// ```
///
/// As the [source](crate::Declaration::exemplars) of a family, it is asked by whichever thread records.
pub trait ExemplarLabels {
    /// Runs `op` on the labels; not at all if there shall be no exemplar.
    #[allow(clippy::type_complexity, reason = "an alias would hide that it is a closure")]
    fn with(&self, op: &mut dyn FnMut(&[(&str, &str)]));
}

impl ExemplarLabels for [(&str, &str)] {
    fn with(&self, op: &mut dyn FnMut(&[(&str, &str)])) {
        op(self);
    }
}

impl<const N: usize> ExemplarLabels for [(&str, &str); N] {
    fn with(&self, op: &mut dyn FnMut(&[(&str, &str)])) {
        op(self);
    }
}

impl<L: ExemplarLabels> ExemplarLabels for Option<L> {
    fn with(&self, op: &mut dyn FnMut(&[(&str, &str)])) {
        if let Some(labels) = self {
            labels.with(op);
        }
    }
}

impl<L: ExemplarLabels + ?Sized> ExemplarLabels for &L {
    fn with(&self, op: &mut dyn FnMut(&[(&str, &str)])) {
        (**self).with(op);
    }
}

/// One series, and not the next one of its labels.
#[derive(Clone, Debug)]
struct ThisSeries(Tuple);

impl PartialEq for ThisSeries {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_ptr() == other.0.as_ptr()
    }
}

impl Eq for ThisSeries {}

impl Hash for ThisSeries {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Hash::hash(&self.0, state);
    }
}

/// The last exemplar in each bucket of one series, or in each other place that its histogram has for them.
type Places = Box<[ArcSwapOption<Exemplar>]>;

/// The exemplars of one family, by series.
#[derive(Debug, Default)]
pub struct Exemplars {
    by_series: SideMap<ThisSeries, Places>,
}

impl Exemplars {
    /// Whether another one might fare better at once: this one came while another series got its first.
    fn put(&self, series: SeriesRef<'_>, bucket: usize, exemplar: Exemplar) -> bool {
        let SeriesRef { tuple, shared } = series;
        // One that is gone is shown nowhere.
        if !tuple.is_live() {
            return false;
        }
        let place = shared.metadata.exemplar_place(bucket, exemplar.value());
        let exemplar = Arc::new(exemplar);
        let places = || (0..shared.metadata.most_exemplars()).map(|_| ArcSwapOption::empty()).collect();
        let put = |places: &Places| places[place].store(Some(exemplar));
        let dropped = self.by_series.try_with_or_insert(&ThisSeries(tuple.clone()), places, put).is_none();
        if dropped {
            shared.health.drop_exemplar();
        }
        dropped
    }

    /// The last one in any of these places.
    fn last(&self, tuple: &Tuple, places: Range<usize>) -> Option<Arc<Exemplar>> {
        let last = |all: &Places| {
            let present = all[places].iter().filter_map(ArcSwapOption::load_full);
            present.max_by_key(|exemplar| exemplar.timestamp())
        };
        self.by_series.with(&ThisSeries(tuple.clone()), last).flatten()
    }

    /// Forgets those of one series.
    pub fn forget(&self, tuple: &Tuple) {
        self.by_series.remove(&ThisSeries(tuple.clone()));
    }

    /// Appends those of the series in `rows`, which are sorted, and forgets those of series that are gone.
    pub fn append(&self, rows: &[Tuple], out: &mut Vec<ExemplarAt>) {
        let mut gone = Vec::new();
        self.by_series.for_each(|ThisSeries(tuple), places| {
            if !tuple.is_live() {
                // Its handle was used while it was being removed.
                gone.push(tuple.clone());
            } else if let Ok(row) = rows.binary_search_by(|other| other.values().cmp(tuple.values())) {
                let present = places.iter().enumerate().filter_map(|(bucket, last)| Some((bucket, last.load_full()?)));
                out.extend(present.map(|(bucket, exemplar)| ExemplarAt { row, bucket, exemplar }));
            }
        });
        gone.iter().for_each(|tuple| self.forget(tuple));
    }
}

/// Checks labels before anything is recorded.
pub(super) fn check(labels: &impl ExemplarLabels) -> Result<(), ValueError> {
    let mut checked = Ok(());
    labels.with(&mut |labels| checked = check_labels(labels));
    checked
}

/// Keeps an exemplar of `value`, which was counted in `bucket`. One that breaks a rule is dropped and counted.
pub(super) fn attach(series: SeriesRef<'_>, bucket: usize, value: f64, labels: &impl ExemplarLabels) {
    if series.tuple.slot().is_nowhere() {
        return;
    }
    labels.with(&mut |labels| keep(series, bucket, value, labels));
}

/// The same with the labels themselves, of a series that is somewhere.
pub(super) fn keep(series: SeriesRef<'_>, bucket: usize, value: f64, labels: &[(&str, &str)]) {
    let is_due_still = match Exemplar::new(labels, value, Timestamp::from_millis(unix_millis())) {
        Ok(exemplar) => series.shared.exemplars().put(series, bucket, exemplar),
        Err(reason) => {
            series.shared.health.reject(&reason);
            false
        }
    };
    if let Some(source) = series.shared.source.as_ref().filter(|_| !is_due_still) {
        source.mark(series.tuple.slot(), series.shared.metadata.exemplar_place(bucket, value));
    }
}

/// The last exemplar in `bucket`.
pub(super) fn last(tuple: &Tuple, shared: &Shared, bucket: usize) -> Option<Arc<Exemplar>> {
    shared.exemplars_if_any()?.last(tuple, shared.metadata.exemplar_places(bucket))
}
