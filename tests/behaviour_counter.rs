//! Counters (section 5 of `docs/behaviour.md`).

mod common;

use common::{each_engine, family, next_millisecond, page, registry, samples, together, while_running};
use manometer::{DeclareError, FloatCounter, MetricPoint, ValueError, collect, encode::Format, model::Number};

#[test]
fn cnt_01_every_add_counts() {
    each_engine(|engine| {
        let registry = registry();
        let whole = registry.counter("whole").single().unwrap();
        let float = registry.float_counter("float").single().unwrap();
        assert_eq!((whole.value(), float.value()), (0, 0.0));
        engine.spread(common::ROUNDS, |round| {
            whole.inc();
            whole.add(round as u64);
            float.add(0.25);
        });
        let rounds = common::ROUNDS as u64;
        assert_eq!(whole.value(), rounds + rounds * (rounds - 1) / 2, "{engine:?}");
        assert_eq!(float.value(), 0.25 * rounds as f64, "{engine:?}");
    });
}

#[test]
fn cnt_01_adding_nothing_is_legal_and_creates_nothing() {
    let registry = registry();
    let whole = registry.counter("whole").single().unwrap();
    let float = registry.float_counter("float").single().unwrap();
    let created = whole.created();
    next_millisecond();
    whole.add(0);
    float.add(0.0);
    float.add(-0.0);
    assert_eq!(float.try_add(-0.0), Ok(()));
    assert_eq!(whole.created(), created);
    assert_eq!(samples(&registry), ["float_total 0", "whole_total 0"]);
    assert_eq!(registry.health(), Default::default());
}

#[test]
fn cnt_01_a_float_counter_that_nobody_wrote_to_prints_a_plain_zero() {
    let registry = registry();
    let family = registry.float_counter("seconds").labels(["core"]).declare().unwrap();
    // Far enough that the series lie in chunks that no thread has written to.
    for core in 0..1000 {
        family.with_labels((core,)).unwrap();
    }
    assert!(samples(&registry).iter().all(|line| line.ends_with("} 0")));
    assert!(registry.get::<FloatCounter>("seconds").unwrap().sum().is_sign_positive());
}

#[test]
fn cnt_01_what_is_no_amount_is_refused_and_counted() {
    each_engine(|engine| {
        let registry = registry();
        let counter = registry.float_counter("cpu").single().unwrap();
        counter.add(1.5);
        engine.spread(8, |_| {
            counter.add(-0.25);
            counter.add(f64::NAN);
            counter.add(f64::INFINITY);
            counter.add(f64::NEG_INFINITY);
        });
        assert_eq!(counter.try_add(f64::NAN), Err(ValueError::NotANumber));
        assert_eq!(counter.try_add(f64::INFINITY), Err(ValueError::Infinite));
        assert_eq!(counter.try_add(f64::NEG_INFINITY), Err(ValueError::Infinite));
        assert_eq!(counter.try_add(-5e-324), Err(ValueError::Negative));
        assert_eq!(counter.try_add(0.5), Ok(()));
        assert_eq!(counter.value(), 2.0);
        let health = registry.health();
        assert_eq!((health.rejected_not_a_number, health.rejected_infinite, health.rejected_negative), (8, 16, 8));
    });
}

#[test]
fn cnt_02_whole_totals_keep_every_digit() {
    let registry = registry();
    let counter = registry.counter("c").single().unwrap();
    let shown = |total: u64| {
        assert_eq!(counter.value(), total);
        assert_eq!(samples(&registry), [format!("c_total {total}")]);
    };
    counter.add((1 << 53) + 1);
    shown((1 << 53) + 1);
    counter.add((1 << 63) - (1 << 53) - 1);
    shown(1 << 63);
    counter.add((1 << 63) - 1);
    shown(18_446_744_073_709_551_615);
    let set = collect(&registry);
    let metric = family(&set, "c").metrics().next().unwrap();
    let MetricPoint::Counter(point) = metric.point() else { panic!("a counter's point") };
    assert_eq!(point.total, Number::Unsigned(u64::MAX));
}

#[test]
fn cnt_02_the_other_kind_is_a_conflict() {
    let registry = registry();
    let counter = registry.counter("c").single().unwrap();
    let conflict = DeclareError::Conflict {
        name: "c".into(),
        field: "type",
        standing: "counter of whole numbers".into(),
        given: "counter of floats".into(),
    };
    assert_eq!(registry.float_counter("c").single().unwrap_err(), conflict);
    counter.inc();
    assert_eq!(samples(&registry), ["c_total 1"]);
}

#[test]
fn cnt_03_s_32_a_total_stops_at_the_top() {
    each_engine(|engine| {
        let registry = registry();
        let counter = registry.counter("c").single().unwrap();
        engine.spread(8, |_| counter.add(1 << 62));
        assert_eq!(counter.value(), u64::MAX, "{engine:?}");
        engine.spread(8, |_| counter.add(u64::MAX));
        engine.spread(8, |_| counter.inc());
        assert_eq!(counter.value(), u64::MAX, "{engine:?}");
        assert_eq!(samples(&registry), ["c_total 18446744073709551615"]);
        assert_eq!(registry.health().saturated_counters, 1);
    });
}

