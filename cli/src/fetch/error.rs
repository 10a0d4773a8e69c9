//! Why there is no page.

use std::{error::Error, fmt, io, time::Duration};

use super::MOST_BYTES;

/// Why there is no page.
#[derive(Debug)]
pub enum FetchError {
    /// A file cannot be read.
    Unreadable { path: String, source: io::Error },
    /// Nobody can be reached there.
    Unreachable { target: String, source: io::Error },
    /// The answer took too long.
    TimedOut { target: String, timeout: Duration },
    /// What came is no HTTP, or broke off.
    Broken { target: String, source: hyper::Error },
    /// The answer is not a page.
    Status { target: String, status: u16, reason: &'static str, detail: String },
    /// The body says it is compressed, and is not.
    NotGzip { target: String, source: io::Error },
    /// The body is compressed in a way that was not asked for.
    Encoding { target: String, encoding: String },
    /// There is no end to it.
    TooLarge { target: String },
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, source } => {
                write!(f, "{path} cannot be read: {source}")?;
                if source.kind() == io::ErrorKind::NotFound && path.contains(':') {
                    write!(f, " (an endpoint is given as http://{path})")?;
                }
                Ok(())
            }
            Self::Unreachable { target, source } if source.kind() == io::ErrorKind::ConnectionRefused => {
                write!(f, "{target}: connection refused: nobody listens there")
            }
            Self::Unreachable { target, source } => write!(f, "{target} cannot be reached: {source}"),
            Self::TimedOut { target, timeout } => {
                write!(f, "{target} gave no whole answer within {timeout:?} (--timeout)")
            }
            Self::Broken { target, source } => {
                write!(f, "{target} does not speak HTTP to the end: {source}")?;
                if let Some(cause) = source.source() {
                    write!(f, ": {cause}")?;
                }
                Ok(())
            }
            Self::Status { target, status, reason, detail } => {
                write!(f, "{target} answers {status} {reason}{detail}")
            }
            Self::NotGzip { target, source } => write!(f, "{target} says its answer is gzip, and it is not: {source}"),
            Self::Encoding { target, encoding } => {
                write!(f, "{target} sends Content-Encoding {encoding:?}, which nobody asked for")
            }
            Self::TooLarge { target } => write!(f, "{target}: the page is larger than {} MiB", MOST_BYTES >> 20),
        }
    }
}

impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } | Self::Unreachable { source, .. } | Self::NotGzip { source, .. } => {
                Some(source)
            }
            Self::Broken { source, .. } => Some(source),
            _ => None,
        }
    }
}
