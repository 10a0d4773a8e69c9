//! Declarations: parsed whole before anything is made, then matched with what stands.

use std::{marker::PhantomData, time::Duration};

use super::{Names, Registry};
use crate::{
    family::{Core, Family, LabelSet, LabelValue, NumberRoom, TypedFamily},
    instrument::{
        AnyLabels, ExemplarLabels, ExemplarSource, GaugeHistogram, Histogram, Info, Instrument, Kind, Shared, StateSet,
        Summary, TakesExemplars, check_quantiles, check_thresholds,
    },
    model::{BucketRule, DeclareError, FamilyName, Metadata, MetricFamily, NativeOptions},
    sync::Arc,
};

/// A family that is being declared. Nothing exists until [`declare`](Self::declare) or its like.
///
/// Declaring the same name again with the same type and label keys gives the family that stands. Where only the description, the
/// unit, the buckets, the quantiles or the states differ, the first declaration stands, the difference is logged and counted, and a strict
/// registry refuses.
#[derive(Clone, Debug)]
#[must_use = "nothing is declared until `declare`, `single` or `replace`"]
pub struct Declaration<I> {
    registry: Registry,
    name: String,
    unit: String,
    help: String,
    label_keys: Vec<String>,
    thresholds: Option<Vec<f64>>,
    quantiles: Vec<f64>,
    /// The interval of the quantiles, in seconds.
    interval: Option<f64>,
    states: Vec<String>,
    native: Option<NativeOptions>,
    terms: Terms,
    instrument: PhantomData<fn() -> I>,
}

/// What a family keeps to beside what its metadata says. A re-declaration changes none of it.
#[derive(Clone, Debug, Default)]
struct Terms {
    /// The most series; None leaves it to the registry.
    max_series: Option<usize>,
    /// Whether a push provider tells of a series as soon as there is one.
    announced: bool,
    /// How long a series is kept that nobody writes or holds; None is for good.
    expire_after: Option<Duration>,
    /// Whom to ask for exemplars.
    source: Option<Arc<AnyLabels>>,
}

impl<I: Instrument> Declaration<I> {
    pub(super) fn new(registry: &Registry, name: &str) -> Self {
        Self {
            registry: registry.clone(),
            name: name.to_owned(),
            unit: String::new(),
            help: String::new(),
            label_keys: Vec::new(),
            thresholds: None,
            quantiles: Vec::new(),
            interval: None,
            states: Vec::new(),
            native: None,
            terms: Terms::default(),
            instrument: PhantomData,
        }
    }

    /// The unit, such as `seconds` or `bytes`. It becomes the end of the name, unless the name ends in it already; in the dialect of
    /// Prosody also then.
    pub fn unit(self, unit: &str) -> Self {
        Self { unit: unit.to_owned(), ..self }
    }

    /// What the family means, for people.
    pub fn help(self, help: &str) -> Self {
        Self { help: help.to_owned(), ..self }
    }

    /// The label keys, in the order in which values will be given.
    pub fn labels(self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { label_keys: keys.into_iter().map(Into::into).collect(), ..self }
    }

    /// The most series; further ones end in the overflow series. The registry says how many otherwise.
    pub fn max_series(self, max_series: usize) -> Self {
        Self { terms: Terms { max_series: Some(max_series), ..self.terms }, ..self }
    }

    /// The thresholds of the buckets of a histogram.
    pub(crate) fn thresholds(self, thresholds: Vec<f64>) -> Self {
        debug_assert!(I::KIND.has_thresholds(), "only histograms have buckets");
        Self { thresholds: Some(thresholds), ..self }
    }

    /// The quantiles of a summary, and the seconds over which they are computed.
    pub(crate) fn windows(self, quantiles: Vec<f64>, interval: Option<f64>) -> Self {
        debug_assert_eq!(I::KIND, Summary::KIND, "only summaries have quantiles");
        Self { quantiles, interval, ..self }
    }

