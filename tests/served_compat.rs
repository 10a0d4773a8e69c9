//! A manager that a file describes, with `compat = "prosody"`, behind its own door: what a scraper and an operator get.
#![cfg(all(feature = "http", feature = "config"))]

#[path = "common/prosody.rs"]
mod prosody;

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use manometer::{Manager, http::Server, model::Settings};

/// As a file would have it, on a free port. The schedule is never started, so that the values are those recorded here.
const FILE: &str = r#"
statistics = "internal"
statistics_interval = 5
compat = "prosody"
http_ports = [0]
http_interfaces = "127.0.0.1"
"#;

fn serve(manager: &Manager) -> Server {
    manager.serve().expect("a free port")
}

/// The head and the body of the answer to a request.
fn get(server: &Server, target: &str, accept: &str) -> (String, String) {
    let mut stream = TcpStream::connect(server.local_addrs()[0]).expect("a server");
    write!(stream, "GET {target} HTTP/1.0\r\nHost: any\r\nAccept: {accept}\r\n\r\n").expect("a server that reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
    assert!(head.starts_with("HTTP/1.0 200 ") || head.starts_with("HTTP/1.1 200 "), "{head}");
    (head.to_ascii_lowercase(), body.to_owned())
}

#[test]
fn cmp_06_cmp_08_htp_07_a_scraper_gets_the_page_of_a_server() {
    let manager = Manager::new(&Settings::from_toml(FILE).unwrap()).unwrap();
    prosody::declare_all(&manager);
    let server = serve(&manager);
    for accept in ["*/*", "text/plain", "application/openmetrics-text;version=1.0.0", "image/png"] {
        let (head, body) = get(&server, "/metrics", accept);
        assert!(head.contains("\r\ncontent-type: application/openmetrics-text; version=0.0.4\r\n"), "{head}");
        assert_eq!(prosody::without_times(&body), prosody::without_times(&prosody::expected_page()));
    }
    server.stop();
}

#[test]
fn cmp_03_cfg_07_creation_times_can_be_left_out() {
    let file = format!("{FILE}created_samples = false\n");
    let manager = Manager::new(&Settings::from_toml(&file).unwrap()).unwrap();
    prosody::declare_all(&manager);
    let server = serve(&manager);
    let (_, body) = get(&server, "/metrics", "*/*");
    let expected = prosody::expected_page();
    let expected: String = expected.split_inclusive('\n').filter(|line| !line.contains("_created")).collect();
    assert_eq!(body, expected);
}

#[test]
fn cmp_07_an_operator_gets_the_view_with_decimal_prefixes() {
    let manager = Manager::new(&Settings::from_toml(FILE).unwrap()).unwrap();
    manager.gauge("size").unit("bytes").single().unwrap().set(12_345.0);
    let server = serve(&manager);
    let (_, view) = get(&server, "/stats?pattern=size", "*/*");
    assert_eq!(view, format!("{:<50} 12.3 kB\n1 statistics displayed\n", "size_bytes"));
}
