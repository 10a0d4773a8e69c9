//! The page over HTTP: `GET /metrics`, on a thread of its own.
//!
//! A [`Server`] answers scrapers from one thread with its own small runtime, so a scrape never sits on a worker of the
//! application. What a request is answered with is decided from its parts alone (`answer`, `negotiate`); pages leave in pieces of
//! about 64 KiB (`body`), so a client that reads slowly holds one piece and the plain data of its scrape, and holds up nobody.
//!
//! # Requests
//! - `/metrics` with any query, else 404; then GET or HEAD, else 405. HEAD collects nothing.
//! - `Accept` selects the format: OpenMetrics 1.0.0 for who asks for it, text 0.0.4 for everybody else.
//! - An internal failure is a 500, never a part of a page.
//!
//! # Limits
//! - Loopback addresses only: there is no access control yet, and no TLS (a proxy in front does that).
//! - 128 connections at a time; a further one waits until one of them ends.
//! - A request's line and headers have 16 KiB together (431) and [`client_timeout`](ServerBuilder::client_timeout) to arrive
//!   (408). A client that reads nothing of its page for as long is cut off.

mod answer;
mod body;
mod negotiate;
mod patience;
mod server;

pub use server::{DEFAULT_ADDRESS, DEFAULT_CLIENT_TIMEOUT, ServeError, Server, ServerBuilder};
