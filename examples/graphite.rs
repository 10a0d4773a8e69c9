//! Reports a Linux machine to Graphite: load, memory, network, time since it started.
//!
//! ```sh
//! cargo run --example graphite -- 127.0.0.1:2003 10      # every 10 seconds, until it is ended
//! cargo run --example graphite -- 127.0.0.1:2003 10 3    # three times
//! ```
//!
//! The provider that it registers as `:graphite` serves any program: whatever is in the registry goes out with each collection, in
//! Graphite's plaintext protocol, `path;tag=value value timestamp`. Graphite keeps absolute values, so nothing has to be remembered
//! but the connection.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::Write as _,
    net::{TcpStream, ToSocketAddrs},
    process::ExitCode,
    sync::Mutex,
    thread,
    time::{Duration, SystemTime},
};

use manometer::{
    Collector, Manager, Registry, RegistryOptions,
    backend::{Provider, PushError},
    encode::samples,
    model::{MetricSet, Settings},
};

/// How long a step towards the server may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends all that its registry holds to Graphite.
#[derive(Debug)]
struct Graphite {
    server: String,
    port: u16,
    collector: Collector,
    stream: Mutex<Option<TcpStream>>,
}

impl Graphite {
    /// The factory: `server` (`localhost`) and `port` (2003) are its settings.
    fn make(settings: &Settings, options: RegistryOptions) -> Result<Box<dyn Provider>, Box<dyn Error + Send + Sync>> {
        settings.check_keys(&["server", "port"])?;
        let server = settings.text("server")?.unwrap_or("localhost").to_owned();
        let port = match settings.integer("port")? {
            None => 2003,
            Some(port) => u16::try_from(port)
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| settings.invalid("port", "a port from 1 to 65535"))?,
        };
        // Graphite has no use for creation times.
        let collector = Collector::new(&options.build()).with_created(false);
        Ok(Box::new(Self { server, port, collector, stream: Mutex::default() }))
    }

    /// A connection to the first address that takes one.
    fn connect(&self) -> Result<TcpStream, PushError> {
        let resolve = |source| PushError::Resolve { server: self.server.clone(), source };
        let mut last = std::io::ErrorKind::AddrNotAvailable.into();
        for address in (self.server.as_str(), self.port).to_socket_addrs().map_err(resolve)? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => {
                    stream.set_write_timeout(Some(PATIENCE)).map_err(|source| self.unsent(source))?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(self.unsent(last))
    }

    fn unsent(&self, source: std::io::Error) -> PushError {
        PushError::Send { server: format!("{}:{}", self.server, self.port), source }
    }
}

impl Provider for Graphite {
    fn registry(&self) -> &Registry {
        self.collector.registry()
    }

    fn display_name(&self) -> Option<&str> {
        Some("Graphite")
    }

    fn flush(&self) -> Result<(), PushError> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let text = plaintext(&self.collector.collect(), now.as_secs());
        let mut held = self.stream.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut stream = match held.take() {
            Some(stream) => stream,
            None => self.connect()?,
        };
        // A connection that the server has closed is noticed only here: one more may do.
        if stream.write_all(text.as_bytes()).is_err() {
            stream = self.connect()?;
            stream.write_all(text.as_bytes()).map_err(|source| self.unsent(source))?;
        }
        *held = Some(stream);
        Ok(())
    }
}

/// One line for each sample that is a number.
fn plaintext(set: &MetricSet, time: u64) -> String {
    let mut text = String::new();
    for metric in set.families.iter().flat_map(|family| family.metrics()) {
        let name = metric.family().metadata().name().raw().replace('/', ".");
        for sample in samples(&metric).iter().filter(|sample| sample.value.parse().is_ok_and(f64::is_finite)) {
            text.extend(name.chars().map(safe));
            text.push_str(sample.suffix);
            let extra = sample.extra.iter().map(|(key, value)| (key.as_str(), value.as_str()));
            // Graphite has no empty tags.
            for (key, value) in metric.labels().chain(extra).filter(|(_, value)| !value.is_empty()) {
                text.push(';');
                text.push_str(key);
                text.push('=');
                text.extend(value.chars().enumerate().map(|(at, c)| if at == 0 && c == '~' { '_' } else { safe(c) }));
            }
            let _ = writeln!(text, " {} {time}", sample.value);
        }
    }
    text
}

