//! What a manager can be told, from a table of a configuration or by its builder, and how it makes one of it.

use std::{collections::BTreeMap, error::Error, time::Duration};

use super::{
    Manager,
    providers::{self, Factory},
    state::Mode,
};
#[cfg(feature = "http")]
use crate::http;
use crate::{
    backend::{Provider, ProviderFactory},
    instrument::{Clock, Monotonic},
    model::{ConfigError, Dialect, FamilyName, MetricType, Setting, Settings},
    registry::{DEFAULT_MAX_SERIES, RegistryOptions},
    sync::Arc,
};

/// The keys that a manager reads.
pub const KEYS: &[&str] = &[
    "statistics",
    "statistics_interval",
    "statistics_config",
    "statistics_min_interval",
    "namespace",
    "max_series",
    "strict_declarations",
    "compat",
    "created_samples",
    "utf8_names",
];

/// The keys of every room that reads the same table. A room with keys of its own joins here.
const ROOMS: &[&[&str]] = &[
    KEYS,
    #[cfg(feature = "http")]
    http::Options::KEYS,
];

/// How often a manager collects that has a provider and was told nothing else.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

/// What stands before the names of measures and scopes unless something else is asked for.
pub const DEFAULT_NAMESPACE: &str = "prosody";

/// The shortest interval of a schedule, and the shortest window of a rate: what comes sooner is no schedule but a busy loop.
pub const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);

pub(super) const INTERVAL_RULE: &str = "a number of seconds, 0.001 or more, or \"manual\"";
const NAMESPACE_RULE: &str = "a text that is not empty and has no control characters";

/// When a manager collects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Unsaid,
    Every(Duration),
    OnRequest,
}

/// A manager that is being described, for who has no table of a configuration. Nothing runs until [`Manager::start`].
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// let manager = manometer::Manager::builder().provider("internal").interval(Duration::from_secs(10)).build()?;
/// assert!(manager.is_enabled());
/// # Ok::<(), manometer::model::ConfigError>(())
/// ```
#[must_use = "there is no manager until `build`"]
pub struct ManagerBuilder {
    provider: Option<String>,
    when: When,
    min_interval: Duration,
    provider_settings: Settings,
    pub(super) namespace: String,
    options: RegistryOptions,
    pub(super) created_samples: bool,
    pub(super) compat: bool,
    utf8_names: bool,
    factories: BTreeMap<String, Factory>,
    #[cfg(feature = "http")]
    http: http::Options,
    /// None is the system's monotonic clock.
    clock: Option<Arc<dyn Clock + Send + Sync>>,
}

impl ManagerBuilder {
    pub(super) fn new() -> Self {
        Self {
            provider: None,
            when: When::Unsaid,
            min_interval: Duration::ZERO,
            provider_settings: Settings::new(),
            namespace: DEFAULT_NAMESPACE.to_owned(),
            options: RegistryOptions::new(),
            created_samples: true,
            compat: false,
            utf8_names: false,
            factories: BTreeMap::new(),
            #[cfg(feature = "http")]
            http: http::Options::new(),
            clock: None,
        }
    }

