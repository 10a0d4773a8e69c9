//! The protobuf page, ITR-11 of docs/behaviour.md: read by another decoder, and compared with the page of OpenMetrics.

#[path = "common/messages.rs"]
mod messages;
#[path = "common/pages.rs"]
mod pages;

use std::sync::Arc;

use manometer::{
    encode::{Format, Page, encode},
    model::{Exemplar, ExemplarAt, MetricFamily, MetricSet, MetricType, MetricType::*, Points, Timestamp},
};
use messages::{Metric, decode};
use pages::{CREATED, buckets, labelled, metadata, page, quantiles, single, totals, values, with_unit};
use proptest::prelude::*;

fn protobuf(families: Vec<MetricFamily>) -> (Vec<messages::MetricFamily>, usize) {
    let mut page = Vec::new();
    let skipped = encode(&MetricSet { families }, Format::Protobuf, &mut page);
    (decode(&page), skipped)
}

fn exemplar(bucket: usize, value: f64) -> ExemplarAt {
    let exemplar = Exemplar::new(&[("trace_id", "4bf92f35")], value, CREATED).expect("a short exemplar");
    ExemplarAt { row: 0, bucket, exemplar: Arc::new(exemplar) }
}

/// A family of every type.
fn all_types() -> Vec<MetricFamily> {
    let counter = Points::Counter { totals: vec![3, u64::MAX], created: vec![CREATED; 2] };
    let counter =
        labelled(metadata(Counter, "c").with_help("A \"c\"\n"), ["k", "l"], &[["", ""], ["a\"\\", "é"]], counter);
    let float = Points::FloatCounter { totals: vec![0.1], created: vec![Timestamp::from_millis(1)] };
    let gauge_histogram = Points::GaugeHistogram { cumulative: vec![1, 4], sums: vec![7.5] };
    let states = metadata(StateSet, "s").with_states(&["on \"", "off"]).expect("a valid family");
    let wide: Vec<f64> = (1..=200).map(f64::from).collect();
    let wide_points = Points::Histogram { cumulative: (0..=200).collect(), sums: vec![9.0], created: vec![] };
    vec![
        counter.with_exemplars(vec![exemplar(0, 1.0)]).expect("a valid family"),
        single(with_unit(Counter, "f", "seconds"), float),
        single(metadata(Gauge, "g"), values([f64::NAN])),
        single(metadata(Gauge, "u"), Points::UpDown { values: vec![-7] }),
        single(metadata(Histogram, "h").with_thresholds([0.5, 1.0].into()), buckets([1, 1, 3], 9.25))
            .with_exemplars(vec![exemplar(0, 0.25), exemplar(2, 5.0)])
            .expect("a valid family"),
        single(metadata(Histogram, "w").with_thresholds(wide.into()), wide_points),
        single(metadata(GaugeHistogram, "gh").with_thresholds([2.0].into()), gauge_histogram),
        single(metadata(Summary, "q").with_quantiles([0.5, 0.99].into()), quantiles(4, 10.0, [2.0, f64::NAN])),
        labelled(metadata(Info, "i"), ["version"], &[["1.2"]], Points::Info),
        single(states, Points::StateSet { on: vec![true, false] }),
        single(metadata(Unknown, "x"), Points::Unknown { values: vec![f64::NEG_INFINITY] }),
    ]
}

#[test]
fn itr_11_names_types_and_units_are_those_of_prometheus() {
    let (families, skipped) = protobuf(all_types());
    let heads: Vec<_> = families.iter().map(|family| (family.name.as_deref().unwrap(), family.kind.unwrap())).collect();
    let expected = [
        ("c_total", 0),
        ("f_seconds_total", 0),
        ("g", 1),
        ("u", 1),
        ("h", 4),
        ("w", 4),
        ("gh", 5),
        ("q", 2),
        ("i_info", 1),
        ("s", 1),
        ("x", 3),
    ];
    assert_eq!((heads, skipped), (expected.into(), 0));
    assert_eq!(families[0].help.as_deref(), Some("A \"c\"\n"));
    assert_eq!((families[1].help.as_deref(), families[1].unit.as_deref()), (None, Some("seconds")));
    let labels = &families[0].metric[1].label;
    assert_eq!((labels[0].value.as_deref(), labels[1].value.as_deref()), (Some("a\"\\"), Some("é")));
    assert!(families[0].metric[0].label.is_empty(), "an empty value is no label");
}

