//! The wide cell: a reader moves the writer to the other bank, once it knows that the writer has seen the last move.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use manometer::{arena::CellRef, cell::flip};

use crate::{
    explore,
    plan::{BUCKETS, PLAN, execute_wide, progress, the_cell, with_writer},
};

/// A whole reading; how many operations it saw.
fn read(cell: CellRef<'_>) -> usize {
    let (mut totals, mut scratch) = ([0; BUCKETS], [0; 2 * BUCKETS]);
    let sum = flip::read(cell, &mut totals, &mut scratch);
    progress(&PLAN, totals, sum)
}

/// Whether readers of a cell have moved its writer.
fn has_flipped(cell: CellRef<'_>) -> bool {
    cell.selector() > 0
}

/// Fails under mutant no_undo, no_validate.
#[test]
fn readings_that_flip_are_growing_prefixes() {
    let flips = Arc::new(AtomicUsize::new(0));
    explore(20000, 2, {
        let flips = flips.clone();
        move || {
            let (arena, writer) = with_writer(|cell| execute_wide(&PLAN, cell));
            let cell = the_cell(&arena);
            let first = read(cell);
            let second = read(cell);
            assert!(first <= second, "a reading went back");
            writer.join().unwrap();
            assert_eq!(read(cell), PLAN.len());
            flips.fetch_add(has_flipped(cell).into(), Ordering::Relaxed);
        }
    });
    println!("{} flips", flips.load(Ordering::Relaxed));
    assert!(flips.load(Ordering::Relaxed) > 1000, "the readings hardly ever flipped");
}

/// Fails under mutant no_recheck, flip_after_one.
#[test]
fn an_operation_begun_before_a_flip_is_not_missed_after_it() {
    explore(3000, 2, || {
        let (arena, writer) = with_writer(|cell| execute_wide(&PLAN, cell));
        let cell = the_cell(&arena);
        // The first flip may happen at any time: no earlier epoch has used the other bank (F2).
        cell.select(1);
        read(cell);
        writer.join().unwrap();
        assert_eq!(read(cell), PLAN.len());
    });
}
