//! What the options of a field say is what the methods of a builder say.

use std::time::Duration;

use manometer::{
    Counter, DeclareError, Family, Gauge, GaugeHistogram, Histogram, Info, Instrument, LabelEnum, LabelSet, Metrics,
    NativeOptions, Registry, StateSet, Summary, TypedFamily, Unknown, linear_buckets,
    model::{MetricType, StateRule},
};

const PATIENCE: Duration = Duration::from_secs(30);

#[derive(LabelEnum)]
enum Outcome {
    Done,
    Failed,
}

#[derive(LabelSet)]
struct Job {
    outcome: Outcome,
}

/// One field for each option, and for each form of it.
#[derive(Metrics)]
#[metrics(prefix = "app")]
#[allow(dead_code, reason = "some are declared and never recorded in")]
struct App {
    /// What the doc comment says.
    #[metric(help = "what the option says", unit = "bytes")]
    sent: Counter,
    #[metric(labels("peer"), max_series = 2, expire_after = Duration::from_secs(600))]
    peers: Family<Gauge>,
    #[metric(expire_after = PATIENCE, max_series = 1 + 1)]
    jobs: TypedFamily<Counter, Job>,
    #[metric(buckets = [-1.5, 0.0, 2.5])]
    offset: Histogram,
    #[metric(buckets = linear_buckets(1.0, 1.0, 3), unit = "bytes")]
    queued: GaugeHistogram,
    #[metric(native)]
    plain: Histogram,
    #[metric(native(schema = 0, zero_threshold = 0.5, max_buckets = 200, negative))]
    fine: Histogram,
    #[metric(native(schema = -4, negative = false), labels("peer"))]
    coarse: Family<Histogram>,
    #[metric(native = NativeOptions::new().schema(5))]
    ready: Histogram,
    #[metric(native, buckets = [0.1, 1.0], exemplars = [("pod", "a-1")])]
    both: Histogram,
    #[metric(quantiles = [1.0, 0.5, 0.99], interval = Duration::from_secs(60))]
    wait: Summary,
    #[metric(interval = 2 * PATIENCE, quantiles = (0..3).map(|step| f64::from(step) / 2.0), labels("peer"))]
    waits: Family<Summary>,
    #[metric(states = ["starting", "up"])]
    state: StateSet,
    #[metric(states = Vec::from(["on".to_owned(), "off".to_owned()]), labels("part"))]
    parts: Family<StateSet>,
    #[metric(text = [("version", "1.4.2"), ("edition", env!("CARGO_PKG_RUST_VERSION"))])]
    build: Info,
    #[metric(labels("host"))]
    hosts: Family<Info>,
    #[metric(announced)]
    odd: Unknown,
}

/// Declares a family as a program does that has no derive.
fn by_hand<I: Instrument>(declared: Result<Family<I>, DeclareError>) {
    declared.expect("nothing is wrong with it");
}

#[test]
fn every_option_is_that_of_the_builder() {
    let (derived, built) = (Registry::new(), Registry::new());
    App::declare(&derived).expect("nothing is wrong with it");
    by_hand(built.counter("app_sent").unit("bytes").help("what the option says").declare());
    by_hand(built.gauge("app_peers").labels(["peer"]).declare());
    by_hand(built.counter("app_jobs").labels(["outcome"]).declare());
    by_hand(built.histogram("app_offset").buckets([-1.5, 0.0, 2.5]).declare());
    by_hand(built.gauge_histogram("app_queued").buckets([1.0, 2.0, 3.0]).unit("bytes").declare());
    by_hand(built.histogram("app_plain").native(NativeOptions::new()).declare());
    let fine = NativeOptions::new().schema(0).zero_threshold(0.5).max_buckets(200).negative(true);
    by_hand(built.histogram("app_fine").native(fine).declare());
    by_hand(built.histogram("app_coarse").native(NativeOptions::new().schema(-4)).labels(["peer"]).declare());
    by_hand(built.histogram("app_ready").native(NativeOptions::new().schema(5)).declare());
    by_hand(built.histogram("app_both").buckets([0.1, 1.0]).native(NativeOptions::new()).declare());
    let minute = Duration::from_secs(60);
    by_hand(built.summary("app_wait").quantiles([0.5, 0.99, 1.0]).interval(minute).declare());
    by_hand(built.summary("app_waits").quantiles([0.0, 0.5, 1.0]).interval(minute).labels(["peer"]).declare());
    by_hand(built.state_set("app_state").states(["starting", "up"]).declare());
    by_hand(built.state_set("app_parts").states(["on", "off"]).labels(["part"]).declare());
    built.info("app_build").text([("version", "1.4.2"), ("edition", "1.85")]).expect("nothing is wrong with it");
    by_hand(built.info("app_hosts").labels(["host"]).declare());
    by_hand(built.unknown("app_odd").declare());
    assert_eq!(derived.families(), built.families());
    assert_eq!(derived.families().len(), 17);
}

#[test]
fn a_family_keeps_to_its_terms() {
    let registry = Registry::new();
    let app = App::declare(&registry).expect("nothing is wrong with it");
    for peer in ["a", "b", "c"] {
        app.peers.set((peer,), 1.0).expect("one key");
    }
    assert_eq!((app.peers.overflowed(), app.peers.max_series()), (1, 2));
    assert_eq!(app.peers.expires_after(), Some(Duration::from_secs(600)));
    let jobs = registry.get::<Counter>("app_jobs").expect("declared");
    assert_eq!((jobs.max_series(), jobs.expires_after()), (2, Some(PATIENCE)));
    app.jobs.inc(&Job { outcome: Outcome::Done });
    app.jobs.inc(&Job { outcome: Outcome::Failed });
    assert_eq!(jobs.overflowed(), 0);
}

#[test]
fn every_kind_of_field_records() {
    let registry = Registry::new();
    let app = App::declare(&registry).expect("nothing is wrong with it");
    app.offset.observe(-2.0);
    app.queued.inc(2.0);
    app.fine.observe(-3.0);
    app.both.observe(0.5);
    app.wait.observe(0.5);
    app.state.enter("up");
    app.parts.enter(("lamp",), "on").expect("one key");
    app.odd.set(7.0);
    assert_eq!(app.fine.native_point().expect("declared so").negative, [(2, 1)]);
    assert_eq!((app.both.count(), app.both.native_point().expect("declared so").positive.len()), (1, 1));
    assert_eq!(app.both.exemplar(1).expect("asked for").label_text(), r#"pod="a-1""#);
    assert!(app.state.is_on("up"));
    assert_eq!(app.build.label_values().collect::<Vec<_>>(), ["1.4.2", "1.85"]);
    assert_eq!(app.hosts.metadata().kind(), MetricType::Info);
    assert_eq!((app.sent.value(), app.queued.point().cumulative.clone()), (0, vec![0, 1, 1, 1]));
}

/// What is known only when it runs is a typed error then, as of a builder.
#[test]
fn what_no_literal_says_is_an_error_of_the_declaration() {
    fn states() -> Vec<String> {
        vec!["on".to_owned(), "on".to_owned()]
    }
    #[derive(Metrics)]
    struct Lamp {
        #[metric(states = states())]
        #[allow(dead_code, reason = "never declared")]
        lamp: StateSet,
    }
    let refused = Lamp::declare(&Registry::new()).err().expect("a state occurs twice");
    assert!(
        matches!(refused, DeclareError::InvalidStates { position: 1, rule: StateRule::Duplicate, .. }),
        "{refused}"
    );
}
