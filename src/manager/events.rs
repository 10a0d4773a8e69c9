//! The two events of a collection, and who handles them.
//!
//! Handlers run by priority, the highest first, and in the order of registration where it is the same. Each is caught, timed and
//! counted by itself. The list is copied before a run, so a handler may register and unregister handlers, itself included; who is
//! unregistered meanwhile is passed over.

use std::{cmp::Reverse, fmt, time::Duration};

use super::isolation::{discard, isolated};
use crate::{
    instrument::Clock,
    sync::{Arc, AtomicBool, Mutex, Ordering},
};

/// What a handler of `stats-update` is told: the time that its differences are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateTiming {
    since_last: Option<Duration>,
}

impl UpdateTiming {
    pub(super) fn new(since_last: Option<Duration>) -> Self {
        Self { since_last }
    }

    /// Monotonic time since this very handler was last called; none at the first call.
    pub fn since_last(self) -> Option<Duration> {
        self.since_last
    }
}

/// What a handler may return: nothing, or a result whose error is logged and counted. A value is ignored.
pub trait HandlerResult {
    /// The text of the error, if it is one.
    fn into_error(self) -> Option<String>;
}

impl HandlerResult for () {
    fn into_error(self) -> Option<String> {
        None
    }
}

impl<T, E: fmt::Display> HandlerResult for Result<T, E> {
    fn into_error(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}

/// How a handler has fared so far.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandlerReport {
    /// `stats-update` or `openmetrics-updated`.
    pub event: &'static str,
    /// The name it was registered under.
    pub name: String,
    /// Its priority.
    pub priority: i32,
    /// How often it ran.
    pub runs: u64,
    /// How often it panicked or returned an error.
    pub errors: u64,
    /// How long it took the last time.
    pub last_took: Duration,
}

/// That a handler is registered. Dropping this changes nothing; see [`unregister`](Self::unregister).
pub struct Registration {
    name: String,
    remove: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Registration {
    /// A registration of nothing, in a manager that is disabled or has stopped.
    pub(super) fn nowhere(name: &str) -> Self {
        Self { name: name.to_owned(), remove: None }
    }

    pub(super) fn new(name: &str, remove: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self { name: name.to_owned(), remove: Some(Box::new(remove)) }
    }

    /// The name that was registered.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The handler is not called any more. If it runs just now, on another thread, it runs to its end.
    pub fn unregister(self) {
        if let Some(remove) = self.remove {
            remove();
        }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registration").field(&self.name).finish()
    }
}

type Act<A> = Box<dyn FnMut(&A) -> Option<String> + Send>;

/// One handler.
struct Handler<A> {
    name: String,
    priority: i32,
    registered: AtomicBool,
    act: Mutex<Act<A>>,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    last_start: Option<Duration>,
    last_took: Duration,
    runs: u64,
    errors: u64,
}

/// The handlers of one event, which are told an `A`.
pub(super) struct Event<A> {
    name: &'static str,
    handlers: Arc<Mutex<Handlers<A>>>,
}

/// None once the manager has stopped: who registers then would never be let go.
type Handlers<A> = Option<Vec<Arc<Handler<A>>>>;

impl<A: 'static> Event<A> {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, handlers: Arc::new(Mutex::new(Some(Vec::new()))) }
    }

    pub(super) fn register<R: HandlerResult>(
        &self,
        name: &str,
        priority: i32,
        mut act: impl FnMut(&A) -> R + Send + 'static,
    ) -> Registration {
        let handler = Arc::new(Handler {
            name: name.to_owned(),
            priority,
            registered: AtomicBool::new(true),
            act: Mutex::new(Box::new(move |argument: &A| act(argument).into_error())),
            record: Mutex::default(),
        });
        let mut own = self.handlers.lock();
        let Some(handlers) = &mut *own else { return Registration::nowhere(name) };
        let at = handlers.partition_point(|other| Reverse(other.priority) <= Reverse(priority));
        handlers.insert(at, handler.clone());
        drop(own);
        let (handlers, handler) = (Arc::downgrade(&self.handlers), Arc::downgrade(&handler));
        Registration::new(name, move || {
            let (Some(handlers), Some(handler)) = (handlers.upgrade(), handler.upgrade()) else { return };
            // Relaxed: who races with this may call it once more.
            handler.registered.store(false, Ordering::Relaxed);
            // `handler` outlives the lock: what its closure owns may be anything.
            handlers.lock().iter_mut().for_each(|own| own.retain(|other| !Arc::ptr_eq(other, &handler)));
        })
    }

    /// Runs every handler with what `argument` makes of the time since it last began. Tells `failed` whose error it was and what.
    pub(super) fn run(&self, clock: &dyn Clock, argument: impl Fn(Option<Duration>) -> A, failed: impl Fn(&str, &str)) {
        let handlers = self.handlers.lock().clone();
        for handler in handlers.into_iter().flatten() {
            self.run_one(&handler, clock, &argument, &failed);
            // Unregistered meanwhile, it may be the last one, and what its closure owns may be anything.
            discard(handler);
        }
    }

    fn run_one(
        &self,
        handler: &Handler<A>,
        clock: &dyn Clock,
        argument: impl Fn(Option<Duration>) -> A,
        failed: impl Fn(&str, &str),
    ) {
        // Relaxed: see `register`.
        if !handler.registered.load(Ordering::Relaxed) {
            return;
        }
        let start = clock.now();
        let last_start = handler.record.lock().last_start.replace(start);
        let argument = argument(last_start.map(|last| start.saturating_sub(last)));
        let error =
            isolated(|| handler.act.lock()(&argument)).unwrap_or_else(|panic| Some(format!("panicked: {panic}")));
        let mut record = handler.record.lock();
        record.last_took = clock.now().saturating_sub(start);
        record.runs += 1;
        record.errors += u64::from(error.is_some());
        drop(record);
        if let Some(error) = error {
            log::warn!("handler {:?} of {}: {error}", handler.name, self.name);
            failed(&handler.name, &error);
        }
    }

    pub(super) fn reports(&self) -> Vec<HandlerReport> {
        let report = |handler: &Arc<Handler<A>>| {
            let record = handler.record.lock();
            HandlerReport {
                event: self.name,
                name: handler.name.clone(),
                priority: handler.priority,
                runs: record.runs,
                errors: record.errors,
                last_took: record.last_took,
            }
        };
        self.handlers.lock().iter().flatten().map(report).collect()
    }

    /// Unregisters all, for good, and so lets go of what they own.
    pub(super) fn clear(&self) {
        let handlers = self.handlers.lock().take();
        handlers.into_iter().flatten().for_each(discard);
    }
}
