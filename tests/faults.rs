//! What the system may do to a process: stop a thread anywhere, interrupt it, fork it, and run code that panics.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "signals and forks are calls into the system")]
#![allow(clippy::unwrap_used, reason = "the soak is a test, though a test calls it")]

mod common;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, MutexGuard, Once, PoisonError,
        atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use common::{page, registry, stress, together, value, while_running};
use manometer::{
    Clock, Collector, Counter, Histogram, LabelValue, MetricPoint, NumberRoom, before_fork, collect, encode::Format,
    timed_by,
};

/// Signals and forks belong to the process, so these tests take turns.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for something that will come.
fn until(mut ready: impl FnMut() -> bool) {
    let began = Instant::now();
    while !ready() {
        assert!(began.elapsed() < Duration::from_secs(30), "it never came");
        thread::yield_now();
    }
}

/// Whether a thread that gets the signal stays in its handler.
static STOP: AtomicBool = AtomicBool::new(false);
static STOPPED: AtomicUsize = AtomicUsize::new(0);

/// What a handler does while nobody is to be stopped.
static IN_HANDLER: AtomicPtr<(Counter, Histogram)> = AtomicPtr::new(std::ptr::null_mut());
static HANDLED: AtomicU64 = AtomicU64::new(0);

extern "C" fn handle(_: libc::c_int) {
    if STOP.load(Ordering::Acquire) {
        STOPPED.fetch_add(1, Ordering::AcqRel);
        while STOP.load(Ordering::Acquire) {
            std::hint::spin_loop();
        }
        STOPPED.fetch_sub(1, Ordering::AcqRel);
    // SAFETY: null, or what a test leaked for the time of its turn.
    } else if let Some((counter, histogram)) = unsafe { IN_HANDLER.load(Ordering::Acquire).as_ref() } {
        counter.inc();
        histogram.observe(2.0);
        HANDLED.fetch_add(1, Ordering::Relaxed);
    }
}

/// A thread that does `act` again and again, and can be interrupted.
struct Victim {
    thread: libc::pthread_t,
    running: &'static AtomicBool,
    joiner: Option<thread::JoinHandle<()>>,
}

impl Victim {
    fn start(act: impl Fn() + Send + 'static) -> Self {
        static HANDLER: Once = Once::new();
        HANDLER.call_once(|| {
            // SAFETY: the handler touches atomics and records, which both may happen anywhere.
            unsafe { libc::signal(libc::SIGUSR1, handle as *const () as libc::sighandler_t) };
        });
        let running: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(true)));
        let (tell, told) = mpsc::channel();
        let joiner = thread::spawn(move || {
            act();
            // SAFETY: no preconditions.
            tell.send(unsafe { libc::pthread_self() }).expect("the test listens");
            while running.load(Ordering::Relaxed) {
                act();
            }
        });
        Self { thread: told.recv().expect("the thread tells"), running, joiner: Some(joiner) }
    }

    fn interrupt(&self) {
        // SAFETY: the thread runs until this is dropped.
        assert_eq!(unsafe { libc::pthread_kill(self.thread, libc::SIGUSR1) }, 0);
    }

    /// Stops it wherever it is.
    fn stop(&self) {
        STOP.store(true, Ordering::Release);
        self.interrupt();
        until(|| STOPPED.load(Ordering::Acquire) > 0);
    }

    fn go_on(&self) {
        STOP.store(false, Ordering::Release);
        until(|| STOPPED.load(Ordering::Acquire) == 0);
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        STOP.store(false, Ordering::Release);
        self.running.store(false, Ordering::Relaxed);
        let ended = self.joiner.take().map(thread::JoinHandle::join);
        assert!(thread::panicking() || matches!(ended, Some(Ok(()))));
    }
}

