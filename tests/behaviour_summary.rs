//! Summaries, their quantiles apart (section 8 of `docs/behaviour.md`).

mod common;

use common::{each_engine, family, next_millisecond, page, registry, samples, together, while_running};
use manometer::{MetricPoint, ValueError, collect, encode::Format, model::SummaryPoint};

#[test]
fn sum_01_sum_and_count_without_quantiles() {
    each_engine(|engine| {
        let registry = registry();
        let summary = registry.summary("reply").unit("bytes").single().unwrap();
        assert_eq!(samples(&registry), ["reply_bytes_sum 0", "reply_bytes_count 0"]);
        engine.spread(common::ROUNDS, |round| summary.observe((round % 8) as f64));
        let sum = common::ROUNDS as f64 * 3.5;
        assert_eq!((summary.count(), summary.sum()), (common::ROUNDS as u64, sum), "{engine:?}");
        let millis = summary.created().millis();
        let expected = format!(
            "# TYPE reply_bytes summary\n# UNIT reply_bytes bytes\nreply_bytes_sum {sum}\nreply_bytes_count {}\n\
             reply_bytes_created {}.{:03}\n# EOF\n",
            common::ROUNDS,
            millis / 1000,
            millis % 1000,
        );
        assert_eq!(page(&registry, Format::OpenMetrics), expected);
    });
}

#[test]
fn sum_01_what_is_no_observation_is_refused_and_counted() {
    each_engine(|engine| {
        let registry = registry();
        let summary = registry.summary("s").single().unwrap();
        summary.observe(2.0);
        engine.spread(4, |_| {
            summary.observe(f64::NAN);
            summary.observe(f64::INFINITY);
            summary.observe(f64::NEG_INFINITY);
            summary.observe(-1.0);
        });
        assert_eq!(summary.try_observe(f64::NAN), Err(ValueError::NotANumber));
        assert_eq!(summary.try_observe(f64::NEG_INFINITY), Err(ValueError::Infinite));
        assert_eq!(summary.try_observe(-1.0), Err(ValueError::Negative));
        assert_eq!(summary.try_observe(0.0), Ok(()));
        assert_eq!((summary.count(), summary.sum()), (2, 2.0));
        let health = registry.health();
        assert_eq!((health.rejected_not_a_number, health.rejected_infinite, health.rejected_negative), (4, 8, 4));
    });
}

#[test]
fn sum_07_sum_and_count_are_cumulative_and_belong_together() {
    let registry = registry();
    let summary = registry.summary("s").labels(["k"]).declare().unwrap();
    let mut before = 0;
    while_running(
        || together(common::WRITERS, |_| (0..5 * common::ROUNDS).for_each(|_| summary.observe(("x",), 1.0).unwrap())),
        || {
            let set = collect(&registry);
            let Some(metric) = family(&set, "s").metrics().next() else { return };
            let MetricPoint::Summary(point) = metric.point() else { panic!("a summary's point") };
            assert_eq!(point.count as f64, point.sum);
            assert!(point.count >= before);
            before = point.count;
        },
    );
    assert_eq!(summary.with_labels(("x",)).unwrap().count(), (5 * common::ROUNDS * common::WRITERS) as u64);
}

#[test]
fn sum_08_a_reset_hands_back_the_final_snapshot() {
    each_engine(|engine| {
        let registry = registry();
        let summary = registry.summary("s").single().unwrap();
        engine.spread(10, |_| summary.observe(0.5));
        let created = summary.created();
        next_millisecond();
        let taken = SummaryPoint { count: 10, sum: 5.0, quantiles: vec![], created: Some(created) };
        assert_eq!(summary.reset(), taken, "{engine:?}");
        assert_eq!((summary.count(), summary.sum()), (0, 0.0));
        assert!(summary.created() > created);
        summary.observe(1.0);
        assert_eq!((summary.count(), summary.sum()), (1, 1.0));
    });
}
