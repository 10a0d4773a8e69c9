//! Iterating, reading directly, and pages of live registries (section 10 of `docs/behaviour.md`).

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use common::{each_engine, family, listed, page, registry, rows, samples, together};
use manometer::{
    Collector, MetricPoint, MetricSet, collect,
    encode::{Format, encode, samples as samples_of},
    model::Number,
};

#[test]
fn itr_01_metrics_are_sorted_by_label_values() {
    let registry = registry();
    let gauge = registry.gauge("g").labels(["a", "b"]).declare().unwrap();
    for (a, b) in [("b", "x"), ("a", "y"), ("a", "x"), ("", "z"), ("a\"", "x"), ("aa", "")] {
        gauge.set((a, b), 1.0).unwrap();
    }
    let sorted = [["", "z"], ["a", "x"], ["a", "y"], ["a\"", "x"], ["aa", ""], ["b", "x"]];
    assert_eq!(listed(&gauge), sorted);
    assert_eq!(rows(family(&collect(&registry), "g")), sorted);
    assert_eq!(rows(&gauge.collect()), sorted);
    let (labels, metric) = gauge.metrics().nth(1).unwrap();
    assert_eq!((labels.get("a"), labels.get("b"), labels.get("c")), (Some("a"), Some("x"), None));
    assert_eq!(metric.value(), 1.0);

    let single = registry.counter("c").declare().unwrap();
    let pairs: Vec<_> = single.metrics().map(|(labels, metric)| (labels.values().count(), metric.value())).collect();
    assert_eq!(pairs, [(0, 0)], "one pair with no values");
}

#[test]
fn itr_01_a_series_is_wholly_in_or_wholly_out() {
    let registry = registry();
    let counter = registry.counter("c").labels(["k", "n"]).declare().unwrap();
    let done = AtomicBool::new(false);
    together(3, |thread| {
        if thread < 2 {
            for round in 0..common::ROUNDS / 10 {
                counter.add((thread, round % 50), 1).unwrap();
                if round % 3 == 0 {
                    counter.remove((thread, (round + 25) % 50)).unwrap();
                }
            }
            return done.store(true, Ordering::Release);
        }
        while !done.load(Ordering::Acquire) {
            let listed: Vec<_> = counter
                .metrics()
                .map(|(labels, metric)| {
                    let values: Vec<_> = labels.values().map(str::to_owned).collect();
                    assert_eq!(metric.label_values().collect::<Vec<_>>(), values);
                    // No lock is held: a series may be made or removed while this goes on.
                    counter.with_labels(("own", "x")).unwrap().inc();
                    values
                })
                .collect();
            assert!(listed.is_sorted() && listed.iter().all(|values| values.len() == 2));
        }
    });
}

#[test]
fn itr_01_a_set_stays_as_it_is_while_series_are_removed() {
    each_engine(|engine| {
        let registry = registry();
        let counter = registry.counter("c").labels(["k"]).declare().unwrap();
        for key in 0..100 {
            counter.add((key,), key).unwrap();
        }
        let set = collect(&registry);
        let mut before = Vec::new();
        encode(&set, Format::OpenMetrics, &mut before);
        let lazily = counter.metrics();
        counter.remove_all();
        for key in 100..300 {
            counter.inc((key,)).unwrap();
        }
        engine.spread(100, |key| counter.inc((key,)).unwrap());
        let mut after = Vec::new();
        encode(&set, Format::OpenMetrics, &mut after);
        assert!(before == after, "{engine:?}");
        assert_eq!(lazily.filter(|(_, metric)| !metric.is_live()).count(), 100);
        assert_eq!(counter.sum(), 300);
    });
}

#[test]
fn itr_02_samples_of_live_metrics_come_in_order() {
    let registry = registry();
    registry.counter("c").single().unwrap().add(2);
    registry.up_down_gauge("g").single().unwrap().dec();
    registry.histogram("h").buckets([0.5, 1e6]).single().unwrap().observe(0.75);
    registry.summary("s").single().unwrap().observe(1.5);
    let set = collect(&registry);
    let triples: Vec<_> = set
        .families
        .iter()
        .flat_map(|family| samples_of(&family.metrics().next().unwrap()))
        .map(|sample| (sample.suffix, sample.extra.map(|(_, text)| text), sample.value))
        .filter(|(suffix, ..)| *suffix != "_created")
        .collect();
    let le = |text: &str| Some(text.to_owned());
    let expected = [
        ("_total", None, "2"),
        ("", None, "-1"),
        ("_bucket", le("0.5"), "0"),
        ("_bucket", le("1e+06"), "1"),
        ("_bucket", le("+Inf"), "1"),
        ("_sum", None, "0.75"),
        ("_count", None, "1"),
        ("_sum", None, "1.5"),
        ("_count", None, "1"),
    ];
    let expected = expected.map(|(suffix, extra, value)| (suffix, extra, value.to_owned()));
    assert_eq!(triples, expected);
}

