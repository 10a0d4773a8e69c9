//! Native histograms: what they count, what they show, and what they refuse.

use std::{thread, time::Duration};

use manometer::{
    DeclareError, Histogram, MetricPoint, NativeHistogram, NativeOptions, Registry, RegistryOptions, ValueError,
    collect,
    encode::{self, Format},
    model::{ExemplarAt, NativeRule, ShapeError},
};

fn native(options: NativeOptions) -> Histogram {
    Registry::new().histogram("latency").native(options).single().expect("good options")
}

fn page(registry: &Registry, format: Format) -> String {
    let mut page = Vec::new();
    encode::encode(&collect(registry), format, &mut page);
    String::from_utf8(page).expect("text")
}

fn point(histogram: &Histogram) -> NativeHistogram {
    histogram.native_point().expect("it is native")
}

#[test]
fn a_native_point_agrees_with_itself_and_with_the_classic_one() {
    let latency = native(NativeOptions::new());
    for value in [0.0, 1e-50, 0.25, 0.26, 1.0, 1.0, 1e9] {
        latency.observe(value);
    }
    latency.observe_many(0.5, 3);
    let native = point(&latency);
    assert_eq!((native.schema, native.zero_count, native.count()), (3, 2, 10));
    assert_eq!(native.positive[0], (-16, 1), "0.25 is the upper bound of its bucket");
    assert!(native.positive.contains(&(0, 2)) && native.positive.contains(&(-8, 3)));
    let classic = latency.point();
    assert_eq!((classic.cumulative, classic.sum), (vec![10], native.sum));
}

#[test]
fn every_positive_float_has_a_bucket_that_holds_it() {
    for schema in -4..=8 {
        let latency = native(NativeOptions::new().schema(schema).zero_threshold(0.0).max_buckets(1_000_000));
        for power in (-1022..1024).step_by(7) {
            let value = f64::from(power).exp2() * 1.3;
            latency.reset();
            latency.observe(value);
            let native = point(&latency);
            let [(number, 1)] = native.positive[..] else { panic!("{value:e} is in {:?}", native.positive) };
            assert!(
                native.upper_bound(number) >= value && native.upper_bound(number - 1) < value,
                "{value:e} in {number}"
            );
        }
    }
}

#[test]
fn negative_values_are_refused_or_counted_as_declared() {
    let latency = native(NativeOptions::new());
    assert_eq!(latency.try_observe(-1.0), Err(ValueError::Negative));
    let registry = Registry::new();
    let options = NativeOptions::new().schema(0).negative(true);
    let drift = registry.histogram("drift").native(options).single().unwrap();
    drift.observe(-3.0);
    drift.observe(2.0);
    let native = point(&drift);
    assert_eq!((native.positive, native.negative, native.sum), (vec![(1, 1)], vec![(2, 1)], -1.0));
    let text = page(&registry, Format::OpenMetrics);
    assert!(text.contains("drift_bucket{le=\"+Inf\"} 2\n") && !text.contains("drift_sum"), "{text}");
}

#[test]
fn what_is_no_number_is_refused_and_counted() {
    let registry = Registry::new();
    let latency = registry.histogram("latency").native(NativeOptions::new()).single().unwrap();
    [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0].into_iter().for_each(|value| latency.observe(value));
    assert_eq!(latency.try_observe(f64::NAN), Err(ValueError::NotANumber));
    assert_eq!(latency.try_observe(f64::INFINITY), Err(ValueError::Infinite));
    let health = registry.health();
    assert_eq!((health.rejected_not_a_number, health.rejected_infinite, health.rejected_negative), (1, 2, 1));
    assert_eq!((latency.count(), point(&latency).count()), (0, 0));
}

