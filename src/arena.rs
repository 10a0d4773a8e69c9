//! Who owns which memory: slabs, chunks, leases, slots.
//!
//! A thread writes only in its own **slab**: cache-line-aligned 4 KiB **chunks** of dense 8-byte **slots**, behind a directory of
//! chunks that are published as they are first needed. A counter series is one slot, a histogram several adjacent ones. So the
//! shard is padded, not each metric, and no two threads ever write one line.
//!
//! # Invariants
//! - A1: a slab has at most one owner, and only the owner stores to its slots. The one exception is the bank selector of a
//!   wide cell, which only a reader under its family's ledger lock stores.
//! - A2: a thread's exit folds nothing: its slab is given back *with its values*, and the next thread goes on from them. So no
//!   total steps back or counts twice, and there are as many slabs as there were writers at one time, not threads ever made.
//! - A3: who has no slab of its own (more than `max_owned` threads, a thread whose own variables are gone, an operation that
//!   interrupts another) leases a shared one for one operation. If all are leased, one more is made: nobody waits.
//! - A4: a slot is reused only when its series left the registry, every pinned look-up has ended and no handle is left; then it
//!   is zeroed in every slab.
//! - A5: a chunk is published by its owner with Release and found by readers with Acquire. A cell never crosses a chunk.
//!
//! # Progress and cost
//! Recording into an existing chunk is wait-free: a relaxed load and a relaxed store. Registering a thread takes about a
//! microsecond and waits for nobody but who forks; the first record into a chunk allocates it.

mod chunk;
#[cfg(not(manometer_mocked))]
mod fork;
mod lease;
mod local;
mod pins;
mod roster;
mod slab;
mod slots;

use crate::sync::{self, AtomicUsize, GatedMutex, Ordering, process_wide};

pub use chunk::{CellRef, OwnedCell, Slot};
#[cfg(not(manometer_mocked))]
pub use fork::{ForkGuard, before_fork};
pub use lease::Lease;
#[cfg(manometer_mocked)]
pub use local::end_thread;
pub(crate) use local::write;
pub use local::{Pin, own_cell, pin, undisturbed, write_leased, write_slow, write_two};
pub use pins::Pinned;
pub use roster::Roster;
pub use slab::{Owner, Slab};
pub use slots::{SlotPool, Slots, Sums};

/// All the memory that metrics of this process live in.
#[derive(Debug)]
pub struct Arena {
    /// Slabs that a thread takes at its first record and keeps until it ends.
    owned: Roster,
    /// Slabs that are taken for one operation.
    leased: Roster,
    /// How many slabs of the first kind there may be; 0 asks for the default, which needs the number of cores.
    max_owned: AtomicUsize,
    slots: GatedMutex<Slots>,
}

process_wide! {
    static ARENA: Arena = Arena::new();
}

/// The one arena of this process.
#[inline(always)]
pub fn arena() -> &'static Arena {
    &ARENA
}

/// How many slabs there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlabCounts {
    /// Slabs owned by a thread, or waiting for the next thread.
    pub owned: usize,
    /// Slabs shared by those who have none.
    pub leased: usize,
    /// Threads beyond this number share leased slabs.
    pub max_owned: usize,
}

/// Says how many threads may have a slab of their own; later ones lease, at the cost of a compare-and-exchange
/// and a store more for each record.
///
/// The default is 64 or eight per core, whichever is more. A smaller number takes effect for threads that have not recorded yet;
/// slabs that exist stay. Memory is 8 bytes per series and slab.
pub fn set_max_owned_slabs(max_owned: usize) {
    arena().set_max_owned(max_owned);
}

/// How many slabs this process has made, and how many it may.
pub fn slab_counts() -> SlabCounts {
    let arena = arena();
    SlabCounts { owned: arena.owned.len(), leased: arena.leased.len(), max_owned: arena.max_owned() }
}

impl Arena {
    #[cfg(not(manometer_mocked))]
    const fn new() -> Self {
        Self {
            owned: Roster::new(),
            leased: Roster::new(),
            max_owned: AtomicUsize::new(0),
            slots: GatedMutex::new(Slots::new()),
        }
    }

    /// An arena without slabs.
    #[cfg(manometer_mocked)]
    pub fn new() -> Self {
        Self {
            owned: Roster::new(),
            leased: Roster::new(),
            max_owned: AtomicUsize::new(0),
            slots: GatedMutex::new(Slots::new()),
        }
    }

    /// The most slabs that may be owned by threads.
    pub fn max_owned(&self) -> usize {
        // Relaxed: a plain setting. Stored as one more than the number, so that 0 can mean "not set".
        match self.max_owned.load(Ordering::Relaxed) {
            0 => (8 * sync::cores()).max(64),
            set => set - 1,
        }
    }

    /// Sets the most slabs that may be owned by threads.
    pub fn set_max_owned(&self, max_owned: usize) {
        // Relaxed: see `max_owned`.
        self.max_owned.store(max_owned.saturating_add(1), Ordering::Relaxed);
    }

    /// A slab for the rest of this thread's life: one that an ended thread left, or a new one while that is allowed.
    pub fn adopt(&self) -> Option<Owner<'_>> {
        self.owned.take_free().or_else(|| self.owned.take_new(self.max_owned()))
    }

    /// A shared slab for one operation.
    pub fn lease(&self, start: usize) -> Lease<'_> {
        Lease::take(&self.leased, start)
    }

    /// Every slab, owned and leased, in the order in which they were made.
    pub fn slabs(&self) -> impl Iterator<Item = &Slab> {
        self.owned.iter().chain(self.leased.iter())
    }

    /// The cells of one series: one for each slab that has written to its chunk.
    pub fn cells(&self, slot: Slot) -> impl Iterator<Item = CellRef<'_>> {
        self.slabs().filter_map(move |slab| slab.cell(slot))
    }

    /// Zeroes `width` slots from `slot` on in every slab, for a new series.
    ///
    /// The caller has made sure that nobody can write there (A4).
    pub fn zero(&self, slot: Slot, width: usize) {
        for cell in self.cells(slot) {
            cell.zero(width);
        }
    }

    /// The slot allocator of all families.
    pub fn slots(&self) -> &GatedMutex<Slots> {
        &self.slots
    }
}
