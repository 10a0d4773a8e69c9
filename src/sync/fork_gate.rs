//! The gate that every lock of the engine is taken through, so that a process can fork while none is held.
//!
//! A lock that another thread holds at the time of a fork is held for ever in the child, where that thread does not exist. So
//! whoever forks shuts the gate first: it waits until nobody else is inside, and nobody comes in meanwhile. Recording goes through no
//! gate. In the models of everything else nobody forks, and all pass freely: see `mocked::gate`.
//!
//! # Shape
//! One word: how many threads are inside, in steps of [`ONE`], and [`SHUTTING`].
//! # Invariants
//! - G1: a thread that holds a guard has added one to the word, and takes it off with its last guard, whichever that is.
//! - G2: a thread that added itself when [`SHUTTING`] was set takes itself off again, and holds nothing.
//! # Ordering
//! Who comes in and who shuts change one word by exchanges, which are in one order: either the shutter's comes first and the comer
//! sees the flag, or the comer's does and the shutter sees that somebody is inside. Both leaving and opening are Release; coming
//! in and the shutter's look are Acquire. So what was done inside is before the fork, and what was done under a shut gate is
//! before everything inside it.
//! # Progress and cost
//! Passing is one exchange of a word that all threads share, leaving is another; only cold paths pay it. A thread
//! that is inside passes again without looking. Should one that is inside wait for one that wants in, shutting would never end: so who
//! shuts opens again after a while, and tries once more.

use std::{
    cell::Cell,
    marker::PhantomData,
    ops::{Deref, DerefMut},
    time::Duration,
};

use super::{AtomicUsize, Mutex, MutexGuard, Ordering, Patience, mutant, pause, process_wide, thread_own, yield_now};

/// Nobody may come in.
const SHUTTING: usize = 1;

/// One thread that is inside, or about to see that it may not come in.
const ONE: usize = 2;

/// For how long those who want in are held up before they are let in once.
const PATIENCE: Duration = Duration::from_millis(20);

/// For how long they are let in then.
const OPEN: Duration = Duration::from_millis(1);

/// How long one that wants in waits before it looks again.
const LOOK_AGAIN: Duration = Duration::from_micros(50);

process_wide! {
    /// How many threads are inside, and whether the gate is shutting.
    static GATE: AtomicUsize = AtomicUsize::new(0);
}

process_wide! {
    /// One thread forks at a time.
    static FORKING: Mutex<()> = Mutex::new(());
}

thread_own! {
    /// How many guards of the gate this thread holds.
    static DEPTH: Cell<usize> = Cell::new(0);
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
        while GATE.load(Ordering::Relaxed) & SHUTTING != 0 {
            pause(LOOK_AGAIN);
        }
    }
}

/// Passes the gate, unless it is shut.
pub fn try_enter() -> Option<Inside> {
    let depth = DEPTH.with(Cell::get);
    if depth == 0 && !count() {
        return None;
    }
    // Only now: what interrupts this thread before is not inside yet, and counts itself (G1).
    DEPTH.with(|own| own.set(depth + 1));
    Some(Inside { here: PhantomData })
}

/// Counts this thread as inside; false, and not counted, if nobody may come in (G2).
fn count() -> bool {
    // Acquire: pairs with Release in `Shut`'s drop; what was done under the shut gate is before what is done inside.
    let before = GATE.fetch_add(ONE, mutant!("gate_enter_relaxed", Ordering::Acquire, Ordering::Relaxed));
    let shutting = mutant!("gate_not_looked_at", before & SHUTTING != 0, false);
    if shutting {
        // Relaxed: nothing was done inside.
        GATE.fetch_sub(ONE, Ordering::Relaxed);
    }
    !shutting
}

impl Drop for Inside {
    fn drop(&mut self) {
        leave();
    }
}

/// Gives up one guard of this thread. Guards go in any order: the last one takes the thread off (G1).
fn leave() {
    let depth = DEPTH.with(Cell::get) - 1;
    // First: what interrupts this thread from here on counts itself.
    DEPTH.with(|own| own.set(depth));
    if mutant!("gate_left_with_the_first_guard", depth == 0, depth == 1) {
        // Release: pairs with Acquire in `shut`; what this thread did inside is before the fork.
        GATE.fetch_sub(ONE, mutant!("gate_leave_relaxed", Ordering::Release, Ordering::Relaxed));
    }
}

