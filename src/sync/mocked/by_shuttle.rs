//! What shuttle is told of memory beside the atomics.
//!
//! shuttle runs one thread at a time and switches between any two accesses of an atomic. It knows no weak memory, so what it
//! finds is wrong under every ordering: steps that are missing, and steps in a wrong order.

use std::sync::atomic::AtomicBool;

use shuttle::sync::atomic::{AtomicU64, Ordering};

/// The checker of this build.
pub use shuttle as checker;

/// Slots of one chunk: room for one wide cell.
pub const CHUNK_SLOTS: usize = 256;

/// Chunks that one slab can have.
pub const DIRECTORY: usize = 16;

/// Eight bytes that one thread writes and every thread may read.
#[derive(Debug)]
pub struct OwnedU64(AtomicU64);

impl OwnedU64 {
    /// A word holding `value`.
    pub fn new(value: u64) -> Self {
        Self(AtomicU64::new(value))
    }

    /// The value as any thread may see it.
    pub fn load(&self, order: Ordering) -> u64 {
        self.0.load(order)
    }

    /// The value as its owner left it. Another thread may run before the owner stores the next one: a second owner loses counts.
    pub fn own(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Stores the owner's next value.
    pub fn put(&self, value: u64, order: Ordering) {
        self.0.store(value, order);
    }
}

/// A part of some memory that tells when the memory is used after it was freed.
#[derive(Debug)]
pub struct Watched(AtomicBool);

impl Watched {
    /// Memory that is in use from now on.
    pub fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// It is used.
    pub fn used(&self) {
        assert!(!self.0.load(Ordering::Relaxed), "memory is used after it was freed");
    }

    /// It is freed.
    pub fn freed(&self) {
        assert!(!self.0.swap(true, Ordering::Relaxed), "memory is freed twice");
    }
}
