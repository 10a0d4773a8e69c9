//! Section 14 of docs/behaviour.md: collections, their schedule, handlers, self-metrics. (Disabled mode: `behaviour_disabled`.)

mod common;

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use common::managers::{HandClock, Trouble, count, gauge, manual, noting, scraped, total, until};
use manometer::{
    Clock, CollectError, Histogram, Manager, MetricPoint, Source,
    manager::{DEFAULT_WINDOW, HandlerReport, RateError, StartError},
    model::{ConfigError, MetricSet},
};

const COLLECTION: &str = "prosody_stats.collection_seconds";
const PROCESSING: &str = "prosody_stats.processing_seconds";

/// A list that handlers write to.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn write(&self, text: &str) {
        self.0.lock().expect("no trouble in a test").push(text.to_owned());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no trouble in a test"))
    }
}

/// A scheduled manager of an interval of ten seconds on a clock that is moved by hand.
fn scheduled() -> (Manager, HandClock) {
    let clock = HandClock::default();
    let builder = Manager::builder().provider("internal").interval(Duration::from_secs(10));
    (builder.clock(clock.clone()).build().expect("no trouble in a test"), clock)
}

fn report(manager: &Manager, name: &str) -> HandlerReport {
    manager.handlers().into_iter().find(|report| report.name == name).unwrap_or_else(|| panic!("no handler {name}"))
}

fn sum(manager: &Manager, raw: &str) -> f64 {
    manager
        .registry()
        .expect("no trouble in a test")
        .get::<Histogram>(raw)
        .expect("no trouble in a test")
        .with_labels(())
        .expect("no trouble in a test")
        .sum()
}