#[test]
fn too_many_buckets_are_merged_and_no_count_is_lost() {
    for negative in [false, true] {
        let options = NativeOptions::new().schema(8).negative(negative).max_buckets(146);
        let latency = native(options);
        let mut sum = 0.0;
        for step in 0..4000 {
            let value = (f64::from(step) / 20.0 - 100.0).exp2() * if negative && step % 2 == 0 { -1.0 } else { 1.0 };
            latency.observe(value);
            sum += value;
        }
        let native = point(&latency);
        assert!(native.positive.len() + native.negative.len() <= 146 && native.schema < 8, "schema {}", native.schema);
        assert_eq!(native.count(), 4000);
        assert!((native.sum - sum).abs() <= 1e-9 * sum.abs());
        for (number, count) in native.positive {
            let (lower, upper) = (f64::from(number - 1), f64::from(number));
            let width = f64::from(-native.schema).exp2();
            let within = |step: &i32| {
                let place = f64::from(*step) / 20.0 - 100.0;
                place > lower * width && place <= upper * width && !(negative && step % 2 == 0)
            };
            assert_eq!(count, (0..4000).filter(within).count() as u64, "bucket {number}");
        }
    }
}

#[test]
fn text_shows_the_last_bucket_with_count_and_sum() {
    let registry = Registry::new();
    let latency = registry.histogram("latency").native(NativeOptions::new()).single().unwrap();
    latency.observe(0.5);
    latency.observe(1.25);
    let set = collect(&registry);
    for text in [page(&registry, Format::OpenMetrics), page(&registry, Format::Text)] {
        let samples: Vec<_> =
            text.lines().filter(|line| !line.starts_with('#') && !line.contains("_created")).collect();
        assert_eq!(samples, ["latency_bucket{le=\"+Inf\"} 2", "latency_sum 1.75", "latency_count 2"]);
    }
    let native = set.family("latency").unwrap().metric(0).unwrap().native().expect("it is native");
    assert_eq!((native.count(), native.sum), (2, 1.75));
}

#[test]
fn a_reset_takes_every_bucket_off() {
    let latency = native(NativeOptions::new());
    [0.0, 0.5, 8.0].into_iter().for_each(|value| latency.observe(value));
    assert_eq!(latency.reset().cumulative, [3]);
    assert_eq!(point(&latency).count(), 0);
    latency.observe(8.0);
    let native = point(&latency);
    assert_eq!((native.positive, native.zero_count, native.sum), (vec![(24, 1)], 0, 8.0));
}

#[test]
fn a_series_that_comes_again_begins_at_zero() {
    let registry = Registry::new();
    let family = registry.histogram("latency").labels(["to"]).native(NativeOptions::new()).declare().unwrap();
    for turn in 0..200 {
        let name = format!("peer{turn}");
        let latency = family.with_labels((name.as_str(),)).unwrap();
        [0.0, 0.001, 1.0, 1000.0].into_iter().for_each(|value| latency.observe(value));
        assert_eq!((point(&latency).count(), point(&latency).positive.len()), (4, 3), "turn {turn}");
        // What a reset took off one series is not taken off the next one.
        latency.reset();
        drop(latency);
        assert!(family.remove((name.as_str(),)).unwrap().is_some());
        collect(&registry);
    }
}

#[test]
fn a_cleared_family_hands_its_native_histograms_back() {
    let registry = Registry::new();
    let family = registry.histogram("latency").labels(["to"]).native(NativeOptions::new()).declare().unwrap();
    family.with_labels(("a",)).unwrap().observe(1.0);
    family.with_labels(("b",)).unwrap().observe(2.0);
    let cleared = family.clear();
    assert_eq!(cleared.natives().iter().map(NativeHistogram::count).collect::<Vec<_>>(), [1, 1]);
    let after = collect(&registry);
    assert!(after.family("latency").unwrap().natives().iter().all(|native| native.count() == 0 && native.sum == 0.0));
}

