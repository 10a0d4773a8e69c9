//! Whether what a page says is so: histograms whole while somebody writes, nothing lost, label values escaped, each series there once.

use std::{
    collections::HashMap,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    inputs::{borrowed, label_sets},
    peer::Peer,
    turns::Measured,
};

/// Snapshots of a histogram that are looked at, if there is time.
const SNAPSHOTS: usize = 100_000;

/// For how long, at most.
const TIME: Duration = Duration::from_secs(4);

/// Threads that observe meanwhile.
const WRITERS: usize = 2;

/// Label sets that two threads make at the same time, in as many registries.
const SETS: usize = 500;
const REGISTRIES: usize = 40;

/// What is not there was not asked.
const NOT_ASKED: f64 = -1.0;

/// Asks everything.
pub fn examine<P: Peer>() -> Measured {
    let [snapshots, torn, lost] = histogram::<P>().unwrap_or([NOT_ASKED; 3]);
    let unescaped = unescaped::<P>().unwrap_or(NOT_ASKED);
    let [duplicates, lost_increments] = duplicates::<P>().unwrap_or([NOT_ASKED; 2]);
    vec![
        ("snapshots", snapshots),
        ("torn", torn),
        ("lost observations", lost),
        ("unescaped", unescaped),
        ("duplicates", duplicates),
        ("lost increments", lost_increments),
    ]
}

/// The value of the one sample whose name ends so and whose text has this in it.
fn sample(page: &str, suffix: &str, with: &str) -> Option<f64> {
    let fits = |line: &&str| {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        name.contains("latency") && !name.starts_with("http") && name.ends_with(suffix) && line.contains(with)
    };
    let line = page.lines().filter(|line| !line.starts_with('#')).find(fits)?;
    line.rsplit(' ').next()?.parse().ok()
}

/// Every value observed is one: in a snapshot that is whole, sum, count and the last bucket are the same number.
fn histogram<P: Peer>() -> Option<[f64; 3]> {
    let mut peer = P::new(1);
    let histogram = peer.histogram()?;
    let mut page = peer.page()?;
    let read = |page: &mut P::Page| {
        let text = std::str::from_utf8(peer.render(page)).expect("a page is text");
        let sum = sample(text, "_sum", "")? * P::SUM_UNIT;
        Some([sum, sample(text, "_count", "")?, sample(text, "_bucket", "+Inf")?])
    };
    P::observe(&histogram, 1.0);
    peer.upkeep();
    read(&mut page)?;
    let stop = AtomicBool::new(false);
    let (mut snapshots, mut torn, begun) = (0, 0, Instant::now());
    let written: u64 = thread::scope(|scope| {
        let write = || {
            let mut written = 0;
            // Relaxed: a stop sign; what was written is handed over by joining.
            while !stop.load(Ordering::Relaxed) {
                (0..256).for_each(|_| P::observe(&histogram, 1.0));
                written += 256;
            }
            written
        };
        let writers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(write)).collect();
        while snapshots < SNAPSHOTS && begun.elapsed() < TIME {
            let [sum, count, last] = read(&mut page).expect("it was there before");
            snapshots += 1;
            torn += usize::from((sum - count).abs() > 0.5 || count != last);
        }
        stop.store(true, Ordering::Relaxed);
        writers.into_iter().map(|writer| writer.join().expect("no writer panics")).sum()
    });
    peer.upkeep();
    let [_, count, _] = read(&mut page)?;
    Some([snapshots as f64, torn as f64, written as f64 + 1.0 - count])
}

/// Of a quote, a backslash and a line feed in label values: how many are on the page as they came.
fn unescaped<P: Peer>() -> Option<f64> {
    let mut peer = P::new(1);
    let counters = peer.counters()?;
    let mut page = peer.page()?;
    P::inc_by(&counters, ["a\"b", "c\\d", "e\nf"]);
    let text = String::from_utf8_lossy(peer.render(&mut page)).into_owned();
    let escaped = ["=\"a\\\"b\"", "=\"c\\\\d\"", "=\"e\\nf\""];
    Some(escaped.into_iter().filter(|escaped| !text.contains(escaped)).count() as f64)
}

/// Two threads make the same series at the same time, and add one to each: how many are there twice, and how much of it is not there.
fn duplicates<P: Peer>() -> Option<[f64; 2]> {
    if !P::LOOKS_UP {
        return None;
    }
    let sets = label_sets(SETS);
    let (mut twice, mut lost) = (0, 0.0);
    for _ in 0..REGISTRIES {
        let mut peer = P::new(2 * SETS);
        let counters = peer.counters()?;
        let mut page = peer.page()?;
        let both = Barrier::new(2);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    both.wait();
                    sets.iter().for_each(|set| P::inc_by(&counters, borrowed(set)));
                });
            }
        });
        let text = std::str::from_utf8(peer.render(&mut page)).expect("a page is text");
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let mut total = 0.0;
        for line in text.lines().filter(|line| line.starts_with("http_requests")) {
            let (series, value) = line.rsplit_once(' ').expect("a sample has a value");
            *seen.entry(series).or_default() += 1;
            total += value.parse::<f64>().expect("a number");
        }
        twice += seen.values().filter(|times| **times > 1).count();
        lost += 2.0 * SETS as f64 - total;
    }
    Some([twice as f64, lost])
}
