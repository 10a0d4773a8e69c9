//! HIS-09 of docs/behaviour.md: exemplars that a family asks its source for.

#[path = "common/pages.rs"]
mod pages;

use std::{
    cell::{Cell, RefCell},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use manometer::{
    Collector, Counter, ExemplarLabels, Family, Histogram, Manager, MetricFamily, NativeOptions, Registry, collect,
    encode::Format,
};

thread_local! {
    /// What this thread works for, if it does.
    static TRACE: RefCell<Option<String>> = const { RefCell::new(None) };
    /// How often this thread was asked for it.
    static ASKED: Cell<u32> = const { Cell::new(0) };
}

/// The trace of the thread that records.
struct CurrentTrace;

impl ExemplarLabels for CurrentTrace {
    fn with(&self, op: &mut Op<'_>) {
        ASKED.set(ASKED.get() + 1);
        let trace = TRACE.with(|trace| trace.borrow().clone());
        trace.iter().for_each(|trace| op(&[("trace_id", trace)]));
    }
}

/// What is done with labels.
type Op<'a> = dyn FnMut(&[(&str, &str)]) + 'a;

/// A source that is a function.
struct By<F>(F);

impl<F: Fn(&mut Op<'_>)> ExemplarLabels for By<F> {
    fn with(&self, op: &mut Op<'_>) {
        (self.0)(op);
    }
}

fn enter(trace: &str) {
    TRACE.set(Some(trace.to_owned()));
}

/// Value and labels of the exemplars of the only series, by bucket.
fn shown(family: &MetricFamily) -> Vec<(usize, f64, String)> {
    let metric = family.metrics().next().expect("a series");
    metric.exemplars().map(|(bucket, one)| (bucket, one.value(), one.label_text().to_owned())).collect()
}

fn of(bucket: usize, value: f64, trace: &str) -> (usize, f64, String) {
    (bucket, value, format!("trace_id=\"{trace}\""))
}

#[test]
fn his_09_each_bucket_gets_one_between_two_collections() {
    let registry = Registry::new();
    let latency = registry.histogram("latency").buckets([1.0, 10.0]).exemplars(CurrentTrace).single().unwrap();
    let asked = |values: &[f64]| {
        ASKED.set(0);
        values.iter().for_each(|value| latency.observe(*value));
        ASKED.get()
    };
    let collector = Collector::new(&registry);
    enter("a");
    assert_eq!(asked(&[0.5, 0.25, 5.0, 0.0, 7.0, 1.0]), 2, "once for each bucket that has an observation");
    assert_eq!(shown(&collector.collect().families[0]), [of(0, 0.5, "a"), of(1, 5.0, "a")]);
    enter("b");
    assert_eq!(asked(&[20.0, 0.0, 0.5, 30.0]), 2);
    assert_eq!(shown(&collector.collect().families[0]), [of(0, 0.0, "b"), of(1, 5.0, "a"), of(2, 20.0, "b")]);
    assert_eq!(latency.count(), 10);
    latency.try_observe(0.75).unwrap();
    latency.observe_many(6.0, 3);
    assert_eq!(latency.exemplar(0).unwrap().value(), 0.75);
    assert_eq!(latency.exemplar(1).unwrap().value(), 6.0);
}

#[test]
fn his_09_counters_have_one_source_for_all_ways_to_record() {
    let registry = Registry::new();
    let requests = registry.counter("requests").exemplars(CurrentTrace).single().unwrap();
    let busy = registry.float_counter("busy").exemplars(CurrentTrace).single().unwrap();
    let labelled = registry.counter("labelled").labels(["path"]).exemplars(CurrentTrace).declare().unwrap();
    let sizes = registry.histogram("sizes").labels(["path"]).buckets([]).exemplars(CurrentTrace).declare().unwrap();
    let spent = registry.float_counter("spent").labels(["path"]).exemplars(CurrentTrace).declare().unwrap();
    let record: [(&str, &dyn Fn()); 9] = [
        ("inc", &|| requests.inc()),
        ("add", &|| requests.add(2)),
        ("float", &|| busy.add(0.5)),
        ("try", &|| busy.try_add(0.5).unwrap()),
        ("family", &|| labelled.inc(("/a",)).unwrap()),
        ("view", &|| labelled.with_partial_label("/a").unwrap().add((), 3).unwrap()),
        ("handle", &|| labelled.with_labels(("/a",)).unwrap().clone().inc()),
        ("observe", &|| sizes.observe(("/a",), 1.0).unwrap()),
        ("spend", &|| spent.add(("/a",), 0.25).unwrap()),
    ];
    for (trace, record) in record {
        enter(trace);
        record();
        ASKED.set(0);
        record();
        assert_eq!(ASKED.get(), 0, "{trace}: nobody has seen the exemplar yet");
        let set = collect(&registry);
        let found = set.families.iter().flat_map(MetricFamily::exemplars).map(|at| at.exemplar.label_text());
        let text = format!("trace_id=\"{trace}\"");
        assert_eq!(found.filter(|labels| *labels == text).count(), 1, "{trace}");
    }
    assert_eq!((requests.value(), busy.value(), labelled.sum(), spent.sum()), (6, 2.0, 10, 0.5));
    assert_eq!(sizes.with_labels(("/a",)).unwrap().count(), 2);
}

#[test]
fn his_09_a_source_without_labels_is_asked_again() {
    let registry = Registry::new();
    let requests = registry.counter("requests").exemplars(CurrentTrace).single().unwrap();
    ASKED.set(0);
    requests.inc();
    requests.inc();
    assert_eq!((ASKED.get(), requests.exemplar()), (2, None));
    enter("a");
    requests.add(3);
    assert_eq!(requests.exemplar().unwrap().value(), 3.0);
    assert_eq!(registry.health().dropped_exemplars, 0);
}

#[test]
fn his_09_labels_that_break_a_rule_are_refused_whole_and_counted_once_a_collection() {
    let registry = Registry::new();
    let requests = registry.counter("requests").exemplars(CurrentTrace).single().unwrap();
    // 8 + 120 are 128 code points of more bytes.
    enter(&"é".repeat(121));
    (0..5).for_each(|_| requests.inc());
    assert_eq!((requests.exemplar(), registry.health().dropped_exemplars), (None, 1));
    collect(&registry);
    requests.inc();
    assert_eq!((requests.value(), registry.health().dropped_exemplars), (6, 2));
    collect(&registry);
    enter(&"é".repeat(120));
    requests.inc();
    assert!(requests.exemplar().is_some());
    let source = By(|op: &mut Op<'_>| op(&[("trace-id", "a")]));
    let named = registry.counter("named").exemplars(source).single().unwrap();
    named.inc();
    assert_eq!((named.exemplar(), registry.health().dropped_exemplars), (None, 3));
}

#[test]
fn his_09_a_panic_of_the_source_goes_no_further_and_is_counted_once_a_collection() {
    /// Panics once more when it is dropped.
    struct Payload;
    impl Drop for Payload {
        fn drop(&mut self) {
            panic!("the payload of a source's panic");
        }
    }
    let registry = Registry::new();
    let source = By(|_: &mut Op<'_>| std::panic::panic_any(Payload));
    let latency = registry.histogram("latency").labels(["path"]).buckets([1.0]).exemplars(source).declare().unwrap();
    let of_a = latency.with_labels(("/a",)).unwrap();
    let afterwards = By(|op: &mut Op<'_>| {
        op(&[("trace_id", "a")]);
        panic!("too late to matter");
    });
    let requests = registry.counter("requests").exemplars(afterwards).single().unwrap();
    for _ in 0..3 {
        of_a.observe(0.5);
        latency.observe(("/a",), 0.25).unwrap();
        requests.inc();
    }
    assert_eq!((of_a.count(), requests.value(), registry.health().dropped_exemplars), (6, 3, 1));
    assert!(requests.exemplar().is_some(), "it gave labels before");
    collect(&registry);
    of_a.observe(0.5);
    assert_eq!(registry.health().dropped_exemplars, 2);
}

#[test]
fn his_09_a_source_may_look_up_record_and_remove_and_is_not_asked_for_that() {
    static FAMILY: OnceLock<Family<Histogram>> = OnceLock::new();
    static DEPTH: AtomicU32 = AtomicU32::new(0);
    let source = By(|op: &mut Op<'_>| {
        let depth = DEPTH.fetch_add(1, Ordering::Relaxed);
        let family = FAMILY.get().expect("declared");
        for path in ["/asked", "/b"] {
            family.observe((path,), 0.5).unwrap();
            family.with_labels((path,)).unwrap().observe(5.0);
        }
        family.remove(("/gone",)).unwrap();
        op(&[("depth", &depth.to_string())]);
    });
    let registry = Registry::new();
    let family = registry.histogram("latency").labels(["path"]).buckets([1.0]).exemplars(source).declare().unwrap();
    let family = FAMILY.get_or_init(|| family);
    family.observe(("/gone",), 0.5).unwrap();
    assert!(family.find(("/gone",)).unwrap().is_none(), "its own first record had it removed");
    family.with_labels(("/asked",)).unwrap().observe(0.75);
    assert_eq!(DEPTH.load(Ordering::Relaxed), 2, "what the source records asks nobody");
    let asked = family.with_labels(("/asked",)).unwrap();
    assert_eq!((asked.count(), asked.exemplar(0).unwrap().value(), asked.exemplar(1)), (5, 0.75, None));
    assert_eq!(family.with_labels(("/b",)).unwrap().exemplar(0), None);
}

#[test]
fn his_09_labels_that_are_given_go_before_and_what_is_refused_asks_nobody() {
    let registry = Registry::new();
    let requests = registry.counter("requests").exemplars(CurrentTrace).single().unwrap();
    let busy = registry.float_counter("busy").exemplars(CurrentTrace).single().unwrap();
    let latency = registry.histogram("latency").buckets([1.0]).exemplars(CurrentTrace).single().unwrap();
    let spent = registry.float_counter("spent").labels(["path"]).exemplars(CurrentTrace).declare().unwrap();
    enter("current");
    ASKED.set(0);
    requests.add_with_exemplar(1, [("trace_id", "given")]);
    busy.try_add_with_exemplar(1.0, [("trace_id", "given")]).unwrap();
    latency.observe_with_exemplar(0.5, [("trace_id", "given")]);
    requests.inc();
    busy.add(1.0);
    latency.observe(0.25);
    latency.observe(f64::NAN);
    latency.observe(-1.0);
    busy.add(-1.0);
    spent.add(("/a",), f64::INFINITY).unwrap();
    assert_eq!(ASKED.get(), 0);
    for exemplar in [requests.exemplar(), busy.exemplar(), latency.exemplar(0)] {
        assert_eq!(exemplar.unwrap().label_text(), r#"trace_id="given""#);
    }
    let health = registry.health();
    assert_eq!((health.rejected_not_a_number, health.rejected_infinite, health.rejected_negative), (1, 1, 2));
}

#[test]
fn his_09_a_new_series_and_one_that_was_reset_are_due() {
    let registry = Registry::new();
    let family: Family<Counter> =
        registry.counter("requests").labels(["path"]).exemplars(CurrentTrace).declare().unwrap();
    enter("a");
    let requests = family.with_labels(("/a",)).unwrap();
    requests.inc();
    requests.reset();
    assert_eq!(requests.exemplar(), None);
    requests.inc();
    assert!(requests.exemplar().is_some(), "it was forgotten, and so is due");
    drop(requests);
    // Of many series that are used to the last, slots become those of others.
    let make = || (0..2000).map(|path| family.with_labels((path,)).unwrap()).collect::<Vec<_>>();
    let old = make();
    family.remove_all();
    old.iter().for_each(Counter::inc);
    drop(old);
    assert_eq!(family.metrics().count(), 0, "the list of series holds none of them either");
    for requests in make() {
        requests.inc();
        assert!(requests.exemplar().is_some(), "{requests:?} is new");
    }
    let gone = family.with_labels(("/a",)).unwrap();
    family.remove(("/a",)).unwrap();
    gone.inc();
    assert_eq!(gone.exemplar(), None, "nobody sees the series");
}

#[test]
fn his_09_the_first_declaration_of_a_source_stands_and_a_disabled_manager_asks_nobody() {
    let registry = Registry::new();
    let first = registry.counter("requests").exemplars(CurrentTrace).single().unwrap();
    let second = registry.counter("requests").exemplars([("trace_id", "second")]).single().unwrap();
    let third = registry.counter("requests").single().unwrap();
    enter("first");
    second.inc();
    assert_eq!(third.exemplar().unwrap().label_text(), r#"trace_id="first""#);
    assert_eq!((first.value(), registry.health().declaration_conflicts), (1, 0));

    let manager = Manager::new_disabled();
    let latency = manager.histogram("latency").buckets([1.0]).exemplars(CurrentTrace).single().unwrap();
    let requests = manager.counter("requests").labels(["path"]).exemplars(CurrentTrace).declare().unwrap();
    ASKED.set(0);
    latency.observe(0.5);
    requests.inc(("/a",)).unwrap();
    requests.with_labels(("/a",)).unwrap().inc();
    assert_eq!((ASKED.get(), latency.exemplar(0)), (0, None));
}

#[test]
fn his_09_a_native_histogram_has_one_for_each_power_of_two() {
    let registry = Registry::new();
    let declared = registry.histogram("size").native(NativeOptions::new()).exemplars(CurrentTrace);
    let size = declared.single().unwrap();
    enter("a");
    // The second is in the same power of two as the first.
    [3.0, 3.5, 5.0].into_iter().for_each(|value| size.observe(value));
    assert_eq!(size.count(), 3);
    let families = collect(&registry).families;
    let mut values: Vec<f64> = shown(&families[0]).into_iter().map(|(_, value, _)| value).collect();
    values.sort_by(f64::total_cmp);
    assert_eq!(values, [3.0, 5.0]);
    let (page, _) = pages::page(Format::OpenMetrics, families);
    assert!(page.contains("size_bucket{le=\"+Inf\"} 3 # {trace_id=\"a\"} "), "text shows the latest: {page}");
}

#[test]
fn his_09_threads_get_exemplars_of_what_they_work_for() {
    let registry = Arc::new(Registry::new());
    let family = registry.histogram("latency").labels(["path"]).buckets([10.0, 20.0]).exemplars(CurrentTrace);
    let family = family.declare().unwrap();
    let handle = family.with_labels(("held",)).unwrap();
    let turns = if cfg!(miri) { 20 } else { 5_000 };
    let (running, mut checked) = (AtomicU32::new(4), 0);
    thread::scope(|scope| {
        for worker in 0..4u32 {
            let (family, handle, running) = (&family, &handle, &running);
            scope.spawn(move || {
                for turn in 0..turns {
                    let value = f64::from((turn + worker) % 30);
                    // So that half-mixed labels and values would be told.
                    enter(&value.to_string());
                    handle.observe(value);
                    family.observe((worker,), value).unwrap();
                }
                running.fetch_sub(1, Ordering::Relaxed);
            });
        }
        let collector = Collector::new(&registry);
        loop {
            let last = running.load(Ordering::Relaxed) == 0;
            for at in collector.collect().families[0].exemplars() {
                let (_, trace) = at.exemplar.labels().next().unwrap();
                assert_eq!(trace.parse(), Ok(at.exemplar.value()), "the labels of another one");
                checked += 1;
            }
            if last {
                break;
            }
        }
    });
    assert!(checked > 0);
    let counted: u64 = family.metrics().map(|(_, histogram)| histogram.count()).sum();
    assert_eq!(counted, u64::from(2 * 4 * turns));
}
