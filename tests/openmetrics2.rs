//! The page of OpenMetrics 2.0 (ITR-12 of `docs/behaviour.md`): as it has to be, and with the numbers of the page of 1.0.

#[path = "common/pages.rs"]
mod pages;
#[path = "common/translate.rs"]
mod translate;

use std::{collections::BTreeSet, sync::Arc};

use manometer::encode::{Format, Page};
use manometer::model::{Exemplar, ExemplarAt, LabelTable, MetricFamily, MetricSet, MetricType, Points, Timestamp};
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

proptest! {
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
