//! Names that are not classic and the schemes that escape them, by the ids of `docs/behaviour.md`.

#[path = "common/messages.rs"]
mod messages;

use std::{collections::HashMap, error::Error};

use manometer::{
    DeclareError, Manager, Registry, RegistryOptions, collect,
    encode::{Format, Page, encode},
    model::{Dialect, EscapingScheme, EscapingScheme::*, FamilyName, LabelRule, MetricType, check_keys, check_keys_in},
};
use proptest::prelude::*;

fn registry() -> Registry {
    RegistryOptions::new().dialect(Dialect::Utf8).build()
}

fn page(registry: &Registry, format: Format, scheme: EscapingScheme) -> String {
    let set = collect(registry);
    let mut page = Vec::new();
    Page::new(&set, format).without_created().escaping(scheme).fill(&mut page, usize::MAX);
    String::from_utf8(page).expect("a page is UTF-8")
}

/// A family of each type, of names as they are given by others.
fn every_type() -> Result<Registry, Box<dyn Error>> {
    let registry = registry();
    let requests = registry.counter("http.requests").help("Say \"hi\"").labels(["http.method", "code"]);
    requests.declare()?.add(("GET \"1\"", 200), 3)?;
    registry.gauge("größe der \"Datei\\\"").unit("bytes").single()?.set(1.5);
    registry.histogram("http.wait").unit("seconds").buckets([0.5]).single()?.observe(0.25);
    let classic = registry.summary("classic_name").labels(["état"]).declare()?;
    classic.observe(("x",), 2.0)?;
    registry.info("target.build").text([("service.version", "1.0")])?;
    registry.state_set("power.phase").states(["on", "off"]).single()?.enter("on");
    Ok(registry)
}

#[test]
fn nam_12_foreign_names_are_for_who_asks_for_them() {
    let registry = registry();
    let family = registry.counter("http.größe").unit("bytes").declare().unwrap();
    let name = family.metadata().name().clone();
    assert_eq!((name.raw(), name.exposed()), ("http.größe_bytes", "http.größe_bytes"));
    assert!(!name.is_classic() && registry.get::<manometer::Counter>("http.größe_bytes").is_some());
    // What is refused is refused in each dialect, and units and suffixes are as ever.
    assert_eq!(registry.gauge("").declare().unwrap_err(), DeclareError::EmptyName);
    assert!(matches!(registry.gauge("a\u{85}").declare(), Err(DeclareError::InvalidName { at: 1, .. })));
    assert!(matches!(registry.gauge("a").unit("°C").declare(), Err(DeclareError::InvalidUnit { .. })));
    let stem = FamilyName::compose_in(Dialect::Utf8, "a.b_total", "", MetricType::Counter).unwrap();
    assert_eq!(stem.raw(), "a.b");

    // Nobody gets them by accident.
    let plain = Registry::new();
    plain.gauge("a.b").declare().unwrap();
    assert_eq!(plain.families()[0].name().exposed(), "a_b");
    let refused = plain.gauge("c").labels(["a.b"]).declare().unwrap_err();
    assert_eq!(refused, DeclareError::InvalidLabel { family: "c".into(), label: "a.b".into() });
    assert!(refused.to_string().ends_with("; the dialect Utf8 would take it"), "{refused}");
    assert!(!page(&plain, Format::Text, AllowUtf8).contains('"'));
}

#[test]
fn nam_13_each_scheme_escapes_as_prometheus_does() {
    let cases = [
        // Name; underscores, dots, values.
        ("plain_name:x9", "plain_name:x9", "plain__name:x9", "plain_name:x9"),
        ("no", "no", "no", "no"),
        ("http.status_code", "http_status_code", "http_dot_status__code", "U__http_2e_status__code"),
        ("9lives", "_lives", "__lives", "U___39_lives"),
        ("a b", "a_b", "a__b", "U__a_20_b"),
        ("花火", "__", "____", "U___82b1__706b_"),
        ("a.🦀", "a__", "a_dot___", "U__a_2e__1f980_"),
        ("U__x.", "U__x_", "U____x_dot_", "U__U____x_2e_"),
    ];
    for (name, underscores, dots, values) in cases {
        let found = [AllowUtf8, Underscores, Dots, Values].map(|scheme| scheme.metric_name(name).into_owned());
        assert_eq!(found, [name, underscores, dots, values]);
    }
    // A colon is for metrics alone.
    let labels = EscapingScheme::ALL.map(|scheme| scheme.label_name("a:b").into_owned());
    assert_eq!(labels, ["a:b", "a_b", "a__b", "U__a_3a_b"]);
    for scheme in EscapingScheme::ALL {
        assert_eq!(EscapingScheme::from_word(scheme.as_str()), Some(scheme));
    }
    assert_eq!(EscapingScheme::from_word("Dots"), None);
    assert_eq!(EscapingScheme::default(), Underscores);
}