#[test]
fn gen_02_a_scrape_waits_neither_for_a_stopped_look_up_nor_for_who_waits_for_it() {
    let _turn = turn();
    let registry = registry();
    let counter = registry.counter("c").labels(["k"]).declare().unwrap();
    let other = registry.histogram("h").buckets([1.0, 2.0]).single().unwrap();
    let victim = Victim::start({
        let counter = counter.clone();
        move || (0..64).for_each(|_| counter.inc(("a",)).unwrap())
    });
    let collector = Collector::new(&registry);
    let (mut waited, mut taken) = (0, 0);
    for _ in 0..stress(2_000) {
        // A thread that is stopped while it makes a series holds a lock; this is about one that finds it.
        until(|| counter.find(("a",)).unwrap().is_some_and(|series| series.value() > 64));
        victim.stop();
        thread::scope(|scope| {
            let remover = scope.spawn(|| counter.remove(("a",)).unwrap().map_or(0.0, |point| value(&point)));
            thread::sleep(Duration::from_micros(200));
            // Whether or not the look-up was stopped while pinned: scrapes, records and new series go on.
            let began = Instant::now();
            other.observe(1.5);
            counter.inc(("b",)).unwrap();
            let set = collector.collect();
            assert!(set.family("c").unwrap().metrics().any(|metric| metric.value("k") == Some("b")));
            assert!(began.elapsed() < Duration::from_secs(5), "a scrape waited for a stopped thread");
            waited += usize::from(!remover.is_finished());
            victim.go_on();
            taken += remover.join().unwrap() as u64;
        });
    }
    drop(victim);
    assert!(common::LEASED || waited > 0, "no look-up was ever stopped while it was pinned");
    assert!(taken > 0 && counter.sum() > 0);
}

/// Lowers a flag when it is dropped, also by a panic: who waits for that goes on.
struct Lower<'a>(&'a AtomicBool);

impl Drop for Lower<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
        // Nobody stays stopped either.
        STOP.store(false, Ordering::Release);
    }
}

/// Forks; what the child does is its exit code, 0 if all is well there. It is ended after ten seconds.
fn in_a_child(act: impl FnOnce() -> i32) -> i32 {
    let guard = before_fork();
    // SAFETY: the child uses this crate, the allocator (which glibc makes usable there) and `_exit`, and nothing else.
    match unsafe { libc::fork() } {
        0 => {
            drop(guard);
            // SAFETY: no preconditions.
            unsafe { libc::alarm(10) };
            let code = act();
            // SAFETY: no preconditions.
            unsafe { libc::_exit(code) }
        }
        child => {
            drop(guard);
            assert!(child > 0, "no fork");
            let mut status = 0;
            // SAFETY: `status` is valid for a write.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert!(libc::WIFEXITED(status), "the child was ended by signal {}", libc::WTERMSIG(status));
            libc::WEXITSTATUS(status)
        }
    }
}

#[test]
fn gen_02_a_child_scrapes_and_counts_on_whatever_its_parent_was_doing() {
    let _turn = turn();
    let registry = registry();
    let narrow = registry.histogram("narrow").buckets([1.0, 2.0]).single().unwrap();
    let wide = registry.histogram("wide").buckets((1..100).map(f64::from)).single().unwrap();
    let counter = registry.counter("c").labels(["k"]).declare().unwrap();
    let observed = |histogram: &Histogram| {
        let point = histogram.point();
        (point.count() as f64 == point.sum).then_some(point.count())
    };
    let victim = Victim::start({
        let (narrow, wide, counter) = (narrow.clone(), wide.clone(), counter.clone());
        move || {
            for round in 0..16 {
                narrow.observe(1.0);
                wide.observe(1.0);
                counter.inc((round,)).unwrap();
            }
        }
    });
    // Makes, removes and scrapes all the time, so that locks are held when a fork wants to happen.
    let busy = AtomicBool::new(true);
    thread::scope(|scope| {
        let until_here = Lower(&busy);
        scope.spawn(|| {
            while busy.load(Ordering::Relaxed) {
                counter.inc(("busy",)).unwrap();
                page(&registry, Format::Text);
                counter.remove(("busy",)).unwrap();
                // Others may have their turn: the remover waits for a victim that may be stopped.
                thread::yield_now();
            }
        });
        for _ in 0..stress(400).clamp(20, 2_000) {
            victim.stop();
            let code = in_a_child(|| {
                let (Some(before), Some(_)) = (observed(&narrow), observed(&wide)) else { return 1 };
                narrow.observe_many(1.0, 3);
                wide.observe(1.0);
                if observed(&narrow) != Some(before + 3) || observed(&wide).is_none() {
                    return 2;
                }
                // Threads of the child, removal beside a look-up that will never end, and a page.
                let counted = counter.sum();
                let added = thread::spawn({
                    let counter = counter.clone();
                    move || counter.inc(("child",)).unwrap()
                });
                if added.join().is_err() || counter.sum() != counted + 1 {
                    return 3;
                }
                let removed: f64 = counter.remove_all().metrics().map(|metric| value(&metric.point())).sum();
                if removed != (counted + 1) as f64 {
                    return 4;
                }
                if page(&registry, Format::OpenMetrics).ends_with("# EOF\n") { 0 } else { 5 }
            });
            victim.go_on();
            assert_eq!(code, 0, "in the child");
        }
        drop(until_here);
    });
    drop(victim);
    assert!(observed(&narrow).is_some() && observed(&wide).is_some());
}

