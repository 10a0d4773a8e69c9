//! Declaring, replacing and removing families and series, and limits (sections 1 to 3 of `docs/behaviour.md`).

mod common;

use common::{each_engine, family, listed, next_millisecond, options, page, registry, rows, samples, together, value};
use manometer::{
    Counter, DeclareError, Gauge, Histogram, MetricType, Registry, collect, encode::Format, model::UnitRule,
};

fn conflict(name: &str, field: &'static str, standing: &str, given: &str) -> DeclareError {
    DeclareError::Conflict { name: name.into(), field, standing: standing.into(), given: given.into() }
}

fn clash(name: &str, other: &str, sample: &str) -> DeclareError {
    DeclareError::NameClash { name: name.into(), other: other.into(), sample: sample.into() }
}

#[test]
fn reg_01_unit_help_and_keys_may_be_left_out() {
    let registry = registry();
    registry.counter("c").declare().unwrap();
    registry.gauge("g").unit("bytes").help("Help").labels(["k"]).declare().unwrap();
    let metadata = registry.metadata("g_bytes").unwrap();
    assert_eq!((metadata.kind(), metadata.help(), metadata.name().unit()), (MetricType::Gauge, "Help", "bytes"));
    let metadata = registry.metadata("c").unwrap();
    assert_eq!((metadata.help(), metadata.name().unit(), metadata.label_keys().len()), ("", "", 0));
    assert_eq!("gauge".parse(), Ok(MetricType::Gauge));
    let unknown = DeclareError::UnknownType { given: "Gauge".into() };
    assert_eq!("Gauge".parse::<MetricType>(), Err(unknown));
}

#[test]
fn gen_01_a_refused_declaration_leaves_nothing() {
    let registry = registry();
    let refused = [
        registry.gauge("").declare().unwrap_err(),
        registry.counter("_total").declare().unwrap_err(),
        registry.gauge("a\nb").declare().unwrap_err(),
        registry.gauge("g").unit("m/s").declare().unwrap_err(),
        registry.gauge("g").labels(["k", "k"]).declare().unwrap_err(),
        registry.gauge("g").labels(["_k"]).declare().unwrap_err(),
        registry.summary("g").labels(["quantile"]).declare().unwrap_err(),
        registry.histogram("g").buckets([]).labels(["le"]).declare().unwrap_err(),
    ];
    let family = || "g".to_owned();
    let expected = [
        DeclareError::EmptyName,
        DeclareError::EmptyName,
        DeclareError::InvalidName { name: "a\nb".into(), at: 1 },
        DeclareError::InvalidUnit { unit: "m/s".into(), rule: UnitRule::Characters },
        DeclareError::DuplicateLabel { family: family(), label: "k".into() },
        DeclareError::InvalidLabel { family: family(), label: "_k".into() },
        DeclareError::ReservedLabel { family: family(), label: "quantile".into() },
        DeclareError::ReservedLabel { family: family(), label: "le".into() },
    ];
    assert_eq!(refused, expected);
    assert!(registry.families().is_empty() && collect(&registry).families.is_empty());
    let labelled = registry.gauge("g").unit("bytes").labels(["k", "l"]).single().unwrap_err();
    assert_eq!(labelled, DeclareError::Labelled { family: "g_bytes".into(), keys: 2 });
    assert!(registry.gauge("g").labels(["k"]).declare().is_ok(), "the name is free");
}

#[test]
fn gen_01_more_keys_than_a_tuple_holds_are_refused() {
    let registry = registry();
    let keys = |count: usize| (0..count).map(|key| format!("k{key}")).collect::<Vec<_>>();
    let wide = registry.counter("wide").labels(keys(255)).declare().unwrap();
    let values: Vec<String> = (0..255).map(|value| value.to_string()).collect();
    wide.inc(&values[..]).unwrap();
    assert_eq!(wide.with_labels(&values[..]).unwrap().label_values().collect::<Vec<_>>(), values);
    let error = registry.counter("widest").labels(keys(256)).declare().unwrap_err();
    assert_eq!(error, DeclareError::TooManyLabels { family: "widest".into(), given: 256 });
}