#[test]
fn an_idle_native_series_expires() {
    let registry = Registry::new();
    let family = registry.histogram("latency").labels(["to"]).native(NativeOptions::new());
    let family = family.expire_after(Duration::from_millis(1)).declare().unwrap();
    family.with_labels(("a",)).unwrap().observe(1.0);
    for _ in 0..100 {
        collect(&registry);
        thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(collect(&registry).family("latency").unwrap().len(), 0);
    family.with_labels(("a",)).unwrap().observe(4.0);
    assert_eq!(collect(&registry).family("latency").unwrap().natives()[0].positive, [(16, 1)]);
}

#[test]
fn snapshots_beside_writers_are_whole() {
    let latency = native(NativeOptions::new().max_buckets(1000));
    // Each value is a power of two of its own, so that buckets say what the sum must be.
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let latency = latency.clone();
            thread::spawn(move || (0..100_000).for_each(|step| latency.observe(f64::from(step % 40 - 20).exp2())))
        })
        .collect();
    let mut last = 0;
    while last < 400_000 {
        let native = point(&latency);
        let sum: f64 = native.positive.iter().map(|(number, count)| f64::from(number / 8).exp2() * *count as f64).sum();
        assert_eq!(native.sum, sum, "the sum is that of the buckets");
        assert!(native.count() >= last, "a snapshot went back");
        last = native.count();
    }
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    assert_eq!(point(&latency).count(), 400_000);
}

/// Values around the thresholds of [`both`], in and around zero buckets, and of every size.
const VALUES: [f64; 18] =
    [0.0, 1e-300, 1e-9, 0.09, 0.1, 0.11, 0.24, 0.25, 0.26, 0.3, 1.0, 1.01, 2.4, 2.5, 2.6, 77.0, 1e9, f64::MAX / 64.0];
const THRESHOLDS: [f64; 5] = [0.0, 0.1, 0.25, 1.0, 2.5];

#[test]
fn native_buckets_and_classic_ones_say_what_each_says_alone() {
    for options in [NativeOptions::new(), NativeOptions::new().schema(-4), NativeOptions::new().zero_threshold(0.25)] {
        let both = Registry::new().histogram("latency").buckets(THRESHOLDS).native(options).single().unwrap();
        let classic = Registry::new().histogram("latency").buckets(THRESHOLDS).single().unwrap();
        let alone = native(options);
        let compare = || {
            let (point, expected) = (both.point(), classic.point());
            assert_eq!((point.cumulative, point.sum), (expected.cumulative, expected.sum), "{options:?}");
            assert_eq!(self::point(&both), self::point(&alone));
        };
        for (value, times) in VALUES.into_iter().zip(1..) {
            [&both, &classic, &alone].into_iter().for_each(|latency| latency.observe_many(value, times));
            compare();
        }
        assert_eq!(both.thresholds(), THRESHOLDS);
        assert_eq!(both.reset().cumulative, classic.reset().cumulative);
        alone.reset();
        for value in VALUES.into_iter().step_by(3) {
            [&both, &classic, &alone].into_iter().for_each(|latency| assert_eq!(latency.try_observe(value), Ok(())));
            compare();
        }
    }
}

#[test]
fn beside_a_negative_threshold_native_buckets_take_negative_values() {
    let registry = Registry::new();
    let drift = registry.histogram("drift").buckets([-1.5, 0.0, 1.5]).native(NativeOptions::new().schema(0));
    let drift = drift.single().unwrap();
    [-7.0, -1.5, -1.25, 0.0, 1.25, 1.5, 1.75].into_iter().for_each(|value| drift.observe(value));
    assert_eq!(drift.point().cumulative, [2, 4, 6, 7]);
    let native = point(&drift);
    assert_eq!((native.negative, native.zero_count), (vec![(1, 2), (3, 1)], 1));
    assert_eq!((native.positive, native.sum), (vec![(1, 3)], -5.25));
    drop(drift);
    assert!(!page(&registry, Format::OpenMetrics).contains("drift_sum"), "as with any negative threshold");
}

