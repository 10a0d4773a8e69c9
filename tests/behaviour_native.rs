//! Native histograms: what they count, what they show, and what they refuse.

use std::{thread, time::Duration};

use manometer::{
    DeclareError, Histogram, NativeHistogram, NativeOptions, Registry, RegistryOptions, ValueError, collect,
    encode::{self, Format},
    model::NativeRule,
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
    let both = Registry::new().histogram("latency").buckets([1.0]).native(NativeOptions::new()).declare();
    assert_eq!(both.err(), invalid(1.0, NativeRule::BesideBuckets));
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
