//! Recording through handles: totals that are exact, and histograms that are whole, whoever owns the memory.

use manometer::{Histogram, Registry, set_max_owned_slabs};

use crate::{on_threads, spawn, sum, under_many_schedules};

/// Fails under mutant take_without_exchange.
#[test]
fn more_threads_than_slabs_lose_no_count() {
    under_many_schedules(|| {
        set_max_owned_slabs(2);
        let registry = Registry::new();
        let counter = registry.counter("hits").single().unwrap();
        let mut before = 0;
        let mut added = 0;
        for _ in 0..2 {
            let writers = on_threads(6, {
                let counter = counter.clone();
                move |_| {
                    (0..3).for_each(|_| counter.inc());
                    3
                }
            });
            for _ in 0..2 {
                let now = counter.value();
                assert!(before <= now, "the total went from {before} to {now}");
                before = now;
            }
            added += sum(writers);
        }
        assert_eq!(counter.value(), added);
    });
}

/// Fails under mutant reset_in_two_steps, base_read_again.
#[test]
fn resets_beside_five_writers_hand_back_each_increment_once() {
    under_many_schedules(|| {
        let registry = Registry::new();
        let counter = registry.counter("hits").single().unwrap();
        let writers = on_threads(5, {
            let counter = counter.clone();
            move |_| {
                (0..4).for_each(|_| counter.inc());
                4
            }
        });
        let takers = on_threads(2, {
            let counter = counter.clone();
            move |_| counter.reset() + counter.reset()
        });
        let (added, taken) = (sum(writers), sum(takers));
        assert_eq!(taken + counter.value(), added);
    });
}

/// Five writers of one histogram, each observation 1, one of them weighted; two readers, and a reset.
fn observe_beside_readers(thresholds: u32) {
    under_many_schedules(move || {
        let registry = Registry::new();
        let bounds = (1..=thresholds).map(f64::from);
        let histogram = registry.histogram("h").buckets(bounds).single().unwrap();
        let whole = |histogram: &Histogram| {
            let point = histogram.point();
            assert_eq!(point.count() as f64, point.sum, "a torn reading");
        };
        let writers = on_threads(5, {
            let histogram = histogram.clone();
            move |thread| {
                let times = if thread == 0 { 3 } else { 1 };
                (0..4).for_each(|_| histogram.observe_many(1.0, times));
                4 * u64::from(times)
            }
        });
        let taker = spawn({
            let histogram = histogram.clone();
            move || {
                whole(&histogram);
                let taken = histogram.reset();
                assert_eq!(taken.count() as f64, taken.sum, "a torn hand-over");
                taken.count()
            }
        });
        (0..3).for_each(|_| whole(&histogram));
        let added = sum(writers);
        assert_eq!(taker.join().unwrap() + histogram.count(), added);
    });
}

/// Fails under mutant no_undo, no_validate.
#[test]
fn a_narrow_histogram_is_whole_in_every_reading() {
    observe_beside_readers(3);
}

/// Fails under mutant no_undo.
#[test]
fn a_wide_histogram_is_whole_in_every_reading() {
    observe_beside_readers(64);
}
