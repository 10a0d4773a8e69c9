//! Timers: how long something took, recorded once.
//!
//! Two readings of the system's clock cost about as much as eight observations, so the clock is the caller's choice.

use std::{
    fmt,
    time::{Duration, Instant},
};

use super::{Gauge, Histogram, Instrument, Summary};

/// Something that tells how much time has passed. It never runs backwards.
pub trait Clock {
    /// Time since some fixed moment.
    fn now(&self) -> Duration;
}

/// The system's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Monotonic {
    start: Instant,
}

impl Monotonic {
    /// A clock that starts now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for Monotonic {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for Monotonic {
    #[inline]
    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

impl<C: Clock + ?Sized> Clock for &C {
    fn now(&self) -> Duration {
        (**self).now()
    }
}

/// An instrument that can be told a duration: a histogram or summary observes it, a gauge is set to it, in seconds.
///
/// A counter is not one:
/// ```compile_fail,E0277
/// let registry = manometer::Registry::new();
/// let hits = registry.counter("hits").single()?;
/// let timer = manometer::timed(&hits);
/// # Ok::<(), manometer::DeclareError>(())
/// ```
/// and neither is a family:
/// ```compile_fail,E0277
/// let registry = manometer::Registry::new();
/// let family = registry.summary("wait").unit("seconds").labels(["queue"]).declare()?;
/// let timer = manometer::timed(&family);
/// # Ok::<(), manometer::DeclareError>(())
/// ```
pub trait Timed: Instrument {
    #[doc(hidden)]
    fn record_seconds(&self, seconds: f64);
}

impl Timed for Histogram {
    #[inline]
    fn record_seconds(&self, seconds: f64) {
        self.observe(seconds);
    }
}

impl Timed for Summary {
    #[inline]
    fn record_seconds(&self, seconds: f64) {
        self.observe(seconds);
    }
}

impl Timed for Gauge {
    #[inline]
    fn record_seconds(&self, seconds: f64) {
        self.set(seconds);
    }
}

/// Starts a timer for `metric`, now.
///
/// # Examples
/// ```
/// let registry = manometer::Registry::new();
/// let wait = registry.summary("wait").unit("seconds").single()?;
/// let timer = manometer::timed(&wait);
/// let took = timer.stop();
/// assert_eq!(wait.sum(), took.as_secs_f64());
/// # Ok::<(), manometer::DeclareError>(())
/// ```
#[inline]
pub fn timed<M: Timed>(metric: &M) -> Timer<'_, M> {
    Timer { clock: Monotonic::new(), start: Duration::ZERO, metric }
}

/// Starts a timer for `metric`, now, by a clock of the caller's choice.
#[inline]
pub fn timed_by<M: Timed, C: Clock>(clock: C, metric: &M) -> Timer<'_, M, C> {
    let start = clock.now();
    Timer { clock, start, metric }
}

/// Time that is running. [`stop`](Self::stop) records it; dropping the timer, on an early return or a panic, records nothing.
#[must_use = "a timer that is dropped records nothing: stop it, or make it a guard"]
pub struct Timer<'a, M: Timed, C: Clock = Monotonic> {
    clock: C,
    start: Duration,
    metric: &'a M,
}

impl<'a, M: Timed, C: Clock> Timer<'a, M, C> {
    /// Records the time since the start, and returns it.
    #[inline]
    pub fn stop(self) -> Duration {
        let took = self.elapsed();
        self.metric.record_seconds(took.as_secs_f64());
        took
    }

    /// Records nothing, and says so.
    pub fn discard(self) {}

    /// Time since the start. Records nothing.
    #[inline]
    pub fn elapsed(&self) -> Duration {
        self.clock.now().saturating_sub(self.start)
    }

    /// Records when it leaves scope, however that happens.
    pub fn guard(self) -> TimerGuard<'a, M, C> {
        TimerGuard { timer: Some(self) }
    }
}

impl<M: Timed, C: Clock> fmt::Debug for Timer<'_, M, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("metric", self.metric).field("elapsed", &self.elapsed()).finish()
    }
}

/// Time that is running and will be recorded exactly once: when this leaves scope, unless it is discarded.
#[derive(Debug)]
#[must_use = "a guard that is dropped at once records no time"]
pub struct TimerGuard<'a, M: Timed, C: Clock = Monotonic> {
    /// None once discarded.
    timer: Option<Timer<'a, M, C>>,
}

impl<M: Timed, C: Clock> TimerGuard<'_, M, C> {
    /// Records nothing.
    pub fn discard(mut self) {
        self.timer = None;
    }
}

impl<M: Timed, C: Clock> Drop for TimerGuard<'_, M, C> {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.stop();
        }
    }
}
