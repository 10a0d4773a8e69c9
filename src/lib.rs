//! Metrics for hot paths.
#![doc = include_str!("../README.md")]
#![cfg_attr(
    manometer_mocked,
    allow(
        clippy::new_without_default,
        clippy::len_without_is_empty,
        reason = "the rooms are open to the models alone"
    )
)]

pub mod backend;
pub mod encode;
pub mod manager;
pub mod model;

mod collect;
mod measure;
mod registry;
mod schedule;
mod scope;

#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "view")]
pub mod view;

// The models in `loom-tests/` reach the rooms where the protocols are; nobody else does.
#[cfg(manometer_mocked)]
pub mod arena;
#[cfg(not(manometer_mocked))]
mod arena;
#[cfg(manometer_mocked)]
pub mod cell;
#[cfg(not(manometer_mocked))]
mod cell;
#[cfg(manometer_mocked)]
pub mod family;
#[cfg(not(manometer_mocked))]
mod family;
#[cfg(manometer_mocked)]
pub mod instrument;
#[cfg(not(manometer_mocked))]
mod instrument;
#[cfg(manometer_mocked)]
pub mod sync;
#[cfg(not(manometer_mocked))]
mod sync;
#[cfg(manometer_mocked)]
pub mod tuple;
#[cfg(not(manometer_mocked))]
mod tuple;

#[cfg(not(manometer_mocked))]
pub use arena::{ForkGuard, before_fork};
pub use arena::{SlabCounts, set_max_owned_slabs, slab_counts};
pub use collect::{Collector, Sampled, Source, collect};
pub use family::{
    Family, FutureTimer, LabelField, LabelSet, LabelValue, LabelValues, Labels, NumberRoom, Owned, Tally, TypedFamily,
    View,
};
#[cfg(feature = "opentelemetry")]
pub use instrument::CurrentSpan;
pub use instrument::{
    Clock, Counter, ExemplarLabels, Extremes, FloatCounter, Gauge, GaugeHistogram, HealthReport, Histogram, InFlight,
    Info, Instrument, Monotonic, Present, StateSet, Summary, TakesExemplars, Timed, Timer, TimerGuard, Unknown,
    UpDownGauge, Watermark, exponential_buckets, linear_buckets, timed, timed_by,
};
pub use manager::{CollectError, Manager, register_provider};
pub use measure::{
    Amount, Count, Distribution, Measure, MeasureDeclaration, MeasureName, MeasureType, Rate, Recorder, Sizes,
    TakesBuckets, TakesUnit, Times,
};
pub use model::{
    DeclareError, LabelError, MetricFamily, MetricPoint, MetricSet, MetricType, NativeHistogram, NativeOptions,
    ValueError,
};
pub use registry::{DEFAULT_MAX_SERIES, Declaration, MetricField, Metrics, Registry, RegistryOptions};
pub use scope::{Scope, ScopeBuilder, ScopedDeclaration};

/// What only the code that is derived uses.
#[doc(hidden)]
pub mod derived {
    pub use crate::{family::sets, registry::fields::*};
}

#[cfg(feature = "derive")]
pub use manometer_derive::{LabelEnum, LabelSet, Metrics};