#[test]
fn text_shows_the_classic_buckets_beside_native_ones() {
    let registry = Registry::new();
    let latency = registry.histogram("latency").buckets([0.5, 1.0]).native(NativeOptions::new()).single().unwrap();
    [0.5, 0.75, 3.0].into_iter().for_each(|value| latency.observe(value));
    for text in [page(&registry, Format::OpenMetrics), page(&registry, Format::Text)] {
        let samples: Vec<_> =
            text.lines().filter(|line| !line.starts_with('#') && !line.contains("_created")).collect();
        let expected = [
            "latency_bucket{le=\"0.5\"} 1",
            "latency_bucket{le=\"1.0\"} 2",
            "latency_bucket{le=\"+Inf\"} 3",
            "latency_sum 4.25",
            "latency_count 3",
        ];
        assert_eq!(samples, expected);
    }
}

#[test]
fn both_kinds_of_buckets_agree_in_every_point_beside_writers() {
    let registry = Registry::new();
    // 0.375 and 0.5 are in one native bucket of schema 0, which ends at 0.5 and is cut at 0.4.
    let options = NativeOptions::new().schema(0);
    let latency = registry.histogram("latency").buckets([0.4, 1.0]).native(options).single().unwrap();
    let writers: Vec<_> = (0..4)
        .map(|thread| {
            let latency = latency.clone();
            let values = [0.375, 0.5, 3.0];
            thread::spawn(move || (0..100_000).for_each(|step| latency.observe(values[(step + thread) % 3])))
        })
        .collect();
    let mut last = 0;
    while last < 400_000 {
        let set = collect(&registry);
        let metric = set.family("latency").unwrap().metric(0).unwrap();
        let (MetricPoint::Histogram(classic), Some(native)) = (metric.point(), metric.native()) else { panic!() };
        let [low, middle, all] = classic.cumulative[..] else { panic!("{:?}", classic.cumulative) };
        let sum = low as f64 * 0.375 + (middle - low) as f64 * 0.5 + (all - middle) as f64 * 3.0;
        assert_eq!((classic.sum, native.sum), (sum, sum), "the sum is that of the classic buckets");
        let of = |number| native.positive.iter().find(|bucket| bucket.0 == number).map_or(0, |bucket| bucket.1);
        assert_eq!((of(-1), of(2), native.count()), (middle, all - middle, all), "the native ones are theirs");
        assert!(all >= last, "a point went back");
        last = all;
    }
    writers.into_iter().for_each(|writer| writer.join().unwrap());
}

#[test]
fn exemplars_of_native_buckets_are_the_last_of_each_power_of_two() {
    let registry = Registry::new();
    let latency = registry.histogram("latency").native(NativeOptions::new().negative(true)).single().unwrap();
    let observe = |value: f64, id: &str| latency.observe_with_exemplar(value, [("trace_id", id)]);
    let shown = || -> Vec<f64> {
        let set = collect(&registry);
        let mut shown: Vec<f64> =
            set.families[0].metric(0).unwrap().exemplars().map(|(_, exemplar)| exemplar.value()).collect();
        shown.sort_by(f64::total_cmp);
        shown
    };
    [1.25, 1.5, 3.0, -3.0, 0.25, 100.0].into_iter().for_each(|value| observe(value, "early"));
    assert_eq!(shown(), [-3.0, 0.25, 1.5, 3.0, 100.0]);
    observe(f64::NAN, "refused");
    thread::sleep(Duration::from_millis(5));
    observe(2.5, "late");
    assert_eq!(shown(), [-3.0, 0.25, 1.5, 2.5, 100.0]);
    let latest = latency.exemplar(0).expect("the bucket of all values");
    assert_eq!((latest.value(), latency.exemplar(1)), (2.5, None));
    let beyond = vec![ExemplarAt { row: 0, bucket: 32, exemplar: latest }];
    let refused = collect(&registry).families[0].clone().with_exemplars(beyond).map(|_| ());
    assert_eq!(refused, Err(ShapeError::Exemplar { family: "latency".into(), row: 0, bucket: 32 }));
    let text = page(&registry, Format::OpenMetrics);
    assert!(text.contains("latency_bucket{le=\"+Inf\"} 7 # {trace_id=\"late\"} 2.5 "), "{text}");
    // However many powers of two there are, there are not more than 16 of one sign.
    (-1000..1000).for_each(|power| observe(f64::from(power).exp2(), "many"));
    assert_eq!(shown().len(), 1 + 16);
    latency.reset();
    assert!(shown().is_empty());
}

