//! Info, stateset, unknown and gauge histogram (REG-02 of `docs/behaviour.md`, and what other rows say of them).

mod common;

use std::thread;

use common::{ROUNDS, each_engine, page, registry, samples, together, while_running};
use manometer::{
    DeclareError, GaugeHistogram, Info, Manager, MetricPoint, MetricType, Registry, StateSet, Unknown, ValueError,
    collect,
    encode::Format,
    model::{BucketRule, StateRule, UnitRule},
};

/// A registry with one series of each of the four types.
fn every_type() -> Registry {
    let registry = registry();
    registry
        .info("build")
        .help("What \"runs\" here")
        .text([("version", "1.4.2"), ("commit", "c0\"ffee")])
        .expect("a good text");
    let phase = registry.state_set("phase").states(["starting", "a \"state\"", "x\\y"]).labels(["node"]);
    phase.declare().expect("good states").enter(("n1",), "a \"state\"").expect("one key");
    registry.unknown("legacy").unit("bytes").single().expect("a good name").set(-2.5);
    let queued = registry.gauge_histogram("queued").unit("bytes").buckets([1024.0, 4096.0]).single().expect("good");
    queued.inc(10.0);
    queued.inc(2000.0);
    queued.inc(5000.0);
    queued.dec(10.0);
    registry
}

#[test]
fn reg_02_itr_02_lab_10_open_metrics_shows_each_type() {
    let expected = concat!(
        "# TYPE build info\n# HELP build What \\\"runs\\\" here\n",
        "build_info{version=\"1.4.2\",commit=\"c0\\\"ffee\"} 1\n",
        "# TYPE legacy_bytes unknown\n# UNIT legacy_bytes bytes\nlegacy_bytes -2.5\n",
        "# TYPE phase stateset\n",
        "phase{node=\"n1\",phase=\"starting\"} 0\n",
        "phase{node=\"n1\",phase=\"a \\\"state\\\"\"} 1\n",
        "phase{node=\"n1\",phase=\"x\\\\y\"} 0\n",
        "# TYPE queued_bytes gaugehistogram\n# UNIT queued_bytes bytes\n",
        "queued_bytes_bucket{le=\"1024.0\"} 0\n",
        "queued_bytes_bucket{le=\"4096.0\"} 1\n",
        "queued_bytes_bucket{le=\"+Inf\"} 2\n",
        "queued_bytes_gsum 7000\nqueued_bytes_gcount 2\n",
        "# EOF\n"
    );
    assert_eq!(page(&every_type(), Format::OpenMetrics), expected);
}

#[test]
fn itr_08_text_knows_four_types_and_untyped() {
    let expected = concat!(
        "# TYPE build_info gauge\n# HELP build_info What \"runs\" here\n",
        "build_info{version=\"1.4.2\",commit=\"c0\\\"ffee\"} 1\n",
        "# TYPE legacy_bytes untyped\nlegacy_bytes -2.5\n",
        "# TYPE phase gauge\n",
        "phase{node=\"n1\",phase=\"starting\"} 0\n",
        "phase{node=\"n1\",phase=\"a \\\"state\\\"\"} 1\n",
        "phase{node=\"n1\",phase=\"x\\\\y\"} 0\n",
        "# TYPE queued_bytes histogram\n",
        "queued_bytes_bucket{le=\"1024.0\"} 0\n",
        "queued_bytes_bucket{le=\"4096.0\"} 1\n",
        "queued_bytes_bucket{le=\"+Inf\"} 2\n",
        "queued_bytes_sum 7000\nqueued_bytes_count 2\n",
    );
    assert_eq!(page(&every_type(), Format::Text), expected);
}

#[test]
fn reg_02_a_unit_on_info_or_stateset_is_refused() {
    let registry = registry();
    let refused = |kind| DeclareError::InvalidUnit { unit: "bytes".into(), rule: UnitRule::NoUnit(kind) };
    assert_eq!(registry.info("i").unit("bytes").declare().unwrap_err(), refused(MetricType::Info));
    let states = registry.state_set("s").states(["a"]);
    assert_eq!(states.unit("bytes").declare().unwrap_err(), refused(MetricType::StateSet));
    let text = "unit \"bytes\" is given, and type stateset has none";
    assert_eq!(refused(MetricType::StateSet).to_string(), text);
    assert!(registry.families().is_empty());
}

