//! Clients that mean no good, or do no good: each gets its status or is cut off, and the others notice nothing.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use manometer::{
    Registry,
    http::{Options, Server},
};

use crate::{BIG_ROWS, Gate, Response, UNAFFECTED, ask, big_registry, connect, get, serve, server, start};

#[test]
fn htp_20_idle_connections_keep_nobody_out() {
    let server = server();
    // Which of them are open at one time depends on how many descriptors a process may have.
    let idle: Vec<_> = (0..1000).map_while(|_| TcpStream::connect(server.local_addrs()[0]).ok()).collect();
    let start = Instant::now();
    for _ in 0..5 {
        assert_eq!(get(&server, "").status(), 200);
    }
    assert!(start.elapsed() < UNAFFECTED, "{:?} behind {} idle connections", start.elapsed(), idle.len());
}

#[test]
fn htp_20_a_client_that_waits_does_not_lose_its_place() {
    let source = Arc::new(Gate::closed());
    let server = serve(source.clone(), Options::new());
    let mut waiting = connect(server.local_addrs()[0]);
    waiting.write_all(b"GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    while source.asked() == 0 {
        thread::yield_now();
    }
    let idle: Vec<_> = (0..300).map_while(|_| TcpStream::connect(server.local_addrs()[0]).ok()).collect();
    assert_eq!(ask(&server, "HEAD", "/metrics", "").status(), 200);
    source.let_through();
    assert_eq!(Response::read(&mut waiting).status(), 200);
    drop(idle);
}

#[test]
fn htp_20_half_closed_and_pipelined() {
    let source = Arc::new(Gate::closed());
    let slow = serve(source.clone(), Options::new());
    for server in [&server(), &slow] {
        let mut half = connect(server.local_addrs()[0]);
        half.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        half.shutdown(Shutdown::Write).unwrap();
        thread::sleep(Duration::from_millis(50));
        source.let_through();
        assert_eq!(Response::read(&mut half).status(), 200);
    }
    let server = server();
    let mut piped = connect(server.local_addrs()[0]);
    let requests = "HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n".repeat(50);
    write!(piped, "{requests}GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    let mut answers = String::new();
    piped.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 51);
    assert!(answers.ends_with("hits_total 3\n"));

    // A body that nobody asked for, announced and never sent, holds nothing up, and the connection for no longer than usual.
    let server = serve(Arc::new(Gate::open()), Options::new().client_timeout(Duration::from_millis(500)));
    let mut body = connect(server.local_addrs()[0]);
    body.write_all(b"GET /metrics HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n").unwrap();
    assert_eq!(Response::read(&mut body).status(), 200);
}

#[test]
fn htp_20_garbage_is_answered_with_400_or_nothing() {
    let server = server();
    let mut state = 0x9e37_79b9_u32;
    for length in (1..4000).step_by(37) {
        let garbage: Vec<u8> = (0..length)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        let mut stream = connect(server.local_addrs()[0]);
        stream.write_all(&garbage).unwrap();
        let _ = stream.write_all(b"\r\n\r\n");
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let is_refused = ["HTTP/1.1 400 ", "HTTP/1.1 431 "].iter().any(|line| answer.starts_with(line.as_bytes()));
        assert!(answer.is_empty() || is_refused, "{:?}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(get(&server, "").status(), 200);
}

#[test]
fn htp_20_http_1_0_and_keep_alive() {
    let registry = big_registry(BIG_ROWS);
    let server = start(&registry);
    let mut old = connect(server.local_addrs()[0]);
    old.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let page = Response::read(&mut old);
    assert!(page.head.starts_with("HTTP/1.0 200 "), "{}", page.head);
    assert_eq!(page.header("transfer-encoding"), None);
    assert_eq!(page.text().lines().count(), BIG_ROWS + 1);

    let mut kept = connect(server.local_addrs()[0]);
    for _ in 0..3 {
        kept.write_all(b"HEAD /metrics HTTP/1.1\r\nHost: any\r\n\r\n").unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            kept.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        assert!(head.starts_with(b"HTTP/1.1 200 "));
    }
}

#[test]
fn htp_20_a_slow_head_ends_in_408_and_blocks_nobody() {
    let registry = Registry::new();
    let limit = Duration::from_millis(500);
    let server = Server::builder(&registry).address(([127, 0, 0, 1], 0)).client_timeout(limit).start().unwrap();
    let mut slow = connect(server.local_addrs()[0]);
    let mut idle = connect(server.local_addrs()[0]);
    slow.write_all(b"GET /metrics HTTP/1.1\r\nHost: a").unwrap();
    let start = Instant::now();
    assert_eq!(get(&server, "").status(), 200);
    assert!(start.elapsed() < limit, "waited for the slow client");
    // Bytes that keep coming buy no time.
    let mut drip = slow.try_clone().unwrap();
    let dripping = thread::spawn(move || {
        while drip.write_all(b"a").is_ok() {
            thread::sleep(limit / 20);
        }
    });
    assert_eq!(Response::read(&mut slow).status(), 408);
    assert!((limit..UNAFFECTED).contains(&start.elapsed()));
    dripping.join().unwrap();
    // Who never began a request is not told anything.
    let mut nothing = Vec::new();
    idle.read_to_end(&mut nothing).unwrap();
    assert!(nothing.is_empty());
}

#[test]
fn htp_20_too_much_head_is_refused() {
    let server = server();
    assert_eq!(get(&server, &format!("X: {}\r\n", "x".repeat(8 * 1024))).status(), 200);
    assert_eq!(get(&server, &format!("X: {}\r\n", "x".repeat(64 * 1024))).status(), 431);
    assert_eq!(get(&server, &"X: x\r\n".repeat(1000)).status(), 431);
    let response = ask(&server, "GET", &format!("/metrics?{}", "x".repeat(100 * 1024)), "");
    assert!(matches!(response.status(), 414 | 431), "{}", response.head);

    // A head without an end.
    let mut endless = connect(server.local_addrs()[0]);
    endless.write_all(b"GET /metrics HTTP/1.1\r\n").unwrap();
    while endless.write_all(b"X: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n").is_ok() {}
    assert_eq!(get(&server, "").status(), 200);
}

#[test]
fn htp_20_what_is_not_http_is_refused() {
    let server = server();
    for nonsense in
        ["\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET /metrics HTTP/9.9\r\n\r\n", "GET /metrics HTTP/1.1\r\n: x\r\n\r\n"]
    {
        let mut stream = connect(server.local_addrs()[0]);
        stream.write_all(nonsense.as_bytes()).unwrap();
        assert_eq!(Response::read(&mut stream).status(), 400, "{nonsense:?}");
    }
    assert_eq!(get(&server, "").status(), 200);
}

#[test]
fn htp_20_clients_that_do_not_read_block_nobody_and_are_cut_off() {
    let registry = big_registry(BIG_ROWS);
    let limit = Duration::from_secs(2);
    let server = Server::builder(&registry).address(([127, 0, 0, 1], 0)).client_timeout(limit).start().unwrap();
    let mut stuck: Vec<_> = (0..4).map(|_| connect(server.local_addrs()[0])).collect();
    for stream in &mut stuck {
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: any\r\n\r\n").unwrap();
    }
    let start = Instant::now();
    assert_eq!(get(&server, "").text().lines().count(), BIG_ROWS + 1);
    assert!(start.elapsed() < UNAFFECTED, "waited for a client that does not read");
    thread::sleep(limit * 2);
    for stream in &mut stuck {
        let mut part = Vec::new();
        // Cut off: less than the page, and no last chunk that would make it look whole.
        let _ = stream.read_to_end(&mut part);
        assert!(!part.ends_with(b"0\r\n\r\n"));
    }
}

#[test]
fn htp_20_many_connections_wait_their_turn() {
    let server = server();
    let idle: Vec<_> = (0..128).map(|_| connect(server.local_addrs()[0])).collect();
    let mut late = connect(server.local_addrs()[0]);
    late.write_all(b"GET /metrics HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n").unwrap();
    drop(idle);
    assert_eq!(Response::read(&mut late).status(), 200);
}

#[test]
fn itr_10_many_scrapers_get_whole_pages() {
    let registry = big_registry(BIG_ROWS);
    let server = start(&registry);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let page = get(&server, "Accept: application/openmetrics-text\r\n");
                assert_eq!(page.header("transfer-encoding"), Some("chunked"));
                assert_eq!(page.text().lines().count(), 2 * BIG_ROWS + 2);
                assert!(page.text().ends_with("# EOF\n"));
            });
        }
    });
}