#[test]
fn cnt_03_one_step_past_the_top_does_not_wrap() {
    let registry = registry();
    let counter = registry.counter("c").single().unwrap();
    counter.add(u64::MAX);
    counter.inc();
    assert_eq!(counter.value(), u64::MAX);
    let family = registry.counter("f").labels(["k"]).declare().unwrap();
    family.add(("x",), u64::MAX).unwrap();
    family.inc(("x",)).unwrap();
    assert_eq!(family.with_labels(("x",)).unwrap().value(), u64::MAX);
    family.inc(("y",)).unwrap();
    assert_eq!(family.sum(), u64::MAX);
}

#[test]
fn cnt_03_a_reset_leaves_the_top() {
    let registry = registry();
    let counter = registry.counter("c").single().unwrap();
    counter.add(u64::MAX);
    counter.add(u64::MAX);
    assert_eq!(counter.value(), u64::MAX);
    assert_eq!(counter.reset(), u64::MAX);
    counter.add(5);
    assert_eq!(counter.value(), 5);
    counter.add(u64::MAX);
    assert_eq!(counter.value(), u64::MAX);
    assert_eq!(registry.health().saturated_counters, 2, "reached twice");
    counter.set(7);
    counter.add(u64::MAX - 7);
    assert_eq!((counter.value(), registry.health().saturated_counters), (u64::MAX, 2), "the top itself is exact");
}

#[test]
fn cnt_04_a_higher_total_moves_a_lower_one_resets() {
    let registry = registry();
    let counter = registry.counter("c").single().unwrap();
    let created = counter.created();
    next_millisecond();
    counter.add(3);
    counter.set(10);
    counter.set(10);
    counter.add(1);
    assert_eq!((counter.value(), counter.created()), (11, created));
    counter.set(4);
    assert_eq!(counter.value(), 4);
    assert!(counter.created() > created, "a step back is a reset");
    counter.set(u64::MAX);
    assert_eq!(counter.value(), u64::MAX);
    counter.set(0);
    assert_eq!(counter.value(), 0);
}

#[test]
fn cnt_04_a_float_total_is_the_one_that_was_set() {
    let registry = registry();
    let counter = registry.float_counter("cpu").single().unwrap();
    let created = counter.created();
    next_millisecond();
    for total in [0.1, 0.3, 1e16] {
        counter.add(0.05);
        counter.set(total);
        assert_eq!((counter.value(), counter.created()), (total, created));
    }
    counter.add(2.0);
    counter.set(0.3);
    assert_eq!(counter.value(), 0.3);
    assert!(counter.created() > created);
    counter.set(0.3);
    assert_eq!(counter.value(), 0.3);
}

#[test]
fn cnt_04_what_is_no_total_is_refused() {
    let registry = registry();
    let counter = registry.float_counter("cpu").single().unwrap();
    counter.set(2.5);
    for (total, error) in [
        (f64::NAN, ValueError::NotANumber),
        (f64::INFINITY, ValueError::Infinite),
        (f64::NEG_INFINITY, ValueError::Infinite),
        (-1.0, ValueError::Negative),
    ] {
        counter.set(total);
        assert_eq!(counter.try_set(total), Err(error));
    }
    assert_eq!(counter.value(), 2.5);
    let health = registry.health();
    assert_eq!((health.rejected_not_a_number, health.rejected_infinite, health.rejected_negative), (1, 2, 1));
}

#[test]
fn cnt_05_s_12_a_reset_hands_back_and_begins_anew() {
    each_engine(|engine| {
        let registry = registry();
        let whole = registry.counter("whole").single().unwrap();
        let float = registry.float_counter("float").single().unwrap();
        engine.spread(100, |_| (whole.inc(), float.add(0.5)).0);
        let (created, before) = (whole.created(), float.created());
        next_millisecond();
        assert_eq!((whole.reset(), float.reset()), (100, 50.0), "{engine:?}");
        assert_eq!((whole.value(), float.value()), (0, 0.0));
        assert!(whole.created() > created && float.created() > before);
        assert_eq!(samples(&registry), ["float_total 0", "whole_total 0"]);
        engine.spread(10, |_| (whole.inc(), float.add(0.5)).0);
        assert_eq!((whole.reset(), float.reset()), (10, 5.0), "{engine:?}");
    });
}

#[test]
fn cnt_05_a_racing_add_is_in_one_of_the_two() {
    let registry = registry();
    let whole = registry.counter("whole").single().unwrap();
    let level = registry.up_down_gauge("level").single().unwrap();
    let rounds = 10 * common::ROUNDS;
    let (mut taken, mut lowered) = (0, 0);
    while_running(
        || {
            together(common::WRITERS, |_| {
                for _ in 0..rounds {
                    whole.inc();
                    level.add(3);
                    level.dec();
                }
            });
        },
        || {
            taken += whole.reset();
            lowered += level.reset();
        },
    );
    let all = (rounds * common::WRITERS) as u64;
    assert_eq!(taken + whole.value(), all);
    assert_eq!(lowered + level.value(), 2 * all as i64);
}

#[test]
fn nam_08_a_counter_has_a_total_and_a_creation_time() {
    let registry = registry();
    let counter = registry.counter("c").single().unwrap();
    counter.inc();
    let millis = counter.created().millis();
    let created = format!("c_created {}.{:03}", millis / 1000, millis % 1000);
    assert_eq!(page(&registry, Format::OpenMetrics), format!("# TYPE c counter\nc_total 1\n{created}\n# EOF\n"));
}
