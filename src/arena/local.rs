//! This thread's slab: found in one address computation, taken at the first record, given back when the thread ends.
//!
//! Two thread-locals on purpose. `LOCAL` has no destructor, so that its access is free; `GUARD` has one and is touched once, when
//! the thread takes a slab. After `GUARD` is gone, a destructor of some other thread-local that still records leases (A3).
//!
//! # Not promised
//! Recording from within the global allocator: a record may allocate (the first one into a chunk).

use std::{cell::Cell, marker::PhantomData, ptr};

use super::{
    arena,
    chunk::{CellRef, OwnedCell, Slot},
    pins,
    slab::{Directory, Owner, Slab},
};
use crate::sync::{AtomicUsize, Ordering, SignalFlag, gate, process_wide, thread_own};

/// After how many leased operations a thread asks again whether a slab of its own has become free.
const ASK_AGAIN: u32 = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Has not recorded yet.
    New,
    /// Owns a slab.
    Owner,
    /// Is looking for one; what interrupts that leases.
    Registering,
    /// Found none free.
    Leasing,
    /// Its thread-locals are being destroyed.
    Ended,
}

#[derive(Debug)]
struct Local {
    /// The directory of the owned slab, or null. Beside the slab, to spare the hot path one dependent load.
    directory: Cell<*const Directory>,
    /// The owned slab, or null.
    slab: Cell<*const Slab>,
    state: Cell<State>,
    /// Counts leased operations.
    leased: Cell<u32>,
    /// Where this thread begins to look for a slab to lease; 0 until it first does.
    seat: Cell<usize>,
    /// Whether an operation of several words is in flight.
    busy: SignalFlag,
}

thread_own! {
    static LOCAL: Local = Local::new();
}

thread_own! {
    static GUARD: Guard = Guard;
}

process_wide! {
    static SEATS: AtomicUsize = AtomicUsize::new(1);
}

/// Evaluates an expression for the cell at a slot that this thread may write: `write!(slot, cell => count::bump(cell))`.
///
/// Nothing is written [nowhere](Slot::NOWHERE), which is asked first: so a record of a disabled registry is one branch.
///
/// A macro, because the hot and the slow path each need the expression in line: a closure used twice is a call.
macro_rules! write {
    ($slot:expr, $cell:ident => $op:expr) => {{
        let slot = $slot;
        if !slot.is_nowhere() {
            match $crate::arena::own_cell(slot) {
                Some($cell) => $op,
                None => $crate::arena::write_slow(slot, move |$cell| $op),
            }
        }
    }};
}
pub(crate) use write;

/// The cell at `slot` in this thread's slab, if there are both. For [`write!`], or what uses it up as fast; never nowhere.
#[inline(always)]
pub fn own_cell(slot: Slot) -> Option<OwnedCell<'static>> {
    LOCAL.with(|local| local.cell(slot))
}

