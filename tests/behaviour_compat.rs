//! Section 20 of docs/behaviour.md: names, thresholds and pages under `compat = "prosody"`.

mod common;
#[path = "common/prosody.rs"]
mod prosody;

use common::{options, page, registry};
use manometer::{
    DeclareError, Manager, MetricType, Registry, Source, collect,
    encode::{Format, encode, samples},
    model::{
        BucketRule, Dialect, FamilyName, LabelTable, Metadata, MetricFamily, MetricSet, Points, Settings, Timestamp,
    },
};

/// A registry by the rules of Prosody.
fn compatible() -> Registry {
    options().dialect(Dialect::Prosody).build()
}

/// A manager in the compatible form that never collects by itself.
fn manager() -> Manager {
    let settings = Settings::new().with("statistics_interval", 3600).with("compat", "prosody");
    Manager::new(&settings).expect("a good table")
}

/// The lines of a page that begin so.
fn lines<'a>(page: &'a str, start: &str) -> Vec<&'a str> {
    page.lines().filter(|line| line.starts_with(start)).collect()
}

/// The line of a gauge with this value, in one format.
fn gauge(value: f64, format: Format) -> String {
    let registry = registry();
    registry.gauge("g").single().expect("a free name").set(value);
    lines(&page(&registry, format), "g ")[0]["g ".len()..].to_owned()
}

