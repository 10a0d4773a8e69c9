//! The slabs of one kind: a list that only grows, read without a lock.
//!
//! # Ordering
//! A slab is pushed with a Release exchange on `head` and found with Acquire, so that readers see it made. Exchanges on one
//! atomic continue each other's release sequence, so one Acquire of `head` covers the older slabs too.

use std::ptr;

use super::slab::{Owner, Slab};
use crate::sync::{AtomicPtr, AtomicUsize, Ordering, mutant};

/// A list of slabs, newest first.
#[derive(Debug)]
pub struct Roster {
    head: AtomicPtr<Slab>,
    /// How many slabs were made or are being made.
    len: AtomicUsize,
}

impl Roster {
    /// A list without slabs.
    #[cfg(not(manometer_mocked))]
    pub const fn new() -> Self {
        Self { head: AtomicPtr::new(ptr::null_mut()), len: AtomicUsize::new(0) }
    }

    /// A list without slabs.
    #[cfg(manometer_mocked)]
    pub fn new() -> Self {
        Self { head: AtomicPtr::new(ptr::null_mut()), len: AtomicUsize::new(0) }
    }

    /// How many slabs there are, those being made included.
    pub fn len(&self) -> usize {
        // Relaxed: a statistic.
        self.len.load(Ordering::Relaxed)
    }

    /// Takes the first slab that nobody owns.
    pub fn take_free(&self) -> Option<Owner<'_>> {
        self.iter().find_map(Slab::try_take)
    }

    /// Makes a slab and takes it, unless there are `most` already.
    pub fn take_new(&self, most: usize) -> Option<Owner<'_>> {
        // Relaxed: the counter alone decides who may make a slab; the slab itself is handed over by `push`.
        let below = |made: usize| (made < most).then_some(made + 1);
        self.len.fetch_update(Ordering::Relaxed, Ordering::Relaxed, below).ok()?;
        Some(Owner::new(self.push(Slab::new_taken())))
    }

    /// The slabs, newest first. One that is pushed meanwhile may be missed.
    pub fn iter(&self) -> impl Iterator<Item = &Slab> {
        // Acquire: pairs with Release in `push`.
        let mut at = self.head.load(mutant!("roster_relaxed", Ordering::Acquire, Ordering::Relaxed));
        std::iter::from_fn(move || {
            #[allow(unsafe_code, reason = "the list is made of the pointers that `push` published")]
            // SAFETY: a non-null pointer in the list came from `Box::into_raw` in `push` and is freed only in `drop`, which needs
            // `&mut`. The slab was made before it was published (Acquire above, and the release sequence of `head`).
            let slab = unsafe { at.as_ref() }?;
            // Relaxed: written before the slab was published, never after.
            at = slab.next.load(Ordering::Relaxed);
            Some(slab)
        })
    }

    fn push(&self, slab: Box<Slab>) -> &Slab {
        let slab = Box::into_raw(slab);
        #[allow(unsafe_code, reason = "the slab now belongs to the list, which hands out references to it")]
        // SAFETY: the pointer is a box's own; the list frees it only in `drop`, which needs `&mut`.
        let shared = unsafe { &*slab };
        // Relaxed: the exchange below orders it.
        let mut newest = self.head.load(Ordering::Relaxed);
        loop {
            // Relaxed: published by the exchange.
            shared.next.store(newest, Ordering::Relaxed);
            // Release: pairs with Acquire in `iter`; hands over the slab and its link.
            let order = mutant!("push_relaxed", Ordering::Release, Ordering::Relaxed);
            match self.head.compare_exchange_weak(newest, slab, order, Ordering::Relaxed) {
                Ok(_) => return shared,
                Err(newer) => newest = newer,
            }
        }
    }
}

impl Drop for Roster {
    fn drop(&mut self) {
        // Relaxed: `&mut self` means that whoever used the list has handed it over.
        let mut at = self.head.load(Ordering::Relaxed);
        while !at.is_null() {
            #[allow(unsafe_code, reason = "frees what `push` took over")]
            // SAFETY: every pointer in the list came from `Box::into_raw`, once, and nobody else is left to use it.
            let slab = unsafe { Box::from_raw(at) };
            // Relaxed: as above.
            at = slab.next.load(Ordering::Relaxed);
        }
    }
}
