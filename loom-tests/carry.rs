//! The word of a counter that wraps: who sees it small again sees that it was carried.

use std::sync::Arc;

use manometer::{
    arena::{Arena, Slot, SlotPool, Sums},
    cell::count,
    sync::{AtomicU64, Ordering},
};

use crate::{CELL, explore, spawn};

/// An arena with one slab whose word at `slot` is full, a count of carries, and threads that add one to the word, each if the
/// slab is free.
fn beside_a_wrap(arena: Arc<Arena>, slot: Slot, threads: usize, read: impl FnOnce(&Arena, &AtomicU64)) {
    let owner = arena.adopt().unwrap();
    count::add(owner.cell_or_new(slot), u64::MAX, || panic!("it was empty"));
    owner.release();
    let carries = Arc::new(AtomicU64::new(0));
    let writer = |_| {
        let (arena, carries) = (arena.clone(), carries.clone());
        spawn(move || {
            let Some(owner) = arena.adopt() else { return };
            // Relaxed: as a tuple counts them.
            count::add(owner.cell_or_new(slot), 1, || carries.store(1, Ordering::Relaxed));
            owner.release();
        })
    };
    let writers: Vec<_> = (0..threads).map(writer).collect();
    read(&arena, &carries);
    writers.into_iter().for_each(|writer| writer.join().unwrap());
}

fn arena() -> Arc<Arena> {
    let arena = Arena::new();
    arena.set_max_owned(1);
    Arc::new(arena)
}

/// Reads the total beside so many threads that add to it.
fn read_total(threads: usize) {
    beside_a_wrap(arena(), CELL, threads, |arena, carries| {
        let cells = count::total(arena, CELL);
        let whole = cells + (u128::from(carries.load(Ordering::Relaxed)) << u64::BITS);
        assert!(whole >= u128::from(u64::MAX), "a total of {whole}");
    });
}

/// Fails under mutant carry_no_fence, total_relaxed, carry_after_wrap.
#[test]
fn a_total_does_not_shrink_where_its_word_wraps() {
    explore(5, None, || read_total(1));
}

/// Fails under mutant take_no_fence.
#[test]
fn the_next_owner_of_a_word_that_wrapped_hands_its_carry_on() {
    explore(20, None, || read_total(2));
}

/// Fails under mutant carry_no_fence, sum_no_fence.
#[test]
fn a_sum_of_blocks_does_not_shrink_where_a_word_wraps() {
    explore(5, None, || {
        let (arena, mut pool) = (arena(), SlotPool::new(1, true));
        let slot = pool.take(&arena).unwrap();
        beside_a_wrap(arena, slot, 1, |arena, carries| {
            let mut sums = Sums::default();
            // A word that might wrap in a sum is not summed.
            if pool.sum(arena, &mut sums) {
                assert_eq!((sums.of(slot), carries.load(Ordering::Relaxed)), (0, 1));
            }
        });
    });
}