#[test]
fn cmp_01_lab_08_lab_09_itr_07_texts_are_escaped_as_prosody_does() {
    let registry = compatible();
    let family = registry.gauge("g").help("a \"b\" \\ c\nd").labels(["k", "l", "m"]).declare().unwrap();
    let values = [
        (["", "", ""], r#"k="",l="",m="""#),
        (["q\"x", "", "z"], r#"k="q\\\"x",l="",m="z""#),
        (["a\\b", "c\nd", "é\t\r\0"], "k=\"a\\\\\\\\b\",l=\"c\\\\nd\",m=\"é\t\r\0\""),
    ];
    for (values, _) in values {
        family.set(values, 1.0).unwrap();
    }
    let text = page(&registry, Format::Prosody);
    for (_, labels) in values {
        assert!(text.contains(&format!("\ng{{{labels}}} 1\n")), "no {labels} in\n{text}");
    }
    assert!(text.starts_with("# HELP g a \"b\" \\\\ c\\nd\n"), "{text}");
    // Only the text differs: the values are what they are, and so is a page of another format.
    let (labels, _) = family.metrics().nth(2).expect("the third of three");
    assert_eq!(labels.values().collect::<Vec<_>>(), ["q\"x", "", "z"]);
    let ours = page(&registry, Format::OpenMetrics);
    assert!(ours.contains("\ng{k=\"q\\\"x\",m=\"z\"} 1\n") && ours.contains("\ng 1\n"), "{ours}");
}

#[test]
fn cmp_02_his_06_thresholds_have_14_digits_on_a_page_and_in_iteration() {
    let registry = compatible();
    let bounds = [-2.5, 0.0, 1e-5, 0.0001, 0.1, 0.3, 1.0, 1024.0, 1048576.0, 1073741824.0, 1e13, 1e14, 1e15];
    let texts = [
        "-2.5",
        "0",
        "1e-05",
        "0.0001",
        "0.1",
        "0.3",
        "1",
        "1024",
        "1048576",
        "1073741824",
        "10000000000000",
        "1e+14",
        "1e+15",
        "+Inf",
    ];
    registry.histogram("h").buckets(bounds).declare().unwrap();
    for format in [Format::Prosody, Format::OpenMetrics, Format::Text] {
        let found: Vec<String> = texts.iter().map(|text| format!("h_bucket{{le=\"{text}\"}} 0")).collect();
        assert_eq!(lines(&page(&registry, format), "h_bucket"), found, "{format:?}");
    }
    let set = collect(&registry);
    let metric = set.families[0].metrics().next().expect("its one metric");
    let iterated = samples(&metric).into_iter().filter_map(|sample| sample.extra.map(|(_, text)| text));
    assert_eq!(iterated.collect::<Vec<_>>(), texts);
    let metadata = registry.metadata("h").unwrap();
    assert_eq!((0..metadata.buckets()).map(|bucket| metadata.threshold_text(bucket)).collect::<Vec<_>>(), texts);
}

#[test]
fn cmp_02_his_06_two_bounds_with_one_text_are_refused() {
    let bounds = [0.1, 0.3, 0.30000000000000004, 1.0, f64::INFINITY];
    let refused = compatible().histogram("h").unit("s").buckets(bounds).declare().unwrap_err();
    let expected = DeclareError::InvalidBuckets {
        family: "h_s".to_owned(),
        position: 2,
        threshold: 0.30000000000000004,
        rule: BucketRule::SameText,
    };
    assert_eq!(refused, expected);
    assert_eq!(
        refused.to_string(),
        "bucket 2 of family \"h_s\", 0.30000000000000004, reads like the one before it in 14 digits"
    );
    let registry = compatible();
    assert!(registry.histogram("h").buckets(bounds).replace().is_err());
    assert!(registry.families().is_empty(), "nothing has changed");
    assert!(manager().scope("m").open().unwrap().measure("t").times().buckets(bounds).declare().is_err());
    self::registry().histogram("h").buckets(bounds).declare().expect("elsewhere they have texts of their own");
}

#[test]
fn cmp_03_itr_04_metadata_is_whole_and_in_prosodys_order() {
    let registry = compatible();
    registry.gauge("b").single().unwrap();
    registry.counter("a").unit("bytes").help("what it is").labels(["k"]).declare().unwrap();
    let expected = "# HELP a_bytes what it is\n# UNIT a_bytes bytes\n# TYPE a_bytes counter\n\
                    # HELP b \n# UNIT b \n# TYPE b gauge\nb 0\n# EOF\n";
    assert_eq!(page(&registry, Format::Prosody), expected);
    assert_eq!(page(&compatible(), Format::Prosody), "# EOF\n");
}

#[test]
fn cmp_03_itr_02_only_a_counters_creation_time_moves() {
    let registry = compatible();
    registry.counter("c").single().unwrap().inc();
    registry.float_counter("f").single().unwrap().add(0.5);
    registry.histogram("h").buckets([1.0]).single().unwrap().observe(0.25);
    registry.summary("s").single().unwrap().observe(0.25);
    let text = page(&registry, Format::Prosody);
    let names = text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split(' ').next().unwrap());
    let expected = [
        "c_created",
        "c_total",
        "f_created",
        "f_total",
        "h_bucket{le=\"1\"}",
        "h_bucket{le=\"+Inf\"}",
        "h_sum",
        "h_count",
        "h_created",
        "s_sum",
        "s_count",
        "s_created",
    ];
    assert_eq!(names.collect::<Vec<_>>(), expected);
    let mut piece = Vec::new();
    let mut short = manometer::encode::Page::new(collect(&registry), Format::Prosody).without_created();
    while short.fill(&mut piece, 1) {}
    let short = String::from_utf8(piece).unwrap();
    let kept: String = text.split_inclusive('\n').filter(|line| !line.contains("_created")).collect();
    assert_eq!(short, kept);
}

#[test]
fn cmp_04_itr_06_values_have_17_digits() {
    let values = [
        (0.0, "0"),
        (-0.0, "-0"),
        (3.0, "3"),
        (0.1, "0.10000000000000001"),
        (0.5, "0.5"),
        (1e15, "1000000000000000"),
        (1e16, "10000000000000000"),
        (1e17, "1e+17"),
        (6.4373016357421875e-06, "6.4373016357421875e-06"),
        (0.0001983642578125, "0.0001983642578125"),
        (1e-5, "1.0000000000000001e-05"),
        (1e300, "1.0000000000000001e+300"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
    ];
    for (value, text) in values {
        assert_eq!(gauge(value, Format::Prosody), text, "{value:e}");
    }
    assert_eq!(gauge(0.1, Format::OpenMetrics), "0.1");
}

#[test]
fn cmp_04_itr_06_s_32_totals_and_times_have_17_digits_too() {
    let name = FamilyName::compose_in(Dialect::Prosody, "c", "", MetricType::Counter).unwrap();
    let metadata = Metadata::new(name, MetricType::Counter).with_labels(&["k"]).unwrap();
    let labels = LabelTable::new(&["k"], [["a"], ["b"], ["c"]]).unwrap();
    let times = [1_795_239_171_804, 1_795_239_171_500, 0].map(Timestamp::from_millis);
    let points = Points::Counter { totals: vec![(1 << 53) + 1, u64::MAX, 0], created: times.into() };
    let family = MetricFamily::new(metadata.into(), std::sync::Arc::new(labels), points).unwrap();
    let mut page = Vec::new();
    encode(&MetricSet { families: vec![family] }, Format::Prosody, &mut page);
    let expected = "# HELP c \n# UNIT c \n# TYPE c counter\n\
                    c_created{k=\"a\"} 1795239171.8039999\nc_total{k=\"a\"} 9007199254740993\n\
                    c_created{k=\"b\"} 1795239171.5\nc_total{k=\"b\"} 1.8446744073709552e+19\n\
                    c_created{k=\"c\"} 0\nc_total{k=\"c\"} 0\n# EOF\n";
    assert_eq!(String::from_utf8(page).unwrap(), expected);
}

#[test]
fn cmp_05_nam_02_nam_10_units_are_appended_and_totals_kept() {
    let registry = compatible();
    let raw = |metadata: &Metadata| (metadata.name().raw().to_owned(), metadata.name().exposed().to_owned());
    let seconds = registry.gauge("x_seconds").unit("seconds").declare().unwrap();
    assert_eq!(raw(seconds.metadata()), ("x_seconds_seconds".to_owned(), "x_seconds_seconds".to_owned()));
    registry.counter("foo_total").single().unwrap().inc();
    assert!(page(&registry, Format::Prosody).contains("\nfoo_total_total 1\n"));
    assert!(registry.get::<manometer::Counter>("foo_total").is_some());
    // The names that a family reserves are those that it exposes here.
    let clash = registry.counter("foo").declare().unwrap_err();
    assert!(matches!(&clash, DeclareError::NameClash { sample, .. } if sample == "foo_total"), "{clash}");
    assert!(registry.counter("_total").single().is_ok(), "there is a name left");
    // In a scope, and by a measure, it is the same.
    let manager = manager();
    let scope = manager.scope("m").open().unwrap();
    scope.counter("_total").single().unwrap();
    scope.measure("wait_seconds").times().declare().unwrap();
    let error = scope.counter("a_bytes").unit("bytes").labels(["k"]).single().unwrap_err();
    assert!(error.to_string().contains("\"prosody_mod_m/a_bytes_bytes\""), "{error}");
    let names: Vec<_> =
        manager.registry().unwrap().families().iter().map(|family| family.name().raw().to_owned()).collect();
    assert_eq!(names[..2], ["prosody_mod_m/_total", "prosody_mod_m/wait_seconds_seconds"]);
}

#[test]
fn cmp_05_a_disabled_manager_checks_by_the_same_rules() {
    let settings = Settings::new().with("statistics", ":nobody").with("compat", "prosody");
    let manager = Manager::new_or_disabled(&settings);
    assert!(!manager.is_enabled());
    assert!(manager.histogram("h").buckets([0.3, 0.30000000000000004]).declare().is_err());
    assert_eq!(manager.gauge("x_s").unit("s").declare().unwrap().metadata().name().raw(), "x_s_s");
}

#[cfg(feature = "statsd")]
#[test]
fn cmp_05_a_push_provider_has_the_same_names() {
    let push = Settings::new().with("statsd_server", "127.0.0.1").with("statsd_port", 9);
    let settings =
        Settings::new().with("statistics", "statsd").with("statistics_config", push).with("compat", "prosody");
    let manager = Manager::new(&settings).unwrap();
    assert_eq!(manager.gauge("x_s").unit("s").declare().unwrap().metadata().name().raw(), "x_s_s");
}

#[test]
fn cmp_01_values_and_errors_are_those_of_everybody() {
    let (ours, theirs) = (registry(), compatible());
    for registry in [&ours, &theirs] {
        let counter = registry.counter("c").labels(["k"]).declare().unwrap();
        counter.add(("q\"",), (1 << 53) + 1).unwrap();
        assert!(counter.with_labels(("a", "b")).is_err());
        registry.gauge("g").single().unwrap().set(0.1);
        assert!(registry.counter("g").declare().is_err());
        assert!(registry.gauge("").declare().is_err());
        registry.histogram("h").buckets([0.1]).single().unwrap().observe(0.1);
    }
    let points = |registry: &Registry| {
        let set = collect(registry);
        set.families.iter().map(|family| format!("{:?}", untimed(family))).collect::<Vec<_>>()
    };
    assert_eq!(points(&ours), points(&theirs));
}

fn untimed(family: &MetricFamily) -> Points {
    match family.points().clone() {
        Points::Counter { totals, .. } => Points::Counter { totals, created: vec![] },
        Points::Histogram { cumulative, sums, .. } => Points::Histogram { cumulative, sums, created: vec![] },
        other => other,
    }
}

#[test]
fn cmp_08_the_page_of_a_server_byte_for_byte() {
    let manager = manager();
    prosody::declare_all(&manager);
    let set = collect(manager.registry().expect("enabled"));
    let mut page = Vec::new();
    assert_eq!(encode(&set, Format::Prosody, &mut page), 0);
    let page = String::from_utf8(page).expect("a page is text");
    assert_eq!(prosody::without_times(&page), prosody::without_times(&prosody::expected_page()));
    // The creation times are those of now, in as many digits.
    let times: Vec<f64> = lines(&page, "prosody_")
        .iter()
        .filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            name.split('{').next()?.ends_with("_created").then(|| value.parse().expect("a number"))
        })
        .collect();
    assert_eq!(times.len(), 38);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!(times.iter().all(|time| (now - 3600.0..=now + 1.0).contains(time)), "{times:?}");
    // No page of another format has these lines, and the families of the registry are those of the file alone.
    assert_eq!(manager.scrape().families.len(), 40);
}

