//! Labels and views (section 4 of `docs/behaviour.md`).

mod common;

use std::{borrow::Cow, sync::Arc};

use common::{each_engine, family, listed, page, registry, rows, samples};
use manometer::{Counter, Family, LabelError, MetricPoint, Registry, View, collect, encode::Format};

fn requests(registry: &Registry, keys: &[&str]) -> Family<Counter> {
    registry.counter("requests").labels(keys.iter().copied()).declare().expect("good keys")
}

fn arity(expected: usize, given: usize) -> LabelError {
    LabelError::Arity { family: "requests".into(), expected, given }
}

#[test]
fn lab_01_gen_05_the_same_values_are_the_same_series() {
    each_engine(|engine| {
        let registry = registry();
        let family = requests(&registry, &["method", "status"]);
        let held = family.with_labels(("GET", 200)).unwrap();
        let clone = held.clone();
        engine.spread(common::ROUNDS, |round| match round % 4 {
            0 => held.inc(),
            1 => family.with_labels(["GET", "200"]).unwrap().inc(),
            2 => family.inc(("GET", "200")).unwrap(),
            _ => clone.inc(),
        });
        assert_eq!(held.value(), common::ROUNDS as u64, "{engine:?}");
        assert_eq!((family.series_count(), family.sum()), (1, common::ROUNDS as u64));
        assert_eq!(held.label_values().collect::<Vec<_>>(), ["GET", "200"]);
    });
}

#[test]
fn lab_01_another_number_of_values_creates_nothing() {
    let registry = registry();
    let family = requests(&registry, &["a", "b"]);
    assert_eq!(family.with_labels(()).unwrap_err(), arity(2, 0));
    assert_eq!(family.with_labels(("x",)).unwrap_err(), arity(2, 1));
    assert_eq!(family.inc(("x", "y", "z")), Err(arity(2, 3)));
    assert_eq!(family.add((), 3), Err(arity(2, 0)));
    assert_eq!(family.find(("x",)).unwrap_err(), arity(2, 1));
    assert_eq!(family.remove(("x",)).unwrap_err(), arity(2, 1));
    assert_eq!((family.series_count(), samples(&registry).len()), (0, 0));
}

#[test]
fn lab_01_every_type_checks_its_values() {
    let registry = registry();
    let arity = |family: &str| Err(LabelError::Arity { family: family.into(), expected: 1, given: 0 });
    assert_eq!(registry.float_counter("f").labels(["k"]).declare().unwrap().add((), 1.0), arity("f"));
    let gauge = registry.gauge("g").labels(["k"]).declare().unwrap();
    assert_eq!((gauge.set((), 1.0), gauge.add((), 1.0)), (arity("g"), arity("g")));
    assert_eq!(registry.up_down_gauge("l").labels(["k"]).declare().unwrap().add((), 1), arity("l"));
    assert_eq!(registry.summary("s").labels(["k"]).declare().unwrap().observe((), 1.0), arity("s"));
    let histogram = registry.histogram("h").buckets([]).labels(["k"]).declare().unwrap();
    assert_eq!(histogram.observe((), 1.0), arity("h"));
    assert!(samples(&registry).is_empty());
}

#[test]
fn lab_02_an_unlabelled_family_takes_no_values() {
    let registry = registry();
    let family = requests(&registry, &[]);
    family.with_labels(()).unwrap().add(2);
    family.inc(()).unwrap();
    let none: &[&str] = &[];
    family.inc(none).unwrap();
    assert_eq!(family.with_labels([]).unwrap().value(), 4);
    assert_eq!(family.with_labels(("x",)).unwrap_err(), arity(0, 1));
    assert_eq!(family.with_partial_label("x").unwrap_err(), arity(0, 1));
}

