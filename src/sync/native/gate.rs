//! The gate that every cold lock is taken through, so that a fork can happen while none is held.
//!
//! A lock that another thread holds at the time of a fork is held for ever in the child, where that thread does not exist. So
//! whoever forks shuts the gate first: it waits for the locks that are held, and nobody takes another one meanwhile. Recording goes
//! through no gate.
//! # Progress and cost
//! Passing is a read lock on one word that all threads share; only cold paths pay it. A thread that is inside passes again without
//! looking, else it would wait for a fork that waits for it.

use std::{
    cell::Cell,
    marker::PhantomData,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

static GATE: RwLock<()> = RwLock::new(());

std::thread_local! {
    /// How many gates' guards this thread holds.
    static INSIDE: Cell<usize> = const { Cell::new(0) };
}

/// That this thread is inside, until it is dropped.
#[derive(Debug)]
pub struct Inside {
    /// None if the thread was inside already, or shut the gate itself.
    gate: Option<RwLockReadGuard<'static, ()>>,
    here: PhantomData<*const ()>,
}

/// Passes the gate; waits while it is shut.
pub fn enter() -> Inside {
    // Counted first, and out last: what interrupts this thread in between must not wait for it.
    let depth = INSIDE.replace(INSIDE.get() + 1);
    let gate = (depth == 0).then(|| GATE.read().unwrap_or_else(PoisonError::into_inner));
    Inside { gate, here: PhantomData }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.gate = None;
        INSIDE.set(INSIDE.get() - 1);
    }
}

/// That no thread but this one is inside, until it is dropped.
#[derive(Debug)]
pub struct Shut {
    /// None while it is dropped.
    gate: Option<RwLockWriteGuard<'static, ()>>,
}

/// Shuts the gate, after everybody has left. The caller is not inside.
pub fn shut() -> Shut {
    // Who has shut it passes.
    INSIDE.set(INSIDE.get() + 1);
    Shut { gate: Some(GATE.write().unwrap_or_else(PoisonError::into_inner)) }
}

impl Drop for Shut {
    fn drop(&mut self) {
        self.gate = None;
        INSIDE.set(INSIDE.get() - 1);
    }
}