#[cfg(feature = "view")]
#[test]
fn cmp_07_viw_02_the_view_of_the_same_server() {
    let manager = manager();
    prosody::declare_all(&manager);
    let shown = manager.viewer().show("").unwrap();
    // Series stand in the order of their labels; those of the file, in that of their making.
    let mut expected: Vec<String> = Vec::new();
    for line in prosody::data("view/show.txt").lines() {
        let at = match line.starts_with("  ") {
            true => {
                expected.iter().rposition(|other| !other.starts_with("  ") || **other < *line).map_or(0, |at| at + 1)
            }
            false => expected.len(),
        };
        expected.insert(at, line.to_owned());
    }
    assert_eq!(shown.lines().collect::<Vec<_>>(), expected);
    // Decimal prefixes, and thresholds cut to their columns.
    manager.gauge("size").unit("bytes").single().unwrap().set(12_345.0);
    assert!(manager.viewer().show("^size").unwrap().starts_with(&format!("{:<50} 12.3 kB\n", "size_bytes")));
    let cut = manager.histogram("cut").buckets([33_554_432.0]).single().unwrap();
    cut.observe(1.0);
    let graph = manager.viewer().histogram("^cut$").unwrap();
    assert!(graph.contains("\n3.355443e+07/    inf/ \n"), "{graph}");
}
