//! Handles by number: whole when they are found, and not found once their series is removed.

use manometer::{Counter, LabelSet, Registry, TypedFamily};

use crate::{explore, spawn};

/// The one set of values.
struct Only;

impl LabelSet for Only {
    const KEYS: &'static [&'static str] = &["k"];
    const SETS: Option<usize> = Some(1);

    fn position(&self) -> usize {
        0
    }

    fn with_values<R>(&self, op: impl FnOnce(&[&str]) -> R) -> R {
        op(&["a"])
    }

    fn with_values_at<R>(_: usize, op: impl FnOnce(&[&str]) -> R) -> R {
        op(&["a"])
    }
}

fn declare() -> (Registry, TypedFamily<Counter, Only>) {
    let registry = Registry::new();
    let family = registry.counter("hits").typed::<Only>().unwrap();
    (registry, family)
}

/// Fails under mutant find_number_relaxed, keep_number_relaxed.
#[test]
fn a_handle_that_is_found_by_number_is_whole() {
    explore(20, 2, || {
        let (_registry, family) = declare();
        let maker = spawn({
            let family = family.clone();
            move || drop(family.get(&Only))
        });
        assert!(family.get(&Only).is_live());
        maker.join().unwrap();
    });
}

/// Fails under mutant keep_number_unlocked, no_forget.
#[test]
fn what_is_recorded_by_number_after_a_removal_is_in_the_next_series() {
    explore(20, 3, || {
        let (_registry, family) = declare();
        let user = spawn({
            let family = family.clone();
            move || drop(family.get(&Only))
        });
        family.view().remove(("a",)).unwrap();
        family.inc(&Only);
        user.join().unwrap();
        family.inc(&Only);
        assert_eq!(family.view().sum(), 2);
    });
}
