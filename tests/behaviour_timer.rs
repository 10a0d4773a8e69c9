//! Timers and guards (section 9 of `docs/behaviour.md`).

mod common;

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use common::registry;
use manometer::{Clock, Timer, timed, timed_by};

/// A clock that tells the times of a list, then the last one for ever.
struct Script(Cell<usize>, Vec<u64>);

impl Script {
    fn new(millis: impl Into<Vec<u64>>) -> Self {
        Self(Cell::new(0), millis.into())
    }
}

impl Clock for Script {
    fn now(&self) -> Duration {
        let at = self.0.get().min(self.1.len() - 1);
        self.0.set(at + 1);
        Duration::from_millis(self.1[at])
    }
}

#[test]
fn tim_01_stop_records_the_elapsed_seconds_once() {
    let registry = registry();
    let histogram = registry.histogram("h").unit("seconds").buckets([0.5, 1.0]).single().unwrap();
    let summary = registry.summary("s").unit("seconds").single().unwrap();
    let gauge = registry.gauge("g").unit("seconds").single().unwrap();
    gauge.set(9.0);
    let clock = Script::new([1000, 1250]);
    assert_eq!(timed_by(&clock, &histogram).stop(), Duration::from_millis(250));
    assert_eq!(timed_by(Script::new([0, 1500]), &summary).stop(), Duration::from_millis(1500));
    assert_eq!(timed_by(Script::new([7, 757]), &gauge).stop(), Duration::from_millis(750));
    assert_eq!((histogram.point().cumulative, histogram.sum()), (vec![1, 1, 1], 0.25));
    assert_eq!((summary.count(), summary.sum(), gauge.value()), (1, 1.5, 0.75));
}

#[test]
fn tim_01_the_clock_starts_at_the_call() {
    let registry = registry();
    let summary = registry.summary("s").single().unwrap();
    let timer = timed(&summary);
    std::thread::sleep(Duration::from_millis(2));
    let shown = timer.elapsed();
    let took = timer.stop();
    assert!(took >= shown && shown >= Duration::from_millis(2));
    assert_eq!((summary.count(), summary.sum()), (1, took.as_secs_f64()));
}

#[test]
fn gen_06_s_27_a_clock_that_steps_back_records_zero() {
    let registry = registry();
    let summary = registry.summary("s").single().unwrap();
    assert_eq!(timed_by(Script::new([5000, 1]), &summary).stop(), Duration::ZERO);
    assert_eq!((summary.count(), summary.sum()), (1, 0.0));
    assert_eq!(registry.health(), Default::default());
}

#[test]
fn tim_02_a_timer_that_is_not_stopped_records_nothing() {
    let registry = registry();
    let summary = registry.summary("s").single().unwrap();
    timed(&summary).discard();
    let fails = || -> Result<(), &str> {
        let _timer = timed(&summary);
        Err("early return")
    };
    fails().unwrap_err();
    let panics = catch_unwind(AssertUnwindSafe(|| {
        let _timer = timed(&summary);
        panic!("while the clock runs");
    }));
    assert!(panics.is_err());
    assert_eq!(summary.count(), 0);
}

#[test]
fn tim_03_a_guard_records_once_unless_discarded() {
    let registry = registry();
    let summary = registry.summary("s").single().unwrap();
    {
        let _guard = timed_by(Script::new([0, 250]), &summary).guard();
        assert_eq!(summary.count(), 0);
    }
    assert_eq!((summary.count(), summary.sum()), (1, 0.25));
    timed(&summary).guard().discard();
    assert_eq!(summary.count(), 1);
    let panics = catch_unwind(AssertUnwindSafe(|| {
        let _guard = timed_by(Script::new([0, 250]), &summary).guard();
        panic!("while the clock runs");
    }));
    assert!(panics.is_err());
    assert_eq!((summary.count(), summary.sum()), (2, 0.5), "however it leaves scope");
}

#[test]
fn tim_01_a_timer_shows_what_it_times() {
    let registry = registry();
    let gauge = registry.gauge("g").labels(["k"]).declare().unwrap().with_labels(("x",)).unwrap();
    let timer: Timer<'_, _, _> = timed_by(Script::new([0, 5]), &gauge);
    assert_eq!(format!("{timer:?}"), r#"Timer { metric: Gauge(g{k="x"}), elapsed: 5ms }"#);
    timer.discard();
}
