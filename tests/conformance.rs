//! What OpenMetrics 1.0 and Prometheus text 0.0.4 demand of a page of counters, gauges, histograms and summaries.
//!
//! A case is named after the rule it shows, and its page stands whole in `tests/data/<format>` under the same name.
//! `ci/check_page.py` reads the same pages with the parser of the Prometheus project.

#[path = "common/pages.rs"]
mod pages;

use manometer::encode::{Format, encode};
use manometer::model::MetricType::{Counter, Gauge, GaugeHistogram, Histogram, Info, StateSet, Summary, Unknown};
use manometer::model::{
    DeclareError, LabelTable, Metadata, MetricFamily, MetricSet, MetricType, Points, ShapeError, check_keys,
    reserved_names,
};

use pages::{CREATED, buckets, expect_page, labelled, metadata, page, quantiles, single, totals, values, with_unit};

/// Makes a test of each case: the page of its families in its format is the text in the file of its name.
macro_rules! cases {
    ($($case:ident: $format:ident [$($family:expr),* $(,)?])*) => {
        $(
            #[test]
            fn $case() {
                expect_page(stringify!($case), Format::$format, vec![$($family),*]);
            }
        )*
    };
}

/// One family of each type, with all that a family can have.
fn every_type() -> Vec<MetricFamily> {
    let cpu = with_unit(Counter, "cpu", "seconds").with_help("CPU time spent");
    let depth = metadata(Gauge, "depth").with_help("Jobs in the queue");
    let latency = with_unit(Histogram, "latency", "seconds").with_help("Time to answer");
    let size = with_unit(Summary, "size", "bytes").with_help("Length of answers");
    vec![
        labelled(
            cpu,
            ["core", "mode"],
            &[["0", "idle"], ["0", "user"]],
            Points::FloatCounter { totals: vec![17.25, 3.0], created: vec![CREATED; 2] },
        ),
        single(depth, Points::UpDown { values: vec![-3] }),
        single(latency.with_thresholds([0.1, 1.0].into()), buckets([2, 5, 6], 9.75)),
        labelled(
            size.with_quantiles([0.5, 0.99].into()),
            ["path"],
            &[["/"]],
            Points::Summary {
                counts: vec![4],
                sums: vec![2048.0],
                quantiles: vec![512.0, 700.5],
                created: vec![CREATED],
            },
        ),
    ]
}

fn histogram(thresholds: &[f64]) -> Metadata {
    metadata(Histogram, "h").with_thresholds(thresholds.into())
}