#[test]
fn nam_13_totals_are_escaped_with_the_name_and_other_suffixes_behind_it() {
    let name = |kind| FamilyName::compose_in(Dialect::Utf8, "a.b", "", kind).unwrap();
    let escaped = |scheme, kind: MetricType| name(kind).escaped(scheme, kind).into_owned();
    assert_eq!(escaped(Values, MetricType::Counter) + "_total", Values.metric_name("a.b_total"));
    assert_eq!(escaped(Dots, MetricType::Counter) + "_total", Dots.metric_name("a.b_total"));
    assert_eq!(escaped(Dots, MetricType::Info) + "_info", "a_dot_b__info");
    assert_eq!(escaped(Values, MetricType::Histogram) + "_bucket", "U__a_2e_b_bucket");
    assert_eq!(escaped(Underscores, MetricType::Counter), "a_b");
    assert_eq!(escaped(AllowUtf8, MetricType::Counter), "a.b");
}

#[test]
fn nam_14_names_that_a_scheme_makes_the_same_clash() {
    // Underscores of both; one looks like the sample of the other; one has the form that values give the other.
    let pairs = [("a.b", "a_b"), ("a.b", "a b"), ("h.total", "h"), ("a.b", "U__a_2e_b"), ("é", "ü")];
    for (first, second) in pairs {
        for (first, second) in [(first, second), (second, first)] {
            let registry = registry();
            let declare = |name: &str| match name {
                "h" => registry.counter(name).declare().map(drop),
                _ => registry.gauge(name).declare().map(drop),
            };
            declare(first).unwrap();
            let refused = declare(second).unwrap_err();
            assert!(
                matches!(&refused, DeclareError::NameClash { name, other, .. } if name == second && other == first),
                "{refused}"
            );
            assert_eq!(registry.families().len(), 1);
        }
    }
    // The name is free again with its family, in every scheme.
    let registry = registry();
    registry.gauge("a.b").declare().unwrap();
    assert!(registry.remove("a.b").is_some());
    registry.gauge("U__a_2e_b").declare().unwrap();
    registry.gauge("a b").declare().unwrap();
    // One is called in dots as the other is in underscores, but no page is in both.
    registry.gauge("x.y").declare().unwrap();
    registry.gauge("x.dot.y").declare().unwrap();
}

#[test]
fn lab_11_keys_of_any_text() {
    let check = |kind, keys: &[&str]| check_keys_in(Dialect::Utf8, "f", kind, keys);
    assert_eq!(check(MetricType::Histogram, &["http.method", "état", "a b", "\"", "9a", "Le"]), Ok(()));
    let rules = [
        ("", LabelRule::Empty),
        ("a\nb", LabelRule::ControlCharacter),
        ("_a", LabelRule::Underscore),
        ("__é", LabelRule::Underscore),
        ("..name..", LabelRule::MetricName),
    ];
    for (label, rule) in rules {
        let refused = DeclareError::ForbiddenLabel { family: "f".into(), label: label.into(), rule };
        assert_eq!(check(MetricType::Gauge, &["ok", label]), Err(refused.clone()), "{refused}");
        let in_classic = check_keys("f", MetricType::Gauge, &[label]).unwrap_err().to_string();
        assert!(!in_classic.contains("Utf8"), "no dialect takes it: {in_classic}");
    }
    let clash = |label: &str, other: &str, form: &str| {
        let (label, other, form) = (label.to_owned(), other.to_owned(), form.to_owned());
        Err(DeclareError::LabelClash { family: "f".into(), label, other, form })
    };
    assert_eq!(check(MetricType::Gauge, &["a.b", "c", "a_b"]), clash("a_b", "a.b", "a_b"));
    assert_eq!(check(MetricType::Gauge, &["a.b", "U__a_2e_b"]), clash("U__a_2e_b", "a.b", "U__a_2e_b"));
    let twice = DeclareError::DuplicateLabel { family: "f".into(), label: "a.b".into() };
    assert_eq!(check(MetricType::Gauge, &["a.b", "a.b"]), Err(twice));
    let reserved = |family: &str, label: &str| {
        Err(DeclareError::ReservedLabel { family: family.to_owned(), label: label.to_owned() })
    };
    assert_eq!(check(MetricType::Histogram, &["le"]), reserved("f", "le"));
    assert_eq!(check(MetricType::Summary, &["quantile"]), reserved("f", "quantile"));
    assert_eq!(check_keys_in(Dialect::Utf8, "a.b", MetricType::StateSet, &["a b"]), reserved("a.b", "a b"));

    let family = registry().counter("c").labels(["a.b", "c"]).declare().unwrap();
    family.inc(("1", "2")).unwrap();
    let series = family.with_labels(("1", "2")).unwrap();
    assert_eq!(series.label_values().collect::<Vec<_>>(), ["1", "2"], "values are found behind quoted keys");
    family.inc(("", "2")).unwrap();
    assert_eq!((family.sum(), family.metrics().count()), (2, 2));
}

