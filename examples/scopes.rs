//! A server for several hosts, each with a scope of its own, under the load of clients that it brings along.
//!
//! A client connects over TCP, says which host it wants (`HELLO a.example`), says something again and again (`SAY …`, answered
//! `OK`), and leaves (`BYE`). Half-way, one host is reloaded: its scope is dropped and made anew, and goes on counting. In the end
//! the page is printed, the books of the application are compared with it, and one host is closed for good.
//!
//! Run: `cargo run --release --example scopes -- --seconds 5`

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use manometer::{
    Counter, Gauge, Manager, MetricPoint, Scope, Sizes, Source, Times, View,
    encode::{Format, encode},
    manager::Registration,
    model::Settings,
};

const HELP: &str = "\
A server for several hosts, each with a scope of its own, under its own load.

usage: scopes [--seconds N]

  --seconds N   how long clients come and go [2]
";

const HOSTS: [&str; 3] = ["a.example", "b.example", "c.example"];
const CLIENTS_PER_HOST: usize = 2;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What a host keeps over a reload: who is there, and the application's own books.
#[derive(Default)]
struct Host {
    /// State of each session, by its number.
    sessions: Mutex<BTreeMap<u64, &'static str>>,
    opened: AtomicU64,
    messages: AtomicU64,
    tenant: Mutex<Option<Tenant>>,
}

/// What a reload makes anew.
struct Tenant {
    scope: Scope,
    metrics: Metrics,
    counts_sessions: Registration,
}

/// What a session keeps: handles of its host's own series.
#[derive(Clone)]
struct Metrics {
    messages: Counter,
    sizes: Sizes,
    answers: Times,
}

impl Tenant {
    /// Declares everything of the host `name`, or finds it again.
    fn load(manager: &Manager, name: &str, host: &Arc<Host>) -> Result<Self> {
        let scope = manager.scope("c2s").preset("host", name).open()?;
        let metrics = Metrics {
            messages: scope.counter("messages").help("Messages received").single()?,
            sizes: scope.measure("message").sizes().buckets([16.0, 64.0, 256.0]).declare()?,
            answers: scope.measure("answer").times().declare()?,
        };
        let sessions = scope.gauge("sessions").help("Sessions there are, by state").labels(["state"]).declare()?;
        let counted = Arc::downgrade(host);
        let counts_sessions = manager.on_update(&format!("sessions of {name}"), 0, move |_| {
            counted.upgrade().map_or(Ok(()), |host| host.count_sessions(&sessions))
        });
        Ok(Self { scope, metrics, counts_sessions })
    }
}

impl Host {
    /// Counts who is there afresh; a scrape sees the old numbers or the new ones.
    fn count_sessions(&self, gauge: &View<Gauge>) -> std::result::Result<(), manometer::LabelError> {
        let sessions = lock(&self.sessions);
        gauge.accumulate(|tally| sessions.values().try_for_each(|state| tally.add([*state], 1.0)))
    }

    /// Takes a tenant's place: what it registered goes, what it counted stays.
    fn reload(self: &Arc<Self>, manager: &Manager, name: &str) -> Result<()> {
        let next = Tenant::load(manager, name, self)?;
        if let Some(old) = lock(&self.tenant).replace(next) {
            old.counts_sessions.unregister();
        }
        Ok(())
    }

