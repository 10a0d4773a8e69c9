//! What allocates nothing: recording into what exists, and every scrape but the first.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    hint::black_box,
    time::Duration,
};

use manometer::{
    Collector, Manager, NativeOptions, Registry,
    encode::{Format, encode},
};

thread_local! {
    /// Allocations of this thread; tests run side by side.
    static COUNT: Cell<usize> = const { Cell::new(0) };
    /// Bytes that this thread has taken and not given back.
    static HELD: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

#[allow(unsafe_code, reason = "an allocator is an unsafe trait")]
// SAFETY: every call goes on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        HELD.set(HELD.get() + layout.size() as isize);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - layout.size() as isize);
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        HELD.set(HELD.get() + size as isize - layout.size() as isize);
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `act` allocates.
fn allocations(act: impl FnOnce()) -> usize {
    let before = COUNT.get();
    act();
    COUNT.get() - before
}

#[test]
fn the_count_counts() {
    assert_eq!(allocations(|| drop(black_box(vec![1u8; 100]))), 1);
}

#[test]
fn gen_02_recording_through_handles_allocates_nothing() {
    let registry = Registry::new();
    let counter = registry.counter("c").single().unwrap();
    let float = registry.float_counter("f").single().unwrap();
    let gauge = registry.gauge("g").single().unwrap();
    let level = registry.up_down_gauge("l").single().unwrap();
    let narrow = registry.histogram("n").buckets([0.1, 1.0, 10.0]).single().unwrap();
    let wide = registry.histogram("w").buckets((1..=200).map(f64::from)).single().unwrap();
    let summary = registry.summary("s").single().unwrap();
    let quantiles = registry.summary("q").quantiles([0.5]).interval(Duration::from_secs(3600)).single().unwrap();
    let native = registry.histogram("v").native(NativeOptions::new()).single().unwrap();
    let both = registry.histogram("b").buckets([0.1, 1.0, 10.0]).native(NativeOptions::new()).single().unwrap();
    let record = || {
        counter.inc();
        counter.add(3);
        float.add(0.5);
        gauge.set(2.0);
        gauge.add(1.0);
        level.inc();
        level.dec();
        for value in [0.0, 0.05, 5.0, 150.0, f64::NAN, -1.0] {
            narrow.observe(value);
            wide.observe(value);
            native.observe(value);
            both.observe(value);
            summary.observe(value);
            quantiles.observe(value);
        }
    };
    record();
    assert_eq!(allocations(|| (0..1000).for_each(|_| record())), 0);
}

#[test]
fn gen_02_his_09_recording_where_no_exemplar_is_due_allocates_nothing() {
    let registry = Registry::new();
    let requests = registry.counter("requests").exemplars([("trace_id", "a")]).single().unwrap();
    let latency = registry.histogram("latency").buckets([1.0]).exemplars([("trace_id", "a")]).single().unwrap();
    let waits = registry.histogram("waits").labels(["queue"]).buckets([]).exemplars([("trace_id", "a")]).declare();
    let waits = waits.unwrap();
    let record = || {
        requests.inc();
        latency.observe(0.5);
        latency.observe(0.0);
        waits.observe(("slow",), 1.5).unwrap();
    };
    assert!(allocations(record) > 0, "the first ones are due");
    assert_eq!(allocations(|| (0..1000).for_each(|_| record())), 0);
    let collector = Collector::new(&registry);
    collector.collect();
    assert!(allocations(record) > 0, "and they are due again");
    assert!(waits.with_labels(("slow",)).unwrap().exemplar(0).is_some());
}

#[test]
fn gen_02_lab_01_recording_by_labels_of_a_series_that_exists_allocates_nothing() {
    let registry = Registry::new();
    let requests = registry.counter("requests").labels(["method", "path", "status"]).declare().unwrap();
    let full = registry.counter("full").labels(["k"]).max_series(1).declare().unwrap();
    let waits = registry.histogram("waits").labels(["queue"]).buckets([1.0, 2.0]).declare().unwrap();
    let record = || {
        requests.inc(("GET", "/index.html", 200)).unwrap();
        requests.add(["PUT", "a \"quoted\" path", ""], 2).unwrap();
        waits.observe(("slow",), 1.5).unwrap();
        drop(requests.with_labels(("GET", "/index.html", 200)).unwrap());
        full.inc(("kept",)).unwrap();
        full.inc(("too many",)).unwrap();
    };
    record();
    assert_eq!(allocations(|| (0..1000).for_each(|_| record())), 0);
    assert_eq!(full.with_labels((":overflow",)).unwrap().value(), 1001);
}

#[test]
fn sum_03_memory_goes_by_the_range_of_the_samples_and_not_by_their_number() {
    const SERIES: usize = 64;
    let registry = Registry::new();
    let family = registry.summary("s").labels(["k"]).quantiles([0.5, 0.99]).interval(Duration::from_secs(3600));
    let family = family.declare().unwrap();
    let handles: Vec<_> = (0..SERIES).map(|series| family.with_labels((series,)).unwrap()).collect();
    let before = HELD.get();
    let record = |samples: u32| {
        for sample in 0..samples {
            // Seven powers of two.
            let value = 0.001 * (1.0 + f64::from(sample % 1000) / 1000.0 * 126.0);
            handles.iter().for_each(|handle| handle.observe(value));
        }
    };
    record(1000);
    let held = (HELD.get() - before) as usize / SERIES;
    assert!(held <= 8 * 1024, "{held} bytes a series");
    assert_eq!(allocations(|| record(20_000)), 0, "the same range, twenty times as many samples");
}

#[test]
fn the_second_scrape_allocates_nothing() {
    let registry = Registry::new();
    let counters = registry.counter("c").help("H").labels(["i", "j"]).declare().unwrap();
    let gauges = registry.gauge("g").unit("bytes").labels(["i"]).declare().unwrap();
    let floats = registry.float_counter("f").labels(["i"]).declare().unwrap();
    let narrow = registry.histogram("n").buckets([0.1, 1.0, 10.0]).labels(["i"]).declare().unwrap();
    let wide = registry.histogram("w").buckets((1..=200).map(f64::from)).single().unwrap();
    let summary = registry.summary("s").single().unwrap();
    let native = registry.histogram("v").native(NativeOptions::new().schema(8)).labels(["i"]).declare().unwrap();
    let both = registry.histogram("b").buckets([0.1, 1.0, 10.0]).native(NativeOptions::new()).single().unwrap();
    let record = || {
        for i in 0..10_000 {
            counters.inc((i, "j")).unwrap();
        }
        for i in 0..100 {
            gauges.set((i,), 0.1 * f64::from(i)).unwrap();
            floats.add((i,), 0.25).unwrap();
            narrow.observe((i,), f64::from(i)).unwrap();
            wide.observe(f64::from(i));
            native.observe((i % 10,), f64::from(i)).unwrap();
            both.observe(f64::from(i));
            summary.observe(f64::from(i));
        }
    };
    record();
    let collector = Collector::new(&registry);
    #[cfg(not(feature = "openmetrics2"))]
    let formats = [Format::OpenMetrics, Format::Text, Format::Protobuf];
    #[cfg(feature = "openmetrics2")]
    let formats = [Format::OpenMetrics, Format::Text, Format::Protobuf, Format::OpenMetrics2];
    let mut pages = formats.map(|_| Vec::new());
    let scrape = |pages: &mut [Vec<u8>]| {
        let set = collector.collect();
        for (page, format) in pages.iter_mut().zip(formats) {
            page.clear();
            encode(&set, format, page);
        }
    };
    scrape(&mut pages);
    record();
    // Other values have other numbers of digits; the pages need room for those.
    pages.iter_mut().for_each(|page| page.reserve(1 << 20));
    assert_eq!(allocations(|| scrape(&mut pages)), 0);
    for page in pages {
        assert!(page.len() > 10_000 * 20, "a page is only {} bytes", page.len());
    }
}

#[test]
fn reg_10_nothing_piles_up_where_nobody_scrapes() {
    let registry = Registry::new();
    let counter = registry.counter("c").labels(["k"]).declare().unwrap();
    let gauge = registry.gauge("g").labels(["k"]).declare().unwrap();
    let wide = registry.histogram("w").buckets((1..=200).map(f64::from)).labels(["k"]).declare().unwrap();
    for key in 0..100 {
        counter.inc((key,)).unwrap();
    }
    let cycle = |round: usize| {
        counter.inc((1000 + round,)).unwrap();
        gauge.set((round % 7,), 1.0).unwrap();
        wide.observe((round,), 1.0).unwrap();
        counter.remove((1000 + round,)).unwrap().unwrap();
        gauge.remove_all();
        wide.remove((round,)).unwrap().unwrap();
        let other = Registry::new();
        other.histogram("h").buckets([1.0, 2.0]).labels(["k"]).declare().unwrap().observe(("x",), 1.0).unwrap();
        registry.counter("late").replace().unwrap();
    };
    (0..2_000).for_each(cycle);
    let before = HELD.get();
    (2_000..6_000).for_each(cycle);
    let more = HELD.get() - before;
    assert!(more < 64 << 10, "{more} bytes more after 4000 series that came and went");
}

#[test]
fn mgr_12_recording_in_a_disabled_manager_allocates_nothing() {
    let manager = Manager::new_disabled();
    let counter = manager.counter("c").single().unwrap();
    let gauge = manager.gauge("g").single().unwrap();
    let histogram = manager.histogram("h").buckets([0.1, 1.0]).single().unwrap();
    let family = manager.counter("f").labels(["a", "b"]).declare().unwrap();
    let view = manager.scope("m").preset("host", "x").open().unwrap().summary("s").labels(["k"]).declare().unwrap();
    // On a thread that has never recorded: an enabled manager would give it a slab now.
    let allocated = std::thread::scope(|scope| {
        let record = || {
            allocations(|| {
                for number in 0..100 {
                    counter.inc();
                    counter.set(number);
                    gauge.set(1.0);
                    gauge.add(f64::NAN);
                    histogram.observe(0.5);
                    family.inc(("value", number)).unwrap();
                    view.observe((number,), 2.0).unwrap();
                    manager.cork();
                    manager.uncork();
                }
            })
        };
        scope.spawn(record).join().unwrap()
    });
    assert_eq!(allocated, 0);
}

/// Bytes that this thread holds more of after `act` than before, for each of so many.
fn bytes_each(count: u32, act: impl FnOnce()) -> f64 {
    let before = HELD.get();
    act();
    (HELD.get() - before) as f64 / f64::from(count)
}

#[test]
fn gen_08_a_series_takes_less_memory_than_in_prosody() {
    const SERIES: u32 = 16_000;
    let registry = Registry::new();
    let counters = registry.counter("requests").labels(["path"]).declare().unwrap();
    let counter = bytes_each(SERIES, || (0..SERIES).for_each(|path| counters.inc((path,)).unwrap()));
    let histograms = registry.histogram("latency").buckets([0.001, 0.01, 0.1, 1.0, 10.0, 100.0]).labels(["path"]);
    let histograms = histograms.declare().unwrap();
    let histogram = bytes_each(SERIES, || (0..SERIES).for_each(|path| histograms.observe((path,), 0.5).unwrap()));
    assert!(counter < 178.0 && histogram < 1383.0, "{counter} and {histogram} bytes a series");
}
