//! Providers by name: those that are built in, and those that a program registers.

use std::{collections::BTreeMap, error::Error, fmt};

use super::isolation::isolated;
#[cfg(feature = "statsd")]
use crate::backend::statsd;
use crate::{
    backend::{Internal, Provider, ProviderFactory},
    model::{ConfigError, Settings},
    registry::RegistryOptions,
    sync::{Arc, Mutex, process_wide},
};

pub(super) type Factory = Arc<ProviderFactory>;

process_wide! {
    static REGISTERED: Mutex<BTreeMap<String, Factory>> = Mutex::new(BTreeMap::new());
}

/// Registers a factory of providers, which every manager of this process that is made from now on finds as `":name"`.
///
/// A factory for one manager alone goes to its [builder](super::ManagerBuilder::factory).
///
/// # Errors
/// `Provider` if the name is taken, empty, or has a colon in it: the one before it, where it is asked for, is no part of it.
///
/// # Examples
/// ```
/// use manometer::{Manager, backend::Internal, model::Settings};
///
/// manometer::register_provider("own", |_settings, options| Ok(Box::new(Internal::new(options))))?;
/// let manager = Manager::new(&Settings::new().with("statistics", ":own").with("statistics_interval", "manual"))?;
/// assert!(manager.is_enabled());
/// # Ok::<(), manometer::model::ConfigError>(())
/// ```
pub fn register_provider<F>(name: &str, factory: F) -> Result<(), ConfigError>
where
    F: Fn(&Settings, RegistryOptions) -> Result<Box<dyn Provider>, Box<dyn Error + Send + Sync>>,
    F: Send + Sync + 'static,
{
    check_name(name)?;
    let mut registered = REGISTERED.lock();
    if registered.contains_key(name) {
        return Err(refused(name, NoProvider::Taken));
    }
    registered.insert(name.to_owned(), Arc::new(factory));
    Ok(())
}

/// Whether a factory can be asked for by this name.
pub(super) fn check_name(name: &str) -> Result<(), ConfigError> {
    match name.is_empty() || name.contains(':') {
        true => Err(refused(name, NoProvider::BadName)),
        false => Ok(()),
    }
}

/// The provider of this name, made by its factory. `own` are the factories of the one manager.
pub(super) fn make(
    name: &str,
    own: &BTreeMap<String, Factory>,
    settings: &Settings,
    options: RegistryOptions,
) -> Result<Box<dyn Provider>, ConfigError> {
    let made = match name.strip_prefix(':') {
        None => built_in(name, settings, options)?,
        Some(registered) => {
            let factory = own.get(registered).cloned().or_else(|| REGISTERED.lock().get(registered).cloned());
            let factory = factory.ok_or_else(|| refused(name, NoProvider::NotRegistered))?;
            isolated(|| factory(settings, options)).unwrap_or_else(|panic| Err(NoProvider::Panicked(panic).into()))
        }
    };
    made.map_err(|source| ConfigError::Provider { name: name.to_owned(), source })
}

/// The one place where the providers of this crate have their names.
#[cfg_attr(not(feature = "statsd"), allow(unused_variables, reason = "`internal` has no settings"))]
fn built_in(name: &str, settings: &Settings, options: RegistryOptions) -> Result<Made, ConfigError> {
    match name {
        "internal" => Ok(Ok(Box::new(Internal::new(options)))),
        #[cfg(feature = "statsd")]
        "statsd" => Ok(statsd(settings, options)),
        _ => Err(refused(name, NoProvider::NotBuiltIn)),
    }
}

type Made = Result<Box<dyn Provider>, Box<dyn Error + Send + Sync>>;

/// Why a name gives no provider, before any factory says so itself.
#[derive(Debug)]
enum NoProvider {
    NotBuiltIn,
    NotRegistered,
    Taken,
    BadName,
    Panicked(String),
}

fn refused(name: &str, why: NoProvider) -> ConfigError {
    ConfigError::Provider { name: name.to_owned(), source: why.into() }
}

impl fmt::Display for NoProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBuiltIn => {
                f.write_str("none of this name is built in; one of the program's own begins with a colon")
            }
            Self::NotRegistered => f.write_str("none of this name was registered"),
            Self::Taken => f.write_str("the name is taken"),
            Self::BadName => f.write_str("a name is registered without a colon, and is not empty"),
            Self::Panicked(panic) => write!(f, "its factory panicked: {panic}"),
        }
    }
}

impl Error for NoProvider {}
