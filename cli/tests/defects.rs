//! Seeded defects: one page for each rule of `check`, with the line where the rule is broken.
//!
//! Every page has that one error and no other; what is only advised may come along, unless it is what the case is about.

mod common;

use std::collections::BTreeSet;

use common::{code, run, run_with, stdout};
use serde_json::Value;

/// The defects of a page, as (line, rule, level).
fn judge(format: &str, page: &[u8]) -> (i32, Vec<(u64, String, String)>) {
    let output = run_with(&["check", "--format", "json", "--as", format, "-"], page);
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |defect: &Value, field: &str| defect[field].as_str().expect(field).to_owned();
    let defects = report["defects"].as_array().expect("a list").iter();
    let defects =
        defects.map(|defect| (defect["line"].as_u64().expect("a line"), text(defect, "rule"), text(defect, "level")));
    (code(&output), defects.collect())
}

/// Asserts that `page` breaks `rule` in `line`, and that the exit status says so.
fn assert_found(format: &str, rule: &str, line: u64, page: &[u8]) {
    let (code, defects) = judge(format, page);
    let errors: Vec<_> = defects.iter().filter(|(_, _, level)| level == "error").collect();
    let found =
        defects.iter().find(|(_, found, _)| found == rule).unwrap_or_else(|| panic!("{rule} not in {defects:?}"));
    assert_eq!(found.0, line, "{defects:?}");
    match found.2.as_str() {
        "error" => {
            assert_eq!(errors.len(), 1, "one seeded defect, one error: {errors:?}");
            assert_eq!(code, 1);
        }
        _ => {
            assert_eq!(errors.len(), 0, "advice is no error: {errors:?}");
            assert_eq!(code, 0);
        }
    }
}

macro_rules! defects {
    ($($name:ident: $format:literal $rule:literal in $line:literal: $page:expr;)*) => {
        $(#[test]
        fn $name() {
            let page = $page;
            assert_found($format, $rule, $line, AsRef::<[u8]>::as_ref(&page));
        })*

        /// The rules that have a case.
        const COVERED: &[&str] = &[$($rule),*];
    };
}

