//! Guards, timers of futures, and peaks and troughs over fixed windows.

mod common;

use std::{
    future::{Future, pending, poll_fn},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use common::{ROUNDS, managers, registry, together};
use managers::{HandClock, disabled, gauge, manual, scraped, until};
use manometer::{Clock, FutureTimer, LabelError, Manager, Source, Summary, View, Watermark};

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn tim_03_a_guard_goes_down_however_it_ends() {
    let registry = registry();
    let in_flight = registry.up_down_gauge("in_flight").single().unwrap();
    {
        let _one = in_flight.guard();
        let _two = in_flight.guard();
        assert_eq!(in_flight.value(), 2);
    }
    assert_eq!(in_flight.value(), 0);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _one = in_flight.guard();
        panic!("the request fails");
    }));
    assert!(panicked.is_err());
    assert_eq!(in_flight.value(), 0);
    let cancelled = Box::pin({
        let guard = in_flight.guard();
        async move {
            let _guard = guard;
            pending::<()>().await;
        }
    });
    assert_eq!(in_flight.value(), 1);
    drop(cancelled);
    assert_eq!(in_flight.value(), 0);
    // It may end on another thread than it began on.
    let family = registry.up_down_gauge("by").labels(["k"]).declare().unwrap();
    let guards: Vec<_> = (0..8).map(|k| family.guard((k % 2,)).unwrap()).collect();
    assert_eq!(family.sum(), 8);
    std::thread::spawn(move || drop(guards)).join().unwrap();
    assert_eq!(family.sum(), 0);
    assert!(family.guard(()).is_err());
}

#[test]
fn tim_03_what_is_present_goes_with_its_guard() {
    let registry = registry();
    let queued = registry.gauge_histogram("queued").buckets([10.0]).single().unwrap();
    let guards: Vec<_> = [5.0, 50.0, f64::NAN].map(|size| queued.guard(size)).into();
    assert_eq!((queued.point().cumulative, queued.sum()), (vec![1, 2], 55.0));
    assert_eq!(registry.health().rejected_not_a_number, 1);
    drop(guards);
    assert_eq!(queued.count(), 0);
    assert_eq!(registry.health().rejected_not_a_number, 1, "what never came does not go");
}

/// A clock that each poll of a test moves.
#[derive(Clone, Default)]
struct Steps(Arc<Mutex<Duration>>);

impl Steps {
    fn pass(&self, seconds: u64) {
        *self.0.lock().expect("no test panics here") += Duration::from_secs(seconds);
    }
}

impl Clock for Steps {
    fn now(&self) -> Duration {
        *self.0.lock().expect("no test panics here")
    }
}

/// Count and sum of each outcome that has any.
fn outcomes(view: &View<Summary>) -> Vec<(String, u64, f64)> {
    let all = view.metrics().map(|(labels, metric)| (labels.get("outcome").map(str::to_owned), metric.point()));
    let named = all.map(|(outcome, point)| (outcome.expect("its key"), point.count, point.sum));
    named.filter(|(_, count, _)| *count > 0).collect()
}