#[test]
fn reg_02_an_unknown_state_is_a_typed_error_or_counted() {
    let registry = registry();
    let phase = registry.state_set("phase").states(["up", "down"]).single().unwrap();
    phase.enter("up");
    let unknown = ValueError::UnknownState { family: "phase".into(), state: "sideways".into() };
    assert_eq!(phase.try_enter("sideways"), Err(unknown.clone()));
    assert_eq!(phase.try_set("sideways", true), Err(unknown.clone()));
    assert_eq!(unknown.to_string(), "stateset \"phase\" has no state \"sideways\"");
    assert_eq!(registry.health().rejected_unknown_state, 0, "who got the error may count it");
    phase.enter("sideways");
    phase.set("", true);
    assert_eq!(registry.health().rejected_unknown_state, 2);
    assert!(phase.is_on("up") && !phase.is_on("down") && !phase.is_on("sideways"));
}

#[test]
fn reg_02_states_are_checked_where_they_are_declared() {
    let registry = registry();
    assert_eq!(registry.state_set("s").declare().unwrap_err(), DeclareError::NoStates { family: "s".into() });
    let refused = |states: &[&str]| registry.state_set("s").states(states.iter().copied()).declare().unwrap_err();
    let invalid = |position, state: &str, rule| {
        let (family, state) = ("s".to_owned(), state.to_owned());
        DeclareError::InvalidStates { family, position, state, rule }
    };
    assert_eq!(refused(&["a", ""]), invalid(1, "", StateRule::Empty));
    assert_eq!(refused(&["a", "b", "a"]), invalid(2, "a", StateRule::Duplicate));
    let many: Vec<String> = (0..65).map(|state| format!("s{state}")).collect();
    let error = registry.state_set("s").states(&many).declare().unwrap_err();
    assert_eq!(error, invalid(64, "s64", StateRule::TooMany));
    assert_eq!(
        error.to_string(),
        "state 64 of family \"s\", \"s64\", is beyond the 64 states that a stateset can hold"
    );
    let all = registry.state_set("s").states(&many[..64]).single().unwrap();
    all.set("s63", true);
    all.set("s0", true);
    assert_eq!(all.point().active().collect::<Vec<_>>(), ["s0", "s63"]);
}

#[test]
fn reg_06_other_states_warn_and_the_first_stand() {
    let registry = registry();
    let first = registry.state_set("s").states(["a", "b"]).declare().unwrap();
    let second = registry.state_set("s").states(["a", "c"]).declare().unwrap();
    assert_eq!(registry.health().declaration_conflicts, 1);
    assert_eq!(second.metadata().states(), first.metadata().states());
    let strict = common::options().strict_declarations(true).build();
    strict.state_set("s").states(["a", "b"]).declare().unwrap();
    let error = strict.state_set("s").states(["b", "a"]).declare().unwrap_err();
    assert!(matches!(error, DeclareError::Conflict { field: "states", .. }), "{error}");
}

#[test]
fn lab_06_a_stateset_reserves_its_own_name() {
    let registry = registry();
    let error = registry.state_set("a/b").states(["x"]).labels(["a__b"]).declare().unwrap_err();
    assert_eq!(error, DeclareError::ReservedLabel { family: "a/b".into(), label: "a__b".into() });
    let buckets = registry.gauge_histogram("q").buckets([1.0]).labels(["le"]).declare().unwrap_err();
    assert!(matches!(buckets, DeclareError::ReservedLabel { .. }));
    registry.unknown("u").labels(["u", "le", "quantile"]).declare().unwrap();
    registry.info("i").labels(["i", "le"]).declare().unwrap();
}

#[test]
fn nam_08_nam_09_each_type_reserves_its_samples() {
    let registry = registry();
    registry.info("build_info").labels(["version"]).declare().unwrap();
    assert_eq!(registry.families()[0].name().raw(), "build", "the suffix belongs to the sample");
    assert!(matches!(registry.gauge("build_info").declare(), Err(DeclareError::NameClash { .. })));
    assert!(matches!(registry.info("_info").declare(), Err(DeclareError::EmptyName)));
    registry.gauge_histogram("q").buckets([1.0]).declare().unwrap();
    for taken in ["q_bucket", "q_gsum", "q_gcount", "q_sum", "q_count"] {
        assert!(matches!(registry.gauge(taken).declare(), Err(DeclareError::NameClash { .. })), "{taken}");
    }
    registry.state_set("s").states(["x"]).declare().unwrap();
    registry.unknown("u").declare().unwrap();
    registry.gauge("s_info").declare().unwrap();
    registry.gauge("u_total").declare().unwrap();
    // In the other order too.
    registry.gauge("late_gsum").declare().unwrap();
    assert!(matches!(registry.gauge_histogram("late").buckets([1.0]).declare(), Err(DeclareError::NameClash { .. })));
}

