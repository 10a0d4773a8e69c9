//! The one door to atomics, thread-locals, locks, maps and clocks: the real ones, or their models.
//!
//! Everything the engine shares between threads goes through here, so that the models in `loom-tests/` run the engine's own
//! modules and not copies of them. A build with `--cfg manometer_mocked` takes [`mocked`], every other build takes `native`.
//! Both have the same names. Nothing else in `src/` may name `std::sync::atomic` or `std::thread_local!`. A second cfg says who mocks:
//! `manometer_loom` goes through every order of events of a few threads, `manometer_shuttle` samples the schedules of many.
//!
//! # Mutants
//! [`mutant!`] marks each ordering and each step that a proof leans on with a weaker twin. It is the right one natively; under
//! the cfg, the environment variable `MANOMETER_MUTANT` selects which twin is on, and the model that guards it must fail.
//! `mutant!(name, right, wrong)` is an expression; `mutant!(name => wrong)` is a step that only the mutant takes.

pub mod fork_gate;
#[cfg(manometer_mocked)]
pub mod mocked;
#[cfg(not(manometer_mocked))]
mod native;
mod side_map;

#[cfg(manometer_mocked)]
pub use mocked::*;
#[cfg(not(manometer_mocked))]
pub use native::*;
pub use side_map::SideMap;

#[cfg(manometer_mocked)]
macro_rules! mutant {
    ($name:literal, $right:expr, $wrong:expr) => {
        if $crate::sync::mutant_is_on($name) { $wrong } else { $right }
    };
    ($name:literal => $wrong:expr) => {
        if $crate::sync::mutant_is_on($name) {
            $wrong
        }
    };
}

#[cfg(not(manometer_mocked))]
macro_rules! mutant {
    ($name:literal, $right:expr, $wrong:expr) => {
        $right
    };
    ($name:literal => $wrong:expr) => {};
}
pub(crate) use mutant;

/// Hashes a key that is its own hash: the label tuple was hashed once, over borrowed text, and carries the result.
#[derive(Clone, Copy, Debug, Default)]
pub struct AlreadyHashed(u64);

impl std::hash::Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("keys of a sync::Map write exactly one u64: their hash")
    }
}