const QUOTED: &str = r#"# TYPE classic_name summary
classic_name_sum{"état"="x"} 2
classic_name_count{"état"="x"} 1
# TYPE "größe der \"Datei\\\"_bytes" gauge
# UNIT "größe der \"Datei\\\"_bytes" bytes
{"größe der \"Datei\\\"_bytes"} 1.5
# TYPE "http.requests" counter
# HELP "http.requests" Say \"hi\"
{"http.requests_total","http.method"="GET \"1\"",code="200"} 3
# TYPE "http.wait_seconds" histogram
# UNIT "http.wait_seconds" seconds
{"http.wait_seconds_bucket",le="0.5"} 1
{"http.wait_seconds_bucket",le="+Inf"} 1
{"http.wait_seconds_sum"} 0.25
{"http.wait_seconds_count"} 1
# TYPE "power.phase" stateset
{"power.phase","power.phase"="on"} 1
{"power.phase","power.phase"="off"} 0
# TYPE "target.build" info
{"target.build_info","service.version"="1.0"} 1
# EOF
"#;

const UNDERSCORES: &str = r#"# TYPE classic_name summary
classic_name_sum{_tat="x"} 2
classic_name_count{_tat="x"} 1
# TYPE gr__e_der__Datei___bytes gauge
# UNIT gr__e_der__Datei___bytes bytes
gr__e_der__Datei___bytes 1.5
# TYPE http_requests counter
# HELP http_requests Say \"hi\"
http_requests_total{http_method="GET \"1\"",code="200"} 3
# TYPE http_wait_seconds histogram
# UNIT http_wait_seconds seconds
http_wait_seconds_bucket{le="0.5"} 1
http_wait_seconds_bucket{le="+Inf"} 1
http_wait_seconds_sum 0.25
http_wait_seconds_count 1
# TYPE power_phase stateset
power_phase{power_phase="on"} 1
power_phase{power_phase="off"} 0
# TYPE target_build info
target_build_info{service_version="1.0"} 1
# EOF
"#;

#[test]
fn itr_13_pages_in_each_scheme() {
    let registry = every_type().unwrap();
    assert_eq!(page(&registry, Format::OpenMetrics, AllowUtf8), QUOTED);
    assert_eq!(page(&registry, Format::OpenMetrics, Underscores), UNDERSCORES);
    let mut unasked = Vec::new();
    encode(&collect(&registry), Format::Text, &mut unasked);
    let unasked = String::from_utf8(unasked).unwrap();
    assert_eq!(unasked, page(&registry, Format::Text, Underscores), "who does not ask gets classic names");

    let text = page(&registry, Format::Text, AllowUtf8);
    let counter =
        "# TYPE \"http.requests_total\" counter\n# HELP \"http.requests_total\" Say \"hi\"\n{\"http.requests_total\",";
    assert!(text.contains(counter) && text.contains("# TYPE \"target.build_info\" gauge\n"), "{text}");

    let values = page(&registry, Format::OpenMetrics, Values);
    for line in [
        "# TYPE U__http_2e_requests_ counter",
        "U__http_2e_requests__total{U__http_2e_method=\"GET \\\"1\\\"\",code=\"200\"} 3",
        "U__http_2e_wait__seconds_bucket{le=\"0.5\"} 1",
        "# UNIT U__http_2e_wait__seconds seconds",
        "U__power_2e_phase{U__power_2e_phase=\"on\"} 1",
        "U__target_2e_build__info{U__service_2e_version=\"1.0\"} 1",
        "classic_name_sum{U___e9_tat=\"x\"} 2",
    ] {
        assert!(values.lines().any(|found| found == line), "{line} is not in\n{values}");
    }

    let dots = page(&registry, Format::OpenMetrics, Dots);
    for line in [
        "http_dot_requests__total{http_dot_method=\"GET \\\"1\\\"\",code=\"200\"} 3",
        "http_dot_wait__seconds_count 1",
        "classic__name_sum{__tat=\"x\"} 2",
    ] {
        assert!(dots.lines().any(|found| found == line), "{line} is not in\n{dots}");
    }
    // A counter's name does not end in its unit where the underscore before `total` is escaped: a page that says so would be refused.
    let registry = self::registry();
    registry.counter("busy").unit("seconds").single().unwrap().inc();
    let page = page(&registry, Format::OpenMetrics, Dots);
    assert_eq!(page, "# TYPE busy__seconds_ counter\nbusy__seconds__total 1\n# EOF\n");
}

