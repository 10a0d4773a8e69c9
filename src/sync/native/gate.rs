//! The gate that every lock of the engine is taken through, so that a process can fork while none is held.
//!
//! A lock that another thread holds at the time of a fork is held for ever in the child, where that thread does not exist. So
//! whoever forks shuts the gate first: it waits until nobody is inside, and nobody comes in meanwhile. Recording goes through no
//! gate.
//! # Ordering
//! Who comes in counts itself, then looks whether the gate is shutting; who shuts says so, then looks at the count. All four are
//! SeqCst, so that one of the two sees the other: either the comer turns back, or the shutter waits for it.
//! # Progress and cost
//! Passing is an add and a load of two words that all threads share, and leaving is a subtraction; only cold paths pay it. A thread
//! that is inside passes again without looking. Should one that is inside wait for one that wants in, shutting would never end: so who
//! shuts opens again after a while, and tries once more.

use std::{
    cell::Cell,
    marker::PhantomData,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How many threads are inside, or about to see that they may not come in.
static INSIDE: AtomicUsize = AtomicUsize::new(0);

/// Whether nobody may come in.
static SHUTTING: AtomicBool = AtomicBool::new(false);

/// One thread forks at a time.
static FORKING: Mutex<()> = Mutex::new(());

/// For how long those who want in are held up before they are let in once.
const PATIENCE: Duration = Duration::from_millis(20);

/// For how long they are let in then.
const OPEN: Duration = Duration::from_millis(1);

std::thread_local! {
    /// How many guards of the gate this thread holds.
    static DEPTH: Cell<usize> = const { Cell::new(0) };

    /// Whether it is one of those in [`INSIDE`]: from its first guard until its last is gone, whichever that is.
    static COUNTED: Cell<bool> = const { Cell::new(false) };
}

/// That this thread is inside, until it is dropped.
#[derive(Debug)]
pub struct Inside {
    here: PhantomData<*const ()>,
}

/// Passes the gate; waits while it is shut.
pub fn enter() -> Inside {
    loop {
        if let Some(inside) = try_enter() {
            return inside;
        }
        // Relaxed: only a hint when to try again.
        while SHUTTING.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_micros(50));
        }
    }
}

/// Passes the gate, unless it is shut.
pub fn try_enter() -> Option<Inside> {
    // Counted here first, and last when leaving: what interrupts this thread in between must not wait for it.
    let depth = DEPTH.replace(DEPTH.get() + 1);
    let inside = Inside { here: PhantomData };
    if depth == 0 {
        COUNTED.set(true);
        // SeqCst, both: see the head of this file.
        INSIDE.fetch_add(1, Ordering::SeqCst);
        if SHUTTING.load(Ordering::SeqCst) {
            // Dropping `inside` turns back.
            return None;
        }
    }
    Some(inside)
}

impl Drop for Inside {
    fn drop(&mut self) {
        leave();
    }
}

/// Gives up one guard of this thread. Guards go in any order: the last one counts.
fn leave() {
    let depth = DEPTH.get() - 1;
    if depth == 0 && COUNTED.replace(false) {
        // SeqCst: as Release it pairs with the load in `shut`; what this thread did inside is before the fork.
        INSIDE.fetch_sub(1, Ordering::SeqCst);
    }
    DEPTH.set(depth);
}

/// That no thread but this one is inside, until it is dropped.
#[derive(Debug)]
pub struct Shut {
    /// 1 if this thread was inside before, and still is.
    inside: usize,
    _forking: MutexGuard<'static, ()>,
}

/// Shuts the gate, after everybody else has left.
pub fn shut() -> Shut {
    let forking = FORKING.lock().unwrap_or_else(PoisonError::into_inner);
    let inside = usize::from(COUNTED.get());
    loop {
        // SeqCst, both: see the head of this file.
        SHUTTING.store(true, Ordering::SeqCst);
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            // SeqCst: see the head of this file; as Acquire it pairs with the Release of `Inside`'s drop.
            if INSIDE.load(Ordering::SeqCst) == inside {
                // Who has shut the gate passes it.
                DEPTH.set(DEPTH.get() + 1);
                return Shut { inside, _forking: forking };
            }
            thread::yield_now();
        }
        // SeqCst like every store of this flag; opening it too late or too early only costs a turn of a loop.
        SHUTTING.store(false, Ordering::SeqCst);
        thread::sleep(OPEN);
    }
}

impl Shut {
    /// Forgets the threads that are not in this process: some were counted, and about to turn back. For the child of a fork.
    pub fn forget_others(&self) {
        // Relaxed: there is no other thread that could look.
        INSIDE.store(self.inside, Ordering::Relaxed);
    }
}

impl Drop for Shut {
    fn drop(&mut self) {
        leave();
        // SeqCst: as in `shut`.
        SHUTTING.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_inside_until_its_last_guard_is_gone() {
        let (first, second) = (enter(), enter());
        drop(first);
        assert!(COUNTED.get(), "a fork would not wait for the lock that the second guard is for");
        drop(second);
        assert!(!COUNTED.get() && DEPTH.get() == 0);
    }

    #[test]
    fn who_shuts_the_gate_from_inside_leaves_it_as_any_other() {
        let guard = enter();
        let shut = shut();
        assert_eq!(shut.inside, 1);
        drop(guard);
        drop(shut);
        assert!(!COUNTED.get() && DEPTH.get() == 0);
        drop(super::shut());
    }
}