    /// Series go that nobody has written for so long, and that nobody holds a handle of. They are shown at their last value in at least
    /// one collection before; the same labels make a new series when they are next looked up.
    ///
    /// It is the collections that look, by the clock of the registry or of its manager: writers pay nothing, and what is never
    /// collected never goes. So the time should be longer than that between two scrapes of the slowest scraper. A write that changes
    /// no total, such as `add(0)`, is none; any `set` of a gauge is one, and so is asking for a handle. A series with a live handle
    /// stays, and so do those of [`start_at_zero`](crate::View::start_at_zero), the overflow series, and the one metric of a family
    /// without label keys.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let registry = manometer::Registry::new();
    /// let peers = registry.counter("peer_messages").labels(["peer"]).expire_after(Duration::from_secs(600)).declare()?;
    /// peers.inc(("10.0.0.7",))?;
    /// assert_eq!(peers.expires_after(), Some(Duration::from_secs(600)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn expire_after(self, idle: Duration) -> Self {
        Self { terms: Terms { expire_after: Some(idle), ..self.terms }, ..self }
    }

    /// A push provider tells of each new series at once, with an increase of 0, not only when it first counts.
    pub fn announced(self) -> Self {
        Self { terms: Terms { announced: true, ..self.terms }, ..self }
    }

    /// Declares the family.
    ///
    /// # Errors
    /// - `EmptyName`, `InvalidName`, `InvalidUnit`: the name or the unit breaks a rule.
    /// - `InvalidLabel`, `DuplicateLabel`, `ReservedLabel`, `TooManyLabels`: a label key does, or their number.
    /// - `NoBuckets`, `InvalidBuckets`: a histogram has none, or a list that is not ascending and finite, or two that the registry's
    ///   dialect or a push provider gives one text.
    /// - `InvalidNative`: the schema, the zero threshold or the bucket limit of a native histogram cannot be.
    /// - `InvalidQuantiles`, `MissingInterval`: a quantile is not from 0 to 1 or is given twice, or their interval is 0 or missing.
    /// - `NoThread`: the system gives no thread that ends the windows of quantiles.
    /// - `NoStates`, `InvalidStates`: a stateset has none, or one that is empty or occurs twice, more than 64, or two that a push
    ///   provider gives one name.
    /// - `NameClash`: another family exposes a sample of the same name, or is pushed under the same name.
    /// - `Conflict`: the name is taken by a family of another type or with other label keys; in a strict registry also by one
    ///   with another description, unit, buckets, quantiles, interval or states.
    /// - `Full`: the process has no slot left.
    ///
    /// Whatever it is, nothing has changed.
    pub fn declare(self) -> Result<Family<I>, DeclareError> {
        let registry = self.registry.clone();
        let (metadata, terms) = self.parse()?;
        let core = {
            let mut names = registry.inner.names.lock();
            if let Some(standing) = names.by_raw.get(metadata.name().raw()) {
                let standing = standing.clone();
                drop(names);
                return registry.agree::<I>(&standing, &metadata);
            }
            names.check_clash(&metadata)?;
            registry.inner.check_wire(&names, &metadata)?;
            registry.make::<I>(&mut names, metadata, terms)?
        };
        Ok(Family::new(core))
    }

    /// Declares a family without label keys and gives its one metric.
    ///
    /// # Errors
    /// Those of [`declare`](Self::declare); `Labelled` if there are label keys.
    pub fn single(self) -> Result<I, DeclareError> {
        if !self.label_keys.is_empty() {
            let name = self.compose()?;
            return Err(DeclareError::Labelled { family: name.raw().to_owned(), keys: self.label_keys.len() });
        }
        let family = self.declare()?;
        Ok(family.with_labels(()).expect("no keys, no values"))
    }

    /// Declares the family with the label keys of `L`, in place of any that were given.
    ///
    /// # Errors
    /// Those of [`declare`](Self::declare).
    pub fn typed<L: LabelSet>(self) -> Result<TypedFamily<I, L>, DeclareError> {
        let family = self.labels(L::KEYS.iter().copied()).declare()?;
        Ok(TypedFamily::new(family.view().clone()))
    }

    /// Declares the family in place of the one that has its name, whatever that is; hands back what that held.
    ///
    /// Handles and views of the old family stay safe and count unseen; `is_live` tells them.
    ///
    /// # Errors
    /// As [`declare`](Self::declare), but for `Conflict`. The old family stands then.
    pub fn replace(self) -> Result<(Family<I>, Option<MetricFamily>), DeclareError> {
        let registry = self.registry.clone();
        let (metadata, terms) = self.parse()?;
        let (core, old) = {
            let mut names = registry.inner.names.lock();
            names.check_clash(&metadata)?;
            registry.inner.check_wire(&names, &metadata)?;
            let old = registry.inner.take_out(&mut names, metadata.name().raw());
            match registry.make::<I>(&mut names, metadata, terms) {
                Ok(core) => (core, old),
                Err(error) => {
                    old.into_iter().for_each(|old| registry.inner.put_in(&mut names, old));
                    return Err(error);
                }
            }
        };
        Ok((Family::new(core), old.map(|old| registry.inner.close(old))))
    }

    fn compose(&self) -> Result<FamilyName, DeclareError> {
        FamilyName::compose_in(self.registry.dialect(), &self.name, &self.unit, I::KIND.metric_type())
    }

    fn parse(self) -> Result<(Metadata, Terms), DeclareError> {
        let name = self.compose()?;
        let thresholds = match &self.thresholds {
            Some(given) => Some(check_thresholds(name.raw(), I::KIND.most_thresholds(), given)?),
            None if I::KIND.has_thresholds() && self.native.is_none() => {
                return Err(DeclareError::NoBuckets { family: name.raw().to_owned() });
            }
            None => None,
        };
        let metadata =
            Metadata::new(name, I::KIND.metric_type()).with_help(&self.help).with_labels(&self.label_keys)?;
        let metadata = match thresholds {
            Some(thresholds) => metadata.with_thresholds(thresholds),
            None => metadata,
        };
        let metadata = match check_quantiles(metadata.name().raw(), &self.quantiles, self.interval)? {
            Some((quantiles, interval)) => metadata.with_quantiles(quantiles).with_interval(interval),
            None => metadata,
        };
        let metadata = match self.native {
            Some(native) => with_native(metadata, native)?,
            None => metadata,
        };
        let metadata = if I::KIND == Kind::StateSet { metadata.with_states(&self.states)? } else { metadata };
        check_threshold_texts(&metadata)?;
        Ok((metadata, self.terms))
    }
}