    /// What a table says, to go on from.
    ///
    /// # Errors
    /// `UnknownKey` and `Invalid`, for the first key that is not known or has a value that it cannot have.
    pub fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        settings.check_keys(&ROOMS.concat())?;
        let mut builder = Self::new();
        builder.provider = settings.text("statistics")?.map(str::to_owned);
        builder.when = when(settings)?;
        builder.min_interval =
            seconds(settings, "statistics_min_interval", "a number of seconds, 0 or more")?.unwrap_or_default();
        builder.provider_settings = settings.table("statistics_config")?.cloned().unwrap_or_default();
        if let Some(namespace) = settings.text("namespace")? {
            check_namespace(namespace)?;
            builder.namespace = namespace.to_owned();
        }
        let max_series = match settings.integer("max_series")? {
            None => DEFAULT_MAX_SERIES,
            Some(number) => {
                let number = usize::try_from(number).ok().filter(|number| *number > 0);
                number.ok_or_else(|| settings.invalid("max_series", "a whole number above 0"))?
            }
        };
        let strict = settings.boolean("strict_declarations")?.unwrap_or(false);
        builder.options = RegistryOptions::new().max_series(max_series).strict_declarations(strict);
        #[cfg(feature = "http")]
        {
            builder.http = http::Options::from_settings(settings)?;
        }
        builder.created_samples = settings.boolean("created_samples")?.unwrap_or(true);
        builder.compat = match settings.text("compat")? {
            None => false,
            Some("prosody") => true,
            Some(_) => return Err(settings.invalid("compat", "\"prosody\"")),
        };
        builder.utf8_names = settings.boolean("utf8_names")?.unwrap_or(false);
        builder.check_names()?;
        Ok(builder)
    }

    /// Where values go: `"internal"`, a name that is built in, or a colon and the name of a factory.
    pub fn provider(self, name: &str) -> Self {
        Self { provider: Some(name.to_owned()), ..self }
    }

    /// What the provider's factory is given.
    pub fn provider_settings(self, settings: Settings) -> Self {
        Self { provider_settings: settings, ..self }
    }

    /// A factory of this manager alone, which [`provider`](Self::provider) finds as `:name` before those of the whole process.
    pub fn factory<F>(mut self, name: &str, factory: F) -> Self
    where
        F: Fn(&Settings, RegistryOptions) -> Result<Box<dyn Provider>, Box<dyn Error + Send + Sync>>,
        F: Send + Sync + 'static,
    {
        let factory: Arc<ProviderFactory> = Arc::new(factory);
        self.factories.insert(name.to_owned(), factory);
        self
    }

    /// Collect so often: 60 seconds unless told otherwise, and not more often than [`SHORTEST_INTERVAL`] allows.
    pub fn interval(self, interval: Duration) -> Self {
        Self { when: When::Every(interval), ..self }
    }

    /// Collect when somebody asks: a scrape, or [`Manager::collect`].
    pub fn manual(self) -> Self {
        Self { when: When::OnRequest, ..self }
    }

    /// A scrape that comes sooner than this after the last collection runs no handlers; it reads current values all the same.
    pub fn min_interval(self, min_interval: Duration) -> Self {
        Self { min_interval, ..self }
    }

    /// What stands before the names of measures and scopes.
    pub fn namespace(self, namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..self }
    }

    /// The most series of a family, and whether re-declarations must agree. The dialect is as
    /// [`prosody_compatible`](Self::prosody_compatible) and [`utf8_names`](Self::utf8_names) say.
    pub fn registry_options(self, options: RegistryOptions) -> Self {
        Self { options, ..self }
    }

    /// Whether pages have `_created` samples; they do unless told otherwise. What is collected has creation times all the same, and
    /// so the view has its rates.
    pub fn created_samples(self, created_samples: bool) -> Self {
        Self { created_samples, ..self }
    }

    /// Whether names, pages and the view are as Prosody writes them (`compat = "prosody"`), and of the manager's own metrics there are
    /// only those that Prosody has. Values are the same either way.
    pub fn prosody_compatible(self, compat: bool) -> Self {
        Self { compat, ..self }
    }

    /// The clock of intervals, windows and timings. For tests: since nobody says when it moves, it is looked at every millisecond.
    pub fn clock(self, clock: impl Clock + Send + Sync + 'static) -> Self {
        Self { clock: Some(Arc::new(clock)), ..self }
    }

    /// Whether names and label keys may have dots, spaces and all letters, and are exposed so to who takes them
    /// ([`Dialect::Utf8`]).
    pub fn utf8_names(self, utf8_names: bool) -> Self {
        Self { utf8_names, ..self }
    }

    /// Where [`Manager::serve`] serves, and whom. What this says of creation times and of the compatible form is as the manager
    /// is told.
    #[cfg(feature = "http")]
    pub fn http(self, http: http::Options) -> Self {
        Self { http, ..self }
    }

    /// Makes the manager. Without a provider and an interval it is disabled; with an interval alone, its provider is the internal
    /// one. Nothing runs yet.
    ///
    /// # Errors
    /// `Invalid` for an interval that is too short, a bad namespace, or UTF-8 names in the compatible form; `Provider` if there is none of that name, its factory fails, or a
    /// factory of this manager has a name that [`register_provider`](super::register_provider) would refuse.
    pub fn build(self) -> Result<Manager, ConfigError> {
        self.make()
    }

    pub(super) fn make(&self) -> Result<Manager, ConfigError> {
        check_namespace(&self.namespace)?;
        self.check_names()?;
        self.factories.keys().try_for_each(|name| providers::check_name(name))?;
        if let When::Every(interval) = self.when {
            check_interval("statistics_interval", INTERVAL_RULE, interval)?;
        }
        let (name, mode) = match (&self.provider, self.when) {
            (None, When::Unsaid | When::OnRequest) => return Ok(Manager::disabled(self)),
            (None, When::Every(interval)) => ("internal", Mode::Scheduled(interval)),
            (Some(name), When::Unsaid) => (name.as_str(), Mode::Scheduled(DEFAULT_INTERVAL)),
            (Some(name), When::Every(interval)) => (name.as_str(), Mode::Scheduled(interval)),
            (Some(name), When::OnRequest) => (name.as_str(), Mode::Manual { min_interval: self.min_interval }),
        };
        let provider = providers::make(name, &self.factories, &self.provider_settings, self.options())?;
        Manager::enabled(self, name, mode, provider)
    }

    /// The options of the registry, whoever makes it.
    pub(super) fn options(&self) -> RegistryOptions {
        self.options.dialect(match (self.compat, self.utf8_names) {
            (true, _) => Dialect::Prosody,
            (false, true) => Dialect::Utf8,
            (false, false) => Dialect::OpenMetrics,
        })
    }

    /// A page of Prosody has no names but classic ones.
    fn check_names(&self) -> Result<(), ConfigError> {
        match self.utf8_names && self.compat {
            true => Err(ConfigError::Invalid {
                key: "utf8_names".to_owned(),
                given: "true".to_owned(),
                rule: "possible where compat is \"prosody\"",
            }),
            false => Ok(()),
        }
    }

    /// How the doors will be.
    #[cfg(feature = "view")]
    pub(super) fn doors(&self) -> super::doors::Doors {
        super::doors::Doors {
            #[cfg(feature = "http")]
            http: self.http.clone().created_samples(self.created_samples).compat(self.compat),
            compat: self.compat,
        }
    }

    /// The clock, and whether it must be looked at again and again.
    pub(super) fn clock_or_system(&self) -> (Arc<dyn Clock + Send + Sync>, bool) {
        match &self.clock {
            Some(clock) => (clock.clone(), true),
            None => (Arc::new(Monotonic::new()), false),
        }
    }
}