#[test]
fn itr_13_empty_values_exemplars_and_creation_times_stay() {
    let registry = registry();
    let family = registry.counter("a.b").labels(["c.d", "e"]).declare().unwrap();
    family.with_labels(("", "1")).unwrap().add_with_exemplar(1, [("trace_id", "x")]);
    family.inc(("2", "")).unwrap();
    let set = collect(&registry);
    for (scheme, first, second) in [
        (AllowUtf8, "{\"a.b_total\",e=\"1\"} 1 # {trace_id=\"x\"} 1 ", "{\"a.b_total\",\"c.d\"=\"2\"} 1\n"),
        (Underscores, "a_b_total{e=\"1\"} 1 # {trace_id=\"x\"} 1 ", "a_b_total{c_d=\"2\"} 1\n"),
    ] {
        let mut page = Vec::new();
        Page::new(&set, Format::OpenMetrics).escaping(scheme).fill(&mut page, usize::MAX);
        let page = String::from_utf8(page).unwrap();
        assert!(page.contains(first) && page.contains(second) && page.matches("_created").count() == 2, "{page}");
    }
}

#[test]
fn itr_13_pieces_make_the_same_page() {
    let set = collect(&every_type().unwrap());
    for scheme in EscapingScheme::ALL {
        for format in [Format::OpenMetrics, Format::Text, Format::Protobuf] {
            let (mut whole, mut pieces) = (Vec::new(), Vec::new());
            Page::new(&set, format).escaping(scheme).fill(&mut whole, usize::MAX);
            let mut page = Page::new(&set, format).escaping(scheme);
            while page.fill(&mut pieces, 1) {}
            assert_eq!(whole, pieces, "{format:?} {scheme:?}");
        }
    }
}

#[test]
fn itr_11_itr_13_messages_have_names_without_quotes() {
    let set = collect(&every_type().unwrap());
    let names = |scheme| {
        let mut page = Vec::new();
        Page::new(&set, Format::Protobuf).escaping(scheme).fill(&mut page, usize::MAX);
        let families = messages::decode(&page);
        let names: Vec<_> = families.iter().map(|family| family.name.clone().unwrap()).collect();
        let labels = |family: usize| families[family].metric[0].label.iter().map(|label| label.name.clone().unwrap());
        (names.join(" | "), labels(2).chain(labels(4)).collect::<Vec<_>>().join(" | "))
    };
    let own = "classic_name | größe der \"Datei\\\"_bytes | http.requests_total | http.wait_seconds | power.phase | target.build_info";
    assert_eq!(names(AllowUtf8), (own.to_owned(), "http.method | code | power.phase".to_owned()));
    let (names_of_values, labels) = names(Values);
    assert!(names_of_values.ends_with("U__http_2e_wait__seconds | U__power_2e_phase | U__target_2e_build__info"));
    assert_eq!(labels, "U__http_2e_method | code | U__power_2e_phase");
}

#[cfg(feature = "openmetrics2")]
#[test]
fn itr_12_itr_13_one_line_a_metric_with_names_in_quotes() {
    let registry = every_type().unwrap();
    let quoted = page(&registry, Format::OpenMetrics2, AllowUtf8);
    for line in [
        "# TYPE \"http.requests_total\" counter",
        "{\"http.requests_total\",\"http.method\"=\"GET \\\"1\\\"\",code=\"200\"} 3",
        "{\"http.wait_seconds\"} {count:1,sum:0.25,bucket:[0.5:1,+Inf:1]}",
        "classic_name{\"état\"=\"x\"} {count:1,sum:2,quantile:[]}",
        "{\"power.phase\",\"power.phase\"=\"off\"} 0",
    ] {
        assert!(quoted.lines().any(|found| found == line), "{line} is not in\n{quoted}");
    }
    let escaped = page(&registry, Format::OpenMetrics2, Underscores);
    assert!(escaped.contains("\nhttp_wait_seconds {count:1,"), "{escaped}");
}

