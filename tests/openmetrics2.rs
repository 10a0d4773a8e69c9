//! The page of OpenMetrics 2.0 (ITR-12 of `docs/behaviour.md`): as it has to be, and with the numbers of the page of 1.0.

#[path = "common/composites.rs"]
mod composites;
#[path = "common/pages.rs"]
mod pages;
#[path = "common/translate.rs"]
mod translate;

use std::{collections::BTreeSet, sync::Arc};

use manometer::model::{Exemplar, ExemplarAt, LabelTable, MetricFamily, MetricSet, MetricType, Points, Timestamp};
use manometer::{
    NativeHistogram, NativeOptions, Registry, collect,
    encode::{Format, Page},
};
use proptest::prelude::*;

use pages::{CREATED, buckets, expect_page, labelled, metadata, page, quantiles, single, values, with_unit};
use translate::as_1_0;

fn exemplar(bucket: usize, labels: &[(&str, &str)], value: f64) -> ExemplarAt {
    let exemplar = Exemplar::new(labels, value, Timestamp::from_millis(1_520_879_607_789)).expect("short enough");
    ExemplarAt { row: 0, bucket, exemplar: Arc::new(exemplar) }
}

/// A family of each type, in each shape that a type has.
fn every_type() -> Vec<MetricFamily> {
    let sent = with_unit(MetricType::Counter, "sent", "bytes").with_help("S\"t");
    let sent_points = Points::Counter { totals: vec![u64::MAX, 0], created: vec![CREATED, CREATED] };
    let sent = labelled(sent, ["k"], &[["a"], ["b"]], sent_points);
    let busy = Points::FloatCounter { totals: vec![0.25], created: vec![] };
    let phase = metadata(MetricType::StateSet, "phase").with_states(&["up", "down"]).expect("good states");
    let latency = metadata(MetricType::Histogram, "latency").with_thresholds([0.1, 1.0].into());
    let heat = metadata(MetricType::Histogram, "heat").with_thresholds([-1.0].into());
    let queued = metadata(MetricType::GaugeHistogram, "queued").with_thresholds([1024.0].into());
    let sizes = metadata(MetricType::Summary, "sizes").with_quantiles([0.5, 0.99].into());
    let sizes_points =
        Points::Summary { counts: vec![3], sums: vec![4.5], quantiles: vec![1.5, f64::NAN], created: vec![CREATED] };
    let traced = [exemplar(1, &[("trace_id", "KOO5\"")], 0.67), exemplar(2, &[], 9.8)];
    vec![
        sent.with_exemplars(vec![exemplar(0, &[("trace_id", "x")], 3.0)]).expect("a row of it"),
        single(metadata(MetricType::Counter, "busy"), busy),
        single(metadata(MetricType::Gauge, "load"), values([f64::NAN])),
        single(metadata(MetricType::Gauge, "level"), Points::UpDown { values: vec![-3] }),
        single(metadata(MetricType::Unknown, "legacy"), Points::Unknown { values: vec![42.23] }),
        labelled(metadata(MetricType::Info, "build"), ["version"], &[["1\n4"]], Points::Info),
        labelled(phase, ["node"], &[["n"]], Points::StateSet { on: vec![false, true] }),
        single(latency, buckets([8, 11, 17], 324_789.3)).with_exemplars(traced.into()).expect("buckets of it"),
        single(heat, buckets([1, 1], -2.5)),
        single(queued, Points::GaugeHistogram { cumulative: vec![20, 42], sums: vec![3289.5] }),
        single(metadata(MetricType::Summary, "plain"), quantiles(2, 0.5, [])),
        single(sizes, sizes_points),
    ]
}

#[test]
fn itr_12_every_type_as_2_0_has_it() {
    expect_page("every_type", Format::OpenMetrics2, every_type());
}

#[test]
fn itr_12_the_numbers_are_those_of_1_0() {
    let (newer, skipped) = page(Format::OpenMetrics2, every_type());
    assert_eq!((as_1_0(&newer), skipped), page(Format::OpenMetrics, every_type()));
}