/// A character that neither ends a field nor begins a tag.
fn safe(c: char) -> char {
    if c.is_whitespace() || c.is_control() || matches!(c, ';' | '=' | '!' | '^') { '_' } else { c }
}

/// Declares what is told of a machine, and tells it before each collection.
fn watch(manager: &Manager) -> Result<(), Box<dyn Error>> {
    let load = manager.gauge("machine/load").labels(["minutes"]).declare()?;
    let memory = manager.gauge("machine/memory").unit("bytes").labels(["kind"]).declare()?;
    let traffic = manager.counter("machine/network").unit("bytes").labels(["device", "direction"]).declare()?;
    let uptime = manager.gauge("machine/uptime").unit("seconds").single()?;
    manager.on_update("load", 0, move |_| {
        let text = fs::read_to_string("/proc/loadavg")?;
        for (minutes, average) in [1, 5, 15].into_iter().zip(text.split(' ')) {
            load.set((minutes,), average.parse()?)?;
        }
        Ok::<(), Box<dyn Error + Send + Sync>>(())
    });
    manager.on_update("memory", 0, move |_| {
        let text = fs::read_to_string("/proc/meminfo")?;
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let kind = match words[..] {
                ["MemTotal:", ..] => "total",
                ["MemAvailable:", ..] => "available",
                ["SwapFree:", ..] => "swap_free",
                _ => continue,
            };
            memory.set((kind,), 1024.0 * words[1].parse::<f64>()?)?;
        }
        Ok::<(), Box<dyn Error + Send + Sync>>(())
    });
    manager.on_update("network", 0, move |_| {
        let text = fs::read_to_string("/proc/net/dev")?;
        for (device, counts) in text.lines().filter_map(|line| line.split_once(':')) {
            let counts: Vec<&str> = counts.split_whitespace().collect();
            for (direction, column) in [("received", 0), ("sent", 8)] {
                // The kernel counts; this takes its totals over.
                traffic.with_labels((device.trim(), direction))?.set(counts[column].parse()?);
            }
        }
        Ok::<(), Box<dyn Error + Send + Sync>>(())
    });
    manager.on_update("uptime", 0, move |_| {
        let text = fs::read_to_string("/proc/uptime")?;
        uptime.set(text.split(' ').next().unwrap_or_default().parse()?);
        Ok::<(), Box<dyn Error + Send + Sync>>(())
    });
    Ok(())
}

fn run() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (server, interval, times) = match words[..] {
        [server, interval] => (server, interval, u64::MAX),
        [server, interval, times] => (server, interval, times.parse()?),
        _ => return Err("usage: graphite HOST:PORT SECONDS [TIMES]".into()),
    };
    let (host, port) = server.rsplit_once(':').ok_or("the server is HOST:PORT")?;
    let interval = Duration::try_from_secs_f64(interval.parse()?)?;

    manometer::register_provider("graphite", Graphite::make)?;
    let settings = Settings::new().with("server", host).with("port", port.parse::<i64>()?);
    let settings = Settings::new()
        .with("statistics", ":graphite")
        .with("statistics_interval", "manual")
        .with("statistics_config", settings);
    let manager = Manager::new(&settings)?;
    watch(&manager)?;
    let provider_errors = manager.registry().and_then(|registry| registry.get::<manometer::Counter>(ERRORS));
    let errors = || match &provider_errors {
        Some(errors) => errors.with_labels((":provider",)).map_or(0, |errors| errors.value()),
        None => 0,
    };
    for turn in 0..times {
        if turn > 0 {
            thread::sleep(interval);
        }
        let before = errors();
        manager.collect()?;
        if errors() > before {
            eprintln!("{server} was not reached; the next report says all of it");
        }
    }
    Ok(())
}

/// Where a manager counts the errors of handlers and of its provider.
const ERRORS: &str = "prosody_stats.collector_errors";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("graphite: {error}");
            ExitCode::FAILURE
        }
    }
}
