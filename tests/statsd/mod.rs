//! A statsd server as tests see one: every datagram as it came, and what a server would hold after them.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use manometer::{
    RegistryOptions,
    backend::{Provider, Statsd, StatsdOptions},
};

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server on a port of its own.
#[derive(Debug)]
pub struct Server {
    socket: UdpSocket,
}

impl Server {
    /// A server on any port of loopback.
    pub fn start() -> Self {
        Self::at(([127, 0, 0, 1], 0).into()).expect("loopback has a port")
    }

    /// A server at this address.
    pub fn at(address: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket })
    }

    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("bound")
    }

    /// Options of a provider that pushes here when it is told to, and not by itself.
    pub fn options(&self) -> StatsdOptions {
        let address = self.address();
        let options = StatsdOptions::new().server(address.ip().to_string()).port(address.port());
        options.prefix("").flush_interval(Duration::from_secs(3600))
    }

    /// A provider of such options.
    pub fn provider(&self) -> Statsd {
        self.options().start(RegistryOptions::new()).expect("good options")
    }

    /// What has come since the last time. On loopback a datagram is there when its `send` returns.
    pub fn datagrams(&self) -> Vec<String> {
        let mut room = vec![0; 70_000];
        let mut datagrams = Vec::new();
        while let Ok(bytes) = self.socket.recv(&mut room) {
            datagrams.push(String::from_utf8(room[..bytes].to_vec()).expect("datagrams are text"));
        }
        datagrams
    }

    /// The lines of all of them.
    pub fn lines(&self) -> Vec<String> {
        self.datagrams().iter().flat_map(|datagram| datagram.split('\n')).map(str::to_owned).collect()
    }

    /// The lines after a flush.
    pub fn after_flush(&self, statsd: &Statsd) -> Vec<String> {
        statsd.flush().expect("a server listens");
        self.lines()
    }

    /// Waits until `done` with all that has come.
    pub fn wait_for(&self, done: impl Fn(&[String]) -> bool) -> Vec<String> {
        let start = Instant::now();
        let mut lines = Vec::new();
        while !done(&lines) {
            assert!(start.elapsed() < PATIENCE, "only {lines:?} came");
            std::thread::sleep(Duration::from_millis(2));
            lines.extend(self.lines());
        }
        lines
    }
}

/// What a server holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// Sums of what came.
    pub counters: BTreeMap<String, f64>,
    /// Last values, where a sign means a step.
    pub gauges: BTreeMap<String, f64>,
    /// Single observations and how many each stands for.
    pub samples: BTreeMap<String, Vec<(f64, f64)>>,
}

impl Model {
    /// Takes lines in, each of which must be one.
    pub fn take<'a>(&mut self, lines: impl IntoIterator<Item = &'a String>) {
        for line in lines {
            let (name, rest) = line.split_once(':').unwrap_or_else(|| panic!("{line:?} has no value"));
            let mut fields = rest.split('|');
            let text = fields.next().expect("split gives one");
            let kind = fields.next().unwrap_or_else(|| panic!("{line:?} has no type"));
            let mut rate = 1.0;
            let mut name = name.to_owned();
            for field in fields {
                match (field.strip_prefix('@'), field.strip_prefix('#')) {
                    (Some(share), None) => rate = share.parse().expect("a rate is a number"),
                    (None, Some(_)) => name = format!("{name}|{field}"),
                    _ => panic!("{line:?} has a field {field:?}"),
                }
            }
            let value: f64 = text.parse().unwrap_or_else(|_| panic!("{line:?} has no number"));
            assert!(value.is_finite() && !text.contains(['e', 'E', '+']), "{line:?} is no plain number");
            match kind {
                "c" => *self.counters.entry(name).or_default() += value / rate,
                "g" if text.starts_with('-') => *self.gauges.entry(name).or_default() += value,
                "g" => {
                    self.gauges.insert(name, value);
                }
                "ms" | "h" | "d" => self.samples.entry(name).or_default().push((value, 1.0 / rate)),
                _ => panic!("{line:?} is of no type"),
            }
        }
    }

    /// The counter of this name, 0 if nothing came.
    pub fn counter(&self, name: &str) -> f64 {
        self.counters.get(name).copied().unwrap_or_default()
    }
}
