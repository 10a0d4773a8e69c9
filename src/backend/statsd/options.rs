//! How to push to a statsd server: by a builder, or by the keys of a configuration.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use super::{Statsd, names::is_unsafe};
use crate::{
    model::{ConfigError, Settings},
    registry::RegistryOptions,
};

const KEYS: &[&str] = &[
    "statsd_server",
    "statsd_port",
    "prefix",
    "transport",
    "max_payload",
    "batch",
    "bursts",
    "flush_interval",
    "histograms",
    "tags",
    "sample_rate",
];

/// The smallest `max_payload`.
const LEAST_PAYLOAD: usize = 64;

/// The largest `max_payload`: what a datagram of IPv4 can carry.
const MOST_PAYLOAD: usize = 65_507;

/// Samples that may wait to be sent one by one.
const QUEUE: usize = 65_536;

/// How lines travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams to an address.
    #[default]
    Udp,
    /// A stream to an address; every line ends in a line feed.
    Tcp,
    /// Datagrams to a Unix socket, whose path is given as the server.
    Unix,
}

/// What is sent of a histogram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HistogramMode {
    /// A counter per bucket, the sum as a gauge, the count as a counter: everything, in a few lines a flush.
    #[default]
    Buckets,
    /// Every observation by itself as milliseconds, `|ms`. Histograms of seconds are turned into milliseconds.
    Milliseconds,
    /// Every observation by itself, `|h`.
    Histogram,
    /// Every observation by itself, `|d`.
    Distribution,
}

/// Where label values go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TagMode {
    /// Into the name.
    #[default]
    None,
    /// Behind the line, as `|#key:value,…`, and not into the name.
    DogStatsd,
}

/// Finds the addresses of a host and port.
pub(super) type Resolver = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// How to push to a statsd server. Whatever is not said is as in the table of the keys.
///
/// # Examples
/// ```no_run
/// use manometer::{RegistryOptions, backend::{Provider, StatsdOptions}};
///
/// let statsd = StatsdOptions::new().server("127.0.0.1").prefix("shop").start(RegistryOptions::new())?;
/// let orders = statsd.registry().counter("orders").single()?;
/// orders.inc(); // within a second, `shop.orders:1|c` is on its way
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct StatsdOptions {
    pub(super) server: String,
    pub(super) port: u16,
    pub(super) prefix: String,
    pub(super) transport: Transport,
    pub(super) max_payload: usize,
    pub(super) batch: bool,
    pub(super) bursts: bool,
    pub(super) flush_interval: Duration,
    pub(super) histograms: HistogramMode,
    pub(super) tags: TagMode,
    pub(super) sample_rate: f64,
    pub(super) queue: usize,
    pub(super) resolver: Option<Arc<Resolver>>,
}

impl StatsdOptions {
    /// The defaults: UDP to `localhost:8125`, prefix `prosody`, datagrams of up to 1432 bytes, a flush every second.
    pub fn new() -> Self {
        Self {
            server: "localhost".to_owned(),
            port: 8125,
            prefix: "prosody".to_owned(),
            transport: Transport::Udp,
            max_payload: 1432,
            batch: true,
            bursts: false,
            flush_interval: Duration::from_secs(1),
            histograms: HistogramMode::Buckets,
            tags: TagMode::None,
            sample_rate: 1.0,
            queue: QUEUE,
            resolver: None,
        }
    }