#[test]
fn gen_03_a_handler_that_records_into_what_it_interrupts_loses_nothing() {
    let _turn = turn();
    let registry = registry();
    let counter = registry.counter("c").single().unwrap();
    let narrow = registry.histogram("narrow").buckets([1.0, 2.0]).single().unwrap();
    // The counter is the handler's own: a plain counter that is interrupted between its load and its store may lose the handler's add.
    let handlers: &'static mut _ = Box::leak(Box::new((counter.clone(), narrow.clone())));
    HANDLED.store(0, Ordering::Relaxed);
    IN_HANDLER.store(handlers, Ordering::Release);
    let observed = &*Box::leak(Box::new(AtomicU64::new(0)));
    let victim = Victim::start({
        let narrow = narrow.clone();
        move || {
            (0..64).for_each(|_| narrow.observe(1.0));
            observed.fetch_add(64, Ordering::Relaxed);
        }
    });
    for _ in 0..stress(20_000) {
        victim.interrupt();
        let point = narrow.point();
        assert_eq!(point.cumulative[0] as f64 + 2.0 * (point.count() - point.cumulative[0]) as f64, point.sum);
    }
    drop(victim);
    IN_HANDLER.store(std::ptr::null_mut(), Ordering::Release);
    let handled = HANDLED.load(Ordering::Relaxed);
    assert!(handled > 0);
    assert_eq!(counter.value(), handled);
    assert_eq!(narrow.count(), handled + observed.load(Ordering::Relaxed), "an observation was lost");
}

/// A label value whose text cannot be had.
struct Broken;

impl LabelValue for Broken {
    fn text<'a>(&'a self, _: &'a mut NumberRoom) -> &'a str {
        panic!("no text")
    }
}

struct BrokenClock(AtomicBool);

impl Clock for BrokenClock {
    fn now(&self) -> Duration {
        assert!(!self.0.swap(true, Ordering::Relaxed), "the clock stopped");
        Duration::ZERO
    }
}

#[test]
fn gen_01_code_of_others_that_panics_leaves_everything_usable() {
    let registry = registry();
    let counter = registry.counter("c").labels(["a", "b"]).declare().unwrap();
    let gauge = registry.gauge("g").labels(["k"]).declare().unwrap();
    let summary = registry.summary("s").single().unwrap();
    gauge.set(("old",), 7.0).unwrap();
    let panics = |act: &dyn Fn()| assert!(catch_unwind(AssertUnwindSafe(act)).is_err(), "it should have panicked");
    while_running(
        || {
            together(3, |thread| {
                for round in 0..stress(2_000) {
                    panics(&|| counter.inc((thread, Broken)).unwrap());
                    panics(&|| drop(counter.with_labels((Broken, round))));
                    panics(&|| {
                        let count = |tally: &mut manometer::Tally<'_>| {
                            tally.add(("new",), 1.0)?;
                            tally.add((Broken,), 1.0)
                        };
                        gauge.accumulate(count).unwrap();
                    });
                    panics(&|| _ = timed_by(BrokenClock(AtomicBool::new(false)), &summary).stop());
                    counter.inc((thread, round % 3)).unwrap();
                }
            });
        },
        || {
            let set = collect(&registry);
            assert_eq!(set.family("g").unwrap().len(), 1, "a half-counted tally was published");
        },
    );
    assert_eq!(counter.sum(), 3 * stress(2_000) as u64);
    assert_eq!((counter.series_count(), summary.count()), (9, 0));
    assert_eq!(gauge.with_labels(("old",)).unwrap().value(), 7.0);
    counter.remove_all();
    assert!(page(&registry, Format::Text).contains("g{k=\"old\"} 7\n"));
}

