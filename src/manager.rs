//! The manager: one registry, where its values go, when they are collected, and who sets them before.
//!
//! A manager is made from a table of a configuration ([`Manager::new`]) or by its [builder](Manager::builder). It is in one of three
//! modes: **scheduled**, with a thread that collects at fixed distances; **manual**, where a scrape or [`Manager::collect`] does; or
//! **disabled**, where nothing runs, declarations are checked as ever, and recording costs a branch. Any number of managers may
//! exist, and share nothing; one of them can be [installed](Manager::install) for the process.
//!
//! # The life of a manager
//! [`Manager::new`] makes it; the program declares and registers handlers; [`Manager::start`] begins the schedule, with a collection
//! at once; [`Manager::stop`], or dropping the last clone, ends it with one more collection and a last flush of the provider. A
//! handler that owns a clone of its manager keeps it alive until `stop`.

mod config;
mod corks;
mod declare;
#[cfg(feature = "view")]
mod doors;
mod error;
mod events;
mod isolation;
mod own;
mod providers;
mod publish;
mod source;
mod state;
mod threads;
mod windows;

use std::{
    error::Error,
    fmt,
    sync::{OnceLock, Weak},
    time::Duration,
};

use crate::{
    backend::Provider,
    model::{ConfigError, Settings},
    registry::Registry,
    schedule::Waiter,
    scope::{Books, Scope},
    sync::{Arc, Mutex},
};

pub use config::{DEFAULT_INTERVAL, DEFAULT_NAMESPACE, KEYS, ManagerBuilder, SHORTEST_INTERVAL};
pub use corks::Cork;
pub use error::{CollectError, RateError, StartError};
pub use events::{HandlerReport, HandlerResult, Registration, UpdateTiming};
pub use providers::register_provider;
pub use windows::DEFAULT_WINDOW;

use own::Own;
use state::{Mode, State};
use threads::{Schedule, Threads};

/// The statistics of a program, or of a part of it. Cheap to clone; clones are the same manager.
///
/// # Examples
/// ```
/// use manometer::{Manager, model::Settings};
///
/// let manager = Manager::new_or_disabled(&Settings::new().with("statistics", "internal").with("statistics_interval", 10));
/// let served = manager.measure("served").rate().declare()?;
/// let depth = manager.measure("queue").amount().declare()?;
/// manager.on_update("queue", 0, move |_| depth.set(4.0));
/// manager.start()?;
/// served.inc();
/// manager.stop();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Manager {
    handle: Arc<Handle>,
}

/// What ends with the last clone. The threads have only the state.
struct Handle {
    state: Arc<State>,
    root: Scope,
    books: Arc<Books>,
    threads: Mutex<Threads>,
    created_samples: bool,
    #[cfg(feature = "view")]
    doors: doors::Doors,
}

/// What a collection hands back.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Collected {
    /// [`Manager::interval`]: of a manager that is asked, which has no schedule, none.
    pub interval: Option<Duration>,
    /// The registry whose values are new.
    pub registry: Registry,
}

/// The manager of the process was installed before. Gives back the one that was not.
#[derive(Clone, Debug)]
pub struct AlreadyInstalled(pub Manager);

impl fmt::Display for AlreadyInstalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another manager is installed for this process already")
    }
}

impl std::error::Error for AlreadyInstalled {}

static INSTALLED: OnceLock<Manager> = OnceLock::new();

impl Manager {
    /// The manager that a table describes. Nothing runs until [`start`](Self::start).
    ///
    /// # Errors
    /// As [`ManagerBuilder::from_settings`] and [`ManagerBuilder::build`].
    pub fn new(settings: &Settings) -> Result<Self, ConfigError> {
        ManagerBuilder::from_settings(settings)?.build()
    }

    /// The manager that a table describes; a disabled one if that cannot be had, which is logged, so that the application runs on.
    pub fn new_or_disabled(settings: &Settings) -> Self {
        let disabled = |error: ConfigError, builder: &ManagerBuilder| {
            // The cause is a provider's own, and its text may be made in any way.
            let text = isolation::isolated(|| error.to_string());
            log::error!("statistics are disabled: {}", text.unwrap_or_else(|panic| format!("no text, but {panic}")));
            isolation::discard(error);
            Self::disabled_quietly(builder)
        };
        match ManagerBuilder::from_settings(settings) {
            // What is declared is checked as this table says, whatever became of the provider.
            Ok(builder) => builder.make().unwrap_or_else(|error| disabled(error, &builder)),
            Err(error) => disabled(error, &ManagerBuilder::new()),
        }
    }

    /// A manager that is disabled.
    pub fn new_disabled() -> Self {
        Self::disabled(&ManagerBuilder::new())
    }

