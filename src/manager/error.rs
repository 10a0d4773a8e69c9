//! What the calls of a manager answer when they cannot do what they are asked.

use std::{error::Error, fmt, io};

use crate::model::ConfigError;

/// Why there was no collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CollectError {
    /// The manager collects on a schedule of its own.
    Scheduled,
    /// The manager is disabled.
    Disabled,
    /// A handler asks for the collection that it is part of, whatever the mode.
    Reentrant,
    /// The manager was stopped.
    Stopped,
}

/// Why no schedule began.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The manager was stopped, for good.
    Stopped,
    /// The system gives no thread.
    Thread(io::Error),
}

/// Why a rate is not published.
#[derive(Debug)]
#[non_exhaustive]
pub enum RateError {
    /// The window is too short.
    Window(ConfigError),
    /// The first reading of the total panicked.
    Total {
        /// The name of the rate.
        rate: String,
        /// What the panic said.
        panic: String,
    },
    /// The system gives no thread.
    Thread(io::Error),
}

impl fmt::Display for CollectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheduled => "this manager collects on its schedule; only one with interval \"manual\" is asked",
            Self::Disabled => "this manager is disabled; key \"statistics\" names a provider",
            Self::Reentrant => "a handler cannot ask for the collection that it is part of",
            Self::Stopped => "this manager was stopped",
        })
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("this manager was stopped, and does not start again"),
            Self::Thread(error) => write!(f, "the schedule has no thread: {error}"),
        }
    }
}

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window(error) => error.fmt(f),
            Self::Total { rate, panic } => write!(f, "the total of rate {rate:?} panicked: {panic}"),
            Self::Thread(error) => write!(f, "rates have no thread: {error}"),
        }
    }
}

impl Error for CollectError {}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Stopped => None,
            Self::Thread(error) => Some(error),
        }
    }
}

impl Error for RateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Window(error) => Some(error),
            Self::Total { .. } => None,
            Self::Thread(error) => Some(error),
        }
    }
}
