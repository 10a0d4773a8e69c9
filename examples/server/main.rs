//! A key-value server with metrics: threads, a sharded store, a line protocol, and a load of its own.
//!
//! ```text
//! cargo run --release --example server -- --help
//! ```
//!
//! At its end it compares what it counted by itself, in plain numbers of each thread, with what its metrics page says.

mod books;
mod load;
mod options;
mod protocol;
mod serve;
mod store;

use std::{
    collections::HashMap,
    error::Error,
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use manometer::{Registry, http::Server};

use crate::{
    books::{Metrics, Totals},
    options::{HELP, Options},
    store::Store,
};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("server: {error}; see --help");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("server: the metrics page differs from what the application counted");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("server: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs for as long as wanted; true if the metrics agree with the application in the end.
fn run(options: &Options) -> Result<bool, Box<dyn Error>> {
    let registry = Registry::new();
    let metrics = Metrics::declare(&registry)?;
    let page = Server::builder(&registry).address(options.metrics).start()?;
    let store = Store::new(metrics.store_keys.clone(), metrics.store_bytes.clone(), metrics.value_sizes.clone());
    let listener =
        TcpListener::bind(options.listen).map_err(|error| format!("cannot listen at {}: {error}", options.listen))?;
    let address = listener.local_addr()?;
    println!(
        "key-value server: {address}   try: printf 'PING\\nCOUNT\\nQUIT\\n' | nc {} {}",
        address.ip(),
        address.port()
    );
    println!("metrics: curl http://{}/metrics", page.local_addrs()[0]);

    metrics.phase.enter("serving");
    let start = Instant::now();
    let (totals, answered) = serve(options, listener, &store, &metrics)?;
    metrics.phase.enter("stopped");
    let seconds = start.elapsed().as_secs_f64();
    let rate = totals.requests() as f64 / seconds;
    println!(
        "served {} requests in {seconds:.1} s, {rate:.1} per second; the load got {answered} replies",
        totals.requests()
    );

    let (keys, bytes) = store.size();
    let mut expected = totals.samples();
    expected.push(("kv_store_keys".to_owned(), keys as u64));
    expected.push(("kv_store_bytes".to_owned(), bytes as u64));
    expected.push(("kv_value_size_bytes_count".to_owned(), keys as u64));
    expected.push(("kv_phase{kv_phase=\"stopped\"}".to_owned(), 1));
    expected.push(("kv_connections".to_owned(), 0));
    expected.push(("kv_requests_in_flight".to_owned(), 0));
    let agrees = compare(&expected, &scrape(page.local_addrs()[0])?);
    io::stdout().flush()?;
    thread::sleep(options.linger);
    Ok(agrees)
}

/// Serves until the time is up; returns what the workers counted, and how many replies the load got.
fn serve(options: &Options, listener: TcpListener, store: &Store, metrics: &Metrics) -> io::Result<(Totals, u64)> {
    let address = listener.local_addr()?;
    let is_stopping = AtomicBool::new(false);
    let (waiting, queue) = mpsc::channel();
    let queue = Mutex::new(queue);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..options.threads.get())
            .map(|_| scope.spawn(|| serve::work(&queue, store, metrics, &is_stopping)))
            .collect();
        let is_stopping = &is_stopping;
        scope.spawn(move || accept(&listener, &waiting, is_stopping));
        let clients = if options.load == 0 { 0 } else { (options.threads.get() / 2).max(1) };
        let per_second = f64::from(options.load) / clients.max(1) as f64;
        let clients: Vec<_> = (1..=clients as u64)
            .map(|seed| scope.spawn(move || load::run(address, per_second, seed, is_stopping)))
            .collect();

        thread::sleep(options.run_for.unwrap_or(Duration::MAX));
        // Relaxed: what the threads counted is handed over by joining them.
        is_stopping.store(true, Ordering::Relaxed);
        // Who waits in `accept` needs somebody to come.
        drop(TcpStream::connect(address)?);

        let mut answered = 0;
        for client in clients {
            answered += client.join().expect("a client does not panic")?;
        }
        let mut totals = Totals::default();
        for worker in workers {
            totals.add(&worker.join().expect("a worker does not panic"));
        }
        Ok((totals, answered))
    })
}

/// Puts who connects in the queue, which ends when this returns.
fn accept(listener: &TcpListener, waiting: &mpsc::Sender<TcpStream>, is_stopping: &AtomicBool) {
    for stream in listener.incoming() {
        // Relaxed: nothing but the flag is read.
        if is_stopping.load(Ordering::Relaxed) {
            return;
        }
        match stream {
            // The workers are there for as long as this is.
            Ok(stream) => waiting.send(stream).expect("workers"),
            // Most likely there are too many open files; some of them will be closed.
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// The samples of the metrics page, as a scraper gets them.
fn scrape(address: SocketAddr) -> io::Result<HashMap<String, f64>> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    let (_, page) = response.split_once("\r\n\r\n").ok_or(io::ErrorKind::InvalidData)?;
    let samples = page.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
    Ok(samples.filter_map(|(sample, value)| Some((sample.to_owned(), value.parse().ok()?))).collect())
}

/// Prints both counts of each sample; true if all are equal. What never happened need not be on the page.
fn compare(expected: &[(String, u64)], page: &HashMap<String, f64>) -> bool {
    println!("{:<66} {:>12} {:>12}", "sample", "application", "page");
    let mut agrees = true;
    for (sample, count) in expected {
        let on_page = page.get(sample).copied().unwrap_or(0.0);
        let mark = if on_page == *count as f64 { "" } else { "  DIFFERS" };
        agrees &= mark.is_empty();
        println!("{sample:<66} {count:>12} {on_page:>12}{mark}");
    }
    agrees
}
