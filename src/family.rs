//! Label values to series: found without a lock, created once, removed whole.
//!
//! The family's map is the authority on which series exist; the index in front of it answers look-ups; the order lists the series
//! for scrapes. Creating and removing take the family's writer lock; looking up and recording never do.
//!
//! # Limits
//! A family has at most `max_series` series. Look-ups of more end in its one overflow series, where every label value is
//! `:overflow`: nothing is lost, nothing fails, and the page stays bounded. Removing series makes room again.

mod accumulate;
mod calls;
mod core;
mod index;
mod numbered;
mod order;
mod owned;
mod record;
mod typed;
mod values;
mod view;

pub use accumulate::Tally;
pub use calls::FutureTimer;
pub use core::Core;
#[cfg(manometer_mocked)]
pub use index::{Index, IndexWriter};
#[cfg(feature = "statsd")]
pub use order::Order;
pub use owned::Owned;
pub use typed::{LabelField, LabelSet, TypedFamily, sets};
pub use values::{LabelValue, LabelValues, NumberRoom};
pub use view::{Family, Labels, View};