#[test]
fn itr_11_exemplars_and_creation_times_are_where_they_belong() {
    let (families, _) = protobuf(all_types());
    let time = messages::Timestamp { seconds: 1_795_239_171, nanos: 804_000_000 };
    let counter = families[0].metric[0].counter.as_ref().unwrap();
    assert_eq!(counter.created.as_ref(), Some(&time));
    let exemplar = counter.exemplar.as_ref().unwrap();
    assert_eq!((exemplar.value, exemplar.timestamp.as_ref()), (Some(1.0), Some(&time)));
    assert_eq!(exemplar.label[0].name.as_deref(), Some("trace_id"));
    let histogram = families[4].metric[0].histogram.as_ref().unwrap();
    let values: Vec<_> = histogram.bucket.iter().map(|bucket| bucket.exemplar.as_ref().and_then(|e| e.value)).collect();
    assert_eq!((values, histogram.created.as_ref()), (vec![Some(0.25), None, Some(5.0)], Some(&time)));

    let set = MetricSet { families: all_types() };
    let mut page = Vec::new();
    Page::new(&set, Format::Protobuf).without_created().fill(&mut page, usize::MAX);
    assert_eq!(decode(&page)[0].metric[0].counter.as_ref().unwrap().created, None);
}

#[test]
fn itr_11_a_negative_threshold_takes_neither_sum_nor_count_away() {
    let family = single(metadata(Histogram, "h").with_thresholds([-1.0].into()), buckets([1, 2], -5.0));
    let (families, _) = protobuf(vec![family]);
    let histogram = families[0].metric[0].histogram.as_ref().unwrap();
    assert_eq!((histogram.count, histogram.sum), (Some(2), Some(-5.0)));
}

/// Buckets of one sign as a reader has them: number and count.
fn unfold(spans: &[messages::Span], deltas: &[i64]) -> Vec<(i32, u64)> {
    let (mut number, mut count, mut deltas) = (0, 0, deltas.iter());
    let mut buckets = Vec::new();
    for span in spans {
        number += span.offset.expect("an offset");
        for _ in 0..span.length.expect("a length") {
            count += deltas.next().expect("a delta for each bucket");
            buckets.push((number, u64::try_from(count).expect("no count is below zero")));
            number += 1;
        }
    }
    assert_eq!(deltas.next(), None);
    buckets
}

#[test]
fn itr_11_a_native_histogram_has_its_buckets_and_no_others() {
    let registry = manometer::Registry::new();
    let options = manometer::NativeOptions::new().schema(1).zero_threshold(0.25).negative(true);
    let declared = registry.histogram("h").labels(["k"]).native(options).declare().expect("a valid family");
    for (value, times) in [(0.1, 2), (0.5, 5), (0.6, 1), (1.0, 3), (64.0, 9), (1e9, 1), (-8.0, 4), (-0.3, 6)] {
        (0..times).for_each(|_| declared.observe(("x",), value).expect("one value"));
    }
    let _empty = declared.with_labels(("y",)).expect("one value");
    let set = manometer::Collector::new(&registry).collect();
    let mut page = Vec::new();
    assert_eq!(encode(&set, Format::Protobuf, &mut page), 0);
    let families = decode(&page);
    let native = set.families[0].natives();
    for (metric, native) in families[0].metric.iter().zip(native) {
        let read = metric.histogram.as_ref().expect("a histogram");
        assert_eq!((read.count, read.sum), (Some(native.count()), Some(native.sum)));
        assert_eq!((read.schema, read.zero_threshold, read.zero_count), (Some(1), Some(0.25), Some(native.zero_count)));
        assert_eq!(unfold(&read.positive_span, &read.positive_delta), native.positive);
        assert_eq!(unfold(&read.negative_span, &read.negative_delta), native.negative);
        assert!(read.bucket.is_empty() && read.created.is_some());
    }
    assert_eq!((native[0].count(), native[0].zero_count, native[1].count()), (31, 2, 0));
    assert_eq!(native[0].positive.len(), 5);
    // 0.5 ends bucket -2, 1.0 ends bucket 0, and 0.6 is in the one between: they are one span.
    assert_eq!(families[0].metric[0].histogram.as_ref().unwrap().positive_span[0].length, Some(3));
}

