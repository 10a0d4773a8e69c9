//! The exposition server, as clients see it: raw bytes over real sockets.

#![cfg(feature = "http")]

use std::{
    error::Error,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use manometer::{
    Registry,
    http::{ServeError, Server},
};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

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
    let mut stream = connect(server.local_addr());
    write!(stream, "{method} {target} HTTP/1.1\r\nHost: any\r\nConnection: close\r\n{headers}\r\n")
        .expect("a server that reads");
    Response::read(&mut stream)
}

fn get(server: &Server, headers: &str) -> Response {
    ask(server, "GET", "/metrics", headers)
}

#[test]
fn htp_01_serves_loopback_addresses_only() {
    let registry = Registry::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0"] {
        let address: SocketAddr = address.parse().unwrap();
        let error = Server::builder(&registry).address(address).start().unwrap_err();
        assert!(matches!(error, ServeError::NotLoopback { address: named } if named == address), "{error:?}");
        assert!(error.to_string().contains(&address.to_string()), "{error}");
        assert!(error.to_string().contains("loopback"), "{error}");
        assert!(error.source().is_none());
    }
    let server = start(&registry);
    assert!(server.local_addr().ip().is_loopback());
}

#[test]
fn htp_01_an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = Server::builder(&Registry::new()).address(address).start().unwrap_err();
    assert!(matches!(error, ServeError::AddressInUse { address: named } if named == address), "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[test]
fn htp_01_other_refusals_carry_what_the_system_says() {
    let refused = || std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    let address = SocketAddr::from(([127, 0, 0, 1], 80));
    for error in [ServeError::Listen { address, source: refused() }, ServeError::Thread { source: refused() }] {
        let source = error.source().expect("what the system says");
        assert!(error.to_string().ends_with(&source.to_string()), "{error}");
    }
}

#[test]
fn htp_02_one_path_with_any_host_and_any_query() {
    let server = server();
    for target in ["/metrics", "/metrics?", "/metrics?name[]=x&debug", "http://elsewhere:1/metrics"] {
        assert_eq!(ask(&server, "GET", target, "").status(), 200, "{target}");
    }
    for target in ["/", "/metrics/", "/metric", "/metrics/x", "/Metrics", "//metrics", "/%6detrics", "/x?/metrics"] {
        let response = ask(&server, "GET", target, "");
        assert_eq!(response.status(), 404, "{target}");
        assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
    }
}

#[test]
fn htp_03_the_path_comes_before_the_method() {
    let server = server();
    assert_eq!(ask(&server, "DELETE", "/nothing", "").status(), 404);
    assert_eq!(ask(&server, "HEAD", "/nothing", "").status(), 404);
    assert_eq!(ask(&server, "OPTIONS", "*", "").status(), 404);
    assert_eq!(ask(&server, "DELETE", "/metrics", "").status(), 405);
}

#[test]
fn htp_04_get_gives_the_page_as_it_is_now() {
    let registry = Registry::new();
    let hits = registry.counter("hits").single().unwrap();
    let server = start(&registry);
    for total in 1..=3 {
        hits.inc();
        let response = get(&server, "");
        assert_eq!(response.status(), 200);
        assert_eq!(response.text(), format!("# TYPE hits_total counter\nhits_total {total}\n"));
        assert_eq!(response.header("content-length"), Some(response.body.len().to_string().as_str()));
    }
}

#[test]
fn htp_04_created_samples_can_be_left_out() {
    let registry = Registry::new();
    registry.counter("hits").single().unwrap();
    let accept = "Accept: application/openmetrics-text\r\n";
    assert!(get(&start(&registry), accept).text().contains("\nhits_created "));
    let without = Server::builder(&registry).address(([127, 0, 0, 1], 0)).created_samples(false).start().unwrap();
    assert_eq!(get(&without, accept).text(), "# TYPE hits counter\nhits_total 0\n# EOF\n");
}

#[test]
fn htp_05_head_has_the_headers_of_get_and_no_body() {
    let server = server();
    for accept in ["", "Accept: application/openmetrics-text\r\n"] {
        let (head, get) = (ask(&server, "HEAD", "/metrics", accept), get(&server, accept));
        assert_eq!(head.status(), 200);
        assert!(head.body.is_empty());
        for name in ["content-type", "cache-control", "vary"] {
            assert_eq!(head.header(name), get.header(name), "{name}");
        }
        assert!(head.header("content-length").is_none(), "a length that is not that of GET: {}", head.head);
    }
}

#[test]
fn htp_06_other_methods_are_refused() {
    let server = server();
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "SUBSCRIBE"] {
        let response = ask(&server, method, "/metrics", "");
        assert_eq!((response.status(), response.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
}

#[test]
fn htp_07_s_15_negotiation() {
    let server = server();
    let text = [
        // What clients send: curl, a browser, Prometheus before 2.5, one with OpenMetrics switched off, and other agents.
        "*/*",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,\
         text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.2",
        "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "text/plain",
        "text/*",
        "TEXT/PLAIN",
        "application/json",
        // Versions that nobody has, and the ban.
        "application/openmetrics-text;version=99.0.0",
        "application/openmetrics-text;version=1.0",
        "application/openmetrics-text;version=\"\"",
        "application/openmetrics-text;q=0",
        "application/openmetrics-text;q=0.000, */*",
        "application/openmetrics-text;version=1.0.0;q=0, application/openmetrics-text",
        "application/openmetrics-text;q=0, application/*",
        // Text is liked better, or nothing tells the two apart.
        "application/openmetrics-text;q=0.4,text/plain;q=0.5",
        "application/openmetrics-text;q=0.4,text/*;q=0.5",
        "application/openmetrics-text;q=0.4,*/*;q=0.5",
        "text/plain;q=0.5, */*;q=0.8",
        // Nothing that can be read, or nothing at all that is acceptable.
        "",
        ",",
        ";;;",
        "garbage",
        "/",
        "application/openmetrics-text;q=2",
        "application/openmetrics-text;q=-1",
        "application/openmetrics-text;q=1e-1",
        "application/openmetrics-text;q=inf",
        "application/openmetrics-text;q=",
        "application/openmetrics-text;version",
        "application/openmetrics-text;version=\"1.0.0",
        "application/openmetrics-text;version=\"1.0.0\"x",
        "application/openmetrics-text;version=1.0.0\"",
        "application/openmetrics-text\u{e9}",
        "text/plain;q=0",
        "*/*;q=0",
        "x;y=\"application/openmetrics-text, application/openmetrics-text\"",
    ];
    let open_metrics = [
        // Prometheus 2.5x, 2.3x to 2.4x, and 3.x.
        "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
         text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
         text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
         application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
         text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
        // No version is 1.0.0, and case, quotes, spaces, other parameters and empty elements are nothing.
        "application/openmetrics-text",
        "application/openmetrics-text, text/plain",
        "text/plain, application/openmetrics-text",
        "Application/OpenMetrics-Text; Version=1.0.0; Q=1",
        "application/openmetrics-text;version=\"1.0.0\"",
        "application/openmetrics-text;version=\"1\\.0.0\"",
        "  application / openmetrics-text ; version = \"1.0.0\" ; charset = utf-8 ; q = 0.5  ",
        "application/openmetrics-text;;q=0.5;",
        ",,application/openmetrics-text,",
        "application/openmetrics-text;q=0.001",
        "application/openmetrics-text;x=\"a,b;c\\\"d\";version=1.0.0",
        "application/openmetrics-text;version=99.0.0, application/openmetrics-text;q=0.1",
        // Others cannot be read; this one can.
        "text/plain;q=x, application/openmetrics-text;q=0.1",
        "garbage, text/html, application/openmetrics-text",
        // Text is refused or not mentioned, and OpenMetrics is covered by what is.
        "text/plain;q=0, application/openmetrics-text;q=0.1",
        "text/plain;q=0, */*",
        "application/*",
        "application/*, text/plain;q=0.9",
    ];
    let cases = text.map(|accept| (accept, TEXT)).into_iter().chain(open_metrics.map(|accept| (accept, OPEN_METRICS)));
    for (accept, expected) in cases {
        let response = get(&server, &format!("Accept: {accept}\r\n"));
        assert_eq!((response.status(), response.header("content-type")), (200, Some(expected)), "{accept:?}");
        assert_eq!(response.text().ends_with("# EOF\n"), expected == OPEN_METRICS, "{accept:?}");
    }
}

#[test]
fn htp_07_no_accept_header_and_several() {
    let server = server();
    assert_eq!(get(&server, "").header("content-type"), Some(TEXT));
    let several = get(&server, "Accept: text/plain;q=0.5\r\nAccept: application/openmetrics-text\r\n");
    assert_eq!(several.header("content-type"), Some(OPEN_METRICS));
}

#[test]
fn htp_08_headers() {
    let server = server();
    let page = get(&server, "Origin: http://elsewhere\r\n");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("vary"), Some("Accept, Accept-Encoding"));
    for response in [page, ask(&server, "OPTIONS", "/metrics", "Origin: http://elsewhere\r\n")] {
        assert!(!response.head.contains("access-control"), "{}", response.head);
        assert_eq!(response.header("cache-control"), Some("no-store"));
    }
}

#[test]
fn htp_20_http_1_0_and_keep_alive() {
    let registry = big_registry(BIG_ROWS);
    let server = start(&registry);
    let mut old = connect(server.local_addr());
    old.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let page = Response::read(&mut old);
    assert!(page.head.starts_with("HTTP/1.0 200 "), "{}", page.head);
    assert_eq!(page.header("transfer-encoding"), None);
    assert_eq!(page.text().lines().count(), BIG_ROWS + 1);

    let mut kept = connect(server.local_addr());
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
    let mut slow = connect(server.local_addr());
    let mut idle = connect(server.local_addr());
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
    let mut endless = connect(server.local_addr());
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
        let mut stream = connect(server.local_addr());
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
    let mut stuck: Vec<_> = (0..4).map(|_| connect(server.local_addr())).collect();
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
    let idle: Vec<_> = (0..128).map(|_| connect(server.local_addr())).collect();
    let mut late = connect(server.local_addr());
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
        let mut gone = connect(server.local_addr());
        gone.write_all(b"GET /metrics HTTP/1.1\r\nHost: any\r\n\r\n").unwrap();
        gone.read_exact(&mut [0; 1000]).unwrap();
    }
    assert_eq!(get(&server, "").text().lines().count(), BIG_ROWS + 1);
}

#[test]
fn stopping_ends_idle_connections_and_frees_the_address() {
    let registry = Registry::new();
    let server = start(&registry);
    let address = server.local_addr();
    let mut idle = connect(address);
    idle.write_all(b"HEAD /metrics HTTP/1.1\r\nHost: any\r\n\r\n").unwrap();
    idle.read_exact(&mut [0; 8]).unwrap();
    let silent = connect(address);
    let start = Instant::now();
    server.stop();
    assert!(start.elapsed() < UNAFFECTED);
    idle.read_to_end(&mut Vec::new()).unwrap();
    drop(silent);
    TcpStream::connect(address).expect_err("nobody listens any more");
    drop(Server::builder(&registry).address(address).start().unwrap());
}

#[test]
fn stopping_lets_a_page_in_flight_end() {
    let registry = big_registry(2_000);
    let server = start(&registry);
    let mut stream = connect(server.local_addr());
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: any\r\n\r\n").unwrap();
    stream.read_exact(&mut [0; 1]).unwrap();
    let reading = thread::spawn(move || {
        let mut page = Vec::new();
        stream.read_to_end(&mut page).unwrap();
        page
    });
    server.stop();
    assert!(reading.join().unwrap().ends_with(b"\r\n0\r\n\r\n"), "the page was cut");
}