    /// Begins the description of a manager for which there is no table.
    pub fn builder() -> ManagerBuilder {
        ManagerBuilder::new()
    }

    /// Makes this the manager of the process, once. It is never dropped: call [`stop`](Self::stop) before the program ends.
    ///
    /// # Errors
    /// If there is one already; it stays.
    pub fn install(self) -> Result<(), AlreadyInstalled> {
        INSTALLED.set(self).map_err(AlreadyInstalled)
    }

    /// The manager of the process, if one was [installed](Self::install).
    pub fn installed() -> Option<Self> {
        INSTALLED.get().cloned()
    }

    fn enabled(
        builder: &ManagerBuilder,
        name: &str,
        mode: Mode,
        provider: Box<dyn Provider>,
    ) -> Result<Self, ConfigError> {
        let provider: Arc<dyn Provider> = Arc::from(provider);
        Self::with_provider(builder, name, mode, &provider).map_err(|source| {
            // What it has begun already, it ends.
            if let Err(panic) = isolation::isolated(|| provider.shutdown()) {
                log::warn!("shutdown of the provider panicked: {panic}");
            }
            isolation::discard(provider);
            ConfigError::Provider { name: name.to_owned(), source }
        })
    }

    fn with_provider(
        builder: &ManagerBuilder,
        name: &str,
        mode: Mode,
        provider: &Arc<dyn Provider>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let asked = isolation::isolated(|| {
            let shown = provider.display_name().unwrap_or(name).to_owned();
            (provider.registry().clone(), shown)
        });
        let (registry, shown) = asked.map_err(|panic| format!("it panicked: {panic}"))?;
        // The state needs the books, and they need it. Weak, since scopes may outlive their manager.
        let state = Arc::new(OnceLock::<Weak<State>>::new());
        let late = state.clone();
        let push =
            move || late.get().and_then(Weak::upgrade).into_iter().for_each(|state| state.flush_unless_stopped());
        let books = Arc::new(Books::new(&registry, &builder.namespace, Box::new(push)));
        let root = Scope::root(&books);
        let clock = builder.clock_or_system();
        registry.go_by(clock.0.clone(), clock.1);
        let own = Own::declare(&root, &**provider, builder.compat)?;
        let made = Arc::new(State::new(mode, &registry, Some(provider.clone()), clock, Some(own)));
        let _ = state.set(Arc::downgrade(&made));
        match mode {
            Mode::Scheduled(interval) => log::info!(
                "statistics: provider {shown:?}, a collection every {} seconds once started",
                interval.as_secs_f64()
            ),
            Mode::Manual { .. } => log::info!("statistics: provider {shown:?}, no schedule: collected when asked"),
            Mode::Disabled => {}
        }
        Ok(Self::over(made, root, books, builder))
    }

    fn disabled(builder: &ManagerBuilder) -> Self {
        log::info!("statistics: disabled");
        Self::disabled_quietly(builder)
    }

    fn disabled_quietly(builder: &ManagerBuilder) -> Self {
        let registry = builder.options().disabled().build();
        let books = Arc::new(Books::new(&registry, &builder.namespace, Box::new(|| ())));
        let root = Scope::root(&books);
        let state = State::new(Mode::Disabled, &registry, None, builder.clock_or_system(), None);
        Self::over(Arc::new(state), root, books, builder)
    }

    fn over(state: Arc<State>, root: Scope, books: Arc<Books>, builder: &ManagerBuilder) -> Self {
        let handle = Handle {
            state,
            root,
            books,
            threads: Mutex::default(),
            created_samples: builder.created_samples,
            #[cfg(feature = "view")]
            doors: builder.doors(),
        };
        Self { handle: Arc::new(handle) }
    }

    fn state(&self) -> &Arc<State> {
        &self.handle.state
    }

    /// Whether there is a provider, so that values are kept.
    pub fn is_enabled(&self) -> bool {
        self.state().mode != Mode::Disabled
    }

    /// The registry; none if disabled.
    pub fn registry(&self) -> Option<&Registry> {
        self.is_enabled().then_some(&self.state().registry)
    }

    /// The distance of scheduled collections as it is now; none in the other modes.
    pub fn interval(&self) -> Option<Duration> {
        match self.state().mode {
            Mode::Scheduled(interval) => Some(self.handle.threads.lock().interval.unwrap_or(interval)),
            Mode::Manual { .. } | Mode::Disabled => None,
        }
    }

