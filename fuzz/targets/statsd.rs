//! The statsd wire: whatever the names, label values and numbers, every datagram is whole lines of the protocol within its size, and a
//! server that adds them up holds what was recorded.
#![no_main]

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
    net::UdpSocket,
    time::Duration,
};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use manometer::{
    RegistryOptions,
    backend::{Provider, Statsd, StatsdOptions, TagMode},
};

/// What a datagram may have unless one line is longer.
const MOST: usize = 512;

#[derive(Arbitrary, Debug)]
struct Input {
    tags: bool,
    name: String,
    unit: String,
    labelled: bool,
    acts: Vec<Act>,
}

#[derive(Arbitrary, Debug)]
struct Act {
    label: String,
    record: Record,
    flush: bool,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Record {
    Count(u32),
    Add(f64),
    Set(f64),
    Step(i32),
    Observe(f64),
    Summarise(f64),
}

/// A provider that pushes when it is told to, and its server.
struct Wire {
    statsd: Statsd,
    socket: UdpSocket,
}

thread_local! {
    static WIRES: [OnceCell<Wire>; 2] = const { [OnceCell::new(), OnceCell::new()] };
}

fuzz_target!(|input: Input| {
    WIRES.with(|wires| {
        let tags = if input.tags { TagMode::DogStatsd } else { TagMode::None };
        run(&input, wires[usize::from(input.tags)].get_or_init(|| Wire::new(tags)));
    });
});

fn run(input: &Input, wire: &Wire) {
    let registry = wire.statsd.registry();
    let keys: &[&str] = if input.labelled { &["k"] } else { &[] };
    let named = |suffix: &str| format!("{}{suffix}", input.name);
    let unit = &input.unit;
    let Ok(count) = registry.counter(&named("_n")).unit(unit).labels(keys.iter().copied()).declare() else { return };
    let declared = "the same name again, but for its last letter";
    let total = registry.float_counter(&named("_f")).unit(unit).labels(keys.iter().copied()).declare().expect(declared);
    let level = registry.up_down_gauge(&named("_u")).unit(unit).labels(keys.iter().copied()).declare().expect(declared);
    let gauge = registry.gauge(&named("_g")).unit(unit).labels(keys.iter().copied()).declare().expect(declared);
    let sizes = registry.histogram(&named("_h")).unit(unit).labels(keys.iter().copied()).buckets([-1.0, 0.5]);
    let sizes = sizes.declare().expect(declared);
    let times = registry.summary(&named("_s")).unit(unit).labels(keys.iter().copied()).declare().expect(declared);

    let mut server = Server::default();
    for act in &input.acts {
        let label: &[&str] = if input.labelled { &[&act.label] } else { &[] };
        match act.record {
            Record::Count(amount) => count.add(label, amount.into()),
            Record::Add(amount) => total.add(label, amount),
            Record::Set(value) => gauge.set(label, value),
            Record::Step(delta) => level.add(label, delta.into()),
            Record::Observe(value) => sizes.observe(label, value),
            Record::Summarise(value) => times.observe(label, value),
        }
        .expect("one value for one key");
        if act.flush {
            server.take(wire);
        }
    }
    // What a family holds when it goes is sent all the same.
    let (all, raw) = (count.sum(), count.metadata().name().raw().to_owned());
    let levels = level.sum();
    let observed: u64 = sizes.metrics().map(|(_, histogram)| histogram.count()).sum();
    let names = [
        &raw,
        level.metadata().name().raw(),
        total.metadata().name().raw(),
        gauge.metadata().name().raw(),
        sizes.metadata().name().raw(),
        times.metadata().name().raw(),
    ]
    .map(str::to_owned);
    server.take(wire);
    // Of a name with label values, what follows begins with a point.
    let is_of = |series: &str, raw: &str| {
        let name = series.split_once('|').map_or(series, |(name, _)| name);
        name.strip_prefix(&wire_name(raw)).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let sum = |held: &BTreeMap<String, f64>, raw: &str, part: &str| {
        let of = held.iter().filter(|(series, _)| is_of(series, raw) && series.contains(&format!("{part}|")));
        of.map(|(_, value)| value).sum::<f64>()
    };
    // Of series that look alike on the wire, only the first is sent.
    let labels: BTreeSet<&str> = input.acts.iter().map(|act| act.label.as_str()).collect();
    let distinct: BTreeSet<String> = labels.iter().map(|label| wire_label(label, input.tags)).collect();
    if !input.labelled || distinct.len() == labels.len() {
        assert_eq!(sum(&server.counters, &names[0], ""), all as f64, "{server:?}");
        assert_eq!(sum(&server.gauges, &names[1], ""), levels as f64, "{server:?}");
        assert_eq!(sum(&server.counters, &names[4], ".count"), observed as f64, "{server:?}");
    }
    names.iter().for_each(|raw| drop(registry.remove(raw)));
    server.take(wire);
}

/// A raw name as the wire has it, by the rules of the page about statsd.
fn wire_name(raw: &str) -> String {
    raw.chars()
        .map(|letter| match letter {
            '.' => '_',
            '/' => '.',
            letter if letter.is_control() || " :|@#".contains(letter) => '_',
            other => other,
        })
        .collect()
}

/// The same of a label value, in the name or in a tag.
fn wire_label(value: &str, tag: bool) -> String {
    match tag {
        false => wire_name(value),
        true => value.chars().map(|c| if c.is_control() || " :|@#,".contains(c) { '_' } else { c }).collect(),
    }
}

impl Wire {
    fn new(tags: TagMode) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has a port");
        socket.set_nonblocking(true).expect("a socket");
        let address = socket.local_addr().expect("bound");
        let options = StatsdOptions::new().server("127.0.0.1").port(address.port()).prefix("").tags(tags);
        let options = options.max_payload(MOST).flush_interval(Duration::from_secs(86_400));
        Self { statsd: options.start(RegistryOptions::new()).expect("good options"), socket }
    }
}

/// What a server holds: by name and tags.
#[derive(Debug, Default)]
struct Server {
    counters: BTreeMap<String, f64>,
    gauges: BTreeMap<String, f64>,
}

impl Server {
    /// Flushes, and reads what has come. On loopback a datagram is there when its `send` returns.
    fn take(&mut self, wire: &Wire) {
        wire.statsd.flush().expect("a server listens");
        let mut room = [0; 70_000];
        while let Ok(bytes) = wire.socket.recv(&mut room) {
            let datagram = std::str::from_utf8(&room[..bytes]).expect("a datagram is text");
            let lines: Vec<&str> = datagram.split('\n').collect();
            assert!(bytes <= MOST || lines.len() <= 2, "{bytes} bytes: {datagram:?}");
            lines.into_iter().for_each(|line| self.line(line));
        }
    }

