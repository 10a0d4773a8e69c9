//! Section 18 of docs/behaviour.md: the operator's text view.

#![cfg(feature = "view")]

#[path = "common/pages.rs"]
mod pages;

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use manometer::{
    Collector, MetricSet, MetricType, Registry, Sampled, Source, collect,
    model::{MetricFamily, Points, Timestamp},
    view::{Form, Interval, Listing, Pattern, ShowOptions, ViewError, Viewer, cfgraph, histogram, show},
};
use pages::{CREATED, labelled, metadata, quantiles, single, values, with_unit};

fn data(name: &str) -> String {
    let path = format!("{}/tests/data/view/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The text of these families ten seconds after they were made.
fn text(families: Vec<MetricFamily>) -> String {
    show(&MetricSet { families }, &ten_seconds_later())
}

fn ten_seconds_later() -> ShowOptions {
    ShowOptions::new().at(Timestamp::from_millis(CREATED.millis() + 10_000))
}

/// What stands in the value's column on the first line.
fn value(family: MetricFamily) -> String {
    let text = text(vec![family]);
    text.lines().next().expect("a line").chars().skip(51).collect()
}

fn counter(unit: &str, total: u64) -> MetricFamily {
    let points = Points::Counter { totals: vec![total], created: vec![CREATED] };
    single(with_unit(MetricType::Counter, "m", unit), points)
}

fn gauge(unit: &str, value: f64) -> MetricFamily {
    single(with_unit(MetricType::Gauge, "m", unit), values([value]))
}

fn distribution(unit: &str, thresholds: &[f64], counts: &[u64]) -> MetricFamily {
    let cumulative: Vec<u64> = counts
        .iter()
        .scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        })
        .collect();
    let metadata = with_unit(MetricType::Histogram, "h", unit).with_thresholds(thresholds.into());
    single(metadata, Points::Histogram { cumulative, sums: vec![1.0], created: vec![CREATED] })
}

/// A registry with what the reference view shows; types, units and values are as its lines tell.
fn reference_registry(reference: &str) -> Registry {
    let registry = Registry::new();
    let mut lines = reference.lines().peekable();
    while let Some(head) = lines.next().filter(|line| !line.ends_with("statistics displayed")) {
        let (raw, own) = head.split_at(head.find(' ').unwrap_or(head.len()));
        let unit = ["seconds", "bytes"].into_iter().find(|unit| raw.ends_with(&format!("_{unit}"))).unwrap_or_default();
        let mut rows = Vec::new();
        while let Some(row) = lines.next_if(|line| line.starts_with("  ")) {
            let (labels, value) = row.split_at(50);
            let labels: Vec<_> =
                labels.split_whitespace().map(|label| label.split_once('=').expect("a label")).collect();
            rows.push((labels, value));
        }
        let keys: Vec<_> = match rows.first() {
            Some((labels, _)) => labels.iter().map(|(key, _)| *key).collect(),
            None if own.is_empty() => vec!["host"],
            None => vec![],
        };
        let rows: Vec<(Vec<&str>, &str)> = match own.is_empty() {
            true => rows
                .into_iter()
                .map(|(labels, value)| (labels.into_iter().map(|(_, value)| value).collect(), value))
                .collect(),
            false => vec![(vec![], own)],
        };
        let sample = rows.first().map_or("", |(_, value)| value);
        if sample.contains("obs.") || sample.contains("/event") {
            let family = registry.histogram(raw).unit(unit).labels(keys).buckets([1.0]).declare().expect("a free name");
            for (labels, value) in rows {
                let histogram = family.with_labels(&labels[..]).expect("its keys");
                if let Some(microseconds) = value.trim().split_once(" \u{3bc}s").map(|(number, _)| number) {
                    (0..8).for_each(|_| histogram.observe(microseconds.parse::<f64>().expect("a number") / 1e6));
                }
            }
        } else if sample.contains("events/s") {
            let family = registry.counter(raw).unit(unit).labels(keys).declare().expect("a free name");
            rows.iter().for_each(|(labels, _)| drop(family.with_labels(&labels[..]).expect("its keys")));
        } else {
            let family = registry.gauge(raw).unit(unit).labels(keys).declare().expect("a free name");
            for (labels, value) in rows {
                let number = value.trim().split(' ').next().expect("a value").parse().expect("a number");
                family.with_labels(&labels[..]).expect("its keys").set(number);
            }
        }
    }
    registry
}