/// What a registry with one native histogram has on its page, and what it collects.
fn native_message(registry: &manometer::Registry) -> (messages::Histogram, Arc<MetricSet>) {
    let set = manometer::Collector::new(registry).collect();
    let mut page = Vec::new();
    assert_eq!(encode(&set, Format::Protobuf, &mut page), 0);
    (decode(&page)[0].metric[0].histogram.clone().expect("a histogram"), set)
}

#[test]
fn itr_11_native_buckets_stand_beside_classic_ones() {
    let registry = manometer::Registry::new();
    let options = manometer::NativeOptions::new().schema(0);
    let both = registry.histogram("h").buckets([3.0, 4.0]).native(options).single().expect("a valid family");
    [2.5, 3.5, 3.75, 9.0].into_iter().for_each(|value| both.observe_with_exemplar(value, [("trace_id", "x")]));
    let (read, set) = native_message(&registry);
    let buckets: Vec<_> =
        read.bucket.iter().map(|bucket| (bucket.upper.unwrap(), bucket.cumulative.unwrap())).collect();
    assert_eq!(
        (buckets.as_slice(), read.count, read.sum),
        (&[(3.0, 1), (4.0, 3), (f64::INFINITY, 4)][..], Some(4), Some(18.75))
    );
    assert_eq!((read.schema, read.zero_count), (Some(0), Some(0)));
    assert_eq!(unfold(&read.positive_span, &read.positive_delta), [(2, 3), (4, 1)]);
    assert_eq!(unfold(&read.positive_span, &read.positive_delta), set.families[0].natives()[0].positive);
    let exemplars: Vec<_> =
        read.bucket.iter().map(|bucket| bucket.exemplar.as_ref().and_then(|exemplar| exemplar.value)).collect();
    assert_eq!((exemplars, read.exemplars.len()), (vec![Some(2.5), Some(3.75), Some(9.0)], 0));
}

#[test]
fn itr_11_native_histograms_have_exemplars_with_times() {
    let registry = manometer::Registry::new();
    let alone = registry.histogram("h").native(manometer::NativeOptions::new()).single().expect("a valid family");
    [0.3, 0.26, 1.5, 70.0].into_iter().for_each(|value| alone.observe_with_exemplar(value, [("trace_id", "4bf92f35")]));
    let (read, _) = native_message(&registry);
    let mut values: Vec<_> = read.exemplars.iter().map(|exemplar| exemplar.value.unwrap()).collect();
    values.sort_by(f64::total_cmp);
    assert_eq!((values, read.bucket.len()), (vec![0.26, 1.5, 70.0], 0));
    for exemplar in &read.exemplars {
        assert!(exemplar.timestamp.as_ref().is_some_and(|time| time.seconds > 0));
        assert_eq!(exemplar.label[0].value.as_deref(), Some("4bf92f35"));
    }
}

#[test]
fn itr_11_an_empty_native_histogram_says_that_it_is_one() {
    let registry = manometer::Registry::new();
    let options = manometer::NativeOptions::new().zero_threshold(0.0);
    let _handle = registry.histogram("h").native(options).single().expect("a valid family");
    let mut page = Vec::new();
    encode(&manometer::Collector::new(&registry).collect(), Format::Protobuf, &mut page);
    let families = decode(&page);
    let read = families[0].metric[0].histogram.as_ref().expect("a histogram");
    let span = messages::Span { offset: Some(0), length: Some(0) };
    assert_eq!((read.positive_span.as_slice(), read.count), ([span].as_slice(), Some(0)));
}

