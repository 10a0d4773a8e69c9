//! Measures: metrics by what they are for, each with the instrument, the unit and the buckets that fit it.
//!
//! A measure has a name, a type and options, in this order everywhere:
//! ```
//! let manager = manometer::Manager::builder().manual().provider("internal").build()?;
//! let size = manager.measure("queue_size").amount().initial(3.0).help("Stanzas that wait").declare()?;
//! let delay = manager.measure("delivery").times().declare()?;
//! let timer = delay.start();
//! size.set(2.0);
//! timer.stop();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! Where type and options come from a configuration, [`MeasureName::configured`] takes them as plain data.

mod kind;
mod options;
mod recorders;

use std::{marker::PhantomData, time::Duration};

use crate::{
    instrument::{Instrument, Kind},
    model::{DeclareError, Setting},
    scope::{Scope, only},
};

pub use kind::MeasureType;
pub use recorders::{Amount, Count, Distribution, Measure, Rate, Recorder, Sizes, TakesBuckets, TakesUnit, Times};

use options::Options;

/// The name of a measure whose type is not said yet.
#[derive(Clone, Debug)]
#[must_use = "nothing is declared until the type is said, and then `declare`"]
pub struct MeasureName {
    scope: Scope,
    name: String,
}

/// A measure that is being declared. Nothing exists until [`declare`](Self::declare).
#[derive(Clone, Debug)]
#[must_use = "nothing is declared until `declare`"]
pub struct MeasureDeclaration<R> {
    scope: Scope,
    name: String,
    options: Options,
    recorder: PhantomData<fn() -> R>,
}

impl Scope {
    /// Begins the declaration of a measure of this scope; its type comes next.
    pub fn measure(&self, name: &str) -> MeasureName {
        MeasureName { scope: self.clone(), name: name.to_owned() }
    }
}

impl MeasureName {
    /// A value that is set: a gauge.
    pub fn amount(self) -> MeasureDeclaration<Amount> {
        self.of()
    }

    /// A total that is added to: a counter.
    pub fn counter(self) -> MeasureDeclaration<Count> {
        self.of()
    }

    /// How often something happens: a counter that goes up by one.
    pub fn rate(self) -> MeasureDeclaration<Rate> {
        self.of()
    }

    /// How long something takes: a histogram of seconds, with buckets from 0.001 to 100.
    pub fn times(self) -> MeasureDeclaration<Times> {
        self.of()
    }

    /// How large something is: a histogram of bytes, with buckets from 1024 to 1 GiB.
    pub fn sizes(self) -> MeasureDeclaration<Sizes> {
        self.of()
    }

    /// Any observations: a summary.
    pub fn distribution(self) -> MeasureDeclaration<Distribution> {
        self.of()
    }

    /// Declares a measure of a type and with options that come from elsewhere. No options are an empty table. A bare number is the
    /// initial value of an amount, and ignored by counters and rates; a bare text is the unit of a distribution.
    ///
    /// # Errors
    /// As [`MeasureDeclaration::declare`]; `UnknownOption` and `InvalidOption` for what the type does not take.
    ///
    /// # Examples
    /// ```
    /// use manometer::{Measure, model::Settings};
    ///
    /// let manager = manometer::Manager::builder().manual().provider("internal").build()?;
    /// let options = Settings::new().with("buckets", [0.5, 5.0]).with("description", "Until the reply");
    /// let measure = manager.measure("wait").configured("times".parse()?, options)?;
    /// if let Measure::Times(wait) = measure {
    ///     wait.start().stop();
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn configured(self, kind: MeasureType, options: impl Into<Setting>) -> Result<Measure, DeclareError> {
        let options = Options::read(kind, &self.raw_name(), &options.into())?;
        Ok(match kind {
            MeasureType::Amount => Measure::Amount(self.with(options).declare()?),
            MeasureType::Counter => Measure::Counter(self.with(options).declare()?),
            MeasureType::Rate => Measure::Rate(self.with(options).declare()?),
            MeasureType::Times => Measure::Times(self.with(options).declare()?),
            MeasureType::Sizes => Measure::Sizes(self.with(options).declare()?),
            MeasureType::Distribution => Measure::Distribution(self.with(options).declare()?),
        })
    }

