//! What all clones of a manager share, and one collection: its order, its isolation, and who waits for whom.
//!
//! # One collection
//! 1. handlers of `stats-update` run and set values;
//! 2. what the engine and the provider count is carried over, and the provider sends, corked or not;
//! 3. the time of 1 and 2 is sampled;
//! 4. handlers of `openmetrics-updated` run, and their time is sampled.
//!
//! A page that is read after it counts it. A step that fails is logged and counted and skips no other.
//!
//! # Who waits
//! One collection runs at a time. Who asks while one runs waits for it and shares it; then reads values, which are as of a moment
//! after the question. Who asks from inside one is told so instead of waiting for itself. A handler that waits for *another* thread
//! which asks waits forever; there is no way to notice.

use std::{
    fmt,
    thread::{self, ThreadId},
    time::Duration,
};

use super::{
    corks::Corks,
    error::CollectError,
    events::{Event, UpdateTiming},
    isolation::isolated,
    own::Own,
};
use crate::{
    backend::Provider,
    collect::{Collector, Sampled},
    instrument::Clock,
    model::MetricSet,
    registry::Registry,
    sync::{Arc, AtomicBool, AtomicU64, Mutex, Ordering},
};

/// What a provider's errors are counted under. Made-up values begin with a colon.
const PROVIDER: &str = ":provider";

/// When collections happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Never: there is no provider.
    Disabled,
    /// When somebody asks; a scrape that comes sooner than `min_interval` after the last one runs no handlers.
    Manual { min_interval: Duration },
    /// At fixed distances.
    Scheduled(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    /// Somebody does the last things.
    Finishing,
    Stopped,
}

/// One collection at a time.
#[derive(Debug)]
struct Flight {
    /// Whose turn it is.
    turn: Mutex<()>,
    /// Collections that ended.
    ended: AtomicU64,
    /// The thread that collects now.
    by: Mutex<Option<ThreadId>>,
    /// When the last one began.
    last: Mutex<Option<Duration>>,
}

/// That this thread is the one, until it is dropped, however that comes.
struct Claim<'a>(&'a Mutex<Option<ThreadId>>);

impl<'a> Claim<'a> {
    fn new(by: &'a Mutex<Option<ThreadId>>) -> Self {
        *by.lock() = Some(thread::current().id());
        Self(by)
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        *self.0.lock() = None;
    }
}

/// What all clones of one manager share.
pub(super) struct State {
    pub(super) mode: Mode,
    pub(super) registry: Registry,
    /// None when disabled.
    pub(super) provider: Option<Arc<dyn Provider>>,
    pub(super) clock: Arc<dyn Clock + Send + Sync>,
    /// Whether the clock must be looked at again and again.
    pub(super) polls: bool,
    pub(super) corks: Corks,
    pub(super) updates: Event<UpdateTiming>,
    pub(super) openmetrics: Event<Registry>,
    pub(super) own: Option<Own>,
    collector: Collector,
    flight: Flight,
    phase: Mutex<Phase>,
    /// Held by who does the last things, so that whoever else stops the manager returns when they are done.
    ending: Mutex<()>,
    /// The thread that does them.
    ended_by: Mutex<Option<ThreadId>>,
    /// A handler asked to stop; it is done when the collection it is part of has ended.
    stop_asked: AtomicBool,
    /// Whether the last flush failed, so that only the first of a series is logged.
    push_fails: AtomicBool,
    /// The last two scheduled collections.
    last_two: Mutex<[Option<Sampled>; 2]>,
}

impl State {
    pub(super) fn new(
        mode: Mode,
        registry: &Registry,
        provider: Option<Arc<dyn Provider>>,
        (clock, polls): (Arc<dyn Clock + Send + Sync>, bool),
        own: Option<Own>,
    ) -> Self {
        Self {
            mode,
            registry: registry.clone(),
            provider,
            clock,
            polls,
            corks: Corks::default(),
            updates: Event::new("stats-update"),
            openmetrics: Event::new("openmetrics-updated"),
            own,
            collector: Collector::new(registry),
            flight: Flight {
                turn: Mutex::new(()),
                ended: AtomicU64::new(0),
                by: Mutex::new(None),
                last: Mutex::new(None),
            },
            phase: Mutex::new(Phase::Running),
            ending: Mutex::new(()),
            ended_by: Mutex::new(None),
            stop_asked: AtomicBool::new(false),
            push_fails: AtomicBool::new(false),
            last_two: Mutex::new([None, None]),
        }
    }

    /// Runs a collection, or waits for the one that runs and shares it.
    pub(super) fn collect(&self) -> Result<(), CollectError> {
        if self.is_inside() {
            return Err(CollectError::Reentrant);
        }
        // Acquire: pairs with Release below, and stays before the lock. Read under it, this would miss the collection that it waited
        // for, and run another one.
        let seen = self.flight.ended.load(Ordering::Acquire);
        let turn = self.flight.turn.lock();
        // Acquire: as above.
        if self.flight.ended.load(Ordering::Acquire) > seen {
            return Ok(());
        }
        if *self.phase.lock() == Phase::Stopped {
            return Err(CollectError::Stopped);
        }
        let claim = Claim::new(&self.flight.by);
        if let Err(panic) = isolated(|| self.run()) {
            log::error!("a collection panicked: {panic}");
        }
        drop(claim);
        // Release: pairs with Acquire above.
        self.flight.ended.fetch_add(1, Ordering::Release);
        drop(turn);
        // Relaxed: set by this very thread, inside the collection.
        if self.stop_asked.load(Ordering::Relaxed) {
            self.finish();
        }
        Ok(())
    }

