//! Quantiles of summaries (section 8 of `docs/behaviour.md`), on a clock that is moved by hand.

mod common;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use common::{
    each_engine,
    managers::{HandClock, noting, until},
    registry,
};
use manometer::{
    DeclareError, Manager, Measure, Registry, RegistryOptions, Summary, collect,
    model::{QuantileRule, Settings},
};
use sketches_ddsketch::{Config, DDSketch};

const INTERVAL: f64 = 10.0;

/// A manager, whose registry goes by a clock that is moved by hand.
fn by_hand() -> (Manager, Registry, HandClock) {
    let clock = HandClock::default();
    let (builder, _) = noting();
    let manager = builder.manual().clock(clock.clone()).build().expect("no trouble in a test");
    let registry = manager.registry().expect("enabled").clone();
    (manager, registry, clock)
}

fn summary(registry: &Registry, quantiles: &[f64]) -> Summary {
    let declaration = registry.summary("wait").quantiles(quantiles.iter().copied());
    declaration.interval(Duration::from_secs_f64(INTERVAL)).single().expect("nothing is wrong with it")
}

fn values(summary: &Summary) -> Vec<f64> {
    summary.quantiles().into_iter().map(|(_, value)| value).collect()
}

/// The samples of the page that are not the manager's own.
fn samples(registry: &Registry) -> Vec<String> {
    common::samples(registry).into_iter().filter(|line| !line.starts_with("prosody_stats")).collect()
}

/// Ends a window whose quantiles differ from those of the one before, and waits for them.
fn end_window(clock: &HandClock, summary: &Summary) -> Vec<f64> {
    let before = values(summary);
    let differs = |now: &[f64]| now.iter().zip(&before).any(|(now, before)| now.to_bits() != before.to_bits());
    clock.advance(INTERVAL);
    until("the quantiles of the window", || differs(&values(summary)));
    values(summary)
}

fn exact(sorted: &[f64], quantile: f64) -> f64 {
    sorted[((quantile * sorted.len() as f64).ceil() as usize).max(1) - 1]
}

#[test]
fn sum_02_quantiles_and_interval_go_together() {
    let registry = registry();
    let declare = |quantiles: &[f64], seconds: Option<f64>| {
        let declaration = registry.summary("s").quantiles(quantiles.iter().copied());
        match seconds {
            Some(seconds) => declaration.interval(Duration::from_secs_f64(seconds)).single(),
            None => declaration.single(),
        }
    };
    let family = || "s".to_owned();
    let invalid = |given, rule| Some(DeclareError::InvalidQuantiles { family: family(), given, rule });
    assert_eq!(declare(&[0.5], None).err(), Some(DeclareError::MissingInterval { family: family() }));
    for outside in [-0.1, 1.1, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(declare(&[0.5, outside], Some(1.0)).err(), invalid(outside, QuantileRule::OutOfRange));
    }
    let nan = declare(&[f64::NAN], Some(1.0)).unwrap_err();
    assert_eq!(nan.to_string(), "quantile NaN of family \"s\" is not from 0 to 1");
    assert_eq!(declare(&[0.9, 0.5, 0.9], Some(1.0)).err(), invalid(0.9, QuantileRule::Duplicate));
    assert_eq!(declare(&[0.0, -0.0], Some(1.0)).err(), invalid(0.0, QuantileRule::Duplicate));
    assert_eq!(declare(&[0.5], Some(0.0)).err(), invalid(0.0, QuantileRule::Interval));
    assert!(registry.metadata("s").is_none(), "nothing was declared");

    let alone = declare(&[], Some(5.0)).expect("an interval alone is legal");
    assert_eq!((alone.metadata().quantiles().len(), alone.metadata().interval()), (0, None));
    registry.remove("s");
    let sorted = declare(&[1.0, 0.0, 0.5], Some(5.0)).expect("any order");
    assert_eq!(**sorted.metadata().quantiles(), [0.0, 0.5, 1.0]);
    assert_eq!(sorted.metadata().interval(), Some(Duration::from_secs(5)));
}

