//! The highest and the lowest value of a gauge over fixed windows.
//!
//! # Shape
//! The gauge's own word, and two more for the peak and the trough of the window that runs, as keys in the order of the floats.
//! # Ordering
//! A writer writes the value and then raises the peak, Release. Who turns the window takes the peak by an exchange, Acquire, and
//! then reads the value once more, from which the next window begins. So the level that a window begins with is in its peak: a
//! writer whose peak was taken wrote its value before, and it is read.
//! # Progress and cost
//! Lock-free: three shared words, about three times what a gauge costs.

use std::fmt;

use super::{Gauge, check_delta};
use crate::{
    model::ValueError,
    sync::{Arc, AtomicU64, Ordering, mutant},
};

/// A gauge whose peak and trough are known for each window. Cheap to clone; clones are the same.
///
/// Write through this alone: what is written through the gauge itself is not noticed before the window's end. See
/// [`Manager::publish_extremes`](crate::Manager::publish_extremes).
#[derive(Clone)]
pub struct Watermark {
    gauge: Gauge,
    marks: Arc<Marks>,
}

/// Peak and trough of the window that runs.
#[derive(Debug)]
struct Marks {
    peak: AtomicU64,
    trough: AtomicU64,
}

/// Peak and trough of one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extremes {
    /// The highest value.
    pub peak: f64,
    /// The lowest value.
    pub trough: f64,
}

impl Watermark {
    /// Watches `gauge` from its present value on.
    pub fn new(gauge: &Gauge) -> Self {
        let now = key(gauge.value());
        let marks = Marks { peak: AtomicU64::new(now), trough: AtomicU64::new(now) };
        Self { gauge: gauge.clone(), marks: Arc::new(marks) }
    }

    /// Sets the value. NaN is a value, but neither a peak nor a trough.
    pub fn set(&self, value: f64) {
        self.gauge.set(value);
        self.note(value);
    }

    /// Adds `delta`, of either sign; every concurrent `add` counts. NaN and infinities are refused and counted.
    pub fn add(&self, delta: f64) {
        match self.gauge.add_and_get(delta) {
            Ok(value) => self.note(value),
            Err(_) => self.gauge.add(delta),
        }
    }

    /// Adds `delta`, of either sign.
    ///
    /// # Errors
    /// `NotANumber` or `Infinite`; nothing changes then.
    pub fn try_add(&self, delta: f64) -> Result<(), ValueError> {
        check_delta(delta)?;
        self.add(delta);
        Ok(())
    }

    /// The value.
    pub fn value(&self) -> f64 {
        self.gauge.value()
    }

    /// The gauge that shows the value.
    pub fn gauge(&self) -> &Gauge {
        &self.gauge
    }

    /// Ends the window, and begins the next one with the present value.
    pub fn turn(&self) -> Extremes {
        let now = key(self.gauge.value());
        // Acquire: pairs with Release in `note`; the value of whoever raised it is read below.
        let order = mutant!("turn_relaxed", Ordering::Acquire, Ordering::Relaxed);
        let peak = self.marks.peak.swap(now, order);
        let trough = self.marks.trough.swap(now, order);
        if mutant!("turn_without_look", true, false) {
            // Who wrote since `now` was read, and whose mark was taken, is in the next window too.
            self.note(self.gauge.value());
        }
        Extremes { peak: value(peak), trough: value(trough) }
    }

    fn note(&self, value: f64) {
        if !value.is_nan() {
            // Release: pairs with Acquire in `turn`; the value was written before. Always an exchange: one that only looked could
            // be missed by a turn that does not see its value.
            let order = mutant!("note_relaxed", Ordering::Release, Ordering::Relaxed);
            self.marks.peak.fetch_max(key(value), order);
            self.marks.trough.fetch_min(key(value), order);
        }
    }
}

impl fmt::Debug for Watermark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watermark").field(&self.gauge).finish()
    }
}

/// A number in the order of the floats; NaN stands at its ends.
fn key(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// The float of a key.
fn value(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_order_of_the_floats() {
        let floats = [f64::NEG_INFINITY, f64::MIN, -1.0, -0.0, 0.0, 5e-324, 1.0, f64::MAX, f64::INFINITY];
        assert!(floats.map(key).is_sorted());
        assert!(floats.iter().all(|float| value(key(*float)).to_bits() == float.to_bits()));
    }
}
