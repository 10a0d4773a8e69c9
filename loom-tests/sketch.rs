//! Sketches: every observation is in one reading of its bank, with its extreme, and slots go from one series to another.

use std::sync::Arc;

use loom::{
    sync::atomic::{AtomicBool, Ordering},
    thread::yield_now,
};
use manometer::{
    arena::{Slot, arena, end_thread},
    cell::sketch,
    instrument::sketch::Sketches,
};

use crate::{CELL, explore, plan::with_writer, spawn};

/// The names of two series, of which nothing is written at their slots.
const SERIES: [Slot; 2] = [Slot::from_bits(1 << 16), Slot::from_bits(1 << 16 | 4)];

const LOWER: f64 = 1.0;
const UPPER: f64 = 1.75;

/// How many of both values a bank has counted, and the extremes since the last reading.
fn read(sketches: &Sketches, bank: usize) -> (u64, (f64, f64)) {
    let (counts, extremes) = sketches.find(SERIES[0]).unwrap().take(arena(), bank);
    (counts.iter().flat_map(|(_, parts)| parts).sum(), extremes)
}

/// Fails under mutant extremes_last, extremes_before_counts.
#[test]
fn an_observation_is_in_one_reading_and_so_is_its_extreme() {
    explore(300, None, || {
        let sketches = Arc::new(Sketches::new());
        sketches.record(SERIES[0], LOWER);
        assert_eq!(read(&sketches, 0), (1, (LOWER, LOWER)));
        let writer = spawn({
            let sketches = sketches.clone();
            move || {
                sketches.record(SERIES[0], UPPER);
                sketches.record(SERIES[0], UPPER);
            }
        });
        let bank = sketches.turn();
        let (early, (_, greatest)) = read(&sketches, bank);
        assert!(early == 1 || greatest == UPPER, "{} were counted without their extreme", early - 1);
        writer.join().unwrap();
        // What came late is in the next reading of the same bank, what came after the turn in the other one.
        let (late, _) = read(&sketches, bank);
        let (other, (_, greatest)) = read(&sketches, 1 - bank);
        assert!(late >= early, "a bank only grows");
        assert_eq!(late - 1 + other, 2, "{early} early, {late} late, {other} in the other bank");
        assert!(other == 0 || greatest == UPPER);
        end_thread();
    });
}

/// Fails under mutant turns_relaxed, end_of_window_relaxed.
#[test]
fn an_observation_is_not_measured_by_the_extremes_of_an_earlier_window() {
    explore(12, None, || {
        let sketches = Arc::new(Sketches::new());
        sketches.record(SERIES[0], UPPER);
        let writer = spawn({
            let sketches = sketches.clone();
            move || {
                // In the third window, which counts in the bank of the first.
                let is_third = sketches.turns() == 2;
                if is_third {
                    sketches.record(SERIES[0], LOWER);
                }
                is_third
            }
        });
        let bank = sketches.turn();
        assert_eq!(read(&sketches, bank), (1, (UPPER, UPPER)));
        sketches.turn();
        if writer.join().unwrap() {
            assert_eq!(read(&sketches, bank), (2, (LOWER, LOWER)));
        }
        end_thread();
    });
}

/// Fails under mutant magnitude_relaxed, magnitude_read_relaxed.
#[test]
fn a_slot_that_another_series_had_begins_at_zero() {
    explore(90, None, || {
        let sketches = Arc::new(Sketches::new());
        // The directory is made under locks that loom does not see, so it is there before there are two threads.
        sketches.record(SERIES[1], 2.0 * LOWER);
        let left = Arc::new(AtomicBool::new(false));
        let writer = spawn({
            let (sketches, left) = (sketches.clone(), left.clone());
            move || {
                sketches.record(SERIES[0], LOWER);
                // The last handle of the first series goes; the second series is another one's.
                left.store(true, Ordering::Release);
                // Loom does not come to this order by itself: the other thread makes the slot before this one looks for it.
                yield_now();
                sketches.record(SERIES[1], LOWER);
            }
        });
        let reused = left.load(Ordering::Acquire);
        if reused {
            sketches.forget(SERIES[0]);
        }
        sketches.record(SERIES[1], LOWER);
        writer.join().unwrap();
        let (counts, _) = sketches.find(SERIES[1]).unwrap().take(arena(), 0);
        assert_eq!(counts.iter().flat_map(|(_, parts)| parts).sum::<u64>(), 3, "used again: {reused}");
        end_thread();
    });
}

/// Fails under mutant sketch_add_relaxed, sketch_read_relaxed.
#[test]
fn who_counts_an_observation_sees_what_was_stored_before_it() {
    explore(4, None, || {
        let extreme = Arc::new(AtomicBool::new(false));
        let (arena, writer) = with_writer({
            let extreme = extreme.clone();
            move |cell| {
                // Relaxed: the count alone publishes it. Stored and not exchanged, for an exchange in loom meets the newest value.
                extreme.store(true, Ordering::Relaxed);
                sketch::add(cell, 0, 0);
            }
        });
        if sketch::read(&arena, CELL, 0)[0] == 1 {
            assert!(extreme.load(Ordering::Relaxed), "counted without its extreme");
        }
        writer.join().unwrap();
    });
}