/// The same with the series of each family in the order of their label values, as every list of ours has them (ITR-01); in the
/// reference they come in the order in which they were made.
fn in_label_order(reference: &str) -> String {
    let mut lines: Vec<&str> = reference.lines().collect();
    lines.chunk_by_mut(|one, other| one.starts_with("  ") && other.starts_with("  ")).for_each(<[_]>::sort);
    lines.into_iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn viw_02_the_whole_reference_view() {
    let reference = data("show.txt");
    let registry = reference_registry(&reference);
    assert_eq!(registry.families().len(), 40);
    assert_eq!(show(&collect(&registry), &ShowOptions::new()), in_label_order(&reference));
}

#[test]
fn viw_01_a_pattern_is_looked_for_in_raw_names() {
    let registry = Registry::new();
    for name in ["mod_b/x", "mod_a.y", "MOD_C", "other"] {
        registry.gauge(name).single().unwrap();
    }
    let shown = |pattern: &str| {
        let text = show(&collect(&registry), &ShowOptions::new().matching(pattern).unwrap());
        let names: Vec<_> = text.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(names.last(), Some(&(names.len() - 1).to_string()), "{text}");
        names[..names.len() - 1].join(" ")
    };
    // In raw-name order: `.` comes before `/` on a page too, but `mod_a_y` and `mod_b__x` are not what is compared.
    assert_eq!(shown(""), "MOD_C mod_a.y mod_b/x other");
    assert_eq!(shown("mod"), "mod_a.y mod_b/x");
    assert_eq!(shown("(?i)mod"), "MOD_C mod_a.y mod_b/x");
    assert_eq!(shown("^o|/x$"), "mod_b/x other");
    assert_eq!(shown("a.y"), "mod_a.y");
    assert_eq!(shown(r"\w/\w"), "mod_b/x");
    assert_eq!(shown("nothing"), "");
}

#[test]
fn viw_01_a_malformed_pattern_is_refused_with_its_position() {
    let cases = [("[", 0), ("ab[", 2), ("a(b", 1), ("*a", 0), ("x{2,1}", 1), (r"ab\q", 2), ("a)", 1), (r"é[", 2)];
    for (pattern, at) in cases {
        let error = Pattern::new(pattern).unwrap_err();
        let ViewError::Malformed { pattern: named, position, reason } = &error else { panic!("{error}") };
        assert_eq!((named.as_str(), *position), (pattern, at), "{error}");
        assert!(!reason.is_empty() && !reason.contains('\n'), "{reason:?}");
        assert!(error.to_string().contains(&format!("at byte {at}")), "{error}");
    }
    let large = Pattern::new("(x{1000}){1000}").unwrap_err();
    assert!(matches!(large, ViewError::TooLarge { .. }) && large.to_string().contains("too large"), "{large}");
}

#[test]
fn viw_02_layout() {
    let row = |width: usize| single(metadata(MetricType::Gauge, &"n".repeat(width)), values([7.0]));
    assert_eq!(text(vec![row(49)]), format!("{}  7 \n1 statistics displayed\n", "n".repeat(49)));
    assert_eq!(text(vec![row(60)]), format!("{} 7 \n1 statistics displayed\n", "n".repeat(60)));
    let rows = labelled(metadata(MetricType::Gauge, "g"), ["a", "b"], &[["", "x y"], ["é", "2"]], values([1.0, 2.0]));
    let expected = format!("g\n{:<50} 1 \n{:<50} 2 \n1 statistics displayed\n", "  a= b=x y", "  a=é b=2");
    assert_eq!(text(vec![rows]), expected);
    let nothing = labelled(metadata(MetricType::Gauge, "g"), ["a"], &[], values([]));
    assert_eq!(text(vec![nothing]), "g\n1 statistics displayed\n");
    assert_eq!(text(vec![]), "0 statistics displayed\n");
}

#[test]
fn viw_02_no_label_value_adds_a_line_or_commands_the_terminal() {
    let evil = labelled(metadata(MetricType::Gauge, "g"), ["a"], &[["x\n\u{1b}[2J\u{9b}\r\t"]], values([1.0]));
    let text = text(vec![evil]);
    assert_eq!(text.lines().count(), 3);
    assert!(text.contains(r"a=x\n\u{1b}[2J\u{9b}\r\t"), "{text}");
    assert!(text.chars().all(|letter| letter == '\n' || !letter.is_control()));
}

#[test]
fn viw_03_counters_are_rates() {
    assert_eq!(value(counter("", 20)), "2 events/s [avg]");
    assert_eq!(value(counter("seconds", 5)), "50 % [avg]");
    assert_eq!(value(counter("bytes", 123_450)), "12.3 kB/s [avg]");
    assert_eq!(value(counter("jobs", 1)), "100 mjobs/s [avg]");
    assert_eq!(value(counter("", u64::MAX)), "1.84 Eevents/s [avg]");
    let float = Points::FloatCounter { totals: vec![0.25], created: vec![CREATED] };
    assert_eq!(value(single(with_unit(MetricType::Counter, "cpu", "seconds"), float)), "2.5 % [avg]");
}

#[test]
fn viw_03_without_an_age_there_is_no_rate() {
    for now in [CREATED.millis(), CREATED.millis() - 3_600_000] {
        let set = MetricSet { families: vec![counter("bytes", 5)] };
        let text = show(&set, &ShowOptions::new().at(Timestamp::from_millis(now)));
        assert_eq!(text, format!("{:<50} 0 B/s [avg]\n1 statistics displayed\n", "m_bytes"));
    }
    let ageless = |unit| single(with_unit(MetricType::Counter, "m", unit), pages::totals([4711]));
    assert_eq!(value(ageless("")), "4.71 kevents");
    assert_eq!(value(ageless("bytes")), "4.71 kB");
}

#[test]
fn viw_04_gauges_have_their_unit() {
    assert_eq!(value(gauge("", 3.0)), "3 ");
    assert_eq!(value(gauge("", -12345.0)), "-12.3 k");
    assert_eq!(value(gauge("seconds", 0.0661)), "66.1 ms");
    assert_eq!(value(gauge("bytes", 0.0)), "0 B");
    assert_eq!(value(gauge("jobs", 2.0)), "2 jobs");
    let steps = Points::UpDown { values: vec![-4] };
    assert_eq!(value(single(metadata(MetricType::Gauge, "m"), steps)), "-4 ");
}

#[test]
fn viw_01_cardinality_has_the_largest_family_first() {
    let few = labelled(metadata(MetricType::Gauge, "a"), ["k"], &[["x"]], values([1.0]));
    let rows = &[["a", "1\n"], ["a", "2"], ["b", "2"]];
    let many = labelled(metadata(MetricType::Gauge, "m"), ["j", "k"], rows, values([1.0, 2.0, 3.0]));
    let bare = single(metadata(MetricType::Gauge, "z"), values([7.0]));
    let set = MetricSet { families: vec![few, many, bare] };
    let text = show(&set, &ShowOptions::new().form(Form::Cardinality));
    let expected = concat!(
        "m: 3 series; j 2 values (a 2, b 1), k 2 values (2 2, 1\\n 1)\n",
        "a: 1 series; k 1 values (x 1)\n",
        "z: 1 series\n3 statistics displayed\n",
    );
    assert_eq!(text, expected);
    let matching = ShowOptions::new().form(Form::Cardinality).matching("z").unwrap();
    assert_eq!(show(&set, &matching), "z: 1 series\n1 statistics displayed\n");
}

#[test]
fn viw_04_what_has_no_number_says_what_it_is() {
    let states = || metadata(MetricType::StateSet, "m").with_states(&["up", "b\n"]).unwrap();
    let points = |on: &[bool]| Points::StateSet { on: on.into() };
    assert_eq!(value(single(states(), points(&[true, false]))), "up");
    assert_eq!(value(single(states(), points(&[true, true]))), "up, b\\n");
    assert_eq!(value(single(states(), points(&[false, false]))), "no state");
    assert_eq!(value(single(metadata(MetricType::Info, "m"), Points::Info)), "1");
    let unknown = Points::Unknown { values: vec![2048.0] };
    assert_eq!(value(single(with_unit(MetricType::Unknown, "m", "bytes"), unknown)), "2 KiB");
    let present = Points::GaugeHistogram { cumulative: vec![1, 4], sums: vec![6.0] };
    let queued = with_unit(MetricType::GaugeHistogram, "m", "bytes").with_thresholds([1.0].into());
    assert_eq!(value(single(queued, present)), "1.5 B/event [avg]");
}

#[test]
fn viw_05_averages_and_quantiles() {
    let mean = |unit, count, sum| {
        let metadata = with_unit(MetricType::Histogram, "m", unit).with_thresholds([1.0].into());
        value(single(metadata, Points::Histogram { cumulative: vec![0, count], sums: vec![sum], created: vec![] }))
    };
    assert_eq!(mean("seconds", 8, 5.288e-4), "66.1 \u{3bc}s/event [avg]");
    assert_eq!(mean("bytes", 2, 24_690.0), "12.3 kB/event [avg]");
    assert_eq!(mean("", 4, 10.0), "2.5 /event [avg]");
    assert_eq!(mean("jobs", 4, 10.0), "2.5 jobs/event [avg]");
    assert_eq!(mean("seconds", 0, 0.0), "no obs.");
    let summary = |count, values| {
        let metadata = with_unit(MetricType::Summary, "m", "seconds").with_quantiles([0.5, 0.99].into());
        value(single(metadata, quantiles(count, 3.0, values)))
    };
    assert_eq!(summary(2, [0.001, 2.0]), "1.5 s/event [avg], 1 ms/event [q 0.5], 2 s/event [q 0.99]");
    assert_eq!(summary(2, [f64::NAN; 2]), "1.5 s/event [avg], NaN s/event [q 0.5], NaN s/event [q 0.99]");
    assert_eq!(summary(0, [f64::NAN; 2]), "no obs.");
}

#[test]
fn viw_06_the_prefix_goes_by_the_rounded_number() {
    let cases = [
        (0.0, "0 s"),
        (-0.0, "0 s"),
        (6.61e-5, "66.1 \u{3bc}s"),
        (-5.0, "-5 s"),
        (-12_345.0, "-12.3 ks"),
        (999.4, "999 s"),
        (999.9, "1 ks"),
        (0.999_999, "1 s"),
        (0.9994, "999 ms"),
        (1e-24, "1 ys"),
        (1e24, "1 Ys"),
        (9.999e23, "1 Ys"),
        (1e26, "100 Ys"),
        (1e27, "1e+03 Ys"),
        (1e-27, "0.001 ys"),
        (f64::NAN, "NaN s"),
        (f64::INFINITY, "+Inf s"),
        (f64::NEG_INFINITY, "-Inf s"),
    ];
    for (number, expected) in cases {
        assert_eq!(value(gauge("seconds", number)), expected, "{number:e}");
    }
    let prefixes: String = (-8..=8).map(|power| value(gauge("", 2.0 * 1000_f64.powi(power)))).collect();
    assert_eq!(prefixes, "2 y2 z2 a2 f2 p2 n2 \u{3bc}2 m2 2 k2 M2 G2 T2 P2 E2 Z2 Y");
}

#[test]
fn viw_07_cmp_07_bytes_in_memory_have_binary_prefixes() {
    let compat = |bytes| {
        let set = MetricSet { families: vec![gauge("bytes", bytes)] };
        show(&set, &ShowOptions::new().compat(true)).lines().next().unwrap()[51..].to_owned()
    };
    let cases = [
        (12_345.0, "12.1 KiB", "12.3 kB"),
        (-12_345.0, "-12.1 KiB", "-12.3 kB"),
        (999.0, "999 B", "999 B"),
        (1010.0, "0.986 KiB", "1.01 kB"),
        (1024.0, "1 KiB", "1.02 kB"),
        (1_048_570.0, "1 MiB", "1.05 MB"),
        (3.5 * 1024_f64.powi(8), "3.5 YiB", "4.23 YB"),
        (0.25, "250 mB", "250 mB"),
        (0.0, "0 B", "0 B"),
        (f64::NAN, "NaN B", "NaN B"),
    ];
    for (bytes, ours, theirs) in cases {
        assert_eq!((value(gauge("bytes", bytes)).as_str(), compat(bytes).as_str()), (ours, theirs), "{bytes}");
    }
}

/// A source of sets made by hand, which counts how often it is asked.
#[derive(Debug)]
struct Script {
    enabled: bool,
    families: Mutex<Vec<MetricFamily>>,
    two: Option<[Sampled; 2]>,
    asked: AtomicUsize,
}

impl Script {
    fn new(families: Vec<MetricFamily>) -> Self {
        Self { enabled: true, families: Mutex::new(families), two: None, asked: AtomicUsize::new(0) }
    }
}

impl Source for Script {
    fn is_enabled(&self) -> bool {
        self.enabled
    }

    fn scrape(&self) -> Arc<MetricSet> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Arc::new(MetricSet { families: self.families.lock().expect("nobody panics with it").clone() })
    }

    fn last_two(&self) -> Option<[Sampled; 2]> {
        self.two.clone()
    }
}

