//! The threads of a manager: the one of its schedule, which collects at fixed distances, the one of its windows, and how both end.

use std::time::Duration;

use super::{
    Handle,
    state::{Mode, State},
    windows::News,
};
use crate::{
    instrument::Clock,
    schedule::{Duty, Ticks, Waiter},
    sync::Arc,
};

/// What runs beside the program, and whether anything may begin to.
#[derive(Default)]
pub(super) struct Threads {
    pub(super) stopped: bool,
    /// Another interval than the mode has, since somebody said so.
    pub(super) interval: Option<Duration>,
    pub(super) schedule: Option<Waiter<Duration>>,
    pub(super) windows: Option<Waiter<News>>,
}

impl Handle {
    pub(super) fn stop(&self) {
        if self.state.mode == Mode::Disabled {
            return;
        }
        if self.state.is_inside() {
            self.state.ask_stop();
            let threads = self.threads.lock();
            threads.schedule.iter().for_each(Waiter::bid_stop);
            threads.windows.iter().for_each(Waiter::bid_stop);
            return;
        }
        let (schedule, windows) = {
            let mut threads = self.threads.lock();
            threads.stopped = true;
            (threads.schedule.take(), threads.windows.take())
        };
        schedule.into_iter().for_each(Waiter::stop);
        windows.into_iter().for_each(Waiter::stop);
        self.state.finish();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the thread of the schedule does.
pub(super) struct Schedule {
    state: Arc<State>,
    interval: Duration,
    /// None before the first collection.
    ticks: Option<Ticks>,
}

impl Schedule {
    /// One that has not begun.
    pub(super) fn new(state: Arc<State>, interval: Duration) -> Self {
        Self { state, interval, ticks: None }
    }
}

impl Duty<Duration> for Schedule {
    fn hear(&mut self, now: Duration, interval: Duration) {
        self.interval = interval;
        self.ticks = Some(Ticks::new(now, interval));
    }

    fn act(&mut self, clock: &dyn Clock) -> Duration {
        let mut is_first = false;
        let interval = self.interval;
        let ticks = self.ticks.get_or_insert_with(|| {
            is_first = true;
            Ticks::new(clock.now(), interval)
        });
        let passed = ticks.pass(clock.now());
        if is_first || passed > 0 {
            // Only the last tick that passed before is kept, and none that passes meanwhile.
            let late = passed.saturating_sub(1);
            let _ = self.state.collect();
            self.state.miss(late + ticks.pass(clock.now()));
        }
        ticks.wait(clock.now())
    }
}
