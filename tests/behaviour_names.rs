//! Names, labels, metadata and errors, by the ids of `docs/behaviour.md`.

#[path = "common/pages.rs"]
mod pages;

use std::sync::Arc;

use manometer::model::MetricType::{Counter, Gauge, Histogram, Summary};
use manometer::model::{
    BucketRule, DeclareError, FamilyName, LabelError, LabelRows, LabelRule, LabelTable, MetricFamily, MetricSet,
    MetricType, Points, ShapeError, UnitRule, ValueError, check_keys, reserved_names,
};

use pages::{CREATED, buckets, labelled, metadata, quantiles, totals, values, with_unit};

fn raw(name: &str, unit: &str, kind: MetricType) -> String {
    FamilyName::compose(name, unit, kind).expect("a valid name").raw().to_owned()
}

fn refusal(name: &str, unit: &str, kind: MetricType) -> DeclareError {
    FamilyName::compose(name, unit, kind).expect_err("an invalid name")
}

#[test]
fn nam_01_name_and_unit_are_joined() {
    for kind in [Counter, Gauge, Histogram, Summary] {
        assert_eq!(raw("x", "seconds", kind), "x_seconds");
        assert_eq!(raw("x", "", kind), "x");
    }
}

#[test]
fn nam_02_a_unit_that_is_there_is_not_repeated() {
    assert_eq!(raw("x_seconds", "seconds", Gauge), "x_seconds");
    assert_eq!(raw("xseconds", "seconds", Gauge), "xseconds_seconds");
    assert_eq!(raw("seconds", "seconds", Gauge), "seconds_seconds");
}

#[test]
fn nam_03_the_raw_name_is_kept_unescaped() {
    assert_eq!(raw("prosody_stats.collection", "seconds", Histogram), "prosody_stats.collection_seconds");
}

#[test]
fn nam_04_one_composed_name_is_one_name() {
    assert_eq!(raw("u", "bytes", Gauge), raw("u_bytes", "", Gauge));
}

#[test]
fn nam_05_foreign_bytes_are_replaced() {
    let escaped = [
        ("a/b", "a__b"),
        ("a.b", "a_b"),
        ("a:b", "a_b"),
        ("é", "__"),
        ("9x", "_9x"),
        ("/x", "__x"),
        (".x", "_x"),
        ("_x", "_x"),
    ];
    for (raw, exposed) in escaped {
        assert_eq!(FamilyName::compose(raw, "", Gauge).unwrap().exposed(), exposed, "{raw:?}");
    }
}

#[test]
fn nam_06_names_are_not_empty_and_have_no_control_characters() {
    assert_eq!(refusal("", "", Gauge), DeclareError::EmptyName);
    assert_eq!(refusal("", "seconds", Gauge), DeclareError::EmptyName);
    for (name, at) in [("a\nb", 1), ("é\u{85}", 2), ("\0", 0), ("del\u{7f}", 3)] {
        assert_eq!(refusal(name, "", Gauge), DeclareError::InvalidName { name: name.into(), at });
    }
    assert_eq!(raw("süß 🦀", "", Gauge), "süß 🦀");
}

#[test]
fn nam_07_units_are_made_of_name_characters() {
    for unit in ["m/s", "%", "a\n", "µs", "a b"] {
        assert_eq!(
            refusal("x", unit, Gauge),
            DeclareError::InvalidUnit { unit: unit.into(), rule: UnitRule::Characters }
        );
    }
    assert_eq!(raw("x", "m_per_s2", Gauge), "x_m_per_s2");
}

#[test]
fn nam_09_a_name_is_reserved_with_its_samples() {
    let reserved = |kind| reserved_names("foo", kind).collect::<Vec<_>>();
    assert_eq!(reserved(Counter), ["foo", "foo_total", "foo_created"]);
    assert_eq!(reserved(Gauge), ["foo"]);
    assert_eq!(reserved(Histogram), ["foo", "foo_bucket", "foo_sum", "foo_count", "foo_created"]);
    assert_eq!(reserved(Summary), ["foo", "foo_sum", "foo_count", "foo_created"]);
}

#[test]
fn nam_10_total_is_dropped_from_counters() {
    assert_eq!(raw("foo_total", "", Counter), "foo");
    assert_eq!(raw("cpu_seconds_total", "seconds", Counter), "cpu_seconds");
    assert_eq!(raw("foo_total", "", Gauge), "foo_total");
    assert_eq!(refusal("_total", "", Counter), DeclareError::EmptyName);
}

