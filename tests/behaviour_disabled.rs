//! MGR-12 of docs/behaviour.md: a disabled manager checks everything and does nothing.

mod common;

use std::thread;

use common::managers::{disabled, manual};
use manometer::{DeclareError, Manager, MetricType, Source};

#[test]
fn mgr_12_recording_goes_nowhere_and_reading_gives_nothing() {
    let manager = disabled();
    let counter = manager.counter("c").single().unwrap();
    counter.inc();
    counter.add(5);
    counter.set(9);
    let float = manager.float_counter("f").single().unwrap();
    float.add(0.5);
    float.set(3.0);
    let gauge = manager.gauge("g").single().unwrap();
    gauge.set(7.0);
    gauge.add(1.0);
    let level = manager.up_down_gauge("l").single().unwrap();
    level.inc();
    let histogram = manager.histogram("h").buckets([1.0, 2.0]).single().unwrap();
    histogram.observe(1.5);
    histogram.observe(f64::NAN);
    histogram.try_observe(1.5).unwrap();
    let summary = manager.summary("s").single().unwrap();
    summary.observe(4.0);
    assert_eq!((counter.value(), float.value(), gauge.value(), level.value()), (0, 0.0, 0.0, 0));
    assert_eq!((histogram.count(), histogram.sum(), summary.count(), summary.sum()), (0, 0.0, 0, 0.0));
    assert_eq!((counter.reset(), gauge.reset(), histogram.reset().count()), (0, 0.0, 0));
    assert!(!counter.is_live() && counter.created().millis() == 0);
    manometer::timed(&summary).stop();
    assert_eq!(summary.count(), 0);

    let family = manager.counter("labelled").labels(["k"]).declare().unwrap();
    family.inc(["a"]).unwrap();
    family.with_labels(["b"]).unwrap().inc();
    let tallied = manager.gauge("tallied").labels(["k"]).declare().unwrap();
    tallied.accumulate(|tally| tally.add(["a"], 1.0)).unwrap();
    assert!(family.metrics().next().is_none() && tallied.metrics().next().is_none(), "no series is kept");
    assert_eq!((family.sum(), family.series_count(), family.collect().len()), (0, 0, 0));
    assert!(family.find(["a"]).unwrap().is_none() && family.remove(["a"]).unwrap().is_none());
    assert!(family.clear().is_empty() && family.remove_all().is_empty());

    assert!(manager.registry().is_none() && !manager.is_enabled());
    assert!(!Source::is_enabled(&manager) && manager.scrape().families.is_empty());
    manager.cork();
    manager.uncork();
    drop(manager.corked());
}

#[test]
fn mgr_12_declarations_and_labels_are_checked_as_when_enabled() {
    let outcomes = |manager: &Manager| {
        manager.counter("c").labels(["a", "b"]).declare().unwrap();
        manager.histogram("h").buckets([1.0]).declare().unwrap();
        let family = manager.counter("c").labels(["a", "b"]).declare().unwrap();
        let declared = [
            manager.counter("").declare().map(drop),
            manager.gauge("a\nb").declare().map(drop),
            manager.gauge("g").unit("m/s").declare().map(drop),
            manager.gauge("g").labels(["k", "k"]).declare().map(drop),
            manager.histogram("n").declare().map(drop),
            manager.histogram("n").buckets([2.0, 1.0]).declare().map(drop),
            manager.gauge("c").declare().map(drop),
            manager.counter("c").labels(["b", "a"]).declare().map(drop),
            manager.gauge("c_total").declare().map(drop),
            manager.gauge("h_count").declare().map(drop),
            manager.counter("c").labels(["a", "b"]).single().map(drop),
            manager.measure("").rate().declare().map(drop),
            manager.scope("").open().map(drop),
        ];
        let looked_up = [
            family.inc(["a"]),
            family.with_labels(["a", "b", "c"]).map(drop),
            family.with_partial_label("a").and_then(|view| view.inc(["b", "c"])),
            family
                .with_partial_label("a")
                .and_then(|view| view.with_partial_label("b"))
                .and_then(|view| view.with_partial_label("c"))
                .map(drop),
            family.inc(("a", 5)),
        ];
        (declared, looked_up)
    };
    let (declared, looked_up) = outcomes(&disabled());
    assert!(declared.iter().all(Result::is_err), "{declared:?}");
    assert_eq!(looked_up.map(|outcome| outcome.is_ok()), [false, false, false, false, true]);
    assert_eq!(outcomes(&disabled()), outcomes(&manual()));
}

#[test]
fn mgr_12_nothing_runs_and_strictness_holds() {
    let manager = disabled();
    let registration = manager.on_update("never", 0, |_| panic_if_called());
    manager.on_openmetrics_updated("never", 0, |_| panic_if_called());
    let rate = manager.gauge("rate").single().unwrap();
    manager.publish_rate("rate", std::time::Duration::from_millis(1), &rate, || unreachable!("not read")).unwrap();
    manager.start().unwrap();
    thread::sleep(std::time::Duration::from_millis(10));
    assert!(manager.handlers().is_empty());
    registration.unregister();
    manager.stop();
    let strict = Manager::builder()
        .registry_options(manometer::RegistryOptions::new().strict_declarations(true))
        .build()
        .unwrap();
    strict.counter("c").help("One").declare().unwrap();
    let refused = strict.counter("c").help("Another").declare().unwrap_err();
    assert!(matches!(refused, DeclareError::Conflict { field: "description", .. }));
    let family = strict.counter("c").help("One").declare().unwrap();
    assert_eq!(family.metadata().kind(), MetricType::Counter);
}

fn panic_if_called() {
    panic!("a disabled manager calls nobody");
}
