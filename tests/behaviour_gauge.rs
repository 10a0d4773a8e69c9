//! Gauges, and accumulate-and-publish (section 6 of `docs/behaviour.md`).

mod common;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use common::{each_engine, family, listed, page, registry, samples, value};
use manometer::{Gauge, LabelError, ValueError, collect, encode::Format};

#[test]
fn gau_01_concurrent_adds_all_count() {
    each_engine(|engine| {
        let registry = registry();
        let gauge = registry.gauge("g").single().unwrap();
        let level = registry.up_down_gauge("l").single().unwrap();
        assert_eq!((gauge.value(), level.value()), (0.0, 0));
        engine.spread(common::ROUNDS, |_| {
            gauge.add(0.75);
            gauge.add(-0.5);
            level.inc();
            level.add(3);
            level.add(-2);
            level.dec();
            level.add(0);
            level.inc();
        });
        assert_eq!(gauge.value(), 0.25 * common::ROUNDS as f64, "{engine:?}");
        assert_eq!(level.value(), 2 * common::ROUNDS as i64, "{engine:?}");
    });
}

#[test]
fn gau_01_set_wins_and_reset_hands_back() {
    let registry = registry();
    let gauge = registry.gauge("g").single().unwrap();
    gauge.add(2.0);
    gauge.set(-12.5);
    gauge.add(0.5);
    assert_eq!(gauge.value(), -12.0);
    assert_eq!(gauge.reset(), -12.0);
    assert_eq!(gauge.value(), 0.0);

    let level = registry.up_down_gauge("l").single().unwrap();
    level.add(i64::MAX);
    level.add(-3);
    assert_eq!(level.reset(), i64::MAX - 3);
    level.add(i64::MIN);
    assert_eq!(level.value(), i64::MIN);
    assert_eq!(samples(&registry), ["g 0", "l -9223372036854775808"]);
}

#[test]
fn gau_01_what_is_no_step_is_refused_and_counted() {
    let registry = registry();
    let gauge = registry.gauge("g").single().unwrap();
    gauge.set(1.5);
    for step in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        gauge.add(step);
        assert!(gauge.try_add(step).is_err());
    }
    assert_eq!(gauge.try_add(f64::NAN), Err(ValueError::NotANumber));
    assert_eq!(gauge.try_add(f64::NEG_INFINITY), Err(ValueError::Infinite));
    assert_eq!(gauge.try_add(-1.0), Ok(()));
    assert_eq!(gauge.value(), 0.5);
    let health = registry.health();
    assert_eq!((health.rejected_not_a_number, health.rejected_infinite, health.rejected_negative), (1, 2, 0));
}

#[test]
fn gau_02_s_09_what_is_not_finite_is_shown() {
    let registry = registry();
    let family = registry.gauge("g").labels(["k"]).declare().unwrap();
    for (key, value) in [("a", f64::NAN), ("b", f64::INFINITY), ("c", f64::NEG_INFINITY), ("d", -f64::NAN)] {
        family.set((key,), value).unwrap();
    }
    let lines = ["g{k=\"a\"} NaN", "g{k=\"b\"} +Inf", "g{k=\"c\"} -Inf", "g{k=\"d\"} NaN"];
    assert_eq!(samples(&registry), lines);
    let open_metrics = page(&registry, Format::OpenMetrics);
    assert_eq!(open_metrics, format!("# TYPE g gauge\n{}\n# EOF\n", lines.join("\n")));
    assert_eq!(registry.health(), Default::default());
}

#[test]
fn gau_03_accumulate_publishes_sums_and_zeroes_the_rest() {
    let registry = registry();
    let sessions = registry.gauge("sessions").labels(["host", "state"]).declare().unwrap();
    sessions.set(("a", "idle"), 7.0).unwrap();
    sessions.set(("b", "idle"), 9.0).unwrap();
    let host = sessions.with_partial_label("a").unwrap();
    host.accumulate(|tally| {
        tally.add(("busy",), 1.0)?;
        tally.add(("busy",), 0.5)?;
        Ok::<(), LabelError>(())
    })
    .unwrap();
    let lines = [
        r#"sessions{host="a",state="busy"} 1.5"#,
        r#"sessions{host="a",state="idle"} 0"#,
        r#"sessions{host="b",state="idle"} 9"#,
    ];
    assert_eq!(samples(&registry), lines, "nothing outside the view is touched");
    sessions.accumulate(|_| Ok::<(), LabelError>(())).unwrap();
    assert!(sessions.metrics().all(|(_, gauge)| gauge.value() == 0.0));
    let single = registry.gauge("single").declare().unwrap();
    single.accumulate(|tally| tally.add((), 2.0)).unwrap();
    assert_eq!(single.with_labels(()).unwrap().value(), 2.0);
}