/// The details of `later`, five seconds after `earlier`, without the name.
fn change(earlier: Vec<MetricFamily>, later: MetricFamily) -> String {
    let later = Arc::new(MetricSet { families: vec![later] });
    let interval = Interval {
        earlier: Arc::new(MetricSet { families: earlier }),
        later: later.clone(),
        elapsed: Duration::from_secs(5),
    };
    let text = show(&later, &ten_seconds_later().form(Form::Details).over(interval));
    text.lines().next().expect("a line").chars().skip(51).collect()
}

#[test]
fn viw_08_details_add_the_value_and_its_change() {
    let details = |family| {
        let set = MetricSet { families: vec![family] };
        let text = show(&set, &ten_seconds_later().form(Form::Details));
        text.lines().next().unwrap().chars().skip(51).collect::<String>()
    };
    assert_eq!(details(counter("", 20)), "2 events/s [avg], 20 [now]");
    assert_eq!(details(gauge("bytes", 12_345.0)), "12.1 KiB, 12345 [now]");

    let change_of = |earlier, later| change(vec![earlier], later);
    assert_eq!(change_of(counter("", 5), counter("", 20)), "2 events/s [avg], 20 [now], 3 events/s [last 5 s]");
    let large = 1 << 60;
    assert!(change_of(counter("", large), counter("", large + 10)).ends_with(", 2 events/s [last 5 s]"));
    assert!(change_of(counter("seconds", 5), counter("seconds", 6)).ends_with(", 20 % [last 5 s]"));
    assert!(change_of(gauge("bytes", 30.0), gauge("bytes", 20.0)).ends_with("20 [now], -2 B/s [last 5 s]"));
    let (few, more) = (distribution("seconds", &[1.0], &[1, 0]), distribution("seconds", &[1.0], &[1, 10]));
    assert!(change_of(few, more).ends_with("11 events [now], 2 events/s of 0 s/event [last 5 s]"));
    // Made within the interval, or again in it; and of another type before.
    assert!(change(vec![], counter("", 20)).ends_with(", 4 events/s [last 5 s]"));
    assert!(change_of(counter("", 50), counter("", 20)).ends_with(", 4 events/s [last 5 s]"));
    let reset = Points::Counter { totals: vec![5], created: vec![Timestamp::from_millis(1)] };
    let reset = single(metadata(MetricType::Counter, "m"), reset);
    assert!(change_of(reset, counter("", 20)).ends_with(", 4 events/s [last 5 s]"));
    assert!(change_of(gauge("", 1.0), counter("", 20)).ends_with(", 4 events/s [last 5 s]"));
}