    /// Whether this thread is inside a collection of this manager.
    pub(super) fn is_inside(&self) -> bool {
        *self.flight.by.lock() == Some(thread::current().id())
    }

    /// The steps at the head of this file.
    fn run(&self) {
        let Some(own) = &self.own else { return };
        let failed = |collector: &str, _: &str| own.count_error(collector);
        let seconds = |since| self.clock.now().saturating_sub(since).as_secs_f64();
        let start = self.clock.now();
        *self.flight.last.lock() = Some(start);
        self.updates.run(&*self.clock, UpdateTiming::new, failed);
        self.refresh(own);
        self.flush();
        own.collection.instrument().observe(seconds(start));
        let start = self.clock.now();
        self.openmetrics.run(&*self.clock, |_| self.registry.clone(), failed);
        own.processing.instrument().observe(seconds(start));
        if let Mode::Scheduled(_) = self.mode {
            let newer = Sampled { at: self.clock.now(), set: self.collector.collect() };
            // All at once: nobody finds none in between.
            let mut last_two = self.last_two.lock();
            let older = last_two[1].replace(newer);
            last_two[0] = older;
        }
    }

    pub(super) fn last_two(&self) -> Option<[Sampled; 2]> {
        match &*self.last_two.lock() {
            [Some(older), Some(newer)] => Some([older.clone(), newer.clone()]),
            _ => None,
        }
    }

    /// All families as of now, after a collection in manual mode.
    pub(super) fn scrape(&self) -> Arc<MetricSet> {
        let Some(own) = &self.own else { return Arc::default() };
        let start = self.clock.now();
        if let Mode::Manual { min_interval } = self.mode {
            let last = *self.flight.last.lock();
            if last.is_none_or(|last| start.saturating_sub(last) >= min_interval) {
                // From inside a collection, or after the end: what there is, is read all the same.
                let _ = self.collect();
            }
        }
        self.refresh(own);
        let set = self.collector.collect();
        if let Some(more) = &own.more {
            more.scrape.instrument().observe(self.clock.now().saturating_sub(start).as_secs_f64());
        }
        set
    }

    fn refresh(&self, own: &Own) {
        own.refresh(&self.registry, || self.ask_provider("push_report", |provider| provider.push_report()).flatten());
    }

    /// Has the provider send what is new.
    pub(super) fn flush(&self) {
        // The text is made in there too: an error may be anything behind it.
        let flushed = self.ask_provider("flush", |provider| provider.flush().map_err(|error| error.to_string()));
        let error = flushed.and_then(Result::err);
        // Relaxed: it only thins out the log.
        let failed_before = self.push_fails.swap(error.is_some(), Ordering::Relaxed);
        if let Some(error) = error {
            self.count_error(PROVIDER);
            if !failed_before {
                log::warn!("the provider could not send: {error}; it goes along the next time");
            }
        }
    }

    /// The last push before a scope goes. A provider that was shut down is asked nothing more.
    pub(super) fn flush_unless_stopped(&self) {
        if *self.phase.lock() != Phase::Stopped {
            self.flush();
        }
    }

    /// Asks the provider, if there is one. None also if it panicked, which is logged and counted.
    pub(super) fn ask_provider<R>(&self, what: &str, ask: impl FnOnce(&dyn Provider) -> R) -> Option<R> {
        let provider = self.provider.as_ref()?;
        let answer = isolated(|| ask(&**provider));
        answer
            .map_err(|panic| {
                log::warn!("{what} of the provider panicked: {panic}");
                self.count_error(PROVIDER);
            })
            .ok()
    }

    /// Counts an error of a handler, or of the provider.
    pub(super) fn count_error(&self, collector: &str) {
        if let Some(own) = &self.own {
            own.count_error(collector);
        }
    }

    /// Counts ticks that came while a collection ran.
    pub(super) fn miss(&self, ticks: u64) {
        if let Some(more) = self.own.as_ref().and_then(|own| own.more.as_ref()) {
            more.missed_ticks.add(ticks);
        }
    }

    pub(super) fn is_running(&self) -> bool {
        *self.phase.lock() == Phase::Running
    }

    /// A handler asks to stop: the collection that it is part of sees to it at its end.
    pub(super) fn ask_stop(&self) {
        // Relaxed: read by this very thread.
        self.stop_asked.store(true, Ordering::Relaxed);
    }

    /// The last things: on a schedule one more collection, then a last flush. Once; who comes second waits for them.
    pub(super) fn finish(&self) {
        if *self.ended_by.lock() == Some(thread::current().id()) {
            // Asked by what runs as part of them.
            return;
        }
        let ending = self.ending.lock();
        {
            let mut phase = self.phase.lock();
            if *phase != Phase::Running {
                return;
            }
            *phase = Phase::Finishing;
        }
        let claim = Claim::new(&self.ended_by);
        if let Mode::Scheduled(_) = self.mode {
            let _ = self.collect();
        }
        {
            // Waits for a collection that somebody else asked for.
            let _turn = self.flight.turn.lock();
            *self.phase.lock() = Phase::Stopped;
        }
        self.flush();
        self.ask_provider("shutdown", |provider| provider.shutdown());
        drop(claim);
        // What the handlers own may stop the manager once more, or wait for who does.
        drop(ending);
        self.updates.clear();
        self.openmetrics.clear();
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("mode", &self.mode)
            .field("provider", &self.provider)
            .field("phase", &*self.phase.lock())
            .finish_non_exhaustive()
    }
}
