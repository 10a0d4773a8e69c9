//! What a flush to a statsd server costs beside a client that writes a line for each update, and what pushing costs those who record.

use std::{
    hint::black_box,
    net::UdpSocket,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use cadence::{BufferedUdpMetricSink, Counted, MetricSink, StatsdClient};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use manometer::{
    Registry, RegistryOptions,
    backend::{Provider, Statsd, StatsdOptions},
};

const SERIES: u64 = 10_000;
const PAYLOAD: usize = 1432;

/// A server that reads and forgets.
struct Sink {
    port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sink {
    fn start() -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("loopback has a port");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
        let port = socket.local_addr().expect("bound").port();
        let stop = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let stop = stop.clone();
            move || {
                let mut room = [0; 65_536];
                while !stop.load(Ordering::Relaxed) {
                    let _ = socket.recv(&mut room);
                }
            }
        });
        Self { port, stop, thread: Some(thread) }
    }

    fn statsd(&self, bursts: bool) -> Statsd {
        let options = StatsdOptions::new().server("127.0.0.1").port(self.port).prefix("bench").max_payload(PAYLOAD);
        let options = options.bursts(bursts);
        options.flush_interval(Duration::from_secs(3600)).start(RegistryOptions::new()).expect("good options")
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map(JoinHandle::join);
    }
}

fn flush(c: &mut Criterion) {
    let mut group = c.benchmark_group("push");
    group.throughput(Throughput::Elements(SERIES)).sample_size(30);
    let server = Sink::start();
    for (what, bursts) in [("flush of 10 000 counters", false), ("flush of 10 000 counters, in bursts", true)] {
        let statsd = server.statsd(bursts);
        let requests = statsd.registry().counter("requests").labels(["path"]).declare().expect("declared");
        let handles: Vec<_> = (0..SERIES).map(|path| requests.with_labels((path,)).expect("one label")).collect();
        group.bench_function(what, |b| {
            b.iter_custom(|rounds| {
                let mut took = Duration::ZERO;
                for _ in 0..rounds {
                    handles.iter().for_each(|handle| handle.inc());
                    let start = Instant::now();
                    statsd.flush().expect("the server reads");
                    took += start.elapsed();
                }
                took
            });
        });
    }

    let names: Vec<String> = (0..SERIES).map(|path| format!("requests.{path}")).collect();
    // As it comes, and with datagrams of our size.
    for (what, payload) in [("cadence, 512 bytes", None), ("cadence, 1432 bytes", Some(PAYLOAD))] {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("loopback has a port");
        let address = ("127.0.0.1", server.port);
        let sink = match payload {
            None => BufferedUdpMetricSink::from(address, socket),
            Some(payload) => BufferedUdpMetricSink::with_capacity(address, socket, payload),
        };
        let sink = Arc::new(sink.expect("a sink"));
        let client = StatsdClient::from_sink("bench", Shared(sink.clone()));
        group.bench_function(what, |b| {
            b.iter(|| {
                for name in &names {
                    client.count(name, 1).expect("the server reads");
                }
                sink.flush().expect("the server reads");
            });
        });
    }
    group.finish();
}

/// A sink that can be flushed from outside.
struct Shared(Arc<BufferedUdpMetricSink>);

impl MetricSink for Shared {
    fn emit(&self, metric: &str) -> std::io::Result<usize> {
        self.0.emit(metric)
    }
}

fn record(c: &mut Criterion) {
    let server = Sink::start();
    let statsd = server.statsd(false);
    let internal = Registry::new();
    for (who, registry) in [("internal", &internal), ("statsd", statsd.registry())] {
        let mut group = c.benchmark_group(format!("record/{who}"));
        let counter = registry.counter("counter").single().expect("declared");
        group.bench_function("counter", |b| b.iter(|| black_box(&counter).inc()));
        let gauge = registry.gauge("gauge").single().expect("declared");
        group.bench_function("gauge", |b| b.iter(|| black_box(&gauge).set(black_box(1.5))));
        let buckets = [0.001, 0.01, 0.1, 1.0, 10.0, 100.0];
        let histogram = registry.histogram("histogram").buckets(buckets).single().expect("declared");
        group.bench_function("histogram", |b| b.iter(|| black_box(&histogram).observe(black_box(0.5))));
        group.finish();
    }
}

criterion_group!(benches, flush, record);
criterion_main!(benches);
