//! Random programs against a plain model: nothing is lost, nothing is counted twice, and every page reads back.
//!
//! `one_by_one` runs each step of a program on some thread, one after the other, and knows every value after every step;
//! `together` runs programs at the same time and knows what must add up. `MANOMETER_PROGRAMS=10` runs ten times as many.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/reader.rs"]
mod reader;

mod clock;
mod kind;
mod one_by_one;
mod series;
mod steps;
mod subject;
mod together;
mod value;

use std::{
    env,
    sync::{Mutex, MutexGuard, PoisonError},
};

use manometer::{
    MetricSet,
    encode::{Format, encode},
};
use proptest::prelude::ProptestConfig;

/// So many programs, unless the environment asks for more.
fn programs(cases: u32) -> ProptestConfig {
    let times =
        env::var("MANOMETER_PROGRAMS").map_or(1, |times| times.parse().expect("MANOMETER_PROGRAMS is a number"));
    ProptestConfig {
        cases: cases * times,
        max_shrink_iters: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

static TURN: Mutex<()> = Mutex::new(());

/// Lets no other programs run until this is dropped: a look-up of anybody that the system has stopped puts the end of an idle series
/// off by a collection.
fn take_turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Both pages of a set read back as what it holds.
fn pages_read_back(set: &MetricSet) {
    for format in [Format::OpenMetrics, Format::Text] {
        let mut page = Vec::new();
        let skipped = encode(set, format, &mut page);
        let page = String::from_utf8(page).expect("a page is UTF-8");
        reader::check(&page, format, set, skipped).unwrap_or_else(|error| panic!("{format:?}: {error}\n{page}"));
        assert_eq!(skipped, 0, "every value here is one that a page may have");
    }
}