cases! {
    g1_a_page_is_utf8_and_keeps_every_character: OpenMetrics [
        labelled(
            metadata(Gauge, "g"), ["text"],
            &[["nul \0 here"], ["tab\tcr\r"], ["\u{feff}Ωμέγα 🦀"]],
            values([1.0, 2.0, 3.0]),
        ),
    ]
    g3_an_empty_set_is_the_end_mark: OpenMetrics []
    g3_the_end_mark_is_the_last_line: OpenMetrics [single(metadata(Gauge, "g"), values([1.0]))]
    g6_names_are_made_of_name_characters: OpenMetrics [
        single(metadata(Gauge, "9x/a.b:c é"), values([1.0])),
    ]
    g8_braces_hold_labels_without_spaces_or_a_last_comma: OpenMetrics [
        labelled(
            metadata(Gauge, "g"), ["a", "b"],
            &[["", ""], ["", "y"], ["x", ""], ["x", "y"]],
            values([1.0, 2.0, 3.0, 4.0]),
        ),
        labelled(histogram(&[]), ["a"], &[["x"]], buckets([1], 1.0)),
    ]
    g9_label_values_are_escaped_once: OpenMetrics [
        labelled(
            metadata(Gauge, "g"), ["text"],
            &[["\n"], ["\""], ["\\"], ["\\n"], ["a\\\"b\nc"]],
            values([1.0, 2.0, 3.0, 4.0, 5.0]),
        ),
    ]
    g10_help_is_escaped_with_its_quotes: OpenMetrics [
        single(metadata(Gauge, "g").with_help("a \"path\" like C:\\new\nand more"), values([1.0])),
    ]
    g11_numbers_that_are_none_have_one_spelling: OpenMetrics [
        labelled(
            metadata(Gauge, "g"), ["is"],
            &[["less"], ["more"], ["none"]],
            values([f64::NEG_INFINITY, f64::INFINITY, f64::NAN]),
        ),
    ]
    g12_integers_have_no_point_and_keep_their_digits: OpenMetrics [
        labelled(
            metadata(Counter, "c"), ["of"],
            &[["least"], ["most"], ["past_f64"]],
            totals([0, u64::MAX, (1 << 53) + 1]),
        ),
        labelled(metadata(Gauge, "g"), ["of"], &[["float"], ["whole"]], values([0.1 + 0.2, 1e6])),
    ]
    g13_times_are_seconds_without_an_exponent: OpenMetrics [
        single(metadata(Counter, "c"), Points::Counter { totals: vec![1], created: vec![CREATED] }),
    ]
    g15_empty_unit_and_help_are_left_out: OpenMetrics [
        single(metadata(Gauge, "bare"), values([1.0])),
        single(metadata(Gauge, "helped").with_help("Help"), values([1.0])),
        single(with_unit(Gauge, "size", "bytes"), values([1.0])),
    ]
    f2_metadata_comes_first_type_then_unit_then_help: OpenMetrics [
        single(with_unit(Gauge, "size", "bytes").with_help("Size"), values([1.0])),
        labelled(with_unit(Gauge, "void", "bytes").with_help("Without a series"), ["a"], &[], values([])),
    ]
    f4_sample_suffixes_come_after_the_unit: OpenMetrics [
        single(with_unit(Counter, "cpu_total", "seconds"), totals([1])),
        single(with_unit(Summary, "read", "bytes"), quantiles(1, 8.0, [])),
    ]
    l4_a_label_with_an_empty_value_is_left_out: OpenMetrics [
        labelled(histogram(&[]), ["a"], &[[""]], buckets([1], 1.0)),
    ]
    l6_lines_of_one_label_set_stay_together: OpenMetrics [
        labelled(
            metadata(Counter, "c"), ["a"], &[["x"], ["y"]],
            Points::Counter { totals: vec![1, 2], created: vec![CREATED; 2] },
        ),
        labelled(
            histogram(&[1.0]), ["a"], &[["x"], ["y"]],
            Points::Histogram { cumulative: vec![1, 2, 0, 3], sums: vec![2.5, 9.0], created: vec![CREATED; 2] },
        ),
    ]
    g14_all_eight_types_have_their_words: OpenMetrics [
        single(metadata(Info, "build_info").with_help("What runs"), Points::Info),
        labelled(metadata(Info, "host"), ["os", "name"], &[["linux", "a\"b"]], Points::Info),
        single(
            metadata(StateSet, "mode").with_states(&["a\\b", "c\"d\n"]).expect("good states"),
            Points::StateSet { on: vec![true, true] },
        ),
        labelled(
            metadata(StateSet, "phase").with_states(&["off", "on"]).expect("good states"), ["node"],
            &[["n1"], ["n2"]],
            Points::StateSet { on: vec![true, false, false, true] },
        ),
        labelled(
            with_unit(GaugeHistogram, "queued", "bytes").with_thresholds([1024.0].into()), ["q"],
            &[["x"], ["y"]],
            Points::GaugeHistogram { cumulative: vec![1, 3, 0, 0], sums: vec![5000.0, 0.0] },
        ),
        single(
            metadata(GaugeHistogram, "skew").with_thresholds([-1.0, 1.0].into()),
            Points::GaugeHistogram { cumulative: vec![1, 1, 2], sums: vec![-3.5] },
        ),
        single(with_unit(Unknown, "what", "seconds"), Points::Unknown { values: vec![f64::NAN] }),
    ]
    p11_text_has_gauges_histograms_and_untyped_for_them: Text [
        single(metadata(Info, "build_info").with_help("What runs"), Points::Info),
        labelled(
            metadata(StateSet, "phase").with_states(&["off", "on"]).expect("good states"), ["node"],
            &[["n1"], ["n2"]],
            Points::StateSet { on: vec![true, false, false, true] },
        ),
        labelled(
            with_unit(GaugeHistogram, "queued", "bytes").with_thresholds([1024.0].into()), ["q"],
            &[["x"]],
            Points::GaugeHistogram { cumulative: vec![1, 3], sums: vec![5000.0] },
        ),
        single(with_unit(Unknown, "what", "seconds"), Points::Unknown { values: vec![-0.5] }),
    ]
    c1_only_the_samples_of_a_counter_end_in_total: OpenMetrics [
        single(metadata(Counter, "jobs_total").with_help("Jobs"), totals([5])),
    ]
    c2_totals_are_neither_nan_nor_negative: OpenMetrics [
        labelled(
            metadata(Counter, "c"), ["total"], &[["half"], ["nan"], ["negative"], ["zero"]],
            Points::FloatCounter { totals: vec![0.5, f64::NAN, -1.0, 0.0], created: vec![] },
        ),
    ]
    c4_creation_times_follow_the_total: OpenMetrics [
        single(metadata(Counter, "c"), Points::FloatCounter { totals: vec![1.5], created: vec![CREATED] }),
    ]
    t_suf_gauges_have_neither_suffix_nor_creation_time: OpenMetrics [
        single(metadata(Gauge, "float"), values([1.5])),
        single(metadata(Gauge, "whole"), Points::UpDown { values: vec![i64::MIN] }),
    ]
    h1_a_histogram_without_thresholds_has_one_bucket: OpenMetrics [single(histogram(&[]), buckets([3], 6.0))]
    h2_buckets_are_cumulative_and_ascend: OpenMetrics [
        single(histogram(&[0.5, 1.0, 20.0]), buckets([1, 1, 4, 5], 60.0)),
        single(metadata(Histogram, "falls").with_thresholds([0.5].into()), buckets([2, 1], 0.5)),
    ]
    h4_sum_and_count_come_together: OpenMetrics [
        single(histogram(&[1.0]), buckets([1, 2], 4.0)),
        single(metadata(Histogram, "neither").with_thresholds([-1.0].into()), buckets([1, 2], 4.0)),
    ]
    h5_count_is_the_bucket_of_infinity: OpenMetrics [
        labelled(
            histogram(&[1.0]), ["k"], &[["x"], ["y"]],
            Points::Histogram { cumulative: vec![0, u64::MAX, 7, 7], sums: vec![1e20, 0.5], created: vec![] },
        ),
    ]
    h7_sums_are_neither_nan_nor_negative: OpenMetrics [
        labelled(
            histogram(&[1.0]), ["sum"], &[["nan"], ["negative"], ["zero"]],
            Points::Histogram { cumulative: vec![0; 6], sums: vec![f64::NAN, -1.0, 0.0], created: vec![] },
        ),
    ]
    h8_a_negative_threshold_takes_sum_and_count_away: OpenMetrics [
        single(histogram(&[-1.0, 0.0]), buckets([1, 2, 3], f64::NAN)),
    ]
    h10_thresholds_are_canonical: OpenMetrics [
        single(histogram(&[0.0, 1e-5, 0.001, 0.1, 1.0, 10.0, 100_000.0, 1e6, 1_048_576.0]), buckets([0; 10], 0.0)),
    ]
    q1_quantiles_are_canonical_and_come_first: OpenMetrics [
        single(
            metadata(Summary, "s").with_quantiles([0.0, 0.5, 0.99, 1.0].into()),
            quantiles(4, 10.0, [1.0, 2.0, 4.0, 4.0]),
        ),
    ]
    q2_quantiles_without_observations_are_nan: OpenMetrics [
        single(metadata(Summary, "s").with_quantiles([0.5].into()), quantiles(0, 0.0, [f64::NAN])),
        single(metadata(Summary, "less").with_quantiles([0.5].into()), quantiles(1, 1.0, [-1.0])),
    ]
    q3_summary_sums_are_neither_nan_nor_negative: OpenMetrics [
        labelled(
            metadata(Summary, "s"), ["sum"], &[["nan"], ["negative"], ["zero"]],
            Points::Summary { counts: vec![1; 3], sums: vec![f64::NAN, -1.0, 0.0], quantiles: vec![], created: vec![] },
        ),
    ]
    p2_an_empty_text_page_has_no_line: Text []
    p3_text_has_no_creation_times_units_or_end_mark: Text [
        single(with_unit(Gauge, "size", "bytes"), values([1.0])),
        single(histogram(&[1.0]), buckets([1, 2], 4.0)),
    ]
    p6_text_histograms_end_in_sum_and_count: Text [
        labelled(histogram(&[1.0]), ["k"], &[["x"]], buckets([1, 2], 4.0)),
    ]
    p8_text_help_keeps_its_quotes: Text [
        single(metadata(Gauge, "g").with_help("a \"path\" like C:\\new\nand more"), values([1.0])),
    ]
    p10_text_counters_go_by_the_name_of_their_sample: Text [
        single(
            metadata(Counter, "jobs").with_help("Jobs"),
            Points::Counter { totals: vec![5], created: vec![CREATED] },
        ),
    ]
}

