//! When a schedule's ticks are, and the thread that keeps to them.
//!
//! Ticks are at start + n · interval, whatever a collection takes. Those that pass while one runs are missed: counted, and never
//! made up for. A thread that wakes late runs once, for the last tick that has passed.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{instrument::Clock, sync::Arc};

/// How long a clock that is not the system's is trusted to stand still.
const POLL: Duration = Duration::from_millis(1);

/// How long to wait at most, so that no sum of times is too large.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Ticks at fixed distances.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticks {
    start: Duration,
    interval: Duration,
    /// The number of the tick that comes next.
    next: u128,
}

impl Ticks {
    /// Ticks that count from `start`; the first is one interval later. The interval is above 0.
    pub(crate) fn new(start: Duration, interval: Duration) -> Self {
        debug_assert!(!interval.is_zero(), "a schedule without time between its ticks");
        Self { start, interval, next: 1 }
    }

    /// How long it is from `now` to the next tick.
    pub(crate) fn wait(&self, now: Duration) -> Duration {
        let nanos = self.interval.as_nanos() * self.next;
        let passed = now.saturating_sub(self.start).as_nanos();
        nanos.checked_sub(passed).map_or(Duration::ZERO, |nanos| {
            u64::try_from(nanos).map_or(LONGEST, |nanos| Duration::from_nanos(nanos).min(LONGEST))
        })
    }

    /// Passes over the ticks up to `now`; returns how many those are.
    pub(crate) fn pass(&mut self, now: Duration) -> u64 {
        let last = now.saturating_sub(self.start).as_nanos() / self.interval.as_nanos();
        let passed = (last + 1).saturating_sub(self.next);
        self.next += passed;
        u64::try_from(passed).unwrap_or(u64::MAX)
    }
}

/// A thread that waits for times and does what is due, until it is told to stop or its owner is gone.
#[derive(Debug)]
pub(crate) struct Waiter<W> {
    words: Sender<Word<W>>,
    thread: JoinHandle<()>,
}

#[derive(Debug)]
enum Word<W> {
    Stop,
    News(W),
}

/// What a [`Waiter`] does.
pub(crate) trait Duty<W>: Send + 'static {
    /// Something has changed.
    fn hear(&mut self, now: Duration, news: W);
    /// Does what is due, and returns how long to wait for more.
    fn act(&mut self, clock: &dyn Clock) -> Duration;
}

impl<W: Send + 'static> Waiter<W> {
    /// Starts the thread. `polls`: the clock is none that waiting can go by.
    pub(crate) fn spawn(
        name: &str,
        clock: Arc<dyn Clock + Send + Sync>,
        polls: bool,
        mut duty: impl Duty<W>,
    ) -> std::io::Result<Self> {
        let (words, heard) = channel();
        let work = move || {
            loop {
                let wait = duty.act(&*clock);
                match next(&heard, if polls { wait.min(POLL) } else { wait }) {
                    Some(Word::News(news)) => duty.hear(clock.now(), news),
                    Some(Word::Stop) => return,
                    None => {}
                }
            }
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work)?;
        Ok(Self { words, thread })
    }

    /// Tells the thread. It does not matter if it has ended.
    pub(crate) fn tell(&self, news: W) {
        self.teller()(news);
    }

    /// Tells the thread, also when this is out of reach.
    pub(crate) fn teller(&self) -> impl Fn(W) + Send + Sync + use<W> {
        let words = self.words.clone();
        move |news| drop(words.send(Word::News(news)))
    }

    /// Tells the thread to end after what it is doing.
    pub(crate) fn bid_stop(&self) {
        let _ = self.words.send(Word::Stop);
    }

    /// Waits for the thread to end, unless this is it.
    pub(crate) fn stop(self) {
        self.bid_stop();
        if self.thread.thread().id() != thread::current().id() {
            // A panic of the thread was reported by it; to stop is no place to repeat it.
            let _ = self.thread.join();
        }
    }
}

fn next<W>(heard: &Receiver<Word<W>>, wait: Duration) -> Option<Word<W>> {
    match heard.recv_timeout(wait) {
        Ok(word) => Some(word),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => Some(Word::Stop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn ticks_keep_to_the_start_however_late_they_are_noticed() {
        let mut ticks = Ticks::new(seconds(100.0), seconds(2.0));
        assert_eq!((ticks.wait(seconds(100.0)), ticks.pass(seconds(101.9))), (seconds(2.0), 0));
        assert_eq!((ticks.wait(seconds(101.5)), ticks.pass(seconds(102.3))), (seconds(0.5), 1));
        assert_eq!(ticks.wait(seconds(102.3)), seconds(1.7), "not two seconds after the late one");
        assert_eq!((ticks.pass(seconds(109.0)), ticks.pass(seconds(109.0))), (3, 0), "those at 104, 106 and 108");
        assert_eq!(ticks.wait(seconds(109.0)), seconds(1.0));
    }

    #[test]
    fn no_time_is_too_long_or_too_short() {
        let mut ticks = Ticks::new(Duration::ZERO, Duration::MAX);
        assert_eq!((ticks.wait(Duration::ZERO), ticks.pass(seconds(1e9))), (LONGEST, 0));
        assert_eq!(ticks.pass(Duration::MAX), 1);
        let mut ticks = Ticks::new(Duration::ZERO, Duration::from_nanos(1));
        assert_eq!(ticks.pass(Duration::MAX), u64::MAX, "more than can be counted");
        assert_eq!(ticks.wait(seconds(0.0)), LONGEST);
        let ticks = Ticks::new(seconds(5.0), seconds(1.0));
        assert_eq!(
            ticks.wait(seconds(3.0)),
            seconds(1.0),
            "a clock never runs backwards; if it did, nothing comes of it"
        );
    }
}
