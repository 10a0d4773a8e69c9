//! Bytes on a wire: a [`MetricSet`](crate::model::MetricSet) as a page of text or of protobuf messages.
//!
//! A [`Page`] is written piece by piece, [`encode`] and [`write()`] make it whole. All of a line but its number was
//! rendered when the series was made, so a line is a few copies and one number; a buffer that has grown is not grown
//! again. The rules live once each: what the samples of a metric are and in which order in `sample`, how the formats
//! differ in `format`, what a page calls a family in `look`, how a line looks in `line` and how one of OpenMetrics 2.0 in `composite`, what a message holds in `protobuf`
//! and how that is put into bytes in `wire`.
//!
//! A metric whose values the formats forbid is left out and counted; it never costs the page.

#[cfg(feature = "openmetrics2")]
mod composite;
mod format;
mod line;
mod look;
mod page;
mod protobuf;
mod sample;
mod schema;
mod wire;

pub use format::Format;
pub use page::{Page, encode, write};
pub use sample::{Sample, samples};
