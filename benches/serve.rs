//! What pages over HTTP cost: over loopback against encoding alone, to many scrapers against one, and what they cost a writer.
//!
//! With `--check` it fails where a claim is missed. Without `--bench`, as `cargo test` runs it, it takes a few short rounds and its
//! figures mean nothing.
//!
//! The server and the writer have the first core, the scrapers the second one; where a writer is measured, it has the first core for
//! itself. A scraper asks on one connection, again and again, and reads as fast as it can.

mod support;

use std::{
    env, fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::ExitCode,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use manometer::{
    Collector, Registry,
    encode::{Format, encode},
    http::Server,
};
use support::{
    inputs::{Observations, THRESHOLDS, XorShift},
    median, pages, pin,
    table::{Claim, Table},
    thread_cpu_ns,
};

const SERIES: usize = 100_000;

const SCRAPERS: usize = 16;

/// What a scraper reads at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// What ends a body in pieces.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

/// A server on a core of its own.
fn serve(registry: &Registry, core: usize) -> Server {
    thread::scope(|scope| {
        let start = || {
            // The server's thread keeps to the core of the thread that starts it.
            pin(core);
            Server::builder(registry).address(([127, 0, 0, 1], 0)).start().expect("a free port")
        };
        scope.spawn(start).join().expect("a server")
    })
}

/// Nanoseconds of CPU time that the server's thread has used.
fn server_cpu_ns() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux has it");
    let paths = tasks.map(|task| task.expect("a thread").path());
    let is_server = |name: String| name == "manometer-http\n";
    let mut found = paths.filter(|path| fs::read_to_string(path.join("comm")).is_ok_and(is_server));
    let path = found.next().expect("the server's thread");
    assert!(found.next().is_none(), "one server at a time");
    let times = fs::read_to_string(path.join("schedstat")).expect("Linux has it");
    times.split(' ').next().and_then(|nanos| nanos.parse().ok()).expect("its first number")
}

/// A connection on which pages are asked for.
struct Scraper {
    stream: TcpStream,
    piece: Vec<u8>,
}

impl Scraper {
    fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).expect("a server"), piece: vec![0; PIECE_BYTES] }
    }

    /// Asks for the page and reads it; returns how many bytes that were.
    fn scrape(&mut self) -> usize {
        self.stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").expect("a server that reads");
        let mut bytes = 0;
        let mut end = Vec::new();
        while !end.ends_with(LAST_CHUNK) {
            let read = self.stream.read(&mut self.piece).expect("a page");
            assert!(read > 0, "the page was cut");
            bytes += read;
            end.extend_from_slice(&self.piece[read.saturating_sub(LAST_CHUNK.len())..read]);
            end.drain(..end.len().saturating_sub(LAST_CHUNK.len()));
        }
        bytes
    }
}

/// Bytes per second of encoding what was collected before, and of a page over loopback, which collects it anew; then the nanoseconds of
/// CPU time that each takes, of the server alone where there is one. In turn; medians.
fn speeds(registry: &Registry, rounds: usize) -> [f64; 4] {
    let server = serve(registry, 0);
    pin(1);
    let mut scraper = Scraper::connect(server.local_addrs()[0]);
    let set = Collector::new(registry).collect();
    let mut page = Vec::new();
    let mut encode_alone = || {
        page.clear();
        encode(&set, Format::Text, &mut page);
        page.len()
    };
    let measure = |act: &mut dyn FnMut() -> usize, cpu: fn() -> u64| {
        let (begun, before) = (Instant::now(), cpu());
        let bytes = act();
        (bytes as f64 / begun.elapsed().as_secs_f64(), (cpu() - before) as f64)
    };
    encode_alone();
    scraper.scrape();
    let mut seen = [const { Vec::new() }; 4];
    for _ in 0..rounds {
        let (alone, alone_ns) = measure(&mut encode_alone, thread_cpu_ns);
        let (served, served_ns) = measure(&mut || scraper.scrape(), server_cpu_ns);
        for (at, value) in [alone, served, alone_ns, served_ns].into_iter().enumerate() {
            seen[at].push(value);
        }
    }
    seen.map(median)
}

/// CPU nanoseconds of the server for each page, where so many scrapers ask for `pages` each.
fn cpu_per_page(address: SocketAddr, scrapers: usize, pages: usize) -> f64 {
    let (start, end) = (Barrier::new(scrapers + 1), Barrier::new(scrapers + 1));
    thread::scope(|scope| {
        for _ in 0..scrapers {
            scope.spawn(|| {
                pin(1);
                let mut scraper = Scraper::connect(address);
                scraper.scrape();
                start.wait();
                (0..pages).for_each(|_| _ = scraper.scrape());
                end.wait();
            });
        }
        start.wait();
        let before = server_cpu_ns();
        end.wait();
        (server_cpu_ns() - before) as f64 / (scrapers * pages) as f64
    })
}

