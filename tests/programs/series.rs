//! One series as the model knows it: its value, its window, its exemplars, and for how long nobody came for it.

use std::{mem, time::Duration};

use super::{
    kind::{IDLE, Kind, quarters},
    value::{Exemplars, Quantiles, Value},
};

/// A series that is or was there.
#[derive(Debug)]
pub struct Series {
    pub kind: Kind,
    pub value: Value,
    pub live: bool,
    pub exemplars: Exemplars,
    /// What was observed since the last window ended.
    window: Vec<f64>,
    /// When it was last written, or asked for.
    touched: Duration,
    /// Whether a collection has shown it since.
    shown: bool,
    /// So many collections, each a whole time limit after the one before, came since anything at all was done to it.
    quiet: u32,
    /// When the last of them was.
    quiet_since: Duration,
}

impl Series {
    pub fn new(kind: Kind, now: Duration) -> Self {
        Self {
            kind,
            value: kind.zero(),
            live: true,
            exemplars: Exemplars::new(),
            window: Vec::new(),
            touched: now,
            shown: false,
            quiet: 0,
            quiet_since: now,
        }
    }

    /// Somebody asks for a handle.
    pub fn ask(&mut self, now: Duration) {
        self.touched = now;
        self.quiet = 0;
    }

    pub fn record(&mut self, amount: u8, times: u8, now: Duration) {
        let before = self.value.clone();
        self.kind.record(&mut self.value, amount, times);
        if self.kind == Kind::Quantiles {
            self.window.push(quarters(amount));
        }
        self.write(self.value != before, now);
    }

    /// Once, with a text that an exemplar can have, or can not. Whether an exemplar was refused.
    pub fn record_with(&mut self, amount: u8, text: &str, fits: bool, now: Duration) -> bool {
        self.record(amount, 1, now);
        let Some((bucket, value)) = self.kind.exemplar(amount) else { return false };
        if fits && self.live {
            self.exemplars.insert(bucket, (value, text.to_owned()));
        }
        !fits
    }

    pub fn set(&mut self, amount: u8, now: Duration) {
        let before = self.value.clone();
        self.kind.set(&mut self.value, amount);
        let has_grown = match (&before, &self.value) {
            (Value::Whole(before), Value::Whole(now)) => now > before,
            (Value::Float(before), Value::Float(now)) => now > before,
            _ => false,
        };
        // A total that is set back begins anew.
        if !has_grown && self.value != before {
            self.exemplars.clear();
        }
        self.write(has_grown, now);
    }

    /// A sum is published.
    pub fn publish(&mut self, sum: f64, now: Duration) {
        self.value = Value::Float(sum);
        self.write(true, now);
    }

    /// The value that was there before.
    pub fn reset(&mut self) -> Value {
        self.quiet = 0;
        self.window.clear();
        self.exemplars.clear();
        mem::replace(&mut self.value, self.kind.zero())
    }

    /// It is gone from its family: its windows end no more, and nobody sees its exemplars.
    pub fn die(&mut self) {
        self.live = false;
        self.exemplars.clear();
    }

    /// The window has ended.
    pub fn end_window(&mut self) {
        if let Value::Observed(_, _, quantiles) = &mut self.value {
            if self.live && self.kind == Kind::Quantiles {
                *quantiles = Quantiles::of(&mem::take(&mut self.window));
            }
        }
    }

    /// A collection shows it.
    pub fn show(&mut self) {
        self.shown = true;
    }

    /// A collection has ended, and this had a handle, or not. Whether it may be gone now, and whether it must be.
    pub fn grow_idle(&mut self, is_held: bool, now: Duration) -> (bool, bool) {
        if is_held {
            self.quiet = 0;
        } else if self.quiet == 0 || now - self.quiet_since >= IDLE {
            self.quiet += 1;
            self.quiet_since = now;
        }
        // The first of them may have come just after a write, and the second just after somebody had asked.
        (!is_held && self.shown && now - self.touched >= IDLE, self.quiet > 2)
    }

    fn write(&mut self, has_changed: bool, now: Duration) {
        self.quiet = 0;
        if has_changed || self.kind.notes_every_write() {
            self.touched = now;
            self.shown = false;
        }
    }
}
