//! How a look-up keeps what it found from being freed or reused under it, and how a remover knows that it has ended.
//!
//! # Shape
//! Each slab has one pin word: odd while a look-up of its owner is in flight, and two higher after each. A look-up that
//! interrupts another (in a signal handler) finds the word odd and leaves it alone.
//! # Ordering
//! A look-up stores its pin, then `fence(SeqCst)`, then reads the index. A remover unlinks, then `fence(SeqCst)`, then reads the
//! pins. If the look-up's fence is first, the remover sees the pin and waits; if the remover's is first, the look-up sees the
//! unlinking and cannot find what was removed. Unpinning is Release and pairs with Acquire where a remover watches the word: all
//! that the look-up did, its record included, is before what the remover does next. Pinning is Release too, because the remover
//! may meet the next pin instead of the unpinning, and since C++20 a later plain store of the same thread does not continue a
//! release sequence.
//! # Progress and cost
//! Pinning is wait-free: two stores and a fence. Pinned code is the crate's own and short, so a remover that waits, waits at most
//! for threads that the system has stopped in the middle of it. A scrape never looks at pins.

use super::{Arena, slab::Slab};
use crate::sync::{Ordering, OwnedU64, fence, mutant};

/// Marks a look-up as in flight; returns what [`leave`] needs.
#[inline(always)]
pub fn enter(pin: &OwnedU64) -> u64 {
    let before = pin.own();
    // Release: pairs with Acquire in `Pinned::passed`; the look-up before this one comes before it. The fence below orders it
    // before every read of this one.
    pin.put(before | 1, mutant!("pin_relaxed", Ordering::Release, Ordering::Relaxed));
    if mutant!("pin_no_fence", true, false) {
        // SeqCst: pairs with the fence in `Arena::pinned`, see the head of this file.
        fence(Ordering::SeqCst);
    }
    before
}

/// Marks the look-up as ended, unless it interrupted another.
#[inline(always)]
pub fn leave(pin: &OwnedU64, before: u64) {
    if before & 1 == 0 {
        // Release: pairs with Acquire in `Arena::pinned` and `Pinned::passed`.
        pin.put(before + 2, mutant!("unpin_relaxed", Ordering::Release, Ordering::Relaxed));
    }
}

/// Ends the look-up of a thread that does not exist in this process.
#[cfg(not(manometer_mocked))]
pub fn abandon(pin: &OwnedU64) {
    let word = pin.own();
    // Relaxed: the thread that pinned is gone, and those that will look at the word come through the gate.
    pin.put(word + (word & 1), Ordering::Relaxed);
}

/// The look-ups that were in flight at one time and may still be.
#[derive(Debug)]
pub struct Pinned<'a> {
    waiting: Vec<(&'a Slab, u64)>,
}

impl Pinned<'_> {
    /// Whether all of them have ended by now.
    pub fn passed(&mut self) -> bool {
        // Acquire: pairs with Release in `leave`.
        let order = mutant!("wait_relaxed", Ordering::Acquire, Ordering::Relaxed);
        self.waiting.retain(|(slab, word)| slab.pin.load(order) == *word);
        mutant!("reclaim_no_wait", self.waiting.is_empty(), true)
    }
}

impl Arena {
    /// The look-ups in flight now. What was unlinked before this call is in nobody's hands once they have passed.
    pub fn pinned(&self) -> Pinned<'_> {
        if mutant!("reclaim_no_fence", true, false) {
            // SeqCst: pairs with the fence in `enter`, see the head of this file.
            fence(Ordering::SeqCst);
        }
        // Acquire: pairs with Release in `leave`, for a look-up that ended before this.
        let order = mutant!("pinned_relaxed", Ordering::Acquire, Ordering::Relaxed);
        // Leased slabs are never pinned: who holds one for a look-up holds a shard of the family's map instead.
        let words = self.owned.iter().map(|slab| (slab, slab.pin.load(order)));
        Pinned { waiting: words.filter(|(_, word)| word & 1 == 1).collect() }
    }
}

#[cfg(all(test, not(manometer_mocked)))]
mod tests {
    use super::*;

    #[test]
    fn a_look_up_that_interrupts_another_leaves_it_pinned() {
        let pin = OwnedU64::new(0);
        let outer = enter(&pin);
        for _ in 0..2 {
            let inner = enter(&pin);
            leave(&pin, inner);
            assert_eq!(pin.own(), 1, "a remover that waits for the outer look-up would take it for ended");
        }
        leave(&pin, outer);
        assert_eq!(pin.own(), 2);
    }
}
