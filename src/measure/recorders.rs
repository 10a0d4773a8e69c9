//! What a declared measure is used through: one verb each.

use super::MeasureType;
use crate::instrument::{Counter, Gauge, Histogram, Instrument, Summary, Timer, timed};

/// What a measure of some type is used through.
///
/// Implemented by the recorders of this crate, and by nothing else.
pub trait Recorder: sealed::Sealed + Sized {
    /// The type of such a measure.
    const TYPE: MeasureType;

    /// What it records into.
    type Instrument: Instrument;

    #[doc(hidden)]
    fn over(instrument: Self::Instrument) -> Self;

    /// Does what each declaration does.
    #[doc(hidden)]
    fn begin(&self, _initial: f64) {}
}

/// A recorder of measures whose unit is an option.
pub trait TakesUnit: Recorder {}

/// A recorder of measures that have buckets.
pub trait TakesBuckets: Recorder {}

impl TakesUnit for Amount {}
impl TakesUnit for Count {}
impl TakesUnit for Rate {}
impl TakesUnit for Distribution {}
impl TakesBuckets for Times {}
impl TakesBuckets for Sizes {}

mod sealed {
    /// Keeps [`Recorder`](super::Recorder) to this crate.
    pub trait Sealed {}
}

macro_rules! recorder {
    ($(#[$meta:meta])* $name:ident is $kind:ident over $instrument:ident $({ $($begin:tt)* })?) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $name($instrument);

        impl sealed::Sealed for $name {}

        impl Recorder for $name {
            const TYPE: MeasureType = MeasureType::$kind;

            type Instrument = $instrument;

            fn over(instrument: $instrument) -> Self {
                Self(instrument)
            }

            $($($begin)*)?
        }

        impl $name {
            /// What it records into.
            pub fn instrument(&self) -> &$instrument {
                &self.0
            }
        }
    };
}

recorder! {
    /// Sets a value.
    Amount is Amount over Gauge {
        fn begin(&self, initial: f64) {
            self.set(initial);
        }
    }
}

recorder! {
    /// Adds to a total.
    Count is Counter over Counter
}

recorder! {
    /// Counts what happens.
    Rate is Rate over Counter
}

recorder! {
    /// Starts timers.
    Times is Times over Histogram
}

recorder! {
    /// Observes sizes, in bytes.
    Sizes is Sizes over Histogram
}

recorder! {
    /// Observes values.
    Distribution is Distribution over Summary
}

impl Amount {
    /// Sets the value; see [`Gauge::set`].
    #[inline]
    pub fn set(&self, value: f64) {
        self.0.set(value);
    }
}

impl Count {
    /// Adds `amount`; see [`Counter::add`].
    #[inline]
    pub fn add(&self, amount: u64) {
        self.0.add(amount);
    }
}

impl Rate {
    /// Counts one more.
    #[inline]
    pub fn inc(&self) {
        self.0.inc();
    }
}

impl Times {
    /// Starts a timer, now. Stopping it records the seconds.
    #[inline]
    pub fn start(&self) -> Timer<'_, Histogram> {
        timed(&self.0)
    }
}

impl Sizes {
    /// Adds one observation; see [`Histogram::observe`].
    #[inline]
    pub fn observe(&self, bytes: f64) {
        self.0.observe(bytes);
    }
}

impl Distribution {
    /// Adds one observation; see [`Summary::observe`].
    #[inline]
    pub fn observe(&self, value: f64) {
        self.0.observe(value);
    }
}

/// A measure whose type comes from a configuration.
#[derive(Clone, Debug)]
pub enum Measure {
    /// Sets a value.
    Amount(Amount),
    /// Adds to a total.
    Counter(Count),
    /// Counts what happens.
    Rate(Rate),
    /// Starts timers.
    Times(Times),
    /// Observes sizes.
    Sizes(Sizes),
    /// Observes values.
    Distribution(Distribution),
}

impl Measure {
    /// Its type.
    pub fn measure_type(&self) -> MeasureType {
        match self {
            Self::Amount(_) => MeasureType::Amount,
            Self::Counter(_) => MeasureType::Counter,
            Self::Rate(_) => MeasureType::Rate,
            Self::Times(_) => MeasureType::Times,
            Self::Sizes(_) => MeasureType::Sizes,
            Self::Distribution(_) => MeasureType::Distribution,
        }
    }
}
