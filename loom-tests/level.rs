//! The level of things that come on one thread and go on another.

use manometer::cell::count;

use crate::{CELL, arena_with, explore, spawn};

/// Fails under mutant lower_relaxed, level_relaxed, raised_first.
#[test]
fn what_came_before_it_went_never_reads_below_zero() {
    explore(15, None, || {
        let arena = arena_with(2);
        let writer = spawn({
            let arena = arena.clone();
            move || {
                let (here, there) = (arena.adopt().unwrap(), arena.adopt().unwrap());
                count::raise(here.cell_or_new(CELL), 1);
                count::lower(there.cell_or_new(CELL), 1);
                here.release();
                there.release();
            }
        });
        let level = count::level(&arena, CELL);
        assert!((0..=1).contains(&level), "a level of {level}");
        writer.join().unwrap();
        assert_eq!(count::level(&arena, CELL), 0);
    });
}