#[test]
fn reg_03_an_unlabelled_family_is_there_at_once() {
    let registry = registry();
    registry.counter("c").declare().unwrap();
    registry.float_counter("f").declare().unwrap();
    registry.gauge("g").declare().unwrap();
    registry.up_down_gauge("l").declare().unwrap();
    registry.summary("s").declare().unwrap();
    registry.histogram("h").buckets([1.0]).declare().unwrap();
    let lines = [
        "c_total 0",
        "f_total 0",
        "g 0",
        "h_bucket{le=\"1.0\"} 0",
        "h_bucket{le=\"+Inf\"} 0",
        "h_sum 0",
        "h_count 0",
        "l 0",
        "s_sum 0",
        "s_count 0",
    ];
    assert_eq!(samples(&registry), lines);
}

#[test]
fn reg_10_the_series_of_an_unlabelled_family_can_go_and_come_again() {
    let registry = registry();
    let family = registry.counter("c").declare().unwrap();
    family.inc(()).unwrap();
    assert_eq!(family.series_count(), 1);
    assert!(family.remove(()).unwrap().is_some());
    assert_eq!((family.series_count(), family.collect().len()), (0, 0));
    family.inc(()).unwrap();
    assert_eq!((family.series_count(), family.sum()), (1, 1));
}

#[test]
fn reg_04_a_labelled_family_has_no_series_until_the_first_lookup() {
    let registry = registry();
    let family = registry.counter("c").help("H").labels(["k"]).declare().unwrap();
    assert_eq!(page(&registry, Format::OpenMetrics), "# TYPE c counter\n# HELP c H\n# EOF\n");
    assert!(family.find(("x",)).unwrap().is_none());
    assert_eq!(family.series_count(), 0);
    family.with_labels(("x",)).unwrap();
    assert_eq!(samples(&registry), ["c_total{k=\"x\"} 0"]);
}

#[test]
fn reg_05_the_standing_family_is_returned() {
    each_engine(|engine| {
        let registry = registry();
        let declare = || registry.counter("c").labels(["a", "b"]).declare().unwrap();
        declare().add(("x", "y"), 2).unwrap();
        let created = declare().with_labels(("x", "y")).unwrap().created();
        engine.spread(100, |_| declare().inc(("x", "y")).unwrap());
        assert_eq!(registry.get::<Counter>("c").unwrap().sum(), 102, "{engine:?}");
        assert_eq!(declare().with_labels(("x", "y")).unwrap().created(), created, "S-12");
        assert_eq!(registry.health(), Default::default(), "no difference, no conflict");
        let single = || registry.gauge("g").single().unwrap();
        single().set(2.0);
        assert_eq!(single().value(), 2.0);
    });
}

#[test]
fn reg_06_s_14_the_first_declaration_stands_and_differences_are_counted() {
    let registry = registry();
    let declare = || registry.histogram("h_seconds").help("First").buckets([1.0]).declare();
    declare().unwrap().with_labels(()).unwrap().observe(0.5);
    let again = registry.histogram("h_seconds").help("First").buckets([2.0, 3.0]).declare().unwrap();
    assert_eq!(again.metadata().thresholds()[..], [1.0]);
    assert_eq!(registry.health().declaration_conflicts, 1);
    registry.histogram("h_seconds").help("Second").buckets([1.0]).declare().unwrap();
    registry.histogram("h").unit("seconds").help("First").buckets([1.0]).declare().unwrap();
    assert_eq!(registry.health().declaration_conflicts, 3);
    registry.histogram("h_seconds").help("First").buckets([1.0, f64::INFINITY]).declare().unwrap();
    assert_eq!(registry.health().declaration_conflicts, 3, "the same buckets in other words");
    let metadata = registry.metadata("h_seconds").unwrap();
    assert_eq!((metadata.help(), metadata.name().unit()), ("First", ""));
    assert_eq!(samples(&registry)[0], "h_seconds_bucket{le=\"1.0\"} 1", "values are kept");
}

