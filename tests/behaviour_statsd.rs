//! Section 16 of docs/behaviour.md: what goes over the wire to a statsd server.
#![cfg(feature = "statsd")]

mod common;
mod statsd;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use common::{stress, together, value, while_running};
use manometer::{
    Counter, DeclareError, Family, Manager, MetricType, Metrics, RegistryOptions,
    backend::{HistogramMode, Provider, PushError, StatsdOptions, TagMode, Transport},
    model::{BucketRule, ConfigError, Dialect, Settings, StateRule},
};
use statsd::{Model, Server};

#[test]
fn std_01_settings_are_read_and_bad_ones_named() {
    let good = Settings::new()
        .with("statsd_server", "127.0.0.1")
        .with("statsd_port", 9)
        .with("prefix", "")
        .with("transport", "udp")
        .with("max_payload", 512)
        .with("batch", false)
        .with("bursts", true)
        .with("flush_interval", 0.5)
        .with("histograms", "ms")
        .with("tags", "dogstatsd")
        .with("sample_rate", 0.25);
    let read = format!("{:?}", StatsdOptions::from_settings(&good).unwrap());
    let same = StatsdOptions::new()
        .server("127.0.0.1")
        .port(9)
        .prefix("")
        .max_payload(512)
        .batch(false)
        .bursts(true)
        .flush_interval(Duration::from_millis(500))
        .histograms(HistogramMode::Milliseconds)
        .tags(TagMode::DogStatsd)
        .sample_rate(0.25);
    assert_eq!(read, format!("{same:?}"));
    let defaults = format!("{:?}", StatsdOptions::from_settings(&Settings::new()).unwrap());
    assert_eq!(defaults, format!("{:?}", StatsdOptions::new()));
    assert!(
        defaults.contains(r#"server: "localhost", port: 8125, prefix: "prosody", transport: Udp, max_payload: 1432"#)
    );
    assert!(
        defaults.contains(
            "batch: true, bursts: false, flush_interval: 1s, histograms: Buckets, tags: None, sample_rate: 1.0"
        )
    );

    let bad: [(&str, manometer::model::Setting); 23] = [
        ("statsd_server", "".into()),
        ("statsd_server", 5.into()),
        ("statsd_port", 0.into()),
        ("statsd_port", 65536.into()),
        ("statsd_port", (-1).into()),
        ("statsd_port", "8125".into()),
        ("prefix", "a b".into()),
        ("prefix", "a:b".into()),
        ("prefix", "a|b".into()),
        ("prefix", "a@b".into()),
        ("prefix", "a#b".into()),
        ("prefix", "a\nb".into()),
        ("transport", "sctp".into()),
        ("max_payload", 63.into()),
        ("max_payload", 65508.into()),
        ("batch", "yes".into()),
        ("bursts", 64.into()),
        ("flush_interval", 0.into()),
        ("flush_interval", (-1).into()),
        ("flush_interval", 1e300.into()),
        ("histograms", "timer".into()),
        ("tags", "influx".into()),
        ("sample_rate", 1.5.into()),
    ];
    for (key, given) in bad {
        let shown = given.to_string();
        match StatsdOptions::from_settings(&Settings::new().with(key, given)) {
            Err(ConfigError::Invalid { key: named, .. }) => assert_eq!(named, key, "{shown}"),
            other => panic!("{key} = {shown} gave {other:?}"),
        }
    }
    let unknown = StatsdOptions::from_settings(&Settings::new().with("statsd_sever", "x")).unwrap_err();
    assert_eq!(unknown.to_string(), "key \"statsd_sever\" is not known; the nearest one is \"statsd_server\"");
    let made = manometer::backend::statsd(&Settings::new().with("statsd_port", 0), RegistryOptions::new());
    assert_eq!(made.unwrap_err().to_string(), "statsd_port is 0, which is not a port from 1 to 65535");
}

#[test]
fn std_02_names_are_raw_names_and_label_values() {
    let server = Server::start();
    let statsd = server.options().prefix("prosody").start(RegistryOptions::new()).unwrap();
    let registry = statsd.registry();
    let keys = ["host", "type", "ip"];
    let connections = registry.gauge("prosody_mod_c2s/connections").labels(keys).declare().unwrap();
    connections.set(("conference.localhost", "c2s_unauthed", "ipv4"), 2.0).unwrap();
    registry.counter("x.y/z_total").single().unwrap().inc();
    registry.gauge("temp").unit("celsius").labels(["where"]).declare().unwrap().set(("a/b",), 1.0).unwrap();
    let lines = server.after_flush(&statsd);
    let expected = [
        "prosody.prosody_mod_c2s.connections.conference_localhost.c2s_unauthed.ipv4:2|g",
        "prosody.temp_celsius.a.b:1|g",
        "prosody.x_y.z:1|c",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn std_03_s_25_no_text_starts_a_line_or_a_field() {
    for tags in [TagMode::None, TagMode::DogStatsd] {
        let server = Server::start();
        let statsd = server.options().tags(tags).start(RegistryOptions::new()).unwrap();
        let evil = "a\nevil:9|c|@0.1|#x:y z\u{85}\0,w:1";
        let family = statsd.registry().counter("na:me|@# x").labels(["k"]).declare().unwrap();
        family.inc((evil,)).unwrap();
        let lines = server.after_flush(&statsd);
        let safe = "a_evil_9_c__0_1__x_y_z___w_1";
        match tags {
            // A comma means nothing in a name.
            TagMode::None => assert_eq!(lines, ["na_me____x.a_evil_9_c__0_1__x_y_z__,w_1:1|c"]),
            TagMode::DogStatsd => assert_eq!(lines, [format!("na_me____x:1|c|#k:{}", safe.replace("0_1", "0.1"))]),
        }
        let mut model = Model::default();
        model.take(&lines);
        assert_eq!(model.counters.values().sum::<f64>(), 1.0);
    }
}

#[test]
fn std_04_families_of_one_name_are_refused_where_they_are_declared() {
    let server = Server::start();
    let statsd = server.provider();
    let registry = statsd.registry();
    registry.histogram("h").buckets([1.0]).declare().unwrap();
    for (name, taken) in [("h/sum", "h.sum"), ("h/count", "h.count"), ("h/bucket/1", "h.bucket.1")] {
        let refused = registry.gauge(name).declare().unwrap_err();
        let clash = DeclareError::NameClash { name: name.into(), other: "h".into(), sample: taken.into() };
        assert_eq!(refused, clash);
    }
    registry.gauge("s/count").declare().unwrap();
    assert!(matches!(registry.summary("s").declare(), Err(DeclareError::NameClash { .. })));
    registry.remove("s/count").unwrap();
    registry.summary("s").declare().unwrap();
    // Without statsd these are different names.
    let internal = manometer::Registry::new();
    internal.histogram("h").buckets([1.0]).declare().unwrap();
    internal.gauge("h/sum").declare().unwrap();
}

#[test]
fn std_04_of_two_series_of_one_name_the_later_is_not_sent() {
    let server = Server::start();
    let statsd = server.provider();
    let family = statsd.registry().counter("hits").labels(["a", "b"]).declare().unwrap();
    // The later one comes first in the order of labels.
    family.add(("x/y", "z"), 5).unwrap();
    family.add(("x", "y/z"), 7).unwrap();
    let other = statsd.registry().counter("hits/x/y/z").single().unwrap();
    other.add(11);
    assert_eq!(server.after_flush(&statsd), ["hits.x.y.z:5|c"]);
    assert_eq!(statsd.push_report().unwrap().dropped, 2);
    family.add(("x", "y/z"), 1).unwrap();
    assert!(server.after_flush(&statsd).is_empty());
    assert_eq!(statsd.push_report().unwrap().dropped, 2, "a series counts once");
    assert_eq!(family.with_labels(("x", "y/z")).unwrap().value(), 8);
    // The name of a series that is gone is free for the next that comes.
    family.remove(("x/y", "z")).unwrap();
    family.remove(("x", "y/z")).unwrap();
    family.add(("x", "y/z"), 3).unwrap();
    assert_eq!(server.after_flush(&statsd), ["hits.x.y.z:3|c"]);
}

#[test]
fn std_10_unknown_stateset_and_info() {
    let server = Server::start();
    let statsd = server.provider();
    let registry = statsd.registry();
    registry.info("build").text([("version", "1")]).unwrap();
    let phase =
        registry.state_set("phase").states(["starting", "up and on", "a/b"]).labels(["node"]).declare().unwrap();
    let unknown = registry.unknown("u").unit("bytes").single().unwrap();
    assert!(server.after_flush(&statsd).is_empty(), "nothing was written");
    phase.enter(("n",), "up and on").unwrap();
    unknown.set(-2.5);
    let expected =
        ["phase.n.starting:0|g", "phase.n.up_and_on:1|g", "phase.n.a.b:0|g", "u_bytes:0|g", "u_bytes:-2.5|g"];
    assert_eq!(server.after_flush(&statsd), expected);
    assert!(server.after_flush(&statsd).is_empty());
    unknown.set(-2.5);
    phase.set(("n",), "a/b", true).unwrap();
    phase.set(("n",), "up and on", true).unwrap();
    let lines = server.after_flush(&statsd);
    assert_eq!(lines[..3], ["phase.n.starting:0|g", "phase.n.up_and_on:1|g", "phase.n.a.b:1|g"]);
    // What shows a state is gone at once; what takes its place is sent when it is written.
    phase.set(("n",), "a/b", false).unwrap();
    phase.remove(("n",)).unwrap();
    assert!(server.after_flush(&statsd).is_empty());
    phase.enter(("n",), "starting").unwrap();
    assert_eq!(server.after_flush(&statsd).len(), 3);
    // Info has no name on the wire, states have.
    registry.gauge("build").declare().unwrap_err();
    let one = registry.state_set("one").states(["x"]).single().unwrap();
    let taken = DeclareError::NameClash { name: "one/x".into(), other: "one".into(), sample: "one.x".into() };
    assert_eq!(registry.gauge("one/x").declare().unwrap_err(), taken);
    one.enter("x");
    assert_eq!(server.after_flush(&statsd), ["one.x:1|g"]);
    let same = registry.state_set("same").states(["a b", "a_b"]).declare().unwrap_err();
    assert!(matches!(same, DeclareError::InvalidStates { position: 1, rule: StateRule::SameText, .. }), "{same}");
}

#[test]
fn std_08_a_gauge_histogram_is_gauges() {
    let server = Server::start();
    let statsd = server.provider();
    let queued = statsd.registry().gauge_histogram("q").buckets([0.5, 1.0]).single().unwrap();
    assert!(server.after_flush(&statsd).is_empty(), "nothing came");
    queued.inc(0.25);
    queued.inc(4.0);
    let lines = ["q.bucket.0_5:1|g", "q.bucket.1:1|g", "q.bucket.+Inf:2|g", "q.sum:4.25|g", "q.count:2|g"];
    assert_eq!(server.after_flush(&statsd), lines);
    assert!(server.after_flush(&statsd).is_empty());
    queued.dec(0.25);
    let lines = ["q.bucket.0_5:0|g", "q.bucket.1:0|g", "q.bucket.+Inf:1|g", "q.sum:4|g", "q.count:1|g"];
    assert_eq!(server.after_flush(&statsd), lines);
    queued.reset();
    assert_eq!(server.after_flush(&statsd)[2..], ["q.bucket.+Inf:0|g", "q.sum:0|g", "q.count:0|g"]);
}

#[test]
fn std_07_gen_03_what_expires_was_sent_to_the_last_increment() {
    #[derive(Clone, Default)]
    struct HandClock(Arc<Mutex<Duration>>);
    impl manometer::Clock for HandClock {
        fn now(&self) -> Duration {
            *self.0.lock().expect("no test panics here")
        }
    }
    let server = Server::start();
    let statsd = server.provider();
    let clock = HandClock::default();
    statsd.registry().set_clock(clock.clone());
    let hits = statsd.registry().counter("hits").labels(["k"]).expire_after(Duration::from_secs(1)).declare().unwrap();
    let mut model = Model::default();
    let mut lengths = Vec::new();
    for round in 0..30 {
        std::thread::scope(|scope| {
            for writer in 0..3 {
                let hits = &hits;
                scope.spawn(move || (0..100).for_each(|_| hits.inc(((round + writer) / 3 % 5,)).unwrap()));
            }
            *clock.0.lock().unwrap() += Duration::from_secs(1);
            model.take(&server.after_flush(&statsd));
        });
        lengths.push(hits.series_count());
    }
    for _ in 0..4 {
        *clock.0.lock().unwrap() += Duration::from_secs(1);
        model.take(&server.after_flush(&statsd));
    }
    assert_eq!(hits.series_count(), 0, "a flush looks for idle series too");
    assert!(lengths.iter().all(|series| *series <= 4), "{lengths:?}");
    assert_eq!(model.counters.values().sum::<f64>(), 9000.0);
}

#[test]
fn std_05_every_gauge_written_is_sent_changed_or_not() {
    let server = Server::start();
    let statsd = server.provider();
    let registry = statsd.registry();
    let gauge = registry.gauge("g").single().unwrap();
    let level = registry.up_down_gauge("l").single().unwrap();
    assert!(server.after_flush(&statsd).is_empty(), "nothing was written");
    gauge.set(2.5);
    level.inc();
    assert_eq!(server.after_flush(&statsd), ["g:2.5|g", "l:1|g"]);
    assert!(server.after_flush(&statsd).is_empty());
    gauge.set(2.5);
    level.inc();
    level.dec();
    assert_eq!(server.after_flush(&statsd), ["g:2.5|g", "l:1|g"]);
    gauge.add(-0.5);
    assert_eq!(server.after_flush(&statsd), ["g:2|g"]);
    gauge.reset();
    level.reset();
    assert_eq!(server.after_flush(&statsd), ["g:0|g", "l:0|g"]);
    let family = registry.gauge("f").labels(["k"]).declare().unwrap();
    family.set(("a",), 1.0).unwrap();
    family.add(("b",), 2.0).unwrap();
    assert_eq!(server.after_flush(&statsd), ["f.a:1|g", "f.b:2|g"]);
    family.accumulate(|tally| tally.add(("b",), 3.0)).unwrap();
    assert_eq!(server.after_flush(&statsd), ["f.a:0|g", "f.b:3|g"]);
}

#[test]
fn std_06_s_24_negative_gauges_arrive() {
    for (batch, payload) in [(true, 1432), (true, 64), (false, 1432)] {
        let server = Server::start();
        let statsd = server.options().batch(batch).max_payload(payload).start(RegistryOptions::new()).unwrap();
        let family = statsd.registry().gauge("gauge_of_a_name_that_fills").labels(["k"]).declare().unwrap();
        let level = statsd.registry().up_down_gauge("level").single().unwrap();
        let mut model = Model::default();
        for set in [3.0, -12.5] {
            for k in 0..20 {
                family.set((k,), set + f64::from(k) / 100.0).unwrap();
            }
            level.add(if set > 0.0 { 3 } else { -8 });
            statsd.flush().unwrap();
            for datagram in server.datagrams() {
                // Both lines of a negative gauge are in one datagram.
                let mut one = model.clone();
                one.take(&datagram.split('\n').map(str::to_owned).collect::<Vec<_>>());
                let lines: Vec<&str> = datagram.split('\n').collect();
                for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.contains(":-")) {
                    let name = line.split_once(':').unwrap().0;
                    assert_eq!(lines[at - 1], format!("{name}:0|g"));
                }
                model = one;
            }
        }
        let held: Vec<f64> = model.gauges.values().copied().collect();
        let mut expected: Vec<f64> = family.metrics().map(|(_, gauge)| gauge.value()).collect();
        expected.push(-5.0);
        assert_eq!(held, expected);
    }
}

#[test]
fn std_06_what_is_no_finite_number_is_not_sent_but_counted() {
    let server = Server::start();
    let statsd = server.provider();
    let family = statsd.registry().gauge("g").labels(["k"]).declare().unwrap();
    for (k, value) in [("nan", f64::NAN), ("inf", f64::INFINITY), ("neg", f64::NEG_INFINITY), ("one", 1.0), ("z", -0.0)]
    {
        family.set((k,), value).unwrap();
    }
    assert_eq!(server.after_flush(&statsd), ["g.one:1|g", "g.z:0|g"]);
    assert_eq!(statsd.push_report().unwrap().dropped, 3);
}

#[test]
fn std_07_s_12_counters_are_increases_whatever_was_reset() {
    let server = Server::start();
    let statsd = server.provider();
    let registry = statsd.registry();
    let hits = registry.counter("hits").single().unwrap();
    hits.add(5);
    hits.reset();
    hits.add(2);
    assert_eq!(server.after_flush(&statsd), ["hits:7|c"], "what came before a reset is sent");
    hits.reset();
    assert!(server.after_flush(&statsd).is_empty(), "a reset sends nothing of its own");
    hits.set(10);
    hits.set(4);
    hits.set(4);
    hits.set(6);
    assert_eq!(server.after_flush(&statsd), ["hits:16|c"], "10, then anew 4, then 2 more");
    hits.add(0);
    assert!(server.after_flush(&statsd).is_empty());
    let cpu = registry.float_counter("cpu").unit("seconds").single().unwrap();
    cpu.set(0.25);
    cpu.add(0.5);
    assert_eq!(server.after_flush(&statsd), ["cpu_seconds:0.75|c"]);
    cpu.set(1.0);
    cpu.set(0.125);
    assert_eq!(server.after_flush(&statsd), ["cpu_seconds:0.375|c"]);
    hits.add(u64::MAX);
    assert_eq!(server.after_flush(&statsd), [format!("hits:{}|c", u64::MAX)]);
}

#[test]
fn std_08_histogram_lines() {
    let server = Server::start();
    let statsd = server.provider();
    let registry = statsd.registry();
    let buckets = [0.005, 1.0, 2.5, 1024.0, 1e15];
    let latency = registry.histogram("latency").unit("seconds").buckets(buckets).single().unwrap();
    latency.observe(0.75);
    let expected = [
        "latency_seconds.bucket.1:1|c",
        "latency_seconds.bucket.2_5:1|c",
        "latency_seconds.bucket.1024:1|c",
        "latency_seconds.bucket.1e+15:1|c",
        "latency_seconds.bucket.+Inf:1|c",
        "latency_seconds.sum:0.75|g",
        "latency_seconds.count:1|c",
    ];
    assert_eq!(server.after_flush(&statsd), expected);
    latency.observe(2.0);
    latency.observe(2e15);
    let expected = [
        "latency_seconds.bucket.2_5:1|c",
        "latency_seconds.bucket.1024:1|c",
        "latency_seconds.bucket.1e+15:1|c",
        "latency_seconds.bucket.+Inf:2|c",
        "latency_seconds.sum:2000000000000002.8|g",
        "latency_seconds.count:2|c",
    ];
    assert_eq!(server.after_flush(&statsd), expected);
    latency.reset();
    assert_eq!(server.after_flush(&statsd), ["latency_seconds.sum:0|g"]);
    latency.observe(0.001);
    latency.reset();
    let lines = server.after_flush(&statsd);
    assert_eq!(lines[0], "latency_seconds.bucket.0_005:1|c");
    assert_eq!(lines[6..], ["latency_seconds.sum:0|g", "latency_seconds.count:1|c"]);

    let refused = registry.histogram("close").buckets([0.3, 0.30000000000000004]).declare().unwrap_err();
    let rule = BucketRule::SameText;
    let (family, position, threshold) = ("close".to_owned(), 1, 0.30000000000000004);
    assert_eq!(refused, DeclareError::InvalidBuckets { family, position, threshold, rule });
    let by_itself = server.options().histograms(HistogramMode::Distribution).start(RegistryOptions::new()).unwrap();
    by_itself.registry().histogram("close").buckets([0.3, 0.30000000000000004]).declare().unwrap();
}

#[test]
fn std_09_observations_go_one_by_one() {
    let modes =
        [(HistogramMode::Milliseconds, "ms"), (HistogramMode::Histogram, "h"), (HistogramMode::Distribution, "d")];
    for (mode, kind) in modes {
        let server = Server::start();
        let statsd = server.options().histograms(mode).start(RegistryOptions::new()).unwrap();
        let registry = statsd.registry();
        let wait = registry.histogram("wait").unit("seconds").labels(["q"]).buckets([1.0]).declare().unwrap();
        wait.observe(("a",), 0.25).unwrap();
        let held = wait.with_labels(("a",)).unwrap();
        held.observe(1.5);
        held.try_observe(2.0).unwrap();
        held.observe_many(3.0, 4);
        held.observe(f64::NAN);
        let size = registry.histogram("size").unit("bytes").buckets([1.0]).single().unwrap();
        size.observe(512.0);
        let scale = if kind == "ms" { 1000.0 } else { 1.0 };
        let expected = [
            format!("wait_seconds.a:{}|{kind}", 0.25 * scale),
            format!("wait_seconds.a:{}|{kind}", 1.5 * scale),
            format!("wait_seconds.a:{}|{kind}", 2.0 * scale),
            format!("wait_seconds.a:{}|{kind}|@0.25", 3.0 * scale),
            format!("size_bytes:512|{kind}"),
        ];
        assert_eq!(server.after_flush(&statsd), expected);
        assert_eq!((held.count(), held.sum()), (7, 15.75), "local values are whole");
        assert_eq!(statsd.push_report().unwrap().queued, Some(0));
    }
}

#[test]
fn std_09_a_full_queue_drops_and_counts() {
    let server = Server::start();
    let options = server.options().histograms(HistogramMode::Histogram).queue(100);
    let statsd = options.start(RegistryOptions::new()).unwrap();
    let size = statsd.registry().histogram("size").buckets([1.0]).single().unwrap();
    (0..150).for_each(|_| size.observe(1.0));
    let report = statsd.push_report().unwrap();
    assert_eq!((report.dropped, report.queued), (50, Some(100)));
    assert_eq!(server.after_flush(&statsd).len(), 100);
    assert_eq!(size.count(), 150);
}

#[test]
fn std_09_a_sample_rate_sends_a_share_and_says_which() {
    let server = Server::start();
    let options = server.options().histograms(HistogramMode::Histogram).sample_rate(0.125).max_payload(8932);
    let statsd = options.start(RegistryOptions::new()).unwrap();
    let size = statsd.registry().histogram("size").buckets([1.0]).single().unwrap();
    (0..8000).for_each(|_| size.observe(1.0));
    let lines = server.after_flush(&statsd);
    assert!(lines.iter().all(|line| line == "size:1|h|@0.125"));
    assert!((800..1200).contains(&lines.len()), "{} of 8000", lines.len());
    assert_eq!((size.count(), statsd.push_report().unwrap().dropped), (8000, 0));
}

#[test]
fn std_10_summaries_are_increases() {
    let server = Server::start();
    let statsd = server.provider();
    let words = statsd.registry().summary("words").single().unwrap();
    words.observe(4.0);
    assert_eq!(server.after_flush(&statsd), ["words.sum:4|c", "words.count:1|c"]);
    words.observe(6.5);
    words.observe(1.0);
    words.reset();
    words.observe(1.5);
    assert_eq!(server.after_flush(&statsd), ["words.sum:9|c", "words.count:3|c"]);
    words.reset();
    assert!(server.after_flush(&statsd).is_empty());
}

#[test]
fn std_11_numbers_have_no_exponent() {
    let server = Server::start();
    let statsd = server.provider();
    let gauge = statsd.registry().gauge("g").single().unwrap();
    let texts = [
        (1e15, "1000000000000000"),
        (0.0000011920928955078125, "0.0000011920928955078125"),
        (1e21, "1000000000000000000000"),
        (123.456, "123.456"),
        (9007199254740993.0, "9007199254740992"),
    ];
    for (value, text) in texts {
        gauge.set(value);
        assert_eq!(server.after_flush(&statsd), [format!("g:{text}|g")]);
    }
    let counter = statsd.registry().counter("c").single().unwrap();
    counter.add((1 << 53) + 1);
    assert_eq!(server.after_flush(&statsd), ["c:9007199254740993|c"]);
}

#[test]
fn std_12_what_a_declaration_sends() {
    let server = Server::start();
    let statsd = server.provider();
    let registry = statsd.registry();
    registry.counter("plain").single().unwrap();
    registry.gauge("plain_gauge").single().unwrap();
    registry.histogram("plain_histogram").buckets([1.0]).single().unwrap();
    assert!(server.after_flush(&statsd).is_empty());
    let told = registry.counter("told").announced().labels(["k"]).declare().unwrap();
    assert!(server.after_flush(&statsd).is_empty(), "there is no series yet");
    told.with_labels(("a",)).unwrap();
    assert_eq!(server.after_flush(&statsd), ["told.a:0|c"]);
    told.inc(("a",)).unwrap();
    told.add(("b",), 2).unwrap();
    assert_eq!(server.after_flush(&statsd), ["told.a:1|c", "told.b:0|c", "told.b:2|c"]);
    registry.float_counter("seconds").announced().single().unwrap();
    assert_eq!(server.after_flush(&statsd), ["seconds:0|c"]);
    let gauges = registry.gauge("gauges").labels(["k"]).declare().unwrap();
    gauges.set(("a",), 1.0).unwrap();
    gauges.with_labels(("b",)).unwrap();
    statsd.flush().unwrap();
    server.lines();
    gauges.clear();
    assert_eq!(server.after_flush(&statsd), ["gauges.a:0|g", "gauges.b:0|g"]);
}

#[test]
fn std_12_a_field_of_a_struct_can_be_announced() {
    #[derive(manometer_derive::Metrics)]
    struct Doors {
        #[metric(announced, labels("door"))]
        opened: Family<Counter>,
        #[metric(labels("door"))]
        shut: Family<Counter>,
    }
    let server = Server::start();
    let statsd = server.provider();
    let doors = <Doors as Metrics>::declare(statsd.registry()).unwrap();
    doors.opened.with_labels(("a",)).unwrap();
    doors.shut.with_labels(("a",)).unwrap();
    assert_eq!(server.after_flush(&statsd), ["opened.a:0|c"]);
}

#[test]
fn std_13_lines_share_datagrams_that_fit() {
    for payload in [64, 512, 1432, 8932] {
        let server = Server::start();
        let statsd = server.options().max_payload(payload).start(RegistryOptions::new()).unwrap();
        let family = statsd.registry().counter("requests").labels(["path"]).declare().unwrap();
        for path in 0..500 {
            family.inc((path,)).unwrap();
        }
        let long = "x".repeat(2 * payload);
        family.inc((long.as_str(),)).unwrap();
        statsd.flush().unwrap();
        let datagrams = server.datagrams();
        let lone = format!("requests.{long}:1|c");
        let (alone, packed): (Vec<_>, Vec<_>) = datagrams.iter().partition(|datagram| **datagram == lone);
        assert_eq!(alone.len(), 1, "a line that is too long goes by itself");
        assert!(packed.iter().all(|datagram| datagram.len() <= payload && !datagram.ends_with('\n')));
        // Nothing that came next would have fitted.
        for (datagram, next) in packed.iter().zip(&packed[1..]) {
            let line = next.split('\n').next().unwrap();
            assert!(datagram.len() + 1 + line.len() > payload, "{datagram:?} had room for {line:?}");
        }
        let lines: Vec<&str> = datagrams.iter().flat_map(|datagram| datagram.split('\n')).collect();
        assert_eq!(lines.len(), 501);
        assert!(lines[..500].is_sorted_by_key(|line| line.split(':').next().unwrap().to_owned()));
        assert_eq!(statsd.push_report().unwrap().datagrams as usize, datagrams.len());
    }
    let server = Server::start();
    let statsd = server.options().batch(false).start(RegistryOptions::new()).unwrap();
    for name in ["b", "a"] {
        statsd.registry().counter(name).single().unwrap().inc();
    }
    statsd.flush().unwrap();
    assert_eq!(server.datagrams(), ["a:1|c", "b:1|c"]);
}

/// Pushes counters and gauges of both signs, and one line that is too long; returns the datagrams and what they must say.
fn pushed(payload: usize, bursts: bool) -> (Vec<String>, Model) {
    let server = Server::start();
    let statsd =
        server.options().max_payload(payload).bursts(bursts).start(RegistryOptions::new()).expect("good options");
    let counters = statsd.registry().counter("requests").labels(["path"]).declare().expect("declared");
    let gauges = statsd.registry().gauge("level").labels(["path"]).declare().expect("declared");
    let mut expected = Model::default();
    // No more than a socket holds that nobody reads meanwhile.
    for path in 0..(2 * payload as u64).min(1500) {
        counters.add((path,), path * path + 1).expect("one value");
        expected.counters.insert(format!("requests.{path}"), (path * path + 1) as f64);
        let level = (path as f64 - 60.0) / 8.0;
        gauges.set((path,), level).expect("one value");
        expected.gauges.insert(format!("level.{path}"), level);
    }
    let long = "x".repeat(2 * payload);
    counters.inc((long.as_str(),)).expect("one value");
    expected.counters.insert(format!("requests.{long}"), 1.0);
    statsd.flush().expect("a server listens");
    let datagrams = server.datagrams();
    assert_eq!(statsd.push_report().expect("it pushes").datagrams as usize, datagrams.len());
    (datagrams, expected)
}

#[test]
fn std_13_bursts_say_the_same_in_datagrams_that_fit() {
    for payload in [64, 512, 1432, 8932] {
        for bursts in [true, false] {
            let (datagrams, expected) = pushed(payload, bursts);
            let mut model = Model::default();
            let lines: Vec<String> =
                datagrams.iter().flat_map(|datagram| datagram.split('\n')).map(str::to_owned).collect();
            model.take(&lines);
            assert_eq!(model, expected, "no line is lost, cut or changed");
            let (long, packed): (Vec<_>, Vec<_>) = datagrams.iter().partition(|datagram| datagram.len() > payload);
            assert_eq!(long.len(), 1, "a line that is too long goes by itself");
            let full = packed.iter().filter(|datagram| datagram.len() == payload).count();
            if bursts && cfg!(target_os = "linux") {
                assert!(full > packed.len() / 2 || packed.len() < 8, "{full} of {} are full", packed.len());
            }
            let zeros = |line: &&String| {
                let number = line.split(':').nth(1).unwrap().trim_start_matches('-');
                number.starts_with('0') && number.as_bytes()[1].is_ascii_digit()
            };
            let padded = lines.iter().filter(zeros).count();
            assert!(padded <= if bursts { full } else { 0 }, "{padded} numbers have zeros in front");
        }
    }
}

#[test]
fn std_13_what_lacks_much_or_comes_last_is_not_filled_with_zeros() {
    let server = Server::start();
    let statsd = server.options().max_payload(512).bursts(true).start(RegistryOptions::new()).unwrap();
    let hits = statsd.registry().counter("hits").labels(["k"]).declare().unwrap();
    let long = |letter: &str| letter.to_owned() + &"x".repeat(500);
    for k in ["a", &long("b"), &long("c"), &long("d")] {
        hits.inc((k,)).unwrap();
    }
    statsd.flush().unwrap();
    // The first lacks more than 128 bytes, and nothing comes behind the last.
    let zeros = if cfg!(target_os = "linux") { "0".repeat(512 - "hits.:1|c".len() - 501) } else { String::new() };
    let filled = |letter| format!("hits.{}:{zeros}1|c", long(letter));
    let expected = ["hits.a:1|c".to_owned(), filled("b"), filled("c"), format!("hits.{}:1|c", long("d"))];
    assert_eq!(server.datagrams(), expected);
}

#[test]
fn s_26_a_thousand_samples_are_at_most_two_datagrams() {
    let server = Server::start();
    let statsd = server.options().prefix("prosody").start(RegistryOptions::new()).unwrap();
    let buckets = [0.001, 0.01, 0.1, 1.0, 10.0, 100.0];
    let wait = statsd.registry().histogram("prosody_mod_c2s/wait").unit("seconds").buckets(buckets).single().unwrap();
    (0..1000).for_each(|n| wait.observe(f64::from(n) / 10.0));
    statsd.flush().unwrap();
    let datagrams = server.datagrams();
    assert!((1..=2).contains(&datagrams.len()), "{} datagrams", datagrams.len());
    assert!(datagrams.concat().contains("wait_seconds.count:1000|c"));
}

#[test]
fn std_14_a_thread_flushes_by_itself_and_not_while_corked() {
    let server = Server::start();
    let options = server.options().flush_interval(Duration::from_millis(20));
    let statsd = options.start(RegistryOptions::new()).unwrap();
    let hits = statsd.registry().counter("hits").single().unwrap();
    hits.inc();
    server.wait_for(|lines| lines == ["hits:1|c"]);
    statsd.cork();
    // A tick that began before the cork may still be on its way.
    thread::sleep(Duration::from_millis(30));
    hits.add(2);
    hits.add(3);
    thread::sleep(Duration::from_millis(100));
    assert!(server.lines().is_empty(), "held back");
    statsd.flush().unwrap();
    assert_eq!(server.lines(), ["hits:5|c"], "a collection flushes, corked or not");
    hits.inc();
    statsd.uncork();
    assert_eq!(server.lines(), ["hits:1|c"]);
    statsd.uncork();
    hits.inc();
    server.wait_for(|lines| lines == ["hits:1|c"]);
    statsd.cork();
    hits.add(9);
    statsd.shutdown();
    assert_eq!(server.lines().last().unwrap(), "hits:9|c", "stopping sends the rest");
    statsd.shutdown();
}

#[test]
fn std_14_recording_never_waits_for_a_server() {
    // Takes connections and reads nothing, so that the stream fills.
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let options = StatsdOptions::new().server("127.0.0.1").port(listener.local_addr().unwrap().port());
    let options = options.transport(Transport::Tcp).flush_interval(Duration::from_millis(5));
    let statsd = options.start(RegistryOptions::new()).unwrap();
    let family = statsd.registry().counter("hits").labels(["k"]).declare().unwrap();
    let filler = "x".repeat(50_000);
    let start = Instant::now();
    let mut longest = Duration::ZERO;
    while statsd.push_report().unwrap().errors == 0 {
        assert!(start.elapsed() < Duration::from_secs(30), "the stream was never full");
        for k in 0..100 {
            family.inc((format!("{k}{filler}"),)).unwrap();
        }
        let handle = family.with_labels((0,)).unwrap();
        let before = Instant::now();
        (0..1000).for_each(|_| handle.inc());
        longest = longest.max(before.elapsed());
    }
    // A flush was held up for a second all the while.
    assert!(longest < Duration::from_millis(500), "a thousand increments took {longest:?}");
}

#[test]
fn std_15_nothing_is_lost_by_a_refused_connection() {
    let server = Server::start();
    let address = server.address();
    let statsd = server.provider();
    let registry = statsd.registry();
    let hits = registry.counter("hits").single().unwrap();
    let gauge = registry.gauge("gauge").single().unwrap();
    let sizes = registry.histogram("sizes").buckets([1.0]).single().unwrap();
    let words = registry.summary("words").single().unwrap();
    let step = |n: u64| {
        hits.add(n);
        gauge.set(n as f64);
        sizes.observe(0.5);
        words.observe(2.0);
    };
    step(1);
    let mut model = Model::default();
    model.take(&server.after_flush(&statsd));
    drop(server);
    step(2);
    let failed = statsd.flush().unwrap_err();
    assert!(matches!(&failed, PushError::Send { server, .. } if *server == address.to_string()), "{failed}");
    step(3);
    assert!(statsd.flush().is_err(), "it waits before it tries again");
    assert_eq!(statsd.push_report().unwrap().errors, 1, "one send failed; what waits tries nothing");
    let server = Server::at(address).unwrap();
    step(4);
    let start = Instant::now();
    while statsd.flush().is_err() {
        assert!(start.elapsed() < Duration::from_secs(5), "it never tried again");
        thread::sleep(Duration::from_millis(20));
    }
    assert!(start.elapsed() > Duration::from_millis(500), "it tried at once");
    model.take(&server.lines());
    assert_eq!(model.counter("hits"), 10.0);
    assert_eq!(model.gauges["gauge"], 4.0);
    assert_eq!(
        (model.counter("sizes.bucket.1"), model.counter("sizes.bucket.+Inf"), model.counter("sizes.count")),
        (4.0, 4.0, 4.0)
    );
    assert_eq!(model.gauges["sizes.sum"], 2.0);
    assert_eq!((model.counter("words.sum"), model.counter("words.count")), (8.0, 4.0));
}

#[test]
fn std_16_s_05_counts_are_complete_once_the_name_resolves() {
    let server = Server::start();
    let address = server.address();
    let known = Arc::new(AtomicBool::new(false));
    let options = server.options().server("a.server.to.come").resolver({
        let known = known.clone();
        move |host, port| match known.load(Ordering::Relaxed) {
            true => Ok(vec![address]),
            false => Err(std::io::Error::new(std::io::ErrorKind::NotFound, format!("no {host} with {port}"))),
        }
    });
    let statsd = options.start(RegistryOptions::new()).unwrap();
    let hits = statsd.registry().counter("hits").single().unwrap();
    hits.add(5);
    let failed = statsd.flush().unwrap_err();
    assert!(matches!(&failed, PushError::Resolve { .. }), "{failed}");
    assert!(failed.to_string().contains("a.server.to.come"), "{failed}");
    known.store(true, Ordering::Relaxed);
    hits.add(6);
    let start = Instant::now();
    while statsd.flush().is_err() {
        assert!(start.elapsed() < Duration::from_secs(10));
        thread::sleep(Duration::from_millis(20));
    }
    let mut model = Model::default();
    model.take(&server.lines());
    assert_eq!(model.counter("hits"), 11.0);
}

#[test]
fn std_16_version_4_is_tried_first_and_then_the_others() {
    let server = Server::start();
    let refused = Server::start();
    let (address, nobody) = (server.address(), refused.address());
    drop(refused);
    let v6: SocketAddr = "[::1]:9".parse().unwrap();
    for addresses in [vec![v6, address], vec![nobody, address], vec![address, v6]] {
        let options = server.options().server("name").resolver(move |_, _| Ok(addresses.clone()));
        let statsd = options.start(RegistryOptions::new()).unwrap();
        statsd.registry().counter("hits").single().unwrap().inc();
        assert_eq!(server.after_flush(&statsd), ["hits:1|c"]);
    }
    if let Ok(sixth) = Server::at("[::1]:0".parse().unwrap()) {
        let statsd = sixth.options().start(RegistryOptions::new()).unwrap();
        statsd.registry().counter("hits").single().unwrap().inc();
        assert_eq!(sixth.after_flush(&statsd), ["hits:1|c"]);
    }
}

#[test]
fn std_16_tcp_lines_end_and_reconnect() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let options = StatsdOptions::new().server("127.0.0.1").port(address.port()).prefix("");
    let options = options.transport(Transport::Tcp).flush_interval(Duration::from_secs(3600));
    let statsd = options.start(RegistryOptions::new()).unwrap();
    let hits = statsd.registry().counter("hits").single().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    hits.add(2);
    statsd.registry().gauge("g").single().unwrap().set(-1.0);
    statsd.flush().unwrap();
    let expected = b"g:0|g\ng:-1|g\nhits:2|c\n";
    let mut read = vec![0; expected.len()];
    stream.read_exact(&mut read).unwrap();
    assert_eq!(read, expected);
    // The server closes; what comes next goes over another connection.
    drop(stream);
    hits.add(3);
    statsd.flush().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let mut read = vec![0; 9];
    stream.read_exact(&mut read).unwrap();
    assert_eq!(read, b"hits:3|c\n");
    stream.flush().unwrap();
}

#[cfg(unix)]
#[test]
fn std_16_unix_datagrams() {
    let path = std::env::temp_dir().join(format!("manometer-statsd-{}", std::process::id()));
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let options = StatsdOptions::new().server(path.to_str().unwrap()).transport(Transport::Unix).prefix("");
    let statsd = options.flush_interval(Duration::from_secs(3600)).start(RegistryOptions::new()).unwrap();
    let hits = statsd.registry().counter("hits").single().unwrap();
    hits.inc();
    statsd.flush().unwrap();
    let mut room = [0; 100];
    let bytes = socket.recv(&mut room).unwrap();
    assert_eq!(&room[..bytes], b"hits:1|c");
    drop(socket);
    std::fs::remove_file(&path).unwrap();
    hits.inc();
    assert!(statsd.flush().is_err());
}

#[test]
fn s_28_what_a_series_or_family_was_given_is_sent_although_it_is_gone() {
    let server = Server::start();
    let statsd = server.provider();
    let registry = statsd.registry();
    let hits = registry.counter("hits").labels(["k"]).declare().unwrap();
    let mut model = Model::default();
    hits.add(("seen",), 1).unwrap();
    model.take(&server.after_flush(&statsd));
    hits.add(("seen",), 2).unwrap();
    hits.remove(("seen",)).unwrap();
    hits.add(("seen",), 4).unwrap();
    hits.remove(("seen",)).unwrap();
    hits.add(("seen",), 8).unwrap();
    // Made and removed between two flushes, twice.
    for amount in [16, 32] {
        hits.add(("never",), amount).unwrap();
        hits.remove(("never",)).unwrap();
    }
    model.take(&server.after_flush(&statsd));
    assert_eq!((model.counter("hits.seen"), model.counter("hits.never")), (15.0, 48.0));
    let gauge = registry.gauge("gone").labels(["k"]).declare().unwrap();
    gauge.set(("a",), 1.0).unwrap();
    gauge.remove(("a",)).unwrap();
    assert!(server.after_flush(&statsd).is_empty(), "a gauge that is gone is not sent");
    // Whole families, one that was seen and one that was not.
    let sizes = registry.histogram("sizes").buckets([1.0]).single().unwrap();
    sizes.observe(0.5);
    model.take(&server.after_flush(&statsd));
    sizes.observe(2.0);
    registry.remove("sizes").unwrap();
    registry.summary("brief").single().unwrap().observe(3.0);
    registry.remove("brief").unwrap();
    registry.float_counter("brief2").single().unwrap().add(1.5);
    registry.float_counter("brief2").labels(["k"]).replace().unwrap();
    hits.add(("seen",), 64).unwrap();
    registry.remove("hits").unwrap();
    model.take(&server.after_flush(&statsd));
    assert_eq!(
        (model.counter("sizes.bucket.1"), model.counter("sizes.bucket.+Inf"), model.counter("sizes.count")),
        (1.0, 2.0, 2.0)
    );
    assert_eq!(model.gauges["sizes.sum"], 2.5);
    assert_eq!((model.counter("brief.sum"), model.counter("brief.count"), model.counter("brief2")), (3.0, 1.0, 1.5));
    assert_eq!(model.counter("hits.seen"), 79.0);
    assert!(server.after_flush(&statsd).is_empty());
    sizes.observe(1.0);
    assert!(server.after_flush(&statsd).is_empty(), "who is gone counts unseen");
}

#[test]
fn s_28_series_that_come_and_go_lose_nothing_under_load() {
    let server = Server::start();
    let statsd = server.options().max_payload(8932).start(RegistryOptions::new()).unwrap();
    let hits = statsd.registry().counter("hits").labels(["k"]).declare().unwrap();
    let rounds = stress(20_000);
    let mut model = Model::default();
    let work = || {
        together(4, |writer| {
            for round in 0..rounds {
                hits.inc((round % 7,)).unwrap();
                if round % 5 == writer {
                    hits.remove((round % 7,)).unwrap();
                }
                if round % 11 == writer {
                    hits.with_labels((round % 7,)).unwrap().reset();
                }
            }
        })
    };
    while_running(work, || model.take(&server.after_flush(&statsd)));
    let sum: f64 = model.counters.values().sum();
    // A handle that was looked up before its series was removed is not used here, so everything is to be found.
    assert_eq!(sum, 4.0 * rounds as f64);
}

#[test]
fn std_12_overflow_and_unlabelled_series_are_sent_like_others() {
    let server = Server::start();
    let statsd = server.provider();
    let family = statsd.registry().counter("hits").labels(["k"]).max_series(1).declare().unwrap();
    for k in ["a", "b", "c"] {
        family.inc((k,)).unwrap();
    }
    assert_eq!(server.after_flush(&statsd), ["hits._overflow:2|c", "hits.a:1|c"]);
}

#[test]
fn std_02_dogstatsd_tags_replace_labels_in_names() {
    let server = Server::start();
    let statsd = server.options().tags(TagMode::DogStatsd).start(RegistryOptions::new()).unwrap();
    let registry = statsd.registry();
    let wait = registry.histogram("wait").labels(["host", "empty", "q"]).buckets([0.5]).declare().unwrap();
    wait.observe(("a.b/c", "", "x"), 0.25).unwrap();
    registry.gauge("g").single().unwrap().set(-1.0);
    let tail = "|#host:a.b/c,q:x";
    let expected = [
        "g:0|g".to_owned(),
        "g:-1|g".to_owned(),
        format!("wait.bucket.0_5:1|c{tail}"),
        format!("wait.bucket.+Inf:1|c{tail}"),
        format!("wait.sum:0.25|g{tail}"),
        format!("wait.count:1|c{tail}"),
    ];
    assert_eq!(server.after_flush(&statsd), expected);
    assert_eq!(registry.metadata("wait").unwrap().kind(), MetricType::Histogram);
}

#[test]
fn s_25_foreign_label_keys_start_no_field() {
    let server = Server::start();
    let options = RegistryOptions::new().dialect(Dialect::Utf8);
    let statsd = server.options().tags(TagMode::DogStatsd).start(options).unwrap();
    let family = statsd.registry().gauge("a.b").labels(["k:1,l|c#@ .é"]).declare().unwrap();
    family.set(("x",), 1.0).unwrap();
    assert_eq!(server.after_flush(&statsd), ["a_b:1|g|#k_1_l_c___.é:x"]);
}

/// The address of the defaults can be had by one process at a time, so this asks nothing if it is taken.
#[test]
fn s_04_defaults_send_to_the_well_known_port() {
    let Ok(server) = Server::at(([127, 0, 0, 1], 8125).into()) else {
        eprintln!("port 8125 is taken; the defaults are compared in std_01 alone");
        return;
    };
    let statsd = manometer::backend::statsd(&Settings::new(), RegistryOptions::new()).unwrap();
    statsd.registry().counter("prosody_hits").single().unwrap().inc();
    let lines = server.wait_for(|lines| !lines.is_empty());
    assert_eq!(lines, ["prosody.prosody_hits:1|c"]);
}

#[test]
fn pro_02_a_manager_pushes_and_its_page_is_whole() {
    let server = Server::start();
    let inner = Settings::new()
        .with("statsd_server", "127.0.0.1")
        .with("statsd_port", i64::from(server.address().port()))
        .with("flush_interval", 3600);
    let settings = Settings::new().with("statistics", "statsd").with("statistics_interval", "manual");
    let manager = Manager::new(&settings.clone().with("statistics_config", inner)).unwrap();
    let orders = manager.measure("orders").rate().declare().unwrap();
    manager.measure("queue").amount().initial(7.0).declare().unwrap();
    let held = manager.corked();
    orders.inc();
    manager.collect().unwrap();
    let lines = server.lines();
    for line in ["prosody.prosody_orders:0|c", "prosody.prosody_orders:1|c", "prosody.prosody_queue:7|g"] {
        assert!(lines.iter().any(|sent| sent == line), "no {line} in {lines:?}");
    }
    orders.inc();
    drop(held);
    assert!(server.lines().contains(&"prosody.prosody_orders:1|c".to_owned()), "the last cork is gone");
    let set = manometer::collect(manager.registry().unwrap());
    let point = set.family("prosody_orders").unwrap().metrics().next().unwrap().point();
    assert_eq!(value(&point), 2.0);
    assert!(set.family("prosody_stats.push_datagrams").is_some());

    let refused =
        Manager::new(&settings.with("statistics_config", Settings::new().with("statsd_port", 0))).unwrap_err();
    assert!(refused.to_string().contains("statsd_port is 0"), "{refused}");
}

#[test]
fn std_14_pages_are_as_full_as_without_it() {
    let server = Server::start();
    let statsd = server.provider();
    let hits = statsd.registry().counter("hits").single().unwrap();
    hits.add(3);
    statsd.flush().unwrap();
    hits.add(4);
    let set = manometer::collect(statsd.registry());
    let point = set.family("hits").unwrap().metrics().next().unwrap().point();
    assert_eq!(value(&point), 7.0);
}