/// Runs `op` on the cell at `slot` that this thread may write, after making what is missing. For [`write!`] alone.
#[cold]
#[inline(never)]
pub fn write_slow(slot: Slot, op: impl FnOnce(OwnedCell<'_>)) {
    match LOCAL.with(Local::owner) {
        Some(owner) => op(owner.cell_or_new(slot)),
        None => write_leased(slot, op),
    }
}

/// Runs `op` on the cells at two slots of one slab, after making what is missing: this thread's, or one leased for it if this call
/// is `interrupting` another operation. Never nowhere.
#[cold]
#[inline(never)]
pub fn write_two(slots: [Slot; 2], interrupting: bool, op: impl FnOnce([OwnedCell<'_>; 2])) {
    match LOCAL.with(Local::owner).filter(|_| !interrupting) {
        Some(owner) => op(slots.map(|slot| owner.cell_or_new(slot))),
        None => {
            let lease = arena().lease(LOCAL.with(Local::seat));
            op(slots.map(|slot| lease.cell(slot)));
        }
    }
}

/// Runs `op` on the cell at `slot` of a slab leased for it, whether or not this thread has one of its own. Never nowhere.
pub fn write_leased(slot: Slot, op: impl FnOnce(OwnedCell<'_>)) {
    if slot.is_nowhere() {
        return;
    }
    let lease = arena().lease(LOCAL.with(Local::seat));
    op(lease.cell(slot));
}

/// That no other operation of several words is in flight on this thread, until it is dropped.
#[derive(Debug)]
pub struct Busy {
    here: PhantomData<*const ()>,
}

/// Begins an operation of several words. None if this call interrupts another one, which a signal handler does.
#[inline(always)]
pub fn undisturbed() -> Option<Busy> {
    // Not `then_some`, which would make a `Busy` in any case, and drop the one that is not wanted: with the flag of the other.
    LOCAL.with(|local| local.busy.raise()).then(|| Busy { here: PhantomData })
}

impl Drop for Busy {
    #[inline(always)]
    fn drop(&mut self) {
        LOCAL.with(|local| local.busy.lower());
    }
}

/// The slab of this thread, if it has one.
#[cfg(not(manometer_mocked))]
pub(super) fn own_slab() -> Option<&'static Slab> {
    LOCAL.with(Local::slab)
}

/// Keeps what this thread looks up from being freed or reused until it is dropped.
#[derive(Debug)]
pub struct Pin {
    slab: &'static Slab,
    before: u64,
    here: PhantomData<*const ()>,
}

/// Pins this thread, if it has a slab to do it with.
#[inline(always)]
pub fn pin() -> Option<Pin> {
    let slab = LOCAL.with(|local| local.slab().or_else(|| local.owner().map(|owner| owner.slab())))?;
    Some(Pin { slab, before: pins::enter(&slab.pin), here: PhantomData })
}

impl Drop for Pin {
    #[inline(always)]
    fn drop(&mut self) {
        pins::leave(&self.slab.pin, self.before);
    }
}

impl Local {
    const fn new() -> Self {
        Self {
            directory: Cell::new(ptr::null()),
            slab: Cell::new(ptr::null()),
            state: Cell::new(State::New),
            leased: Cell::new(0),
            seat: Cell::new(0),
            busy: SignalFlag::new(),
        }
    }

    /// The cell at `slot` in this thread's slab, if there are both.
    #[inline(always)]
    fn cell(&self, slot: Slot) -> Option<OwnedCell<'static>> {
        #[allow(unsafe_code, reason = "the hot path: two loads from the thread-local to the cell")]
        // SAFETY: `directory` is null or that of a slab of the process-wide arena, which is never dropped. A non-null entry is a
        // chunk that this thread, or an owner before it, published; it lives as long as the slab.
        // Relaxed: as in `Owner::cell_or_new`, the owner finds what was handed over with the slab (A2).
        let chunk = unsafe { self.directory.get().as_ref()?[slot.chunk()].load(Ordering::Relaxed).as_ref()? };
        Some(OwnedCell::new(CellRef::new(chunk, slot)))
    }

    /// This thread's slab.
    #[inline(always)]
    fn slab(&self) -> Option<&'static Slab> {
        #[allow(unsafe_code, reason = "a thread-local without destructor holds a pointer, not a reference")]
        // SAFETY: `slab` is null or a slab of the process-wide arena, which is never dropped.
        unsafe {
            self.slab.get().as_ref()
        }
    }

    /// The right to write in this thread's slab, which is taken now if there is none and one is to be had.
    #[cold]
    fn owner(&self) -> Option<Owner<'static>> {
        match self.state.get() {
            State::Owner => self.slab().map(Owner::new),
            State::New => self.register(),
            State::Leasing => {
                self.leased.set(self.leased.get().wrapping_add(1));
                if self.leased.get() % ASK_AGAIN == 0 { self.register() } else { None }
            }
            State::Registering | State::Ended => None,
        }
    }

    fn register(&self) -> Option<Owner<'static>> {
        self.state.set(State::Registering);
        // A thread that begins in the child of a fork waits until the pins of vanished threads are gone; see `fork`.
        let _inside = gate::enter();
        if GUARD.try_with(|_| ()).is_err() {
            self.state.set(State::Ended);
            return None;
        }
        let Some(owner) = arena().adopt() else {
            self.state.set(State::Leasing);
            return None;
        };
        self.directory.set(owner.slab().directory());
        self.slab.set(owner.slab());
        self.state.set(State::Owner);
        Some(owner)
    }

    fn seat(&self) -> usize {
        if self.seat.get() == 0 {
            // Relaxed: any number will do, and different ones are better.
            self.seat.set(SEATS.fetch_add(1, Ordering::Relaxed));
        }
        self.seat.get()
    }

    /// Gives the slab back, and takes no other one.
    fn end(&self) {
        self.state.set(State::Ended);
        self.directory.set(ptr::null());
        if let Some(slab) = self.slab() {
            self.slab.set(ptr::null());
            Owner::new(slab).release();
        }
    }
}

/// Gives this thread's slab back when the thread ends.
#[derive(Debug)]
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        // Natively `LOCAL` has no destructor and is always there. In a model it is gone by now, and `end_thread` was called.
        let _ = LOCAL.try_with(Local::end);
    }
}

/// Ends this thread as far as the arena goes: in a model, destructors of thread-locals run after `join` has returned.
#[cfg(manometer_mocked)]
pub fn end_thread() {
    LOCAL.with(Local::end);
}

#[cfg(all(test, not(manometer_mocked)))]
mod tests {
    use super::undisturbed;

    #[test]
    fn an_interruption_leaves_the_interrupted_operation_marked() {
        let outer = undisturbed();
        assert!(outer.is_some());
        for _ in 0..2 {
            assert!(undisturbed().is_none(), "the operation is in flight");
        }
        drop(outer);
        assert!(undisturbed().is_some());
    }
}