    fn of<R>(self) -> MeasureDeclaration<R> {
        self.with(Options::default())
    }

    fn with<R>(self, options: Options) -> MeasureDeclaration<R> {
        MeasureDeclaration { scope: self.scope, name: self.name, options, recorder: PhantomData }
    }

    fn raw_name(&self) -> String {
        format!("{}{}", self.scope.prefix(), self.name)
    }
}

impl<R: Recorder> MeasureDeclaration<R> {
    /// What the measure means, for people; its name and type otherwise.
    pub fn help(self, help: &str) -> Self {
        self.change(|options| options.help = Some(help.to_owned()))
    }

    /// Declares the measure, or finds it again: then values stay, but an amount is set to its initial value once more.
    ///
    /// # Errors
    /// Those of [`Declaration::declare`](crate::registry::Declaration::declare); `Closed` if the scope is.
    pub fn declare(self) -> Result<R, DeclareError> {
        let (scope, name, options) = (&self.scope, &self.name, &self.options);
        let unit = R::TYPE.fixed_unit().or(options.unit.as_deref()).unwrap_or("");
        let spaced_unit =
            options.unit.as_ref().filter(|unit| !unit.is_empty()).map_or(String::new(), |unit| format!("{unit} "));
        let line = format!("{name} ({spaced_unit}{})", R::TYPE);
        let default_help = || format!("{}{name} {}", scope.short_prefix(), R::TYPE.described());
        let help = options.help.clone().unwrap_or_else(default_help);
        let declaration = scope.registry().declaration(&format!("{}{name}", scope.prefix())).unit(unit).help(&help);
        let declaration = match R::Instrument::KIND {
            Kind::Counter => declaration.announced(),
            Kind::Histogram => {
                let thresholds = options.buckets.as_deref().unwrap_or(R::TYPE.default_buckets());
                declaration.thresholds(thresholds.to_vec())
            }
            Kind::Summary => declaration.windows(options.quantiles.clone(), options.interval),
            _ => declaration,
        };
        let recorder = R::over(scope.declare(name, Vec::new(), line, declaration, only)?);
        recorder.begin(options.initial);
        Ok(recorder)
    }

    fn change(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }
}

impl MeasureDeclaration<Amount> {
    /// The value that each declaration sets, repeated ones too: 0 unless said otherwise.
    pub fn initial(self, initial: f64) -> Self {
        self.change(|options| options.initial = initial)
    }
}

impl<R: TakesUnit> MeasureDeclaration<R> {
    /// The unit, which becomes the end of the name; none unless said otherwise.
    pub fn unit(self, unit: &str) -> Self {
        self.change(|options| options.unit = Some(unit.to_owned()))
    }
}

impl MeasureDeclaration<Distribution> {
    /// The quantiles to compute; see [`Declaration::quantiles`](crate::Declaration::quantiles).
    pub fn quantiles(self, quantiles: impl IntoIterator<Item = f64>) -> Self {
        self.change(|options| options.quantiles = quantiles.into_iter().collect())
    }

    /// The interval over which quantiles are computed; see [`Declaration::interval`](crate::Declaration::interval).
    pub fn interval(self, interval: Duration) -> Self {
        self.change(|options| options.interval = Some(interval.as_secs_f64()))
    }
}

impl<R: TakesBuckets> MeasureDeclaration<R> {
    /// The thresholds of the buckets: finite and ascending.
    pub fn buckets(self, thresholds: impl IntoIterator<Item = f64>) -> Self {
        self.change(|options| options.buckets = Some(thresholds.into_iter().collect()))
    }
}