#[test]
fn itr_03_every_metric_is_read_directly() {
    each_engine(|engine| {
        let registry = registry();
        let counter = registry.counter("c").labels(["k"]).declare().unwrap();
        let float = registry.float_counter("f").labels(["k"]).declare().unwrap();
        let gauge = registry.gauge("g").labels(["k"]).declare().unwrap();
        let level = registry.up_down_gauge("l").labels(["k"]).declare().unwrap();
        engine.spread(10, |round| {
            counter.add((round % 3,), 2).unwrap();
            float.add((round % 3,), 0.5).unwrap();
            gauge.add((round % 3,), -0.5).unwrap();
            level.add((round % 3,), -2).unwrap();
        });
        assert_eq!((counter.sum(), float.sum(), gauge.sum(), level.sum()), (20, 5.0, -5.0, -20), "{engine:?}");
        let set = collect(&registry);
        let first = |raw: &str| family(&set, raw).metrics().next().unwrap().point();
        let MetricPoint::Counter(point) = first("c") else { panic!("a counter's point") };
        let handle = counter.with_labels((0,)).unwrap();
        assert_eq!((point.total, point.created), (Number::Unsigned(8), Some(handle.created())));
        assert_eq!(first("l"), MetricPoint::Gauge(Number::Signed(-8)));
        assert_eq!(first("g"), MetricPoint::Gauge(Number::Float(-2.0)));
        let histogram = registry.histogram("h").buckets([1.0]).single().unwrap();
        histogram.observe(2.0);
        assert_eq!((histogram.count(), histogram.sum(), histogram.thresholds()), (1, 2.0, &[1.0][..]));
        let MetricPoint::Histogram(point) = family(&collect(&registry), "h").metrics().next().unwrap().point() else {
            panic!("a histogram's point")
        };
        assert_eq!(point, histogram.point());
    });
}

#[test]
fn itr_03_many_counters_are_read_as_one_by_one() {
    each_engine(|engine| {
        let registry = registry();
        let counter = registry.counter("c").labels(["k"]).declare().unwrap();
        let neighbour = registry.float_counter("f").labels(["k"]).declare().unwrap();
        // More than a chunk, in blocks of several sizes, with resets, removed series, and neighbours with other words.
        engine.spread(3000, |key| {
            counter.add((key % 1500,), key as u64).unwrap();
            neighbour.add((key % 40,), 0.5).unwrap();
        });
        for key in (0..1500).step_by(7) {
            counter.with_labels((key,)).unwrap().reset();
        }
        for key in (0..1500).step_by(11) {
            counter.remove((key,)).unwrap().unwrap();
        }
        counter.with_labels((1,)).unwrap().set(u64::MAX);
        counter.with_labels((2,)).unwrap().add(1 << 60);
        let set = collect(&registry);
        let collected = family(&set, "c");
        assert_eq!(collected.len(), counter.series_count());
        for (metric, (_, handle)) in collected.metrics().zip(counter.metrics()) {
            let key: u64 = metric.value("k").unwrap().parse().unwrap();
            let expected = match key {
                1 => u64::MAX,
                2 => (1 << 60) + 2 + 1502,
                reset if reset % 7 == 0 => 0,
                plain => 2 * plain + 1500,
            };
            assert_eq!((handle.value(), common::value(&metric.point())), (expected, expected as f64), "series {key}");
        }
    });
}

#[test]
fn itr_04_families_come_by_exposed_name() {
    let registry = registry();
    for name in ["b/z", "b_a", "Z", "a"] {
        registry.gauge(name).declare().unwrap();
    }
    assert_eq!(samples(&registry), ["Z 0", "a 0", "b__z 0", "b_a 0"]);
    let page = page(&registry, Format::OpenMetrics);
    assert!(page.starts_with("# TYPE Z gauge\nZ 0\n# TYPE a") && page.ends_with("b_a 0\n# EOF\n"));
}

#[test]
fn itr_04_a_collector_follows_the_registry() {
    let registry = registry();
    let counter = registry.counter("c").labels(["k"]).declare().unwrap();
    let collector = Collector::new(&registry);
    assert_eq!(collector.registry().families().len(), 1);
    let text = || {
        let mut page = Vec::new();
        encode(&collector.collect(), Format::Text, &mut page);
        String::from_utf8(page).unwrap()
    };
    assert_eq!(text(), "# TYPE c_total counter\n");
    counter.inc(("x",)).unwrap();
    let held = collector.collect();
    registry.gauge("a").declare().unwrap();
    registry.gauge("z").declare().unwrap();
    let expected = "# TYPE a gauge\na 0\n# TYPE c_total counter\nc_total{k=\"x\"} 1\n# TYPE z gauge\nz 0\n";
    assert_eq!((text().as_str(), held.families.len()), (expected, 1));
    registry.gauge("c").replace().unwrap();
    registry.remove("a").unwrap();
    assert_eq!(text(), "# TYPE c gauge\nc 0\n# TYPE z gauge\nz 0\n");
    registry.summary("s").declare().unwrap();
    let bare = Collector::new(&registry).with_created(false).collect();
    let mut page = Vec::new();
    encode(&bare, Format::OpenMetrics, &mut page);
    assert!(!String::from_utf8(page).unwrap().contains("_created"));
}

#[test]
fn itr_10_what_a_scraper_keeps_of_a_set_stops_nobody() {
    let registry = registry();
    let counter = registry.counter("c").single().unwrap();
    let collector = Collector::new(&registry);
    let weak = Arc::downgrade(&collector.collect());
    counter.inc();
    let held = collector.collect();
    assert!(weak.upgrade().is_none(), "a set that nobody holds makes room");
    counter.inc();
    let totals = |set: &MetricSet| common::value(&family(set, "c").metrics().next().unwrap().point());
    assert_eq!((totals(&held), totals(&collector.collect()), totals(&held)), (1.0, 2.0, 1.0));
}

#[test]
fn itr_10_gen_03_a_scrape_has_what_came_before_it() {
    let registry = registry();
    let counter = registry.counter("c").labels(["thread"]).declare().unwrap();
    let collector = Collector::new(&registry);
    together(common::WRITERS, |thread| {
        for round in 1..=common::ROUNDS / 10 {
            counter.inc((thread,)).unwrap();
            let set = collector.collect();
            let own = thread.to_string();
            let metric = family(&set, "c").metrics().find(|metric| metric.value("thread") == Some(&own));
            let value = metric.map(|metric| common::value(&metric.point()));
            assert_eq!(value, Some(round as f64), "only this thread adds to its series");
        }
    });
}
