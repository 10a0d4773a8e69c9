//! One file for each kind of question.

pub mod correct;
pub mod create;
pub mod floors;
pub mod page;
pub mod record;
pub mod scrape;
pub mod slabs;
pub mod statsd;
