//! Peaks of windows.

use manometer::{Registry, Watermark};

use crate::{explore, spawn};

/// Fails under mutant turn_without_look, turn_relaxed, note_relaxed.
#[test]
fn a_window_begins_with_the_level_that_the_one_before_ended_with() {
    explore(20, None, || {
        let registry = Registry::new();
        let depth = Watermark::new(&registry.gauge("depth").single().unwrap());
        let writer = spawn({
            let depth = depth.clone();
            move || depth.set(5.0)
        });
        let first = depth.turn();
        writer.join().unwrap();
        let second = depth.turn();
        assert_eq!(second.peak, 5.0, "the level was 5 when the window ended");
        assert!(first.trough == 0.0 && (first.peak == 0.0 || first.peak == 5.0));
    });
}
