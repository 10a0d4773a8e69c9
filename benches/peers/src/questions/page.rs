//! What a page costs: all values read and written as text, in memory that is kept if the peer can keep it.

use crate::{
    allocations::allocations,
    clock::thread_cpu_ns,
    inputs::{Observations, XorShift, borrowed, label_sets},
    peer::Peer,
    roll::PageSide,
    turns::Measured,
};

/// Nanoseconds of CPU time, allocations and bytes, named.
pub fn told(nanos: u64, allocated: u64, bytes: usize) -> Measured {
    vec![("cpu ms", nanos as f64 / 1e6), ("allocations", allocated as f64), ("bytes", bytes as f64)]
}

/// A page of so many counters with three labels.
pub fn counters<P: Peer>(series: usize) -> Option<PageSide> {
    let mut peer = P::new(series);
    let counters = peer.counters()?;
    let page = peer.page()?;
    for set in &label_sets(series) {
        P::inc_by(&counters, borrowed(set));
    }
    Some(side(peer, page, counters))
}

/// A page of so many histograms with three labels and eleven thresholds.
pub fn histograms<P: Peer>(series: usize) -> Option<PageSide> {
    let mut peer = P::new(series);
    let histograms = peer.histograms()?;
    let page = peer.page()?;
    let (values, mut random) = (Observations::new(), XorShift::of_thread(0));
    for set in &label_sets(series) {
        for _ in 0..20 {
            P::observe_by(&histograms, borrowed(set), values.draw(&mut random));
        }
    }
    Some(side(peer, page, histograms))
}

/// Renders once, so that all is in the caches that the sides before it have filled with theirs, and measures the second time.
fn side<P: Peer>(peer: P, mut page: P::Page, _metrics: impl Send + 'static) -> PageSide {
    Box::new(move || {
        let _alive = &_metrics;
        peer.render(&mut page);
        let (mut nanos, mut bytes) = (0, 0);
        let allocated = allocations(|| {
            let before = thread_cpu_ns();
            bytes = peer.render(&mut page).len();
            nanos = thread_cpu_ns() - before;
        });
        told(nanos, allocated, bytes)
    })
}

/// The page itself, for the floors.
pub fn sample<P: Peer>(series: usize) -> Vec<u8> {
    let mut peer = P::new(series);
    let (counters, page) = (peer.counters(), peer.page());
    let (counters, mut page) = counters.zip(page).expect("it has both");
    for set in &label_sets(series) {
        P::inc_by(&counters, borrowed(set));
    }
    peer.render(&mut page).to_vec()
}