#[test]
fn itr_10_a_client_that_goes_away_ends_its_page_only() {
    let registry = big_registry(BIG_ROWS);
    let server = start(&registry);
    for _ in 0..3 {
        let mut gone = connect(server.local_addrs()[0]);
        gone.write_all(b"GET /metrics HTTP/1.1\r\nHost: any\r\n\r\n").unwrap();
        gone.read_exact(&mut [0; 1000]).unwrap();
    }
    assert_eq!(get(&server, "").text().lines().count(), BIG_ROWS + 1);
}

/// Every header that the server or hyper reads, some that proxies and browsers add, and one that nobody knows.
const NAMES: [&str; 22] = [
    "Accept",
    "Accept-Encoding",
    "Authorization",
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "Cookie",
    "Expect",
    "Forwarded",
    "Host",
    "If-None-Match",
    "Keep-Alive",
    "Origin",
    "Range",
    "Referer",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "X-Forwarded-For",
    "X-Unknown",
];

#[test]
fn htp_20_s_18_random_bytes_in_a_header_are_never_500() {
    let open = start(&Registry::new());
    let options = Options::new().token("s3cret").unwrap().require_forwarded(true).live_page(true).unwrap();
    let closed = serve(Arc::new(Gate::open()), options);
    let mut state = 0x2545_f491_u32;
    let mut byte = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let mut seen = [0; 4];
    for round in 0..12 {
        for name in NAMES {
            // Every second time without what cannot be in a header at all.
            let mut value: Vec<u8> = (0..=byte() / 4).map(|_| byte()).collect();
            if round % 2 == 0 {
                value.retain(|byte| (32..127).contains(byte) || *byte > 127);
            }
            let server = if round % 3 == 0 { &closed } else { &open };
            let mut stream = connect(server.local_addrs()[0]);
            let target = ["/metrics", "/stats?form=details", "/metrics?x"][round % 3];
            write!(stream, "GET {target} HTTP/1.1\r\nConnection: close\r\n{name}: ").unwrap();
            stream.write_all(&value).unwrap();
            // It may have been refused by now.
            let _ = stream.write_all(b"\r\n\r\n");
            let _ = stream.shutdown(Shutdown::Write);
            let status = Response::read(&mut stream).status();
            let expected = [200, 400, 401, 403].iter().position(|expected| *expected == status);
            seen[expected.unwrap_or_else(|| panic!("{status} for {name}: {value:?}"))] += 1;
        }
    }
    assert!(seen[0] > 0 && seen[1] > 0 && seen[2] + seen[3] > 0, "{seen:?}: the bytes are not random");
    assert_eq!(get(&open, "").status(), 200);
}
