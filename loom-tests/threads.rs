//! Threads that come, record and go, beside a collector: the real thread-local path.

use manometer::{Counter, Registry, set_max_owned_slabs, slab_counts};

use crate::{explore, spawn};

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
