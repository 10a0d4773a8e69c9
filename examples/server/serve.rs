//! The server: connections in a queue, and a worker for each one that is served.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::Receiver,
    },
    time::{Duration, Instant},
};

use crate::{
    books::{Books, Metrics, Totals},
    protocol::{Command, Problem, Status},
    store::Store,
};

/// The longest request, with its end.
const MAX_LINE_BYTES: usize = 4096;

/// How soon a worker whose client is silent sees that it is time to stop.
const STOP_DELAY: Duration = Duration::from_millis(100);

/// Serves one connection of the queue after the other, until the queue ends; returns what this thread counted.
pub fn work(queue: &Mutex<Receiver<TcpStream>>, store: &Store, metrics: &Metrics, is_stopping: &AtomicBool) -> Totals {
    let mut books = Books::new(metrics);
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(stream) = next() {
        metrics.connections.inc();
        if converse(&stream, store, &mut books, is_stopping).is_err() {
            books.error(Problem::Connection);
        }
        metrics.connections.dec();
    }
    books.close()
}

fn converse(stream: &TcpStream, store: &Store, books: &mut Books<'_>, is_stopping: &AtomicBool) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(STOP_DELAY))?;
    let mut reader = BufReader::new(stream);
    let mut line = Vec::with_capacity(MAX_LINE_BYTES);
    loop {
        match reader.by_ref().take((MAX_LINE_BYTES - line.len()) as u64).read_until(b'\n', &mut line) {
            Ok(_) if line.is_empty() => return Ok(()),
            Ok(_) => {}
            // What arrived before the time was up stays in `line`. Relaxed: nothing but the flag is read.
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                match is_stopping.load(Ordering::Relaxed) {
                    true => return Ok(()),
                    false => continue,
                }
            }
            Err(error) => return Err(error),
        }
        books.metrics.in_flight.inc();
        let goes_on = answer(&line, stream, store, books);
        books.metrics.in_flight.dec();
        if !goes_on? {
            return Ok(());
        }
        line.clear();
    }
}

/// Answers one line; false if the conversation is over.
fn answer(line: &[u8], mut stream: &TcpStream, store: &Store, books: &mut Books<'_>) -> io::Result<bool> {
    let start = Instant::now();
    let mut reply = String::with_capacity(64);
    let (command, done) = match std::str::from_utf8(line) {
        _ if !line.ends_with(b"\n") => (Command::Unknown, Err(Problem::LineTooLong)),
        Err(_) => (Command::Unknown, Err(Problem::NotText)),
        Ok(text) => {
            let (command, arguments) = Command::split(text.trim_end());
            (command, command.execute(arguments, store, &mut reply))
        }
    };
    let status = done.unwrap_or_else(|problem| {
        books.error(problem);
        reply.push_str("ERROR ");
        reply.push_str(problem.name());
        Status::Error
    });
    reply.push('\n');
    let sent = stream.write_all(reply.as_bytes());
    books.request(command, status, start.elapsed());
    books.traffic(line.len(), if sent.is_ok() { reply.len() } else { 0 });
    sent?;
    Ok(command != Command::Quit && done != Err(Problem::LineTooLong))
}
