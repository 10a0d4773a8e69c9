//! A clock that stands still until a program moves it, and that knows who looks at it.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use manometer::Clock;

use super::common::managers::until;

/// A clock that is moved by hand; clones are the same.
#[derive(Clone, Default)]
pub struct HandClock(Arc<State>);

#[derive(Default)]
struct State {
    now: Mutex<Duration>,
    /// How often the thread that ends windows has looked.
    looks: AtomicU64,
    meanwhile: Mutex<Option<Act>>,
}

type Act = Box<dyn FnOnce() + Send>;

impl HandClock {
    /// Of a look at the time before windows are ended, that look and one behind; before, one more of what had begun, or two of a thread that
    /// has not begun yet.
    const LOOKS: u64 = 4;

    /// What the time is.
    pub fn read(&self) -> Duration {
        *self.0.now.lock().expect("no test panics here")
    }

    /// Lets time go by.
    pub fn advance(&self, time: Duration) {
        *self.0.now.lock().expect("no test panics here") += time;
    }

    /// Waits until every window has ended that ends by now. So many families had their windows begun since this was last called; the
    /// thread looks at the clock once more for each.
    pub fn settle(&self, begun: u64) {
        let enough = self.0.looks.load(Ordering::SeqCst) + Self::LOOKS + begun;
        until("the end of the windows", || self.0.looks.load(Ordering::SeqCst) >= enough);
    }

    /// Does `act` the next time a collection looks: it has read all families then, and not yet asked which series are idle.
    pub fn meanwhile(&self, act: Act) {
        *self.0.meanwhile.lock().expect("no test panics here") = Some(act);
    }

    /// Does what was to be done meanwhile, if nobody has looked.
    pub fn make_up(&self) {
        let act = self.0.meanwhile.lock().expect("no test panics here").take();
        act.into_iter().for_each(|act| act());
    }
}

impl Clock for HandClock {
    fn now(&self) -> Duration {
        match thread::current().name() {
            Some("manometer-windows") => _ = self.0.looks.fetch_add(1, Ordering::SeqCst),
            _ => self.make_up(),
        }
        self.read()
    }
}

impl fmt::Debug for HandClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.read())
    }
}
