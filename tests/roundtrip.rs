//! Text reads back as what was written, for any text and any number.

#[path = "common/pages.rs"]
mod pages;
#[path = "common/reader.rs"]
mod reader;

use std::{collections::BTreeSet, sync::Arc};

use manometer::encode::{Format, encode};
use manometer::model::MetricType::{Gauge, Histogram};
use manometer::model::{LabelRows, LabelTable, MetricFamily, MetricSet, Number, Points};
use proptest::prelude::*;

use pages::{metadata, page, single, values};

/// Reads escaped text as a scraper does.
fn unescaped(text: &str) -> String {
    let mut characters = text.chars();
    let mut read = String::new();
    while let Some(character) = characters.next() {
        read.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some(escaped @ ('\\' | '"')) => escaped,
                other => panic!("{other:?} after a backslash in {text:?}"),
            },
            '"' | '\n' => panic!("{character:?} stands alone in {text:?}"),
            plain => plain,
        });
    }
    read
}

/// Any text, with the characters that need care more often than chance has them.
fn text() -> impl Strategy<Value = String> {
    let character =
        prop_oneof![3 => any::<char>(), 1 => prop::sample::select(vec!['\\', '"', '\n', 'n', '}', ',', '='])];
    prop::collection::vec(character, 0..40).prop_map(String::from_iter)
}

/// Any `f64` but NaN, with whole and decimal ones more often than chance has them.
fn number() -> impl Strategy<Value = f64> {
    let decimal = (any::<i32>(), -12..20i32).prop_map(|(digits, exponent)| f64::from(digits) * 10f64.powi(exponent));
    prop_oneof![any::<f64>().prop_filter("a number", |value| !value.is_nan()), decimal]
}

proptest! {
    #[test]
    fn lab_09_label_values_read_back(value in text()) {
        let labels = LabelTable::new(&["k"], [[value.clone()]]).unwrap();
        let quoted = labels.text(0);
        match quoted.strip_prefix("k=\"").and_then(|rest| rest.strip_suffix('"')) {
            Some(escaped) => prop_assert_eq!(unescaped(escaped), value),
            None => prop_assert!(value.is_empty() && quoted.is_empty()),
        }
    }

    #[test]
    fn itr_07_help_reads_back(help in text()) {
        let (page, _) = page(Format::OpenMetrics, vec![single(metadata(Gauge, "g").with_help(&help), values([1.0]))]);
        let line = page.split('\n').find_map(|line| line.strip_prefix("# HELP g "));
        prop_assert_eq!(line.map_or_else(String::new, unescaped), help);
    }

    #[test]
    fn itr_07_whole_pages_read_back(help in text(), rows in prop::collection::btree_set((text(), text()), 0..5)) {
        let metadata = metadata(Gauge, "g").with_help(&help).with_labels(&["k", "l"]).unwrap();
        let points = Points::Gauge { values: vec![0.5; rows.len()] };
        let rows: BTreeSet<[String; 2]> = rows.into_iter().map(|(first, second)| [first, second]).collect();
        let labels = LabelTable::new(&["k", "l"], rows).unwrap();
        let family = MetricFamily::new(Arc::new(metadata), Arc::new(labels), points).unwrap();
        let set = MetricSet { families: vec![family] };
        for format in [Format::OpenMetrics, Format::Text] {
            let mut page = Vec::new();
            let skipped = encode(&set, format, &mut page);
            let read = reader::check(std::str::from_utf8(&page).unwrap(), format, &set, skipped);
            prop_assert_eq!(read, Ok(()), "{:?}", format);
        }
    }

    #[test]
    fn itr_06_values_read_back(value in number()) {
        let text = Number::Float(value).to_string();
        prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits(), "{}", text);
    }

    #[test]
    fn his_06_thresholds_read_back(value in number().prop_filter("finite", |value| value.is_finite())) {
        let metadata = metadata(Histogram, "h").with_thresholds([value].into());
        let text = metadata.threshold_text(0);
        prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits(), "{}", text);
        prop_assert!(text.contains('.') || text.contains('e'), "{}", text);
    }

    #[test]
    fn itr_06_integers_keep_every_digit(unsigned in any::<u64>(), signed in any::<i64>()) {
        prop_assert_eq!(Number::Unsigned(unsigned).to_string().parse(), Ok(unsigned));
        prop_assert_eq!(Number::Signed(signed).to_string().parse(), Ok(signed));
    }
}