#[test]
fn lab_06_keys_are_checked() {
    let invalid = DeclareError::InvalidLabel { family: "f".into(), label: "a-b".into() };
    assert_eq!(check_keys("f", Gauge, &["a", "a-b"]), Err(invalid));
    for key in ["", "_a", "1a", "é", "a b", "a\n"] {
        assert!(matches!(check_keys("f", Gauge, &[key]), Err(DeclareError::InvalidLabel { .. })), "{key:?}");
    }
    let repeated = DeclareError::DuplicateLabel { family: "f".into(), label: "a".into() };
    assert_eq!(check_keys("f", Gauge, &["a", "b", "a"]), Err(repeated));
    let reserved = DeclareError::ReservedLabel { family: "f".into(), label: "le".into() };
    assert_eq!(check_keys("f", Histogram, &["le"]), Err(reserved));
    assert_eq!(check_keys("f", Counter, &["b", "A9_", "le", "quantile"]), Ok(()));
    assert!(metadata(Summary, "s").with_labels(&["quantile"]).is_err());
}

#[test]
fn lab_08_an_empty_value_is_kept_as_data_and_left_out_of_the_page() {
    let family = labelled(metadata(Gauge, "g"), ["a", "b"], &[["", "y"]], values([1.0]));
    let metric = family.metrics().next().unwrap();
    assert_eq!(metric.labels().collect::<Vec<_>>(), [("a", ""), ("b", "y")]);
    assert_eq!((metric.value("a"), metric.value("c")), (Some(""), None));
    assert_eq!(family.labels().text(0), r#"b="y""#);
}

#[test]
fn lab_09_values_are_escaped_once() {
    let text = |value| LabelTable::new(&["k"], [[value]]).unwrap().text(0).to_owned();
    assert_eq!(text("q\"x"), r#"k="q\"x""#);
    assert_eq!(text("a\\b\nc"), r#"k="a\\b\nc""#);
    assert_eq!(text("\r\t\0é"), "k=\"\r\t\0é\"");
}

#[test]
fn reg_09_metadata_tells_what_was_declared() {
    let metadata = with_unit(Summary, "a/b", "bytes").with_help("Help").with_quantiles([0.5].into());
    let metadata = metadata.with_labels(&["x", "y"]).unwrap();
    let name = metadata.name();
    assert_eq!((name.raw(), name.exposed(), name.unit()), ("a/b_bytes", "a__b_bytes", "bytes"));
    assert_eq!((metadata.kind(), metadata.help(), metadata.quantiles()[..].to_vec()), (Summary, "Help", vec![0.5]));
    assert_eq!(metadata.label_keys(), [Box::from("x"), Box::from("y")]);
    let set = MetricSet {
        families: vec![labelled(
            metadata,
            ["x", "y"],
            &[],
            Points::Summary { counts: vec![], sums: vec![], quantiles: vec![], created: vec![] },
        )],
    };
    assert!(set.family("a/b_bytes").is_some_and(|family| family.metadata().kind() == Summary));
    assert!(set.family("a__b_bytes").is_none());
}

#[test]
fn gen_01_columns_that_disagree_are_refused() {
    let given = |kind, points| {
        let metadata = metadata(kind, "f").with_thresholds([1.0].into()).with_quantiles([0.5].into());
        MetricFamily::new(Arc::new(metadata), Arc::new(LabelTable::unlabelled()), points).unwrap_err()
    };
    let rows = |column, expected, given| ShapeError::Rows { family: "f".into(), column, expected, given };
    let kind = ShapeError::Kind { family: "f".into(), expected: "gauge", given: "counter" };
    assert_eq!(given(Gauge, totals([1])), kind);
    assert_eq!(given(Counter, totals([1, 2])), rows("totals", 1, 2));
    let created = vec![CREATED; 2];
    assert_eq!(given(Counter, Points::FloatCounter { totals: vec![1.0], created }), rows("created", 1, 2));
    assert_eq!(given(Gauge, values([])), rows("values", 1, 0));
    assert_eq!(given(Gauge, Points::UpDown { values: vec![] }), rows("values", 1, 0));
    assert_eq!(given(Histogram, buckets([1], 1.0)), rows("cumulative", 2, 1));
    let short = Points::Histogram { cumulative: vec![0; 2], sums: vec![], created: vec![] };
    assert_eq!(given(Histogram, short), rows("sums", 1, 0));
    assert_eq!(given(Summary, quantiles(1, 1.0, [])), rows("quantiles", 1, 0));
    assert_eq!(
        given(Summary, Points::Summary { counts: vec![], sums: vec![], quantiles: vec![], created: vec![] }),
        rows("counts", 1, 0)
    );
    let arity = ShapeError::Arity { row: 1, expected: 1, given: 2 };
    assert_eq!(LabelTable::new(&["a"], [vec!["x"], vec!["y", "z"]]).unwrap_err(), arity);
    assert_eq!(LabelTable::new(&["a"], [["y"], ["x"]]).unwrap_err(), ShapeError::Order { row: 1 });
}

#[test]
fn gen_01_errors_name_the_text_and_the_rule() {
    let family = || "f".to_owned();
    let bucket =
        |rule| DeclareError::InvalidBuckets { family: family(), position: 2, threshold: 0.5, rule }.to_string();
    let name_clash = DeclareError::NameClash { name: "a.b".into(), other: "a_b".into(), sample: "a_b".into() };
    let conflict = DeclareError::Conflict { name: family(), field: "unit", standing: "s".into(), given: "ms".into() };
    let texts = [
        (DeclareError::EmptyName.to_string(), "the name is empty, not counting a counter's `_total`"),
        (refusal("a\nb", "", Gauge).to_string(), r#"name "a\nb" has a control character at byte 1"#),
        (refusal("a", "m/s", Gauge).to_string(), r#"unit "m/s" is not made of [A-Za-z0-9_]"#),
        (DeclareError::UnknownType { given: "x".into() }.to_string(), r#""x" is not a metric type"#),
        (
            DeclareError::InvalidLabel { family: family(), label: "é".into() }.to_string(),
            r#"label "é" of family "f" is not [A-Za-z][A-Za-z0-9_]*; the dialect Utf8 would take it"#,
        ),
        (
            DeclareError::ForbiddenLabel { family: family(), label: "_a".into(), rule: LabelRule::Underscore }
                .to_string(),
            r#"label "_a" of family "f" begins with an underscore, which is reserved"#,
        ),
        (
            DeclareError::LabelClash { family: family(), label: "a.b".into(), other: "a b".into(), form: "a_b".into() }
                .to_string(),
            r#"labels "a.b" and "a b" of family "f" are both "a_b" where names are escaped"#,
        ),
        (
            DeclareError::DuplicateLabel { family: family(), label: "a".into() }.to_string(),
            r#"label "a" of family "f" occurs twice"#,
        ),
        (
            DeclareError::ReservedLabel { family: family(), label: "le".into() }.to_string(),
            r#"label "le" of family "f" is reserved for the samples of its type"#,
        ),
        (
            DeclareError::TooManyLabels { family: family(), given: 70_000 }.to_string(),
            r#"family "f" has 70000 label keys, more than the 255 that a series can hold"#,
        ),
        (DeclareError::NoBuckets { family: family() }.to_string(), r#"histogram "f" has no buckets"#),
        (bucket(BucketRule::NotANumber), r#"bucket 2 of family "f", 0.5, is not a number"#),
        (bucket(BucketRule::NegativeInfinity), r#"bucket 2 of family "f", 0.5, is no finite threshold"#),
        (bucket(BucketRule::NotAscending), r#"bucket 2 of family "f", 0.5, is less than the one before it"#),
        (bucket(BucketRule::Duplicate), r#"bucket 2 of family "f", 0.5, repeats the one before it"#),
        (
            bucket(BucketRule::TooMany),
            r#"bucket 2 of family "f", 0.5, is beyond the longest list that a histogram can hold"#,
        ),
        (name_clash.to_string(), r#"families "a.b" and "a_b" would both expose "a_b""#),
        (conflict.to_string(), r#"family "f" stands with unit "s", not "ms""#),
        (
            DeclareError::Labelled { family: family(), keys: 2 }.to_string(),
            r#"family "f" has 2 label keys, so it has no single metric"#,
        ),
        (DeclareError::Full { family: family() }.to_string(), r#"no room is left for a series of family "f""#),
        (
            LabelError::Arity { family: family(), expected: 2, given: 1 }.to_string(),
            r#"family "f" needs 2 label values here, not 1"#,
        ),
        (ValueError::NotANumber.to_string(), "the value is not a number"),
        (ValueError::Infinite.to_string(), "the value is infinite"),
        (ValueError::Negative.to_string(), "the value is negative"),
        (
            ShapeError::Kind { family: family(), expected: "gauge", given: "counter" }.to_string(),
            r#"family "f" is a gauge, but its points are those of a counter"#,
        ),
        (
            ShapeError::Rows { family: family(), column: "sums", expected: 2, given: 1 }.to_string(),
            r#"column sums of family "f" needs 2 entries, not 1"#,
        ),
        (ShapeError::Arity { row: 3, expected: 2, given: 1 }.to_string(), "row 3 needs 2 label values, not 1"),
        (ShapeError::Order { row: 3 }.to_string(), "row 3 does not come after the one before it"),
    ];
    for (text, expected) in texts {
        assert_eq!(text, expected);
    }
}