#[test]
fn exemplars_beside_classic_buckets_are_theirs() {
    let registry = Registry::new();
    let latency = registry.histogram("latency").buckets([1.0, 100.0]).native(NativeOptions::new()).single().unwrap();
    [0.25, 0.5, 3.0, 70.0].into_iter().for_each(|value| latency.observe_with_exemplar(value, [("trace_id", "x")]));
    let set = collect(&registry);
    let shown: Vec<_> =
        set.families[0].metric(0).unwrap().exemplars().map(|(bucket, exemplar)| (bucket, exemplar.value())).collect();
    assert_eq!(shown, [(0, 0.5), (1, 70.0)]);
}

#[test]
fn threads_that_ended_leave_their_observations() {
    let latency = native(NativeOptions::new());
    for step in 0..300 {
        let latency = latency.clone();
        thread::spawn(move || latency.observe(f64::from(step % 50 + 1))).join().unwrap();
    }
    assert_eq!((point(&latency).count(), latency.sum()), (300, 6.0 * 1275.0));
}

#[test]
fn options_that_cannot_be_are_named_with_their_rule() {
    let declare = |options| Registry::new().histogram("latency").native(options).declare().err();
    let invalid = |given, rule| Some(DeclareError::InvalidNative { family: "latency".to_owned(), given, rule });
    assert_eq!(declare(NativeOptions::new().schema(9)), invalid(9.0, NativeRule::Schema));
    assert_eq!(declare(NativeOptions::new().schema(-5)), invalid(-5.0, NativeRule::Schema));
    assert_eq!(declare(NativeOptions::new().zero_threshold(-0.5)), invalid(-0.5, NativeRule::ZeroThreshold));
    let infinite = NativeOptions::new().zero_threshold(f64::INFINITY);
    assert_eq!(declare(infinite), invalid(f64::INFINITY, NativeRule::ZeroThreshold));
    let nan = declare(NativeOptions::new().zero_threshold(f64::NAN)).expect("refused").to_string();
    assert!(nan.contains("NaN") && nan.contains("latency"), "{nan}");
    assert_eq!(declare(NativeOptions::new().max_buckets(71)), invalid(71.0, NativeRule::MaxBuckets { least: 72 }));
    assert_eq!(declare(NativeOptions::new().max_buckets(72)), None);
    // With negative values there may be as many once more.
    let both = |most| declare(NativeOptions::new().negative(true).max_buckets(most));
    assert_eq!((both(143), both(144)), (invalid(143.0, NativeRule::MaxBuckets { least: 144 }), None));
    let negative = NativeOptions::new().max_buckets(72);
    let both = Registry::new().histogram("latency").buckets([-1.0, 1.0]).native(negative).declare();
    assert_eq!(both.err(), invalid(72.0, NativeRule::MaxBuckets { least: 144 }), "negative values need buckets too");
}

#[test]
fn other_options_are_another_declaration() {
    let registry = RegistryOptions::new().strict_declarations(true).build();
    let declare = |options| registry.histogram("latency").native(options).declare();
    declare(NativeOptions::new()).unwrap();
    declare(NativeOptions::new()).unwrap();
    let error = declare(NativeOptions::new().schema(5)).expect_err("another schema");
    assert!(matches!(error, DeclareError::Conflict { field: "native", .. }), "{error}");
}