#[test]
fn itr_12_no_start_times_where_no_creation_times_are_wanted() {
    let mut out = Vec::new();
    Page::new(MetricSet { families: every_type() }, Format::OpenMetrics2).without_created().fill(&mut out, usize::MAX);
    let short = String::from_utf8(out).expect("a page is UTF-8");
    let mut whole = page(Format::OpenMetrics2, every_type()).0;
    assert_eq!(whole.matches(" st@1795239171.804").count(), 5);
    whole = whole.replace(" st@1795239171.804", "");
    assert_eq!(short, whole);
}

#[test]
fn itr_09_itr_12_a_metric_that_2_0_forbids_is_left_out() {
    let broken = metadata(MetricType::Histogram, "h").with_thresholds([1.0].into());
    let (text, skipped) = page(Format::OpenMetrics2, vec![single(broken, buckets([2, 1], 1.0))]);
    assert_eq!((text.as_str(), skipped), ("# TYPE h histogram\n# EOF\n", 1));
}

/// One histogram with native buckets, and with classic ones that end at `thresholds`.
fn native(name: &str, thresholds: &[f64], cumulative: &[u64], native: NativeHistogram) -> MetricFamily {
    let metadata = metadata(MetricType::Histogram, name).with_thresholds(thresholds.into());
    let metadata = metadata.with_native(NativeOptions::new().negative(true));
    let points = Points::Histogram { cumulative: cumulative.into(), sums: vec![native.sum], created: vec![CREATED] };
    single(metadata, points).with_natives(vec![native]).expect("one row")
}

#[test]
fn itr_12_native_buckets_come_before_classic_ones_and_alone_without_them() {
    let some = NativeHistogram {
        schema: 1,
        zero_threshold: 0.25,
        zero_count: 2,
        positive: vec![(-1, 5), (0, 3), (12, 9)],
        negative: vec![(3, 4), (4, 6)],
        sum: -1.5,
    };
    let none = NativeHistogram {
        schema: 3,
        zero_threshold: 1e-39,
        zero_count: 0,
        positive: vec![],
        negative: vec![],
        sum: 0.0,
    };
    let positive = NativeHistogram { negative: vec![], schema: -4, ..some.clone() };
    let traced = [exemplar(7, &[("trace_id", "a")], 0.67), exemplar(31, &[], -9.5)];
    let families = vec![
        native("alone", &[], &[29], some.clone()).with_exemplars(traced.into()).expect("places of it"),
        native("both", &[-1.0, 2.0], &[6, 20, 29], some),
        native("none", &[], &[0], none),
        native("positive", &[], &[19], positive),
    ];
    expect_page("native", Format::OpenMetrics2, families);
}

#[test]
fn itr_12_what_was_observed_is_read_back() {
    let registry = Registry::new();
    let options = NativeOptions::new().schema(4).negative(true);
    let alone = registry.histogram("alone").native(options).single().expect("a valid family");
    let both = registry.histogram("both").buckets([0.25, 8.0]).native(options).single().expect("a valid family");
    for step in -40..100 {
        let value = f64::from(step * step * step) / 1024.0;
        alone.observe_with_exemplar(value, [("step", "x")]);
        both.observe(value);
    }
    let (text, _) = page(Format::OpenMetrics2, collect(&registry).families);
    let [read_alone, read_both] = ["alone", "both"].map(|name| composites::read(&text, name));
    assert_eq!(
        (Some(&read_alone.native), Some(&read_both.native)),
        (alone.native_point().as_ref(), both.native_point().as_ref())
    );
    assert_eq!((read_alone.count, read_alone.classic), (140, None));
    let cumulative = both.point().cumulative;
    let classic = ["0.25", "8.0", "+Inf"].map(str::to_owned).into_iter().zip(cumulative).collect();
    assert_eq!((read_both.count, read_both.classic), (140, Some(classic)));
    assert!(read_alone.exemplars.len() > 10 && read_both.exemplars.is_empty(), "{text}");
}