    /// The options that a table of a configuration describes.
    ///
    /// | key | default | accepts |
    /// | --- | --- | --- |
    /// | `statsd_server` | `localhost` | a host, an address, or the path of a Unix socket |
    /// | `statsd_port` | 8125 | 1 to 65535 |
    /// | `prefix` | `prosody` | text; empty for none |
    /// | `transport` | `udp` | `udp`, `tcp`, `unix` |
    /// | `max_payload` | 1432 | 64 to 65507 bytes |
    /// | `batch` | true | false sends each line by itself |
    /// | `bursts` | false | true gives Linux several datagrams at once |
    /// | `flush_interval` | 1 | seconds, more than 0 and at most a day |
    /// | `histograms` | `buckets` | `buckets`, `ms`, `h`, `d` |
    /// | `tags` | `none` | `none`, `dogstatsd` |
    /// | `sample_rate` | 1 | more than 0 and at most 1; of use with `ms`, `h` and `d` |
    ///
    /// # Errors
    /// `UnknownKey` for any other key, `Invalid` for any other value.
    pub fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        settings.check_keys(KEYS)?;
        let mut options = Self::new();
        if let Some(server) = settings.text("statsd_server")? {
            options.server = server.to_owned();
        }
        if let Some(port) = settings.integer("statsd_port")? {
            let port = u16::try_from(port).map_err(|_| settings.invalid("statsd_port", PORT_RULE))?;
            options.port = port;
        }
        if let Some(prefix) = settings.text("prefix")? {
            options.prefix = prefix.to_owned();
        }
        if let Some(transport) = word(settings, "transport", "udp, tcp or unix", TRANSPORTS)? {
            options.transport = transport;
        }
        if let Some(payload) = settings.integer("max_payload")? {
            options.max_payload =
                usize::try_from(payload).map_err(|_| settings.invalid("max_payload", PAYLOAD_RULE))?;
        }
        options.batch = settings.boolean("batch")?.unwrap_or(options.batch);
        options.bursts = settings.boolean("bursts")?.unwrap_or(options.bursts);
        if let Some(seconds) = settings.number("flush_interval")? {
            let interval = Duration::try_from_secs_f64(seconds);
            options.flush_interval = interval.map_err(|_| settings.invalid("flush_interval", INTERVAL_RULE))?;
        }
        if let Some(histograms) = word(settings, "histograms", "buckets, ms, h or d", HISTOGRAMS)? {
            options.histograms = histograms;
        }
        if let Some(tags) = word(settings, "tags", "none or dogstatsd", TAGS)? {
            options.tags = tags;
        }
        options.sample_rate = settings.number("sample_rate")?.unwrap_or(options.sample_rate);
        options.check()?;
        Ok(options)
    }

    /// The host, or the path of a Unix socket.
    #[must_use]
    pub fn server(self, server: impl Into<String>) -> Self {
        Self { server: server.into(), ..self }
    }

    /// The port.
    #[must_use]
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// What every name begins with, without its point; empty for nothing.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// How lines travel.
    #[must_use]
    pub fn transport(self, transport: Transport) -> Self {
        Self { transport, ..self }
    }

    /// The most bytes of a datagram: 1432 suits Ethernet, 512 the open internet, 8932 jumbo frames.
    #[must_use]
    pub fn max_payload(self, max_payload: usize) -> Self {
        Self { max_payload, ..self }
    }

    /// Whether lines share datagrams.
    #[must_use]
    pub fn batch(self, batch: bool) -> Self {
        Self { batch, ..self }
    }

    /// Whether datagrams of UDP may go to the system several at once, which costs a third of one by one on Linux; not unless it is said.
    ///
    /// For that they must be of one size, `max_payload`: where lines do not fill one, the last number in it gets zeros in front, at most
    /// 128 of them, which no known server minds. A system or device that does not take them gets datagrams one by one, without such
    /// zeros. A server on the same host has less time for each: what its receive buffer does not hold is lost, so it should be large
    /// (`net.core.rmem_max`) where a flush is more than about ninety datagrams.
    #[must_use]
    pub fn bursts(self, bursts: bool) -> Self {
        Self { bursts, ..self }
    }

    /// How long what changed may wait.
    #[must_use]
    pub fn flush_interval(self, flush_interval: Duration) -> Self {
        Self { flush_interval, ..self }
    }

    /// What is sent of histograms.
    #[must_use]
    pub fn histograms(self, histograms: HistogramMode) -> Self {
        Self { histograms, ..self }
    }

    /// Where label values go.
    #[must_use]
    pub fn tags(self, tags: TagMode) -> Self {
        Self { tags, ..self }
    }

    /// The share of observations that is sent where each goes by itself.
    #[must_use]
    pub fn sample_rate(self, sample_rate: f64) -> Self {
        Self { sample_rate, ..self }
    }

    /// How many observations may wait where each goes by itself, 65 536 unless it is said; more are dropped and counted.
    #[must_use]
    pub fn queue(self, queue: usize) -> Self {
        Self { queue, ..self }
    }

    /// Who finds the addresses of the server, instead of the system. It is asked at the start, and again after errors.
    #[must_use]
    pub fn resolver(self, resolver: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static) -> Self {
        Self { resolver: Some(Arc::new(resolver)), ..self }
    }

    /// Makes the registry that these options say, and a thread that pushes from it.
    ///
    /// A server that cannot be reached is no error: that is logged, and what happens meanwhile is sent later.
    ///
    /// # Errors
    /// `Invalid`, named by its key, for a value that cannot be; `Provider` if the system gives no thread.
    pub fn start(self, registry: RegistryOptions) -> Result<Statsd, ConfigError> {
        self.check()?;
        Statsd::new(self, registry)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let invalid = |key: &str, given: String, rule| Err(ConfigError::Invalid { key: key.to_owned(), given, rule });
        if self.server.is_empty() || self.server.chars().any(char::is_control) {
            return invalid("statsd_server", format!("{:?}", self.server), "a host, an address or a path");
        }
        if self.port == 0 {
            return invalid("statsd_port", self.port.to_string(), PORT_RULE);
        }
        if self.prefix.chars().any(is_unsafe) {
            let rule = "text without control characters, space, `:`, `|`, `@` and `#`";
            return invalid("prefix", format!("{:?}", self.prefix), rule);
        }
        if self.transport == Transport::Unix && !cfg!(unix) {
            return invalid("transport", "unix".to_owned(), "udp or tcp on this system");
        }
        if !(LEAST_PAYLOAD..=MOST_PAYLOAD).contains(&self.max_payload) {
            return invalid("max_payload", self.max_payload.to_string(), PAYLOAD_RULE);
        }
        if self.flush_interval.is_zero() || self.flush_interval > LONGEST_INTERVAL {
            return invalid("flush_interval", self.flush_interval.as_secs_f64().to_string(), INTERVAL_RULE);
        }
        if !(self.sample_rate > 0.0 && self.sample_rate <= 1.0) {
            return invalid("sample_rate", self.sample_rate.to_string(), "more than 0 and at most 1");
        }
        if self.queue == 0 {
            return invalid("queue", "0".to_owned(), "at least 1");
        }
        Ok(())
    }
}