#[test]
fn viw_08_rows_are_compared_by_their_labels() {
    let family = |rows: &[[&str; 2]], totals: Vec<u64>| {
        let created = vec![CREATED; totals.len()];
        labelled(metadata(MetricType::Counter, "m"), ["a", "b"], rows, Points::Counter { totals, created })
    };
    let earlier = family(&[["x", "1"], ["x", "3"], ["z", "1"]], vec![10, 20, 30]);
    let later = family(&[["a", "1"], ["x", "1"], ["x", "2"], ["z", "1"]], vec![5, 15, 10, 40]);
    let [earlier, later] = [earlier, later].map(|family| Arc::new(MetricSet { families: vec![family] }));
    let interval = Interval { earlier, later: later.clone(), elapsed: Duration::from_secs(5) };
    let text = show(&later, &ten_seconds_later().form(Form::Details).over(interval));
    let rates: Vec<_> = text.lines().filter_map(|line| line.split("[now], ").nth(1)).collect();
    let expected = ["1 events/s [last 5 s]", "1 events/s [last 5 s]", "2 events/s [last 5 s]", "2 events/s [last 5 s]"];
    assert_eq!(rates, expected);
}

#[test]
fn viw_08_a_viewer_compares_with_its_own_last_call() {
    let registry = Registry::new();
    let hits = registry.counter("hits").single().unwrap();
    let source = Arc::new(Collector::new(&registry));
    let (mut often, mut rarely) = (Viewer::new(source.clone()), Viewer::new(source));
    assert!(!rarely.details("").unwrap().contains("[last"), "nothing to compare with");
    for _ in 0..3 {
        often.details("").unwrap();
    }
    hits.add(1_000_000);
    often.details("").unwrap();
    std::thread::sleep(Duration::from_millis(5));
    let idle = often.details("").unwrap();
    assert!(idle.contains("1000000 [now], 0 events/s [last"), "{idle}");
    let all = rarely.details("").unwrap();
    assert!(all.contains("1000000 [now], ") && !all.contains(" 0 events/s [last"), "{all}");
}

