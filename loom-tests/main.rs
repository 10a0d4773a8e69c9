//! Models of the engine's protocols: the real modules, run by loom through every order of events that the bound allows.
//!
//! A model is one claim, and its name is the claim. `Fails under mutant …` in its text names the weaker orderings and skipped
//! steps of `src/` that it must notice; `ci/loom-mutants.sh` tries each of them. Run all with `ci/loom.sh`.
#![cfg(manometer_loom)]
#![allow(clippy::unwrap_used, reason = "a model fails by panicking")]

mod books;
mod carry;
mod collect;
mod fork_gate;
mod gauge;
mod handover;
mod index;
mod level;
mod life;
mod native;
mod pins;
mod plan;
mod present;
mod roster;
mod series;
mod sketch;
mod sum;
mod threads;
mod typed;
mod undo;
mod watermark;
mod wide;

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use loom::thread::{self, JoinHandle};
use manometer::arena::{self, Arena, Slot};

/// Where the models of the lower rooms have their cell.
const CELL: Slot = Slot::NOWHERE;

/// Runs `model` in every execution that has at most `preemptions` switches away from a thread that could go on; `None` is all.
///
/// Fails if there were fewer than `minimum`: then the acts did not meet, and the model shows nothing. A mutant may take acts
/// away, so under one they are not counted: there, the model itself has to fail.
fn explore(minimum: usize, preemptions: impl Into<Option<usize>>, model: impl Fn() + Send + Sync + 'static) {
    let executions = Arc::new(AtomicUsize::new(0));
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions.into();
    builder.max_branches = 10_000; // steps of one execution; those that go through a registry have many
    builder.check({
        let executions = executions.clone();
        move || {
            executions.fetch_add(1, Ordering::Relaxed);
            model();
        }
    });
    let executions = executions.load(Ordering::Relaxed);
    println!("{executions} executions");
    assert!(executions >= minimum || env::var_os("MANOMETER_MUTANT").is_some(), "no more than {executions} executions");
}

/// Runs `act` on a thread of its own, whose slab is free again once it is joined.
fn spawn<R: 'static>(act: impl FnOnce() -> R + 'static) -> JoinHandle<R> {
    thread::spawn(move || {
        let result = act();
        arena::end_thread();
        result
    })
}

/// An arena with so many free slabs that have a chunk for [`CELL`], and no more to be had.
fn arena_with(slabs: usize) -> Arc<Arena> {
    let arena = Arena::new();
    arena.set_max_owned(slabs);
    let owners: Vec<_> = (0..slabs).map(|_| arena.adopt().unwrap()).collect();
    for owner in owners {
        owner.cell_or_new(CELL);
        owner.release();
    }
    Arc::new(arena)
}
