//! Histograms (section 7 of `docs/behaviour.md`).

mod common;

use common::{each_engine, family, next_millisecond, page, registry, samples, together, while_running};
use manometer::{
    DeclareError, Histogram, MetricPoint, Registry, ValueError, collect,
    encode::Format,
    exponential_buckets, linear_buckets,
    model::{BucketRule, HistogramPoint},
};

fn single(registry: &Registry, buckets: impl IntoIterator<Item = f64>) -> Histogram {
    registry.histogram("h").buckets(buckets).single().expect("good buckets")
}

#[test]
fn his_01_buckets_are_required() {
    let registry = registry();
    let missing = DeclareError::NoBuckets { family: "h_seconds".into() };
    assert_eq!(registry.histogram("h").unit("seconds").declare().unwrap_err(), missing);
    assert!(registry.families().is_empty());
    let none = single(&registry, []);
    none.observe(3.0);
    none.observe(0.0);
    assert!(none.thresholds().is_empty());
    assert_eq!(none.point().cumulative, [2]);
    assert_eq!(samples(&registry), ["h_bucket{le=\"+Inf\"} 2", "h_sum 3", "h_count 2"]);
}

#[test]
fn his_02_s_11_a_last_infinity_is_dropped_and_the_list_is_shared() {
    let registry = registry();
    let list = vec![0.5, 1.0, f64::INFINITY];
    let first = registry.histogram("first").buckets(list.iter().copied()).single().unwrap();
    let second = registry.histogram("second").buckets(list.iter().copied()).single().unwrap();
    assert_eq!(list, [0.5, 1.0, f64::INFINITY]);
    assert_eq!((first.thresholds(), second.thresholds()), (&[0.5, 1.0][..], &[0.5, 1.0][..]));
    let infinite = samples(&registry).iter().filter(|line| line.contains("+Inf")).count();
    assert_eq!(infinite, 2, "one bucket each");
}

#[test]
fn his_02_a_bad_list_is_refused_with_its_position() {
    let registry = registry();
    let too_many: Vec<_> = (0..300).map(f64::from).collect();
    let bad: [(&[f64], usize, BucketRule); 12] = [
        (&[1.0, f64::NAN], 1, BucketRule::NotANumber),
        (&[f64::NAN], 0, BucketRule::NotANumber),
        (&[f64::NEG_INFINITY, 1.0], 0, BucketRule::NegativeInfinity),
        (&[1.0, 2.0, 1.5, 3.0], 2, BucketRule::NotAscending),
        (&[1.0, 1.0], 1, BucketRule::Duplicate),
        (&[-0.0, 0.0], 1, BucketRule::Duplicate),
        (&[f64::INFINITY, 1.0], 1, BucketRule::NotAscending),
        (&[f64::INFINITY, f64::INFINITY], 1, BucketRule::Duplicate),
        (&[1.0, f64::INFINITY, f64::INFINITY], 2, BucketRule::Duplicate),
        (&[1.0, f64::INFINITY, f64::NAN], 2, BucketRule::NotANumber),
        (&[f64::NEG_INFINITY, f64::NAN], 0, BucketRule::NegativeInfinity),
        (&too_many, 251, BucketRule::TooMany),
    ];
    for (list, at, broken) in bad {
        let error = registry.histogram("h").buckets(list.iter().copied()).declare().unwrap_err();
        let DeclareError::InvalidBuckets { family, position, threshold, rule } = error else {
            panic!("{list:?}: {error}")
        };
        assert_eq!((family.as_str(), position, rule), ("h", at, broken), "{list:?}");
        assert_eq!(threshold.to_bits(), list[at].to_bits());
    }
    assert!(registry.families().is_empty());
    let most = single(&registry, (0..251).map(f64::from).chain([f64::INFINITY]));
    most.observe(250.5);
    most.observe(0.0);
    assert_eq!((most.point().cumulative[0], most.point().cumulative[250], most.count()), (1, 1, 2));
}

