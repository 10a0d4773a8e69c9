//! The exposition server, as clients see it: raw bytes over real sockets.

#![cfg(feature = "http")]

use std::{
    error::Error,
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use flate2::read::GzDecoder;
use manometer::{
    Manager, MetricFamily, MetricSet, MetricType, Registry, Source,
    http::{Denial, Options, ServeError, Server},
    model::{ConfigError, FamilyName, LabelTable, Metadata, Points, Settings},
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
    let mut stream = connect(server.local_addrs()[0]);
    write!(stream, "{method} {target} HTTP/1.1\r\nHost: any\r\nConnection: close\r\n{headers}\r\n")
        .expect("a server that reads");
    Response::read(&mut stream)
}

fn get(server: &Server, headers: &str) -> Response {
    ask(server, "GET", "/metrics", headers)
}

#[test]
fn htp_01_an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = Server::builder(&Registry::new()).address(address).start().unwrap_err();
    let ServeError::Listen { refused } = &error else { panic!("{error}") };
    assert_eq!((refused.len(), refused[0].0, refused[0].1.kind()), (1, address, ErrorKind::AddrInUse));
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    let config = ConfigError::from(error);
    assert!(
        config.to_string().contains(&format!("cannot start: cannot serve at any address: {address}: ")),
        "{config}"
    );
    assert!(config.source().is_some_and(|error| error.source().is_some()));
}

#[test]
fn htp_01_one_address_of_several_is_enough() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let free = SocketAddr::from(([127, 0, 0, 2], 0));
    let server = Server::builder(&Registry::new()).address(address).address(free).start().unwrap();
    assert_eq!(server.local_addrs().len(), 1);
    assert_eq!(server.local_addrs()[0].ip(), free.ip());
}

