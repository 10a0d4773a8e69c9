//! Sketches: every observation is in one reading of its bank, with its extreme, and slots go from one series to another.

use std::sync::Arc;

use loom::{
    sync::atomic::{AtomicBool, Ordering},
    thread::yield_now,
};
use manometer::{
    arena::{Slot, SlotPool, arena, end_thread},
    cell::sketch,
    instrument::sketch::Sketches,
};

use crate::{CELL, explore, plan::with_writer, spawn};

const LOWER: f64 = 1.0;
const UPPER: f64 = 1.75;

/// Slots for the heads of two series.
fn series() -> [Slot; 2] {
    let mut heads = SlotPool::new(sketch::HEAD_WIDTH, false);
    [(); 2].map(|()| heads.take(arena()).unwrap())
}

/// Counts an observation as a summary does.
fn observe(sketches: &Sketches, series: Slot, value: f64) {
    if !sketches.try_record(series, value) {
        sketches.record(series, value);
    }
}

/// How many of both values a bank has counted, and the extremes since the last reading.
fn read(sketches: &Sketches, series: Slot, bank: usize) -> (u64, (f64, f64)) {
    let (counts, extremes) = sketches.find(series).unwrap().take(arena(), bank);
    (counts.iter().flat_map(|(_, parts)| parts).sum(), extremes)
}

/// Fails under mutant extremes_last, extremes_before_counts, covered_for_ever.
#[test]
fn an_observation_is_in_one_reading_and_so_is_its_extreme() {
    explore(300, None, || {
        let (sketches, [series, _]) = (Arc::new(Sketches::new()), series());
        observe(&sketches, series, LOWER);
        assert_eq!(read(&sketches, series, 0), (1, (LOWER, LOWER)));
        let writer = spawn({
            let sketches = sketches.clone();
            move || {
                observe(&sketches, series, UPPER);
                observe(&sketches, series, UPPER);
            }
        });
        let bank = sketches.turn();
        let (early, (_, greatest)) = read(&sketches, series, bank);
        assert!(early == 1 || greatest == UPPER, "{} were counted without their extreme", early - 1);
        writer.join().unwrap();
        // What came late is in the next reading of the same bank, what came after the turn in the other one.
        let (late, _) = read(&sketches, series, bank);
        let (other, (_, greatest)) = read(&sketches, series, 1 - bank);
        assert!(late >= early, "a bank only grows");
        assert_eq!(late - 1 + other, 2, "{early} early, {late} late, {other} in the other bank");
        assert!(other == 0 || greatest == UPPER);
        end_thread();
    });
}

/// An observation that goes by turn 2, where it counts in the bank that `begin_anew` took extremes off, shows as the only one since.
fn an_observation_is_measured_by_its_own_window(executions: usize, begin_anew: fn(&Sketches, Slot)) {
    explore(executions, None, move || {
        let (sketches, [series, _]) = (Arc::new(Sketches::new()), series());
        observe(&sketches, series, UPPER);
        let writer = spawn({
            let sketches = sketches.clone();
            move || {
                let is_anew = sketches.turns() == 2;
                if is_anew {
                    observe(&sketches, series, LOWER);
                }
                is_anew
            }
        });
        begin_anew(&sketches, series);
        if writer.join().unwrap() {
            assert_eq!(read(&sketches, series, 0), (2, (LOWER, LOWER)));
        }
        end_thread();
    });
}

/// Fails under mutant turns_relaxed, end_of_window_relaxed.
#[test]
fn an_observation_is_not_measured_by_the_extremes_of_an_earlier_window() {
    an_observation_is_measured_by_its_own_window(12, |sketches, series| {
        let bank = sketches.turn();
        assert_eq!(read(sketches, series, bank), (1, (UPPER, UPPER)));
        sketches.turn();
    });
}

/// Fails under mutant turns_relaxed, reset_relaxed.
#[test]
fn an_observation_is_not_measured_by_the_extremes_before_a_reset() {
    an_observation_is_measured_by_its_own_window(3, |sketches, series| {
        assert_eq!(read(sketches, series, 0), (1, (UPPER, UPPER)));
        sketches.begin_anew();
    });
}

/// Fails under mutant magnitude_relaxed, magnitude_read_relaxed.
#[test]
fn a_slot_that_another_series_had_begins_at_zero() {
    explore(90, None, || {
        let (sketches, series) = (Arc::new(Sketches::new()), series());
        // The directory is made under locks that loom does not see, so it is there before there are two threads.
        observe(&sketches, series[1], 2.0 * LOWER);
        let left = Arc::new(AtomicBool::new(false));
        let writer = spawn({
            let (sketches, left) = (sketches.clone(), left.clone());
            move || {
                observe(&sketches, series[0], LOWER);
                // The last handle of the first series goes; the second series is another one's.
                left.store(true, Ordering::Release);
                // Loom does not come to this order by itself: the other thread makes the slot before this one looks for it.
                yield_now();
                observe(&sketches, series[1], LOWER);
            }
        });
        let reused = left.load(Ordering::Acquire);
        if reused {
            sketches.forget(series[0]);
        }
        observe(&sketches, series[1], LOWER);
        writer.join().unwrap();
        let (counts, _) = sketches.find(series[1]).unwrap().take(arena(), 0);
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