#[test]
fn lab_03_a_partial_label_fixes_the_first_free_key() {
    let registry = registry();
    let family = requests(&registry, &["host", "status"]);
    let host = family.with_partial_label("a").unwrap();
    assert_eq!(host.fixed_values().collect::<Vec<_>>(), ["a"]);
    host.inc((200,)).unwrap();
    assert_eq!(samples(&registry), [r#"requests_total{host="a",status="200"} 1"#]);
    let both = host.with_partial_label(200).unwrap();
    both.inc(()).unwrap();
    assert_eq!(both.sum(), 2);
    assert_eq!(both.with_partial_label("x").unwrap_err(), arity(0, 1));
    assert_eq!(host.inc(()).unwrap_err(), arity(1, 0));
}

#[test]
fn lab_04_s_01_views_chain_to_any_depth() {
    for depth in [2, 3, 5] {
        let registry = registry();
        let keys = ["a", "b", "c", "d", "e"];
        let values = ["A", "B", "C", "D", "E"];
        let family = requests(&registry, &keys[..depth]);
        family.inc(&values[..depth]).unwrap();
        let mut view: View<Counter> = View::clone(&family);
        for fixed in 0..depth {
            assert_eq!(view.with_labels(&values[fixed..depth]).unwrap().value(), 1 + fixed as u64);
            view.inc(&values[fixed..depth]).unwrap();
            let too_many = [&values[fixed..depth], &["x"]].concat();
            assert_eq!(view.inc(too_many.as_slice()), Err(arity(depth - fixed, depth - fixed + 1)));
            view = view.with_partial_label(values[fixed]).unwrap();
        }
        view.inc(()).unwrap();
        assert_eq!(view.with_labels(()).unwrap().value(), 2 + depth as u64);
        assert_eq!(view.inc(("x",)), Err(arity(0, 1)));
        assert_eq!((family.series_count(), samples(&registry).len()), (1, 1));
    }
}

#[test]
fn lab_05_a_view_touches_nothing_outside_its_prefix() {
    let registry = registry();
    let family = requests(&registry, &["host", "method"]);
    for (host, method, count) in [("a", "GET", 1), ("a", "PUT", 2), ("b", "GET", 4), ("", "GET", 8), ("aa", "GET", 16)]
    {
        family.add((host, method), count).unwrap();
    }
    let host = family.with_partial_label("a").unwrap();
    assert_eq!(host.sum(), 3);
    let labels: Vec<_> =
        host.metrics().map(|(labels, counter)| (labels.get("method").unwrap().to_owned(), counter.value())).collect();
    assert_eq!(labels, [("GET".to_owned(), 1), ("PUT".to_owned(), 2)]);
    assert_eq!(rows(&host.collect()), [["a", "GET"], ["a", "PUT"]]);
    assert_eq!(host.find(("GET",)).unwrap().unwrap().value(), 1);
    assert!(host.find(("DELETE",)).unwrap().is_none());
    assert_eq!(host.metadata().name().raw(), "requests");

    let cleared = host.clear();
    assert_eq!(rows(&cleared), [["a", "GET"], ["a", "PUT"]]);
    assert_eq!((host.sum(), family.sum()), (0, 28));
    assert!(host.remove(("PUT",)).unwrap().is_some());
    assert!(host.remove(("PUT",)).unwrap().is_none());
    host.inc(("NEW",)).unwrap();
    let removed = host.remove_all();
    assert_eq!(rows(&removed), [["a", "GET"], ["a", "NEW"]]);
    assert_eq!(listed(&family), [["", "GET"], ["aa", "GET"], ["b", "GET"]]);
    assert_eq!((host.metrics().count(), host.remove_all().len(), family.series_count()), (0, 0, 3));
}

#[test]
fn lab_07_numbers_and_booleans_are_converted_at_the_call() {
    let registry = registry();
    let family = requests(&registry, &["k"]);
    family.inc((5,)).unwrap();
    family.inc((5u8,)).unwrap();
    family.inc((5i128,)).unwrap();
    family.inc(("5",)).unwrap();
    family.inc((String::from("5"),)).unwrap();
    family.inc((&Cow::Borrowed("5"),)).unwrap();
    family.inc((Box::<str>::from("5"),)).unwrap();
    family.inc((Arc::<str>::from("5"),)).unwrap();
    family.inc([String::from("5")].as_slice()).unwrap();
    family.inc((5.0,)).unwrap();
    family.inc((5.0f32,)).unwrap();
    family.inc((0.1f32,)).unwrap();
    family.inc((0.1,)).unwrap();
    family.inc((1e300,)).unwrap();
    family.inc((f64::NAN,)).unwrap();
    family.inc((f32::INFINITY,)).unwrap();
    family.inc((f64::NEG_INFINITY,)).unwrap();
    family.inc((-0.0,)).unwrap();
    family.inc((0,)).unwrap();
    family.inc((true,)).unwrap();
    family.inc((false,)).unwrap();
    family.inc((i64::MIN,)).unwrap();
    family.inc((u128::MAX,)).unwrap();
    let expected = [
        ("+Inf", 1),
        ("-9223372036854775808", 1),
        ("-Inf", 1),
        ("0", 2),
        ("0.1", 2),
        ("1e+300", 1),
        ("340282366920938463463374607431768211455", 1),
        ("5", 11),
        ("NaN", 1),
        ("false", 1),
        ("true", 1),
    ];
    assert_eq!(samples(&registry), expected.map(|(value, total)| format!("requests_total{{k=\"{value}\"}} {total}")));
}

#[test]
fn lab_08_an_empty_value_is_a_value_but_not_on_a_page() {
    let registry = registry();
    let family = requests(&registry, &["a", "b"]);
    family.inc(("", "y")).unwrap();
    family.inc(("", "")).unwrap();
    family.inc(("x", "")).unwrap();
    assert_eq!(listed(&family), [["", ""], ["", "y"], ["x", ""]]);
    let lines = ["requests_total 1", r#"requests_total{b="y"} 1"#, r#"requests_total{a="x"} 1"#];
    assert_eq!(samples(&registry), lines);
    assert_eq!(family.with_labels(("", "")).unwrap().value(), 1, "found again");
}

#[test]
fn lab_09_s_02_values_are_escaped_once_and_found_by_what_they_are() {
    each_engine(|engine| {
        let registry = registry();
        let family = requests(&registry, &["k", "plain"]);
        let values = ["q\"x", "a\\b", "l\nf", "\r\t\0", "é🦀", "\\n", "\"", ""];
        engine.spread(values.len() * 10, |round| family.inc((values[round % values.len()], "p")).unwrap());
        for value in values {
            assert_eq!(family.find((value, "p")).unwrap().unwrap().value(), 10, "{value:?}");
        }
        let mut sorted = values.map(|value| vec![value.to_owned(), "p".to_owned()]);
        sorted.sort();
        assert_eq!(listed(&family), sorted);
        let page = page(&registry, Format::OpenMetrics);
        for text in
            [r#"k="q\"x""#, r#"k="a\\b""#, r#"k="l\nf""#, "k=\"\r\t\0\"", r#"k="é🦀""#, r#"k="\\n""#, r#"k="\"""#]
        {
            assert!(page.contains(&format!("requests_total{{{text},plain=\"p\"}} 10\n")), "{text} in {page}");
        }
    });
}

#[test]
fn lab_10_keys_come_in_declared_order() {
    let registry = registry();
    let histogram = registry.histogram("h").buckets([]).labels(["z", "a"]).declare().unwrap();
    histogram.observe(("1", "2"), 0.5).unwrap();
    let lines = [r#"h_bucket{z="1",a="2",le="+Inf"} 1"#, r#"h_sum{z="1",a="2"} 0.5"#, r#"h_count{z="1",a="2"} 1"#];
    assert_eq!(samples(&registry), lines);
}

#[test]
fn s_10_no_value_breaks_the_page() {
    let registry = registry();
    let requests = requests(&registry, &["k"]);
    let long = "x\"\n".repeat(22_000);
    let values = [long.as_str(), "\u{1}\u{7f}\u{85}\u{2028}", "# EOF", "} 1", "a=\"b\",", "\u{feff}"];
    for value in values {
        requests.inc((value,)).unwrap();
    }
    let set = collect(&registry);
    let read: Vec<_> = family(&set, "requests").metrics().map(|metric| metric.value("k").unwrap()).collect();
    let mut sorted = values;
    sorted.sort_unstable();
    assert_eq!(read, sorted);
    for line in samples(&registry) {
        assert!(line.starts_with("requests_total{k=\"") && line.ends_with("\"} 1"), "{line}");
        let text = &line["requests_total{k=\"".len()..line.len() - "\"} 1".len()];
        let bare = text.replace("\\\\", "").replace("\\\"", "");
        assert!(!bare.contains('"'), "a quote that ends the value in {line}");
    }
}

#[test]
fn lab_01_where_a_value_ends_makes_a_difference() {
    let registry = registry();
    let family = requests(&registry, &["a", "b"]);
    family.inc(("xy", "z")).unwrap();
    family.inc(("x", "yz")).unwrap();
    family.inc(("", "xyz")).unwrap();
    assert_eq!(family.series_count(), 3);
    for (_, counter) in family.metrics() {
        assert_eq!(counter.value(), 1);
    }
    let point = family.remove(("xy", "z")).unwrap().unwrap();
    assert!(matches!(point, MetricPoint::Counter(point) if point.total.as_f64() == 1.0));
    assert_eq!(listed(&family), [["", "xyz"], ["x", "yz"]]);
}