#[test]
fn viw_08_a_schedule_gives_the_interval() {
    let at = |seconds, total| {
        let set = Arc::new(MetricSet { families: vec![counter("", total)] });
        Sampled { at: Duration::from_secs(seconds), set }
    };
    let source = Script { two: Some([at(100, 0), at(160, 60)]), ..Script::new(vec![counter("", 99)]) };
    let text = Viewer::new(Arc::new(source)).details("").unwrap();
    assert!(text.contains("99 [now], 1 events/s [last 60 s]"), "{text}");
}

#[test]
fn viw_01_a_viewer_collects_first_unless_the_pattern_is_malformed() {
    let source = Arc::new(Script::new(vec![counter("", 1)]));
    let mut viewer = Viewer::new(source.clone());
    for malformed in [viewer.show("["), viewer.details("["), viewer.histogram("["), viewer.cfgraph("[")] {
        malformed.unwrap_err();
    }
    assert_eq!(source.asked.load(Ordering::Relaxed), 0);
    viewer.show("").unwrap();
    viewer.details("").unwrap();
    viewer.histogram("").unwrap();
    viewer.cfgraph("").unwrap();
    assert_eq!(source.asked.load(Ordering::Relaxed), 4);
}

#[test]
fn viw_12_a_viewer_of_nothing_says_so() {
    let source = Arc::new(Script { enabled: false, ..Script::new(vec![]) });
    let mut viewer = Viewer::new(source.clone());
    let texts = [viewer.show(""), viewer.details(""), viewer.histogram(""), viewer.cfgraph("")];
    for text in texts.map(Result::unwrap) {
        assert_eq!(text.lines().count(), 1);
        assert!(
            text.contains("disabled") && text.contains("statistics_interval") && text.contains("internal"),
            "{text}"
        );
    }
    assert_eq!(source.asked.load(Ordering::Relaxed), 0);
}

