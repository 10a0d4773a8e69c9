//! The undo cell: a reader takes the operation in flight out again instead of waiting for it.

use manometer::{arena::CellRef, cell::undo, sync::Ordering};

use crate::{
    explore,
    plan::{BUCKETS, Operation, PLAN, WEIGHTED, execute, progress, the_cell, with_writer},
};

/// One attempt; how many operations of `plan` it saw.
fn attempt(cell: CellRef<'_>, plan: &[Operation]) -> Option<usize> {
    let mut buckets = [0; BUCKETS];
    undo::try_read(cell, &mut buckets).map(|reading| progress(plan, buckets, reading.sum))
}

/// One attempt while a writer executes `plan`, and one after it.
fn read_beside(plan: &'static [Operation]) {
    let (arena, writer) = with_writer(|cell| execute(plan, cell));
    let cell = the_cell(&arena);
    attempt(cell, plan);
    writer.join().unwrap();
    assert_eq!(attempt(cell, plan), Some(plan.len()));
}

/// Fails under mutant announce_relaxed, no_announce, sum_relaxed, bucket_relaxed, one_sum_slot, commit_relaxed,
/// first_read_relaxed, cells_read_relaxed, no_validate, no_undo, undo_from_first_word, bucket_after_commit.
#[test]
fn a_reading_beside_two_operations_is_a_prefix() {
    explore(5000, None, || read_beside(&PLAN[..2]));
}

/// The third operation reuses the sum slot that a reader of the first may still want.
///
/// Fails under mutant no_validate.
#[test]
fn a_reading_beside_three_operations_is_a_prefix() {
    explore(30000, None, || read_beside(&PLAN));
}

/// Fails under mutant no_undo, undo_one, undo_from_first_word, bucket_relaxed, sum_relaxed.
#[test]
fn a_weighted_operation_is_seen_whole_or_not_at_all() {
    explore(5000, None, || read_beside(&WEIGHTED));
}

/// Fails under mutant no_announce.
#[test]
fn an_attempt_fails_only_if_an_operation_was_completed() {
    explore(1500, None, || {
        let plan = &PLAN[..1];
        let (arena, writer) = with_writer(|cell| execute(plan, cell));
        let cell = the_cell(&arena);
        let seen = attempt(cell, plan).or_else(|| attempt(cell, plan)).expect("one operation fails one attempt");
        assert!(attempt(cell, plan).is_none_or(|later| later >= seen), "a reading went back");
        writer.join().unwrap();
    });
}

/// Fails under mutant no_undo, undo_from_first_word.
#[test]
fn a_writer_that_never_finishes_stops_no_reader() {
    explore(8000, None, || {
        let (arena, writer) = with_writer(|cell| {
            execute(&PLAN[..1], cell);
            // The second operation up to its commit: announcement, the other sum, bucket 1.
            cell.put(0, cell.own(0) + 2, Ordering::Release);
            cell.put(1, 11f64.to_bits(), Ordering::Release);
            cell.put(undo::HEAD + 1, 1, Ordering::Release);
        });
        let cell = the_cell(&arena);
        attempt(cell, &PLAN).or_else(|| attempt(cell, &PLAN)).expect("one operation fails one attempt");
        writer.join().unwrap();
        assert_eq!(attempt(cell, &PLAN), Some(1));
    });
}
