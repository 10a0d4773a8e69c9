//! Providers: where the values of a registry go besides the pages that are pulled from it.
//!
//! Every instrument records into the engine, whatever the provider. A provider that pushes sends, from time to time, what changed
//! since it last did; so recording never does I/O, and local values are as full as without it.

#[cfg(feature = "statsd")]
mod statsd;

use std::{error::Error, fmt, io};

use crate::{
    model::Settings,
    registry::{Registry, RegistryOptions},
};

#[cfg(feature = "statsd")]
pub use statsd::{HistogramMode, Statsd, StatsdOptions, TagMode, Transport, statsd};

/// Where the values of one registry go. What a provider leaves out does nothing.
///
/// Its methods are called from any thread, and a panic in one of them harms nobody else.
pub trait Provider: fmt::Debug + Send + Sync {
    /// The registry that the application declares in.
    fn registry(&self) -> &Registry;

    /// What logs call it; its configured name if it says nothing.
    fn display_name(&self) -> Option<&str> {
        None
    }

    /// Updates may be held back until [`uncork`](Self::uncork). Called once for any number of nested corks.
    fn cork(&self) {}

    /// The last cork is gone: what was held is sent.
    fn uncork(&self) {}

    /// Sends what changed since the last time, corked or not.
    ///
    /// # Errors
    /// When it was not, or not all, sent; what was not goes along the next time.
    fn flush(&self) -> Result<(), PushError> {
        Ok(())
    }

    /// Sends what is left and ends whatever runs.
    fn shutdown(&self) {}

    /// What was sent, and what was not, since the start; None if nothing is ever sent.
    fn push_report(&self) -> Option<PushReport> {
        None
    }
}

/// Makes a provider from its own part of the configuration, and for the registry that these options describe.
pub type ProviderFactory =
    dyn Fn(&Settings, RegistryOptions) -> Result<Box<dyn Provider>, Box<dyn Error + Send + Sync>> + Send + Sync;

/// What a provider has sent since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PushReport {
    /// Datagrams, or writes to a stream.
    pub datagrams: u64,
    /// Sends that failed.
    pub errors: u64,
    /// Samples that will never be sent.
    pub dropped: u64,
    /// Samples that wait to be sent; None if nothing is ever queued.
    pub queued: Option<u64>,
}

/// Why not all was sent. It goes along the next time.
#[derive(Debug)]
#[non_exhaustive]
pub enum PushError {
    /// The name of the server stands for no address, or cannot be asked for one.
    Resolve {
        /// The name.
        server: String,
        /// What the system says.
        source: io::Error,
    },
    /// The server cannot be reached, or takes no more.
    Send {
        /// The server.
        server: String,
        /// What the system says.
        source: io::Error,
    },
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve { server, source } => write!(f, "{server:?} has no address: {source}"),
            Self::Send { server, source } => write!(f, "cannot send to {server:?}: {source}"),
        }
    }
}

impl Error for PushError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Resolve { source, .. } | Self::Send { source, .. } => Some(source),
        }
    }
}

/// Keeps values in memory, to be pulled.
#[derive(Debug)]
pub struct Internal {
    registry: Registry,
}

impl Internal {
    /// A provider with a registry of its own.
    pub fn new(options: RegistryOptions) -> Self {
        Self { registry: options.build() }
    }
}

impl Provider for Internal {
    fn registry(&self) -> &Registry {
        &self.registry
    }
}
