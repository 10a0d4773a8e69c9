//! Clients that do no good, again and again: what the server holds for them does not add up. Alone in its process, so that its memory
//! can be told from that of others.

#![cfg(all(feature = "http", target_os = "linux"))]

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use manometer::{Registry, http::Server};

/// Far more than each round would leave behind if it left the least of its clients.
const ROUNDS: usize = 30;

/// What may come and go between rounds, such as what an allocator keeps.
const ROOM_KIB: usize = 6 * 1024;

/// Memory of this process that is in use, in KiB.
fn resident_kib() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.local_addrs()[0]).expect("a server");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout above zero");
    stream
}

/// Sends what it can. Who is refused in the middle of it has been heard enough.
fn send(server: &Server, bytes: &[u8]) -> TcpStream {
    let mut stream = connect(server);
    let _ = stream.write_all(bytes);
    stream
}

/// One of everything that intruders do.
fn round(server: &Server) {
    let mut open = vec![
        send(server, b"GET /metrics HTTP/1.1\r\nHost: a"),
        send(
            server,
            &[b"GET /metrics HTTP/1.1\r\n".as_slice(), &b"X: xxxxxxxxxxxxxxxxxxxxxxxx\r\n".repeat(4000)].concat(),
        ),
        send(server, &[b"GET /metrics HTTP/1.1\r\nX: ".as_slice(), &[b'x'; 64 * 1024]].concat()),
        send(server, &[b"GET /".as_slice(), &[b'x'; 64 * 1024]].concat()),
        send(server, &b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100)),
        send(server, &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
        send(server, b"GET /metrics HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n"),
        // It never reads its page, which is larger than the buffers on its way.
        send(server, b"GET /metrics HTTP/1.1\r\n\r\n"),
    ];
    let half = send(server, b"GET /metrics HTTP/1.0\r\n\r\n");
    half.shutdown(Shutdown::Write).expect("it is open");
    open.push(half);
    // Which of them are open at one time depends on how many descriptors a process may have.
    open.extend((0..300).map_while(|_| TcpStream::connect(server.local_addrs()[0]).ok()));

    let mut page = connect(server);
    page.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").expect("a server that reads");
    let mut text = String::new();
    page.read_to_string(&mut text).expect("a page");
    assert!(text.starts_with("HTTP/1.0 200 ") && text.ends_with('\n'), "{} bytes of a page", text.len());
}

#[test]
fn htp_20_intruders_leave_nothing_behind() {
    let registry = Registry::new();
    let family = registry.counter("big").labels(["row", "padding"]).declare().expect("a free name");
    let padding = "x".repeat(600);
    for row in 0..10_000 {
        family.inc((row, &padding)).expect("two keys");
    }
    let server = Server::builder(&registry).address(([127, 0, 0, 1], 0)).start().expect("a free port");
    for _ in 0..5 {
        round(&server);
    }
    let before = resident_kib();
    for _ in 0..ROUNDS {
        round(&server);
    }
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < ROOM_KIB, "{grown} KiB more after {ROUNDS} rounds");
}
