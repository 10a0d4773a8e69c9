//! Rates, peaks and troughs over fixed windows, cut by the clock and by nothing else.
//!
//! A thread of its own reads each total when its window ends, divides by the time that has really passed since the last reading,
//! and publishes that in a gauge, where it stays until the next window ends; and likewise what was highest and lowest. So no scrape
//! and no collection, however many or few, changes what is published.

use std::{fmt, time::Duration};

use super::isolation::{discard, isolated};
use crate::{
    instrument::{Clock, Gauge, Watermark},
    schedule::{Duty, Ticks},
    sync::{Arc, AtomicBool, Ordering},
};

/// The window of a rate that says nothing else.
pub const DEFAULT_WINDOW: Duration = Duration::from_secs(60);

/// One window and the next, and what is published at the end of each.
pub(super) struct Window {
    name: String,
    what: What,
    registered: Arc<AtomicBool>,
    ticks: Ticks,
}

/// What is published.
enum What {
    Rate {
        gauge: Gauge,
        total: Box<dyn FnMut() -> f64 + Send>,
        /// The last reading, and when it was.
        last: Option<(Duration, f64)>,
    },
    Extremes {
        watermark: Watermark,
        peak: Gauge,
        trough: Gauge,
    },
}

impl Window {
    /// The window of a rate that begins `now`, with a reading of the total. Until it ends, no rate is known.
    pub(super) fn rate(
        name: &str,
        length: Duration,
        gauge: Gauge,
        mut total: Box<dyn FnMut() -> f64 + Send>,
        now: Duration,
    ) -> Result<Self, String> {
        let first = isolated(&mut total)?;
        gauge.set(f64::NAN);
        Ok(Self::new(name, length, What::Rate { gauge, total, last: Some((now, first)) }, now))
    }

    /// The window of a peak and a trough that begins `now`. Until it ends, neither is known.
    pub(super) fn extremes(
        name: &str,
        length: Duration,
        watermark: Watermark,
        [peak, trough]: [&Gauge; 2],
        now: Duration,
    ) -> Self {
        peak.set(f64::NAN);
        trough.set(f64::NAN);
        watermark.turn();
        Self::new(name, length, What::Extremes { watermark, peak: peak.clone(), trough: trough.clone() }, now)
    }

    fn new(name: &str, length: Duration, what: What, now: Duration) -> Self {
        let registered = Arc::new(AtomicBool::new(true));
        Self { name: name.to_owned(), what, registered, ticks: Ticks::new(now, length) }
    }

    /// What its registration switches off, before it tells so.
    pub(super) fn switch(&self) -> Arc<AtomicBool> {
        self.registered.clone()
    }

    /// Publishes what the window that ended came to, if one did.
    fn cut(&mut self, clock: &dyn Clock, failed: &dyn Fn(&str, &str)) {
        if self.ticks.pass(clock.now()) == 0 {
            return;
        }
        let (gauge, total, last) = match &mut self.what {
            What::Rate { gauge, total, last } => (gauge, total, last),
            What::Extremes { watermark, peak, trough } => {
                let extremes = watermark.turn();
                peak.set(extremes.peak);
                trough.set(extremes.trough);
                return;
            }
        };
        match isolated(total) {
            Ok(total) => {
                let now = clock.now();
                let rate = last.and_then(|(at, last)| {
                    let seconds = now.saturating_sub(at).as_secs_f64();
                    // A total that stepped back began again from 0.
                    let grown = if total < last { total } else { total - last };
                    (seconds > 0.0).then_some(grown / seconds)
                });
                gauge.set(rate.unwrap_or(f64::NAN));
                *last = Some((now, total));
            }
            Err(panic) => {
                log::warn!("the total of rate {:?} panicked: {panic}", self.name);
                failed(&self.name, &panic);
                gauge.set(f64::NAN);
                *last = None;
            }
        }
    }
}

/// Told whose total panicked, and what it said.
type Failed = Box<dyn Fn(&str, &str) + Send>;

/// What the thread of the windows is told.
pub(super) enum News {
    /// There is one more.
    Begun(Window),
    /// One of them was switched off: whatever its total owns is let go at once.
    SwitchedOff,
}

/// All windows of a manager.
pub(super) struct Windows {
    windows: Vec<Window>,
    failed: Failed,
}

impl Windows {
    pub(super) fn new(failed: impl Fn(&str, &str) + Send + 'static) -> Self {
        Self { windows: Vec::new(), failed: Box::new(failed) }
    }
}

impl Duty<News> for Windows {
    fn hear(&mut self, _now: Duration, news: News) {
        match news {
            News::Begun(window) => self.windows.push(window),
            // It is looked for before the next wait.
            News::SwitchedOff => {}
        }
    }

    fn act(&mut self, clock: &dyn Clock) -> Duration {
        let mut at = 0;
        while let Some(window) = self.windows.get(at) {
            // Relaxed: who races with this may be read once more.
            match window.registered.load(Ordering::Relaxed) {
                true => at += 1,
                false => discard(self.windows.remove(at)),
            }
        }
        for window in &mut self.windows {
            window.cut(clock, &self.failed);
        }
        let now = clock.now();
        self.windows.iter().map(|window| window.ticks.wait(now)).min().unwrap_or(DEFAULT_WINDOW)
    }
}

impl Drop for Windows {
    fn drop(&mut self) {
        self.windows.drain(..).for_each(discard);
    }
}

impl fmt::Debug for Windows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.windows.iter().map(|window| &window.name)).finish()
    }
}
