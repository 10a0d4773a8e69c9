//! Schedules of more threads than loom can go through: the real modules, run by shuttle under random and adversarial schedulers.
//!
//! shuttle knows no weak memory. What it adds to the models of `loom-tests/` is size: six and more threads that create, remove, grow,
//! reset and collect at once, in whole programs against the public interface. `ci/shuttle.sh` runs it, and demands that mutants die.
#![cfg(manometer_shuttle)]
#![allow(clippy::unwrap_used, reason = "a schedule fails by panicking")]

mod churn;
mod recording;

use std::{env, sync::Arc};

use manometer::arena;
use shuttle::thread::{self, JoinHandle};

/// Runs `program` under so many schedules of each of two schedulers; `MANOMETER_SCHEDULES` says how many.
///
/// The first chooses at random at every step. The second lets a thread run until one of few random points (PCT), which finds
/// what needs a thread to be stopped for long.
fn under_many_schedules(program: impl Fn() + Send + Sync + 'static) {
    let schedules =
        env::var("MANOMETER_SCHEDULES").map_or(2000, |number| number.parse().expect("a number of schedules"));
    let program = Arc::new(program);
    let random = program.clone();
    shuttle::check_random(move || random(), schedules);
    shuttle::check_pct(move || program(), schedules, 4);
}

/// Runs `act` on a thread of its own, whose slab is free again once it is joined.
fn spawn<R: Send + 'static>(act: impl FnOnce() -> R + Send + 'static) -> JoinHandle<R> {
    thread::spawn(move || {
        let result = act();
        arena::end_thread();
        result
    })
}

/// Runs `act` on so many threads, each with its number; their results in order.
fn on_threads<R: Send + 'static>(
    threads: usize,
    act: impl Fn(usize) -> R + Send + Sync + 'static,
) -> Vec<JoinHandle<R>> {
    let act = Arc::new(act);
    let one = |thread| {
        let act = act.clone();
        spawn(move || act(thread))
    };
    (0..threads).map(one).collect()
}

/// Waits for threads; the sum of their results.
fn sum(threads: Vec<JoinHandle<u64>>) -> u64 {
    threads.into_iter().map(|thread| thread.join().unwrap()).sum()
}
