//! The operator's text view: what the metrics are, in a form for people.
//!
//! [`show`] lists families with their values in readable units, [`histogram`] and [`cfgraph`] draw histograms. All three are
//! functions of a [`MetricSet`](crate::MetricSet), take families by a regular expression on the raw name, and never fail: a
//! malformed pattern is refused where it becomes a [`Pattern`]. A [`Viewer`] does the same for a registry or a manager, and keeps
//! what it saw for its own rates, so that viewers disturb nobody. A [`Listing`] writes the same text piece by piece.
//!
//! # Examples
//! ```
//! use manometer::{Registry, collect, view::{ShowOptions, show}};
//!
//! let registry = Registry::new();
//! registry.gauge("cache").unit("bytes").single()?.set(12_345.0);
//! let text = show(&collect(&registry), &ShowOptions::new().matching("^cache")?);
//! assert_eq!(text, format!("{:<50} 12.1 KiB\n1 statistics displayed\n", "cache_bytes"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod graph;
mod listing;
mod pattern;
mod quantity;
mod rate;
mod row;
mod viewer;

pub use listing::{Form, Listing, ShowOptions, cfgraph, histogram, show};
pub use pattern::{Pattern, ViewError};
pub use quantity::{binary, decimal};
pub use rate::Interval;
pub use viewer::Viewer;

#[cfg(feature = "http")]
pub(crate) use viewer::DISABLED;