#[test]
fn gen_03_adding_removing_and_adding_again_from_four_threads_counts_each_once() {
    let registry = registry();
    let counter = registry.counter("c").labels(["k"]).declare().unwrap();
    let taken = AtomicU64::new(0);
    let rounds = stress(50_000);
    // Each thread does all three: adds by label, adds through a handle that it drops at once, removes.
    together(4, |thread| {
        for round in 0..rounds {
            counter.inc(("x",)).unwrap();
            if (round + thread) % 5 == 0 {
                let point = counter.remove(("x",)).unwrap();
                taken.fetch_add(point.map_or(0.0, |point| value(&point)) as u64, Ordering::Relaxed);
            }
        }
    });
    assert_eq!(taken.into_inner() + counter.sum(), 4 * rounds as u64);
}

#[test]
#[ignore = "a soak: MANOMETER_STRESS minutes, 30 when it is not set"]
fn gen_03_a_soak_is_exact_and_its_memory_flat() {
    soak(Duration::from_secs(60 * std::env::var("MANOMETER_STRESS").map_or(30, |minutes| minutes.parse().unwrap())));
}

#[test]
fn gen_03_a_short_soak_is_exact_and_its_memory_flat() {
    soak(Duration::from_secs(4));
}

/// Resident memory of this process.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages: u64 = status.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number of pages");
    // SAFETY: no preconditions.
    pages * unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as u64
}

/// Everything at once for so long: writers that come and go, series that come and go, scrapes, resets.
fn soak(time: Duration) {
    let _turn = turn();
    let registry = registry();
    let counter = registry.counter("c").labels(["k"]).declare().unwrap();
    let histogram = registry.histogram("h").buckets((1..100).map(f64::from)).labels(["k"]).declare().unwrap();
    let held = registry.counter("held").single().unwrap();
    let (added, taken, observed, seen) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let began = Instant::now();
    let collector = Collector::new(&registry);
    let observations = |point: MetricPoint| {
        let MetricPoint::Histogram(point) = point else { panic!("a histogram's point") };
        assert_eq!(point.count() as f64, point.sum, "torn");
        point.count()
    };
    let mut early = None;
    let (mut before, mut scrapes) = (0, 0u64);
    while_running(
        || {
            while began.elapsed() < time {
                together(6, |thread| {
                    for round in 0..2_000 {
                        counter.inc((round % 50,)).unwrap();
                        histogram.observe((round % 10,), 1.0).unwrap();
                        held.inc();
                        if thread == 0 && round % 100 == 0 {
                            let removed = counter.remove((round % 50,)).unwrap().map_or(0.0, |point| value(&point));
                            taken.fetch_add(removed as u64, Ordering::Relaxed);
                            let removed = histogram.remove((round % 10,)).unwrap().map_or(0, observations);
                            seen.fetch_add(removed, Ordering::Relaxed);
                        }
                    }
                    added.fetch_add(2_000, Ordering::Relaxed);
                    observed.fetch_add(2_000, Ordering::Relaxed);
                });
            }
        },
        || {
            let set = collector.collect();
            let now = set.family("held").unwrap().metrics().map(|metric| value(&metric.point())).sum::<f64>() as u64;
            assert!(before <= now, "the total went from {before} to {now}");
            before = now;
            scrapes += 1;
            if early.is_none() && began.elapsed() > time / 4 {
                early = Some(resident_bytes());
            }
            thread::sleep(Duration::from_millis(1));
        },
    );
    let late = resident_bytes();
    assert_eq!(taken.into_inner() + counter.sum(), added.into_inner());
    let left: u64 = histogram.collect().metrics().map(|metric| observations(metric.point())).sum();
    let observed = observed.into_inner();
    assert_eq!((seen.into_inner() + left, held.value()), (observed, observed));
    let early = early.expect("it ran for longer than a quarter of its time");
    println!("{scrapes} scrapes, {observed} of each record, {} KiB and then {} KiB", early >> 10, late >> 10);
    assert!(late < early + (8 << 20), "{early} bytes after a quarter of the time, {late} after all of it");
}