#[test]
fn his_02_lists_are_easily_made() {
    assert_eq!(exponential_buckets(1.0, 10.0, 3), [1.0, 10.0, 100.0]);
    assert_eq!(linear_buckets(-1.0, 1.0, 3), [-1.0, 0.0, 1.0]);
    assert!(exponential_buckets(1.0, 2.0, 0).is_empty() && linear_buckets(0.0, 1.0, 0).is_empty());
    let registry = registry();
    let stuck = registry.histogram("h").buckets(exponential_buckets(1.0, 1.0, 2)).declare().unwrap_err();
    assert!(matches!(stuck, DeclareError::InvalidBuckets { position: 1, rule: BucketRule::Duplicate, .. }));
}

#[test]
fn his_03_a_bound_is_inclusive() {
    let lists: [&[f64]; 4] =
        [&[0.1, 1.0], &[-1.0, 0.0, 1.0], &[5e-324, 1e-300, 1.0, f64::MAX], &[1.0, 1.000_000_000_000_000_2, 2.0]];
    for list in lists {
        for (position, bound) in list.iter().copied().enumerate() {
            for (value, bucket) in [(bound, position), (bound.next_down(), position), (bound.next_up(), position + 1)] {
                if !value.is_finite() {
                    continue;
                }
                let registry = registry();
                let histogram = single(&registry, list.iter().copied());
                if histogram.try_observe(value).is_err() {
                    assert!(value < 0.0 && list[0] >= 0.0);
                    continue;
                }
                let expected = list.iter().position(|bound| value <= *bound).unwrap_or(list.len());
                let cumulative = histogram.point().cumulative;
                let found = cumulative.iter().position(|count| *count == 1).unwrap();
                assert_eq!(found, expected, "{value} in {list:?}");
                assert!(found == bucket || found == expected);
            }
        }
    }
}

#[test]
fn his_04_every_observation_counts_on_every_engine() {
    each_engine(|engine| {
        for bounds in [11, 160] {
            let registry = registry();
            let histogram = single(&registry, (1..bounds).map(f64::from));
            engine.spread(common::ROUNDS, |round| histogram.observe((round % 200) as f64));
            let point = histogram.point();
            let mut cumulative = vec![0; bounds as usize];
            for round in 0..common::ROUNDS {
                let first = (round % 200).saturating_sub(1).min(cumulative.len() - 1);
                cumulative[first..].iter_mut().for_each(|count| *count += 1);
            }
            assert_eq!(point.cumulative, cumulative, "{bounds} buckets, {engine:?}");
            assert_eq!(point.sum, (0..common::ROUNDS).map(|round| (round % 200) as f64).sum::<f64>());
            assert_eq!((histogram.count(), histogram.sum()), (common::ROUNDS as u64, point.sum));
        }
    });
}

#[test]
fn his_04_many_observations_of_one_value_are_one_step() {
    each_engine(|engine| {
        for bounds in [3, 100] {
            let registry = registry();
            let histogram = single(&registry, (1..=bounds).map(f64::from));
            engine.spread(10, |_| histogram.observe_many(1.5, 1000));
            histogram.observe_many(0.5, 0);
            histogram.observe_many(f64::NAN, 0);
            histogram.observe_many(2.0, u32::MAX);
            let cumulative = histogram.point().cumulative;
            assert_eq!(cumulative[..2], [0, 10_000 + u64::from(u32::MAX)]);
            assert_eq!(histogram.sum(), 15_000.0 + 2.0 * f64::from(u32::MAX));
            assert_eq!(registry.health(), Default::default());
        }
    });
}

#[test]
fn his_04_s_09_what_is_no_observation_is_refused_and_counted() {
    each_engine(|engine| {
        let registry = registry();
        let histogram = single(&registry, [1.0]);
        histogram.observe(0.5);
        engine.spread(4, |_| {
            histogram.observe(f64::NAN);
            histogram.observe(f64::INFINITY);
            histogram.observe(f64::NEG_INFINITY);
            histogram.observe(-1.0);
        });
        assert_eq!(histogram.try_observe(f64::NAN), Err(ValueError::NotANumber));
        assert_eq!(histogram.try_observe(f64::INFINITY), Err(ValueError::Infinite));
        assert_eq!(histogram.try_observe(-5e-324), Err(ValueError::Negative));
        assert_eq!(histogram.try_observe(-0.0), Ok(()));
        let lines = ["h_bucket{le=\"1.0\"} 2", "h_bucket{le=\"+Inf\"} 2", "h_sum 0.5", "h_count 2"];
        assert_eq!(samples(&registry), lines);
        let health = registry.health();
        assert_eq!((health.rejected_not_a_number, health.rejected_infinite, health.rejected_negative), (4, 8, 4));
    });
}