    /// Begins the schedule: a collection at once, and then one at each interval from now on, on a thread of its own. Does nothing in
    /// the other modes, or a second time.
    ///
    /// # Errors
    /// `Stopped` if this manager with a schedule was stopped, `Thread` if the system gives no thread.
    pub fn start(&self) -> Result<(), StartError> {
        let state = self.state();
        let Mode::Scheduled(interval) = state.mode else { return Ok(()) };
        let mut threads = self.handle.threads.lock();
        if threads.stopped || !state.is_running() {
            return Err(StartError::Stopped);
        }
        if threads.schedule.is_some() {
            return Ok(());
        }
        let interval = threads.interval.unwrap_or(interval);
        let duty = Schedule::new(state.clone(), interval);
        let schedule = Waiter::spawn("manometer", state.clock.clone(), state.polls, duty);
        threads.schedule = Some(schedule.map_err(StartError::Thread)?);
        Ok(())
    }

    /// Changes the interval of the schedule, which begins anew: the next collection is one interval from now.
    ///
    /// # Errors
    /// `Invalid` for an interval below [`SHORTEST_INTERVAL`], where there is no schedule, and where it has ended.
    pub fn set_interval(&self, interval: Duration) -> Result<(), ConfigError> {
        const KEY: &str = "statistics_interval";
        config::check_interval(KEY, config::INTERVAL_RULE, interval)?;
        let refused = |rule| {
            let given = interval.as_secs_f64().to_string();
            Err(ConfigError::Invalid { key: KEY.to_owned(), given, rule })
        };
        if !matches!(self.state().mode, Mode::Scheduled(_)) {
            return refused("for this manager, which has no schedule");
        }
        let mut threads = self.handle.threads.lock();
        if threads.stopped || !self.state().is_running() {
            return refused("for this manager, which was stopped");
        }
        threads.interval = Some(interval);
        threads.schedule.iter().for_each(|schedule| schedule.tell(interval));
        Ok(())
    }

    /// Ends the manager: waits for a collection that runs, does one more if there is a schedule, has the provider send what is left
    /// and shut down, and lets go of all handlers. Values stay readable. Who calls it meanwhile, on another thread, waits until all is sent.
    ///
    /// Called by a handler, it returns at once, and all this happens at the end of the collection.
    pub fn stop(&self) {
        self.handle.stop();
    }

    /// Runs a collection now, or waits for the one that runs and shares it. For manual mode alone.
    ///
    /// # Errors
    /// `Reentrant` from a handler, whatever the mode; else `Scheduled` or `Disabled` in the other modes, `Stopped` after the end.
    pub fn collect(&self) -> Result<Collected, CollectError> {
        if self.state().is_inside() {
            return Err(CollectError::Reentrant);
        }
        match self.state().mode {
            Mode::Scheduled(_) if !self.state().is_running() => Err(CollectError::Stopped),
            Mode::Scheduled(_) => Err(CollectError::Scheduled),
            Mode::Disabled => Err(CollectError::Disabled),
            Mode::Manual { .. } => {
                self.state().collect()?;
                Ok(Collected { interval: self.interval(), registry: self.state().registry.clone() })
            }
        }
    }

    /// Registers a handler of `stats-update`, which sets values before each collection. `name` is what logs and counts call it;
    /// higher priorities come first.
    ///
    /// It may declare, record, look up and remove, and register and unregister handlers. What it returns stops nobody: an error
    /// or a panic is logged, counted, and it is called again the next time.
    ///
    /// # Examples
    /// ```
    /// let manager = manometer::Manager::builder().manual().provider("internal").build()?;
    /// let load = manager.gauge("load").single()?;
    /// manager.on_update("load", 0, move |timing| {
    ///     load.set("0.25".parse()?);
    ///     Ok::<(), std::num::ParseFloatError>(())
    /// });
    /// manager.collect()?;
    /// assert_eq!(manager.handlers()[0].runs, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_update<R: HandlerResult>(
        &self,
        name: &str,
        priority: i32,
        handler: impl FnMut(UpdateTiming) -> R + Send + 'static,
    ) -> Registration {
        let mut handler = handler;
        match self.is_enabled() && self.state().is_running() {
            true => self.state().updates.register(name, priority, move |timing| handler(*timing)),
            false => Registration::nowhere(name),
        }
    }

    /// Registers a handler of `openmetrics-updated`, which reads the registry after each collection; as [`on_update`](Self::on_update).
    pub fn on_openmetrics_updated<R: HandlerResult>(
        &self,
        name: &str,
        priority: i32,
        handler: impl FnMut(&Registry) -> R + Send + 'static,
    ) -> Registration {
        match self.is_enabled() && self.state().is_running() {
            true => self.state().openmetrics.register(name, priority, handler),
            false => Registration::nowhere(name),
        }
    }

    /// How each handler has fared, in the order in which they run.
    pub fn handlers(&self) -> Vec<HandlerReport> {
        let state = self.state();
        [state.updates.reports(), state.openmetrics.reports()].concat()
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Manager").field(&self.handle.state).finish()
    }
}