/// A family of any type, with these label values, and numbers made from `seed`.
fn family(number: usize, kind: usize, rows: &BTreeSet<[String; 1]>, seed: &[u32], created: bool) -> MetricFamily {
    let name = format!("f{number}");
    let mut seeds = seed.iter().cycle().copied();
    let mut next = move || u64::from(seeds.next().expect("endless"));
    let mut floats = |count: usize| (0..count).map(|_| next() as f64 / 64.0).collect::<Vec<f64>>();
    let rising = |steps: Vec<f64>| {
        let mut total = 0;
        steps
            .iter()
            .map(|step| {
                total += *step as u64;
                total
            })
            .collect::<Vec<u64>>()
    };
    let length = rows.len();
    let times = if created { vec![CREATED; length] } else { vec![] };
    let thresholds = [if seed[0] % 2 == 0 { -0.5 } else { 0.25 }, 2.0, 1e30];
    let bucket_rows = |steps: Vec<f64>| steps.chunks(4).flat_map(|row| rising(row.to_vec())).collect::<Vec<u64>>();
    let (metadata, points) = match kind {
        0 => {
            let totals = floats(length).into_iter().map(|total| total as u64).collect();
            (metadata(MetricType::Counter, &name), Points::Counter { totals, created: times })
        }
        1 => (metadata(MetricType::Counter, &name), Points::FloatCounter { totals: floats(length), created: times }),
        2 => (metadata(MetricType::Gauge, &name), Points::Gauge { values: floats(length) }),
        3 => {
            let metadata = metadata(MetricType::Histogram, &name).with_thresholds(thresholds.into());
            let cumulative = bucket_rows(floats(4 * length));
            (metadata, Points::Histogram { cumulative, sums: floats(length), created: times })
        }
        4 => {
            let metadata = metadata(MetricType::GaugeHistogram, &name).with_thresholds(thresholds.into());
            (metadata, Points::GaugeHistogram { cumulative: bucket_rows(floats(4 * length)), sums: floats(length) })
        }
        _ => {
            let metadata = metadata(MetricType::Summary, &name).with_quantiles([0.5, 0.999].into());
            let counts = floats(length).into_iter().map(|count| count as u64).collect();
            (metadata, Points::Summary { counts, sums: floats(length), quantiles: floats(2 * length), created: times })
        }
    };
    let labels = LabelTable::new(&["k"], rows.iter().cloned()).expect("rows in order");
    let metadata = metadata.with_labels(&["k"]).expect("a valid key");
    MetricFamily::new(Arc::new(metadata), Arc::new(labels), points).expect("columns of the rows' length")
}

/// Buckets in order, none of them empty.
fn any_buckets() -> impl Strategy<Value = Vec<(i32, u64)>> {
    prop::collection::btree_map(-300..300i32, 1..u64::MAX / 1024, 0..12)
        .prop_map(|buckets| buckets.into_iter().collect())
}

proptest! {
    #[test]
    fn itr_12_any_native_histogram_is_read_back(
        schema in -4..9i32,
        (zero_threshold, zero_count) in (0.0..1e300, 0..100u64),
        (positive, negative) in (any_buckets(), any_buckets()),
        sum in -1e300..1e300,
    ) {
        let some = NativeHistogram { schema, zero_threshold, zero_count, positive, negative, sum };
        let count = some.count();
        let (text, skipped) = page(Format::OpenMetrics2, vec![native("h", &[], &[count], some.clone())]);
        let expected = composites::Read { count, native: some, classic: None, exemplars: vec![] };
        prop_assert_eq!((composites::read(&text, "h"), skipped), (expected, 0));
    }

    #[test]
    fn itr_12_any_page_says_what_that_of_1_0_says(
        kinds in prop::collection::vec(0..6usize, 0..6),
        rows in prop::collection::btree_set("[a-z\"\\\\\n{}, #é]{0,6}".prop_map(|value| [value]), 0..4),
        seed in prop::collection::vec(any::<u32>(), 1..40),
        created in any::<bool>(),
    ) {
        let families: Vec<MetricFamily> =
            kinds.iter().enumerate().map(|(number, &kind)| family(number, kind, &rows, &seed, created)).collect();
        let (newer, skipped) = page(Format::OpenMetrics2, families.clone());
        prop_assert_eq!((as_1_0(&newer), skipped), page(Format::OpenMetrics, families));
    }
}
