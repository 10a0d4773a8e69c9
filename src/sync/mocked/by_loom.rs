//! What loom is told of memory beside the atomics.
//!
//! loom remembers one last access per object, so an owner that loads a cell before it stores it would hide the race that a
//! model looks for. The owner's own value therefore lives in a shadow `UnsafeCell` inside [`OwnedU64`], which also lets loom
//! check that there is one owner at a time. It does not see memory freed either; [`Watched`] shows it.

use loom::{
    cell::UnsafeCell,
    sync::atomic::{AtomicU64, Ordering},
};

/// The checker of this build.
pub use loom as checker;

/// Slots of one chunk: few, since each is an object that loom tracks.
pub const CHUNK_SLOTS: usize = 16;

/// Chunks that one slab can have.
pub const DIRECTORY: usize = 3;

/// Eight bytes that one thread writes and every thread may read, with the owner's value in a shadow that loom watches.
#[derive(Debug)]
pub struct OwnedU64 {
    shared: AtomicU64,
    shadow: UnsafeCell<u64>,
}

#[allow(unsafe_code, reason = "the shadow is what loom checks: a second owner at a time fails the model")]
// SAFETY: only the owner touches the shadow (A1); loom fails the model if that is not so.
unsafe impl Sync for OwnedU64 {}

impl OwnedU64 {
    /// A word holding `value`.
    pub fn new(value: u64) -> Self {
        Self { shared: AtomicU64::new(value), shadow: UnsafeCell::new(value) }
    }

    /// The value as any thread may see it.
    pub fn load(&self, order: Ordering) -> u64 {
        self.shared.load(order)
    }

    /// The value as its owner left it.
    pub fn own(&self) -> u64 {
        #[allow(unsafe_code, reason = "loom's cell hands out a raw pointer")]
        // SAFETY: the pointer is valid for the closure; loom fails the model on a concurrent writer.
        self.shadow.with(|value| unsafe { *value })
    }

    /// Stores the owner's next value.
    pub fn put(&self, value: u64, order: Ordering) {
        #[allow(unsafe_code, reason = "loom's cell hands out a raw pointer")]
        // SAFETY: the pointer is valid for the closure; loom fails the model on any concurrent access.
        self.shadow.with_mut(|shadow| unsafe { *shadow = value });
        self.shared.store(value, order);
    }
}

/// A part of some memory that shows loom when the memory is used, and when it is freed.
#[derive(Debug)]
pub struct Watched(UnsafeCell<()>);

#[allow(unsafe_code, reason = "nothing is in it; loom fails the model if a use and the end are not ordered")]
// SAFETY: it holds no data.
unsafe impl Sync for Watched {}

impl Watched {
    /// Memory that is in use from now on.
    pub fn new() -> Self {
        Self(UnsafeCell::new(()))
    }

    /// It is used.
    pub fn used(&self) {
        self.0.with(|_| ());
    }

    /// It is freed: loom fails the model if some use is not before this.
    pub fn freed(&self) {
        self.0.with_mut(|_| ());
    }
}