#[test]
fn f1_lines_of_a_family_are_contiguous() {
    for format in [Format::OpenMetrics, Format::Text] {
        expect_page("f1_lines_of_a_family_are_contiguous", format, every_type());
    }
}

#[test]
fn t3_t5_a_format_names_its_media_type() {
    assert_eq!(Format::OpenMetrics.content_type(), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert_eq!(Format::Text.content_type(), "text/plain; version=0.0.4; charset=utf-8");
}

#[test]
fn t11_a_second_page_is_the_same() {
    let set = MetricSet { families: every_type() };
    let (mut first, mut second) = (Vec::new(), Vec::new());
    encode(&set, Format::OpenMetrics, &mut first);
    encode(&set, Format::OpenMetrics, &mut second);
    assert_eq!(first, second);
}

#[test]
fn g2_g4_g5_no_line_is_blank_padded_or_a_comment() {
    let (page, _) = page(Format::OpenMetrics, every_type());
    assert!(page.ends_with('\n') && !page.contains('\r') && !page.contains('\t'));
    for line in page.lines() {
        assert!(!line.is_empty() && !line.contains("  ") && line.trim() == line, "{line:?}");
        let known = ["# TYPE ", "# UNIT ", "# HELP ", "# EOF"].iter().any(|keyword| line.starts_with(keyword));
        assert!(known || !line.starts_with('#'), "{line:?}");
    }
}

#[test]
fn g14_types_are_lower_case_words() {
    for (kind, word) in [(Counter, "counter"), (Gauge, "gauge"), (Histogram, "histogram"), (Summary, "summary")] {
        assert_eq!(kind.as_str(), word);
        assert_eq!(word.parse(), Ok(kind));
    }
    assert_eq!("Gauge".parse::<MetricType>(), Err(DeclareError::UnknownType { given: "Gauge".into() }));
}

#[test]
fn f3_a_family_reserves_every_name_it_can_write() {
    for family in every_type() {
        let metadata = family.metadata().clone();
        let reserved: Vec<_> = reserved_names(metadata.name().exposed(), metadata.kind()).collect();
        let (page, _) = page(Format::OpenMetrics, vec![family]);
        let samples = page.lines().filter(|line| !line.starts_with('#'));
        for name in samples.map(|line| line.split(['{', ' ']).next().unwrap_or(line)) {
            assert!(reserved.iter().any(|reserved| reserved == name), "{name:?} is not in {reserved:?}");
        }
    }
}

#[test]
fn g7_f8_l1_h9_label_names_are_checked() {
    assert!(matches!(check_keys("f", Gauge, &["a.b"]), Err(DeclareError::InvalidLabel { .. })));
    assert!(matches!(check_keys("f", Gauge, &["_a"]), Err(DeclareError::InvalidLabel { .. })));
    assert!(matches!(check_keys("f", Gauge, &["a", "b", "a"]), Err(DeclareError::DuplicateLabel { .. })));
    assert!(matches!(check_keys("f", Histogram, &["le"]), Err(DeclareError::ReservedLabel { .. })));
    assert!(matches!(check_keys("f", Summary, &["quantile"]), Err(DeclareError::ReservedLabel { .. })));
    assert_eq!(check_keys("f", Gauge, &["le", "quantile"]), Ok(()));
}

#[test]
fn l2_no_label_set_occurs_twice() {
    let repeated = LabelTable::new(&["a", "b"], [["x", ""], ["x", ""]]);
    assert_eq!(repeated.err(), Some(ShapeError::Order { row: 1 }));
    let unlabelled = LabelTable::new(&[] as &[&str], [[""; 0], [""; 0]]);
    assert_eq!(unlabelled.err(), Some(ShapeError::Order { row: 1 }));
}