    fn metrics(&self) -> Option<Metrics> {
        lock(&self.tenant).as_ref().map(|tenant| tenant.metrics.clone())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn main() -> ExitCode {
    match options(env::args().skip(1)) {
        Ok(None) => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Ok(Some(run_for)) => match run(run_for) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("scopes: {error}");
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            eprintln!("scopes: {error}; --help says more");
            ExitCode::from(2)
        }
    }
}

/// How long to run; None if help is wanted.
fn options(mut arguments: impl Iterator<Item = String>) -> std::result::Result<Option<Duration>, String> {
    let mut run_for = Duration::from_secs(2);
    while let Some(name) = arguments.next() {
        match name.as_str() {
            "--help" => return Ok(None),
            "--seconds" => {
                let value = arguments.next().ok_or("--seconds needs a value")?;
                let seconds =
                    value.parse().map_err(|_| format!("--seconds takes a number of whole seconds, not {value:?}"))?;
                run_for = Duration::from_secs(seconds);
            }
            _ => return Err(format!("there is no argument {name}")),
        }
    }
    Ok(Some(run_for))
}

fn run(run_for: Duration) -> Result<()> {
    let settings =
        Settings::new().with("statistics", "internal").with("statistics_interval", 0.25).with("namespace", "im");
    let manager = Manager::new(&settings)?;
    let hosts: BTreeMap<&str, Arc<Host>> = HOSTS.iter().map(|name| (*name, Arc::new(Host::default()))).collect();
    for (name, host) in &hosts {
        host.reload(&manager, name)?;
    }
    manager.start()?;

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let (ends, end) = (Instant::now() + run_for, AtomicBool::new(false));
    thread::scope(|scope| -> Result<()> {
        let (hosts, end) = (&hosts, &end);
        scope.spawn(move || {
            for stream in listener.incoming().map_while(std::result::Result::ok) {
                if end.load(Ordering::Relaxed) {
                    break;
                }
                scope.spawn(move || serve(stream, hosts));
            }
        });
        let clients: Vec<_> = HOSTS
            .iter()
            .flat_map(|name| (0..CLIENTS_PER_HOST).map(move |_| scope.spawn(move || talk(address, name, ends))))
            .collect();
        thread::sleep(run_for / 2);
        let reloaded = hosts[HOSTS[0]].reload(&manager, HOSTS[0]);
        let said = clients
            .into_iter()
            .map(|client| client.join().map_err(|_| "a client panicked")?)
            .collect::<Result<Vec<u64>>>();
        // Whoever waits for connections sees the end with the next one.
        end.store(true, Ordering::Relaxed);
        TcpStream::connect(address)?;
        reloaded?;
        println!("{} messages were sent and acknowledged", said?.iter().sum::<u64>());
        Ok(())
    })?;

    manager.stop(); // with one more collection
    let mut page = Vec::new();
    encode(&manager.scrape(), Format::OpenMetrics, &mut page);
    print!("{}", String::from_utf8(page)?);
    compare(&manager, &hosts)
}

/// Serves one client until it leaves.
fn serve(stream: TcpStream, hosts: &BTreeMap<&str, Arc<Host>>) {
    if let Err(error) = answer(stream, hosts) {
        eprintln!("scopes: a session ended early: {error}");
    }
}

fn answer(stream: TcpStream, hosts: &BTreeMap<&str, Arc<Host>>) -> Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let Some(name) = line.trim_end().strip_prefix("HELLO ") else { return Ok(()) };
    let Some((host, metrics)) = hosts.get(name).and_then(|host| Some((host, host.metrics()?))) else {
        writer.write_all(b"no such host\n")?;
        return Ok(());
    };
    let session = host.opened.fetch_add(1, Ordering::Relaxed);
    lock(&host.sessions).insert(session, "silent");
    let outcome = converse(&mut reader, &mut writer, session, host, &metrics);
    lock(&host.sessions).remove(&session);
    outcome
}

fn converse(
    reader: &mut impl BufRead,
    writer: &mut impl Write,
    session: u64,
    host: &Host,
    metrics: &Metrics,
) -> Result<()> {
    writer.write_all(b"OK\n")?;
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line == "BYE\n" {
            return Ok(());
        }
        let timer = metrics.answers.start();
        metrics.messages.inc();
        metrics.sizes.observe(line.len() as f64);
        host.messages.fetch_add(1, Ordering::Relaxed);
        lock(&host.sessions).insert(session, "talking");
        writer.write_all(b"OK\n")?;
        timer.stop();
    }
}

/// A client's life: sessions of some messages each, until `ends`. Returns how many were acknowledged.
fn talk(address: SocketAddr, host: &str, ends: Instant) -> Result<u64> {
    let mut acknowledged = 0;
    while Instant::now() < ends {
        let mut stream = TcpStream::connect(address)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut ask = |text: String| -> Result<()> {
            stream.write_all(text.as_bytes())?;
            let mut reply = String::new();
            reader.read_line(&mut reply)?;
            if reply == "OK\n" { Ok(()) } else { Err(format!("{host} answered {reply:?}").into()) }
        };
        ask(format!("HELLO {host}\n"))?;
        for message in 0..20 {
            ask(format!("SAY {}\n", "x".repeat(message * 7)))?;
            acknowledged += 1;
            thread::sleep(Duration::from_millis(2));
        }
        stream.write_all(b"BYE\n")?;
    }
    Ok(acknowledged)
}

/// Compares what the application counted with what the registry has, and closes one host.
fn compare(manager: &Manager, hosts: &BTreeMap<&str, Arc<Host>>) -> Result<()> {
    let registry = manager.registry().ok_or("the manager is disabled")?;
    let messages = registry.get::<Counter>("im_mod_c2s/messages").ok_or("nobody declared messages")?;
    let sessions = registry.get::<Gauge>("im_mod_c2s/sessions").ok_or("nobody declared sessions")?;
    for (name, host) in hosts {
        let (own, exposed) = (host.messages.load(Ordering::Relaxed), messages.with_labels([*name])?.value());
        println!("{name}: {own} messages by its books, {exposed} in the registry");
        if own != exposed || own == 0 {
            return Err(format!("the books of {name} say {own}, the registry {exposed}").into());
        }
    }
    if sessions.sum() != 0.0 {
        return Err(format!("{} sessions are left", sessions.sum()).into());
    }
    let (name, host) = hosts.iter().next_back().ok_or("there are no hosts")?;
    let tenant = lock(&host.tenant).take().ok_or("it was never loaded")?;
    println!("{name} declared {:?}", tenant.scope.declarations());
    let left = tenant.scope.close();
    let total =
        left.family("im_mod_c2s/messages").and_then(|family| family.metrics().next()).map(|metric| metric.point());
    match total {
        Some(MetricPoint::Counter(point)) => println!("{name} is closed, and leaves {} messages", point.total.as_f64()),
        other => return Err(format!("{name} left {other:?}").into()),
    }
    match messages.find([*name])? {
        None => Ok(()),
        Some(still) => Err(format!("{still:?} is still there").into()),
    }
}
