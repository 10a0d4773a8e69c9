//! How many slabs there are: as many as there were writers at one time, never as many as there were threads.

mod common;

use std::sync::{Barrier, Mutex, MutexGuard, PoisonError};

use common::{family, registry, stress, together, value, while_running};
use manometer::{Collector, set_max_owned_slabs, slab_counts};

/// Slabs belong to the process, so these tests take turns.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Threads at one time.
const BATCH: usize = 20;

#[test]
fn gen_03_short_threads_lose_nothing_and_leave_no_slabs() {
    let _turn = turn();
    let registry = registry();
    let counter = registry.counter("c").labels(["k"]).declare().unwrap();
    let held = counter.with_labels(("held",)).unwrap();
    let float = registry.float_counter("f").single().unwrap();
    let histogram = registry.histogram("h").buckets([1.0, 2.0]).single().unwrap();
    let batches = stress(10_000 / BATCH);
    let owned = slab_counts().owned;
    let collector = Collector::new(&registry);
    let mut before = (0.0, 0.0);
    while_running(
        || {
            for _ in 0..batches {
                together(BATCH, |thread| {
                    held.add(3);
                    float.add(0.5);
                    counter.inc((thread % 2,)).unwrap();
                    histogram.observe(1.0);
                });
            }
        },
        || {
            let set = collector.collect();
            let total = |raw: &str| family(&set, raw).metrics().map(|metric| value(&metric.point())).sum::<f64>();
            let now = (total("c"), total("f"));
            assert!(now.0 >= before.0 && now.1 >= before.1, "totals went from {before:?} to {now:?}");
            before = now;
            let point = histogram.point();
            assert_eq!(point.count() as f64, point.sum);
        },
    );
    let threads = (batches * BATCH) as u64;
    assert_eq!((held.value(), counter.sum(), histogram.count()), (3 * threads, 4 * threads, threads));
    assert_eq!(float.value(), 0.5 * threads as f64);
    let slabs = slab_counts();
    assert!(slabs.owned <= owned + BATCH + 1, "{} threads at one time made {slabs:?}", BATCH + 1);
    assert!(slabs.max_owned >= 64, "{slabs:?}");
}

#[test]
fn gen_03_more_threads_than_slabs_share_and_lose_nothing() {
    let _turn = turn();
    let default = slab_counts().max_owned;
    let most = slab_counts().owned + 2;
    set_max_owned_slabs(most);
    let registry = registry();
    let counter = registry.counter("c").labels(["k"]).declare().unwrap();
    let held = counter.with_labels(("held",)).unwrap();
    let histogram = registry.histogram("h").buckets((0..100).map(f64::from)).single().unwrap();
    let rounds = stress(20_000);
    let threads = 4 * BATCH + most;
    let all_have_recorded = Barrier::new(threads);
    while_running(
        || {
            together(threads, |thread| {
                for round in 0..rounds {
                    held.inc();
                    if round == 0 {
                        // Else a thread may be through before the next begins, and leave it its slab.
                        all_have_recorded.wait();
                    }
                    histogram.observe(1.0);
                    if round % 16 == 0 {
                        counter.inc((thread % 3,)).unwrap();
                    }
                }
            });
        },
        || {
            let point = histogram.point();
            assert_eq!(point.count() as f64, point.sum);
            counter.remove(("nobody",)).unwrap();
        },
    );
    let all = (threads * rounds) as u64;
    let looked_up = (threads * rounds.div_ceil(16)) as u64;
    assert_eq!((held.value(), counter.sum(), histogram.count()), (all, all + looked_up, all));
    let slabs = slab_counts();
    assert!(slabs.owned <= most && slabs.max_owned == most, "{slabs:?}");
    assert!((1..=threads).contains(&slabs.leased), "{slabs:?}");
    set_max_owned_slabs(usize::MAX);
    assert!(slab_counts().max_owned > default);
    set_max_owned_slabs(default);
    assert_eq!(slab_counts().max_owned, default);
}
