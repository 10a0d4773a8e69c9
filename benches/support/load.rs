//! Scrapes and writers at the same time: what each costs the other.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use manometer::{Collector, Registry, model::Points};

use super::{
    inputs::{Observations, THRESHOLDS, XorShift},
    pages::{Scraper, counters, touch},
    pin,
};

/// Observations between two looks at the stop sign.
const BATCH: u64 = 1024;

/// How long snapshots took, and whether they were right.
#[derive(Debug)]
pub struct Snapshots {
    /// Nanoseconds of each, ascending.
    pub nanos: Vec<f64>,
    /// How many were not a state that the histogram was in.
    pub inexact: usize,
}

/// Collects one histogram `count` times, every millisecond, while `writers` threads observe as fast as they can.
///
/// The values are the thresholds themselves, whole numbers: so each bucket says what its observations sum up to, and a sum that
/// covers other observations than the buckets shows. Counts must not step back, and the last must be what was observed.
pub fn snapshots_under_writers(writers: usize, count: usize) -> Snapshots {
    let registry = Registry::new();
    let declared = registry.histogram("steps").buckets((1..=11).map(f64::from)).single();
    let histogram = declared.expect("nothing is wrong with it");
    let collector = Collector::new(&registry).with_created(false);
    let stop = AtomicBool::new(false);
    let mut seen = Snapshots { nanos: Vec::with_capacity(count), inexact: 0 };
    let mut last = 0;
    let observed: u64 = thread::scope(|scope| {
        let write = || {
            let mut observed = 0;
            // Relaxed: a stop sign; what was written is handed over by joining.
            while !stop.load(Ordering::Relaxed) {
                (0..BATCH).for_each(|turn| histogram.observe((turn % 11 + 1) as f64));
                observed += BATCH;
            }
            observed
        };
        let workers: Vec<_> = (0..writers).map(|_| scope.spawn(write)).collect();
        for _ in 0..count {
            thread::sleep(Duration::from_millis(1));
            let begun = Instant::now();
            let set = collector.collect();
            seen.nanos.push(begun.elapsed().as_nanos() as f64);
            let whole = whole_count(set.families[0].points()).filter(|whole| *whole >= last);
            seen.inexact += usize::from(whole.is_none());
            last = whole.unwrap_or(last);
        }
        stop.store(true, Ordering::Relaxed);
        workers.into_iter().map(|worker| worker.join().expect("no writer panics")).sum()
    });
    seen.inexact += usize::from(histogram.count() != observed);
    seen.nanos.sort_by(f64::total_cmp);
    seen
}

/// How many observations a snapshot holds; None if its sum is of others than its buckets.
fn whole_count(points: &Points) -> Option<u64> {
    let Points::Histogram { cumulative, sums, .. } = points else { panic!("it is a histogram") };
    let count = cumulative[cumulative.len() - 1];
    let below = [0].iter().chain(cumulative);
    let by_buckets: u64 = (1..).zip(below.zip(cumulative)).map(|(value, (below, upto))| value * (upto - below)).sum();
    (sums[0] == by_buckets as f64).then_some(count)
}

/// What a scraper does beside the writers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Nothing.
    Idle,
    /// Collects and encodes everything, without a pause.
    Scrapes,
    /// Collects, without a pause, a registry in which nothing is but what the writers write.
    CollectsHot,
}

/// Turns per second of one writer, which observes and increments in each, on the first core, for as long as `time`.
///
/// The scraper is on the second core, and never pauses. Its registry holds 1000 further counters, unless it collects the hot ones alone.
pub fn writer_speed(beside: Beside, time: Duration) -> f64 {
    let (registry, family) = counters(1000);
    if beside != Beside::CollectsHot {
        touch(&family, &super::inputs::label_sets(1000));
    }
    let requests = registry.counter("requests").single().expect("nothing is wrong with it");
    let latency = registry.histogram("latency").buckets(THRESHOLDS).single().expect("nothing is wrong with it");
    let values = Observations::new();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            pin(1);
            let mut scraper = Scraper::new(&registry);
            let collector = Collector::new(&registry);
            // Relaxed: a stop sign.
            while !stop.load(Ordering::Relaxed) {
                match beside {
                    Beside::Idle => thread::sleep(Duration::from_millis(1)),
                    Beside::Scrapes => drop(scraper.scrape()),
                    Beside::CollectsHot => drop(collector.collect()),
                }
            }
        });
        let writer = scope.spawn(|| {
            pin(0);
            let mut random = XorShift::of_thread(0);
            let (begun, mut turns) = (Instant::now(), 0);
            while begun.elapsed() < time {
                for _ in 0..BATCH {
                    requests.inc();
                    latency.observe(values.draw(&mut random));
                }
                turns += BATCH;
            }
            turns as f64 / begun.elapsed().as_secs_f64()
        });
        let speed = writer.join().expect("no writer panics");
        stop.store(true, Ordering::Relaxed);
        speed
    })
}