/// Gives a histogram its native buckets. Where others take negative values, so do they.
fn with_native(metadata: Metadata, native: NativeOptions) -> Result<Metadata, DeclareError> {
    let native = native.negative(native.takes_negative() || metadata.has_negative_threshold());
    native.check(metadata.name().raw())?;
    Ok(metadata.with_native(native))
}

/// Refuses thresholds that would write one `le` twice.
fn check_threshold_texts(metadata: &Metadata) -> Result<(), DeclareError> {
    let thresholds = metadata.thresholds();
    let text = |position: usize| metadata.threshold_text(position);
    match (1..thresholds.len()).find(|&position| text(position) == text(position - 1)) {
        None => Ok(()),
        Some(position) => Err(DeclareError::InvalidBuckets {
            family: metadata.name().raw().to_owned(),
            position,
            threshold: thresholds[position],
            rule: BucketRule::SameText,
        }),
    }
}

impl Declaration<Histogram> {
    /// The thresholds of the buckets: finite and ascending; `+Inf` is implied, and may be there. An empty list means only `+Inf`.
    pub fn buckets(self, thresholds: impl IntoIterator<Item = f64>) -> Self {
        self.thresholds(thresholds.into_iter().collect())
    }
}

impl<I: TakesExemplars> Declaration<I> {
    /// Takes exemplars of what is recorded without one: `source` is asked for their labels, by the thread that records, after the value was
    /// counted.
    ///
    /// It is asked where a bucket (a counter is one) has got no exemplar since the last collection; so each collection finds one of the time
    /// since the one before, and other records cost a look at one word. Where the source has no labels, it is asked again at the next record. What
    /// it does is the recording thread's time, so it should be short; it may allocate, look up and record, but no record of its own has an
    /// exemplar. Labels that break a rule are dropped and counted, as is a panic, which goes no further: the value was counted, and the
    /// source is asked again after the next collection. Exemplars that are given with a value go before.
    ///
    /// Of a native histogram, text pages show the exemplar of the `+Inf` bucket. A series takes 4 bytes more for each bucket, and about 100 bytes.
    /// In a signal handler nobody may record in such a family, unless it may allocate there and the source may be asked.
    ///
    /// # Examples
    /// ```
    /// use std::cell::Cell;
    /// use manometer::{ExemplarLabels, Registry};
    ///
    /// thread_local! {
    ///     static REQUEST: Cell<Option<u64>> = const { Cell::new(None) };
    /// }
    ///
    /// /// The request that a thread works for.
    /// struct CurrentRequest;
    ///
    /// impl ExemplarLabels for CurrentRequest {
    ///     fn with(&self, op: &mut dyn FnMut(&[(&str, &str)])) {
    ///         if let Some(request) = REQUEST.get() {
    ///             op(&[("request", &request.to_string())]);
    ///         }
    ///     }
    /// }
    ///
    /// let latency = Registry::new().histogram("latency").buckets([0.1, 1.0]).exemplars(CurrentRequest).single()?;
    /// latency.observe(0.5); // of no request
    /// REQUEST.set(Some(42));
    /// latency.observe(0.6);
    /// latency.observe(0.7); // nobody has seen the one before yet
    /// let exemplar = latency.exemplar(1).expect("one was due");
    /// assert_eq!((exemplar.label_text(), exemplar.value()), (r#"request="42""#, 0.6));
    /// # Ok::<(), manometer::DeclareError>(())
    /// ```
    pub fn exemplars(self, source: impl ExemplarLabels + Send + Sync + 'static) -> Self {
        Self { terms: Terms { source: Some(Arc::new(source)), ..self.terms }, ..self }
    }
}