#[test]
fn itr_09_itr_11_what_no_page_can_show_is_left_out_of_messages_too() {
    let floats = |totals: Vec<f64>| Points::FloatCounter { totals, created: vec![] };
    let some = labelled(metadata(Counter, "a"), ["k"], &[["x"], ["y"]], floats(vec![f64::NAN, 1.0]));
    let none = single(metadata(Counter, "b"), floats(vec![-1.0]));
    let (families, skipped) = protobuf(vec![some, none, single(metadata(Counter, "c"), totals([1]))]);
    let metrics: Vec<_> =
        families.iter().map(|family| (family.name.as_deref().unwrap(), family.metric.len())).collect();
    assert_eq!((metrics, skipped), (vec![("a_total", 1), ("c_total", 1)], 2));
    assert_eq!(protobuf(vec![]), (vec![], 0));
}

#[test]
fn itr_10_itr_11_pieces_make_the_page() {
    let set = MetricSet { families: all_types() };
    let mut whole = Vec::new();
    encode(&set, Format::Protobuf, &mut whole);
    for at_least in [1, 7, 100, 1000] {
        let mut page = Page::new(&set, Format::Protobuf);
        let mut pieces = Vec::new();
        while page.fill(&mut pieces, at_least) {}
        assert!(pieces == whole, "in pieces of {at_least}");
    }
}

/// What a sample says: its name with its labels, and its value; then its exemplar's value, if it has one.
type Line = (String, u64, Option<u64>);

fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
}

/// The samples of the page of OpenMetrics.
fn lines_of_text(families: Vec<MetricFamily>) -> Vec<Line> {
    let (page, _) = page(Format::OpenMetrics, families);
    let number = |text: &str| bits(text.parse::<f64>().expect("a line of a page"));
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let line = |line: &str| {
        let (line, exemplar) = line.split_once(" # ").map_or((line, None), |(line, exemplar)| (line, Some(exemplar)));
        let (series, value) = line.rsplit_once(' ').expect("a line of a page");
        let exemplar = exemplar.map(|text| number(text.rsplit(' ').nth(1).expect("a line of a page")));
        (series.to_owned(), number(value), exemplar)
    };
    lines.map(line).collect()
}

/// The same of messages, given the types of their families.
fn lines_of_messages(families: &[messages::MetricFamily], kinds: &[MetricType]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (family, kind) in families.iter().zip(kinds) {
        let name = family.name.as_deref().expect("every family has a name");
        for metric in &family.metric {
            flatten(name.strip_suffix("_total").unwrap_or(name), *kind, metric, &mut lines);
        }
    }
    lines
}

