//! What a manager publishes at the ends of windows: rates, peaks and troughs.

use std::time::Duration;

use super::{
    Manager, RateError, Registration, config,
    windows::{News, Window, Windows},
};
use crate::{
    instrument::{Gauge, Watermark},
    schedule::Waiter,
    sync::Ordering,
};

impl Manager {
    /// Publishes in `gauge` how fast `total` grows, per second, over windows of this length that follow each other from now on by the
    /// clock; NaN until the first has ended. Neither scrapes nor collections change what is published. [`DEFAULT_WINDOW`](super::DEFAULT_WINDOW) is a minute.
    ///
    /// `total` is called on a thread of the manager; a total that steps back began again from 0.
    ///
    /// # Errors
    /// `Window` for one below [`SHORTEST_INTERVAL`](super::SHORTEST_INTERVAL), `Total` if the first reading of the total panics, `Thread` if the system gives no
    /// thread.
    ///
    /// # Examples
    /// ```
    /// let manager = manometer::Manager::builder().manual().provider("internal").build()?;
    /// let requests = manager.counter("requests").single()?;
    /// let rate = manager.gauge("requests_per_second").single()?;
    /// let total = move || requests.value() as f64;
    /// let published = manager.publish_rate("requests", manometer::manager::DEFAULT_WINDOW, &rate, total)?;
    /// published.unregister();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn publish_rate(
        &self,
        name: &str,
        window: Duration,
        gauge: &Gauge,
        total: impl FnMut() -> f64 + Send + 'static,
    ) -> Result<Registration, RateError> {
        let key = format!("window of rate {name:?}");
        config::check_interval(&key, "0.001 seconds or more", window).map_err(RateError::Window)?;
        let state = self.state();
        if !self.is_enabled() || !state.is_running() {
            return Ok(Registration::nowhere(name));
        }
        let window = Window::rate(name, window, gauge.clone(), Box::new(total), state.clock.now())
            .map_err(|panic| RateError::Total { rate: name.to_owned(), panic })?;
        self.cut_at_ends(name, window)
    }

    /// Publishes what was highest and lowest in a gauge, over windows of this length that follow each other from now on by the clock;
    /// NaN until the first has ended. Neither scrapes nor collections change what is published. A window begins with the value that
    /// the one before ended with. The gauge `value` shows the present value, and is written through the [`Watermark`] alone.
    ///
    /// # Errors
    /// `Window` for one below [`SHORTEST_INTERVAL`](super::SHORTEST_INTERVAL), `Thread` if the system gives no thread.
    ///
    /// # Examples
    /// ```
    /// let manager = manometer::Manager::builder().manual().provider("internal").build()?;
    /// let gauge = |name: &str| manager.gauge(name).single();
    /// let (depth, peak, trough) = (gauge("queue_depth")?, gauge("queue_depth_peak")?, gauge("queue_depth_trough")?);
    /// let minute = manometer::manager::DEFAULT_WINDOW;
    /// let (queue, published) = manager.publish_extremes("queue", minute, &depth, &peak, &trough)?;
    /// queue.add(3.0);
    /// queue.add(-1.0);
    /// assert_eq!(depth.value(), 2.0);
    /// published.unregister();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn publish_extremes(
        &self,
        name: &str,
        window: Duration,
        value: &Gauge,
        peak: &Gauge,
        trough: &Gauge,
    ) -> Result<(Watermark, Registration), RateError> {
        let key = format!("window of extremes {name:?}");
        config::check_interval(&key, "0.001 seconds or more", window).map_err(RateError::Window)?;
        let state = self.state();
        let watermark = Watermark::new(value);
        if !self.is_enabled() || !state.is_running() {
            return Ok((watermark, Registration::nowhere(name)));
        }
        let window = Window::extremes(name, window, watermark.clone(), [peak, trough], state.clock.now());
        Ok((watermark, self.cut_at_ends(name, window)?))
    }

    /// Has the thread of the windows cut this one too.
    fn cut_at_ends(&self, name: &str, window: Window) -> Result<Registration, RateError> {
        let state = self.state();
        let switch = window.switch();
        let mut threads = self.handle.threads.lock();
        if threads.stopped {
            return Ok(Registration::nowhere(name));
        }
        let waiter = match threads.windows.take() {
            Some(waiter) => waiter,
            None => {
                let counted = state.clone();
                let duty = Windows::new(move |name, _| counted.count_error(name));
                let spawned = Waiter::spawn("manometer-rates", state.clock.clone(), state.polls, duty);
                spawned.map_err(RateError::Thread)?
            }
        };
        let waiter = threads.windows.insert(waiter);
        waiter.tell(News::Begun(window));
        let tell = waiter.teller();
        Ok(Registration::new(name, move || {
            // Relaxed: see `Windows::act`; the news comes behind it.
            switch.store(false, Ordering::Relaxed);
            tell(News::SwitchedOff);
        }))
    }
}
