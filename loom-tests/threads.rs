//! Threads that come, record and go, beside a collector: the real thread-local path.

use manometer::{Counter, Registry, cell::undo, set_max_owned_slabs, slab_counts};

use crate::{
    CELL, arena_with, explore,
    plan::{BUCKETS, PLAN, execute, the_cell},
    spawn,
};

/// Two threads record once each, while this one reads twice.
fn record_and_read(counter: Counter) {
    let threads = [(); 2].map(|()| {
        let counter = counter.clone();
        spawn(move || counter.inc())
    });
    let first = counter.value();
    let second = counter.value();
    assert!(first <= second && second <= 2, "a total of {first} and then {second}");
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(counter.value(), 2);
}

/// Fails under mutant release_relaxed, take_relaxed, take_without_exchange, publish_relaxed, push_relaxed.
#[test]
fn threads_that_come_and_go_lose_no_count() {
    explore(1000, 3, || {
        let registry = Registry::new();
        record_and_read(registry.counter("hits").single().unwrap());
        assert!(slab_counts().owned <= 3, "more slabs than threads");
    });
}

/// Fails under mutant release_relaxed, take_relaxed, take_without_exchange.
#[test]
fn a_thread_without_a_slab_of_its_own_loses_no_count() {
    explore(4000, 3, || {
        set_max_owned_slabs(1);
        let registry = Registry::new();
        record_and_read(registry.counter("hits").single().unwrap());
    });
}

/// Fails under mutant release_relaxed, take_relaxed, take_without_exchange.
#[test]
fn a_histogram_is_whole_while_its_writers_come_and_go() {
    explore(1000, 3, || {
        let arena = arena_with(1);
        let writers = [0, 1].map(|operation| {
            let arena = arena.clone();
            spawn(move || {
                let Some(owner) = arena.adopt() else { return 0 };
                execute(&PLAN[operation..=operation], owner.cell_or_new(CELL));
                owner.release();
                1 << operation
            })
        });
        let mut buckets = [0; BUCKETS];
        let seen = undo::try_read(the_cell(&arena), &mut buckets).map(|reading| (buckets, reading.sum));
        let states = [([0, 0], 0.0), ([1, 0], 1.0), ([0, 1], 10.0), ([1, 1], 11.0)];
        assert!(seen.is_none_or(|seen| states.contains(&seen)), "torn: {seen:?}");
        let done: usize = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
        let mut buckets = [0; BUCKETS];
        let sum = undo::read(the_cell(&arena), &mut buckets, &mut [0; BUCKETS]);
        assert_eq!((buckets, sum), states[done]);
    });
}