#[test]
fn mgr_01_the_steps_of_a_collection_in_order() {
    let clock = HandClock::default();
    let (builder, notes) = noting();
    let manager = builder.manual().clock(clock.clone()).build().unwrap();
    let value = manager.gauge("value").single().unwrap();
    let (early, late, diary) = (clock.clone(), clock.clone(), Diary::default());
    let asked = notes.clone();
    manager.on_update("set", 0, move |_| {
        assert!(asked.take().is_empty(), "values are set before they are pushed");
        early.advance(2.0);
        value.set(5.0);
    });
    let (asked, written) = (notes.clone(), diary.clone());
    manager.on_openmetrics_updated("read", 0, move |registry| {
        written.write(&format!("{:?}", asked.take()));
        let point = registry.get::<Histogram>(COLLECTION).unwrap().with_labels(()).unwrap().point();
        written.write(&format!("{} collection of {} s", point.count(), point.sum));
        let value = registry.get::<manometer::Gauge>("value").unwrap().with_labels(()).unwrap().value();
        written.write(&format!("value {value}"));
        late.advance(3.0);
    });
    let collected = manager.collect().unwrap();
    assert_eq!(diary.take(), [r#"["flush"]"#, "1 collection of 2 s", "value 5"]);
    assert_eq!((count(&manager, PROCESSING), sum(&manager, PROCESSING)), (1, 3.0));
    assert!(collected.interval.is_none() && collected.registry.metadata("value").is_some());
    // The page that is read after a collection counts it.
    assert!(scraped(&manager).contains("prosody_stats_collection_seconds_count 2\n"));
}

#[test]
fn mgr_02_only_a_manual_manager_is_asked() {
    let (scheduled, _) = scheduled();
    scheduled.on_update("never", 0, |_| ());
    assert_eq!(scheduled.collect().unwrap_err(), CollectError::Scheduled);
    scraped(&scheduled);
    assert_eq!(report(&scheduled, "never").runs, 0, "a page collects in manual mode only");
    let disabled = Manager::new_disabled();
    assert_eq!(disabled.collect().unwrap_err(), CollectError::Disabled);
    assert!(disabled.scrape().families.is_empty());
    let manual = manual();
    manual.on_update("on request", 0, |_| ());
    manual.collect().unwrap();
    scraped(&manual);
    assert_eq!(report(&manual, "on request").runs, 2);
    manual.stop();
    assert_eq!(manual.collect().unwrap_err(), CollectError::Stopped);
    assert!(scraped(&manual).contains("prosody_stats_collection_seconds_count 2\n"), "values stay readable");
}

#[test]
fn mgr_03_one_collection_at_start_one_per_interval_and_one_at_stop() {
    let (builder, notes) = noting();
    let clock = HandClock::default();
    let manager = builder.interval(Duration::from_secs(10)).clock(clock.clone()).build().unwrap();
    let runs = Arc::new(AtomicU64::new(0));
    let counted = runs.clone();
    let now = move || counted.load(Ordering::SeqCst);
    let counted = runs.clone();
    manager.on_update("count", 0, move |_| counted.fetch_add(1, Ordering::SeqCst).checked_add(0).ok_or("never"));
    clock.advance(100.0);
    thread::sleep(Duration::from_millis(10));
    assert_eq!(now(), 0, "nothing runs before the application says that it is ready");
    manager.start().unwrap();
    until("the collection at start", || now() == 1);
    clock.settle();
    clock.advance(9.9);
    clock.settle();
    assert_eq!(now(), 1, "the first tick is one interval after the start");
    clock.advance(0.1);
    until("the first tick", || now() == 2);
    manager.start().unwrap();
    clock.settle();
    assert_eq!(now(), 2, "started once");
    notes.take();
    manager.stop();
    assert_eq!(
        (now(), notes.take()),
        (3, vec!["flush", "flush", "shutdown"]),
        "the collection's flush, and the last one"
    );
    manager.stop();
    drop(manager);
    assert_eq!((now(), notes.take()), (3, vec![]), "once");
}

#[test]
fn mgr_03_stop_waits_for_a_collection_that_runs_and_dropping_stops() {
    let (manager, _clock) = scheduled();
    let (entered, is_in) = mpsc::channel();
    let done = Arc::new(AtomicU64::new(0));
    let counted = done.clone();
    manager.on_update("slow", 0, move |_| {
        let _ = entered.send(());
        thread::sleep(Duration::from_millis(50));
        counted.fetch_add(1, Ordering::SeqCst);
    });
    manager.start().unwrap();
    is_in.recv().unwrap();
    drop(manager);
    assert_eq!(done.load(Ordering::SeqCst), 2, "the one that ran, and the one at stop");
    assert!(is_in.recv().is_ok() && is_in.recv().is_err(), "the handler is gone");
}

#[test]
fn mgr_03_a_handler_may_stop_its_manager_or_be_the_last_to_hold_it() {
    let manager = manual();
    let own = manager.clone();
    manager.on_update("stop", 0, move |_| own.stop());
    manager.collect().unwrap();
    assert_eq!(manager.collect().unwrap_err(), CollectError::Stopped);

    let (manager, clock) = scheduled();
    let held = Arc::new(Mutex::new(Some(manager.clone())));
    let (seen, last) = (Arc::new(AtomicBool::new(false)), held.clone());
    let told = seen.clone();
    let registration = manager.on_update("last", 0, move |_| {
        if told.load(Ordering::SeqCst) {
            last.lock().unwrap().take();
        }
    });
    manager.start().unwrap();
    until("the collection at start", || report(&manager, "last").runs == 1);
    clock.settle();
    drop((manager, registration));
    seen.store(true, Ordering::SeqCst);
    clock.advance(10.0);
    until("the end of the manager, on its own thread", || {
        held.lock().unwrap().is_none() && Arc::strong_count(&held) == 1
    });
}

#[test]
fn mgr_03_a_manager_that_was_stopped_says_so() {
    let (manager, _clock) = scheduled();
    manager.start().unwrap();
    manager.start().expect("a second time does nothing");
    manager.stop();
    assert!(matches!(manager.start(), Err(StartError::Stopped)));
    let refused = manager.set_interval(Duration::from_secs(2)).unwrap_err();
    assert_eq!(refused.to_string(), "statistics_interval is 2, which is not for this manager, which was stopped");
    assert_eq!(manager.interval(), Some(Duration::from_secs(10)), "what was refused has changed nothing");
    let (never_started, _clock) = scheduled();
    never_started.stop();
    assert_eq!(never_started.start().unwrap_err().to_string(), "this manager was stopped, and does not start again");
    // Where there is no schedule, there is none to start.
    for manager in [manual(), Manager::new_disabled()] {
        manager.start().unwrap();
        manager.stop();
        manager.start().unwrap();
    }
}

#[test]
fn mgr_03_who_stops_second_returns_when_all_is_sent() {
    let (builder, notes) = noting();
    let manager = builder.manual().build().unwrap();
    *notes.trouble.lock().unwrap() = Trouble::Delays;
    thread::scope(|scope| {
        scope.spawn(|| manager.stop());
        until("the last flush", || notes.take() == ["flush"]);
        manager.stop();
        assert_eq!(notes.take(), ["shutdown"], "a program that ends here would lose what is being sent");
    });
}

#[test]
fn mgr_04_ticks_that_pass_during_a_collection_are_missed_and_counted() {
    let (manager, clock) = scheduled();
    let (moved, started) = (clock.clone(), Arc::new(Mutex::new(Vec::new())));
    let noted = started.clone();
    manager.on_update("slow", 0, move |_| {
        let mut starts = noted.lock().unwrap();
        starts.push(manometer::Clock::now(&moved).as_secs_f64());
        match starts.len() {
            2 => moved.advance(25.0), // from 10 to 35, over the ticks at 20 and 30
            _ => moved.advance(1.0),
        }
    });
    manager.start().unwrap();
    let runs = |wanted: u64| {
        until("a tick", || report(&manager, "slow").runs == wanted);
        clock.settle();
        assert_eq!(report(&manager, "slow").runs, wanted);
    };
    runs(1); // at 0, until 1
    clock.advance(9.0);
    runs(2);
    clock.advance(5.0); // 40
    runs(3);
    clock.advance(9.0); // 50
    runs(4);
    assert_eq!(*started.lock().unwrap(), [0.0, 10.0, 40.0, 50.0], "start + n · interval, and no burst");
    until("the count", || total(&manager, "prosody_stats.missed_ticks", []) == Some(2));
}

#[test]
fn mgr_05_two_events_by_priority_and_order_of_registration() {
    let (manager, diary) = (manual(), Diary::default());
    for (name, priority) in [("a", 0), ("b", 5), ("c", -5), ("d", 5), ("e", i32::MIN), ("f", i32::MAX)] {
        let (early, late, late_name) = (diary.clone(), diary.clone(), name.to_uppercase());
        manager.on_update(name, priority, move |_| early.write(name));
        manager.on_openmetrics_updated(name, priority, move |_| late.write(&late_name));
    }
    manager.collect().unwrap();
    assert_eq!(diary.take().concat(), "fbdaceFBDACE");
    let events: Vec<_> = manager.handlers().iter().map(|report| (report.event, report.runs)).collect();
    assert_eq!((events[0], events[6]), (("stats-update", 1), ("openmetrics-updated", 1)));
    let registration = manager.on_update("g", 7, |_| ());
    assert_eq!(registration.name(), "g");
    registration.unregister();
    manager.collect().unwrap();
    assert!(manager.handlers().iter().all(|report| report.name != "g"));
}

#[test]
fn mgr_06_s_08_a_handler_that_fails_stops_nobody() {
    let (manager, diary) = (manual(), Diary::default());
    manager.on_update("panics", 9, |_| {
        if true {
            panic!("lost its head")
        }
    });
    manager.on_update("errs", 8, |_| Err::<(), _>(io::Error::other("no luck")));
    manager.on_update("returns", 7, |_| Ok::<_, String>("a value"));
    let written = diary.clone();
    manager.on_update("fourth", 6, move |_| written.write("ran"));
    manager.on_openmetrics_updated("panics too", 0, |_| {
        if true {
            panic!("{}", "as well")
        }
    });
    for collection in 1..=10 {
        manager.collect().unwrap();
        assert_eq!(diary.take(), ["ran"], "in collection {collection}");
    }
    let errors = |name: &str| total(&manager, "prosody_stats.collector_errors", [name]);
    let counts = ["panics", "errs", "returns", "fourth", "panics too"].map(errors);
    assert_eq!(counts, [Some(10), Some(10), None, None, Some(10)]);
    assert_eq!((report(&manager, "panics").errors, report(&manager, "returns").errors), (10, 0));
    assert_eq!((count(&manager, COLLECTION), count(&manager, PROCESSING)), (10, 10), "no step was skipped");
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[test]
fn mgr_06_what_a_handler_leaves_behind_stops_nobody() {
    let (manager, diary) = (manual(), Diary::default());
    manager.on_update("throws", 2, |_| {
        if true {
            std::panic::panic_any(Bomb)
        }
    });
    let own = Arc::new(Mutex::new(None::<manometer::manager::Registration>));
    let (registered, owned) = (own.clone(), Bomb);
    let registration = manager.on_update("leaves", 1, move |_| {
        let _owned = &owned;
        if let Some(registration) = registered.lock().unwrap().take() {
            registration.unregister();
        }
    });
    *own.lock().unwrap() = Some(registration);
    let (early, late, owned) = (diary.clone(), diary.clone(), Bomb);
    manager.on_update("after", 0, move |_| early.write("after"));
    manager.on_openmetrics_updated("read", 0, move |_| {
        let _owned = &owned;
        late.write("read");
    });
    manager.collect().unwrap();
    assert_eq!(diary.take(), ["after", "read"]);
    assert_eq!((count(&manager, COLLECTION), count(&manager, PROCESSING)), (1, 1), "no step was skipped");
    assert!(manager.handlers().iter().all(|report| report.name != "leaves"));
    manager.stop(); // lets go of the last one
    assert_eq!(Arc::strong_count(&diary.0), 1, "and of all that they owned");
}

#[test]
fn mgr_06_each_handler_is_timed_by_itself() {
    let clock = HandClock::default();
    let manager = Manager::builder().provider("internal").manual().clock(clock.clone()).build().unwrap();
    let slow = clock.clone();
    manager.on_update("slow", 1, move |_| slow.advance(3.0));
    manager.on_update("quick", 0, |_| ());
    manager.collect().unwrap();
    assert_eq!(report(&manager, "slow").last_took, Duration::from_secs(3));
    assert_eq!(report(&manager, "quick").last_took, Duration::ZERO);
}

#[test]
fn mgr_07_a_handler_may_do_all_but_collect() {
    let (manager, diary) = (manual(), Diary::default());
    let (own, written) = (manager.clone(), diary.clone());
    manager.on_update("busy", 0, move |_| {
        let family = own.counter("declared").labels(["k"]).declare()?;
        family.inc(["a"])?;
        own.scope("m").open()?.measure("x").rate().declare()?.inc();
        own.registry().unwrap().remove("declared");
        written.write(&own.collect().unwrap_err().to_string());
        let page = own.scrape();
        written.write(&format!("{}", page.family(COLLECTION).is_some()));
        let other = manual();
        let outer = own.clone();
        let told = written.clone();
        other.on_update("inner", 0, move |_| told.write(&format!("{:?}", outer.collect().unwrap_err())));
        other.collect()?;
        let told = written.clone();
        own.on_update("new", -1, move |_| told.write("new")).unregister();
        Ok::<(), Box<dyn std::error::Error>>(())
    });
    manager.collect().unwrap();
    let expected = ["a handler cannot ask for the collection that it is part of", "true", "Reentrant"];
    assert_eq!(diary.take(), expected);
    assert_eq!(report(&manager, "busy").errors, 0);
    manager.stop(); // lets go of the handler, which owns the manager
}

#[test]
fn mgr_07_mgr_02_a_handler_of_a_schedule_is_told_that_it_is_one() {
    let (manager, _clock) = scheduled();
    let (own, diary) = (manager.clone(), Diary::default());
    let written = diary.clone();
    manager.on_update("asks", 0, move |_| written.write(&format!("{:?}", own.collect().unwrap_err())));
    manager.start().unwrap();
    until("the collection at start", || report(&manager, "asks").runs == 1);
    assert_eq!(manager.collect().unwrap_err(), CollectError::Scheduled, "who is no handler");
    manager.stop();
    assert_eq!(diary.take(), ["Reentrant", "Reentrant"], "in the last collection too");
    assert_eq!(manager.collect().unwrap_err(), CollectError::Stopped);
}

/// A clock of the application that fails when it is read for the last time of a countdown.
#[derive(Clone, Default)]
struct FailingClock(Arc<AtomicUsize>);

impl Clock for FailingClock {
    fn now(&self) -> Duration {
        if self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) == Ok(1) {
            panic!("the battery is empty");
        }
        Duration::ZERO
    }
}

#[test]
fn mgr_07_a_clock_that_panics_leaves_no_collection_behind() {
    let clock = FailingClock::default();
    let manager = Manager::builder().provider("internal").manual().clock(clock.clone()).build().unwrap();
    manager.on_update("busy", 0, |_| ());
    for read in 1..20 {
        clock.0.store(read, Ordering::SeqCst);
        // It may fail anywhere, and nobody waits for what failed.
        manager.collect().unwrap_or_else(|error| panic!("{error} when read {read} fails"));
        clock.0.store(0, Ordering::SeqCst);
        let runs = report(&manager, "busy").runs;
        manager.collect().unwrap_or_else(|error| panic!("{error} after read {read} failed"));
        assert_eq!(report(&manager, "busy").runs, runs + 1, "after read {read} failed");
    }
    assert_eq!(manager.collect().unwrap().interval, None);
    manager.stop();
}

#[test]
fn mgr_07_a_handler_may_unregister_others_and_itself() {
    let (manager, diary) = (manual(), Diary::default());
    let later = Arc::new(Mutex::new(Vec::new()));
    let (registered, written) = (later.clone(), diary.clone());
    let first = manager.on_update("first", 1, move |_| {
        written.write("first");
        registered.lock().unwrap().drain(..).for_each(manometer::manager::Registration::unregister);
    });
    let written = diary.clone();
    let second = manager.on_update("second", 0, move |_| written.write("second"));
    later.lock().unwrap().extend([first, second]);
    manager.collect().unwrap();
    manager.collect().unwrap();
    assert_eq!(diary.take(), ["first"]);
    assert!(manager.handlers().is_empty());
}

#[test]
fn mgr_08_scrapes_that_meet_share_a_collection_and_read_what_is_new() {
    let manager = manual();
    let counter = manager.counter("c").single().unwrap();
    let (gate, entered) = (Arc::new(Barrier::new(2)), Arc::new(AtomicBool::new(false)));
    let (opened, is_in) = (gate.clone(), entered.clone());
    manager.on_update("waits", 0, move |_| {
        if !is_in.swap(true, Ordering::SeqCst) {
            opened.wait();
        }
    });
    let arrived = AtomicUsize::new(0);
    thread::scope(|scope| {
        let first = scope.spawn(|| manager.collect().unwrap());
        until("the first to collect", || entered.load(Ordering::SeqCst));
        counter.add(7); // before the questions of the others
        let others: Vec<_> = (0..3)
            .map(|_| {
                let (arrived, manager) = (&arrived, &manager);
                scope.spawn(move || {
                    arrived.fetch_add(1, Ordering::SeqCst);
                    total_on(&manager.scrape(), "c")
                })
            })
            .collect();
        until("the others to ask", || arrived.load(Ordering::SeqCst) == 3);
        thread::sleep(Duration::from_millis(200)); // they wait by now, on a busy machine too
        assert!(others.iter().all(|other| !other.is_finished()), "none goes by");
        gate.wait();
        first.join().unwrap();
        for other in others {
            assert_eq!(other.join().unwrap(), 7.0, "older than its question");
        }
    });
    assert_eq!(report(&manager, "waits").runs, 1, "they shared it");
}

fn total_on(set: &MetricSet, raw: &str) -> f64 {
    common::value(&common::family(set, raw).metrics().next().expect("no trouble in a test").point())
}

#[test]
fn mgr_09_a_scrape_that_comes_too_soon_runs_no_handlers() {
    let clock = HandClock::default();
    let builder = Manager::builder().provider("internal").manual().min_interval(Duration::from_secs(5));
    let manager = builder.clock(clock.clone()).build().unwrap();
    let counter = manager.counter("c").single().unwrap();
    manager.on_update("h", 0, |_| ());
    let runs = || report(&manager, "h").runs;
    scraped(&manager);
    assert_eq!(runs(), 1, "the first one always");
    clock.advance(4.9);
    counter.inc();
    assert_eq!((total_on(&manager.scrape(), "c"), runs()), (1.0, 1), "current values all the same");
    clock.advance(0.1);
    scraped(&manager);
    assert_eq!(runs(), 2);
    manager.collect().unwrap();
    assert_eq!(runs(), 3, "who asks for a collection gets one");
}

#[test]
fn mgr_10_scrapers_at_any_rate_each_see_the_same() {
    let manager = manual();
    let events = manager.counter("events").single().unwrap();
    let last = Mutex::new(0u64);
    let (seen, source) = (manager.gauge("seen").single().unwrap(), events.clone());
    manager.on_update("seen", 0, move |_| seen.set(source.value() as f64));
    let mut pages: [Vec<(u64, f64)>; 3] = Default::default();
    for second in 0..=420u64 {
        if second > 0 {
            events.add(100);
        }
        for (scraper, every) in [1, 7, 60].into_iter().enumerate() {
            if second % every == 0 {
                let set = manager.scrape();
                assert_eq!(total_on(&set, "seen"), total_on(&set, "events"));
                pages[scraper].push((second, total_on(&set, "events")));
            }
        }
        *last.lock().unwrap() = second;
    }
    for pages in pages {
        for two in pages.windows(2) {
            let rate = (two[1].1 - two[0].1) / (two[1].0 - two[0].0) as f64;
            assert_eq!(rate, 100.0, "from {} to {}", two[0].0, two[1].0);
        }
    }
}

#[test]
fn mgr_11_each_handler_is_told_the_time_since_its_own_last_run() {
    let clock = HandClock::default();
    let manager = Manager::builder().provider("internal").manual().clock(clock.clone()).build().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let note = |name: &'static str| {
        let told = told.clone();
        move |timing: manometer::manager::UpdateTiming| told.lock().unwrap().push((name, timing.since_last()))
    };
    manager.on_update("first", 0, note("first"));
    manager.collect().unwrap();
    clock.advance(2.0);
    manager.on_update("second", 0, note("second"));
    manager.collect().unwrap();
    clock.advance(3.0);
    manager.collect().unwrap();
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let expected =
        [("first", None), ("first", seconds(2)), ("second", None), ("first", seconds(3)), ("second", seconds(3))];
    assert_eq!(*told.lock().unwrap(), expected);
}

#[test]
fn mgr_11_a_windowed_rate_is_cut_by_the_clock_alone() {
    let clock = HandClock::default();
    let manager = Manager::builder().provider("internal").manual().clock(clock.clone()).build().unwrap();
    let (requests, rate) = (manager.counter("r").single().unwrap(), manager.gauge("rate").single().unwrap());
    let source = requests.clone();
    requests.add(1_000); // before the first window: in none
    let published = manager.publish_rate("rate", DEFAULT_WINDOW, &rate, move || source.value() as f64).unwrap();
    assert!(rate.value().is_nan(), "not known yet");
    let scrape = |times: usize| (0..times).for_each(|_| drop(manager.scrape()));
    requests.add(600);
    clock.advance(59.0);
    scrape(20);
    clock.settle();
    assert!(rate.value().is_nan(), "no scrape ends a window");
    clock.advance(1.0);
    until("the end of the window", || rate.value() == 10.0);
    requests.add(60);
    clock.advance(30.0);
    scrape(20);
    clock.settle();
    assert_eq!(rate.value(), 10.0, "stays until the next boundary");
    clock.advance(30.0);
    until("the second window", || rate.value() == 1.0);
    clock.advance(60.0);
    until("an idle window", || rate.value() == 0.0);
    requests.set(120); // a reset
    clock.advance(60.0);
    until("a window with a reset", || rate.value() == 2.0);
    // A boundary that is noticed late: the rate is over the time that has really passed.
    requests.add(450);
    clock.advance(150.0);
    until("the late one", || rate.value() == 3.0);
    published.unregister();
    requests.add(6_000);
    clock.advance(60.0);
    clock.settle();
    assert_eq!(rate.value(), 3.0, "not published any more");
}

#[test]
fn mgr_11_a_total_that_fails_is_isolated() {
    let clock = HandClock::default();
    let manager = Manager::builder().provider("internal").manual().clock(clock.clone()).build().unwrap();
    let (bad, good) = (manager.gauge("bad").single().unwrap(), manager.gauge("good").single().unwrap());
    let calls = AtomicU64::new(0);
    let fails = move || match calls.fetch_add(1, Ordering::SeqCst) {
        1 => panic!("not now"),
        n => n as f64,
    };
    let window = Duration::from_secs(1);
    manager.publish_rate("bad", window, &bad, fails).unwrap();
    let mut total_of_good = 0.0;
    let grows = move || {
        total_of_good += 5.0;
        total_of_good
    };
    manager.publish_rate("good", window, &good, grows).unwrap();
    clock.advance(1.0);
    until("the good one", || good.value() == 5.0);
    assert!(bad.value().is_nan());
    assert_eq!(total(&manager, "prosody_stats.collector_errors", ["bad"]), Some(1));
    clock.advance(1.0);
    until("the window after", || good.value() == 5.0);
    for (short, given) in [(Duration::ZERO, "0"), (Duration::from_micros(999), "0.000999")] {
        let refused = manager.publish_rate("none", short, &good, || 0.0).unwrap_err();
        assert!(matches!(&refused, RateError::Window(ConfigError::Invalid { .. })), "{refused:?}");
        let expected = format!("window of rate \"none\" is {given}, which is not 0.001 seconds or more");
        assert_eq!(refused.to_string(), expected);
    }
    let refused =
        manager.publish_rate("never", window, &good, || if true { panic!("at once") } else { 0.0 }).unwrap_err();
    assert_eq!(refused.to_string(), "the total of rate \"never\" panicked: at once");
}

#[test]
fn mgr_11_what_a_total_owns_stops_no_other_rate() {
    let clock = HandClock::default();
    let manager = Manager::builder().provider("internal").manual().clock(clock.clone()).build().unwrap();
    let (gone, good) = (manager.gauge("gone").single().unwrap(), manager.gauge("good").single().unwrap());
    let (window, owned) = (Duration::from_secs(1), Bomb);
    let total = move || {
        let _owned = &owned;
        0.0
    };
    let published = manager.publish_rate("gone", window, &gone, total).unwrap();
    let mut total_of_good = 0.0;
    let grows = move || {
        total_of_good += 5.0;
        total_of_good
    };
    manager.publish_rate("good", window, &good, grows).unwrap();
    clock.settle();
    published.unregister();
    clock.settle();
    clock.advance(1.0);
    until("the other one", || good.value() == 5.0);
}

#[test]
fn mgr_11_what_a_total_owns_is_let_go_with_its_registration() {
    let manager = manual();
    let (gauge, owned) = (manager.gauge("g").single().unwrap(), Arc::new(()));
    let total = {
        let owned = owned.clone();
        move || Arc::strong_count(&owned) as f64
    };
    let hour = Duration::from_secs(3_600);
    let published = manager.publish_rate("g", hour, &gauge, total).unwrap();
    let other = manager.publish_rate("other", hour, &gauge, || 0.0).unwrap();
    assert_eq!(Arc::strong_count(&owned), 2);
    published.unregister();
    until("the end of what it owns", || Arc::strong_count(&owned) == 1);
    manager.stop();
    other.unregister(); // nobody is there to be told
}

#[test]
fn mgr_13_its_own_times_are_measures_with_default_buckets() {
    let manager = manual();
    let registry = manager.registry().unwrap();
    for (raw, help) in [(COLLECTION, "stats.collection times"), (PROCESSING, "stats.processing times")] {
        let metadata = registry.metadata(raw).unwrap();
        assert_eq!((metadata.help(), metadata.thresholds().len(), metadata.name().unit()), (help, 6, "seconds"));
    }
    assert!(scraped(&manager).contains("# TYPE prosody_stats_collection_seconds histogram\n"));
}

#[test]
fn mgr_14_what_the_engine_counts_is_on_the_page() {
    let (builder, _) = noting();
    let manager = builder.manual().build().unwrap();
    let full = manager.counter("full").labels(["k"]).max_series(1).declare().unwrap();
    full.inc(["a"]).unwrap();
    full.inc(["b"]).unwrap();
    full.inc(["c"]).unwrap();
    manager.counter("full").labels(["k"]).help("New").declare().unwrap();
    let gauge_of = manager.gauge("g").single().unwrap();
    gauge_of.add(f64::NAN);
    gauge_of.add(f64::INFINITY);
    let float = manager.float_counter("f").single().unwrap();
    float.add(-1.0);
    float.add(-1.0);
    manager.count_denied("address");
    manager.count_render_errors(4);
    let page = scraped(&manager);
    for line in [
        r#"rejected_total{reason="not_a_number"} 1"#,
        r#"rejected_total{reason="infinite"} 1"#,
        r#"rejected_total{reason="negative"} 2"#,
        r#"series_overflow_total{family="full"} 2"#,
        "declaration_conflicts_total 1",
        "render_errors_total 4",
        r#"http_denied_total{reason="address"} 1"#,
        "missed_ticks_total 0",
        "push_datagrams_total 7",
        "queue_used 2",
        "scrape_seconds_count 0",
    ] {
        assert!(page.contains(&format!("\nprosody_stats_{line}\n")), "no {line} in\n{page}");
    }
    // The overflow series is none of the family's own.
    let families = manager.registry().unwrap().families().len();
    assert_eq!(gauge(&manager, "prosody_stats.families"), families as f64);
    let series: usize = manager.scrape().families.iter().map(|family| family.len()).sum();
    assert_eq!(gauge(&manager, "prosody_stats.series"), series as f64 - 1.0);
    assert!(scraped(&manager).contains("\nprosody_stats_scrape_seconds_count 2\n"), "scrapes before this one");
}

#[test]
fn mgr_14_not_in_the_compatible_form() {
    let manager = Manager::builder().provider("internal").manual().prosody_compatible(true).build().unwrap();
    manager.on_update("panics", 0, |_| {
        if true {
            panic!("uncounted")
        }
    });
    manager.count_denied("address");
    manager.scrape();
    let names: Vec<_> =
        manager.registry().unwrap().families().iter().map(|family| family.name().raw().to_owned()).collect();
    assert_eq!(names, [COLLECTION, PROCESSING]);
}

#[test]
fn mgr_14_totals_never_step_back_under_many_scrapers() {
    // Handlers run once, so that the scrapes do not wait for each other.
    let builder = Manager::builder().provider("internal").manual().min_interval(Duration::MAX);
    let manager = builder.build().unwrap();
    let gauge = manager.gauge("g").single().unwrap();
    const ROUNDS: u64 = 3_000;
    let rejected = || total(&manager, "prosody_stats.rejected", ["not_a_number"]).unwrap();
    let created =
        |set: &MetricSet| match common::family(set, "prosody_stats.rejected").metrics().next().unwrap().point() {
            MetricPoint::Counter(point) => point.created,
            other => panic!("{other:?}"),
        };
    let first = created(&manager.scrape());
    common::together(4, |_| {
        let mut last = 0;
        for _ in 0..ROUNDS {
            gauge.add(f64::NAN);
            manager.scrape();
            let now = rejected();
            assert!(now >= last, "{now} after {last}");
            last = now;
        }
    });
    let set = manager.scrape();
    assert_eq!((rejected(), created(&set)), (4 * ROUNDS, first), "no step back was taken for a reset");
}

#[test]
fn viw_rates_have_the_last_two_scheduled_collections() {
    let (manager, clock) = scheduled();
    let counter = manager.counter("c").single().unwrap();
    assert!(manager.last_two().is_none());
    manager.start().unwrap();
    until("the collection at start", || count(&manager, PROCESSING) == 1);
    clock.settle();
    counter.add(30);
    clock.advance(10.0);
    until("two of them", || manager.last_two().is_some());
    let [older, newer] = manager.last_two().unwrap();
    assert_eq!(newer.at - older.at, Duration::from_secs(10));
    assert_eq!((total_on(&older.set, "c"), total_on(&newer.set, "c")), (0.0, 30.0));
}

#[test]
fn gen_07_one_manager_is_the_process_wide_one_and_others_share_nothing() {
    assert!(Manager::installed().is_none());
    let (manager, other) = (manual(), manual());
    manager.counter("c").single().unwrap().inc();
    manager.clone().install().unwrap();
    let refused = other.clone().install().unwrap_err();
    assert_eq!(refused.to_string(), "another manager is installed for this process already");
    assert!(refused.0.registry().unwrap().metadata("c").is_none(), "it is given back, and is another one");
    let installed = Manager::installed().expect("installed above");
    assert_eq!(total(&installed, "c", []), Some(1));
    other.stop();
    installed.collect().unwrap();
}

/// The wall clock is read once, for creation times; they and ages go by a clock that does not step. No step of it can be made here; so the sources are read.
#[test]
fn gen_06_s_27_the_wall_clock_is_read_for_creation_times_alone() {
    fn read(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("src is here") {
            let path = entry.expect("readable").path();
            match path.is_dir() {
                true => read(&path, found),
                false => found.push((path.display().to_string(), fs::read_to_string(&path).expect("readable"))),
            }
        }
    }
    let mut files = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let with = |word: &str| -> Vec<_> {
        let mut named: Vec<_> = files
            .iter()
            .filter(|(_, text)| text.contains(word))
            .map(|(path, _)| path.rsplit('/').next().unwrap())
            .collect();
        named.sort_unstable();
        named
    };
    assert_eq!(with("SystemTime"), ["native.rs"]);
    assert_eq!(
        with("unix_millis"),
        ["exemplars.rs", "ledger.rs", "listing.rs", "mocked.rs", "native.rs", "series.rs"],
        "the time of a series or of an exemplar, and the age that a view shows"
    );
}
