//! What recording costs: an increment, an observation, a look-up by three labels and an increment.

use std::hint::black_box;

use crate::{
    clock::{Spent, spent_per_op},
    inputs::{Observations, XorShift, borrowed, label_sets},
    peer::Peer,
    roll::Side,
    turns::Measured,
};

/// CPU time and wall time, named.
pub fn told(spent: Spent) -> Measured {
    vec![("cpu ns", spent.cpu), ("wall ns", spent.wall)]
}

/// Does `op` with `held`, so often.
///
/// What is held is a function's argument, as it is in a program, so the compiler may keep what a handle says in registers. It cannot fold
/// the loop: each increment is an atomic store, or a locked instruction.
#[inline(never)]
pub fn repeat<T>(ops: u64, held: &T, mut op: impl FnMut(&T)) {
    for _ in 0..ops {
        op(held);
    }
}

/// Increments of one counter that all threads share.
pub fn counter<P: Peer>() -> Side {
    let mut peer = P::new(1);
    let counter = peer.counter();
    Box::new(move |threads, ops| {
        let _alive = &peer;
        told(spent_per_op(threads, ops, |_, ops| repeat(ops, &counter, P::inc)))
    })
}

/// Observations of random values in one histogram that all threads share.
pub fn histogram<P: Peer>() -> Option<Side> {
    let mut peer = P::new(1);
    let histogram = peer.histogram()?;
    let values = Observations::new();
    Some(Box::new(move |threads, ops| {
        let spent = spent_per_op(threads, ops, |index, ops| {
            let mut random = XorShift::of_thread(index);
            repeat(ops, &histogram, |histogram| P::observe(histogram, values.draw(&mut random)));
        });
        peer.upkeep();
        told(spent)
    }))
}

/// Look-ups of three labels among `series`, evenly drawn, and an increment.
pub fn labels<P: Peer>(series: usize) -> Option<Side> {
    let mut peer = P::new(series);
    let counters = peer.counters()?;
    if !P::LOOKS_UP {
        return None;
    }
    let sets = label_sets(series);
    for set in &sets {
        P::inc_by(&counters, borrowed(set));
    }
    Some(Box::new(move |threads, ops| {
        let _alive = &peer;
        told(spent_per_op(threads, ops, |index, ops| {
            let mut random = XorShift::of_thread(index);
            repeat(ops, &counters, |counters| P::inc_by(counters, borrowed(&sets[random.below(sets.len())])));
        }))
    }))
}

/// Drawing a value: it is in every figure of a histogram.
pub fn drawing_values() -> Side {
    let values = Observations::new();
    Box::new(move |threads, ops| {
        told(spent_per_op(threads, ops, |index, ops| {
            let mut random = XorShift::of_thread(index);
            for _ in 0..ops {
                black_box(values.draw(&mut random));
            }
        }))
    })
}

/// Drawing a label set and looking at it: it is in every figure of a look-up.
pub fn drawing_labels(series: usize) -> Side {
    let sets = label_sets(series);
    Box::new(move |threads, ops| {
        told(spent_per_op(threads, ops, |index, ops| {
            let mut random = XorShift::of_thread(index);
            for _ in 0..ops {
                black_box(borrowed(&sets[random.below(sets.len())]));
            }
        }))
    })
}
