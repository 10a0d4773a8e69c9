//! A manager behind its own doors: collected for each page in manual mode, counting whom it turns away, absent when disabled.
#![cfg(feature = "http")]

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use manometer::{Manager, http::Server, model::Settings};

fn settings(mode: &str) -> Settings {
    Settings::new().with("statistics_interval", mode).with("http_ports", [0]).with("http_interfaces", "127.0.0.1")
}

/// The status line and the text that a request gets.
fn get(server: &Server, target: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.local_addrs()[0]).expect("a server");
    write!(stream, "GET {target} HTTP/1.1\r\nHost: any\r\nConnection: close\r\n{headers}\r\n")
        .expect("a server that reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("text");
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, text)
}

#[test]
fn mgr_02_htp_03_a_page_of_a_manual_manager_is_collected_first() {
    let manager = Manager::new(&settings("manual").with("statistics", "internal")).unwrap();
    let (runs, depth) = (Arc::new(AtomicU64::new(0)), manager.gauge("depth").single().unwrap());
    let counted = runs.clone();
    manager.on_update("depth", 0, move |_| depth.set((counted.fetch_add(1, Ordering::Relaxed) + 1) as f64));
    let server = manager.serve().unwrap();
    let (status, page) = get(&server, "/metrics", "");
    assert_eq!(status, 200);
    assert!(page.contains("\ndepth 1\n"), "{page}");
    let (status, view) = get(&server, "/stats?pattern=^depth$", "");
    assert_eq!((status, view.contains("1 statistics displayed")), (200, true), "{view}");
    assert_eq!(runs.load(Ordering::Relaxed), 2);
    assert_eq!(get(&server, "/metrics", "X-Forwarded-For: 203.0.113.9\r\n").0, 403);
    assert_eq!(runs.load(Ordering::Relaxed), 2, "a denied client causes no collection");
}

#[test]
fn htp_10_mgr_14_whom_the_door_turns_away_is_counted_by_reason() {
    let manager = Manager::new(&settings("3600").with("openmetrics_token", "secret")).unwrap();
    let server = manager.serve().unwrap();
    let bearer = "Authorization: Bearer secret\r\n";
    assert_eq!(get(&server, "/metrics", "").0, 401);
    assert_eq!(get(&server, "/metrics", "X-Forwarded-For: 203.0.113.9\r\n").0, 403);
    assert_eq!(get(&server, "/metrics", "X-Forwarded-For: garbage\r\n").0, 403);
    let (status, page) = get(&server, "/metrics", bearer);
    assert_eq!(status, 200);
    for reason in ["token", "not_allowed", "malformed"] {
        let line = format!("prosody_stats_http_denied_total{{reason=\"{reason}\"}} 1\n");
        assert!(page.contains(&line), "{line} is not in {page}");
    }
}

#[test]
fn htp_09_a_disabled_manager_is_a_404_that_says_so() {
    let manager = Manager::new(&settings("manual")).unwrap();
    let server = manager.serve().unwrap();
    let (status, text) = get(&server, "/metrics", "");
    assert_eq!(status, 404);
    assert!(text.contains("no statistics provider is configured"), "{text}");
}

#[test]
fn cfg_01_a_key_of_the_door_is_checked_with_all_others() {
    let refused = Manager::new(&settings("60").with("openmetrics_allow_cidr", "10.0.0.0/33")).unwrap_err().to_string();
    assert!(refused.starts_with("openmetrics_allow_cidr is"), "{refused}");
    let unknown = Manager::new(&settings("60").with("http_port", 5280)).unwrap_err().to_string();
    assert_eq!(unknown, "key \"http_port\" is not known; the nearest one is \"http_ports\"");
}

#[test]
fn viw_12_an_operator_looks_at_a_manager() {
    let manager = Manager::builder().manual().provider("internal").build().unwrap();
    manager.counter("hits").single().unwrap().inc();
    let shown = manager.viewer().show("hits").unwrap();
    assert!(shown.starts_with("hits") && shown.ends_with("1 statistics displayed\n"), "{shown}");
    let disabled = Manager::new_disabled().viewer().show("").unwrap();
    assert!(disabled.starts_with("Statistics are disabled."), "{disabled}");
}