#[test]
fn reg_01_reg_07_the_types_have_words_and_differ() {
    for word in ["info", "stateset", "unknown", "gaugehistogram"] {
        assert_eq!(word.parse::<MetricType>().unwrap().as_str(), word);
    }
    let registry = every_type();
    assert!(matches!(registry.gauge("legacy_bytes").declare(), Err(DeclareError::Conflict { field: "type", .. })));
    assert!(registry.get::<Unknown>("legacy_bytes").is_some() && registry.get::<Info>("legacy_bytes").is_none());
}

#[test]
fn reg_02_infos_come_and_go_by_their_labels() {
    let registry = registry();
    let family = registry.info("tls").labels(["host", "issuer"]).declare().unwrap();
    family.with_labels(("a", "x")).unwrap();
    family.with_labels(("b", "y")).unwrap();
    assert_eq!(samples(&registry).len(), 2);
    assert_eq!(family.remove(("a", "x")).unwrap(), Some(MetricPoint::Info));
    assert_eq!(samples(&registry), ["tls_info{host=\"b\",issuer=\"y\"} 1"]);
    let bare = registry.info("bare").text([] as [(&str, &str); 0]).unwrap();
    assert!(bare.is_live() && samples(&registry)[0] == "bare_info 1");
}

#[test]
fn reg_02_states_that_exclude_each_other_are_never_seen_together() {
    let registry = registry();
    let phase = registry.state_set("phase").states(["a", "b", "c"]).labels(["k"]).declare().unwrap();
    phase.enter(("x",), "a").unwrap();
    let enter = || (0..ROUNDS).for_each(|round| phase.enter(("x",), ["a", "b", "c"][round % 3]).unwrap());
    while_running(enter, || {
        let set = collect(&registry);
        let metric = set.families[0].metric(0).unwrap();
        let MetricPoint::StateSet(point) = metric.point() else { panic!("a stateset's point") };
        assert_eq!(point.active().count(), 1);
    });
    let before = phase.with_labels(("x",)).unwrap().reset();
    assert_eq!(before.active().count(), 1);
    assert_eq!(phase.with_labels(("x",)).unwrap().point().active().count(), 0);
}

#[test]
fn reg_02_switches_of_several_threads_are_all_there() {
    let registry = registry();
    let states: Vec<String> = (0..64).map(|state| format!("s{state}")).collect();
    let features = registry.state_set("features").states(&states).single().unwrap();
    together(4, |thread| (thread..64).step_by(4).for_each(|state| features.set(&states[state], true)));
    assert_eq!(features.point().active().count(), 64);
    together(4, |thread| (thread..63).step_by(4).for_each(|state| features.set(&states[state], false)));
    assert_eq!(features.point().active().collect::<Vec<_>>(), ["s63"]);
}

#[test]
fn gen_03_a_gauge_histogram_counts_what_comes_and_goes_on_any_thread() {
    each_engine(|engine| {
        let registry = registry();
        let queued = registry.gauge_histogram("queued").buckets([1.0, 2.0]).single().unwrap();
        engine.spread(ROUNDS, |round| queued.inc((round % 3) as f64 + 0.5));
        assert_eq!(queued.count(), ROUNDS as u64);
        engine.spread(ROUNDS - 3, |round| queued.dec((round % 3) as f64 + 0.5));
        // The last three of as many sizes are left.
        assert_eq!((queued.point().cumulative, queued.sum()), (vec![1, 2, 3], 4.5));
        engine.spread(3, |round| queued.dec(((ROUNDS - 3 + round) % 3) as f64 + 0.5));
        assert_eq!((queued.count(), queued.sum()), (0, 0.0));
    });
}

#[test]
fn gen_04_a_gauge_histogram_is_never_torn_or_below_what_stays() {
    let registry = registry();
    let queued = registry.gauge_histogram("queued").buckets([1.0, 10.0]).labels(["q"]).declare().unwrap();
    queued.inc(("a",), 4.0).unwrap();
    let work = || {
        // What one thread brings another takes away.
        let (send, receive) = std::sync::mpsc::channel();
        let taker = {
            let queued = queued.clone();
            thread::spawn(move || receive.iter().for_each(|size: f64| queued.dec(("a",), size).unwrap()))
        };
        for round in 0..ROUNDS {
            let size = if round % 2 == 0 { 0.5 } else { 4.0 };
            queued.inc(("a",), size).unwrap();
            send.send(size).unwrap();
        }
        drop(send);
        taker.join().unwrap();
    };
    while_running(work, || {
        let MetricPoint::GaugeHistogram(point) = collect(&registry).families[0].metric(0).unwrap().point() else {
            panic!("a gauge histogram's point")
        };
        // Of the two sizes there are some each; the sum must be theirs, and the one that stays is always there.
        let (small, all) = (point.cumulative[0], point.count());
        assert!(all - small >= 1, "what stays was not seen: {point:?}");
        assert_eq!(point.sum, small as f64 * 0.5 + (all - small) as f64 * 4.0, "{point:?}");
    });
    assert_eq!(queued.with_labels(("a",)).unwrap().point().cumulative, [0, 1, 1]);
}

