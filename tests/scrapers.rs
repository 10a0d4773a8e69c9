//! Many scrapers at once, on a large page: what the server holds does not grow with the page. Alone in its process, so that its
//! memory can be told from that of others.

#![cfg(all(feature = "http", target_os = "linux"))]

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

use manometer::{Registry, http::Server};

const SCRAPERS: usize = 64;

/// Series with labels of 600 bytes: so many that each page is larger than all buffers on its way.
const SERIES: usize = 20_000;

/// What 64 scrapers may take: a piece, a compressor, the buffers of a connection and those of its reader here make 768 KiB; and one
/// set of plain data between them.
const ROOM_KIB: usize = SCRAPERS * 768 + 4 * 1024;

/// Memory of this process that is in use, in KiB.
fn resident_kib() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Asks for the page, and reads its first byte.
fn begin(server: &Server, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.local_addrs()[0]).expect("a server");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout above zero");
    write!(stream, "GET /metrics HTTP/1.1\r\nConnection: close\r\n{headers}\r\n").expect("a server that reads");
    stream.read_exact(&mut [0]).expect("a page");
    stream
}

/// How many bytes are left to read.
fn drain(mut stream: TcpStream) -> (usize, Vec<u8>) {
    let mut piece = vec![0; 64 * 1024];
    let (mut bytes, mut end) = (0, Vec::new());
    loop {
        match stream.read(&mut piece).expect("the rest of the page") {
            0 => return (bytes, end),
            more => {
                bytes += more;
                end = piece[more.saturating_sub(7)..more].to_vec();
            }
        }
    }
}

#[test]
fn itr_10_htp_20_memory_is_flat_for_64_scrapers() {
    let registry = Registry::new();
    let family = registry.counter("big").labels(["row", "padding"]).declare().expect("a free name");
    let padding = "x".repeat(600);
    for row in 0..SERIES {
        family.inc((row, &padding)).expect("two keys");
    }
    let server = Server::builder(&registry).address(([127, 0, 0, 1], 0)).start().expect("a free port");
    // What the first scrape makes is there for good.
    let (page, _) = drain(begin(&server, ""));
    assert!(page > SERIES * 600);

    let before = resident_kib();
    let mut most = before;
    let mut watch = || most = most.max(resident_kib());
    // All of them ask, and none reads on; then all read at once.
    let waiting: Vec<_> = (0..SCRAPERS).map(|_| begin(&server, "")).collect();
    thread::sleep(Duration::from_millis(300));
    watch();
    thread::scope(|scope| {
        let readers: Vec<_> = waiting.into_iter().map(|stream| scope.spawn(|| drain(stream))).collect();
        while readers.iter().any(|reader| !reader.is_finished()) {
            watch();
            thread::sleep(Duration::from_millis(5));
        }
        for reader in readers {
            let (bytes, end) = reader.join().expect("a reader");
            assert_eq!((bytes, end.as_slice()), (page, &b"\r\n0\r\n\r\n"[..]), "the page is whole");
        }
    });
    // Each with a compressor; in a debug build, to read all of that takes minutes.
    let waiting: Vec<_> = (0..SCRAPERS).map(|_| begin(&server, "Accept-Encoding: gzip\r\n")).collect();
    thread::sleep(Duration::from_millis(300));
    watch();
    drop(waiting);

    let grown = most - before;
    println!("{SCRAPERS} scrapers of {} KiB each took {grown} KiB", page / 1024);
    assert!(grown < ROOM_KIB, "{SCRAPERS} scrapers took {grown} KiB, of {ROOM_KIB}");
    assert!(ROOM_KIB * 10 < page / 1024 * SCRAPERS, "the bound is far below what the pages take");
}
