//! Real threads against known totals. `MANOMETER_STRESS=10` makes every run ten times as long.

#[path = "../common/mod.rs"]
mod common;

mod series;
mod snapshots;
mod threads;