impl std::fmt::Debug for ManagerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("ManagerBuilder");
        debug.field("provider", &self.provider).field("when", &self.when).field("namespace", &self.namespace);
        debug.field("factories", &self.factories.keys()).finish_non_exhaustive()
    }
}

/// An interval as the key of the table has it.
fn when(settings: &Settings) -> Result<When, ConfigError> {
    const KEY: &str = "statistics_interval";
    if settings.get(KEY) == Some(&Setting::Text("manual".to_owned())) {
        return Ok(When::OnRequest);
    }
    match seconds(settings, KEY, INTERVAL_RULE)? {
        None => Ok(When::Unsaid),
        Some(short) if short < SHORTEST_INTERVAL => Err(settings.invalid(KEY, INTERVAL_RULE)),
        Some(interval) => Ok(When::Every(interval)),
    }
}

/// A number of seconds that is not negative.
fn seconds(settings: &Settings, key: &str, rule: &'static str) -> Result<Option<Duration>, ConfigError> {
    let invalid = || settings.invalid(key, rule);
    let number = settings.number(key).map_err(|_| invalid())?;
    number.map(|seconds| Duration::try_from_secs_f64(seconds).map_err(|_| invalid())).transpose()
}

/// Refuses an interval that no schedule can have, and no window of a rate.
pub(super) fn check_interval(key: &str, rule: &'static str, interval: Duration) -> Result<(), ConfigError> {
    match interval < SHORTEST_INTERVAL {
        true => Err(ConfigError::Invalid { key: key.to_owned(), given: interval.as_secs_f64().to_string(), rule }),
        false => Ok(()),
    }
}

fn check_namespace(namespace: &str) -> Result<(), ConfigError> {
    FamilyName::compose(namespace, "", MetricType::Gauge).map(drop).map_err(|_| ConfigError::Invalid {
        key: "namespace".to_owned(),
        given: Setting::from(namespace).to_string(),
        rule: NAMESPACE_RULE,
    })
}
