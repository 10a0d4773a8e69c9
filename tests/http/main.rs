//! The exposition server, as clients see it: raw bytes over real sockets.

#![cfg(feature = "http")]

mod addresses;
mod answers;
mod hostile;
mod negotiation;
mod page;
mod view;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use flate2::read::GzDecoder;
use manometer::{
    MetricSet, Registry, Source,
    http::{Options, Server},
};

/// Long enough that only a server that waits for somebody else needs it.
const UNAFFECTED: Duration = Duration::from_secs(5);

/// A server at a free port, of a registry with one counter that stands at 3.
fn server() -> Server {
    let registry = Registry::new();
    registry.counter("hits").single().expect("a free name").add(3);
    start(&registry)
}

fn start(registry: &Registry) -> Server {
    Server::builder(registry).address(([127, 0, 0, 1], 0)).start().expect("a free port")
}

/// A registry whose page has `rows` lines of about 600 bytes, and one more.
fn big_registry(rows: usize) -> Registry {
    let registry = Registry::new();
    let family = registry.counter("big").labels(["row", "padding"]).declare().expect("a free name");
    let padding = "x".repeat(600);
    for row in 0..rows {
        family.inc((row, &padding)).expect("two keys");
    }
    registry
}

/// So many that the page, 12 MB, is more than all buffers between a server and a client.
const BIG_ROWS: usize = 20_000;

/// A response, its head and its body apart.
struct Response {
    head: String,
    body: Vec<u8>,
}

impl Response {
    /// Reads until the server closes; a reset after the last byte is a close too.
    fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
        let head = String::from_utf8(bytes[..end].to_vec()).expect("a head in ASCII");
        let body = bytes.split_off(end);
        let is_chunked = head.contains("transfer-encoding: chunked\r\n");
        Self { body: if is_chunked { unchunk(&body) } else { body }, head }
    }

    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a page in UTF-8")
    }
}

/// The content of a chunked body; fails if its last chunk is missing, or one is much longer than 64 KiB (ITR-10).
fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n").expect("the length of a chunk");
        let digits = std::str::from_utf8(&rest[..line]).expect("a length in ASCII");
        let length = usize::from_str_radix(digits, 16).expect("a length in hexadecimal");
        if length == 0 {
            return content;
        }
        assert!(length < 2 * 64 * 1024, "a piece of {length} bytes: pieces must not grow with the page");
        content.extend_from_slice(&rest[line + 2..][..length]);
        rest = &rest[line + 2 + length + 2..];
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a server");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout above zero");
    stream
}

/// One request on a connection of its own.
fn ask(server: &Server, method: &str, target: &str, headers: &str) -> Response {
    let mut stream = connect(server.local_addrs()[0]);
    write!(stream, "{method} {target} HTTP/1.1\r\nHost: any\r\nConnection: close\r\n{headers}\r\n")
        .expect("a server that reads");
    Response::read(&mut stream)
}

fn get(server: &Server, headers: &str) -> Response {
    ask(server, "GET", "/metrics", headers)
}

/// The page that a compressed response has.
fn unzip(response: &Response) -> String {
    let mut text = String::new();
    GzDecoder::new(&response.body[..]).read_to_string(&mut text).expect("gzip, to its end");
    text
}

/// A source that waits until it is let through, as handlers of an application may.
#[derive(Debug)]
struct Gate {
    enabled: bool,
    panics: bool,
    open: Mutex<bool>,
    opened: Condvar,
    asked: AtomicUsize,
}

impl Gate {
    fn open() -> Self {
        let (open, opened) = (Mutex::new(true), Condvar::new());
        Self { enabled: true, panics: false, open, opened, asked: AtomicUsize::new(0) }
    }

    fn closed() -> Self {
        Self { open: Mutex::new(false), ..Self::open() }
    }

    fn let_through(&self) {
        *self.open.lock().expect("nobody panics with it") = true;
        self.opened.notify_all();
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Source for Gate {
    fn is_enabled(&self) -> bool {
        self.enabled
    }

    fn scrape(&self) -> Arc<MetricSet> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let open = self.open.lock().expect("nobody panics with it");
        drop(self.opened.wait_while(open, |open| !*open).expect("nobody panics with it"));
        assert!(!self.panics, "as an application's code might");
        Arc::default()
    }
}

fn serve(source: Arc<Gate>, options: Options) -> Server {
    Server::of(source).options(options.address(([127, 0, 0, 1], 0))).start().expect("a free port")
}
