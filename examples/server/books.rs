//! Everything that is counted, twice: in metrics that all threads share, and in plain numbers of one thread.

use std::time::Duration;

use manometer::{
    Counter, DeclareError, Family, GaugeHistogram, Histogram, Registry, StateSet, UpDownGauge, exponential_buckets,
};

use crate::protocol::{Command, Problem, Status};

/// One request in so many is an exemplar.
const EXEMPLAR_EVERY: u64 = 100;

/// The metrics of the server. Where the labels are known, the handles are found here, once.
pub struct Metrics {
    requests: [[Counter; Status::ALL.len()]; Command::ALL.len()],
    durations: [Histogram; Command::ALL.len()],
    errors: Family<Counter>,
    received: Counter,
    sent: Counter,
    pub in_flight: UpDownGauge,
    pub connections: UpDownGauge,
    pub store_keys: UpDownGauge,
    pub store_bytes: UpDownGauge,
    pub value_sizes: GaugeHistogram,
    pub phase: StateSet,
}

impl Metrics {
    pub fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        let version = env!("CARGO_PKG_VERSION");
        registry.info("kv_build").help("Which server this is").text([("version", version)])?;
        let requests =
            registry.counter("kv_requests").help("Requests answered").labels(["command", "status"]).declare()?;
        let durations = registry
            .histogram("kv_request_duration")
            .unit("seconds")
            .help("From the last byte of a request to its reply in the socket")
            .labels(["command"])
            .buckets(exponential_buckets(1e-6, 4.0, 10))
            .declare()?;
        let series = |command: Command, status: Status| requests.with_labels((command.name(), status.name()));
        Ok(Self {
            requests: Command::ALL.map(|command| Status::ALL.map(|status| series(command, status).expect("two keys"))),
            durations: Command::ALL.map(|command| durations.with_labels((command.name(),)).expect("one key")),
            errors: registry.counter("kv_errors").help("What went wrong, by kind").labels(["kind"]).declare()?,
            received: registry.counter("kv_received").unit("bytes").help("Bytes of requests").single()?,
            sent: registry.counter("kv_sent").unit("bytes").help("Bytes of replies").single()?,
            in_flight: registry.up_down_gauge("kv_requests_in_flight").help("Requests being answered").single()?,
            connections: registry.up_down_gauge("kv_connections").help("Connections being served").single()?,
            store_keys: registry.up_down_gauge("kv_store_keys").help("Keys in the store").single()?,
            store_bytes: registry
                .up_down_gauge("kv_store")
                .unit("bytes")
                .help("Bytes of the keys and values in the store")
                .single()?,
            value_sizes: registry
                .gauge_histogram("kv_value_size")
                .unit("bytes")
                .help("The values in the store by their length")
                .buckets([1.0, 16.0, 256.0, 4096.0])
                .single()?,
            phase: registry
                .state_set("kv_phase")
                .states(["serving", "stopped"])
                .help("What the server is doing")
                .single()?,
        })
    }
}

/// What one thread counted, without any metrics.
#[derive(Default)]
pub struct Totals {
    requests: [[u64; Status::ALL.len()]; Command::ALL.len()],
    errors: [u64; Problem::ALL.len()],
    received: u64,
    sent: u64,
}

impl Totals {
    pub fn add(&mut self, other: &Self) {
        let pairs = self.requests.iter_mut().flatten().zip(other.requests.iter().flatten());
        for (own, other) in pairs.chain(self.errors.iter_mut().zip(&other.errors)) {
            *own += other;
        }
        self.received += other.received;
        self.sent += other.sent;
    }

    pub fn requests(&self) -> u64 {
        self.requests.iter().flatten().sum()
    }

    /// The samples that a metrics page must have if these are the totals of all threads.
    pub fn samples(&self) -> Vec<(String, u64)> {
        let mut samples = Vec::new();
        for (command, by_status) in Command::ALL.map(Command::name).iter().zip(&self.requests) {
            for (status, count) in Status::ALL.map(Status::name).iter().zip(by_status) {
                samples.push((format!("kv_requests_total{{command=\"{command}\",status=\"{status}\"}}"), *count));
            }
            let count = by_status.iter().sum();
            samples.push((format!("kv_request_duration_seconds_count{{command=\"{command}\"}}"), count));
        }
        for (kind, count) in Problem::ALL.map(Problem::name).iter().zip(self.errors) {
            samples.push((format!("kv_errors_total{{kind=\"{kind}\"}}"), count));
        }
        samples.push(("kv_received_bytes_total".to_owned(), self.received));
        samples.push(("kv_sent_bytes_total".to_owned(), self.sent));
        samples
    }
}

/// One thread's hand in both.
pub struct Books<'a> {
    pub metrics: &'a Metrics,
    totals: Totals,
    answered: u64,
}

impl<'a> Books<'a> {
    pub fn new(metrics: &'a Metrics) -> Self {
        Self { metrics, totals: Totals::default(), answered: 0 }
    }

    pub fn request(&mut self, command: Command, status: Status, took: Duration) {
        self.metrics.requests[command as usize][status as usize].inc();
        let (durations, took) = (&self.metrics.durations[command as usize], took.as_secs_f64());
        // Some requests can be looked up by their number; a server that traces would give the trace.
        match self.answered % EXEMPLAR_EVERY {
            0 => durations.observe_with_exemplar(took, [("request", self.answered.to_string().as_str())]),
            _ => durations.observe(took),
        }
        self.answered += 1;
        self.totals.requests[command as usize][status as usize] += 1;
    }

    pub fn traffic(&mut self, received: usize, sent: usize) {
        self.metrics.received.add(received as u64);
        self.metrics.sent.add(sent as u64);
        self.totals.received += received as u64;
        self.totals.sent += sent as u64;
    }

    /// Errors are rare, so their series is looked up each time, and made the first time.
    pub fn error(&mut self, problem: Problem) {
        self.metrics.errors.inc((problem.name(),)).expect("one key");
        self.totals.errors[problem as usize] += 1;
    }

    pub fn close(self) -> Totals {
        self.totals
    }
}