#[test]
fn tim_01_a_future_is_timed_on_the_wall_and_busy_by_its_outcome() {
    let (registry, clock) = (registry(), Steps::default());
    let declare = |name: &str| registry.summary(name).unit("seconds").labels(["call", "outcome"]).declare().unwrap();
    let (wall, busy) = (declare("wall"), declare("busy"));
    let view = |family: &View<Summary>| family.with_partial_label("fetch").unwrap();
    let (wall, busy) = (view(&wall), view(&busy));
    let timer = FutureTimer::by(clock.clone(), &wall).unwrap().busy(&busy).unwrap();
    assert_eq!(wall.metrics().count(), 4, "all outcomes start at zero");

    // Polled three times, a second each, and twice waited for ten.
    let mut left = 3;
    let work = poll_fn(|_| {
        clock.pass(1);
        left -= 1;
        if left == 0 { Poll::Ready(7) } else { Poll::Pending }
    });
    {
        let mut timed = pin!(timer.time(work));
        clock.pass(5); // Between the call and the first poll.
        for _ in 0..2 {
            assert!(poll(timed.as_mut()).is_pending());
            clock.pass(10);
        }
        assert_eq!(poll(timed), Poll::Ready(7));
    }
    assert_eq!(outcomes(&wall), [("ok".to_owned(), 1, 28.0)]);
    assert_eq!(outcomes(&busy), [("ok".to_owned(), 1, 3.0)]);

    let failing = timer.time_result(async { Err::<(), _>(io::Error::other("no")) });
    assert!(matches!(poll(pin!(failing)), Poll::Ready(Err(_))));
    let fine = timer.time_result(async { Ok::<_, io::Error>(1) });
    assert!(matches!(poll(pin!(fine)), Poll::Ready(Ok(1))));
    assert_eq!(outcomes(&wall), [("error".to_owned(), 1, 0.0), ("ok".to_owned(), 2, 28.0)]);
}

#[test]
fn tim_02_a_future_that_is_cancelled_or_panics_is_recorded_as_that_once() {
    let (registry, clock) = (registry(), Steps::default());
    let wall = registry.summary("wall").labels(["outcome"]).declare().unwrap();
    let timer = FutureTimer::by(clock.clone(), &wall).unwrap();
    let never_polled = timer.time(pending::<()>());
    clock.pass(2);
    drop(never_polled);
    let mut dropped = Box::pin(timer.time(pending::<()>()));
    assert!(poll(dropped.as_mut()).is_pending());
    clock.pass(3);
    drop(dropped);
    assert_eq!(outcomes(&wall), [("cancelled".to_owned(), 2, 5.0)]);
    let panicking = timer.time(async { panic!("the task fails") });
    let panicked = catch_unwind(AssertUnwindSafe(move || poll(Box::pin(panicking).as_mut())));
    assert!(panicked.is_err());
    // Dropped while somebody else's panic goes by, it was cancelled all the same.
    let bystander = timer.time(pending::<()>());
    let panicked = catch_unwind(AssertUnwindSafe(move || {
        let _bystander = bystander;
        panic!("another task fails");
    }));
    assert!(panicked.is_err());
    assert_eq!(outcomes(&wall), [("cancelled".to_owned(), 3, 5.0), ("panicked".to_owned(), 1, 0.0)]);
}

#[test]
fn tim_01_timers_of_futures_say_what_they_need() {
    fn sent<T: Send>(future: T) -> T {
        future
    }
    let registry = registry();
    let histogram = registry.histogram("h").buckets([1.0]).labels(["a", "outcome"]).declare().unwrap();
    let error = FutureTimer::new(&histogram).unwrap_err();
    assert_eq!(error, LabelError::Arity { family: "h".into(), expected: 2, given: 1 });
    assert_eq!(histogram.series_count(), 0);
    let timer = FutureTimer::new(&histogram.with_partial_label("x").unwrap()).unwrap();
    let timed = sent(timer.clone().time(async { 5 }));
    drop(timer);
    assert_eq!(poll(pin!(timed)), Poll::Ready(5));
    assert_eq!(histogram.with_labels(("x", "ok")).unwrap().count(), 1);
}

/// A manager with a gauge and its extremes over a minute.
fn watched(clock: &HandClock) -> (Manager, Watermark) {
    let manager = Manager::builder().manual().provider("internal").clock(clock.clone()).build().expect("good");
    let single = |name: &str| manager.gauge(name).single().expect("a good name");
    let (depth, peak, trough) = (single("depth"), single("peak"), single("trough"));
    let published = manager.publish_extremes("depth", Duration::from_secs(60), &depth, &peak, &trough);
    let (watermark, _) = published.expect("a thread");
    (manager, watermark)
}

