//! Gauge histograms: what comes on one thread and goes on another.

use manometer::{Registry, sync::Mutex};
use std::sync::Arc;

use crate::{explore, spawn};

/// Fails under mutant came_before_went.
#[test]
fn what_went_is_never_read_without_what_came() {
    explore(50, 3, || {
        let registry = Registry::new();
        let queued = registry.gauge_histogram("queued").buckets([]).single().unwrap();
        queued.inc(2.0);
        let arrived = Arc::new(Mutex::new(false));
        let bringer = spawn({
            let (queued, arrived) = (queued.clone(), arrived.clone());
            move || {
                queued.inc(3.0);
                *arrived.lock() = true;
            }
        });
        let taker = spawn({
            let queued = queued.clone();
            move || {
                if *arrived.lock() {
                    queued.dec(3.0);
                }
            }
        });
        let point = queued.point();
        assert!(matches!((point.count(), point.sum), (1, 2.0) | (2, 5.0)), "{point:?}");
        bringer.join().unwrap();
        taker.join().unwrap();
    });
}
