//! The reader on what people write, and on what nobody should.

use proptest::prelude::*;

use super::*;
use crate::check::judge;

/// Reads a page that has no defect.
fn read_clean(page: &str, format: Format) -> Vec<Item> {
    let mut defects = Vec::new();
    let items = read(page.as_bytes(), format, &mut defects);
    assert!(defects.is_empty(), "{defects:?}");
    items
}

#[test]
fn a_sample_has_all_its_parts() {
    let page = "a_bucket{b=\"q\\\"\\\\\\n é\",le=\"0.5\"} 3 1700000000.25 # {t=\"x\"} 0.25 1700000000\n# EOF\n";
    let [Item::Sample(sample)] = &read_clean(page, Format::OpenMetrics)[..] else { panic!("one sample") };
    assert_eq!((sample.line, sample.name.as_str()), (1, "a_bucket"));
    assert_eq!(sample.label("b"), Some("q\"\\\n é"));
    assert_eq!((sample.label("le"), sample.label("x")), (Some("0.5"), None));
    assert_eq!(sample.value, Figure { text: "3".to_owned(), value: 3.0 });
    assert_eq!(sample.timestamp.as_ref().map(|time| time.value), Some(1_700_000_000.25));
    let exemplar = sample.exemplar.as_ref().expect("an exemplar");
    assert_eq!((exemplar.value.value, exemplar.labels.len()), (0.25, 1));
}

#[test]
fn the_text_format_takes_blanks_and_comments() {
    let page = "#\n# words\n\n  a { b = \"1\" , } \t 2   1700000000000 \n# HELP  a  two  words\n";
    let items = read_clean(page, Format::Text);
    let [Item::Sample(sample), Item::Metadata { text, .. }] = &items[..] else { panic!("{items:?}") };
    assert_eq!((sample.label("b"), sample.value.value), (Some("1"), 2.0));
    assert_eq!(text, " two  words");
}

#[test]
fn names_may_be_in_quotes() {
    let page = "# TYPE \"a.b \\\"c\\\"\" gauge\n{\"a.b \\\"c\\\"\",\"d é\"=\"1\",e=\"2\"} 3\n{\"plain\"} 4\n# EOF\n";
    let items = read_clean(page, Format::OpenMetrics);
    let [Item::Metadata { name, .. }, Item::Sample(sample), Item::Sample(plain)] = &items[..] else {
        panic!("{items:?}")
    };
    assert_eq!((name.as_str(), sample.name.as_str()), ("a.b \"c\"", "a.b \"c\""));
    assert_eq!((sample.label("d é"), sample.label("e"), sample.value.value), (Some("1"), Some("2"), 3.0));
    assert_eq!((plain.name.as_str(), plain.labels.len()), ("plain", 0));
}

#[test]
fn a_line_that_cannot_be_read_costs_itself_alone() {
    let mut defects = Vec::new();
    let items = read(b"a 1\nb{x=\"1} 2\nc 3\nd{ 4\n\xff 5\ne 6\n# EOF\n", Format::OpenMetrics, &mut defects);
    let samples = items.iter().filter_map(|item| match item {
        Item::Sample(sample) => Some(sample.name.as_str()),
        Item::Metadata { .. } => None,
    });
    let names: Vec<_> = samples.filter(|name| name.is_ascii()).collect();
    assert_eq!(names, ["a", "c", "e"]);
    let lines: Vec<_> = defects.iter().map(|defect| defect.line).collect();
    assert_eq!(lines, [2, 4, 4, 5, 5]);
}

#[test]
fn the_format_of_a_file_is_guessed_by_what_only_one_has() {
    assert_eq!(Format::guess(b"a 1\n# EOF\n"), Format::OpenMetrics);
    assert_eq!(Format::guess(b"# TYPE a info\na_info 1\n"), Format::OpenMetrics);
    assert_eq!(Format::guess(b"# UNIT a_b b\n"), Format::OpenMetrics);
    assert_eq!(Format::guess(b"# TYPE a gauge\na 1\n"), Format::Text);
    assert_eq!(Format::guess(b""), Format::Text);
}

/// Lines made of what pages are made of, so that the reader is led deep before it is led astray.
fn nearly_a_page() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "# TYPE ",
        "# HELP ",
        "# UNIT ",
        "# EOF",
        "a",
        "a_total",
        "a_bucket",
        "b",
        "histogram",
        "counter",
        "summary",
        "stateset",
        "gaugehistogram",
        "info",
        "{",
        "}",
        "le=\"",
        "quantile=\"",
        "{\"a.b\"",
        "\"a.b\"",
        "a=\"",
        "\"",
        "\\",
        ",",
        " ",
        "  ",
        "\t",
        "\n",
        "\n",
        "\r\n",
        "1",
        "-1",
        "1e999",
        "NaN",
        "+Inf",
        "0.5",
        "1700000000",
        " # {",
        "é",
        "\u{0}",
        "_created",
        "_sum",
        "_count",
        "=",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn no_bytes_make_the_judge_panic(page in prop::collection::vec(any::<u8>(), 0..300)) {
        judge(&page, Format::OpenMetrics, 1.7e9);
        judge(&page, Format::Text, 1.7e9);
    }

    #[test]
    fn no_page_makes_the_judge_panic(page in nearly_a_page()) {
        let lines = page.split(|byte| *byte == b'\n').count();
        for format in [Format::OpenMetrics, Format::Text] {
            let verdict = judge(&page, format, 1.7e9);
            for defect in verdict.defects {
                prop_assert!((1..=lines.max(1)).contains(&defect.line), "{defect:?} of {lines} lines");
            }
            let families = group(read(&page, format, &mut Vec::new()), format, &mut Vec::new());
            crate::set::convert(&families); // and so does the way to the view
        }
    }
}
