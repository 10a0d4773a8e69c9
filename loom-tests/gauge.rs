//! Gauges that are written while a push, or a scan for idle series, asks which were.

use manometer::{
    arena::Slot,
    sync::Ordering,
    tuple::{LabelSeed, Query, Tuple},
};

use crate::{explore, spawn};

/// Fails under mutant mark_relaxed, mark_only_if_unset, take_mark_relaxed, take_mark_in_two_steps.
#[test]
fn the_last_value_written_is_sent_by_some_push() {
    explore(10, None, || {
        let query = Query::new(&LabelSeed::default(), &[], &[]);
        let gauge = Tuple::new(&query, &[], "", Slot::NOWHERE, 0.0).unwrap();
        let writer = spawn({
            let gauge = gauge.clone();
            move || {
                for value in [1.0, 2.0] {
                    gauge.state().store(value, Ordering::Relaxed);
                    gauge.mark_written();
                }
            }
        });
        let mut sent = 0.0;
        let mut push = || {
            if gauge.take_written() {
                sent = gauge.state().load(Ordering::Relaxed);
            }
        };
        push();
        writer.join().unwrap();
        push();
        assert_eq!(sent, 2.0, "the last value was never sent");
    });
}

/// Fails under mutant take_stirred_relaxed.
#[test]
fn the_value_whose_mark_a_scan_takes_is_in_the_next_collection() {
    explore(3, None, || {
        let query = Query::new(&LabelSeed::default(), &[], &[]);
        let gauge = Tuple::new(&query, &[], "", Slot::NOWHERE, 0.0).unwrap();
        let writer = spawn({
            let gauge = gauge.clone();
            move || {
                gauge.state().store(1.0, Ordering::Relaxed);
                gauge.mark_written();
            }
        });
        if gauge.take_stirred() {
            assert_eq!(gauge.state().load(Ordering::Relaxed), 1.0, "the mark was taken, and its value not seen");
        }
        writer.join().unwrap();
    });
}
