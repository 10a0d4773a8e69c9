//! Where a page comes from: an endpoint over TCP or a Unix socket, a file, or standard input.

mod client;
mod error;
mod target;

use std::{fs, io::Read, time::Duration};

use hyper::header::{HeaderName, HeaderValue};

pub use error::FetchError;
pub use target::Target;

use crate::page::Format;

/// The largest page that is read, unpacked: enough for a million series, and not for a server that never ends.
pub const MOST_BYTES: u64 = 512 << 20;

/// How endpoints are asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// Sent as a bearer token.
    pub token: Option<String>,
    /// Further headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// How long a whole answer may take.
    pub timeout: Duration,
    /// The one format to ask for; None asks as Prometheus does.
    pub format: Option<Format>,
}

/// A page as it came.
#[derive(Debug)]
pub struct Page {
    /// Its bytes, unpacked.
    pub body: Vec<u8>,
    /// What it is said to be; None for a file, and Some(None) for an answer that does not say.
    pub content_type: Option<Option<String>>,
}

/// Fetches a page.
///
/// # Errors
/// See [`FetchError`].
pub fn fetch(target: &Target, request: &Request) -> Result<Page, FetchError> {
    let unreadable = |source| FetchError::Unreadable { path: target.to_string(), source };
    let input: Box<dyn Read> = match target {
        Target::Stdin => Box::new(std::io::stdin().lock()),
        Target::File(path) => Box::new(fs::File::open(path).map_err(unreadable)?),
        Target::Http { .. } | Target::Unix { .. } => return client::get(target, request),
    };
    let mut body = Vec::new();
    input.take(MOST_BYTES + 1).read_to_end(&mut body).map_err(unreadable)?;
    if body.len() as u64 > MOST_BYTES {
        return Err(FetchError::TooLarge { target: target.to_string() });
    }
    Ok(Page { body, content_type: None })
}
