//! What users hold: counters, gauges, histograms, summaries, infos, statesets, and timers that record into them.
//!
//! An instrument is a handle to one series: cheap to clone, usable from any thread, and good for as long as it is kept. Recording
//! returns nothing and never fails, blocks or allocates in steady state: a value that breaks a rule is refused and counted in
//! [`Health`], and the `try_` twin says why. Nothing here knows a page.

mod bounds;
mod counter;
#[cfg(feature = "opentelemetry")]
mod current_span;
mod exemplar_source;
mod exemplars;
mod gauge;
mod gauge_histogram;
mod guard;
mod health;
mod histogram;
mod info;
mod ledger;
#[cfg(manometer_mocked)]
pub mod native;
#[cfg(not(manometer_mocked))]
mod native;
mod series;
#[cfg(manometer_mocked)]
pub mod sketch;
#[cfg(not(manometer_mocked))]
mod sketch;
mod sparse;
mod state_set;
mod summary;
mod timer;
mod unknown;
mod watermark;

pub use bounds::{MOST_THRESHOLDS, check_quantiles, check_thresholds, exponential_buckets, linear_buckets};
pub use counter::{Counter, FloatCounter};
#[cfg(feature = "opentelemetry")]
pub use current_span::CurrentSpan;
pub use exemplar_source::{AnyLabels, ExemplarSource, TakesExemplars};
pub use exemplars::{ExemplarLabels, Exemplars};
pub use gauge::{Gauge, UpDownGauge, check_delta};
pub use gauge_histogram::GaugeHistogram;
pub use guard::{InFlight, Present};
pub use health::{Health, HealthReport};
pub use histogram::Histogram;
pub use info::Info;
#[cfg(feature = "statsd")]
pub use ledger::{Departed, Lifetimes, SampleSink};
pub use ledger::{Ledger, Push, Reading};
pub use native::Natives;
pub use series::{Instrument, Kind, Series, SeriesRef, Shared};
pub use sketch::Sketches;
pub use state_set::StateSet;
pub use summary::Summary;
pub use timer::{Clock, Monotonic, Timed, Timer, TimerGuard, timed, timed_by};
pub use unknown::Unknown;
pub use watermark::{Extremes, Watermark};