/// That no thread but this one is inside, until it is dropped.
#[derive(Debug)]
pub struct Shut {
    /// Who has shut the gate passes it, and is inside like any other.
    _inside: Inside,
    _forking: MutexGuard<'static, ()>,
}

/// Shuts the gate, after everybody else has left.
///
/// Two threads that both are inside already wait for each other for ever: each holds what the child of the other must not inherit.
pub fn shut() -> Shut {
    loop {
        let forking = FORKING.lock();
        // Counts itself, unless it is inside already; nobody shuts now, so it is let in.
        let inside = enter();
        // Relaxed: the order of the exchanges decides who sees whom; see the head of this file.
        GATE.fetch_or(mutant!("gate_not_shut", SHUTTING, 0), Ordering::Relaxed);
        let patience = Patience::of(PATIENCE);
        while patience.is_left() {
            // Acquire: pairs with Release in `leave`; what others did inside is before the fork.
            let now = GATE.load(mutant!("gate_shut_relaxed", Ordering::Acquire, Ordering::Relaxed));
            if mutant!("gate_others_not_awaited", now / ONE == 1, true) {
                return Shut { _inside: inside, _forking: forking };
            }
            yield_now();
        }
        // Relaxed: nothing was done under it.
        GATE.fetch_and(!SHUTTING, Ordering::Relaxed);
        // One that is inside and wants to fork as well has its turn now.
        drop((inside, forking));
        pause(OPEN);
    }
}

impl Shut {
    /// Forgets the threads that are not in this process: some were counted, and about to turn back. For the child of a fork.
    pub fn forget_others(&self) {
        // Relaxed: there is no other thread that could look.
        GATE.store(SHUTTING | ONE, Ordering::Relaxed);
    }
}

impl Drop for Shut {
    fn drop(&mut self) {
        // Release: pairs with Acquire in `count`; what was done under the shut gate is before what is done inside.
        GATE.fetch_and(!SHUTTING, mutant!("gate_open_relaxed", Ordering::Release, Ordering::Relaxed));
    }
}

/// A lock that is held, and the gate that was passed for it.
#[derive(Debug)]
pub struct GatedGuard<'a, T> {
    // Dropped before the gate is left.
    guard: MutexGuard<'a, T>,
    _inside: Inside,
}

/// Waits for a fork, then for `mutex`.
pub fn lock<T>(mutex: &Mutex<T>) -> GatedGuard<'_, T> {
    mutant!("gate_passed_with_the_lock" => {
        let guard = mutex.lock();
        return GatedGuard { guard, _inside: enter() };
    });
    let inside = enter();
    GatedGuard { guard: mutex.lock(), _inside: inside }
}

impl<T> Deref for GatedGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for GatedGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

#[cfg(all(test, not(manometer_mocked)))]
mod tests {
    use std::thread;

    use super::*;

    fn depth() -> usize {
        DEPTH.with(Cell::get)
    }

    #[test]
    fn a_thread_is_inside_until_its_last_guard_is_gone() {
        let (first, second) = (enter(), enter());
        drop(first);
        assert_eq!(depth(), 1, "a fork would not wait for the lock that the second guard is for");
        drop(second);
        assert_eq!(depth(), 0);
    }

    #[test]
    fn who_shuts_the_gate_from_inside_leaves_it_as_any_other() {
        let guard = enter();
        let shut = shut();
        assert_eq!(depth(), 2);
        drop(guard);
        drop(shut);
        assert_eq!(depth(), 0);
        drop(super::shut());
    }

    #[test]
    fn who_forks_from_inside_does_not_wait_for_ever_for_another_that_forks() {
        let inside = enter();
        let other = thread::spawn(|| drop(shut()));
        // Relaxed: a hint that the other is at it, and waits for this thread to leave.
        while GATE.load(Ordering::Relaxed) & SHUTTING == 0 {
            yield_now();
        }
        drop(shut());
        drop(inside);
        other.join().expect("it forks");
    }

    #[test]
    fn who_is_inside_may_wait_for_one_that_wants_in() {
        let inside = enter();
        let forker = thread::spawn(|| drop(shut()));
        // Relaxed: a hint that the forker is at it.
        while GATE.load(Ordering::Relaxed) & SHUTTING == 0 {
            yield_now();
        }
        thread::spawn(|| drop(enter())).join().expect("it comes in");
        drop(inside);
        forker.join().expect("it forks");
    }
}