#[test]
fn mgr_11_peaks_and_troughs_are_of_windows_and_of_no_scrape() {
    let clock = HandClock::default();
    let (manager, depth) = watched(&clock);
    let extremes = || (gauge(&manager, "peak"), gauge(&manager, "trough"));
    assert!(extremes().0.is_nan() && extremes().1.is_nan(), "no window has ended");
    depth.set(5.0);
    depth.add(7.0);
    depth.set(-2.0);
    depth.add(5.0);
    depth.set(f64::NAN);
    depth.set(3.0);
    for _ in 0..10 {
        clock.advance(5.0);
        scraped(&manager);
        clock.settle();
    }
    assert!(extremes().0.is_nan(), "scrapes end no window");
    assert_eq!(gauge(&manager, "depth"), 3.0);
    clock.advance(10.0);
    until("the end of the window", || extremes() == (12.0, -2.0));
    // The next begins with what there is, and has nothing of the one before.
    scraped(&manager);
    depth.set(4.0);
    clock.advance(59.0);
    clock.settle();
    assert_eq!(extremes(), (12.0, -2.0));
    clock.advance(1.0);
    until("the end of the next window", || extremes() == (4.0, 3.0));
    // Nothing happens: both are the level.
    clock.advance(60.0);
    until("a quiet window", || extremes() == (4.0, 4.0));
    assert!(scraped(&manager).contains("\npeak 4\n"));
}

#[test]
fn mgr_11_peaks_of_many_threads_are_all_seen() {
    let registry = registry();
    let depth = Watermark::new(&registry.gauge("depth").single().unwrap());
    let seen = Mutex::new((f64::MIN, f64::MAX));
    together(4, |thread| {
        for round in 0..ROUNDS {
            match thread {
                0 => {
                    let ended = depth.turn();
                    assert!(ended.trough <= ended.peak);
                    let mut seen = seen.lock().unwrap();
                    *seen = (seen.0.max(ended.peak), seen.1.min(ended.trough));
                }
                1 if round == ROUNDS / 2 => {
                    depth.add(1e6);
                    depth.add(-1e6);
                }
                _ => {
                    depth.add(1.0);
                    depth.add(-1.0);
                }
            }
        }
    });
    let last = depth.turn();
    let seen = seen.into_inner().unwrap();
    assert!((1e6..=1e6 + 3.0).contains(&seen.0.max(last.peak)), "{seen:?} {last:?}");
    assert_eq!(seen.1.min(last.trough), 0.0, "it never was below");
    assert_eq!(depth.value(), 0.0);
    assert_eq!(depth.turn(), manometer::Extremes { peak: 0.0, trough: 0.0 });
    depth.add(f64::NAN);
    assert!(depth.try_add(f64::INFINITY).is_err());
    assert_eq!(registry.health().rejected_not_a_number, 1);
}

#[test]
fn mgr_11_mgr_12_windows_are_refused_disabled_and_ended() {
    let manager = manual();
    let single = |manager: &Manager, name: &str| manager.gauge(name).single().expect("a good name");
    let (a, b, c) = (single(&manager, "a"), single(&manager, "b"), single(&manager, "c"));
    let error = manager.publish_extremes("x", Duration::ZERO, &a, &b, &c).unwrap_err();
    assert!(error.to_string().contains("window of extremes \"x\""), "{error}");
    let (watermark, published) = manager.publish_extremes("x", Duration::from_millis(1), &a, &b, &c).unwrap();
    watermark.set(5.0);
    until("a peak", || b.value() == 5.0);
    published.unregister();
    manager.stop();
    watermark.set(9.0);
    assert_eq!(a.value(), 9.0, "the gauge goes on");
    let disabled = disabled();
    let d = single(&disabled, "d");
    let (watermark, _) = disabled.publish_extremes("x", Duration::from_secs(1), &d, &d, &d).unwrap();
    watermark.set(1.0);
    watermark.add(1.0);
    assert_eq!(watermark.value(), 0.0);
    assert!(!Source::is_enabled(&disabled));
}
