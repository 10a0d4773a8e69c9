//! The life of a series: removal by a predicate, idle expiry, owned handles, label sets that start at zero, limits and reports.
//! Rows REG-10 and REG-11 of `docs/behaviour.md`, and the section on what is built.

mod common;

use std::{
    cell::RefCell,
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use common::{listed, next_millisecond, page, rows, samples, stress, together, value, while_running};
use manometer::{
    Clock, Collector, Counter, Family, LabelError, Manager, MetricPoint, Registry, collect, encode::Format,
};

static TURN: Mutex<()> = Mutex::new(());

thread_local! {
    /// Held until the thread of a test ends.
    static HELD: RefCell<Option<MutexGuard<'static, ()>>> = const { RefCell::new(None) };
}

/// Lets no other test of this file run beside the one that calls it: a look-up of any family that the system has stopped puts the
/// end of an idle series off by a scan, and here scans are counted.
fn take_turn() {
    HELD.with_borrow_mut(|held| _ = held.get_or_insert_with(|| TURN.lock().unwrap_or_else(PoisonError::into_inner)));
}

fn registry() -> Registry {
    take_turn();
    common::registry()
}

/// A clock that stands still until it is moved.
#[derive(Clone, Default)]
struct HandClock(Arc<Mutex<Duration>>);

impl HandClock {
    fn advance(&self, seconds: u64) {
        *self.0.lock().expect("no test panics here") += Duration::from_secs(seconds);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Duration {
        *self.0.lock().expect("no test panics here")
    }
}

fn by_hand() -> (Registry, HandClock) {
    let (registry, clock) = (registry(), HandClock::default());
    registry.set_clock(clock.clone());
    (registry, clock)
}

/// A family of counters whose series go after two seconds.
fn fleeting(registry: &Registry) -> Family<Counter> {
    registry
        .counter("hits")
        .labels(["k"])
        .expire_after(Duration::from_secs(2))
        .declare()
        .expect("nothing is wrong with it")
}

/// How many series a collection shows.
fn shown(registry: &Registry) -> usize {
    collect(registry).family("hits").expect("declared before").len()
}

fn label<I>(series: &manometer::Labels, _: I) -> String {
    series.get("k").expect("its key").to_owned()
}

#[test]
fn reg_10_retain_removes_what_it_is_told_to_and_hands_it_back() {
    let registry = registry();
    let hits = registry.counter("hits").labels(["host", "k"]).declare().unwrap();
    for (host, k, count) in [("a", "x", 1), ("a", "y", 20), ("b", "x", 3), ("b", "z", 40)] {
        hits.add((host, k), count).unwrap();
    }
    let handle = hits.with_labels(("a", "x")).unwrap();
    let view = hits.with_partial_label("a").unwrap();
    let gone = view.retain(|labels, last| {
        assert_eq!(labels.get("host"), Some("a"), "a view stays within its prefix");
        value(last) > 10.0
    });
    assert_eq!(rows(&gone), [["a", "x"]]);
    assert_eq!(value(&gone.metric(0).unwrap().point()), 1.0);
    assert_eq!(listed(&hits), [["a", "y"], ["b", "x"], ["b", "z"]]);
    assert!(!handle.is_live());
    assert_eq!(hits.retain(|_, _| true).len(), 0);
    assert_eq!(hits.retain(|labels, _| labels.get("k") != Some("x")).len(), 1);
    assert_eq!(hits.retain(|_, _| false).len(), 2);
    assert_eq!(hits.series_count(), 0);
}

#[test]
fn reg_10_retain_runs_foreign_code_without_a_lock() {
    let registry = registry();
    let hits = registry.counter("hits").labels(["k"]).declare().unwrap();
    hits.start_at_zero([("a",), ("b",), ("c",)]).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| hits.retain(|_, _| panic!("no"))));
    assert!(panicked.is_err());
    assert_eq!(hits.series_count(), 3, "who panics removes nothing");
    let gone = hits.retain(|labels, _| {
        // Looks up, makes, removes and collects.
        hits.inc((label(labels, ()) + "2",)).unwrap();
        hits.remove(("b",)).unwrap();
        collect(&registry);
        false
    });
    assert_eq!(rows(&gone), [["a"], ["c"]], "what others removed is not handed back twice");
    assert_eq!(listed(&hits), [["a2"], ["b2"], ["c2"]], "what came meanwhile stays");
}