defects! {
    // Bytes and grammar of OpenMetrics.
    invalid_utf8: "openmetrics" "utf8-invalid" in 2: b"# TYPE a gauge\na{b=\"\xff\"} 1\n# EOF\n";
    byte_order_mark: "openmetrics" "byte-order-mark" in 1: "\u{feff}# TYPE a gauge\na 1\n# EOF\n";
    carriage_return: "openmetrics" "carriage-return" in 2: "# TYPE a gauge\na 1\r\n# EOF\n";
    no_end_mark: "openmetrics" "eof-missing" in 2: "# TYPE a gauge\na 1\n";
    more_after_the_end_mark: "openmetrics" "eof-followed" in 4: "# TYPE a gauge\na 1\n# EOF\nb 2\n";
    end_mark_without_line_feed: "openmetrics" "eof-unended" in 3: "# TYPE a gauge\na 1\n# EOF";
    blank_line: "openmetrics" "line-blank" in 3: "# TYPE a gauge\na 1\n\n# EOF\n";
    free_comment: "openmetrics" "comment-unknown" in 1: "# made by hand\n# TYPE a gauge\na 1\n# EOF\n";
    lower_case_keyword: "openmetrics" "comment-unknown" in 3: "# TYPE a gauge\na 1\n# eof\n# EOF\n";
    comment_without_space: "openmetrics" "comment-unknown" in 1: "#TYPE a gauge\na 1\n# EOF\n";
    two_spaces_before_the_value: "openmetrics" "space-surplus" in 2: "# TYPE a gauge\na  1\n# EOF\n";
    two_spaces_before_the_type: "openmetrics" "space-surplus" in 1: "# TYPE a  gauge\na 1\n# EOF\n";
    tab_before_the_value: "openmetrics" "space-surplus" in 2: "# TYPE a gauge\na\t1\n# EOF\n";
    space_at_the_end: "openmetrics" "space-surplus" in 2: "# TYPE a gauge\na 1 \n# EOF\n";
    space_at_the_beginning: "openmetrics" "space-surplus" in 2: "# TYPE a gauge\n a 1\n# EOF\n";
    space_between_labels: "openmetrics" "space-surplus" in 2: "# TYPE a gauge\na{b=\"1\", c=\"2\"} 1\n# EOF\n";
    dash_in_a_name: "openmetrics" "name-invalid" in 1: "a-b 1\n# EOF\n";
    digit_before_a_name: "openmetrics" "name-invalid" in 1: "1a 1\n# EOF\n";
    empty_name_in_quotes: "openmetrics" "name-invalid" in 1: "{\"\"} 1\n# EOF\n";
    name_inside_and_outside_of_the_braces: "openmetrics" "name-invalid" in 2: "# TYPE a gauge\na{\"a\"} 1\n# EOF\n";
    no_name_at_all: "openmetrics" "name-invalid" in 1: "{b=\"1\"} 1\n# EOF\n";
    two_names_in_quotes: "openmetrics" "labels-malformed" in 1: "{\"a.b\",\"c.d\"} 1\n# EOF\n";
    name_behind_labels: "openmetrics" "labels-malformed" in 1: "{b=\"1\",\"a.b\"} 1\n# EOF\n";
    name_whose_quote_stays_open: "openmetrics" "quote-unclosed" in 1: "# TYPE \"a.b gauge\n# EOF\n";
    empty_label_name_in_quotes: "openmetrics" "label-name-invalid" in 2: "# TYPE a gauge\na{\"\"=\"1\"} 1\n# EOF\n";
    quoted_family_in_two_places: "openmetrics" "family-split" in 5: "# TYPE \"a.b\" gauge\n{\"a.b\",x=\"1\"} 1\n# TYPE b gauge\nb 1\n{\"a.b\",x=\"2\"} 1\n# EOF\n";
    slash_in_a_unit: "openmetrics" "unit-invalid" in 2: "# TYPE a_b gauge\n# UNIT a_b b/s\na_b 1\n# EOF\n";
    dot_in_a_label_name: "openmetrics" "label-name-invalid" in 2: "# TYPE a gauge\na{b.c=\"1\"} 1\n# EOF\n";
    comma_after_the_last_label: "openmetrics" "label-comma" in 2: "# TYPE a gauge\na{b=\"1\",} 1\n# EOF\n";
    label_without_equals: "openmetrics" "labels-malformed" in 2: "# TYPE a gauge\na{b} 1\n# EOF\n";
    labels_without_closing_brace: "openmetrics" "labels-malformed" in 2: "# TYPE a gauge\na{b=\"1\" 1\n# EOF\n";
    value_without_quotes: "openmetrics" "label-unquoted" in 2: "# TYPE a gauge\na{b=1} 1\n# EOF\n";
    bare_quote_in_a_value: "openmetrics" "quote-unescaped" in 2: "# TYPE a gauge\na{b=\"say \"hi\"\"} 1\n# EOF\n";
    backslash_before_the_closing_quote: "openmetrics" "quote-unclosed" in 2: "# TYPE a gauge\na{b=\"C:\\\"} 1\n# EOF\n";
    escape_that_is_none: "openmetrics" "escape-undefined" in 2: "# TYPE a gauge\na{b=\"\\d\"} 1\n# EOF\n";
    bare_quote_in_help: "openmetrics" "help-quote" in 2: "# TYPE a gauge\n# HELP a The \"a\"\na 1\n# EOF\n";
    no_value: "openmetrics" "value-missing" in 2: "# TYPE a gauge\na{b=\"1\"}\n# EOF\n";
    comma_in_a_number: "openmetrics" "number-malformed" in 2: "# TYPE a gauge\na 1,5\n# EOF\n";
    hexadecimal_number: "openmetrics" "number-malformed" in 2: "# TYPE a gauge\na 0x10\n# EOF\n";
    underscore_in_a_number: "openmetrics" "number-malformed" in 2: "# TYPE a gauge\na 1_000\n# EOF\n";
    word_for_a_number: "text" "number-malformed" in 2: "# TYPE a gauge\na null\n";
    number_beyond_floats: "openmetrics" "number-range" in 2: "# TYPE a gauge\na 1e999\n# EOF\n";
    infinity_by_another_name: "openmetrics" "number-spelling" in 2: "# TYPE a gauge\na Infinity\n# EOF\n";
    timestamp_that_is_a_date: "openmetrics" "timestamp-malformed" in 2: "# TYPE a gauge\na 1 2026-01-01\n# EOF\n";
    timestamp_that_is_not_finite: "openmetrics" "timestamp-not-finite" in 2: "# TYPE a gauge\na 1 NaN\n# EOF\n";
    timestamp_with_an_exponent: "openmetrics" "timestamp-exponent" in 2: "# TYPE a gauge\na 1 1.7e+09\n# EOF\n";
    timestamp_in_milliseconds: "openmetrics" "timestamp-scale" in 2: "# TYPE a gauge\na 1 1700000000000\n# EOF\n";
    two_values: "openmetrics" "line-trailing" in 2: "# TYPE a gauge\na 1 1700000000 3\n# EOF\n";
    type_of_no_format: "openmetrics" "type-unknown" in 1: "# TYPE a meter\na 1\n# EOF\n";
    type_of_the_other_format: "openmetrics" "type-unknown" in 1: "# TYPE a untyped\na 1\n# EOF\n";
    type_in_capitals: "openmetrics" "type-unknown" in 1: "# TYPE a GAUGE\na 1\n# EOF\n";
    help_without_a_space: "openmetrics" "metadata-truncated" in 2: "# TYPE a gauge\n# HELP a\na 1\n# EOF\n";
    unit_without_a_space: "openmetrics" "metadata-truncated" in 2: "# TYPE a gauge\n# UNIT a\na 1\n# EOF\n";

    // Families.
    family_in_two_places: "openmetrics" "family-split" in 5: "# TYPE a gauge\na{x=\"1\"} 1\n# TYPE b gauge\nb 1\na{x=\"2\"} 1\n# EOF\n";
    help_after_samples: "openmetrics" "metadata-late" in 3: "# TYPE a gauge\na 1\n# HELP a Late\n# EOF\n";
    second_help: "openmetrics" "metadata-repeated" in 3: "# TYPE a gauge\n# HELP a One\n# HELP a Two\na 1\n# EOF\n";
    type_after_help: "openmetrics" "metadata-order" in 2: "# HELP a Help\n# TYPE a gauge\na 1\n# EOF\n";
    gauge_called_like_a_total: "openmetrics" "name-clash" in 3: "# TYPE a counter\na_total 1\n# TYPE a_total gauge\n# EOF\n";
    gauge_called_like_a_count: "openmetrics" "name-clash" in 5: "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n# TYPE a_count gauge\n# EOF\n";
    unit_that_is_no_suffix: "openmetrics" "unit-suffix" in 2: "# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n";
    unit_after_the_total: "openmetrics" "unit-suffix" in 2: "# TYPE a_seconds_cpu counter\n# UNIT a_seconds_cpu seconds\na_seconds_cpu_total 1\n# EOF\n";
    unit_of_an_info: "openmetrics" "unit-forbidden" in 2: "# TYPE a_b info\n# UNIT a_b b\na_b_info 1\n# EOF\n";
    no_help: "openmetrics" "help-missing" in 1: "# TYPE a gauge\na 1\n# EOF\n";
    name_begins_with_an_underscore: "openmetrics" "family-underscore" in 1: "# TYPE _a gauge\n_a 1\n# EOF\n";
    name_with_a_colon: "openmetrics" "family-colon" in 1: "# TYPE a:b gauge\na:b 1\n# EOF\n";
    label_begins_with_underscores: "openmetrics" "label-underscore" in 2: "# TYPE a gauge\na{__b=\"1\"} 1\n# EOF\n";
    gauge_named_total: "openmetrics" "name-suffix" in 1: "# TYPE a_total gauge\na_total 1\n# EOF\n";
    no_type: "openmetrics" "type-missing" in 1: "a 1\n# EOF\n";
    seconds_without_a_unit: "openmetrics" "unit-missing" in 1: "# TYPE a_seconds gauge\na_seconds 1\n# EOF\n";

    // Labels, metrics and points.
    label_twice: "openmetrics" "label-repeated" in 2: "# TYPE a gauge\na{b=\"1\",b=\"2\"} 1\n# EOF\n";
    series_twice: "openmetrics" "series-repeated" in 3: "# TYPE a gauge\na{b=\"1\"} 1\na{b=\"1\"} 2\n# EOF\n";
    series_twice_in_another_order: "openmetrics" "series-repeated" in 3: "# TYPE a gauge\na{b=\"1\",c=\"2\"} 1\na{c=\"2\",b=\"1\"} 2\n# EOF\n";
    series_twice_but_for_an_empty_label: "openmetrics" "series-repeated" in 3: "# TYPE a gauge\na 1\na{b=\"\"} 2\n# EOF\n";
    other_label_names: "openmetrics" "label-keys-vary" in 3: "# TYPE a gauge\na{b=\"1\"} 1\na{c=\"1\"} 1\n# EOF\n";
    empty_label: "openmetrics" "label-empty" in 2: "# TYPE a gauge\na{b=\"\"} 1\n# EOF\n";
    metric_in_two_places: "openmetrics" "metric-split" in 4: "# TYPE a counter\na_total{x=\"1\"} 1\na_total{x=\"2\"} 1\na_created{x=\"1\"} 1.5\n# EOF\n";
    points_out_of_order: "openmetrics" "timestamp-order" in 3: "# TYPE a gauge\na 1 1700000002\na 2 1700000001\n# EOF\n";
    points_with_and_without_time: "openmetrics" "timestamp-mixed" in 3: "# TYPE a gauge\na 1 1700000002\na 2\n# EOF\n";

    // Types.
    counter_without_total: "openmetrics" "total-missing" in 2: "# TYPE a counter\na 1\n# EOF\n";
    total_in_the_type_line: "openmetrics" "total-named" in 1: "# TYPE a_total counter\na_total 1\n# EOF\n";
    negative_total: "openmetrics" "counter-value" in 2: "# TYPE a counter\na_total -1\n# EOF\n";
    total_that_is_no_number: "openmetrics" "counter-value" in 2: "# TYPE a counter\na_total NaN\n# EOF\n";
    created_in_milliseconds: "openmetrics" "created-value" in 3: "# TYPE a counter\na_total 1\na_created 1700000000000\n# EOF\n";
    negative_creation_time: "openmetrics" "created-value" in 3: "# TYPE a counter\na_total 1\na_created -1\n# EOF\n";
    gauge_with_a_creation_time: "openmetrics" "sample-suffix" in 3: "# TYPE a gauge\na 1\na_created 1.5\n# EOF\n";
    bare_sample_of_a_histogram: "text" "sample-suffix" in 2: "# TYPE a histogram\na 1\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n";
    state_of_two: "openmetrics" "stateset-value" in 2: "# TYPE a stateset\na{a=\"on\"} 2\n# EOF\n";
    state_without_a_name: "openmetrics" "stateset-label" in 2: "# TYPE a stateset\na{state=\"on\"} 1\n# EOF\n";
    info_of_zero: "openmetrics" "info-value" in 2: "# TYPE a info\na_info{v=\"1\"} 0\n# EOF\n";
    no_bucket_of_infinity: "openmetrics" "bucket-infinity" in 2: "# TYPE a histogram\na_bucket{le=\"1.0\"} 1\na_sum 1\na_count 1\n# EOF\n";
    buckets_out_of_order: "openmetrics" "bucket-order" in 3: "# TYPE a histogram\na_bucket{le=\"2.0\"} 1\na_bucket{le=\"1.0\"} 1\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n# EOF\n";
    buckets_that_are_not_cumulative: "openmetrics" "bucket-cumulative" in 3: "# TYPE a histogram\na_bucket{le=\"1.0\"} 3\na_bucket{le=\"2.0\"} 2\na_bucket{le=\"+Inf\"} 4\na_sum 4\na_count 4\n# EOF\n";
    one_threshold_in_two_spellings: "openmetrics" "bucket-repeated" in 3: "# TYPE a histogram\na_bucket{le=\"1.0\"} 1\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n# EOF\n";
    bucket_without_a_threshold: "openmetrics" "bucket-threshold" in 2: "# TYPE a histogram\na_bucket 1\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n# EOF\n";
    threshold_that_is_no_number: "openmetrics" "bucket-threshold" in 2: "# TYPE a histogram\na_bucket{le=\"NaN\"} 1\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n# EOF\n";
    sum_without_count: "openmetrics" "count-or-sum-alone" in 3: "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\n# EOF\n";
    count_without_sum: "text" "count-or-sum-alone" in 3: "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 1\n";
    count_that_is_not_the_last_bucket: "openmetrics" "count-differs" in 4: "# TYPE a histogram\na_bucket{le=\"+Inf\"} 2\na_sum 1\na_count 1\n# EOF\n";
    bucket_of_a_half: "openmetrics" "count-fraction" in 2: "# TYPE a histogram\na_bucket{le=\"1.0\"} 0.5\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n# EOF\n";
    negative_sum: "openmetrics" "histogram-value" in 3: "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum -1\na_count 1\n# EOF\n";
    sum_with_negative_thresholds: "openmetrics" "sum-of-negatives" in 4: "# TYPE a histogram\na_bucket{le=\"-1.0\"} 1\na_bucket{le=\"+Inf\"} 1\na_sum -1\na_count 1\n# EOF\n";
    le_on_a_sum: "openmetrics" "label-reserved" in 3: "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum{le=\"7\"} 1\na_count 1\n# EOF\n";
    infinity_spelt_otherwise: "openmetrics" "threshold-infinity" in 2: "# TYPE a histogram\na_bucket{le=\"inf\"} 1\na_sum 1\na_count 1\n# EOF\n";
    threshold_without_a_point: "openmetrics" "threshold-spelling" in 2: "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n# EOF\n";
    sum_beyond_its_buckets: "openmetrics" "sum-impossible" in 4: "# TYPE a histogram\na_bucket{le=\"1.0\"} 2\na_bucket{le=\"+Inf\"} 2\na_sum 5\na_count 2\n# EOF\n";
    text_sum_beyond_its_buckets: "text" "sum-impossible" in 4: "# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 2\na_sum 5\na_count 2\n";
    sum_of_nothing: "text" "sum-impossible" in 4: "# TYPE a histogram\na_bucket{le=\"1\"} 0\na_bucket{le=\"+Inf\"} 0\na_sum 5\na_count 0\n";
    quantile_beyond_one: "openmetrics" "quantile-label" in 2: "# TYPE a summary\na{quantile=\"99.0\"} 1\na_sum 1\na_count 1\n# EOF\n";
    summary_value_without_quantile: "text" "quantile-label" in 2: "# TYPE a summary\na 1\na_sum 1\na_count 1\n";
    negative_quantile: "openmetrics" "quantile-value" in 2: "# TYPE a summary\na{quantile=\"0.5\"} -1\na_sum 1\na_count 1\n# EOF\n";
    negative_sum_of_a_summary: "openmetrics" "summary-value" in 2: "# TYPE a summary\na_sum -1\na_count 1\n# EOF\n";

    // Exemplars.
    exemplar_of_a_gauge: "openmetrics" "exemplar-place" in 2: "# TYPE a gauge\na 1 # {t=\"x\"} 1\n# EOF\n";
    exemplar_without_labels: "openmetrics" "exemplar-malformed" in 2: "# TYPE a counter\na_total 1 # 1\n# EOF\n";
    exemplar_without_a_value: "openmetrics" "exemplar-malformed" in 2: "# TYPE a counter\na_total 1 # {t=\"x\"}\n# EOF\n";
    exemplar_too_long: "openmetrics" "exemplar-length" in 2: format!("# TYPE a counter\na_total 1 # {{t=\"{}\"}} 1\n# EOF\n", "é".repeat(128));
    exemplar_in_the_wrong_bucket: "openmetrics" "exemplar-value" in 2: "# TYPE a histogram\na_bucket{le=\"1.0\"} 1 # {} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n# EOF\n";
    exemplar_of_the_future: "openmetrics" "exemplar-future" in 2: "# TYPE a counter\na_total 1 # {} 1 99999999999\n# EOF\n";

    // Prometheus text 0.0.4.
    text_without_a_last_line_feed: "text" "line-unended" in 2: "# TYPE a gauge\na 1";
    text_with_an_exemplar: "text" "exemplar-in-text" in 2: "# TYPE a_total counter\na_total 1 # {t=\"x\"} 1\n";
    text_timestamp_with_a_fraction: "text" "timestamp-malformed" in 2: "# TYPE a gauge\na 1 1700000000.5\n";
    text_timestamp_in_seconds: "text" "timestamp-scale" in 2: "# TYPE a gauge\na 1 1700000000\n";
    text_type_of_openmetrics: "text" "type-unknown" in 1: "# TYPE a info\na 1\n";
    text_family_in_two_places: "text" "family-split" in 4: "# TYPE a gauge\na{x=\"1\"} 1\nb 1\na{x=\"2\"} 1\n";
    text_type_after_samples: "text" "metadata-late" in 2: "a 1\n# TYPE a gauge\n";
    text_second_type: "text" "metadata-repeated" in 2: "# TYPE a gauge\n# TYPE a gauge\na 1\n";
    text_counter_not_named_total: "text" "total-absent-text" in 1: "# TYPE a counter\na 1\n";
    text_carriage_return: "text" "carriage-return" in 1: "# TYPE a gauge\r\na 1\n";
}