/// Turns of a writer that increments and observes in each, alone or beside scrapers that never pause: per second, and per second of its
/// own CPU time, in which whoever else has its core takes no part.
fn writer_speed(registry: &Registry, address: SocketAddr, scrapers: usize, time: Duration) -> [f64; 2] {
    let requests = registry.counter("written").single().expect("the same one each time");
    let latency = registry.histogram("latency").buckets(THRESHOLDS).single().expect("the same one each time");
    let values = Observations::new();
    let stop = AtomicBool::new(false);
    let start = Barrier::new(scrapers + 1);
    thread::scope(|scope| {
        for _ in 0..scrapers {
            scope.spawn(|| {
                pin(1);
                let mut scraper = Scraper::connect(address);
                scraper.scrape();
                start.wait();
                // Relaxed: a stop sign.
                while !stop.load(Ordering::Relaxed) {
                    scraper.scrape();
                }
            });
        }
        let writer = scope.spawn(|| {
            pin(0);
            let mut random = XorShift::of_thread(0);
            start.wait();
            let (begun, before, mut turns) = (Instant::now(), thread_cpu_ns(), 0);
            while begun.elapsed() < time {
                for _ in 0..1024 {
                    requests.inc();
                    latency.observe(values.draw(&mut random));
                }
                turns += 1024;
            }
            let cpu = (thread_cpu_ns() - before) as f64 / 1e9;
            [turns as f64 / begun.elapsed().as_secs_f64(), turns as f64 / cpu]
        });
        let speed = writer.join().expect("no writer panics");
        stop.store(true, Ordering::Relaxed);
        speed
    })
}

fn main() -> ExitCode {
    let asked = |flag: &str| env::args().any(|argument| argument == flag);
    let (rounds, pages, time) = if asked("--bench") { (25, 8, 300) } else { (1, 1, 20) };
    let registry = pages::written_counters(SERIES, 1);
    let mut table = Table::default();

    // On a thread of its own, since that keeps to a core ever after.
    let seen = thread::scope(|scope| scope.spawn(|| speeds(&registry, rounds)).join());
    let [alone, served, alone_ns, served_ns] = seen.expect("nothing panics");
    table.row("encoding 100 000 series alone", alone / 1e6, "MB/s", Claim::None);
    table.row("page of 100 000 series over loopback, no gzip", served / 1e6, "MB/s", Claim::None);
    table.row("page over loopback / encoding alone, bytes per second", served / alone, "x", Claim::AtLeast(0.5));
    table.row("CPU time of encoding alone / of the server for that page", alone_ns / served_ns, "x", Claim::None);

    let server = serve(&registry, 0);
    let address = server.local_addrs()[0];
    let mut seen = [const { Vec::new() }; 2];
    for _ in 0..rounds.div_ceil(3) {
        seen[0].push(cpu_per_page(address, 1, pages * SCRAPERS / 4));
        seen[1].push(cpu_per_page(address, SCRAPERS, pages.div_ceil(4)));
    }
    let [one, many] = seen.map(median);
    table.row("CPU time of the server for a page, 1 scraper", one / 1e6, "ms", Claim::None);
    table.row("CPU time of the server for a page, 16 scrapers / 1", many / one, "x", Claim::AtMost(1.5));
    drop(server);

    let server = serve(&registry, 1);
    let address = server.local_addrs()[0];
    let mut seen = [const { Vec::new() }; 6];
    for _ in 0..rounds.div_ceil(3) {
        for (at, scrapers) in [0, 1, SCRAPERS].into_iter().enumerate() {
            let [wall, cpu] = writer_speed(&registry, address, scrapers, Duration::from_millis(time));
            seen[at].push(wall);
            seen[3 + at].push(cpu);
        }
    }
    let [idle, one, many, idle_cpu, one_cpu, many_cpu] = seen.map(median);
    table.row("writer beside a scraper over HTTP that never pauses / alone", one / idle, "x", Claim::AtLeast(0.85));
    table.row("writer beside 16 such scrapers / alone", many / idle, "x", Claim::AtLeast(0.85));
    table.row("writer beside a scraper / alone, per second of its CPU time", one_cpu / idle_cpu, "x", Claim::None);
    table.row("writer beside 16 scrapers / alone, per second of its CPU time", many_cpu / idle_cpu, "x", Claim::None);
    println!("{} missed", table.missed);
    ExitCode::from(u8::from(asked("--check") && table.missed > 0))
}
