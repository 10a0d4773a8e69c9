//! How readers come to a slab that was made meanwhile, and to a chunk in it.

use std::sync::Arc;

use manometer::{
    arena::{Arena, Slot},
    cell::count,
};

use crate::{CELL, arena_with, explore, spawn};

/// Adds one at `slot` of a slab.
fn bump(arena: &Arena, slot: Slot) {
    let owner = arena.adopt().unwrap();
    count::add(owner.cell_or_new(slot), 1, || ());
    owner.release();
}

/// Fails under mutant publish_relaxed, consume_relaxed.
#[test]
fn a_chunk_is_found_with_its_zeros() {
    explore(15, None, || {
        let slot = Slot::new(1, 0);
        let arena = arena_with(1);
        let reader = spawn({
            let arena = arena.clone();
            move || assert!(count::total(&arena, slot) <= 1)
        });
        bump(&arena, slot);
        reader.join().unwrap();
        assert_eq!(count::total(&arena, slot), 1);
    });
}

/// Fails under mutant push_relaxed, roster_relaxed, made_free.
#[test]
fn a_slab_is_found_as_it_was_made() {
    explore(100, None, || {
        let arena = Arc::new(Arena::new());
        let writers = [(); 2].map(|()| {
            let arena = arena.clone();
            spawn(move || bump(&arena, CELL))
        });
        let first = count::total(&arena, CELL);
        let second = count::total(&arena, CELL);
        assert!(first <= second && second <= 2, "a total of {first} and then {second}");
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        assert_eq!(count::total(&arena, CELL), 2);
    });
}
