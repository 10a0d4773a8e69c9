//! Numbers, samples and pages, by the ids of `docs/behaviour.md`.

#[path = "common/pages.rs"]
mod pages;

use std::sync::Arc;

use manometer::encode::{Format, Page, encode, samples, write};
use manometer::model::MetricType::{Counter, Gauge, Histogram, Summary};
use manometer::model::{
    CounterPoint, HistogramPoint, MetricFamily, MetricPoint, MetricSet, Number, Points, SummaryPoint,
};

use pages::{CREATED, buckets, labelled, metadata, page, quantiles, single, totals, values, with_unit};

#[test]
fn nam_08_samples_have_the_suffixes_of_their_type() {
    let suffixes = |family: &MetricFamily| -> Vec<_> {
        family.metrics().flat_map(|metric| samples(&metric)).map(|sample| sample.suffix).collect()
    };
    let counter = Points::FloatCounter { totals: vec![1.0], created: vec![CREATED] };
    assert_eq!(suffixes(&single(metadata(Counter, "c"), counter)), ["_total", "_created"]);
    assert_eq!(suffixes(&single(metadata(Gauge, "g"), values([1.0]))), [""]);
    let histogram = single(metadata(Histogram, "h").with_thresholds([1.0].into()), buckets([1, 1], 1.0));
    assert_eq!(suffixes(&histogram), ["_bucket", "_bucket", "_sum", "_count", "_created"]);
    let summary = metadata(Summary, "s").with_quantiles([0.5].into());
    assert_eq!(suffixes(&single(summary, quantiles(1, 1.0, [1.0]))), ["", "_sum", "_count"]);
}

#[test]
fn lab_10_keys_come_in_declared_order_and_the_extra_label_last() {
    let metadata = metadata(Histogram, "h");
    let family = labelled(metadata, ["z", "a"], &[["1", "2"]], buckets([1], 1.0));
    assert!(page(Format::Text, vec![family]).0.contains("h_bucket{z=\"1\",a=\"2\",le=\"+Inf\"} 1\n"));
}

#[test]
fn his_05_negative_thresholds_leave_buckets_and_creation_time() {
    let family = single(metadata(Histogram, "h").with_thresholds([-1.0].into()), buckets([1, 2], -5.0));
    for (format, created) in [(Format::OpenMetrics, true), (Format::Text, false)] {
        let (page, skipped) = page(format, vec![family.clone()]);
        assert_eq!((page.contains("h_sum") || page.contains("h_count"), skipped), (false, 0));
        assert_eq!(page.contains("h_created"), created);
    }
}

#[test]
fn his_06_thresholds_have_a_point_or_an_exponent() {
    let texts = [
        (0.001, "0.001"),
        (0.1, "0.1"),
        (1.0, "1.0"),
        (10.0, "10.0"),
        (1024.0, "1024.0"),
        (131_072.0, "131072.0"),
        (1_048_576.0, "1.048576e+06"),
        (33_554_432.0, "3.3554432e+07"),
        (1_073_741_824.0, "1.073741824e+09"),
        (1e15, "1e+15"),
        (1e-5, "1e-05"),
        (0.000_123_4, "0.0001234"),
        (0.000_012_34, "1.234e-05"),
        (999_999.5, "999999.5"),
        (1_000_000.5, "1.0000005e+06"),
        (120_000_000.0, "1.2e+08"),
        (0.0, "0.0"),
        (-2.5, "-2.5"),
        (-2e6, "-2e+06"),
        (1e300, "1e+300"),
        (5e-324, "5e-324"),
        (0.300_000_000_000_000_04, "0.30000000000000004"),
    ];
    for (threshold, text) in texts {
        let metadata = metadata(Histogram, "h").with_thresholds([threshold].into());
        assert_eq!(metadata.threshold_text(0), text);
        assert_eq!(metadata.threshold_text(1), "+Inf");
        assert_eq!(text.parse(), Ok(threshold));
    }
}

