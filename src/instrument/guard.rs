//! Guards: what came goes when they leave scope, however that happens.

use std::fmt;

use super::{GaugeHistogram, UpDownGauge};

/// One more in an [`UpDownGauge`] for as long as this lives: a request in flight, a connection, a job.
///
/// It goes down when this is dropped: at the end of a scope, on an early return or a panic, and when the future that holds it is
/// cancelled. It owns a handle, so it may be sent to other threads and tasks.
///
/// # Examples
/// ```
/// let registry = manometer::Registry::new();
/// let in_flight = registry.up_down_gauge("requests_in_flight").single()?;
/// let serve = async {
///     let _in_flight = in_flight.guard();
///     std::future::pending::<()>().await; // never comes back
/// };
/// let mut serving = Box::pin(serve);
/// let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// assert!(serving.as_mut().poll(&mut context).is_pending());
/// assert_eq!(in_flight.value(), 1);
/// drop(serving);
/// assert_eq!(in_flight.value(), 0);
/// # use std::future::Future;
/// # Ok::<(), manometer::DeclareError>(())
/// ```
#[must_use = "a guard that is dropped at once counts nothing"]
pub struct InFlight {
    gauge: UpDownGauge,
}

impl UpDownGauge {
    /// Goes up by one now, and down again when the guard is dropped.
    pub fn guard(&self) -> InFlight {
        self.inc();
        InFlight { gauge: self.clone() }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}

impl fmt::Debug for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InFlight").field(&self.gauge).finish()
    }
}

/// One more of some size in a [`GaugeHistogram`] for as long as this lives.
#[must_use = "a guard that is dropped at once counts nothing"]
pub struct Present {
    gauge: GaugeHistogram,
    /// None if the value was refused.
    value: Option<f64>,
}

impl GaugeHistogram {
    /// One of size `value` comes now, and goes when the guard is dropped. A value that [`inc`](Self::inc) refuses is refused and
    /// counted once.
    pub fn guard(&self, value: f64) -> Present {
        let accepted = self.try_inc(value).map_err(|_| self.inc(value)).is_ok();
        Present { gauge: self.clone(), value: accepted.then_some(value) }
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        if let Some(value) = self.value {
            self.gauge.dec(value);
        }
    }
}

impl fmt::Debug for Present {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Present").field("gauge", &self.gauge).field("value", &self.value).finish()
    }
}
