//! Pins: what a look-up found is in nobody's hands once the look-ups of that moment have passed.

use std::sync::Arc;

use manometer::{
    arena::{arena, pin},
    sync::{AtomicBool, Ordering, OwnedU64, yield_now},
};

use crate::{explore, spawn};

/// Something that look-ups find while it is linked, and that nobody may touch once it was reclaimed.
struct Entry {
    linked: AtomicBool,
    /// Its shadow tells loom who uses it, and when.
    memory: OwnedU64,
}

/// Looks the entry up, and uses it if it is there.
fn look_up(entry: &Entry) {
    let _pin = pin().expect("there is no limit to slabs");
    // Relaxed: nothing but the pins' fences may decide.
    if entry.linked.load(Ordering::Relaxed) {
        entry.memory.own();
    }
}

/// Takes the entry away from look-ups, and its memory for something else.
fn reclaim(entry: &Entry) {
    // Relaxed: as above.
    entry.linked.store(false, Ordering::Relaxed);
    let mut pinned = arena().pinned();
    while !pinned.passed() {
        yield_now();
    }
    entry.memory.put(1, Ordering::Relaxed);
}

fn reclaim_beside_look_ups(look_ups: usize) {
    let entry = Arc::new(Entry { linked: AtomicBool::new(true), memory: OwnedU64::new(0) });
    let reader = spawn({
        let entry = entry.clone();
        move || (0..look_ups).for_each(|_| look_up(&entry))
    });
    reclaim(&entry);
    reader.join().unwrap();
}

/// Fails under mutant pin_no_fence, reclaim_no_fence, unpin_relaxed, pinned_relaxed, wait_relaxed, reclaim_no_wait.
#[test]
fn what_was_unlinked_is_reclaimed_after_its_look_up() {
    explore(100, None, || reclaim_beside_look_ups(1));
}

/// Fails under mutant pin_relaxed, pin_no_fence, reclaim_no_fence, unpin_relaxed, pinned_relaxed, reclaim_no_wait.
#[test]
fn what_was_unlinked_is_reclaimed_between_look_ups() {
    explore(1000, None, || reclaim_beside_look_ups(2));
}
