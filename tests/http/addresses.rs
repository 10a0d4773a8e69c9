//! Where a server listens, at which paths it answers, and how it ends.

use std::{
    error::Error,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Instant,
};

use manometer::{
    Manager, Registry,
    http::{Options, ServeError, Server},
    model::{ConfigError, Settings},
};

use crate::{Gate, Response, UNAFFECTED, ask, big_registry, connect, get, serve, server, start};

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
fn htp_01_a_manager_knows_the_keys_of_the_door() {
    let settings =
        Settings::new().with("statistics", "internal").with("http_ports", [0]).with("openmetrics_token", "x");
    Manager::new(&settings).unwrap();
    let error = Manager::new(&settings.with("http_port", 0)).unwrap_err();
    assert!(matches!(&error, ConfigError::UnknownKey { nearest: Some("http_ports"), .. }), "{error}");
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
