//! A real statsd daemon beside a random program: what it holds at the end is what the engine counted.
//!
//! `ci/statsd.sh` installs the daemon and says where it is in `MANOMETER_STATSD`. Its counters start anew at each of its own flushes,
//! so it never flushes within a test; the management port tells what it holds. Before it is killed it is asked, and what it held is
//! added to what its successor holds.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(feature = "statsd")]

mod statsd;

use std::{
    collections::BTreeMap,
    env, fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use manometer::{
    RegistryOptions,
    backend::{HistogramMode, Provider, Statsd, StatsdOptions, Transport},
};
use statsd::Model;

const PATIENCE: Duration = Duration::from_secs(20);

/// The daemon. Dropping it kills it.
struct Daemon {
    child: Child,
    /// Where its configuration is, which it reads again whenever that changes.
    config: PathBuf,
    transport: Transport,
    port: u16,
    management: u16,
}

impl Daemon {
    fn start(transport: Transport, port: u16, management: u16) -> Self {
        let program = env::var("MANOMETER_STATSD").expect("ci/statsd.sh sets MANOMETER_STATSD");
        let config = env::temp_dir().join(format!("manometer-statsd-{}-{port}.js", std::process::id()));
        let server = if transport == Transport::Tcp { "./servers/tcp" } else { "./servers/udp" };
        let text = format!(
            "{{ servers: [{{ server: '{server}', address: '127.0.0.1', port: {port} }}], mgmt_address: '127.0.0.1', \
             mgmt_port: {management}, flushInterval: 3600000, backends: [], log: {{ backend: 'stdout' }} }}"
        );
        fs::write(&config, text).unwrap();
        let child = Command::new("node").arg(program).arg(&config).stdout(Stdio::null()).spawn().unwrap();
        let daemon = Self { child, config, transport, port, management };
        daemon.wait(|| TcpStream::connect(("127.0.0.1", management)).is_ok());
        let listens = || match transport {
            Transport::Tcp => TcpStream::connect(("127.0.0.1", port)).is_ok(),
            _ => UdpSocket::bind(("127.0.0.1", port)).is_err(),
        };
        daemon.wait(listens);
        daemon
    }

    fn wait(&self, done: impl Fn() -> bool) {
        let start = Instant::now();
        while !done() {
            assert!(start.elapsed() < PATIENCE, "the daemon does not come to it");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the daemon answers to a word, up to its end mark.
    fn ask(&self, word: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.management)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(word.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let mut room = [0; 4096];
        while !answer.ends_with(b"END\n\n") {
            let bytes = stream.read(&mut room).unwrap();
            assert!(bytes > 0, "the daemon hung up");
            answer.extend_from_slice(&room[..bytes]);
        }
        String::from_utf8(answer).unwrap().trim_end().trim_end_matches("END").to_owned()
    }

    /// Name and value of each entry of a table, which node prints as an object of numbers.
    fn table(&self, word: &str) -> BTreeMap<String, f64> {
        let text = self.ask(word);
        let entries = text.split(['{', '}', ',', '\n']).filter_map(|entry| entry.rsplit_once(':'));
        let entries = entries.map(|(name, value)| (name.trim().trim_matches(['\'', '"']).to_owned(), value.trim()));
        let numbers = entries.filter_map(|(name, value)| Some((name, value.parse().ok()?)));
        numbers.filter(|(name, _)| !name.starts_with("statsd.")).collect()
    }

    /// How many lines it could not read.
    fn bad_lines(&self) -> f64 {
        self.table_with_own("counters").get("statsd.bad_lines_seen").copied().unwrap_or_default()
    }

    fn table_with_own(&self, word: &str) -> BTreeMap<String, f64> {
        let text = self.ask(word);
        let entries = text.split(['{', '}', ',', '\n']).filter_map(|entry| entry.rsplit_once(':'));
        entries
            .filter_map(|(name, value)| Some((name.trim().trim_matches('\'').to_owned(), value.trim().parse().ok()?)))
            .collect()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.config);
    }
}

/// A port that is free now.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Numbers that are the same in every run (Marsaglia's xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What the program did, in the names of the daemon.
#[derive(Default)]
struct Done {
    model: Model,
}

impl Done {
    fn count(&mut self, name: &str, amount: f64) {
        *self.model.counters.entry(name.to_owned()).or_default() += amount;
    }

    fn set(&mut self, name: &str, value: f64) {
        self.model.gauges.insert(name.to_owned(), value);
    }
}

/// Does `times` random things, and writes down what a server has to hold afterwards. Amounts are small fractions of two, so that
/// every sum is exact in any order.
fn operate(statsd: &Statsd, random: &mut Random, done: &mut Done, times: usize) {
    let registry = statsd.registry();
    let hits = registry.counter("hits").labels(["k"]).declare().unwrap();
    let busy = registry.float_counter("busy").unit("seconds").single().unwrap();
    let heat = registry.gauge("heat").labels(["k"]).declare().unwrap();
    let level = registry.up_down_gauge("level").single().unwrap();
    let sizes = registry.histogram("sizes").unit("bytes").buckets([0.5, 4.0, 16.0]).single().unwrap();
    let words = registry.summary("words").single().unwrap();
    for _ in 0..times {
        let k = random.below(5).to_string();
        let amount = random.below(100);
        let value = amount as f64 / 4.0;
        match random.below(12) {
            0 | 1 => {
                hits.add((k.as_str(),), amount).unwrap();
                done.count(&format!("hits.{k}"), amount as f64);
            }
            2 => {
                let handle = hits.with_labels((k.as_str(),)).unwrap();
                let before = handle.value();
                handle.set(amount);
                let gain = if amount < before { amount } else { amount - before };
                done.count(&format!("hits.{k}"), gain as f64);
            }
            3 => drop(hits.with_labels((k.as_str(),)).unwrap().reset()),
            4 => drop(hits.remove((k.as_str(),)).unwrap()),
            5 => {
                busy.add(value);
                done.count("busy_seconds", value);
            }
            6 => {
                let value = value - 12.0;
                heat.set((k.as_str(),), value).unwrap();
                done.set(&format!("heat.{k}"), value);
            }
            7 => {
                level.add(amount as i64 - 50);
                done.set("level", level.value() as f64);
            }
            8 | 9 => {
                sizes.observe(value);
                let bounds = [(0.5, "0_5"), (4.0, "4"), (16.0, "16"), (f64::INFINITY, "Inf")];
                for (_, text) in bounds.iter().filter(|(bound, _)| value <= *bound) {
                    done.count(&format!("sizes_bytes.bucket.{text}"), 1.0);
                }
                done.count("sizes_bytes.count", 1.0);
                done.set("sizes_bytes.sum", sizes.sum());
            }
            10 => {
                words.observe(value);
                done.count("words.sum", value);
                done.count("words.count", 1.0);
            }
            _ => {
                sizes.reset();
                done.set("sizes_bytes.sum", 0.0);
            }
        }
        if random.below(40) == 0 {
            statsd.flush().unwrap();
            // A daemon that does not keep up loses datagrams in its socket, and that is nobody's fault here.
            thread::sleep(Duration::from_millis(5));
        }
    }
    statsd.flush().unwrap();
}

#[test]
#[ignore = "needs a daemon: ci/statsd.sh"]
fn a_daemon_holds_what_the_engine_counted() {
    for transport in [Transport::Udp, Transport::Tcp] {
        for (batch, bursts) in [(true, false), (true, true), (false, false)] {
            let (port, management) = (free_port(), free_port());
            let mut daemon = Daemon::start(transport, port, management);
            let options = StatsdOptions::new().server("127.0.0.1").port(port).prefix("").transport(transport);
            let options = options
                .batch(batch)
                .bursts(bursts)
                .max_payload(if bursts { 128 } else { 1432 })
                .flush_interval(Duration::from_secs(3600));
            let statsd = options.start(RegistryOptions::new()).unwrap();
            let mut random = Random(0x9e37_79b9_7f4a_7c15 + u64::from(port));
            let mut done = Done::default();
            operate(&statsd, &mut random, &mut done, 2_000);
            let whole = |daemon: &Daemon, done: &Done, before: &BTreeMap<String, f64>| {
                let mut counters = daemon.table("counters");
                for (name, held) in before {
                    *counters.entry(name.clone()).or_default() += held;
                }
                counters.retain(|_, count| *count != 0.0);
                let expected: BTreeMap<_, _> =
                    done.model.counters.clone().into_iter().filter(|(_, v)| *v != 0.0).collect();
                counters == expected
            };
            let none = BTreeMap::new();
            let start = Instant::now();
            while !whole(&daemon, &done, &none) || daemon.table("gauges") != done.model.gauges {
                let held = (daemon.table("counters"), daemon.table("gauges"));
                assert!(start.elapsed() < PATIENCE, "{held:#?} instead of {:#?}", done.model);
                thread::sleep(Duration::from_millis(20));
            }
            assert_eq!(daemon.bad_lines(), 0.0);

            // Killed while things go on: what was not sent is sent to its successor.
            let held = daemon.table("counters");
            drop(daemon);
            let hits = statsd.registry().get::<manometer::Counter>("hits").unwrap();
            hits.add(("0",), 7).unwrap();
            done.count("hits.0", 7.0);
            assert!(statsd.flush().is_err(), "nobody listens");
            hits.remove(("0",)).unwrap();
            daemon = Daemon::start(transport, port, management);
            let start = Instant::now();
            while statsd.flush().is_err() {
                assert!(start.elapsed() < PATIENCE, "it never tried again");
                thread::sleep(Duration::from_millis(50));
            }
            operate(&statsd, &mut random, &mut done, 500);
            let start = Instant::now();
            while !whole(&daemon, &done, &held) {
                let now = daemon.table("counters");
                assert!(start.elapsed() < PATIENCE, "{now:#?} after {held:#?} instead of {:#?}", done.model.counters);
                thread::sleep(Duration::from_millis(20));
            }
            for (name, value) in daemon.table("gauges") {
                assert_eq!(value, done.model.gauges[&name], "{name}");
            }
            assert_eq!(daemon.bad_lines(), 0.0);
            println!("{:?}, batch {batch}, bursts {bursts}: {:?}", daemon.transport, statsd.push_report().unwrap());
            assert_eq!(daemon.port, port);
        }
    }
}

#[test]
#[ignore = "needs a daemon: ci/statsd.sh"]
fn a_daemon_takes_single_observations() {
    let (port, management) = (free_port(), free_port());
    let daemon = Daemon::start(Transport::Udp, port, management);
    let options =
        StatsdOptions::new().server("127.0.0.1").port(port).prefix("").histograms(HistogramMode::Milliseconds);
    let statsd = options.start(RegistryOptions::new()).unwrap();
    let wait = statsd.registry().histogram("wait").unit("seconds").buckets([1.0]).single().unwrap();
    [0.25, 0.5, 2.0].iter().for_each(|seconds| wait.observe(*seconds));
    statsd.flush().unwrap();
    let holds = || {
        let text = daemon.ask("timers");
        let numbers: Vec<f64> =
            text.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect();
        text.contains("wait_seconds") && numbers == [250.0, 500.0, 2000.0]
    };
    daemon.wait(holds);
    assert_eq!(daemon.bad_lines(), 0.0);
}
