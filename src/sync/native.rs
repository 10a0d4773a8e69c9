//! The real things. Nothing here costs more than what it stands for.

use std::{
    borrow::Borrow,
    hash::{BuildHasherDefault, Hash},
    sync::{OnceLock, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use dashmap::DashMap;

use super::AlreadyHashed;

pub use super::fork_gate::{self as gate, GatedGuard};

pub use std::{
    sync::{
        Arc, MutexGuard,
        atomic::{
            AtomicBool, AtomicPtr, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence, fence,
        },
    },
    thread::yield_now,
};

pub use atomic_float::AtomicF64;

/// How labels are hashed: seeded anew in each process, since their values often come from outside.
pub type HashSeed = foldhash::quality::RandomState;

/// Slots of one chunk: 4 KiB of them.
pub const CHUNK_SLOTS: usize = 512;

/// Chunks that one slab can have; with [`CHUNK_SLOTS`] this bounds the process at 2^25 words of metrics.
pub const DIRECTORY: usize = 1 << 16;

/// Eight bytes that one thread writes and every thread may read. Holds a `u64`, or the bits of an `f64`.
///
/// The owner's update is a load and a store, not a read-modify-write: no lock prefix, no loop. That is right only while there
/// is one owner at a time, which the arena guarantees (A1). A second writer would lose counts; it could not break memory.
#[derive(Debug)]
#[repr(transparent)]
pub struct OwnedU64(AtomicU64);

impl OwnedU64 {
    /// A word holding `value`.
    pub const fn new(value: u64) -> Self {
        Self(AtomicU64::new(value))
    }

    /// The value as any thread may see it.
    #[inline(always)]
    pub fn load(&self, order: Ordering) -> u64 {
        self.0.load(order)
    }

    /// The value as its owner left it.
    #[inline(always)]
    pub fn own(&self) -> u64 {
        // Relaxed: the owner reads what it stored itself, or what the hand-over of the slab made visible.
        self.0.load(Ordering::Relaxed)
    }

    /// Stores the owner's next value.
    #[inline(always)]
    pub fn put(&self, value: u64, order: Ordering) {
        self.0.store(value, order);
    }
}

/// A part of some memory that shows a model when the memory is used and when it is freed. Here it is nothing.
#[derive(Debug)]
pub struct Watched;

impl Watched {
    /// Memory that is in use from now on.
    pub const fn new() -> Self {
        Self
    }

    /// It is used.
    #[inline(always)]
    pub fn used(&self) {}

    /// It is freed.
    #[inline(always)]
    pub fn freed(&self) {}
}

/// Tells a signal handler that it interrupts its own thread. No other thread ever looks at it.
#[derive(Debug)]
pub struct SignalFlag(AtomicBool);

impl SignalFlag {
    /// A flag that is down.
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Raises the flag; false if it was up.
    #[inline(always)]
    pub fn raise(&self) -> bool {
        // Relaxed, both: a handler runs on the same thread, so only the compiler could reorder for it.
        let was_down = !self.0.load(Ordering::Relaxed);
        self.0.store(true, Ordering::Relaxed);
        // SeqCst, for the compiler alone: what the operation stores comes after this, as it comes before the partner in `lower`.
        compiler_fence(Ordering::SeqCst);
        was_down
    }

    /// Lowers the flag.
    #[inline(always)]
    pub fn lower(&self) {
        // SeqCst, for the compiler alone: the partner of the one in `raise`.
        compiler_fence(Ordering::SeqCst);
        // Relaxed: as in `raise`.
        self.0.store(false, Ordering::Relaxed);
    }
}

/// A lock for cold paths. A panic of a holder does not poison it: what it guards is whole between any two statements.
#[derive(Debug, Default)]
pub struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    /// An open lock around `value`.
    pub const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    /// Waits for the lock.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lock of the engine: as [`Mutex`], and nobody holds one while a process forks. No thread is waited for with one held.
#[derive(Debug, Default)]
pub struct GatedMutex<T>(Mutex<T>);

impl<T> GatedMutex<T> {
    /// An open lock around `value`.
    pub const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Waits for the lock, and before that for a fork.
    pub fn lock(&self) -> GatedGuard<'_, T> {
        gate::lock(&self.0)
    }
}

/// A concurrent set of keys that carry their own hash. A reader holds a shard for the length of its closure.
#[derive(Debug)]
pub struct Map<K: Eq + Hash>(DashMap<K, (), BuildHasherDefault<AlreadyHashed>>);

impl<K: Eq + Hash> Map<K> {
    /// An empty map, in four shards a core.
    pub fn new() -> Self {
        Self(DashMap::default())
    }

    /// An empty map for one key: as few shards as there may be.
    pub fn small() -> Self {
        Self(DashMap::with_hasher_and_shard_amount(BuildHasherDefault::default(), 2))
    }

    /// Runs `found` on the key equal to `query`, if it is there; no remover of it can return before `found` does.
    pub fn with<Q: Eq + Hash + ?Sized, R>(&self, query: &Q, found: impl FnOnce(&K) -> R) -> Option<R>
    where
        K: Borrow<Q>,
    {
        let _inside = gate::enter();
        self.0.get(query).map(|entry| found(entry.key()))
    }

    /// Adds `key`; the caller has made sure that it is new.
    pub fn insert(&self, key: K) {
        let _inside = gate::enter();
        self.0.insert(key, ());
    }

    /// Takes the key equal to `query` out, after every reader of its shard has left.
    pub fn remove<Q: Eq + Hash + ?Sized>(&self, query: &Q) -> Option<K>
    where
        K: Borrow<Q>,
    {
        let _inside = gate::enter();
        self.0.remove(query).map(|(key, ())| key)
    }
}

/// `N` null pointers on the heap, in pages that the system zeroes when they are first touched.
pub fn null_pointers<T, const N: usize>() -> Box<[AtomicPtr<T>; N]> {
    let layout = std::alloc::Layout::new::<[AtomicPtr<T>; N]>();
    assert!(layout.size() > 0, "a directory has at least one entry");
    #[allow(unsafe_code, reason = "half a megabyte must come untouched from the system, not be written zero by zero")]
    // SAFETY: the layout is not empty (asserted). `AtomicPtr<T>` has the representation of `*mut T`, for which all-zero bytes
    // are a null pointer, a valid value; the memory is fresh, of exactly this layout, and becomes the box's own.
    unsafe {
        let memory = std::alloc::alloc_zeroed(layout);
        if memory.is_null() {
            std::alloc::handle_alloc_error(layout);
        }
        Box::from_raw(memory.cast())
    }
}

/// Stores `value` in a word that others exchange.
#[inline(always)]
pub fn store_beside_exchanges(word: &AtomicU16, value: u16, order: Ordering) {
    word.store(value, order);
}

/// Asks for the two cache lines from `address` on, if the processor can be asked; changes nothing else.
#[inline(always)]
pub fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code, reason = "a prefetch is an intrinsic on a raw pointer")]
    // SAFETY: a prefetch never faults, whatever the address; SSE is part of x86-64.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
        _mm_prefetch::<_MM_HINT_T0>(address.wrapping_add(64).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How long one waits for something before it gives way.
#[derive(Debug)]
pub struct Patience {
    began: Instant,
    length: Duration,
}

impl Patience {
    /// Begins now, and is left for `length`.
    pub fn of(length: Duration) -> Self {
        Self { began: Instant::now(), length }
    }

    /// Whether to wait on.
    pub fn is_left(&self) -> bool {
        self.began.elapsed() < self.length
    }
}

/// Sleeps for `length`.
pub fn pause(length: Duration) {
    std::thread::sleep(length);
}

/// Unix time in milliseconds, by a clock that never steps: the wall clock is read once, and from then on a monotonic one counts. So the
/// age of whatever was created is right, whatever is done to the wall clock meanwhile (GEM-06).
pub fn unix_millis() -> u64 {
    static START: OnceLock<(Duration, Instant)> = OnceLock::new();
    let (wall, start) = START.get_or_init(|| {
        // 0 if the wall clock stands before 1970.
        (SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(), Instant::now())
    });
    (*wall + start.elapsed()).as_millis() as u64
}

/// Declares a variable that each thread has for itself. Without a destructor its access is one address computation.
macro_rules! thread_own {
    ($(#[$meta:meta])* static $name:ident: $type:ty = $init:expr;) => {
        std::thread_local! { $(#[$meta])* static $name: $type = const { $init }; }
    };
}
pub(crate) use thread_own;

/// Declares the one value of its kind in the process.
macro_rules! process_wide {
    ($(#[$meta:meta])* static $name:ident: $type:ty = $init:expr;) => {
        $(#[$meta])* static $name: $type = $init;
    };
}
pub(crate) use process_wide;