#[test]
fn his_04_the_sum_stays_finite() {
    let registry = registry();
    let histogram = single(&registry, [1.0]);
    together(2, |_| histogram.observe_many(f64::MAX, 2));
    assert_eq!((histogram.count(), histogram.sum()), (4, f64::MAX));
    assert!(samples(&registry).contains(&"h_sum 1.7976931348623157e+308".to_owned()));
}

#[test]
fn his_05_negative_observations_need_a_negative_bound() {
    each_engine(|engine| {
        let registry = registry();
        let histogram = single(&registry, [-1.0, 1.0]);
        engine.spread(4, |_| {
            histogram.observe(-3.0);
            histogram.observe(-1.0);
            histogram.observe(0.5);
            histogram.observe(f64::NAN);
            histogram.observe(f64::NEG_INFINITY);
        });
        assert_eq!((histogram.point().cumulative, histogram.sum()), (vec![8, 12, 12], -14.0));
        let lines = ["h_bucket{le=\"-1.0\"} 8", "h_bucket{le=\"1.0\"} 12", "h_bucket{le=\"+Inf\"} 12"];
        assert_eq!(samples(&registry), lines, "neither sum nor count");
        assert_eq!(registry.health().rejected_negative, 0);
        assert!(page(&registry, Format::OpenMetrics).contains("\nh_created "));
    });
}

#[test]
fn his_07_a_reset_hands_back_the_final_snapshot() {
    each_engine(|engine| {
        for bounds in [2, 100] {
            let registry = registry();
            let histogram = single(&registry, (1..=bounds).map(f64::from));
            engine.spread(40, |round| histogram.observe((round % 4) as f64));
            let (created, thresholds) = (histogram.created(), histogram.point().thresholds);
            next_millisecond();
            let taken = histogram.reset();
            let mut cumulative = vec![40; bounds as usize + 1];
            cumulative[..2].copy_from_slice(&[20, 30]);
            assert_eq!(taken, HistogramPoint { thresholds, cumulative, sum: 60.0, created: Some(created) });
            let left = histogram.point();
            assert!(left.cumulative.iter().all(|count| *count == 0) && left.sum == 0.0);
            assert!(left.created > Some(created) && left.created == Some(histogram.created()));
            engine.spread(4, |_| histogram.observe(1.0));
            assert_eq!((histogram.count(), histogram.sum()), (4, 4.0), "{engine:?}");
        }
    });
}

#[test]
fn his_07_a_racing_observation_is_in_one_of_the_two() {
    for bounds in [2, 100] {
        let registry = registry();
        let histogram = single(&registry, (1..=bounds).map(f64::from));
        let rounds = 5 * common::ROUNDS;
        let (mut count, mut sum) = (0, 0.0);
        while_running(
            || together(common::WRITERS, |_| (0..rounds).for_each(|_| histogram.observe(1.0))),
            || {
                let point = histogram.reset();
                assert_eq!(point.count() as f64, point.sum, "a torn hand-over");
                count += point.count();
                sum += point.sum;
            },
        );
        let all = (rounds * common::WRITERS) as u64;
        assert_eq!((count + histogram.count(), sum + histogram.sum()), (all, all as f64));
    }
}

#[test]
fn gen_04_a_snapshot_is_consistent_under_load() {
    for bounds in [10, 160] {
        let registry = registry();
        let labelled = registry.histogram("h").buckets((1..=bounds).map(f64::from)).labels(["k"]).declare().unwrap();
        while_running(
            || {
                together(common::WRITERS, |_| {
                    (0..5 * common::ROUNDS).for_each(|_| labelled.observe(("x",), 1.0).unwrap())
                })
            },
            || {
                let set = collect(&registry);
                let Some(metric) = family(&set, "h").metrics().next() else { return };
                let MetricPoint::Histogram(point) = metric.point() else { panic!("a histogram's point") };
                assert_eq!(point.count() as f64, point.sum);
                assert!(point.cumulative.iter().all(|count| *count == point.count()));
            },
        );
    }
}
