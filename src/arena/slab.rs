//! One slab: the memory that one thread writes at a time, whichever thread that is.
//!
//! # Ordering
//! `give_up` Release and `try_take` Acquire on `taken` pair: the next owner goes on from the last owner's values (A2). To readers it hands
//! on what the last owner had published: a Release fence after the taking covers the Relaxed stores of the next owner, too.
//! A chunk is stored Release by its owner and loaded Acquire by readers, so that its zeros come first (A5).

use std::{marker::PhantomData, ptr};

use crossbeam_utils::CachePadded;

use super::chunk::{CellRef, Chunk, OwnedCell, Slot};
use crate::sync::{AtomicBool, AtomicPtr, DIRECTORY, Ordering, OwnedU64, fence, mutant, null_pointers};

/// The chunks of one slab, null where there is none yet.
pub type Directory = [AtomicPtr<Chunk>; DIRECTORY];

/// The memory of one writer. It is made once and kept for as long as its arena: a slab without a thread waits for the next.
#[derive(Debug)]
pub struct Slab {
    directory: Box<Directory>,
    /// Whether somebody owns it now.
    taken: AtomicBool,
    /// Counts the look-ups in flight of its owner; see `pins`. Padded, since removers watch it.
    pub(super) pin: CachePadded<OwnedU64>,
    /// The slab made before this one in the same roster. Written before the slab is published, never after.
    pub(super) next: AtomicPtr<Slab>,
}

impl Slab {
    /// An empty slab that belongs to whoever makes it.
    pub(super) fn new_taken() -> Box<Self> {
        Box::new(Self {
            directory: null_pointers(),
            taken: AtomicBool::new(mutant!("made_free", true, false)),
            pin: CachePadded::new(OwnedU64::new(0)),
            next: AtomicPtr::new(ptr::null_mut()),
        })
    }

    /// Becomes the owner if there is none.
    pub fn try_take(&self) -> Option<Owner<'_>> {
        // Relaxed: only a hint that spares the exchange; the exchange decides.
        let taken = self.taken.load(Ordering::Relaxed);
        let ours = !taken
            && mutant!(
                "take_without_exchange",
                self.taken
                    .compare_exchange(
                        false,
                        true,
                        // Acquire: pairs with Release in `give_up`; what the last owner stored is ours to go on from (A2).
                        mutant!("take_relaxed", Ordering::Acquire, Ordering::Relaxed),
                        Ordering::Relaxed,
                    )
                    .is_ok(),
                {
                    // Relaxed: a mutant's own.
                    self.taken.store(true, Ordering::Relaxed);
                    true
                }
            );
        if !ours {
            return None;
        }
        // Release: pairs with Acquire in `cell::count::total` and `SlotPool::sum`; who reads a word that this owner stored on top of one
        // that wrapped sees the carry that an owner before counted.
        if mutant!("take_no_fence", true, false) {
            fence(Ordering::Release);
        }
        Some(Owner::new(self))
    }

    /// The cell at `slot`, if this slab has its chunk.
    #[inline]
    pub fn cell(&self, slot: Slot) -> Option<CellRef<'_>> {
        self.chunk(slot.chunk()).map(|chunk| CellRef::new(chunk, slot))
    }

    /// The chunk number `index`, if an owner has published it.
    #[inline]
    pub fn chunk(&self, index: usize) -> Option<&Chunk> {
        // Acquire: pairs with Release in `Owner::cell_or_new`; the chunk's zeros were written before its address (A5).
        let chunk = self.directory[index].load(mutant!("consume_relaxed", Ordering::Acquire, Ordering::Relaxed));
        #[allow(unsafe_code, reason = "a chunk is reached through the pointer under which it was published")]
        // SAFETY: a non-null entry came from `Box::into_raw` in `cell_or_new`, is published after it was filled (Acquire above),
        // and is freed only when the slab is dropped, which needs `&mut`. (A signal handler that allocates against the rules may have its
        // chunk replaced by the one of whom it interrupts; then it is leaked, and no reference dangles.)
        unsafe {
            chunk.as_ref()
        }
    }

    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Makes the slab free, with its values; only its owner may.
    pub(super) fn give_up(&self) {
        // Release: pairs with Acquire in `try_take`; hands every value over (A2).
        self.taken.store(false, mutant!("release_relaxed", Ordering::Release, Ordering::Relaxed));
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        for entry in self.directory.iter() {
            // Relaxed: `&mut self` means that whoever used the slab has handed it over.
            let chunk = entry.load(Ordering::Relaxed);
            if !chunk.is_null() {
                #[allow(unsafe_code, reason = "frees what `cell_or_new` allocated")]
                // SAFETY: the pointer came from `Box::into_raw`, and `&mut self` proves that no reference into it is left.
                drop(unsafe { Box::from_raw(chunk) });
            }
        }
    }
}

/// The right to write in a slab. It stays on its thread; giving it up is [`release`](Self::release).
#[derive(Debug)]
pub struct Owner<'s> {
    slab: &'s Slab,
    here: PhantomData<*const ()>,
}

impl<'s> Owner<'s> {
    /// The caller is the only owner of `slab` at this time.
    pub(super) fn new(slab: &'s Slab) -> Self {
        Self { slab, here: PhantomData }
    }

    /// The slab that is owned.
    pub fn slab(&self) -> &'s Slab {
        self.slab
    }

    /// The cell at `slot`, in a chunk that is made and published now if need be.
    pub fn cell_or_new(&self, slot: Slot) -> OwnedCell<'s> {
        // Relaxed: the owner finds what it, or an owner before it, published; the hand-over ordered the latter.
        if self.slab.directory[slot.chunk()].load(Ordering::Relaxed).is_null() {
            let chunk = Box::into_raw(Chunk::new());
            // Release: pairs with Acquire in `Slab::chunk`; hands over the zeros (A5).
            let order = mutant!("publish_relaxed", Ordering::Release, Ordering::Relaxed);
            self.slab.directory[slot.chunk()].store(chunk, order);
        }
        let cell = self.slab.cell(slot).expect("the chunk was published just now");
        OwnedCell::new(cell)
    }

    /// Gives the slab up, with its values, to whoever takes it next.
    pub fn release(self) {
        self.slab.give_up();
    }
}
