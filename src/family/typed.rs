//! Families whose labels are a type: keys and number of values are known when the program is compiled, so nothing about them can be
//! wrong when it runs.
//!
//! Where every label has a fixed list of values, a series is found by arithmetic: its number among all combinations is its place in
//! an array of handles, with no hash and no look-up. Where one of them is free text, it is found like any other series.

use std::{fmt, marker::PhantomData};

use super::{
    numbered::Numbered,
    values::{LabelValue, LabelValues},
    view::View,
};
use crate::{
    instrument::{Counter, FloatCounter, Gauge, Histogram, Instrument, Series, SeriesRef, Summary, UpDownGauge},
    model::LabelError,
    sync::Arc,
};

/// Combinations of values beyond which an array of all of them would be mostly empty memory: 36 bytes each, so 144 KiB.
const MOST_SETS: usize = 4096;

/// The labels of one series as a type; made by `#[derive(LabelSet)]` for a struct with a field for each key.
pub trait LabelSet {
    /// The keys, in the order of the values.
    const KEYS: &'static [&'static str];

    /// How many different sets there are, if the values of every field are a fixed list.
    const SETS: Option<usize>;

    /// The number of this set among [`SETS`](Self::SETS): those of the last key count fastest. 0 if there is no such number.
    fn position(&self) -> usize;

    /// Runs `op` on the values as text, one for each key.
    fn with_values<R>(&self, op: impl FnOnce(&[&str]) -> R) -> R;

    /// Runs `op` on the values of the set with this number. On none at all if sets have no numbers.
    fn with_values_at<R>(position: usize, op: impl FnOnce(&[&str]) -> R) -> R;
}

/// One label of a [`LabelSet`]: text of any kind, or a value out of a fixed list, which `#[derive(LabelEnum)]` makes of an enum.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no label value",
    label = "a label is text, a number, a `bool`, or an enum with `#[derive(LabelEnum)]`"
)]
pub trait LabelField: LabelValue {
    /// All values, if their list is fixed.
    const VALUES: Option<&'static [&'static str]> = None;

    /// The place of this value in the list; 0 if there is none.
    fn index(&self) -> usize {
        0
    }
}

macro_rules! free_fields {
    ($($text:ty),+) => {$(impl LabelField for $text {})+};
}

free_fields!(
    str,
    String,
    Box<str>,
    Arc<str>,
    std::borrow::Cow<'_, str>,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    f32,
    f64
);

impl LabelField for bool {
    const VALUES: Option<&'static [&'static str]> = Some(&["false", "true"]);

    #[inline]
    fn index(&self) -> usize {
        usize::from(*self)
    }
}

impl<F: LabelField + ?Sized> LabelField for &F {
    const VALUES: Option<&'static [&'static str]> = F::VALUES;

    #[inline]
    fn index(&self) -> usize {
        (**self).index()
    }
}

/// How many sets fields of these values make together; None if one of them is free, or if they are more than can be counted.
pub const fn sets(fields: &[Option<&'static [&'static str]>]) -> Option<usize> {
    let mut sets = 1_usize;
    let mut at = 0;
    while at < fields.len() {
        sets = match fields[at] {
            Some(values) => match sets.checked_mul(values.len()) {
                Some(sets) => sets,
                None => return None,
            },
            None => return None,
        };
        at += 1;
    }
    Some(sets)
}

/// A set as the values of a look-up.
struct Values<'a, L>(&'a L);

impl<L: LabelSet> LabelValues for Values<'_, L> {
    #[inline]
    fn with<R>(&self, op: impl FnOnce(&[&str]) -> R) -> R {
        self.0.with_values(op)
    }
}