#[test]
fn gau_03_a_failure_or_a_panic_keeps_the_old_state() {
    let registry = registry();
    let family = registry.gauge("g").labels(["k"]).declare().unwrap();
    family.set(("a",), 7.0).unwrap();
    let failed = family.accumulate(|tally| {
        tally.add(("b",), 1.0).unwrap();
        Err("no more")
    });
    assert_eq!(failed, Err("no more"));
    let arity = family.accumulate(|tally| tally.add(("b", "c"), 1.0));
    assert_eq!(arity, Err(LabelError::Arity { family: "g".into(), expected: 1, given: 2 }));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        family.accumulate(|tally| -> Result<(), LabelError> {
            tally.add(("b",), 1.0)?;
            panic!("in the middle of counting")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(samples(&registry), ["g{k=\"a\"} 7"]);
    family.accumulate(|tally| tally.add(("b",), 1.0)).unwrap();
    assert_eq!(samples(&registry), ["g{k=\"a\"} 0", "g{k=\"b\"} 1"]);
}

#[test]
fn gau_03_what_is_no_step_is_refused_in_a_tally_too() {
    let registry = registry();
    let family = registry.gauge("g").labels(["k"]).declare().unwrap();
    let count = family.accumulate(|tally| {
        tally.add(("a",), 2.0)?;
        tally.add(("a",), f64::NAN)?;
        tally.add(("b",), f64::INFINITY)
    });
    count.unwrap();
    assert_eq!(samples(&registry), ["g{k=\"a\"} 2"]);
    let health = registry.health();
    assert_eq!((health.rejected_not_a_number, health.rejected_infinite), (1, 1));
}

#[test]
fn gau_03_a_tally_beyond_the_limit_is_in_the_overflow_series() {
    let registry = registry();
    let family = registry.gauge("g").labels(["k"]).max_series(1).declare().unwrap();
    family.accumulate(|tally| (0..5).try_for_each(|key| tally.add((key,), 1.0))).unwrap();
    assert_eq!(family.sum(), 5.0);
    assert_eq!(listed(&family).len(), 2);
    assert_eq!(family.find((":overflow",)).unwrap().unwrap().value(), 4.0);
}

#[test]
fn gau_03_a_scrape_sees_all_old_values_or_all_new_ones() {
    let registry = registry();
    let gauge = registry.gauge("g").labels(["k"]).declare().unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=common::ROUNDS / 2 {
                // A new series in every round: a scrape that sees it must see the round.
                gauge
                    .accumulate(|tally| {
                        tally.add(("round",), round as f64)?;
                        tally.add((format!("new {round}"),), 1.0)
                    })
                    .unwrap();
                if round % 16 == 0 {
                    gauge.remove_all();
                }
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            let set = collect(&registry);
            let metrics = family(&set, "g").metrics();
            let values: Vec<_> = metrics.map(|m| (m.value("k").unwrap(), value(&m.point()))).collect();
            let Some((_, round)) = values.iter().find(|(key, _)| *key == "round") else {
                assert!(values.is_empty(), "{values:?}");
                continue;
            };
            let own = format!("new {round}");
            for (key, value) in values.iter().filter(|(key, _)| *key != "round") {
                assert_eq!(*value, f64::from(u8::from(*key == own)), "{key} in round {round}");
            }
            assert!(values.iter().any(|(key, _)| *key == own), "round {round} without its series");
            let youngest =
                values.iter().filter_map(|(key, _)| key.strip_prefix("new ")?.parse().ok()).fold(0.0, f64::max);
            assert_eq!(youngest, *round, "a series of a later round");
        }
    });
}

#[test]
fn s_23_a_gauge_counted_afresh_does_not_grow() {
    let registry = registry();
    let family = registry.gauge("g").labels(["host", "k"]).declare().unwrap();
    let host = family.with_partial_label("a").unwrap();
    for _ in 0..10 {
        host.clear();
        host.add(("x",), 3.0).unwrap();
        assert_eq!(samples(&registry), [r#"g{host="a",k="x"} 3"#]);
    }
    for _ in 0..10 {
        host.accumulate(|tally| tally.add(("x",), 3.0)).unwrap();
        assert_eq!(samples(&registry), [r#"g{host="a",k="x"} 3"#]);
    }
    assert_eq!(registry.get::<Gauge>("g").unwrap().sum(), 3.0);
}
