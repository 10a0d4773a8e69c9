//! Forking a process that has other threads: what the child inherits stays readable and usable.
//!
//! Values need no care: whatever a vanished thread was in the middle of, its slab reads as after a whole number of operations. What
//! needs care are locks and pins, which vanished threads can never give back.

use std::marker::PhantomData;

use super::{Slab, arena, pins};
use crate::sync::gate;

/// That no thread is inside a lock of this crate, until it is dropped; see [`before_fork`].
#[derive(Debug)]
#[must_use = "forking is safe only while this is held"]
pub struct ForkGuard {
    process: u32,
    gate: gate::Shut,
    here: PhantomData<*const ()>,
}

/// Prepares for a `fork` of a process whose other threads record, look up or scrape: call it, fork, and drop the guard in both
/// processes.
///
/// Waits for the locks of this crate that are held, and holds up those who want one meanwhile: scrapes, new series, new threads'
/// first records. Recording through handles and look-ups of what exists go on. In the child, dropping the guard also ends
/// the look-ups of threads that are not there any more, so that series can be removed.
///
/// The child inherits all values, and counts on from them. A child that goes on to `exec` needs none of this.
///
/// # Limits
/// A child whose process id is that of its parent (a first process that forks the first one of a new namespace) does not know
/// that it is one; removing a series may wait there for ever.
///
/// # Panics
/// Never. Called on a thread that has a guard already, it waits for itself.
///
/// # Examples
/// ```
/// let guard = manometer::before_fork();
/// // fork here
/// drop(guard);
/// ```
pub fn before_fork() -> ForkGuard {
    ForkGuard { process: std::process::id(), gate: gate::shut(), here: PhantomData }
}

impl Drop for ForkGuard {
    fn drop(&mut self) {
        if std::process::id() != self.process {
            self.gate.forget_others();
            // No thread can have taken a slab in this process: that passes the gate, which is still shut. So every slab in use but
            // this thread's own belonged to a thread that was not forked. It stays taken: its last operation may be half done.
            let own = super::local::own_slab();
            let vanished = arena().owned.iter().filter(|slab| !own.is_some_and(|own| std::ptr::eq(own, *slab)));
            vanished.for_each(|slab: &Slab| pins::abandon(&slab.pin));
        }
    }
}