#[test]
fn reg_06_s_14_a_strict_registry_refuses_differences() {
    let registry = options().strict_declarations(true).build();
    registry.histogram("h_seconds").help("First").buckets([1.0]).declare().unwrap();
    let declare = |help: &str, bound: f64| registry.histogram("h_seconds").help(help).buckets([bound]).declare();
    assert_eq!(declare("Second", 1.0).unwrap_err(), conflict("h_seconds", "description", "First", "Second"));
    assert_eq!(declare("First", 2.0).unwrap_err(), conflict("h_seconds", "buckets", "[1.0]", "[2.0]"));
    let unit = registry.histogram("h").unit("seconds").help("First").buckets([1.0]).declare().unwrap_err();
    assert_eq!(unit, conflict("h_seconds", "unit", "", "seconds"));
    declare("First", 1.0).unwrap();
    assert_eq!(registry.health().declaration_conflicts, 3);
}

#[test]
fn reg_07_s_13_another_type_or_other_keys_conflict() {
    let registry = registry();
    let old = registry.counter("c").labels(["a", "b"]).declare().unwrap();
    let handle = old.with_labels(("x", "y")).unwrap();
    let gauge = registry.gauge("c").labels(["a", "b"]).declare().unwrap_err();
    assert_eq!(gauge, conflict("c", "type", "counter of whole numbers", "gauge"));
    let keys = |keys: &[&str]| registry.counter("c").labels(keys.iter().copied()).declare().unwrap_err();
    assert_eq!(keys(&["b", "a"]), conflict("c", "labels", "a,b", "b,a"));
    assert_eq!(keys(&["a"]), conflict("c", "labels", "a,b", "a"));
    assert_eq!(registry.counter("c").single().unwrap_err(), conflict("c", "labels", "a,b", ""));
    handle.inc();
    old.inc(("x", "y")).unwrap();
    assert!(handle.is_live() && old.is_live());
    assert_eq!(samples(&registry), [r#"c_total{a="x",b="y"} 2"#]);
    assert!(registry.get::<Gauge>("c").is_none() && registry.get::<Counter>("c").is_some());
}

#[test]
fn reg_07_replace_swaps_and_hands_back() {
    let registry = registry();
    let old = registry.counter("x").labels(["k"]).declare().unwrap();
    let handle = old.with_labels(("v",)).unwrap();
    handle.add(3);
    let (gauge, taken) = registry.gauge("x").replace().unwrap();
    let taken = taken.unwrap();
    assert_eq!((rows(&taken), value(&taken.metrics().next().unwrap().point())), (vec![vec!["v".to_owned()]], 3.0));
    assert!(!handle.is_live() && !old.is_live() && gauge.is_live());
    handle.inc();
    old.inc(("v",)).unwrap();
    let late = old.with_labels(("w",)).unwrap();
    late.inc();
    assert!(!late.is_live(), "never an orphan that swallows updates unnoticed");
    assert_eq!((late.value(), handle.value()), (1, 4));
    gauge.set((), 7.0).unwrap();
    assert_eq!(samples(&registry), ["x 7"]);

    registry.gauge("y_total").declare().unwrap();
    assert_eq!(registry.counter("y").replace().unwrap_err(), clash("y", "y_total", "y_total"));
    assert!(registry.histogram("x").replace().is_err());
    assert_eq!(samples(&registry), ["x 7", "y_total 0"], "the old family stands");
    let (fresh, none) = registry.counter("z").replace().unwrap();
    assert!(none.is_none() && fresh.is_live());
}

#[test]
fn reg_08_families_are_listed_by_raw_name() {
    let registry = registry();
    for name in ["b", "a/c", "a.b", "a_", "Z"] {
        registry.gauge(name).declare().unwrap();
    }
    let names = |registry: &Registry| registry.families().iter().map(|m| m.name().raw().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&registry), ["Z", "a.b", "a/c", "a_", "b"]);
    assert!(registry.metadata("nobody").is_none() && registry.get::<Gauge>("nobody").is_none());
    assert!(registry.metadata("a_b").is_none(), "by raw name, not by the exposed one");
    let snapshot = registry.families();
    registry.remove("b");
    assert_eq!((snapshot.len(), names(&registry).len()), (5, 4));
}

#[test]
fn reg_09_metadata_tells_the_buckets() {
    let registry = registry();
    let family = registry.histogram("a/b").unit("bytes").help("H").buckets([1.0, 2.0]).labels(["k"]).declare().unwrap();
    let metadata = family.metadata();
    assert_eq!((metadata.name().raw(), metadata.name().exposed()), ("a/b_bytes", "a__b_bytes"));
    assert_eq!((metadata.thresholds()[..].to_vec(), metadata.quantiles().len()), (vec![1.0, 2.0], 0));
    let histogram = family.with_labels(("x",)).unwrap();
    assert_eq!((histogram.metadata().help(), histogram.thresholds()), ("H", &[1.0, 2.0][..]));
    assert_eq!(family.max_series(), manometer::DEFAULT_MAX_SERIES);
}

#[test]
fn reg_10_s_28_a_removed_series_is_gone_and_its_labels_make_a_new_one() {
    each_engine(|engine| {
        let registry = registry();
        let family = registry.counter("c").labels(["k"]).declare().unwrap();
        let old = family.with_labels(("x",)).unwrap();
        engine.spread(10, |_| old.inc());
        let created = old.created();
        next_millisecond();
        let point = family.remove(("x",)).unwrap().unwrap();
        assert_eq!(value(&point), 10.0, "{engine:?}");
        assert!(!old.is_live() && family.find(("x",)).unwrap().is_none());
        assert_eq!((samples(&registry).len(), family.series_count()), (0, 0));
        engine.spread(4, |_| old.inc());
        family.inc(("x",)).unwrap();
        let new = family.with_labels(("x",)).unwrap();
        assert!(new.is_live() && new.created() > created);
        assert_eq!((new.value(), old.value()), (1, 14), "the old handle counts unseen");
        assert!(family.remove(("y",)).unwrap().is_none());
    });
}

#[test]
fn reg_10_s_28_a_removed_family_hands_back_and_frees_its_names() {
    let registry = registry();
    let family = registry.histogram("h").buckets([1.0]).labels(["k"]).declare().unwrap();
    for key in ["b", "a"] {
        family.observe((key,), 0.5).unwrap();
    }
    let handle = family.with_labels(("a",)).unwrap();
    assert_eq!(registry.gauge("h_count").declare().unwrap_err(), clash("h_count", "h", "h_count"));
    let taken = registry.remove("h").unwrap();
    assert_eq!(rows(&taken), [["a"], ["b"]]);
    assert!(!family.is_live() && !handle.is_live());
    family.observe(("c",), 0.5).unwrap();
    handle.observe(0.5);
    assert!(registry.remove("h").is_none() && registry.families().is_empty());
    assert!(registry.get::<Histogram>("h").is_none());
    registry.gauge("h_count").declare().unwrap();
    assert_eq!(samples(&registry), ["h_count 0"]);
}

#[test]
fn reg_11_beyond_the_limit_is_the_overflow_series() {
    each_engine(|engine| {
        let registry = options().max_series(3).build();
        let family = registry.counter("c").labels(["a", "b"]).declare().unwrap();
        engine.spread(10, |round| family.inc((round, "x")).unwrap());
        assert_eq!((family.sum(), family.series_count(), family.max_series()), (10, 3, 3), "{engine:?}");
        assert_eq!(registry.health().series_overflow, 7);
        let overflow = family.find((":overflow", ":overflow")).unwrap().unwrap();
        assert_eq!(overflow.value(), 7);
        let held = family.with_labels(("beyond", "x")).unwrap();
        held.inc();
        assert_eq!((overflow.value(), held.label_values().next()), (8, Some(":overflow")));
        assert_eq!(samples(&registry).len(), 4);

        let first = listed(&family).into_iter().find(|row| row[0] != ":overflow").unwrap();
        family.remove(first.as_slice()).unwrap().unwrap();
        family.inc(("room", "x")).unwrap();
        assert_eq!(family.find(("room", "x")).unwrap().unwrap().value(), 1, "removing makes room");
        family.remove((":overflow", ":overflow")).unwrap().unwrap();
        assert_eq!(family.series_count(), 3);
        let own = registry.counter("own").labels(["k"]).max_series(0).declare().unwrap();
        own.inc(("x",)).unwrap();
        assert_eq!((listed(&own), own.series_count()), (vec![vec![":overflow".to_owned()]], 0));
        let unlabelled = registry.counter("unlabelled").max_series(0).single().unwrap();
        unlabelled.inc();
        assert!(unlabelled.is_live() && unlabelled.value() == 1);
    });
}

#[test]
fn reg_12_clear_resets_every_series_and_hands_back() {
    let registry = registry();
    let family = registry.counter("c").labels(["k"]).declare().unwrap();
    family.add(("a",), 1).unwrap();
    family.add(("b",), 2).unwrap();
    let held = family.with_labels(("b",)).unwrap();
    let created = held.created();
    next_millisecond();
    let taken = family.clear();
    let values: Vec<_> = taken.metrics().map(|metric| value(&metric.point())).collect();
    assert_eq!((rows(&taken), values), (vec![vec!["a".to_owned()], vec!["b".to_owned()]], vec![1.0, 2.0]));
    assert!(held.is_live() && held.created() > created);
    assert_eq!(samples(&registry), ["c_total{k=\"a\"} 0", "c_total{k=\"b\"} 0"]);
    held.inc();
    assert_eq!(family.sum(), 1);
}

#[test]
fn reg_13_one_declaration_from_many_threads_is_one_family() {
    for round in 0..common::ROUNDS / 20 {
        let registry = registry();
        together(common::WRITERS, |_| {
            let family = registry.counter("c").labels(["k"]).declare().unwrap();
            family.inc(("x",)).unwrap();
            let set = collect(&registry);
            let seen = set.family("c").unwrap_or_else(|| panic!("declared before it was collected, round {round}"));
            assert_eq!(seen.len(), 1);
        });
        assert_eq!(samples(&registry), [format!("c_total{{k=\"x\"}} {}", common::WRITERS)]);
    }
}

#[test]
fn nam_04_nam_10_one_composed_name_is_one_family() {
    let registry = registry();
    registry.counter("u").unit("bytes").declare().unwrap().inc(()).unwrap();
    registry.counter("u_bytes").unit("bytes").declare().unwrap().inc(()).unwrap();
    registry.counter("u_bytes_total").unit("bytes").declare().unwrap().inc(()).unwrap();
    assert_eq!(samples(&registry), ["u_bytes_total 3"]);
    assert_eq!(registry.health().declaration_conflicts, 0);
}

#[test]
fn nam_05_nam_09_s_20_names_that_would_meet_on_a_page_clash() {
    let pairs: [(&str, &str); 8] = [
        ("gauge col.lide", "gauge col_lide"),
        ("counter foo", "gauge foo_total"),
        ("counter foo", "gauge foo_created"),
        ("histogram h", "gauge h_count"),
        ("histogram h", "counter h_bucket"),
        ("summary s", "gauge s_sum"),
        ("histogram h", "summary h_sum"),
        ("gauge 9x", "gauge _9x"),
    ];
    let declare = |registry: &Registry, text: &str| {
        let (kind, name) = text.split_once(' ').unwrap();
        match kind {
            "gauge" => registry.gauge(name).declare().map(drop),
            "counter" => registry.counter(name).declare().map(drop),
            "summary" => registry.summary(name).declare().map(drop),
            _ => registry.histogram(name).buckets([]).declare().map(drop),
        }
    };
    for (first, second) in pairs.into_iter().flat_map(|(a, b)| [(a, b), (b, a)]) {
        let registry = registry();
        declare(&registry, first).unwrap();
        let before = samples(&registry);
        let error = declare(&registry, second).unwrap_err();
        let DeclareError::NameClash { name, other, sample } = error else { panic!("{first}, {second}: {error}") };
        assert_eq!((&*name, &*other), (second.split_once(' ').unwrap().1, first.split_once(' ').unwrap().1));
        assert!(!sample.is_empty());
        assert_eq!((samples(&registry), registry.families().len()), (before, 1));
    }
}

#[test]
fn gen_07_registries_share_nothing() {
    let (one, two) = (registry(), registry());
    let (first, second) = (one.counter("c").single().unwrap(), two.counter("c").single().unwrap());
    first.add(3);
    two.gauge("g").single().unwrap().add(f64::NAN);
    assert_eq!((first.value(), second.value()), (3, 0));
    assert_eq!((one.health().rejected_not_a_number, two.health().rejected_not_a_number), (0, 1));
    let clone = one.clone();
    clone.counter("d").declare().unwrap();
    assert_eq!((one.families().len(), two.families().len()), (2, 2), "a clone is the same registry");
    drop(one);
    drop(clone);
    first.inc();
    assert_eq!(first.value(), 4, "a handle outlives its registry");
    assert_eq!(family(&collect(&two), "c").len(), 1);
}
