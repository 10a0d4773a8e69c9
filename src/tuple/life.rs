//! How a series that may expire is held: the handles there are of it, and when one was last asked for.

use super::{Head, Tuple};
use crate::sync::{AtomicU32, Ordering, mutant};

/// What lies in front of the head of a tracked tuple: how its series is held.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Life {
    /// How many handles there are.
    pub(super) handles: AtomicU32,
    /// During which scan of its family one was last asked for.
    pub(super) asked: AtomicU32,
}

/// The bit of a text's length that says that there is a [`Life`] in front.
pub(super) const TRACKED: u32 = 1 << 31;

/// How far a head is behind the beginning of its life: as much as keeps it aligned.
pub(super) const LIFE_BYTES: usize = size_of::<Life>().next_multiple_of(align_of::<Head>());

#[cfg(not(manometer_mocked))]
const _: () = assert!(LIFE_BYTES == 8);

const _: () = assert!(align_of::<Life>() <= align_of::<Head>());

impl Tuple {
    /// Counts a new handle, that was asked for during the scan of this number; not one that is cloned.
    pub fn hold(&self, scan: u32) {
        if let Some(life) = self.life() {
            // Relaxed: a handle is made under a pin or a lock that a scan waits for.
            life.handles.fetch_add(1, Ordering::Relaxed);
            life.asked.store(scan, Ordering::Relaxed);
        }
    }

    /// Counts a clone of a handle.
    pub fn hold_too(&self) {
        if let Some(life) = self.life() {
            // Relaxed: there is another handle, so no scan comes to an end of it.
            life.handles.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a handle that goes.
    pub fn let_go(&self) {
        if let Some(life) = self.life() {
            // Release: pairs with Acquire in `handles`; all that was recorded through this handle comes before.
            life.handles.fetch_sub(1, mutant!("let_go_relaxed", Ordering::Release, Ordering::Relaxed));
        }
    }

    /// How many handles there are; 0 if nobody counts.
    pub fn handles(&self) -> u32 {
        // Acquire: pairs with Release in `let_go`, of every handle there was.
        let order = mutant!("handles_relaxed", Ordering::Acquire, Ordering::Relaxed);
        self.life().map_or(0, |life| life.handles.load(order))
    }

    /// During which scan a handle was last asked for.
    pub fn asked(&self) -> u32 {
        // Relaxed: a hint.
        self.life().map_or(0, |life| life.asked.load(Ordering::Relaxed))
    }

    /// What lies in front of the head.
    pub(super) fn life(&self) -> Option<&Life> {
        if self.head().text_len & TRACKED == 0 {
            return None;
        }
        #[allow(unsafe_code, reason = "a tracked tuple has its life in front of its head, in the same allocation")]
        // SAFETY: `make` set the flag together with writing a life so many bytes before the head; nothing but its atomics changes.
        unsafe {
            Some(self.0.cast::<u8>().sub(LIFE_BYTES).cast::<Life>().as_ref())
        }
    }
}
