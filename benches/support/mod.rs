//! What the benches share: clocks and threads, inputs, the sides of each comparison, and load below.
//!
//! They need Linux: CPU time of a thread, cores to pin to, `/proc` for memory.
#![allow(dead_code, unused_imports, reason = "each bench is a crate of its own and uses its own part")]

pub mod clock;
pub mod inputs;
pub mod load;
pub mod lookup;
pub mod pages;
pub mod sides;
pub mod table;

pub use clock::{cpu_per_op, median, percentile, pin, resident_bytes, thread_cpu_ns};