    /// `name:value|type`, with tags or without.
    fn line(&mut self, line: &str) {
        let (name, rest) = line.split_once(':').unwrap_or_else(|| panic!("no value: {line:?}"));
        let mut fields = rest.split('|');
        let (value, kind, tags) = (fields.next(), fields.next(), fields.next());
        assert!(fields.next().is_none(), "too many fields: {line:?}");
        let tags = tags.map_or("", |tags| tags.strip_prefix('#').unwrap_or_else(|| panic!("no tags: {line:?}")));
        assert!(
            !name.is_empty() && !name.contains(|letter: char| letter.is_control() || " |@#".contains(letter)),
            "{line:?}"
        );
        assert!(!tags.contains(|letter: char| letter.is_control() || " |@#".contains(letter)), "{line:?}");
        assert!(tags.split(',').all(|tag| tags.is_empty() || tag.matches(':').count() == 1), "{line:?}");
        let value = value.expect("a split has a first part");
        let digits = value.strip_prefix('-').unwrap_or(value);
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && digits.starts_with(|first: char| first.is_ascii_digit());
        assert!(plain, "no plain number: {line:?}");
        let number: f64 = value.parse().expect("a plain number");
        let series = format!("{name}|{tags}");
        match kind {
            Some("c") => {
                assert!(number >= 0.0, "{line:?}");
                *self.counters.entry(series).or_default() += number;
            }
            // A sign means a step.
            Some("g") if value.starts_with('-') => *self.gauges.entry(series).or_default() += number,
            Some("g") => drop(self.gauges.insert(series, number)),
            _ => panic!("no known type: {line:?}"),
        }
    }
}