impl Declaration<Histogram> {
    /// Makes it a native histogram: exponential buckets over the whole range of a float, without a list of thresholds, or beside
    /// [`buckets`](Self::buckets), which then count the same observations: every point agrees with itself.
    ///
    /// Protobuf has both, and so has OpenMetrics 2.0. Other text shows the buckets of the list, count and sum; without a list, the `+Inf`
    /// bucket alone. A series takes 1 KiB in each writing thread for every 64 buckets in a row that its values fall in: at schema 3, for each
    /// eight powers of two; a threshold inside of a bucket makes two of it. So the first value there allocates; the others do not.
    ///
    /// # Examples
    /// ```
    /// use manometer::NativeOptions;
    ///
    /// let registry = manometer::Registry::new();
    /// let size = registry.histogram("size").unit("bytes").native(NativeOptions::new().schema(0)).single()?;
    /// size.observe(3.0);
    /// size.observe(4.0);
    /// size.observe(0.0);
    /// let point = size.native_point().expect("declared so");
    /// assert_eq!((point.positive, point.zero_count, point.sum), (vec![(2, 2)], 1, 7.0));
    /// # Ok::<(), manometer::DeclareError>(())
    /// ```
    pub fn native(self, options: NativeOptions) -> Self {
        Self { native: Some(options), ..self }
    }
}

impl Declaration<Summary> {
    /// The quantiles to compute, each from 0 to 1, in any order; they need an [`interval`](Self::interval).
    ///
    /// They are computed over all observations of one interval, and stay until the next one has ended: the least and the greatest
    /// exactly, the others to one per cent. Intervals follow each other from the declaration on, whoever scrapes. A series takes
    /// 576 bytes in each writing thread, and as much again, for each power of two that its values span.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let registry = manometer::Registry::new();
    /// let wait = registry
    ///     .summary("wait")
    ///     .unit("seconds")
    ///     .quantiles([0.5, 0.99, 1.0])
    ///     .interval(Duration::from_secs(60))
    ///     .single()?;
    /// wait.observe(0.25);
    /// assert!(wait.quantiles()[2].1.is_nan(), "no minute has passed yet");
    /// # Ok::<(), manometer::DeclareError>(())
    /// ```
    pub fn quantiles(self, quantiles: impl IntoIterator<Item = f64>) -> Self {
        Self { quantiles: quantiles.into_iter().collect(), ..self }
    }

    /// The interval over which quantiles are computed. Without quantiles it has no effect.
    pub fn interval(self, interval: Duration) -> Self {
        Self { interval: Some(interval.as_secs_f64()), ..self }
    }
}

impl Declaration<GaugeHistogram> {
    /// The thresholds of the buckets: finite and ascending; `+Inf` is implied, and may be there. An empty list means only `+Inf`.
    pub fn buckets(self, thresholds: impl IntoIterator<Item = f64>) -> Self {
        self.thresholds(thresholds.into_iter().collect())
    }
}

