//! The thread that ends the windows of quantiles: by the clock, and by nothing else.
//!
//! It is started by the first family of a registry that has quantiles, and ends with the registry. At a boundary it turns every
//! family that is due, lets observations pass that saw the turn before ([`GRACE`]), and then reads the banks that came to rest. A
//! thread that wakes late ends one window for all boundaries that have passed.

use std::{fmt, io, sync::Weak, thread, time::Duration};

use crate::{
    family::Core,
    instrument::{Clock, Monotonic, Sketches},
    schedule::{Duty, Ticks, Waiter},
    sync::{Arc, GatedMutex},
};

/// How long an observation that saw the last turn may take to be counted, where the interval is long enough. It takes nanoseconds unless
/// its thread has to wait for a core meanwhile; who waits longer counts in the next window of the same bank.
const GRACE: Duration = Duration::from_millis(20);

/// The part of an interval that may go by like this.
const GRACE_PARTS: u32 = 4;

/// How long to wait while there are no windows.
const IDLE: Duration = Duration::from_secs(3600);

/// What ends the windows of a registry.
pub(super) struct Windows {
    clock: GatedMutex<(Arc<dyn Clock + Send + Sync>, bool)>,
    waiter: GatedMutex<Option<Waiter<Begun>>>,
}

impl Windows {
    pub(super) fn new() -> Self {
        Self { clock: GatedMutex::new((Arc::new(Monotonic::new()), false)), waiter: GatedMutex::new(None) }
    }

    /// Goes by `clock`, unless there are windows already. `polls`: it is none that waiting can go by.
    pub(super) fn set_clock(&self, clock: Arc<dyn Clock + Send + Sync>, polls: bool) {
        if self.waiter.lock().is_none() {
            *self.clock.lock() = (clock, polls);
        }
    }

    /// Starts the thread if there is none yet.
    pub(super) fn start(&self) -> io::Result<()> {
        let mut waiter = self.waiter.lock();
        if waiter.is_none() {
            let (clock, polls) = self.clock.lock().clone();
            *waiter = Some(Waiter::spawn("manometer-windows", clock, polls, Turner { families: Vec::new() })?);
        }
        Ok(())
    }

    /// The windows of `core` begin now, if it has any.
    pub(super) fn begin(&self, core: &Arc<Core>) {
        let interval = core.shared().metadata.interval();
        if let (Some(interval), Some(waiter)) = (interval, &*self.waiter.lock()) {
            let now = self.clock.lock().0.now();
            waiter.tell(Begun { core: Arc::downgrade(core), ticks: Ticks::new(now, interval), interval });
        }
    }
}

impl fmt::Debug for Windows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Windows").field("thread", &self.waiter).finish_non_exhaustive()
    }
}

/// A family and where its windows end.
#[derive(Debug)]
struct Begun {
    core: Weak<Core>,
    ticks: Ticks,
    interval: Duration,
}

/// What the thread does.
struct Turner {
    families: Vec<Begun>,
}

impl Duty<Begun> for Turner {
    fn hear(&mut self, _now: Duration, begun: Begun) {
        self.families.push(begun);
    }

    fn act(&mut self, clock: &dyn Clock) -> Duration {
        let now = clock.now();
        let (mut turned, mut grace) = (Vec::new(), GRACE);
        self.families.retain_mut(|family| {
            let Some(core) = family.core.upgrade().filter(|core| core.is_live()) else { return false };
            if family.ticks.pass(now) > 0 {
                if let Some(bank) = core.shared().sketches.as_ref().map(Sketches::turn) {
                    turned.push((core, bank));
                    grace = grace.min(family.interval / GRACE_PARTS);
                }
            }
            true
        });
        if !turned.is_empty() {
            thread::sleep(grace);
        }
        for (core, bank) in turned {
            core.end_window(bank);
        }
        let now = clock.now();
        self.families.iter().map(|family| family.ticks.wait(now)).min().unwrap_or(IDLE)
    }
}
