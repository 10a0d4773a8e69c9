//! The fork gate: while it is shut no other thread is inside, whatever it holds and in whatever order it lets go.

use std::sync::Arc;

use manometer::sync::{
    Mutex, Ordering, OwnedU64,
    fork_gate::{enter, lock, shut},
};

use crate::explore;

/// What threads do inside, and what who forks must not meet half done. Its shadow tells loom who is at it, and when.
fn touch(memory: &OwnedU64) {
    memory.put(memory.own() + 1, Ordering::Relaxed);
}

/// Fails under mutant gate_not_looked_at, gate_not_shut, gate_others_not_awaited, gate_enter_relaxed, gate_open_relaxed,
/// gate_leave_relaxed, gate_shut_relaxed.
#[test]
fn while_the_gate_is_shut_nobody_else_is_inside() {
    explore(50, 3, || {
        let memory = Arc::new(OwnedU64::new(0));
        let other = loom::thread::spawn({
            let memory = memory.clone();
            move || {
                let _inside = enter();
                touch(&memory);
            }
        });
        let shut = shut();
        touch(&memory);
        drop(shut);
        other.join().unwrap();
        assert_eq!(memory.own(), 2);
    });
}

/// Fails under mutant gate_left_with_the_first_guard.
#[test]
fn a_thread_is_inside_until_its_last_guard_is_gone() {
    explore(50, 3, || {
        let memory = Arc::new(OwnedU64::new(0));
        let other = loom::thread::spawn({
            let memory = memory.clone();
            move || {
                let (first, second) = (enter(), enter());
                drop(first);
                touch(&memory);
                drop(second);
            }
        });
        let shut = shut();
        touch(&memory);
        drop(shut);
        other.join().unwrap();
    });
}

/// Fails under mutant gate_passed_with_the_lock.
#[test]
fn whoever_forks_finds_every_lock_open() {
    explore(50, 3, || {
        let mutex = Arc::new(Mutex::new(0));
        let other = loom::thread::spawn({
            let mutex = mutex.clone();
            move || *lock(&mutex) += 1
        });
        let shut = shut();
        // A lock that is held now is held by one who waits until this has opened the gate again: for ever.
        *lock(&mutex) += 1;
        drop(shut);
        other.join().unwrap();
        assert_eq!(*lock(&mutex), 2);
    });
}