/// The parts of the reference's graphs, by the numbers in their headings.
fn graph_cases() -> Vec<String> {
    let graphs = data("graphs.txt");
    let mut cases = Vec::new();
    for line in graphs.lines() {
        match line.starts_with("### ") {
            true => cases.push(String::new()),
            false => cases.last_mut().expect("a heading").push_str(&format!("{line}\n")),
        }
    }
    assert_eq!(cases.len(), 6);
    cases
}

/// The graph alone of a histogram of this name.
fn graph(name: &str, unit: &str, thresholds: &[f64], counts: &[u64], form: Form) -> String {
    let family = distribution(unit, thresholds, counts);
    let text = show(&MetricSet { families: vec![family] }, &ShowOptions::new().form(form).compat(true));
    let raw = if unit.is_empty() { "h".to_owned() } else { format!("h_{unit}") };
    let graph =
        text.strip_prefix(&format!("\n#{raw}\n\n")).and_then(|text| text.strip_suffix("\n1 statistics displayed\n"));
    graph.expect("one graph").replacen(&format!("\n{raw}\n"), &format!("\n{name}\n"), 1)
}

#[test]
fn viw_09_whole_outputs_of_the_reference() {
    let registry = Registry::new();
    let buckets = [0.001, 0.01, 0.1, 1.0, 10.0, 100.0];
    let collection = registry.histogram("prosody_stats.collection").unit("seconds").buckets(buckets).single().unwrap();
    registry.counter("prosody_mod_bosh/timeout").single().unwrap();
    (0..8).for_each(|_| collection.observe(0.0005));
    let set = collect(&registry);
    let options = |pattern| ShowOptions::new().matching(pattern).unwrap();
    let cases = graph_cases();
    assert_eq!(histogram(&set, &options("stats.collection")), cases[0]);
    assert_eq!(cfgraph(&set, &options("stats.collection")), cases[1]);
    assert_eq!(histogram(&set, &options("bosh/timeout")), cases[2]);
}

