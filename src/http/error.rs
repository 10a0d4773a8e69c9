//! Why a server did not start.

use std::{error::Error, fmt, io, net::SocketAddr};

use crate::model::ConfigError;

/// Why a server did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// The system refuses to listen at any of the addresses.
    Listen {
        /// The addresses as given, and what the system says of each.
        refused: Vec<(SocketAddr, io::Error)>,
    },
    /// A ready-made listener cannot be used.
    Listener {
        /// What the system says.
        source: io::Error,
    },
    /// The system gives no thread, or no event queue for it.
    Thread {
        /// What the system says.
        source: io::Error,
    },
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { refused } => {
                f.write_str("cannot serve at any address")?;
                for (position, (address, source)) in refused.iter().enumerate() {
                    write!(f, "{} {address}: {source}", if position == 0 { ":" } else { ";" })?;
                }
                Ok(())
            }
            Self::Listener { source } => write!(f, "cannot serve at the given listener: {source}"),
            Self::Thread { source } => write!(f, "cannot start the server's thread: {source}"),
        }
    }
}

impl Error for ServeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Listen { refused } => refused.first().map(|(_, source)| source as _),
            Self::Listener { source } | Self::Thread { source } => Some(source),
        }
    }
}

impl From<ServeError> for ConfigError {
    fn from(source: ServeError) -> Self {
        Self::Server { source: Box::new(source) }
    }
}
