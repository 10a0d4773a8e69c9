//! Gauges that are written while a push asks which were.

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
