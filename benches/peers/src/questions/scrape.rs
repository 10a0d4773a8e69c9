//! What a scraper that never pauses costs a writer: its throughput, and how long the slowest of its operations take.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    clock::{percentile, pin},
    inputs::{Observations, XorShift, borrowed, label_sets},
    peer::Peer,
    turns::Measured,
};

/// Counters beside the two metrics that the writer writes.
const SERIES: usize = 1000;

const TIME: Duration = Duration::from_millis(60);

/// Turns between two looks at the clock, where throughput is measured.
const BATCH: u64 = 1024;

/// Operations that are timed one by one.
const TIMED: usize = 200_000;

/// Sides by how the writer writes.
pub type Sides = Vec<(&'static str, Box<dyn FnMut() -> Measured>)>;

/// A writer alone, and the same beside a scraper.
pub fn sides<P: Peer>() -> Option<Sides> {
    let new = || {
        let mut peer = P::new(SERIES);
        let metrics = (peer.counter(), peer.histogram()?, peer.counters()?);
        peer.page()?;
        for set in &label_sets(SERIES) {
            P::inc_by(&metrics.2, borrowed(set));
        }
        Some((peer, metrics))
    };
    let (alone, scraped) = (new()?, new()?);
    Some(vec![
        ("alone", Box::new(move || measure(&alone.0, &alone.1.0, &alone.1.1, false))),
        ("scraped", Box::new(move || measure(&scraped.0, &scraped.1.0, &scraped.1.1, true))),
    ])
}

fn measure<P: Peer>(peer: &P, counter: &P::Counter, histogram: &P::Histogram, scraped: bool) -> Measured {
    let values = Observations::new();
    let mut random = XorShift::of_thread(0);
    let measured = beside(peer, scraped, move || {
        let (begun, mut turns) = (Instant::now(), 0);
        while begun.elapsed() < TIME {
            for _ in 0..BATCH {
                P::inc(counter);
                P::observe(histogram, values.draw(&mut random));
            }
            turns += BATCH;
        }
        let speed = turns as f64 / begun.elapsed().as_secs_f64() / 1e6;
        let slowest = slowest(|| {
            P::inc(counter);
            P::observe(histogram, values.draw(&mut random));
        });
        vec![("million turns a second", speed), ("p99.9 ns", slowest[0]), ("p99.99 ns", slowest[1])]
    });
    peer.upkeep();
    measured
}

/// Runs `write` on the first core, while the second renders pages or sleeps.
fn beside<P: Peer>(peer: &P, scraped: bool, write: impl FnOnce() -> Measured + Send) -> Measured {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            pin(1);
            let mut page = peer.page().expect("it was asked before");
            // Relaxed: a stop sign.
            while !stop.load(Ordering::Relaxed) {
                match scraped {
                    true => drop(std::hint::black_box(peer.render(&mut page).len())),
                    false => thread::sleep(Duration::from_millis(1)),
                }
            }
        });
        let writer = scope.spawn(|| {
            pin(0);
            write()
        });
        let measured = writer.join().expect("no writer panics");
        stop.store(true, Ordering::Relaxed);
        measured
    })
}

/// The times that one and a tenth of a thousandth of all operations exceed, the clock's own included.
fn slowest(mut op: impl FnMut()) -> [f64; 2] {
    let mut nanos = Vec::with_capacity(TIMED);
    let mut before = Instant::now();
    for _ in 0..TIMED {
        op();
        let now = Instant::now();
        nanos.push((now - before).as_nanos() as f64);
        before = now;
    }
    nanos.sort_by(f64::total_cmp);
    [percentile(&nanos, 0.999), percentile(&nanos, 0.9999)]
}

/// The same with nothing to do: what the machine's interruptions come to, and two looks at the clock.
pub fn noise() -> Measured {
    let measured = thread::spawn(|| {
        pin(0);
        slowest(|| ())
    });
    let slowest = measured.join().expect("nothing panics");
    vec![("p99.9 ns", slowest[0]), ("p99.99 ns", slowest[1])]
}
