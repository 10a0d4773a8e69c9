//! The hand-over of a slab from one writer to the next, for a thread's life or for one operation.

use std::sync::Arc;

use manometer::{arena::Arena, cell::count};

use crate::{CELL, arena_with, explore, spawn};

/// Adds one in the arena's only slab, if it is free; how much was added.
fn bump_owned(arena: &Arena) -> u128 {
    let Some(owner) = arena.adopt() else { return 0 };
    count::add(owner.cell_or_new(CELL), 1, || ());
    owner.release();
    1
}

fn bump_leased(arena: &Arena) -> u128 {
    count::add(arena.lease(0).cell(CELL), 1, || ());
    1
}

/// Two threads `bump` once each, and nothing is lost.
fn bump_on_two_threads(arena: Arc<Arena>, bump: fn(&Arena) -> u128) {
    let before = count::total(&arena, CELL);
    let other = spawn({
        let arena = arena.clone();
        move || bump(&arena)
    });
    let bumps = before + bump(&arena) + other.join().unwrap();
    assert_eq!(count::total(&arena, CELL), bumps);
}

/// Fails under mutant release_relaxed, take_relaxed, take_without_exchange.
#[test]
fn the_next_owner_of_a_slab_goes_on_from_its_values() {
    explore(20, None, || bump_on_two_threads(arena_with(1), bump_owned));
}

/// Fails under mutant release_relaxed, take_relaxed, take_without_exchange.
#[test]
fn a_leased_slab_has_one_writer_at_a_time() {
    explore(30, None, || {
        let arena = Arc::new(Arena::new());
        bump_leased(&arena);
        bump_on_two_threads(arena, bump_leased);
    });
}
