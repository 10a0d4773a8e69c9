//! The float total: a reader sees the additions up to some moment, never a later one without an earlier one.

use manometer::cell::sum;

use crate::{
    explore,
    plan::{the_cell, with_writer},
};

/// Each prefix of them has a total of its own, and so has every other selection.
const AMOUNTS: [f64; 3] = [1.0, 2.0, 4.0];

/// The totals of all prefixes.
const PREFIXES: [f64; 4] = [0.0, 1.0, 3.0, 7.0];

/// Fails under mutant addition_relaxed, turn_relaxed, first_turn_relaxed, sums_read_relaxed, no_turn_check.
#[test]
fn a_float_total_read_beside_additions_is_that_of_a_prefix() {
    explore(2000, None, || {
        let (arena, writer) = with_writer(|cell| AMOUNTS.into_iter().for_each(|amount| sum::add(cell, amount)));
        let cell = the_cell(&arena);
        if let Some(total) = sum::try_read(cell) {
            assert!(PREFIXES.contains(&total), "{total} is no prefix");
        }
        writer.join().unwrap();
        assert_eq!(sum::try_read(cell), Some(7.0));
    });
}