#[test]
fn sum_06_quantiles_ascend_before_sum_and_count() {
    let metadata = metadata(Summary, "s").with_quantiles([0.0, 0.99].into());
    let (page, _) = page(Format::Text, vec![single(metadata, quantiles(2, 3.0, [1.0, 2.0]))]);
    assert_eq!(page, "# TYPE s summary\ns{quantile=\"0.0\"} 1\ns{quantile=\"0.99\"} 2\ns_sum 3\ns_count 2\n");
}

#[test]
fn reg_04_a_family_without_series_prints_its_metadata() {
    let empty = || labelled(metadata(Counter, "c").with_help("Help"), ["a"], &[], totals([]));
    assert!(empty().is_empty());
    assert_eq!(page(Format::OpenMetrics, vec![empty()]).0, "# TYPE c counter\n# HELP c Help\n# EOF\n");
    assert_eq!(page(Format::Text, vec![empty()]).0, "# TYPE c_total counter\n# HELP c_total Help\n");
}

#[test]
fn itr_02_samples_come_in_order_with_their_text() {
    let family = single(metadata(Histogram, "h").with_thresholds([0.1].into()), buckets([1, 3], 2.5));
    let samples = samples(&family.metrics().next().unwrap());
    let lines = samples.iter().map(|sample| (sample.suffix, sample.extra.clone(), sample.value.as_str()));
    let expected = [
        ("_bucket", Some(("le".to_owned(), "0.1".to_owned())), "1"),
        ("_bucket", Some(("le".to_owned(), "+Inf".to_owned())), "3"),
        ("_sum", None, "2.5"),
        ("_count", None, "3"),
        ("_created", None, "1795239171.804"),
    ];
    assert_eq!(lines.collect::<Vec<_>>(), expected);
}

#[test]
fn itr_03_points_are_read_directly() {
    let point = |family: &MetricFamily| family.metrics().last().unwrap().point();
    let counter = labelled(metadata(Counter, "c"), ["a"], &[["x"], ["y"]], totals([1, 2]));
    let total = Number::Unsigned(2);
    assert_eq!(point(&counter), MetricPoint::Counter(CounterPoint { total, created: None }));
    let gauge = single(metadata(Gauge, "g"), Points::UpDown { values: vec![-2] });
    assert_eq!(point(&gauge), MetricPoint::Gauge(Number::Signed(-2)));

    let histogram = single(metadata(Histogram, "h").with_thresholds([1.0].into()), buckets([1, 3], 2.5));
    let MetricPoint::Histogram(read) = point(&histogram) else { panic!("a histogram's point") };
    assert_eq!(read.count(), 3);
    let expected =
        HistogramPoint { thresholds: [1.0].into(), cumulative: vec![1, 3], sum: 2.5, created: Some(CREATED) };
    assert_eq!(read, expected);

    let summary = single(metadata(Summary, "s").with_quantiles([0.5].into()), quantiles(1, 2.0, [2.0]));
    let expected = SummaryPoint { count: 1, sum: 2.0, quantiles: vec![(0.5, 2.0)], created: None };
    assert_eq!(point(&summary), MetricPoint::Summary(expected));
    assert_eq!(
        (Number::Signed(-2).as_f64(), Number::Unsigned(2).as_f64(), CREATED.as_secs_f64()),
        (-2.0, 2.0, 1_795_239_171.804)
    );
}

#[test]
fn itr_04_families_come_in_the_order_of_the_set_then_the_end_mark() {
    let size = with_unit(Gauge, "size", "bytes").with_help("Size");
    let (page, _) =
        page(Format::OpenMetrics, vec![single(size, values([1.0])), single(metadata(Gauge, "a"), values([2.0]))]);
    let lines: Vec<_> = page.lines().collect();
    let size = ["# TYPE size_bytes gauge", "# UNIT size_bytes bytes", "# HELP size_bytes Size", "size_bytes 1"];
    assert_eq!(lines, [&size[..], &["# TYPE a gauge", "a 2", "# EOF"]].concat());
}

