//! HIS-08 of docs/behaviour.md: exemplars on counters and histogram buckets.

#[path = "common/pages.rs"]
mod pages;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use manometer::{
    Collector, Registry, ValueError, collect,
    encode::Format,
    model::{Exemplar, ExemplarAt, MetricSet, ShapeError, Timestamp},
};
use pages::page;

const TRACE: [(&str, &str); 1] = [("trace_id", "4bf92f35")];

fn open_metrics(registry: &Registry) -> String {
    page(Format::OpenMetrics, collect(registry).families).0
}

/// The line that begins so, with the exemplar's time, which nobody knows before, left out.
fn line(page: &str, start: &str) -> String {
    let line = page.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start} in\n{page}"));
    match line.split_once(" # ") {
        Some((sample, exemplar)) => format!("{sample} # {}", exemplar.rsplit_once(' ').expect("a time").0),
        None => line.to_owned(),
    }
}

#[test]
fn his_08_the_last_exemplar_of_each_bucket_is_shown() {
    let registry = Registry::new();
    let latency = registry.histogram("latency").buckets([0.1, 1.0]).labels(["path"]).declare().unwrap();
    let of_a = latency.with_labels(("/a",)).unwrap();
    of_a.observe_with_exemplar(0.05, [("trace_id", "first")]);
    of_a.observe_with_exemplar(0.1, [("trace_id", "second"), ("span", "q\"x")]);
    of_a.observe(0.07);
    of_a.observe_with_exemplar(7.0, []);
    latency.observe(("/b",), 0.5).unwrap();
    let requests = registry.counter("requests").single().unwrap();
    requests.add_with_exemplar(3, TRACE);
    let busy = registry.float_counter("busy").single().unwrap();
    busy.add_with_exemplar(0.25, TRACE);
    let page = open_metrics(&registry);
    let bucket = |path: &str, le: &str| line(&page, &format!("latency_bucket{{path=\"{path}\",le=\"{le}\"}}"));
    assert_eq!(bucket("/a", "0.1"), r#"latency_bucket{path="/a",le="0.1"} 3 # {trace_id="second",span="q\"x"} 0.1"#);
    assert_eq!(bucket("/a", "1.0"), r#"latency_bucket{path="/a",le="1.0"} 3"#);
    assert_eq!(bucket("/a", "+Inf"), r#"latency_bucket{path="/a",le="+Inf"} 4 # {} 7"#);
    assert_eq!(bucket("/b", "1.0"), r#"latency_bucket{path="/b",le="1.0"} 1"#);
    assert_eq!(line(&page, "requests_total"), r#"requests_total 3 # {trace_id="4bf92f35"} 3"#);
    assert_eq!(line(&page, "busy_total"), r#"busy_total 0.25 # {trace_id="4bf92f35"} 0.25"#);
    assert_eq!(page.matches(" # ").count(), 4, "nowhere else:\n{page}");
    for format in [Format::Text, Format::Prosody] {
        assert!(!pages::page(format, collect(&registry).families).0.contains(" # "), "{format:?} has none");
    }
}

#[test]
fn his_08_the_time_is_that_of_the_observation() {
    let registry = Registry::new();
    let requests = registry.counter("requests").single().unwrap();
    let millis = || std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64;
    let before = millis();
    requests.add_with_exemplar(1, TRACE);
    let at = requests.exemplar().unwrap().timestamp().millis();
    assert!((before..=millis()).contains(&at));
    let seconds = at as f64 / 1000.0;
    let text = open_metrics(&registry);
    let shown = text.lines().find_map(|line| line.split_once("} 1 ")).expect("its line").1;
    assert_eq!(shown.parse(), Ok(seconds));
}

#[test]
fn his_08_an_exemplar_that_breaks_a_rule_is_dropped_and_its_value_counts() {
    let registry = Registry::new();
    let latency = registry.histogram("latency").buckets([1.0]).single().unwrap();
    let requests = registry.counter("requests").single().unwrap();
    // 8 + 120 are 128 code points of more bytes.
    let (fits, too_long) = ("é".repeat(120), "é".repeat(121));
    latency.observe_with_exemplar(0.5, [("trace_id", fits.as_str())]);
    latency.observe_with_exemplar(0.6, [("trace_id", too_long.as_str())]);
    requests.add_with_exemplar(1, [("trace-id", "x")]);
    requests.add_with_exemplar(1, [("a", "x"), ("a", "y")]);
    assert_eq!((latency.count(), requests.value()), (2, 2));
    assert_eq!(latency.exemplar(0).unwrap().value(), 0.5, "the one before stays");
    assert_eq!((requests.exemplar(), registry.health().dropped_exemplars), (None, 3));

    let refused = latency.try_observe_with_exemplar(0.5, [("trace_id", too_long.as_str())]);
    assert_eq!(refused, Err(ValueError::ExemplarTooLong { code_points: 129 }));
    let refused = requests.try_add_with_exemplar(1, [("ok", ""), ("", "x")]);
    assert_eq!(refused, Err(ValueError::InvalidExemplarLabel { at: 1 }));
    assert_eq!((latency.count(), requests.value()), (2, 2), "`try_` records nothing then");
    assert_eq!(registry.health().dropped_exemplars, 3, "and counts nothing");
    assert_eq!(latency.try_observe_with_exemplar(2.0, TRACE), Ok(()));
    assert_eq!(latency.exemplar(1).unwrap().value(), 2.0);
    assert_eq!(latency.exemplar(9), None, "no such bucket");
}

#[test]
fn his_08_a_value_that_is_refused_leaves_no_exemplar() {
    let registry = Registry::new();
    let latency = registry.histogram("latency").buckets([1.0]).single().unwrap();
    let busy = registry.float_counter("busy").single().unwrap();
    latency.observe_with_exemplar(f64::NAN, TRACE);
    busy.add_with_exemplar(-1.0, TRACE);
    assert_eq!(latency.try_observe_with_exemplar(-1.0, TRACE), Err(ValueError::Negative));
    let health = registry.health();
    assert_eq!((health.rejected_not_a_number, health.rejected_negative, health.dropped_exemplars), (1, 1, 0));
    assert_eq!((latency.exemplar(0), busy.exemplar()), (None, None));
}

#[test]
fn his_08_a_reset_and_a_removal_forget() {
    let registry = Registry::new();
    let family = registry.counter("requests").labels(["path"]).declare().unwrap();
    let requests = family.with_labels(("/a",)).unwrap();
    requests.add_with_exemplar(1, TRACE);
    assert_eq!(family.collect().metrics().next().unwrap().exemplars().count(), 1);
    requests.reset();
    assert_eq!(requests.exemplar(), None);
    requests.add_with_exemplar(2, TRACE);
    family.remove(("/a",)).unwrap();
    requests.add_with_exemplar(5, TRACE);
    assert_eq!(requests.exemplar(), None, "nobody sees the series");
    let again = family.with_labels(("/a",)).unwrap();
    again.inc();
    assert!(!open_metrics(&registry).contains(" # "), "the new series has none");
    again.add_with_exemplar(1, TRACE);
    requests.reset();
    assert_eq!(requests.exemplar(), None, "that is the new one's");
    assert!(again.exemplar().is_some(), "and the old one's handle cannot take it");
}

#[test]
fn his_08_a_scrape_never_sees_half_of_one() {
    let registry = Registry::new();
    let latency = registry.histogram("latency").buckets([10.0, 20.0]).labels(["thread"]).declare().unwrap();
    let collector = Collector::new(&registry);
    let done = Arc::new(AtomicBool::new(false));
    thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|thread| {
                let latency = &latency;
                scope.spawn(move || {
                    for turn in 0..4_000u32 {
                        // All threads write to one series, and each to one of its own.
                        let value = f64::from(turn % 30) + f64::from(thread) / 8.0;
                        let text = value.to_string();
                        for series in ["all", &thread.to_string()] {
                            let handle = latency.with_labels((series,)).unwrap();
                            handle.observe_with_exemplar(value, [("value", text.as_str())]);
                        }
                    }
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            let mut seen = 0;
            while !done.load(Ordering::Relaxed) {
                for metric in collector.collect().families[0].metrics() {
                    for (bucket, exemplar) in metric.exemplars() {
                        seen += 1;
                        let (_, text) = exemplar.labels().next().unwrap();
                        assert_eq!(text.parse(), Ok(exemplar.value()), "labels of another one");
                        let expected = [10.0, 20.0].iter().filter(|bound| exemplar.value() > **bound).count();
                        assert_eq!(bucket, expected, "in another bucket");
                    }
                }
            }
            seen
        });
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
    let set = collector.collect();
    assert_eq!(set.families[0].exemplars().len(), 4 * 3, "each bucket of each series has its last one");
    assert_eq!(set.families[0].len(), 4);
}

#[test]
fn his_08_sets_made_by_hand_have_them_too() {
    let exemplar = Arc::new(Exemplar::new(&TRACE, 2.0, Timestamp::from_millis(1_500)).unwrap());
    let at = |row, bucket| ExemplarAt { row, bucket, exemplar: exemplar.clone() };
    let registry = Registry::new();
    registry.counter("requests").single().unwrap();
    registry.gauge("load").single().unwrap();
    let [load, requests] = <[_; 2]>::try_from(collect(&registry).families).unwrap();
    let refused = requests.clone().with_exemplars(vec![at(0, 1)]).unwrap_err();
    assert_eq!(refused, ShapeError::Exemplar { family: "requests".into(), row: 0, bucket: 1 });
    assert!(load.with_exemplars(vec![at(0, 0)]).is_err(), "a gauge has none");
    let set = MetricSet { families: vec![requests.with_exemplars(vec![at(0, 0)]).unwrap()] };
    let (text, _) = page(Format::OpenMetrics, set.families);
    assert!(text.contains("requests_total 0 # {trace_id=\"4bf92f35\"} 2 1.500\n"), "{text}");
}