#[test]
fn viw_10_graphs_of_the_reference() {
    let cases = graph_cases();
    let (bounds, counts) = ([0.005, 0.1, 1.0, 2.5], [1, 13, 40, 7, 2]);
    assert_eq!(graph("demo", "seconds", &bounds, &counts, Form::Histogram), cases[3]);
    assert_eq!(graph("demo", "seconds", &bounds, &counts, Form::Cumulative), cases[4]);
    let tens: Vec<f64> = (1..10).map(|ten| f64::from(ten) * 10.0).collect();
    assert_eq!(graph("ten", "", &tens, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 3], Form::Histogram), cases[5]);
}

#[test]
fn viw_10_the_more_columns_the_narrower() {
    for (buckets, width) in [(1, 8), (7, 8), (8, 4), (15, 4), (16, 2), (31, 2), (32, 1), (250, 1)] {
        let thresholds: Vec<f64> = (1..buckets).map(|at| at as f64).collect();
        let graph = graph("g", "", &thresholds, &vec![5; buckets], Form::Histogram);
        let lines: Vec<_> = graph.lines().collect();
        assert_eq!(lines[2], format!("{} 5", "_".repeat(buckets * width)));
        assert_eq!(lines[3], format!("{}|- 5", "█".repeat(buckets * width)));
        assert_eq!(lines.len(), 14);
    }
}