#[test]
fn reg_10_an_idle_series_is_shown_once_more_and_goes() {
    let (registry, clock) = by_hand();
    let hits = fleeting(&registry);
    hits.add(("a",), 5).unwrap();
    assert_eq!(shown(&registry), 1);
    clock.advance(1);
    assert_eq!(shown(&registry), 1);
    clock.advance(1);
    assert_eq!(samples(&registry), [r#"hits_total{k="a"} 5"#], "shown once more");
    assert_eq!(shown(&registry), 0);
    assert_eq!((hits.series_count(), hits.find(("a",)).unwrap().is_some()), (0, false));
    hits.inc(("a",)).unwrap();
    assert_eq!(samples(&registry), [r#"hits_total{k="a"} 1"#], "the same labels make a new series");
}

#[test]
fn reg_10_a_value_that_no_scrape_has_seen_is_shown_before_it_goes() {
    let (registry, clock) = by_hand();
    let hits = fleeting(&registry);
    hits.inc(("a",)).unwrap();
    shown(&registry);
    clock.advance(100);
    hits.add(("a",), 6).unwrap();
    clock.advance(100);
    assert_eq!(samples(&registry), [r#"hits_total{k="a"} 7"#]);
    assert_eq!(shown(&registry), 1, "it moved since the scan before");
    clock.advance(2);
    assert_eq!(shown(&registry), 1);
    assert_eq!(shown(&registry), 0);
}

/// A clock that stands still, and does something whenever a collection looks at it: between its reading and its search for idle series.
struct Meanwhile<F>(F);

impl<F: Fn()> Clock for Meanwhile<F> {
    fn now(&self) -> Duration {
        (self.0)();
        Duration::ZERO
    }
}

#[test]
fn reg_10_what_is_written_while_a_collection_runs_is_shown_before_it_goes() {
    let registry = registry();
    let hits = registry.counter("hits").labels(["k"]).expire_after(Duration::ZERO).declare().unwrap();
    let load = registry.gauge("load").labels(["k"]).expire_after(Duration::ZERO).declare().unwrap();
    let once = AtomicBool::new(true);
    registry.set_clock(Meanwhile({
        let (hits, load) = (hits.clone(), load.clone());
        move || {
            if once.swap(false, Ordering::Relaxed) {
                hits.add(("a",), 6).unwrap();
                load.set(("a",), 6.0).unwrap();
            }
        }
    }));
    hits.inc(("a",)).unwrap();
    load.set(("a",), 1.0).unwrap();
    assert_eq!(samples(&registry), [r#"hits_total{k="a"} 1"#, r#"load{k="a"} 1"#]);
    assert_eq!(samples(&registry), [r#"hits_total{k="a"} 7"#, r#"load{k="a"} 6"#], "nothing goes unseen");
    assert_eq!(samples(&registry), [""; 0]);
}

#[test]
fn reg_10_a_series_written_every_second_never_goes() {
    let (registry, clock) = by_hand();
    let two = Duration::from_secs(2);
    let hits = fleeting(&registry);
    let gauge = registry.gauge("gauge").labels(["k"]).expire_after(two).declare().unwrap();
    let cpu = registry.float_counter("cpu").labels(["k"]).expire_after(two).declare().unwrap();
    let level = registry.up_down_gauge("level").labels(["k"]).expire_after(two).declare().unwrap();
    let size = registry.histogram("size").buckets([1.0]).labels(["k"]).expire_after(two).declare().unwrap();
    let wide = registry.histogram("wide").buckets((0..100).map(f64::from));
    let wide = wide.labels(["k"]).expire_after(two).declare().unwrap();
    let wait = registry.summary("wait").labels(["k"]).expire_after(two).declare().unwrap();
    let queued = registry.gauge_histogram("queued").buckets([1.0]).labels(["k"]).expire_after(two).declare().unwrap();
    let phase = registry.state_set("phase").states(["on"]).labels(["k"]).expire_after(two).declare().unwrap();
    let what = registry.unknown("what").labels(["k"]).expire_after(two).declare().unwrap();
    let info = registry.info("build").labels(["k"]).expire_after(two).declare().unwrap();
    let write = |second: u64| {
        hits.inc(("a",)).unwrap();
        gauge.set(("a",), 4.0).unwrap(); // always the same
        cpu.add(("a",), 0.5).unwrap();
        level.add(("a",), if second % 2 == 0 { 1 } else { -1 }).unwrap();
        size.observe(("a",), 0.0).unwrap();
        wide.observe(("a",), 7.0).unwrap();
        wait.observe(("a",), 0.0).unwrap();
        if second % 2 == 0 { queued.inc(("a",), 1.0) } else { queued.dec(("a",), 1.0) }.unwrap();
        phase.enter(("a",), "on").unwrap();
        what.set(("a",), f64::NAN).unwrap();
        info.with_labels(("a",)).unwrap(); // asking is all that can be done
    };
    // Scrapes of several rates, all of them slower or faster than the limit.
    for second in 0..40 {
        write(second);
        if second % 5 == 0 || second > 30 {
            for family in &collect(&registry).families {
                assert_eq!(family.len(), 1, "{} at second {second}", family.metadata().name().raw());
            }
        }
        clock.advance(1);
    }
    assert_eq!(hits.sum(), 40);
    for _ in 0..4 {
        collect(&registry);
        clock.advance(2);
    }
    for family in &collect(&registry).families {
        assert_eq!(family.len(), 0, "{} is idle", family.metadata().name().raw());
    }
}

#[test]
fn reg_10_a_series_with_a_live_handle_stays() {
    let (registry, clock) = by_hand();
    let hits = fleeting(&registry);
    let handle = hits.with_labels(("a",)).unwrap();
    let clone = handle.clone();
    drop(handle);
    for _ in 0..10 {
        clock.advance(5);
        assert_eq!(shown(&registry), 1);
    }
    clone.inc();
    assert!(clone.is_live());
    drop(clone);
    // It is idle from the last scan that met the handle, or its last write.
    assert_eq!(samples(&registry), [r#"hits_total{k="a"} 1"#]);
    clock.advance(2);
    assert_eq!(shown(&registry), 1);
    assert_eq!(shown(&registry), 0);
    // Handles by other ways count, too.
    for find in [
        |hits: &Family<Counter>| hits.find(("b",)).unwrap().unwrap(),
        |hits: &Family<Counter>| hits.metrics().next().unwrap().1,
    ] {
        hits.inc(("b",)).unwrap();
        let found = find(&hits);
        for _ in 0..5 {
            clock.advance(5);
            assert_eq!(shown(&registry), 1);
        }
        assert!(found.is_live());
        drop(found);
        while shown(&registry) > 0 {
            clock.advance(5);
        }
    }
}

#[test]
fn reg_10_cnt_03_a_total_that_wrapped_its_word_survives_a_reprieve() {
    let (registry, clock) = by_hand();
    let hits = fleeting(&registry);
    // Three wraps of the word, so that the carries have both of their low bits.
    for _ in 0..4 {
        hits.add(("a",), u64::MAX).unwrap();
    }
    hits.with_labels(("a",)).unwrap().reset();
    hits.add(("a",), 7).unwrap();
    shown(&registry);
    for _ in 0..3 {
        clock.advance(2);
        // Idle by the clock, and held, so that it is looked at and kept.
        let held = hits.find(("a",)).unwrap().expect("it is there");
        assert_eq!(shown(&registry), 1);
        assert_eq!(held.value(), 7);
    }
}

#[test]
fn reg_10_what_expires_and_what_stays() {
    let (registry, clock) = by_hand();
    let hits =
        registry.counter("hits").labels(["k"]).expire_after(Duration::from_secs(1)).max_series(2).declare().unwrap();
    let single = registry.counter("single").expire_after(Duration::from_secs(1)).single().unwrap();
    let lasting = registry.counter("lasting").labels(["k"]).declare().unwrap();
    lasting.inc(("a",)).unwrap();
    drop(single);
    hits.start_at_zero([("zero",)]).unwrap();
    hits.inc(("fleeting",)).unwrap();
    hits.inc(("one too many",)).unwrap();
    for _ in 0..3 {
        collect(&registry);
        clock.advance(1);
    }
    assert_eq!(listed(&hits), [[":overflow"], ["zero"]]);
    let set = collect(&registry);
    assert_eq!((set.family("single").unwrap().len(), set.family("lasting").unwrap().len()), (1, 1));
    assert_eq!((hits.expires_after(), lasting.expires_after()), (Some(Duration::from_secs(1)), None));
    hits.remove(("zero",)).unwrap().expect("removed by hand like any other");
}

#[test]
fn reg_11_freed_slots_let_new_series_in_again() {
    let (registry, clock) = by_hand();
    let hits =
        registry.counter("hits").labels(["k"]).expire_after(Duration::from_secs(2)).max_series(3).declare().unwrap();
    let mut total = 0;
    for round in 0..20 {
        for k in 0..5 {
            hits.inc((format!("{round} {k}"),)).unwrap();
            total += 1;
        }
        assert_eq!(hits.series_count(), 3);
        let set = collect(&registry);
        let sum: f64 = set.family("hits").unwrap().metrics().map(|metric| value(&metric.point())).sum();
        assert_eq!(sum, f64::from(3 + 2 * (round + 1)), "three of this round, and what went to the overflow series");
        for _ in 0..3 {
            clock.advance(1);
            collect(&registry);
        }
        assert_eq!(hits.series_count(), 0);
    }
    assert_eq!((total, hits.overflowed()), (100, 40));
}

#[test]
fn reg_11_a_full_family_says_which_label_it_is() {
    let registry = registry();
    let requests = registry.counter("requests").labels(["method", "path"]).max_series(50).declare().unwrap();
    for request in 0..80 {
        requests.inc((["GET", "PUT"][request % 2], format!("/item/{request}"))).unwrap();
    }
    let report = &collect(&registry).cardinality(5, 2)[0];
    assert_eq!((report.family.as_str(), report.series, report.has_overflow), ("requests", 51, true));
    let path = &report.labels[0];
    assert_eq!((path.key.as_str(), path.values, path.top.len()), ("path", 50, 2));
    assert_eq!(report.labels[1].top, [("GET".to_owned(), 25), ("PUT".to_owned(), 25)]);
    let text =
        "requests: 51 series, overflowing; path 50 values (/item/0 1, /item/1 1), method 2 values (GET 25, PUT 25)";
    assert_eq!(report.to_string(), text);
}

#[test]
fn reg_11_the_report_has_the_largest_families_first() {
    let registry = registry();
    for (name, series) in [("few", 2), ("many", 30), ("some", 10)] {
        let family = registry.gauge(name).labels(["k"]).declare().unwrap();
        (0..series).for_each(|k| family.set((k,), 1.0).unwrap());
    }
    registry.gauge("one").declare().unwrap();
    let names =
        |families| collect(&registry).cardinality(families, 0).into_iter().map(|c| c.family).collect::<Vec<_>>();
    assert_eq!(names(2), ["many", "some"]);
    assert_eq!(names(9), ["many", "some", "few", "one"]);
    assert_eq!(collect(&registry).cardinality(9, 0)[3].to_string(), "one: 1 series");
}

#[test]
fn reg_10_label_sets_that_start_at_zero() {
    let registry = registry();
    let hits = registry.counter("hits").labels(["host", "k"]).declare().unwrap();
    hits.with_partial_label("h").unwrap().start_at_zero([("a",), ("b",)]).unwrap();
    assert_eq!(samples(&registry), [r#"hits_total{host="h",k="a"} 0"#, r#"hits_total{host="h",k="b"} 0"#]);
    hits.inc(("h", "a")).unwrap();
    hits.start_at_zero([("h", "a")]).unwrap();
    assert_eq!(hits.sum(), 1, "what is there is left as it is");
    let wrong: [&[&str]; 2] = [&["h", "c"], &["h"]];
    let error = hits.start_at_zero(wrong).unwrap_err();
    assert_eq!(error, LabelError::Arity { family: "hits".into(), expected: 2, given: 1 });
    assert_eq!(hits.series_count(), 2, "nothing is made");
}

#[test]
fn reg_10_an_owned_series_goes_with_its_last_owner() {
    let registry = registry();
    let hits = registry.counter("hits").labels(["k"]).declare().unwrap();
    let first = hits.owned(("a",)).unwrap();
    let second = hits.owned(("a",)).unwrap();
    let third = second.clone();
    let plain = hits.with_labels(("a",)).unwrap();
    first.inc();
    second.add(2);
    assert_eq!((plain.value(), hits.series_count()), (3, 1));
    drop(first);
    assert_eq!(second.close(), None, "there is another");
    assert!(plain.is_live());
    third.inc();
    let last = third.close().expect("the last");
    assert_eq!(value(&last), 4.0);
    assert!(!plain.is_live() && hits.series_count() == 0);
    hits.inc(("a",)).unwrap();
    assert_eq!(hits.sum(), 1);
    drop(hits.owned(("a",)).unwrap());
    assert_eq!(page(&registry, Format::Text), "# TYPE hits_total counter\n");
    // A panic is an end like any other.
    let owned = hits.owned(("b",)).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(move || {
        owned.inc();
        panic!("the session ends");
    }));
    assert!(panicked.is_err() && hits.series_count() == 0);
    assert!(hits.owned(("a", "b")).is_err());
}

#[test]
fn reg_10_owned_handles_after_other_ends() {
    let registry = registry();
    let hits = registry.counter("hits").labels(["k"]).max_series(1).declare().unwrap();
    let owned = hits.owned(("a",)).unwrap();
    hits.remove(("a",)).unwrap();
    hits.inc(("a",)).unwrap();
    assert!(!owned.is_live());
    drop(owned);
    assert_eq!(hits.sum(), 1, "the series of today is another");
    let overflow = hits.owned(("b",)).unwrap();
    overflow.inc();
    assert_eq!(overflow.close(), None);
    assert_eq!(hits.sum(), 2, "the overflow series is nobody's own");
    let owned = hits.owned(("a",)).unwrap();
    registry.remove("hits").unwrap();
    drop(owned);
    let disabled = Manager::builder().build().unwrap();
    let none = disabled.gauge("g").labels(["k"]).declare().unwrap();
    let owned = none.owned(("a",)).unwrap();
    owned.set(1.0);
    assert_eq!(owned.close(), None);
}

#[test]
fn gen_03_owners_that_come_and_go_lose_nothing() {
    let registry = registry();
    let hits = registry.counter("hits").labels(["k"]).declare().unwrap();
    let handed_back = Mutex::new(0.0);
    let rounds = stress(20_000);
    together(4, |_| {
        for round in 0..rounds {
            let owned = hits.owned((round % 2,)).unwrap();
            assert!(owned.is_live(), "an owner has a series of today");
            owned.inc();
            if let Some(last) = owned.close() {
                *handed_back.lock().unwrap() += value(&last);
            }
        }
    });
    assert_eq!(hits.series_count(), 0);
    assert_eq!(handed_back.into_inner().unwrap(), 4.0 * rounds as f64);
}

#[test]
fn gen_03_nothing_is_lost_while_series_expire_and_come_back() {
    let (registry, clock) = by_hand();
    let hits = registry.counter("hits").labels(["k"]).expire_after(Duration::from_secs(1)).declare().unwrap();
    let rounds = stress(400_000);
    // What each series that ever was showed last. One of the same labels that comes later was created later.
    let mut last: HashMap<(String, u64), f64> = HashMap::new();
    let work = || {
        together(3, |writer| {
            for round in 0..rounds {
                let k = (round * 10 / rounds + writer) % 5;
                match round % 3 {
                    0 => hits.with_labels((k,)).unwrap().inc(),
                    _ => hits.inc((k,)).unwrap(),
                }
            }
        });
    };
    while_running(work, || {
        next_millisecond();
        clock.advance(1);
        for metric in collect(&registry).family("hits").unwrap().metrics() {
            let MetricPoint::Counter(point) = metric.point() else { panic!("a counter's point") };
            let key = (metric.value("k").unwrap().to_owned(), point.created.unwrap().millis());
            last.insert(key, point.total.as_f64());
        }
    });
    assert_eq!(last.values().sum::<f64>(), 3.0 * rounds as f64, "{last:?}");
}

#[test]
fn reg_10_scrapers_share_a_collector_and_expiry_goes_on() {
    let (registry, clock) = by_hand();
    let hits = fleeting(&registry);
    let collector = Collector::new(&registry);
    let held = collector.collect();
    for round in 0..50 {
        hits.inc((round,)).unwrap();
        collector.collect();
        clock.advance(1);
    }
    assert!(hits.series_count() <= 4, "{} series", hits.series_count());
    assert_eq!(held.family("hits").unwrap().len(), 0, "who holds a set keeps what it says");
}

#[test]
fn reg_10_a_manager_expires_by_its_own_clock() {
    take_turn();
    let clock = HandClock::default();
    let manager = Manager::builder().manual().provider("internal").clock(clock.clone()).build().unwrap();
    let scope = manager.scope("m").preset("host", "h").open().unwrap();
    let peers = scope.counter("peers").labels(["peer"]).expire_after(Duration::from_secs(5)).declare().unwrap();
    peers.inc(("p",)).unwrap();
    let count = || {
        use manometer::Source;
        manager.scrape().family("prosody_mod_m/peers").unwrap().len()
    };
    assert_eq!(count(), 1);
    clock.advance(5);
    assert_eq!((count(), count()), (1, 0));
}