#[test]
fn reg_06_other_quantiles_or_another_interval_are_a_difference() {
    let strict = RegistryOptions::new().strict_declarations(true).build();
    let declare =
        |quantile, seconds| strict.summary("s").quantiles([quantile]).interval(Duration::from_secs(seconds)).single();
    declare(0.5, 5).expect("the first");
    declare(0.5, 5).expect("the same");
    for (refused, differs) in [(declare(0.9, 5), "quantiles"), (declare(0.5, 6), "interval")] {
        match refused {
            Err(DeclareError::Conflict { field, .. }) => assert_eq!(field, differs),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn sum_03_quantiles_are_those_of_all_samples_to_one_per_cent() {
    const QUANTILES: [f64; 8] = [0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0];
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut unit = { move || (random() >> 11) as f64 / (1u64 << 53) as f64 };
    let n = 4 * common::ROUNDS;
    let mut drawn = |of: &dyn Fn(f64) -> f64| (0..n).map(|_| of(unit())).collect::<Vec<f64>>();
    let sets = [
        ("latencies", drawn(&|u| 0.001 * (-(1.0 - u).ln()).exp2())),
        ("even", drawn(&|u| 1.0 + u * 99.0)),
        ("heavy tail", drawn(&|u| (1.0 - u).powi(-3))),
        ("the whole range", drawn(&|u| f64::from_bits((u * f64::INFINITY.to_bits() as f64) as u64))),
        ("subnormal", drawn(&|u| f64::from_bits((u * u * (1u64 << 52) as f64) as u64))),
        ("with zeros", drawn(&|u| if u < 0.4 { 0.0 } else { u })),
        ("one value", vec![0.1; n]),
        ("a few", vec![3.0, 1.0, 2.0]),
        ("ends", vec![f64::MAX, 5e-324, 0.0, -0.0, f64::MIN_POSITIVE]),
    ];
    each_engine(|engine| {
        for (name, samples) in &sets {
            let (_manager, registry, clock) = by_hand();
            let summary = summary(&registry, &QUANTILES);
            engine.spread(samples.len(), |index| summary.observe(samples[index]));
            let shown = end_window(&clock, &summary);
            // `spread` says itself how often it repeats: all samples, one or more times.
            let times = summary.count() as usize / samples.len();
            let mut sorted: Vec<f64> = samples.iter().copied().cycle().take(times * samples.len()).collect();
            sorted.sort_by(f64::total_cmp);
            let mut rival = DDSketch::new(Config::new(0.01, 1 << 20, 1e-300));
            sorted.iter().for_each(|value| rival.add(*value));
            for (quantile, shown) in QUANTILES.into_iter().zip(shown) {
                let exact = exact(&sorted, quantile);
                let extreme = quantile == 0.0 || quantile == 1.0;
                let allowed = if extreme { 0.0 } else { exact * 0.01 };
                assert!((shown - exact).abs() <= allowed, "{engine:?}, {name}, q {quantile}: {shown:e}, not {exact:e}");
                // The rival counts ranks from 0 and rounds down, so it may name the neighbour.
                let near = rival.quantile(quantile).expect("a quantile").expect("samples");
                let rank = ((quantile * (sorted.len() - 1) as f64) as usize).min(sorted.len() - 1);
                let of_rival = sorted[rank];
                if (1e-290..1e290).contains(&of_rival) {
                    assert!(
                        (near - of_rival).abs() <= of_rival * 0.011,
                        "{name}, q {quantile}: the rival says {near:e}"
                    );
                }
            }
        }
    });
}

#[test]
fn sum_04_windows_follow_the_clock_and_not_those_who_read() {
    let (manager, registry, clock) = by_hand();
    let summary = summary(&registry, &[0.0, 1.0]);
    summary.observe(1.0);
    summary.observe(2.0);
    clock.advance(INTERVAL - 1.0);
    clock.settle();
    assert!(values(&summary).iter().all(|value| value.is_nan()), "no boundary has passed");
    clock.advance(1.0);
    until("the first window", || values(&summary) == [1.0, 2.0]);
    // The next window has begun already; nobody who reads, collects or scrapes ends it.
    summary.observe(5.0);
    for _ in 0..20 {
        manager.collect().expect("asked in manual mode");
        assert_eq!(values(&summary), [1.0, 2.0]);
        assert!(samples(&registry).contains(&"wait{quantile=\"1.0\"} 2".to_owned()));
    }
    clock.advance(INTERVAL);
    until("the second window", || values(&summary) == [5.0, 5.0]);
    assert_eq!((summary.count(), summary.sum()), (3, 8.0), "count and sum go on");
    // Boundaries are at whole intervals from the declaration, however late one is noticed.
    summary.observe(6.0);
    clock.advance(1.5 * INTERVAL);
    until("the third window", || values(&summary) == [6.0, 6.0]);
    summary.observe(7.0);
    clock.advance(0.5 * INTERVAL);
    until("the fourth window", || values(&summary) == [7.0, 7.0]);
}

#[test]
fn sum_04_a_sample_at_a_boundary_is_in_one_window() {
    const WINDOWS: usize = 12;
    let (_manager, registry, clock) = by_hand();
    let summary = summary(&registry, &[0.0, 1.0]);
    let stopped = AtomicBool::new(false);
    let mut seams = Vec::new();
    thread::scope(|scope| {
        // Each value is one more than the one before, so the seam between two windows shows what got lost or counted twice.
        scope.spawn(|| {
            (1..).take_while(|_| !stopped.load(Ordering::Relaxed)).for_each(|n| summary.observe(f64::from(n)))
        });
        let mut last = None;
        for _ in 0..WINDOWS {
            // A window without a sample would leave the seam open.
            let seen = summary.count();
            until("a sample in the window", || summary.count() > seen + 1000);
            let window = end_window(&clock, &summary);
            seams.extend(last.map(|last: f64| window[0] - last));
            last = Some(window[1]);
        }
        stopped.store(true, Ordering::Relaxed);
    });
    // A writer that had to wait for a core longer than the windows wait for it, in the middle of a sample, opens two seams.
    let open = seams.iter().filter(|seam| **seam != 1.0).count();
    assert!(open <= 4, "between windows: {seams:?}");
}

#[test]
fn sum_04_a_registry_without_a_manager_goes_by_the_system_s_clock() {
    let registry = registry();
    let wait = registry.summary("wait").quantiles([0.5]).interval(Duration::from_millis(50)).single().unwrap();
    let seen = || {
        wait.observe(0.25);
        !wait.quantiles()[0].1.is_nan()
    };
    until("a window of samples", seen);
    assert_eq!(wait.quantiles(), [(0.5, 0.25)], "one value is its own median");
    until("a window without", || wait.quantiles()[0].1.is_nan());
}

#[test]
fn sum_05_without_samples_a_quantile_is_not_a_number() {
    let (_manager, registry, clock) = by_hand();
    let summary = summary(&registry, &[0.5, 1.0]);
    let shown = || samples(&registry);
    let empty = ["wait{quantile=\"0.5\"} NaN", "wait{quantile=\"1.0\"} NaN"];
    assert_eq!(shown()[..2], empty);
    summary.observe(4.0);
    assert_eq!(shown()[..2], empty, "before the first boundary");
    end_window(&clock, &summary);
    assert_eq!(shown(), ["wait{quantile=\"0.5\"} 4", "wait{quantile=\"1.0\"} 4", "wait_sum 4", "wait_count 1"]);
    clock.advance(INTERVAL);
    until("a window without samples", || shown()[..2] == empty);
    assert_eq!(shown()[2..], ["wait_sum 4", "wait_count 1"]);
}

#[test]
fn sum_06_quantiles_come_first_and_ascend() {
    let (_manager, registry, clock) = by_hand();
    let family = registry.summary("wait").labels(["queue"]).quantiles([1.0, 0.99, 0.0]);
    let family = family.interval(Duration::from_secs_f64(INTERVAL)).declare().unwrap();
    family.observe(("a",), 1.0).unwrap();
    family.observe(("b",), 0.0).unwrap();
    family.observe(("b",), 8.0).unwrap();
    clock.advance(INTERVAL);
    until("quantiles of both", || samples(&registry).iter().all(|line| !line.ends_with("NaN")));
    let expected = [
        "wait{queue=\"a\",quantile=\"0.0\"} 1",
        "wait{queue=\"a\",quantile=\"0.99\"} 1",
        "wait{queue=\"a\",quantile=\"1.0\"} 1",
        "wait_sum{queue=\"a\"} 1",
        "wait_count{queue=\"a\"} 1",
        "wait{queue=\"b\",quantile=\"0.0\"} 0",
        "wait{queue=\"b\",quantile=\"0.99\"} 8",
        "wait{queue=\"b\",quantile=\"1.0\"} 8",
        "wait_sum{queue=\"b\"} 8",
        "wait_count{queue=\"b\"} 2",
    ];
    assert_eq!(samples(&registry), expected);
}

#[test]
fn sum_08_a_reset_clears_the_window_and_the_quantiles() {
    let (_manager, registry, clock) = by_hand();
    let summary = summary(&registry, &[0.0, 1.0]);
    summary.observe(1.0);
    end_window(&clock, &summary);
    [9.0, 2.0].into_iter().for_each(|value| summary.observe(value));
    assert_eq!(summary.reset().quantiles, [(0.0, 1.0), (1.0, 1.0)], "the final snapshot");
    assert!(values(&summary).iter().all(|value| value.is_nan()));
    summary.observe(3.0);
    assert_eq!(
        end_window(&clock, &summary),
        [3.0, 3.0],
        "not 2 and 9, which came before the reset; and 3 itself, though it lies between them"
    );
    assert_eq!((summary.count(), summary.sum()), (1, 3.0));
}

#[test]
fn reg_10_a_removed_series_leaves_nothing_to_the_next_one() {
    let (_manager, registry, clock) = by_hand();
    let family = registry.summary("wait").labels(["queue"]).quantiles([0.0, 1.0]);
    let family = family.interval(Duration::from_secs_f64(INTERVAL)).declare().unwrap();
    for round in 1..=3 {
        let value = f64::from(round);
        let handle = family.with_labels(("a",)).unwrap();
        handle.observe(value);
        handle.observe(1000.0 * value);
        assert_eq!(end_window(&clock, &handle), [value, 1000.0 * value]);
        handle.observe(0.5);
        family.remove(("a",)).unwrap();
        handle.observe(0.25);
        drop(handle);
        // A collection frees what nobody holds.
        collect(&registry);
    }
}

#[test]
fn mea_06_a_distribution_takes_quantiles_and_an_interval() {
    let (manager, registry, clock) = by_hand();
    let options =
        |interval: f64| Settings::new().with("quantiles", [0.5, 1.0]).with("interval", interval).with("unit", "bytes");
    let measure = manager.measure("size").configured("distribution".parse().unwrap(), options(INTERVAL)).unwrap();
    let Measure::Distribution(size) = measure else { panic!("a distribution") };
    size.observe(64.0);
    assert_eq!(end_window(&clock, size.instrument()), [64.0, 64.0]);
    assert!(samples(&registry).contains(&"prosody_size_bytes{quantile=\"0.5\"} 64".to_owned()));
    let built =
        manager.measure("built").distribution().quantiles([0.9]).interval(Duration::from_secs(1)).declare().unwrap();
    assert_eq!(built.instrument().quantiles().len(), 1);

    let refused =
        |options: Settings| manager.measure("m").configured("distribution".parse().unwrap(), options).unwrap_err();
    let family = || "prosody_m".to_owned();
    assert_eq!(refused(Settings::new().with("quantiles", [0.5])), DeclareError::MissingInterval { family: family() });
    let negative = DeclareError::InvalidQuantiles {
        family: "prosody_m_bytes".to_owned(),
        given: -1.0,
        rule: QuantileRule::Interval,
    };
    assert_eq!(refused(options(-1.0)), negative);
    let text = refused(Settings::new().with("quantiles", "0.5")).to_string();
    assert_eq!(text, "option quantiles of measure \"prosody_m\" is \"0.5\", which is not a list of numbers");
    let text = refused(Settings::new().with("interval", "soon")).to_string();
    assert_eq!(text, "option interval of measure \"prosody_m\" is \"soon\", which is not a number of seconds");
}
