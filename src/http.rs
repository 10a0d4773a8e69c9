//! The page over HTTP, `GET /metrics`, the operator's view, `GET /stats`, and the live page, `GET /`: for whom they are meant, and
//! nobody else.
//!
//! A [`Server`] answers from one thread with its own small runtime, so a scrape never sits on a worker of the application. What a
//! request is answered with is decided from its parts, its peer and the [`Options`] alone (`answer`, `access`, `negotiate`); texts
//! leave in pieces of about 64 KiB (`body`), so a client that reads slowly holds one piece and the plain data of its scrape, and holds
//! up nobody. A source that may wait for application code is asked on another thread, once for all who wait (`desk`). A [`Door`] is
//! the same without a server, to be mounted in another one.
//!
//! # Requests
//! - `/metrics` with any query and `/stats`, else 404; then the peer and what a trusted proxy says, else 403; then the token, else
//!   401; then GET or HEAD, else 405. HEAD collects nothing, and so does who is denied.
//! - `Accept` selects the format: OpenMetrics 1.0.0 for who asks for it, Prometheus protobuf for who names it with `proto=` and
//!   `encoding=`, text 0.0.4 for everybody else. `Accept-Encoding` selects gzip.
//! - `/stats?pattern=REGEX&form=FORM` is the [view](crate::view); the form is `values`, `details`, `histogram` or `cfgraph`.
//! - `/` is the live page, a document for browsers that draws what `/metrics` says, where
//!   [`live_page`](Options::live_page) asks for it; else it is a 404.
//! - Where nothing is counted, `/metrics` is a 404 that says so. An internal failure is a 500, never a part of a page.
//! - No answer has a header that lets a page of another origin read it.
//!
//! # Limits
//! - No TLS: a proxy in front does that.
//! - 128 connections at a time. A further one takes the place of that on which nothing came or went for the longest time.
//! - A request's line and headers have 16 KiB together (431) and [`client_timeout`](Options::client_timeout) to arrive (408). A
//!   client that reads nothing of its page for as long is cut off.
//! - A collection that takes longer than a minute is a 503.

mod access;
mod answer;
mod body;
mod desk;
mod door;
mod error;
mod forwarded;
mod guests;
mod listen;
mod negotiate;
mod network;
mod options;
mod page;
mod patience;
mod server;

pub use access::{Denial, DenialReport, Peer};
pub use body::Body;
pub use door::Door;
pub use error::ServeError;
pub use forwarded::ForwardedHeader;
pub use network::{Network, ParseNetworkError};
pub use options::{DEFAULT_ADDRESS, DEFAULT_CLIENT_TIMEOUT, Options};
pub use server::{Server, ServerBuilder};
