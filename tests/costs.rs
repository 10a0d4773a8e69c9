//! GEN-08 of docs/behaviour.md: what must cost less than in Prosody. A time is the best of many rounds, so that a busy machine changes
//! nothing; what is claimed of our own times is in PERFORMANCE.md.

use std::{hint::black_box, time::Instant};

use manometer::{
    Collector, Registry,
    encode::{Format, encode},
    timed,
};

/// How much more than its limit something may take: a build that is not optimised is many times slower, and only shows that the limits
/// are not missed by far.
const SLACK: f64 = if cfg!(debug_assertions) { 10.0 } else { 1.0 };

const ROUNDS: usize = 200;
const TURNS: u32 = 200;

/// The least time of a turn of `act`, in nanoseconds.
fn nanos(mut act: impl FnMut(u32)) -> f64 {
    let round = |_| {
        let begun = Instant::now();
        (0..TURNS).for_each(&mut act);
        begun.elapsed().as_nanos() as f64 / f64::from(TURNS)
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

fn buckets(count: u8) -> impl Iterator<Item = f64> {
    (0..count).map(|place| 0.001 * f64::from(1u32 << place))
}

/// Fails where something costs more than it may.
fn check(registry: &Registry, thread: usize) {
    let single = |what: &str| format!("{what}_{thread}");
    let counter = registry.counter(&single("counter")).single().expect("nothing is wrong with it");
    let gauge = registry.gauge(&single("gauge")).single().expect("nothing is wrong with it");
    let summary = registry.summary(&single("summary")).single().expect("nothing is wrong with it");
    let few = registry.histogram(&single("few")).buckets(buckets(6)).single().expect("nothing is wrong with it");
    let many = registry.histogram(&single("many")).buckets(buckets(20)).single().expect("nothing is wrong with it");
    let family =
        registry.counter("requests").labels(["host", "method", "status"]).declare().expect("nothing is wrong with it");
    let value = |turn: u32| 0.0005 + f64::from(turn) * 0.001;
    let costs = [
        ("an addition to a counter", 110.0, nanos(|_| counter.inc())),
        ("setting a gauge", 81.0, nanos(|turn| gauge.set(turn.into()))),
        ("a sample of a summary", 123.0, nanos(|turn| summary.observe(value(turn)))),
        ("a sample of a histogram of 6 + 1 buckets", 1304.0, nanos(|turn| few.observe(value(turn)))),
        ("a sample of a histogram of 20 + 1 buckets", 3825.0, nanos(|turn| many.observe(value(turn)))),
        (
            "a look-up of 3 labels and an addition",
            505.0,
            nanos(|_| {
                family.inc((black_box("example.org"), black_box("GET"), black_box(200))).expect("a value for each key")
            }),
        ),
        ("starting and stopping a timer", 1726.0, nanos(|_| _ = timed(&few).stop())),
    ];
    for (what, most, cost) in costs {
        assert!(cost < most * SLACK, "{what} takes {cost} ns on thread {thread}");
    }
}

#[test]
fn gen_08_recording_costs_less_than_in_prosody() {
    check(&Registry::new(), 0);
}

#[test]
fn gen_08_recording_costs_no_more_beside_other_threads() {
    let registry = Registry::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let registry = &registry;
            scope.spawn(move || check(registry, thread));
        }
    });
}

#[test]
fn gen_08_a_page_costs_less_than_in_prosody() {
    const SERIES: u32 = 2000;
    let registry = Registry::new();
    let family = registry.counter("requests").labels(["host", "path"]).declare().unwrap();
    (0..SERIES).for_each(|series| family.add(("example.org", series), series.into()).unwrap());
    let collector = Collector::new(&registry);
    let mut page = Vec::new();
    let render = |_| {
        let begun = Instant::now();
        page.clear();
        encode(&collector.collect(), Format::OpenMetrics, &mut page);
        begun.elapsed().as_secs_f64() * 1e6 / f64::from(SERIES)
    };
    let micros = (0..20).map(render).fold(f64::INFINITY, f64::min);
    assert!(micros < 14.9 * SLACK, "{micros} us for a series");
}

#[cfg(feature = "statsd")]
#[test]
fn gen_08_recording_costs_the_same_with_a_statsd_server() {
    use manometer::{
        RegistryOptions,
        backend::{Provider, StatsdOptions},
    };
    // Nobody need be there: recording only touches memory.
    let statsd = StatsdOptions::new().server("127.0.0.1").port(9).start(RegistryOptions::new()).unwrap();
    check(statsd.registry(), 0);
}