#[test]
fn his_05_what_a_gauge_histogram_refuses() {
    let registry = registry();
    let queued = registry.gauge_histogram("queued").buckets([1.0]).single().unwrap();
    assert_eq!(queued.try_inc(f64::NAN), Err(ValueError::NotANumber));
    assert_eq!(queued.try_inc(f64::INFINITY), Err(ValueError::Infinite));
    assert_eq!(queued.try_dec(-1.0), Err(ValueError::Negative));
    queued.inc(-1.0);
    queued.dec(f64::NAN);
    let health = registry.health();
    assert_eq!((health.rejected_negative, health.rejected_not_a_number), (1, 1));
    assert_eq!(queued.count(), 0);
    let offsets = registry.gauge_histogram("offsets").buckets([-1.0, 1.0]).single().unwrap();
    offsets.inc(-3.0);
    assert_eq!((offsets.point().cumulative, offsets.sum()), (vec![1, 1, 1], -3.0));
    assert!(page(&registry, Format::OpenMetrics).contains("offsets_gsum -3\n"));
    let many = registry.gauge_histogram("many").buckets((0..64).map(f64::from)).declare().unwrap_err();
    assert!(matches!(many, DeclareError::InvalidBuckets { position: 63, rule: BucketRule::TooMany, .. }), "{many}");
    registry.gauge_histogram("many").buckets((0..63).map(f64::from)).declare().unwrap();
    assert!(matches!(registry.gauge_histogram("none").declare(), Err(DeclareError::NoBuckets { .. })));
}

#[test]
fn his_07_what_a_gauge_histogram_gives_back_is_gone() {
    let registry = registry();
    let queued = registry.gauge_histogram("queued").buckets([1.0]).declare().unwrap();
    queued.inc((), 0.5).unwrap();
    queued.inc((), 3.0).unwrap();
    let cleared = queued.clear();
    let MetricPoint::GaugeHistogram(point) = cleared.metric(0).unwrap().point() else { panic!("another type") };
    assert_eq!((point.cumulative, point.sum), (vec![1, 2], 3.5));
    let handle = queued.with_labels(()).unwrap();
    assert_eq!(handle.count(), 0);
    // These came before the reset, so nothing is left of them to go.
    handle.dec(3.0);
    assert_eq!(handle.point().cumulative, [0, 0]);
    assert_eq!(handle.sum(), 0.0);
    page(&registry, Format::OpenMetrics);
}

#[test]
fn mgr_12_sco_03_managers_and_scopes_declare_them() {
    for manager in
        [Manager::builder().manual().provider("internal").build().unwrap(), Manager::builder().build().unwrap()]
    {
        manager.info("build").text([("version", 5)]).unwrap();
        let phase = manager.state_set("phase").states(["a", "b"]).single().unwrap();
        phase.enter("b");
        assert_eq!(phase.is_on("b"), manager.is_enabled());
        assert!(phase.try_enter("c").is_err(), "checked as ever");
        manager.unknown("u").single().unwrap().set(1.0);
        let scope = manager.scope("m").preset("host", "h").open().unwrap();
        let queue = scope.gauge_histogram("q").buckets([1.0]).single().unwrap();
        queue.inc(0.5);
        queue.dec(0.5);
        queue.inc(0.25);
        assert_eq!(queue.sum(), if manager.is_enabled() { 0.25 } else { 0.0 });
        scope.state_set("s").states(["x"]).declare().unwrap().set((), "x", true).unwrap();
        scope.info("i").labels(["v"]).declare().unwrap().with_labels(("1",)).unwrap();
        scope.unknown("u").single().unwrap().set(2.0);
        assert_eq!(scope.declarations()[0], "q (gaugehistogram)");
        assert!(manager.state_set("none").declare().is_err());
    }
}

#[test]
fn handles_are_what_they_are_said_to_be() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<Info>();
    shared::<StateSet>();
    shared::<Unknown>();
    shared::<GaugeHistogram>();
    let unknown = registry().unknown("u").single().unwrap();
    unknown.set(f64::NAN);
    assert!(unknown.reset().is_nan() && unknown.value() == 0.0);
    assert_eq!(format!("{unknown:?}"), "Unknown(u{})");
}