/// A family whose label sets are values of the type `L`.
///
/// Declared by [`Declaration::typed`](crate::Declaration::typed). Looking up costs a few instructions where all labels of `L` are
/// enums and booleans that have at most 4096 combinations; otherwise what a look-up by values costs. Nothing can go wrong with the
/// number or order of values.
///
/// # Panics
/// Not with labels whose trait is derived. A [`LabelSet`] that is written by hand and does not give a value for each of its keys
/// panics in every use.
///
/// # Limits
/// The series of the array are made when they are first used, or all at once by [`at_zero`](Self::at_zero), and their handles
/// are kept. One that is removed through another view of the family is found again as a new one, by a look-up each time; a record
/// that has begun when it is removed counts unseen, as through a held handle.
///
/// # Examples
#[cfg_attr(feature = "derive", doc = "```")]
#[cfg_attr(not(feature = "derive"), doc = "```ignore")]
/// use manometer::{LabelEnum, LabelSet, Registry};
///
/// #[derive(LabelEnum)]
/// enum Method {
///     Get,
///     Put,
/// }
///
/// #[derive(LabelSet)]
/// struct Request {
///     method: Method,
///     cached: bool,
/// }
///
/// let registry = Registry::new();
/// let requests = registry.counter("requests").typed::<Request>()?.at_zero();
/// requests.inc(&Request { method: Method::Get, cached: true });
/// assert_eq!(requests.view().with_labels(("get", true))?.value(), 1);
/// assert_eq!(requests.view().metrics().count(), 4);
/// # let _ = Method::Put;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TypedFamily<I, L> {
    view: View<I>,
    /// The handles of all sets, if they have numbers and are few enough.
    handles: Numbered<I>,
    labels: PhantomData<fn(&L)>,
}

impl<I: Instrument, L: LabelSet> TypedFamily<I, L> {
    /// The number of sets, if they are found by number.
    const NUMBERED: Option<usize> = match L::SETS {
        Some(sets) if sets <= MOST_SETS => Some(sets),
        _ => None,
    };

    /// The free keys of `view` are those of `L`.
    pub(crate) fn new(view: View<I>) -> Self {
        debug_assert!(
            view.metadata().label_keys().iter().map(|key| &**key).rev().zip(L::KEYS.iter().rev()).all(|(a, b)| a == *b)
        );
        let handles = Numbered::new(view.core(), Self::NUMBERED.unwrap_or(0));
        Self { view, handles, labels: PhantomData }
    }

    /// The same family, with its labels as text.
    pub fn view(&self) -> &View<I> {
        &self.view
    }

    /// Makes all series that there can be, so that each is exposed at its initial value before it first happens.
    ///
    /// Does not compile where a label is free text, or where the combinations are more than 4096:
    ///
    /// ```compile_fail
    /// use manometer::{LabelSet, Registry};
    ///
    /// #[derive(LabelSet)]
    /// struct Request {
    ///     path: String,
    /// }
    ///
    /// Registry::new().counter("requests").typed::<Request>().map(|requests| requests.at_zero());
    /// ```
    #[must_use]
    pub fn at_zero(self) -> Self {
        const {
            assert!(
                Self::NUMBERED.is_some(),
                "only label sets of enums and booleans, at most 4096 of them, can all be made"
            )
        };
        (0..Self::NUMBERED.unwrap_or(0)).for_each(|position| self.make(position));
        self
    }

    /// A handle to the series of `labels`, to keep.
    pub fn get(&self, labels: &L) -> I {
        let look_up = || I::from_series(self.look_up(|op| labels.with_values(op)));
        self.held_or_made(labels).cloned().unwrap_or_else(look_up)
    }

    /// The handle in the array, if there is one and its series was not removed.
    #[inline(always)]
    fn held(&self, labels: &L) -> Option<&I> {
        Self::NUMBERED?;
        self.handles.find(labels.position())
    }

    /// The same, made now if there was none.
    fn held_or_made(&self, labels: &L) -> Option<&I> {
        self.held(labels).or_else(|| {
            Self::NUMBERED?;
            self.make(labels.position());
            self.held(labels)
        })
    }

    /// Makes the handle of the set with this number, if it was never made.
    fn make(&self, position: usize) {
        if self.handles.is_free(position) {
            let series = self.look_up(|op| L::with_values_at(position, op));
            self.handles.keep(self.view.core(), position, series);
        }
    }

    fn look_up(&self, with_values: impl FnOnce(&mut dyn FnMut(&[&str]))) -> Series {
        let hold = |series: SeriesRef<'_>| Series::new(series.tuple.clone(), self.view.core().shared().clone());
        let mut found = None;
        with_values(&mut |values| found = self.view.on_series(values, hold).ok());
        found.expect("a label set has a value for each of its keys")
    }