#[test]
fn itr_05_a_line_is_name_labels_and_value() {
    let labelled = labelled(metadata(Gauge, "g"), ["a", "b"], &[["", ""], ["x", "y"]], values([1.0, 2.0]));
    assert_eq!(page(Format::Text, vec![labelled]).0, "# TYPE g gauge\ng 1\ng{a=\"x\",b=\"y\"} 2\n");
}

#[test]
fn itr_06_values_have_the_fewest_digits_that_read_back() {
    let texts = [
        (0.0, "0"),
        (-0.0, "-0"),
        (3.0, "3"),
        (-12.5, "-12.5"),
        (0.1, "0.1"),
        (1e15, "1000000000000000"),
        (9_007_199_254_740_991.0, "9007199254740991"),
        (9_007_199_254_740_992.0, "9007199254740992.0"),
        (1e16, "1e+16"),
        (1.5e300, "1.5e+300"),
        (0.000_01, "0.00001"),
        (0.000_009_5, "9.5e-06"),
        (1e-10, "1e-10"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
        (f64::NAN, "NaN"),
        (-f64::NAN, "NaN"),
    ];
    for (value, text) in texts {
        assert_eq!(Number::Float(value).to_string(), text);
    }
    assert_eq!(Number::Unsigned((1 << 53) + 1).to_string(), "9007199254740993");
    assert_eq!(
        format!("{:5}|{:.1}|{:12}|", Number::Signed(-7), Number::Float(0.25), Histogram),
        "   -7|0.25|histogram   |"
    );
}

#[test]
fn itr_08_text_has_the_samples_that_it_knows() {
    let cpu = with_unit(Counter, "cpu", "seconds").with_help("\"CPU\"");
    let points = Points::Counter { totals: vec![1], created: vec![CREATED] };
    let text = "# TYPE cpu_seconds_total counter\n# HELP cpu_seconds_total \"CPU\"\ncpu_seconds_total 1\n";
    assert_eq!(page(Format::Text, vec![single(cpu, points)]).0, text);
}

#[test]
fn itr_09_a_metric_that_cannot_be_shown_is_left_out_and_counted() {
    let rows = &[["a"], ["b"], ["c"]];
    let points = Points::FloatCounter { totals: vec![f64::NAN, 1.0, -1.0], created: vec![] };
    let (page, skipped) = page(Format::Text, vec![labelled(metadata(Counter, "c"), ["k"], rows, points)]);
    assert_eq!((page.as_str(), skipped), ("# TYPE c_total counter\nc_total{k=\"b\"} 1\n", 2));
}

#[test]
fn itr_10_a_page_in_pieces_is_the_same_page() {
    let names: Vec<_> = (0..40).map(|row| [format!("value {row:02}")]).collect();
    let rows: Vec<_> = names.iter().map(|[value]| [value.as_str()]).collect();
    let points = Points::Counter { totals: (0..40).collect(), created: vec![CREATED; 40] };
    let set = MetricSet {
        families: vec![
            labelled(metadata(Counter, "c"), ["k"], &rows, points),
            single(metadata(Histogram, "h").with_thresholds([0.1].into()), buckets([1, 3], 2.5)),
        ],
    };
    for format in [Format::OpenMetrics, Format::Text] {
        let (mut whole, mut written) = (Vec::new(), Vec::new());
        encode(&set, format, &mut whole);
        write(&set, format, &mut written).unwrap();
        assert_eq!(written, whole);
        for at_least in [1, 7, 100, 1000, usize::MAX] {
            let mut page = Page::new(Arc::new(set.clone()), format);
            let (mut joined, mut piece) = (Vec::new(), Vec::new());
            while page.fill(&mut piece, at_least) {
                assert!(
                    piece.ends_with(b"\n") && piece.len() >= at_least && piece.len() < at_least.saturating_add(300)
                );
                joined.append(&mut piece);
            }
            joined.append(&mut piece);
            assert_eq!(joined, whole);
            assert!(!page.fill(&mut piece, at_least) && piece.is_empty());
        }
    }
}
