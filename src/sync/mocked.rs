//! The models: a checker's atomics and threads, a world of two cores without clocks, and mutexed twins of what no checker sees into.
//!
//! Which checker it is, and what it is told of the engine's memory beside the atomics, is in [`by_loom`] and [`by_shuttle`].

#[cfg(manometer_loom)]
mod by_loom;
#[cfg(manometer_shuttle)]
mod by_shuttle;

use std::{
    borrow::Borrow,
    cell::Cell,
    collections::HashMap,
    hash::{BuildHasherDefault, Hash},
    sync::OnceLock,
    time::Duration,
};

use super::AlreadyHashed;

#[cfg(manometer_loom)]
pub use by_loom::{CHUNK_SLOTS, DIRECTORY, OwnedU64, Watched, checker};
#[cfg(manometer_shuttle)]
pub use by_shuttle::{CHUNK_SLOTS, DIRECTORY, OwnedU64, Watched, checker};

/// The standard one: its own protocol is not what the models are about, and loom's cannot hold slices.
pub use std::sync::Arc;

pub use checker::{
    sync::{
        MutexGuard,
        atomic::{AtomicBool, AtomicPtr, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
    },
    thread::yield_now,
};

/// How labels are hashed: always the same way, so that executions repeat.
pub type HashSeed = foldhash::quality::FixedState;

/// Whether the environment asks for the mutant `name`.
pub fn mutant_is_on(name: &str) -> bool {
    static CHOSEN: OnceLock<Option<String>> = OnceLock::new();
    CHOSEN.get_or_init(|| std::env::var("MANOMETER_MUTANT").ok()).as_deref() == Some(name)
}

/// No gate: only the models of [`fork_gate`](super::fork_gate) fork, and those of all else have enough to go through.
pub mod gate {
    /// Nothing.
    #[derive(Debug)]
    pub struct Inside;

    /// Passes.
    pub fn enter() -> Inside {
        Inside
    }

    /// Passes.
    pub fn try_enter() -> Option<Inside> {
        Some(Inside)
    }
}

/// Tells a signal handler that it interrupts its own thread. There are no signals here.
#[derive(Debug)]
pub struct SignalFlag;

impl SignalFlag {
    /// A flag that is down.
    pub const fn new() -> Self {
        Self
    }

    /// Raises the flag, which is down.
    pub fn raise(&self) -> bool {
        true
    }

    /// Lowers the flag.
    pub fn lower(&self) {}
}

/// An `f64` that many threads set and add to.
#[derive(Debug)]
pub struct AtomicF64(AtomicU64);

impl AtomicF64 {
    /// An atomic holding `value`.
    pub fn new(value: f64) -> Self {
        Self(AtomicU64::new(value.to_bits()))
    }

    /// Loads the value.
    pub fn load(&self, order: Ordering) -> f64 {
        f64::from_bits(self.0.load(order))
    }

    /// Stores `value`.
    pub fn store(&self, value: f64, order: Ordering) {
        self.0.store(value.to_bits(), order);
    }

    /// Replaces the value and returns the old one.
    pub fn swap(&self, value: f64, order: Ordering) -> f64 {
        f64::from_bits(self.0.swap(value.to_bits(), order))
    }

    /// The word itself.
    pub fn as_atomic_bits(&self) -> &AtomicU64 {
        &self.0
    }

    /// Adds `delta` and returns the old value.
    pub fn fetch_add(&self, delta: f64, order: Ordering) -> f64 {
        // Relaxed: an update that has to try again hands nothing over.
        let add = |bits| Some((f64::from_bits(bits) + delta).to_bits());
        f64::from_bits(self.0.fetch_update(order, Ordering::Relaxed, add).expect("the update never declines"))
    }
}

/// A lock for cold paths.
#[derive(Debug, Default)]
pub struct Mutex<T>(checker::sync::Mutex<T>);

impl<T> Mutex<T> {
    /// An open lock around `value`.
    pub fn new(value: T) -> Self {
        Self(checker::sync::Mutex::new(value))
    }

    /// Waits for the lock.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect("a model that panics has failed already")
    }
}

/// A lock of the engine, without the gate.
pub type GatedMutex<T> = Mutex<T>;

/// A lock that is held.
pub use MutexGuard as GatedGuard;

/// The mutexed twin of the concurrent map.
#[derive(Debug)]
pub struct Map<K: Eq + Hash>(Mutex<HashMap<K, (), BuildHasherDefault<AlreadyHashed>>>);

impl<K: Eq + Hash> Map<K> {
    /// An empty map.
    pub fn new() -> Self {
        Self(Mutex::new(HashMap::default()))
    }

    /// An empty map for one key.
    pub fn small() -> Self {
        Self::new()
    }

    /// Runs `found` on the key equal to `query`, if it is there.
    pub fn with<Q: Eq + Hash + ?Sized, R>(&self, query: &Q, found: impl FnOnce(&K) -> R) -> Option<R>
    where
        K: Borrow<Q>,
    {
        self.0.lock().get_key_value(query).map(|(key, ())| found(key))
    }

    /// Adds `key`; the caller has made sure that it is new.
    pub fn insert(&self, key: K) {
        self.0.lock().insert(key, ());
    }

    /// Takes the key equal to `query` out.
    pub fn remove<Q: Eq + Hash + ?Sized>(&self, query: &Q) -> Option<K>
    where
        K: Borrow<Q>,
    {
        self.0.lock().remove_entry(query).map(|(key, ())| key)
    }
}

/// `N` null pointers on the heap.
pub fn null_pointers<T, const N: usize>() -> Box<[AtomicPtr<T>; N]> {
    Box::new(std::array::from_fn(|_| AtomicPtr::new(std::ptr::null_mut())))
}

/// Stores `value` in a word that others exchange.
///
/// As an exchange itself, since loom lets a store come before the exchange that did not read it: then the zero that the exchange
/// left could be the last value, which no machine and no standard allows.
pub fn store_beside_exchanges(word: &AtomicU16, value: u16, order: Ordering) {
    word.swap(value, order);
}

/// There are no caches here.
pub fn prefetch(_: *const u8) {}

/// Two cores.
pub fn cores() -> usize {
    2
}

/// How long one waits for something before it gives way: so often.
#[derive(Debug)]
pub struct Patience(Cell<u8>);

impl Patience {
    /// Two turns, whatever the length.
    pub fn of(_: Duration) -> Self {
        Self(Cell::new(2))
    }

    /// Whether to wait on; each time that one asks is a turn.
    pub fn is_left(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        left > 0
    }
}

/// Lets others go first.
pub fn pause(_: Duration) {
    yield_now();
}

/// No clock: always the first millisecond of 1970.
pub fn unix_millis() -> u64 {
    0
}

macro_rules! thread_own {
    ($(#[$meta:meta])* static $name:ident: $type:ty = $init:expr;) => {
        $crate::sync::checker::thread_local! { $(#[$meta])* static $name: $type = $init; }
    };
}
pub(crate) use thread_own;

macro_rules! process_wide {
    ($(#[$meta:meta])* static $name:ident: $type:ty = $init:expr;) => {
        $crate::sync::checker::lazy_static! { $(#[$meta])* static ref $name: $type = $init; }
    };
}
pub(crate) use process_wide;