    /// Records by `on_handle`, or else by `on_view`, which looks the series up.
    #[inline(always)]
    fn record(
        &self,
        labels: &L,
        on_handle: impl FnOnce(&I) + Copy,
        on_view: impl FnOnce(&View<I>, Values<'_, L>) -> Result<(), LabelError>,
    ) {
        match self.held(labels) {
            Some(handle) => on_handle(handle),
            None => self.record_unheld(labels, on_handle, on_view),
        }
    }

    /// Out of the way, so that what is in the array needs no room on the stack.
    #[inline(never)]
    fn record_unheld(
        &self,
        labels: &L,
        on_handle: impl FnOnce(&I),
        on_view: impl FnOnce(&View<I>, Values<'_, L>) -> Result<(), LabelError>,
    ) {
        match self.held_or_made(labels) {
            Some(handle) => on_handle(handle),
            None => on_view(&self.view, Values(labels)).expect("a label set has a value for each of its keys"),
        }
    }
}

impl<L: LabelSet> TypedFamily<Counter, L> {
    /// Adds one; see [`Counter::inc`].
    #[inline]
    pub fn inc(&self, labels: &L) {
        self.add(labels, 1);
    }

    /// Adds `amount`; see [`Counter::add`].
    #[inline]
    pub fn add(&self, labels: &L, amount: u64) {
        let is_numbered = Self::NUMBERED.is_some();
        if !(is_numbered && Counter::add_in_place(self.handles.slot(labels.position()), amount)) {
            self.record_unheld(
                labels,
                move |counter| counter.add(amount),
                move |view, values| view.add(values, amount),
            );
        }
    }
}

impl<L: LabelSet> TypedFamily<FloatCounter, L> {
    /// Adds `amount`; see [`FloatCounter::add`].
    #[inline]
    pub fn add(&self, labels: &L, amount: f64) {
        self.record(labels, move |counter| counter.add(amount), move |view, values| view.add(values, amount));
    }
}

impl<L: LabelSet> TypedFamily<Gauge, L> {
    /// Sets the gauge; see [`Gauge::set`].
    #[inline]
    pub fn set(&self, labels: &L, value: f64) {
        self.record(labels, move |gauge| gauge.set(value), move |view, values| view.set(values, value));
    }

    /// Adds `delta`; see [`Gauge::add`].
    #[inline]
    pub fn add(&self, labels: &L, delta: f64) {
        self.record(labels, move |gauge| gauge.add(delta), move |view, values| view.add(values, delta));
    }
}

impl<L: LabelSet> TypedFamily<UpDownGauge, L> {
    /// Adds one; see [`UpDownGauge::inc`].
    #[inline]
    pub fn inc(&self, labels: &L) {
        self.add(labels, 1);
    }

    /// Takes one away; see [`UpDownGauge::dec`].
    #[inline]
    pub fn dec(&self, labels: &L) {
        self.add(labels, -1);
    }

    /// Moves the gauge by `delta`; see [`UpDownGauge::add`].
    #[inline]
    pub fn add(&self, labels: &L, delta: i64) {
        self.record(labels, move |gauge| gauge.add(delta), move |view, values| view.add(values, delta));
    }
}

impl<L: LabelSet> TypedFamily<Histogram, L> {
    /// Adds one observation; see [`Histogram::observe`].
    #[inline]
    pub fn observe(&self, labels: &L, value: f64) {
        self.record(labels, move |histogram| histogram.observe(value), move |view, values| view.observe(values, value));
    }
}

impl<L: LabelSet> TypedFamily<Summary, L> {
    /// Adds one observation; see [`Summary::observe`].
    #[inline]
    pub fn observe(&self, labels: &L, value: f64) {
        self.record(labels, move |summary| summary.observe(value), move |view, values| view.observe(values, value));
    }
}

impl<I, L> Clone for TypedFamily<I, L> {
    fn clone(&self) -> Self {
        Self { view: self.view.clone(), handles: self.handles.clone(), labels: PhantomData }
    }
}

impl<I, L> fmt::Debug for TypedFamily<I, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedFamily").field("view", &self.view).field("handles", &self.handles).finish()
    }
}