#[test]
fn itr_13_the_page_of_prosody_knows_underscores_alone() {
    let registry = registry();
    registry.gauge("a.b").labels(["c.d"]).declare().unwrap().set(("x",), 1.0).unwrap();
    let page = page(&registry, Format::Prosody, AllowUtf8);
    assert!(page.contains("\na_b{c_d=\"x\"} 1\n"), "{page}");
    assert_eq!(Format::Prosody.content_type_in(AllowUtf8), Format::Prosody.content_type());
}

#[test]
fn cfg_08_names_of_a_manager() {
    let manager = Manager::builder().manual().provider("internal").utf8_names(true).build().unwrap();
    let family = manager.counter("http.hits").labels(["http.method"]).declare().unwrap();
    assert_eq!(family.metadata().name().exposed(), "http.hits");
    let scope = manager.scope("shop.é").preset("host.name", "a").open().unwrap();
    let measured = scope.gauge("queue size").declare().unwrap();
    assert_eq!(measured.metadata().name().exposed(), "prosody_mod_shop.é/queue size");
    let both = Manager::builder().manual().utf8_names(true).prosody_compatible(true).build().unwrap_err();
    assert_eq!(both.to_string(), "utf8_names is true, which is not possible where compat is \"prosody\"");
    let classic = Manager::builder().manual().provider("internal").build().unwrap();
    assert!(classic.scope("m").preset("host.name", "a").open().is_err());
}

/// Any name that a registry takes, with the characters that need care more often than chance has them.
fn name() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        2 => any::<char>(),
        3 => prop::sample::select(vec!['_', '.', ':', 'U', 'a', '9', ' ', '"', '\\', 'é', '花']),
    ];
    let text = prop::collection::vec(character, 1..20).prop_map(String::from_iter);
    text.prop_filter("no control character", |text| !text.contains(char::is_control))
}

fn is_classic(name: &str, also: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || also.contains(c);
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

/// Undoes `values`.
fn unescape(name: &str) -> String {
    let Some(mut rest) = name.strip_prefix("U__") else { return name.to_owned() };
    let mut plain = String::new();
    while let Some(at) = rest.find('_') {
        plain.push_str(&rest[..at]);
        let code = &rest[at + 1..];
        let end = code.find('_').expect("a closing underscore");
        plain.push(match &code[..end] {
            "" => '_',
            digits => char::from_u32(u32::from_str_radix(digits, 16).expect("digits")).expect("a character"),
        });
        rest = &code[end + 1..];
    }
    plain + rest
}

proptest! {
    #[test]
    fn nam_13_what_is_escaped_is_classic(name in name()) {
        for scheme in [Underscores, Dots, Values] {
            let (metric, label) = (scheme.metric_name(&name), scheme.label_name(&name));
            prop_assert!(is_classic(&metric, "_:"), "{:?}: {}", scheme, metric);
            prop_assert!(is_classic(&label, "_"), "{:?}: {}", scheme, label);
        }
        prop_assert_eq!(&*AllowUtf8.metric_name(&name), &*name);
    }

    #[test]
    fn nam_13_values_can_be_undone(name in name()) {
        if !name.starts_with("U__") || !is_classic(&name, "_:") {
            prop_assert_eq!(unescape(&Values.metric_name(&name)), name.clone());
            prop_assert_eq!(unescape(&Values.label_name(&name)), name);
        }
    }

    #[test]
    fn nam_14_no_page_says_a_thing_twice(names in prop::collection::vec((name(), 0..4u8), 1..8)) {
        let registry = registry();
        for (name, kind) in names {
            // Some clash: those are not on the page.
            let _ = match kind {
                0 => registry.counter(&name).declare().map(drop),
                1 => registry.gauge(&name).declare().map(drop),
                2 => registry.histogram(&name).buckets([]).declare().map(drop),
                _ => registry.summary(&name).declare().map(drop),
            };
        }
        for scheme in EscapingScheme::ALL {
            for format in [Format::OpenMetrics, Format::Text] {
                let page = page(&registry, format, scheme);
                let mut lines = HashMap::new();
                for line in page.lines().filter(|line| !line.starts_with('#') || line.starts_with("# TYPE")) {
                    let series = line.rsplit_once(' ').expect("a value").0.to_owned();
                    prop_assert_eq!(lines.insert(series, line), None, "{:?}\n{}", scheme, page);
                }
            }
        }
    }
}
