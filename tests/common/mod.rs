//! Registries and threads for the tests of behaviour, so that one body runs in every way in which a thread may own memory.
//!
//! How many slabs threads may own is a setting of the whole process. So the binary `leased` runs the same files with none:
//! whoever makes a registry here, in that binary, first says that every thread leases.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod managers;

use std::{env, sync::Barrier, thread, time::Duration};

use manometer::{
    Family, Instrument, MetricPoint, MetricSet, Registry, RegistryOptions, collect,
    encode::{Format, encode},
    model::MetricFamily,
    set_max_owned_slabs,
};

/// Whether no thread of this binary owns a slab.
pub const LEASED: bool = matches!(env!("CARGO_CRATE_NAME").as_bytes(), b"leased");

/// Threads that write at one time.
pub const WRITERS: usize = 4;

/// How often a test of behaviour repeats what it repeats.
pub const ROUNDS: usize = match cfg!(debug_assertions) {
    true => 1_000,
    false => 10_000,
};

/// A size of the stress tests: smaller in a debug build, and as many times larger as `MANOMETER_STRESS` says.
pub fn stress(size: usize) -> usize {
    let times = env::var("MANOMETER_STRESS").map_or(1, |times| times.parse().expect("MANOMETER_STRESS is a number"));
    match cfg!(debug_assertions) {
        true => (size / 20).max(1) * times,
        false => size * times,
    }
}

/// The options of a registry of this binary.
pub fn options() -> RegistryOptions {
    if LEASED {
        set_max_owned_slabs(0);
    }
    RegistryOptions::new()
}

/// An empty registry.
pub fn registry() -> Registry {
    options().build()
}

/// Who records, and in whose memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The calling thread, in a slab of its own.
    OneOwner,
    /// Several threads, each in a slab of its own.
    SeveralOwners,
    /// Several threads, in slabs that they lease for each operation.
    Leased,
}

/// Runs `body` for every engine that this binary has.
pub fn each_engine(body: impl Fn(Engine)) {
    let engines: &[Engine] = if LEASED { &[Engine::Leased] } else { &[Engine::OneOwner, Engine::SeveralOwners] };
    engines.iter().copied().for_each(body);
}

impl Engine {
    /// Runs `act` once for each number below `times`, spread over the threads of this engine.
    pub fn spread(self, times: usize, act: impl Fn(usize) + Sync) {
        match self {
            Self::OneOwner => (0..times).for_each(act),
            Self::SeveralOwners | Self::Leased => {
                together(WRITERS, |writer| (writer..times).step_by(WRITERS).for_each(&act));
            }
        }
    }
}

/// Runs `act` on `threads` threads that start at one moment, each with its number.
pub fn together(threads: usize, act: impl Fn(usize) + Sync) {
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        let spawn = |thread| {
            let (act, start) = (&act, &start);
            scope.spawn(move || {
                start.wait();
                act(thread);
            })
        };
        let threads: Vec<_> = (0..threads).map(spawn).collect();
        // A scope waits for its closures; joining waits for what the thread does while it ends, too.
        threads.into_iter().for_each(|thread| thread.join().expect("a thread of the test panicked"));
    });
}

/// Runs `watch` on this thread again and again while `work` runs on another, and once more when it has ended.
pub fn while_running(work: impl FnOnce() + Send, mut watch: impl FnMut()) {
    thread::scope(|scope| {
        let work = scope.spawn(work);
        while !work.is_finished() {
            watch();
        }
        watch();
    });
}

/// The page of a registry.
pub fn page(registry: &Registry, format: Format) -> String {
    let mut page = Vec::new();
    assert_eq!(encode(&collect(registry), format, &mut page), 0, "no metric is left out");
    String::from_utf8(page).expect("a page is text")
}

/// The samples on the text page of a registry, without metadata.
pub fn samples(registry: &Registry) -> Vec<String> {
    let page = page(registry, Format::Text);
    page.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// The family of this raw name in a set.
pub fn family<'a>(set: &'a MetricSet, raw: &str) -> &'a MetricFamily {
    set.family(raw).unwrap_or_else(|| panic!("no family {raw}"))
}

/// The label values of every row, in order.
pub fn rows(family: &MetricFamily) -> Vec<Vec<String>> {
    family.metrics().map(|metric| metric.labels().map(|(_, value)| value.to_owned()).collect()).collect()
}

/// The label values of every series that a family lists.
pub fn listed<I: Instrument>(family: &Family<I>) -> Vec<Vec<String>> {
    family.metrics().map(|(labels, _)| labels.values().map(str::to_owned).collect()).collect()
}

/// The value of a counter's or gauge's point.
pub fn value(point: &MetricPoint) -> f64 {
    match point {
        MetricPoint::Counter(point) => point.total.as_f64(),
        MetricPoint::Gauge(value) => value.as_f64(),
        other => panic!("{other:?} has no one value"),
    }
}

/// Waits until creation times made from now on are later than those made before: they are whole milliseconds of a clock that goes by
/// the one that this sleeps by.
pub fn next_millisecond() {
    thread::sleep(Duration::from_millis(1));
}