impl Declaration<StateSet> {
    /// The states: at least one, none of them empty, each once.
    pub fn states(self, states: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { states: states.into_iter().map(Into::into).collect(), ..self }
    }
}

impl Declaration<Info> {
    /// Declares an info whose label keys and values are these pairs, and makes its series.
    ///
    /// Declared once more with other values, it has a series for either text.
    ///
    /// # Errors
    /// Those of [`declare`](Self::declare).
    pub fn text<K: Into<String>, V: LabelValue>(
        self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Info, DeclareError> {
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        for (key, value) in pairs {
            keys.push(key.into());
            values.push(value.text(&mut NumberRoom::new()).to_owned());
        }
        let family = self.labels(keys).declare()?;
        Ok(family.with_labels(values.as_slice()).expect("a value for each key"))
    }
}

impl Registry {
    /// Makes a family whose names are free.
    fn make<I: Instrument>(
        &self,
        names: &mut Names,
        metadata: Metadata,
        terms: Terms,
    ) -> Result<Arc<Core>, DeclareError> {
        let family = metadata.name().raw().to_owned();
        let mut shared = Shared::new(I::KIND, Arc::new(metadata), self.inner.health.clone());
        shared.set_push(self.inner.pushed.as_ref().map(|pushed| pushed.push().clone()));
        shared.announced = terms.announced;
        shared.set_source(terms.source.filter(|_| !self.inner.options.disabled).map(ExemplarSource::new));
        if shared.metadata.native().is_some() && !self.inner.options.disabled {
            shared.set_native();
        }
        if shared.metadata.interval().is_some() && !self.inner.options.disabled {
            shared.set_sketches();
            let started = self.inner.windows.start();
            started.map_err(|error| DeclareError::NoThread { family: family.clone(), reason: error.to_string() })?;
        }
        // The one metric of a family without keys is there from its declaration on, and stays.
        shared.expire_after = terms.expire_after.filter(|_| !shared.metadata.label_keys().is_empty());
        let shared = Arc::new(shared);
        let max_series = terms.max_series.unwrap_or(self.inner.options.max_series);
        let core = match self.inner.options.disabled {
            true => Core::disabled(shared, max_series),
            false => Core::new(shared, max_series).ok_or(DeclareError::Full { family })?,
        };
        let core = Arc::new(core);
        self.inner.windows.begin(&core);
        self.inner.put_in(names, core.clone());
        Ok(core)
    }

    /// The standing family, if the new declaration may mean it.
    fn agree<I: Instrument>(&self, standing: &Arc<Core>, given: &Metadata) -> Result<Family<I>, DeclareError> {
        let stands = &standing.shared().metadata;
        let conflict = |field, standing: String, given: String| DeclareError::Conflict {
            name: stands.name().raw().to_owned(),
            field,
            standing,
            given,
        };
        if standing.shared().kind != I::KIND {
            let (standing, given) = (standing.shared().kind.describe(), I::KIND.describe());
            return Err(conflict("type", standing.to_owned(), given.to_owned()));
        }
        if stands.label_keys() != given.label_keys() {
            return Err(conflict("labels", stands.label_keys().join(","), given.label_keys().join(",")));
        }
        let minor = [
            ("unit", stands.name().unit().to_owned(), given.name().unit().to_owned()),
            ("description", stands.help().to_owned(), given.help().to_owned()),
            ("buckets", format!("{:?}", stands.thresholds()), format!("{:?}", given.thresholds())),
            ("native", format!("{:?}", stands.native()), format!("{:?}", given.native())),
            ("quantiles", format!("{:?}", stands.quantiles()), format!("{:?}", given.quantiles())),
            ("interval", format!("{:?}", stands.interval()), format!("{:?}", given.interval())),
            ("states", format!("{:?}", stands.states()), format!("{:?}", given.states())),
        ];
        let differing = minor.into_iter().filter(|(_, standing, given)| standing != given);
        let mut differences = differing.map(|(field, standing, given)| conflict(field, standing, given));
        if let Some(first) = differences.next() {
            self.inner.health.conflict();
            if self.inner.options.strict_declarations {
                return Err(first);
            }
            let texts = differences.fold(first.to_string(), |texts, next| format!("{texts}; {next}"));
            log::warn!("{texts}; the first declaration stands");
        }
        Ok(Family::new(standing.clone()))
    }
}