/// The rules that no page can break: they are of its headers, and `tests/endpoints.rs` breaks them.
const OF_HEADERS: [&str; 5] = [
    "content-type-missing",
    "content-type-unknown",
    "content-type-version",
    "content-type-charset",
    "content-type-escaping",
];

#[test]
fn every_rule_has_a_case() {
    let listed = stdout(&run(&["rules"]));
    let rules: BTreeSet<&str> =
        listed.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(' ').next()).collect();
    let covered: BTreeSet<&str> = COVERED.iter().copied().chain(OF_HEADERS).collect();
    assert!(covered.len() >= 40, "only {} rules", covered.len());
    assert_eq!(rules.difference(&covered).collect::<Vec<_>>(), Vec::<&&str>::new(), "rules without a case");
    assert_eq!(covered.difference(&rules).collect::<Vec<_>>(), Vec::<&&str>::new(), "cases without a rule");
}

#[test]
fn a_good_page_has_no_defect_of_either_level() {
    let open = "# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n# HELP a_seconds A \\\"quoted\\\" \\\\ help\n\
                a_seconds_bucket{p=\"q\\\"\\\\\\n\",le=\"0.1\"} 1 # {trace_id=\"abc\"} 0.05 1700000000.1\n\
                a_seconds_bucket{p=\"q\\\"\\\\\\n\",le=\"+Inf\"} 2\na_seconds_sum{p=\"q\\\"\\\\\\n\"} 3.5\n\
                a_seconds_count{p=\"q\\\"\\\\\\n\"} 2\na_seconds_created{p=\"q\\\"\\\\\\n\"} 1700000000.000\n\
                # TYPE b counter\n# HELP b B\nb_total 18446744073709551615\nb_created 1700000000\n\
                # TYPE c stateset\n# HELP c C\nc{c=\"off\"} 0\nc{c=\"on\"} 1\n\
                # TYPE d info\n# HELP d D\nd_info{version=\"1\"} 1\n\
                # TYPE e summary\n# HELP e E\ne{quantile=\"0.5\"} NaN\ne_sum 0\ne_count 0\n\
                # TYPE f gaugehistogram\n# HELP f F\nf_bucket{le=\"-1.0\"} 1\nf_bucket{le=\"+Inf\"} 2\nf_gsum -3\nf_gcount 2\n\
                # TYPE g unknown\n# HELP g G\ng -Inf 1700000000\ng 1 1700000001\n\
                # TYPE \"h.é_seconds\" histogram\n# UNIT \"h.é_seconds\" seconds\n# HELP \"h.é_seconds\" H\n\
                {\"h.é_seconds_bucket\",\"i.j\"=\"1\",le=\"+Inf\"} 1\n{\"h.é_seconds_sum\",\"i.j\"=\"1\"} 1\n\
                {\"h.é_seconds_count\",\"i.j\"=\"1\"} 1\n# EOF\n";
    assert_eq!(judge("openmetrics", open.as_bytes()), (0, Vec::new()));
    let text = "# Any comment.\n\n# HELP a_seconds A \"quoted\" \\\\ help\n# TYPE a_seconds histogram\n\
                a_seconds_bucket{le=\"0.1\",} 1\na_seconds_bucket { le = \"+Inf\" } 2\n\
                a_seconds_sum\t3.5\na_seconds_count 2\n# HELP b_total B\n# TYPE b_total counter\nb_total 7 1700000000000\n# EOF\n";
    let (code, defects) = judge("text", text.as_bytes());
    let errors: Vec<_> = defects.iter().filter(|(_, _, level)| level == "error").collect();
    assert_eq!((code, errors), (0, Vec::new()));
    let signed = "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\na_sum -5\na_count 1\n\
                  # TYPE b summary\nb{quantile=\"0.5\"} -1\nb_sum -1\nb_count 1\n";
    assert_eq!(judge("text", signed.as_bytes()).0, 0, "the text format takes observations of any sign");
    assert_eq!(judge("openmetrics", b"# EOF\n"), (0, Vec::new()), "an empty set");
    assert_eq!(judge("text", b""), (0, Vec::new()), "an empty page");
}