#[test]
fn viw_09_s_21_every_histogram_is_drawn_and_none_fails() {
    let of = |name, cumulative: Vec<u64>| {
        let metadata = metadata(MetricType::Histogram, name).with_thresholds([1.0, 2.0].into());
        single(metadata, Points::Histogram { cumulative, sums: vec![0.0], created: vec![] })
    };
    let series = Points::Histogram { cumulative: vec![1, 2, 3, 0, 0, 0], sums: vec![0.0; 2], created: vec![] };
    let family = metadata(MetricType::Histogram, "b").with_thresholds([1.0, 2.0].into());
    let several = labelled(family, ["k"], &[["x"], ["y"]], series);
    let empty = Points::Histogram { cumulative: vec![], sums: vec![], created: vec![] };
    let nobody = labelled(metadata(MetricType::Histogram, "d").with_thresholds([1.0, 2.0].into()), ["k"], &[], empty);
    let set = MetricSet { families: vec![of("a", vec![0, 0, 0]), several, of("c", vec![1, 1, 1]), nobody] };
    let text = histogram(&set, &ShowOptions::new());
    for title in ["\n\na\n", "\n\nb k=x\n", "\nb k=y\n", "\n\nc\n"] {
        assert!(text.contains(title), "{title:?} is not in {text}");
    }
    assert_eq!(text.matches("      1/      2/    inf/ \n").count(), 4);
    assert!(text.contains("#d\n\n[no data or not a histogram]\n\n4 statistics displayed\n"));
    let zero = format!("\na\n{} 0\n{}", "_".repeat(24), format!("{}|- 0\n", "-".repeat(24)).repeat(10));
    assert!(text.contains(&zero), "{text}");
    assert_eq!(cfgraph(&set, &ShowOptions::new()).matches("|- ").count(), 40);
}

#[test]
fn viw_11_cmp_07_bounds_that_do_not_fit_are_written_in_full() {
    let legend = |thresholds: &[f64], compat| {
        let set = MetricSet { families: vec![distribution("bytes", thresholds, &vec![1; thresholds.len() + 1])] };
        let text = histogram(&set, &ShowOptions::new().compat(compat));
        text.lines().rev().nth(2).unwrap().to_owned()
    };
    let fits = [1024.0, 1_048_576.0];
    assert_eq!(legend(&fits, false), "   1024/1048576/    inf/ bytes");
    assert_eq!(legend(&fits, true), legend(&fits, false));
    let sizes = [1024.0, 33_554_432.0, 1e15];
    assert_eq!(legend(&sizes, false), "1024/33554432/1000000000000000/inf/ bytes");
    assert_eq!(legend(&sizes, true), "   1024/3.355443e+07/  1e+15/    inf/ bytes");
    // Seven digits that are not all.
    assert_eq!(legend(&[1.000_000_25], false), "1.00000025/inf/ bytes");
    assert_eq!(legend(&[], false), "    inf/ bytes");
    let many: Vec<f64> = (1..40).map(f64::from).collect();
    assert!(legend(&many, false).starts_with("1/2/3/") && legend(&many, false).ends_with("/39/inf/ bytes"));
}

#[test]
fn viw_02_pieces_make_the_same_text() {
    let rows: Vec<[String; 1]> = (100..600).map(|row| [row.to_string()]).collect();
    let rows: Vec<[&str; 1]> = rows.iter().map(|[row]| [row.as_str()]).collect();
    let cumulative = (0..1000).collect();
    let points = Points::Histogram { cumulative, sums: vec![1.0; 500], created: vec![CREATED; 500] };
    let many = labelled(metadata(MetricType::Histogram, "h").with_thresholds([1.0].into()), ["row"], &rows, points);
    let set = MetricSet { families: vec![counter("", 1), many, gauge("bytes", 1.0)] };
    for form in [Form::Values, Form::Details, Form::Histogram, Form::Cumulative] {
        let options = ten_seconds_later().form(form);
        let mut listing = Listing::new(&set, options.clone());
        let (mut whole, mut piece) = (String::new(), String::new());
        loop {
            let more = listing.fill(&mut piece, 1000);
            assert!(piece.len() < 3000, "a piece of {} bytes", piece.len());
            whole.push_str(&piece);
            piece.clear();
            if !more {
                break;
            }
        }
        assert_eq!(whole, show(&set, &options), "{form:?}");
        assert!(!listing.fill(&mut piece, 1000) && piece.is_empty());
    }
}
