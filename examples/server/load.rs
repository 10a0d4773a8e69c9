//! A load that keeps to a rate: a few clients over loopback, each waiting for every reply.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Keys that the load uses; the store grows no further.
const KEYS: u64 = 1000;

/// Sends `per_second` requests a second until it is time to stop; returns how many were answered.
pub fn run(server: SocketAddr, per_second: f64, seed: u64, is_stopping: &AtomicBool) -> io::Result<u64> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    let mut replies = BufReader::new(stream.try_clone()?);
    let mut random = Random(seed);
    let mut reply = String::new();
    let start = Instant::now();
    let mut answered = 0;
    // Relaxed: nothing but the flag is read.
    while !is_stopping.load(Ordering::Relaxed) {
        let due = start + Duration::from_secs_f64(answered as f64 / per_second);
        // In short naps, so that a slow load stops as soon as a fast one. A client that is late does not sleep at all.
        let wait = due.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            thread::sleep(wait.min(Duration::from_millis(50)));
            continue;
        }
        stream.write_all(random.request().as_bytes())?;
        reply.clear();
        if replies.read_line(&mut reply)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        answered += 1;
    }
    Ok(answered)
}

/// A small generator of Marsaglia's xorshift family: the same seed, the same load.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Mostly reads, some writes, and now and then a mistake.
    fn request(&mut self) -> String {
        let key = self.next() % KEYS;
        match self.next() % 100 {
            0..70 => format!("GET key:{key}\n"),
            70..85 => format!("SET key:{key} {:x}\n", self.next()),
            85..92 => format!("INCR count:{}\n", key % 10),
            92..97 => format!("DEL key:{key}\n"),
            97 => "COUNT\n".to_owned(),
            98 => "SET nothing\n".to_owned(),
            _ => format!("FETCH key:{key}\n"),
        }
    }
}