const PORT_RULE: &str = "a port from 1 to 65535";
const PAYLOAD_RULE: &str = "from 64 to 65507 bytes";
const INTERVAL_RULE: &str = "more than 0 and at most 86400 seconds";
const LONGEST_INTERVAL: Duration = Duration::from_secs(86_400);

const TRANSPORTS: &[(&str, Transport)] = &[("udp", Transport::Udp), ("tcp", Transport::Tcp), ("unix", Transport::Unix)];

const HISTOGRAMS: &[(&str, HistogramMode)] = &[
    ("buckets", HistogramMode::Buckets),
    ("ms", HistogramMode::Milliseconds),
    ("h", HistogramMode::Histogram),
    ("d", HistogramMode::Distribution),
];

const TAGS: &[(&str, TagMode)] = &[("none", TagMode::None), ("dogstatsd", TagMode::DogStatsd)];

/// The value that the word at `key` means.
fn word<T: Copy>(
    settings: &Settings,
    key: &str,
    rule: &'static str,
    words: &[(&str, T)],
) -> Result<Option<T>, ConfigError> {
    let Some(given) = settings.text(key)? else { return Ok(None) };
    let meant = words.iter().find(|(word, _)| *word == given).map(|(_, value)| *value);
    meant.map(Some).ok_or_else(|| settings.invalid(key, rule))
}

impl Default for StatsdOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for StatsdOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatsdOptions")
            .field("server", &self.server)
            .field("port", &self.port)
            .field("prefix", &self.prefix)
            .field("transport", &self.transport)
            .field("max_payload", &self.max_payload)
            .field("batch", &self.batch)
            .field("bursts", &self.bursts)
            .field("flush_interval", &self.flush_interval)
            .field("histograms", &self.histograms)
            .field("tags", &self.tags)
            .field("sample_rate", &self.sample_rate)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