#[test]
fn htp_01_ports_and_interfaces_of_a_configuration() {
    let settings = Settings::new().with("http_ports", [0, 0]).with("http_interfaces", ["127.0.0.1", "127.0.0.3"]);
    let options = Options::from_settings(&settings).unwrap();
    let server = Server::builder(&Registry::new()).options(options).start().unwrap();
    assert_eq!(server.local_addrs().len(), 4);
    for address in server.local_addrs() {
        let mut stream = connect(*address);
        write!(stream, "GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        assert_eq!(Response::read(&mut stream).status(), 200, "{address}");
    }
}

#[test]
fn htp_01_ipv4_and_ipv6_side_by_side() {
    let registry = Registry::new();
    let v4 = Server::builder(&registry).address(([0, 0, 0, 0], 0)).start().unwrap();
    let port = v4.local_addrs()[0].port();
    // The same port, of all IPv6 addresses and nothing else; not every machine has IPv6.
    match Server::builder(&registry).address(SocketAddr::from(([0; 8], port))).start() {
        Ok(v6) => assert_eq!(v6.local_addrs()[0].port(), port),
        Err(ServeError::Listen { refused }) => assert_ne!(refused[0].1.kind(), ErrorKind::AddrInUse),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn htp_01_other_refusals_carry_what_the_system_says() {
    let refused = || std::io::Error::from(ErrorKind::PermissionDenied);
    let address = SocketAddr::from(([127, 0, 0, 1], 80));
    let errors = [
        ServeError::Listen { refused: vec![(address, refused())] },
        ServeError::Listener { source: refused() },
        ServeError::Thread { source: refused() },
    ];
    for error in errors {
        let source = error.source().expect("what the system says");
        assert!(error.to_string().ends_with(&source.to_string()), "{error}");
    }
}

#[test]
fn htp_01_listeners_made_elsewhere() {
    let registry = Registry::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder(&registry).listener(listener).start().unwrap();
    assert_eq!(server.local_addrs(), [address]);
    assert_eq!(get(&server, "").status(), 200);
}

#[test]
#[cfg(unix)]
fn htp_01_a_unix_socket_needs_no_place_on_the_lists() {
    use std::os::unix::net::{UnixListener, UnixStream};

    let path = std::env::temp_dir().join(format!("manometer-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    let options = Options::new().allow_ips([]).allow_cidr(["10.0.0.0/8".parse().unwrap()]);
    let server = Server::builder(&big_registry(100)).options(options).unix_listener(listener).start().unwrap();
    assert_eq!(server.local_addrs(), []);
    let ask = |headers: &str| {
        let mut stream = UnixStream::connect(&path).unwrap();
        write!(stream, "GET /metrics HTTP/1.1\r\nConnection: close\r\n{headers}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(ask("").starts_with("HTTP/1.1 200 "));
    assert_eq!(ask("").matches("\nbig_total{").count(), 100);
    // As a proxy it is believed.
    assert!(ask("X-Forwarded-For: 10.1.2.3\r\n").starts_with("HTTP/1.1 200 "));
    assert!(ask("X-Forwarded-For: 203.0.113.9\r\n").starts_with("HTTP/1.1 403 "));
    assert!(ask("X-Forwarded-For: \r\n").starts_with("HTTP/1.1 403 "));
    assert_eq!(server.denied().total(), 2);
    drop(server);
    std::fs::remove_file(&path).unwrap();
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
fn htp_08_s_16_headers() {
    let server = server();
    let page = get(&server, "Origin: http://elsewhere\r\n");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("vary"), Some("Accept, Accept-Encoding"));
    let origin = "Origin: http://elsewhere\r\n";
    let forbidden = "Origin: http://elsewhere\r\nX-Forwarded-For: 203.0.113.9\r\n";
    let answers = [
        page,
        ask(&server, "OPTIONS", "/metrics", origin),
        ask(&server, "GET", "/elsewhere", origin),
        get(&server, forbidden),
        ask(&server, "GET", "/stats", origin),
        ask(&server, "GET", "/stats?x", origin),
    ];
    assert_eq!(answers.each_ref().map(Response::status), [200, 405, 404, 403, 200, 400]);
    for response in answers {
        assert!(!response.head.contains("access-control"), "{}", response.head);
        assert_eq!(response.header("cache-control"), Some("no-store"));
    }
}

/// The page that a compressed response has.
fn unzip(response: &Response) -> String {
    let mut text = String::new();
    GzDecoder::new(&response.body[..]).read_to_string(&mut text).expect("gzip, to its end");
    text
}

#[test]
fn htp_08_gzip_for_who_wants_it() {
    let server = server();
    let plain = get(&server, "").text().to_owned();
    let wanted = [
        "gzip",
        "GZIP",
        "x-gzip",
        "deflate, gzip;q=1.0, *;q=0.5",
        "gzip;q=0.001",
        "*",
        "br, *;q=0.1",
        " gzip ; q = 0.5 ",
    ];
    let unwanted = [
        "identity",
        "br",
        "",
        "gzip;q=0",
        "gzip;q=0.000, *",
        "*;q=0",
        "gzip;q=0.5, identity",
        "gzip;q=x",
        "gzip;level=9",
        "gzip\u{e9}",
        "gzipped",
        "gzip;q=0, x-gzip;q=0",
        ",;,",
        "gzip;q=2",
    ];
    for accept in wanted {
        let response = get(&server, &format!("Accept-Encoding: {accept}\r\n"));
        assert_eq!((response.status(), response.header("content-encoding")), (200, Some("gzip")), "{accept:?}");
        assert_eq!(unzip(&response), plain);
        assert_eq!(response.header("vary"), Some("Accept, Accept-Encoding"));
    }
    for accept in unwanted {
        let response = get(&server, &format!("Accept-Encoding: {accept}\r\n"));
        assert_eq!((response.status(), response.header("content-encoding")), (200, None), "{accept:?}");
        assert_eq!(response.text(), plain);
    }
    let head = ask(&server, "HEAD", "/metrics", "Accept-Encoding: gzip\r\n");
    assert_eq!((head.header("content-encoding"), head.body.len()), (Some("gzip"), 0));
    let missing = ask(&server, "GET", "/x", "Accept-Encoding: gzip\r\n");
    assert_eq!(missing.header("content-encoding"), None);
}

#[test]
fn htp_08_gzip_in_pieces() {
    let server = start(&big_registry(BIG_ROWS));
    let whole = get(&server, "");
    let zipped = get(&server, "Accept-Encoding: gzip\r\n");
    assert_eq!(zipped.header("transfer-encoding"), Some("chunked"));
    assert!(zipped.body.len() * 10 < whole.body.len(), "{} bytes of {}", zipped.body.len(), whole.body.len());
    assert_eq!(unzip(&zipped), whole.text());
}

#[test]
fn htp_10_denials_are_counted_and_collect_nothing() {
    let source = Arc::new(Gate::open());
    let server = serve(source.clone(), Options::new().token("s3cret").unwrap());
    let denied = get(&server, "X-Forwarded-For: 203.0.113.9\r\n");
    assert_eq!((denied.status(), denied.header("content-type")), (403, Some("text/plain; charset=utf-8")));
    assert_eq!(denied.text(), "forbidden\n");
    assert_eq!(get(&server, "X-Forwarded-For: garbage\r\n").text(), "forbidden\n");
    let unauthorized = get(&server, "");
    assert_eq!((unauthorized.status(), unauthorized.header("www-authenticate")), (401, Some("Bearer")));
    assert_eq!(ask(&server, "GET", "/stats", "X-Forwarded-For: 203.0.113.9\r\n").status(), 403);
    assert_eq!(ask(&server, "HEAD", "/metrics", "").status(), 401);
    assert_eq!(source.asked(), 0);
    let report = server.denied();
    let counts: Vec<_> =
        report.iter().filter(|(_, count)| *count > 0).map(|(why, count)| (why.as_str(), count)).collect();
    assert_eq!(counts, [("not_allowed", 2), ("malformed", 1), ("token", 2)]);
    assert_eq!((report.total(), report.count(Denial::Token)), (5, 2));
    assert_eq!(get(&server, "Authorization: Bearer s3cret\r\n").status(), 200);
    assert_eq!(source.asked(), 1);
}

#[test]
fn htp_03_the_order_of_checks() {
    let source = Arc::new(Gate { enabled: false, ..Gate::open() });
    let server = serve(source.clone(), Options::new().token("s3cret").unwrap());
    let (denied, token) = ("X-Forwarded-For: 203.0.113.9\r\n", "Authorization: Bearer s3cret\r\n");
    assert_eq!(ask(&server, "POST", "/x", denied).status(), 404);
    assert_eq!(ask(&server, "POST", "/metrics", denied).status(), 403);
    assert_eq!(ask(&server, "POST", "/metrics", &format!("{denied}{token}")).status(), 403);
    assert_eq!(ask(&server, "POST", "/metrics", "").status(), 401);
    assert_eq!(ask(&server, "POST", "/metrics", token).status(), 405);
    assert_eq!(ask(&server, "GET", "/metrics", token).status(), 404);
    assert_eq!(source.asked(), 0);
}

#[test]
fn htp_09_a_disabled_source_is_a_404_that_says_so() {
    let server = serve(Arc::new(Gate { enabled: false, ..Gate::open() }), Options::new());
    for method in ["GET", "HEAD"] {
        let response = ask(&server, method, "/metrics", "");
        assert_eq!((response.status(), response.header("content-type")), (404, Some("text/plain; charset=utf-8")));
    }
    let response = get(&server, "");
    assert!(response.text().contains("no statistics provider is configured"));
    assert_eq!(response.text().lines().count(), 1);
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

#[test]
fn htp_04_a_source_that_waits_is_asked_once_for_all_and_holds_up_nobody() {
    let source = Arc::new(Gate::closed());
    let server = serve(source.clone(), Options::new());
    thread::scope(|scope| {
        let first = scope.spawn(|| get(&server, "").status());
        while source.asked() == 0 {
            thread::yield_now();
        }
        let others: Vec<_> = (0..16).map(|_| scope.spawn(|| get(&server, "").status())).collect();
        // Meanwhile others get what needs no collection.
        for _ in 0..50 {
            assert_eq!(ask(&server, "HEAD", "/metrics", "").status(), 200);
        }
        thread::sleep(Duration::from_millis(200));
        source.let_through();
        assert_eq!(first.join().unwrap(), 200);
        assert!(others.into_iter().all(|other| other.join().unwrap() == 200));
    });
    assert!((2..=3).contains(&source.asked()), "{} collections for 17 requests", source.asked());
}

#[test]
fn htp_04_a_source_that_panics_is_a_500_and_works_again() {
    let server = serve(Arc::new(Gate { panics: true, ..Gate::open() }), Options::new());
    for _ in 0..2 {
        assert_eq!(get(&server, "").status(), 500);
        assert_eq!(ask(&server, "GET", "/stats", "").status(), 500);
    }
}

#[test]
fn htp_04_htp_10_a_manager_at_the_door() {
    let manager = Manager::builder().provider("internal").manual().build().unwrap();
    let runs = manager.registry().unwrap().gauge("runs").single().unwrap();
    let _runs = manager.on_update("runs", 0, move |_| runs.add(1.0));
    let address: SocketAddr = ([127, 0, 0, 1], 0).into();
    let server = Server::of(Arc::new(manager)).address(address).start().unwrap();
    // A page runs the handlers; who is denied, and HEAD, do not.
    assert!(get(&server, "").text().contains("\nruns 1\n"));
    assert_eq!(get(&server, "X-Forwarded-For: 203.0.113.9\r\n").status(), 403);
    assert_eq!(ask(&server, "HEAD", "/metrics", "").status(), 200);
    let page = get(&server, "");
    assert!(page.text().contains("\nruns 2\n"), "{}", page.text());
    assert!(page.text().contains("\nprosody_stats_http_denied_total{reason=\"not_allowed\"} 1\n"), "{}", page.text());
    assert!(ask(&server, "GET", "/stats?pattern=runs", "").text().starts_with(&format!("{:<50} 3 \n", "runs")));

    let disabled = Server::of(Arc::new(Manager::new_disabled())).address(address).start().unwrap();
    assert_eq!(get(&disabled, "").status(), 404);
    assert!(ask(&disabled, "GET", "/stats", "").text().contains("disabled"));
}

#[test]
fn htp_01_a_manager_knows_the_keys_of_the_door() {
    let settings =
        Settings::new().with("statistics", "internal").with("http_ports", [0]).with("openmetrics_token", "x");
    Manager::new(&settings).unwrap();
    let error = Manager::new(&settings.with("http_port", 0)).unwrap_err();
    assert!(matches!(&error, ConfigError::UnknownKey { nearest: Some("http_ports"), .. }), "{error}");
}

#[test]
fn itr_09_the_source_is_told_what_a_page_left_out() {
    #[derive(Debug, Default)]
    struct Broken(AtomicUsize);
    impl Source for Broken {
        fn scrape(&self) -> Arc<MetricSet> {
            let points = Points::FloatCounter { totals: vec![f64::NAN], created: vec![] };
            let name = FamilyName::compose("broken", "", MetricType::Counter).expect("a valid name");
            let metadata = Arc::new(Metadata::new(name, MetricType::Counter));
            let family = MetricFamily::new(metadata, Arc::new(LabelTable::unlabelled()), points).expect("one of each");
            Arc::new(MetricSet { families: vec![family] })
        }
        fn count_render_errors(&self, metrics: u64) {
            self.0.fetch_add(metrics as usize, Ordering::Relaxed);
        }
    }
    let source = Arc::new(Broken::default());
    let server = Server::of(source.clone()).address(([127, 0, 0, 1], 0)).start().unwrap();
    assert_eq!(get(&server, "").text(), "# TYPE broken_total counter\n");
    assert_eq!(get(&server, "").status(), 200);
    assert_eq!(source.0.load(Ordering::Relaxed), 2);
}

#[test]
fn stopping_does_not_wait_for_a_source_that_hangs() {
    let source = Arc::new(Gate::closed());
    let server = serve(source.clone(), Options::new());
    let mut waiting = connect(server.local_addrs()[0]);
    waiting.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    while source.asked() == 0 {
        thread::yield_now();
    }
    let start = Instant::now();
    server.stop();
    assert!(start.elapsed() < UNAFFECTED);
    source.let_through();
}

#[test]
fn viw_01_the_view_has_a_door_of_its_own() {
    let registry = Registry::new();
    registry.counter("hits").single().unwrap().add(3);
    let sizes = registry.histogram("size").unit("bytes").buckets([10.0, 20.0]).single().unwrap();
    sizes.observe(15.0);
    let server = start(&registry);
    let all = ask(&server, "GET", "/stats", "");
    assert_eq!((all.status(), all.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    assert!(all.text().ends_with("\n2 statistics displayed\n"), "{}", all.text());
    let one = ask(&server, "GET", "/stats?pattern=%5Esi.e%7Cnothing+", "");
    assert_eq!(one.text(), format!("{:<50} 15 B/event [avg]\n1 statistics displayed\n", "size_bytes"));
    assert!(ask(&server, "GET", "/stats?pattern=hits&form=details", "").text().contains(", 3 [now]"));
    assert!(
        ask(&server, "GET", "/stats?form=histogram&pattern=size", "").text().contains("--------████████--------|- 1\n")
    );
    assert!(
        ask(&server, "GET", "/stats?form=cfgraph&pattern=size", "").text().contains("--------████████████████|- 1\n")
    );
    for (query, culprit) in
        [("pattern=%5B", "\"[\" is malformed at byte 0"), ("form=pie", "\"pie\""), ("patern=x", "\"patern\"")]
    {
        let refused = ask(&server, "GET", &format!("/stats?{query}"), "");
        assert_eq!(refused.status(), 400);
        assert!(refused.text().contains(culprit), "{}", refused.text());
    }
    let zipped = ask(&server, "GET", "/stats?pattern=size", "Accept-Encoding: gzip\r\n");
    assert_eq!(unzip(&zipped), one.text());
    assert_eq!(ask(&server, "HEAD", "/stats", "").body.len(), 0);
    assert_eq!(ask(&server, "POST", "/stats", "").status(), 405);
}

#[test]
fn viw_12_the_door_of_a_disabled_source_says_so() {
    let server = serve(Arc::new(Gate { enabled: false, ..Gate::open() }), Options::new());
    let view = ask(&server, "GET", "/stats", "");
    assert_eq!(view.status(), 200);
    assert!(view.text().starts_with("Statistics are disabled."));
}

#[test]
fn htp_02_paths_can_be_moved() {
    let paths = Settings::new().with("openmetrics", "/x/y").with("stats", "/z");
    let options = Options::from_settings(&Settings::new().with("http_paths", paths)).unwrap();
    let server = serve(Arc::new(Gate::open()), options);
    for (path, status) in [("/x/y", 200), ("/x/y?z", 200), ("/z", 200), ("/metrics", 404), ("/stats", 404), ("/x", 404)]
    {
        assert_eq!(ask(&server, "GET", path, "").status(), status, "{path}");
    }
}

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

#[test]
fn stopping_ends_idle_connections_and_frees_the_address() {
    let registry = Registry::new();
    let server = start(&registry);
    let address = server.local_addrs()[0];
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
    let mut stream = connect(server.local_addrs()[0]);
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