fn flatten(name: &str, kind: MetricType, metric: &Metric, lines: &mut Vec<Line>) {
    let mut put = |suffix: &str, extra: Option<(&str, f64)>, value: f64, exemplar: Option<&messages::Exemplar>| {
        let labels = metric.label.iter().map(|label| {
            let value = label
                .value
                .as_deref()
                .expect("it is written even where it is zero")
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            format!("{}=\"{value}\"", label.name.as_deref().expect("it is written even where it is zero"))
        });
        let extra = extra.map(|(label, bound)| match bound {
            f64::INFINITY => format!("{label}=\"+Inf\""),
            bound => format!("{label}=\"{bound:?}\""),
        });
        let labels: Vec<_> = labels.chain(extra).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let exemplar = exemplar.map(|exemplar| bits(exemplar.value.expect("it is written even where it is zero")));
        lines.push((format!("{name}{suffix}{labels}"), bits(value), exemplar));
    };
    let seconds = |time: &messages::Timestamp| {
        format!("{}.{:09}", time.seconds, time.nanos).parse::<f64>().expect("it is written even where it is zero")
    };
    if let Some(gauge) = metric.gauge.as_ref().or(metric.untyped.as_ref()) {
        put("", None, gauge.value.expect("it is written even where it is zero"), None);
    }
    if let Some(counter) = &metric.counter {
        put("_total", None, counter.value.expect("it is written even where it is zero"), counter.exemplar.as_ref());
        counter.created.iter().for_each(|time| put("_created", None, seconds(time), None));
    }
    if let Some(histogram) = &metric.histogram {
        for bucket in &histogram.bucket {
            let count = bucket.cumulative.expect("it is written even where it is zero") as f64;
            put(
                "_bucket",
                Some(("le", bucket.upper.expect("it is written even where it is zero"))),
                count,
                bucket.exemplar.as_ref(),
            );
        }
        let [sum, count] = if kind == GaugeHistogram { ["_gsum", "_gcount"] } else { ["_sum", "_count"] };
        put(sum, None, histogram.sum.expect("it is written even where it is zero"), None);
        put(count, None, histogram.count.expect("it is written even where it is zero") as f64, None);
        histogram.created.iter().for_each(|time| put("_created", None, seconds(time), None));
    }
    if let Some(summary) = &metric.summary {
        for quantile in &summary.quantile {
            put(
                "",
                Some(("quantile", quantile.quantile.expect("it is written even where it is zero"))),
                quantile.value.expect("it is written even where it is zero"),
                None,
            );
        }
        put("_sum", None, summary.sum.expect("it is written even where it is zero"), None);
        put("_count", None, summary.count.expect("it is written even where it is zero") as f64, None);
        summary.created.iter().for_each(|time| put("_created", None, seconds(time), None));
    }
}

#[test]
fn itr_11_every_type_says_what_openmetrics_says() {
    let kinds: Vec<_> = all_types().iter().map(|family| family.metadata().kind()).collect();
    assert_eq!(lines_of_messages(&protobuf(all_types()).0, &kinds), lines_of_text(all_types()));
}

proptest! {
    #[test]
    fn itr_11_messages_and_openmetrics_say_the_same(
        value in any::<String>(),
        total in any::<u64>(),
        level in any::<i64>(),
        gauge in any::<f64>(),
        float in 0.0..f64::MAX,
        counts in prop::collection::vec(any::<u32>(), 3),
        sum in 0.0..1e300,
        millis in 0..10_000_000_000_000u64,
        observed in any::<u32>(),
    ) {
        let created = vec![Timestamp::from_millis(millis)];
        let mut cumulative: Vec<u64> = counts.iter().map(|&count| count.into()).collect();
        cumulative.sort();
        let counter = Points::Counter { totals: vec![total], created: created.clone() };
        let histogram = Points::Histogram { cumulative: cumulative.clone(), sums: vec![sum], created: created.clone() };
        let histogram = single(metadata(Histogram, "h").with_thresholds([0.5, 1.5].into()), histogram);
        let now = Points::GaugeHistogram { cumulative, sums: vec![sum] };
        let summary = Points::Summary { counts: vec![total], sums: vec![sum], quantiles: vec![float], created: created.clone() };
        let families = vec![
            labelled(metadata(Counter, "c"), ["k"], &[[&value]], counter),
            single(metadata(Counter, "f"), Points::FloatCounter { totals: vec![float], created }),
            single(metadata(Gauge, "g"), values([gauge])),
            single(metadata(Gauge, "u"), Points::UpDown { values: vec![level] }),
            histogram.with_exemplars(vec![exemplar(1, f64::from(observed))]).unwrap(),
            single(metadata(GaugeHistogram, "n").with_thresholds([0.5, 1.5].into()), now),
            single(metadata(Summary, "s").with_quantiles([0.5].into()), summary),
            single(metadata(Unknown, "x"), Points::Unknown { values: vec![gauge] }),
        ];
        let kinds: Vec<_> = families.iter().map(|family| family.metadata().kind()).collect();
        prop_assert_eq!(lines_of_messages(&protobuf(families.clone()).0, &kinds), lines_of_text(families));
    }
}
