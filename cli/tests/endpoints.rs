//! The commands against endpoints: the library's own server, and servers that do one thing wrong.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::{fs, thread};

use common::{code, manometer, run, run_with, stderr, stdout};
use manometer::http::{Options, Server};
use manometer::model::Dialect;
use manometer::{Registry, RegistryOptions};
use serde_json::Value;

/// A registry with every type that the library has, and text that wants escapes.
fn registry() -> Registry {
    let registry = Registry::new();
    let requests = registry.counter("requests").help("Requests \"answered\" \\o/").labels(["method", "path"]);
    let requests = requests.declare().expect("declared");
    requests.inc(("GET", "/")).expect("two labels");
    requests.inc(("PUT", "say \"hi\"\n\\")).expect("two labels");
    let latency = registry.histogram("latency").unit("seconds").buckets([0.001, 0.1, 1.0]).help("Latency").single();
    let latency = latency.expect("declared");
    latency.observe(0.05);
    latency.observe_with_exemplar(7.0, [("trace_id", "4bf92f35")]);
    registry.gauge("cache").unit("bytes").help("Cache").single().expect("declared").set(12_345.0);
    registry.float_counter("cpu").unit("seconds").help("Processor time").single().expect("declared").add(1.5);
    registry.summary("size").unit("bytes").help("Sizes").single().expect("declared").observe(100.0);
    registry
}

fn serve(registry: &Registry, options: Options) -> (Server, String) {
    let server = Server::builder(registry).options(options).address(([127, 0, 0, 1], 0)).start().expect("a free port");
    let url = format!("http://{}", server.local_addrs()[0]);
    (server, url)
}

/// A server that gives each of its clients this answer, head and body.
fn answering(answer: impl Into<Vec<u8>>) -> String {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/metrics", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(&client).lines().map_while(Result::ok);
            while lines.next().is_some_and(|line| !line.is_empty()) {}
            drop((&client).write_all(&answer)); // a client may leave early
        }
    });
    url
}

fn page(content_type: &str, body: &str) -> String {
    answering(format!("HTTP/1.1 200 OK\r\n{content_type}content-length: {}\r\n\r\n{body}", body.len()))
}

#[test]
fn our_own_pages_have_no_defect_in_either_format() {
    let (_server, url) = serve(&registry(), Options::new());
    for format in ["openmetrics", "text"] {
        let output = run(&["check", "--strict", "--as", format, &url]);
        assert_eq!(code(&output), 0, "{}", stdout(&output));
        assert!(stdout(&output).contains("valid"), "{}", stdout(&output));
    }
}

#[test]
fn names_in_quotes_are_asked_for_and_read() {
    let registry = RegistryOptions::new().dialect(Dialect::Utf8).build();
    let family = registry.counter("http.hits").help("Hits").labels(["http.method"]).declare().expect("declared");
    family.inc(("GET",)).expect("one label");
    registry.gauge("größe \"x\"").unit("bytes").help("Size").single().expect("declared").set(1.0);
    registry.state_set("power.phase").states(["on", "off"]).help("Phase").single().expect("declared").enter("on");
    let (_server, url) = serve(&registry, Options::new());
    for format in ["openmetrics", "text"] {
        let output = run(&["check", "--strict", "--as", format, &url]);
        assert_eq!(code(&output), 0, "{}", stdout(&output));
    }
    let shown = stdout(&run(&["show", &url]));
    assert!(shown.contains("http.hits") && shown.contains("  http.method=GET"), "{shown}");
    let snapshot: Value = serde_json::from_slice(&run(&["snapshot", &url]).stdout).expect("JSON");
    let names: Vec<_> = snapshot["families"].as_array().expect("a list").iter().map(|family| &family["name"]).collect();
    assert_eq!(names, ["größe \"x\"_bytes", "http.hits", "power.phase"]);
    let no_change = run(&["diff", &url, &url]);
    assert_eq!((code(&no_change), stdout(&no_change).contains("http")), (0, false));
}

#[test]
fn the_view_of_an_endpoint_is_that_of_its_server() {
    let (_server, url) = serve(&registry(), Options::new());
    let output = run(&["show", &url, "cache|latency"]);
    let expected = "cache_bytes                                        12.1 KiB\n\
                    latency_seconds                                    3.52 s/event [avg]\n2 statistics displayed\n";
    assert_eq!((stdout(&output).as_str(), stderr(&output).as_str(), code(&output)), (expected, "", 0));
    let text = run(&["show", &url, "latency", "--histogram"]);
    assert!(stdout(&text).contains("#latency_seconds\n\n\nlatency_seconds\n"), "{}", stdout(&text));
}

#[test]
fn rates_are_those_of_the_interval() {
    let registry = registry();
    let (_server, url) = serve(&registry, Options::new());
    let load = registry.counter("load").single().expect("declared");
    thread::scope(|scope| {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        scope.spawn(move || {
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                load.inc()
            }
        });
        let output = run(&["show", &url, "^load$", "--interval", "200ms"]);
        drop(stop);
        let text = stdout(&output);
        assert!(text.contains("[now]") && text.contains("events/s [last "), "{text}");
        assert!(!text.contains(", 0 events/s [last"), "{text}");
    });
}

#[test]
fn a_token_opens_and_its_absence_is_told() {
    let (_server, url) = serve(&registry(), Options::new().token("s3cret").expect("a token"));
    let refused = run(&["show", &url]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("401 Unauthorized: it wants to know who asks"), "{}", stderr(&refused));
    assert_eq!(code(&run(&["show", "--token", "s3cret", &url])), 0);
    assert_eq!(code(&manometer(&["show", &url]).env("MANOMETER_TOKEN", "s3cret").output().expect("runs")), 0);
    assert_eq!(code(&run(&["show", "--header", "Authorization: Bearer s3cret", &url])), 0);
    let help = stdout(&manometer(&["show", "--help"]).env("MANOMETER_TOKEN", "s3cret").output().expect("runs"));
    assert!(!help.contains("s3cret"), "a token is not shown");
}

#[test]
fn who_may_not_see_the_page_is_told_so() {
    let (_server, url) = serve(&registry(), Options::new().allow_ips([]));
    let output = run(&["check", &url]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("403 Forbidden"), "{}", stderr(&output));
}

#[test]
fn a_unix_socket_is_an_endpoint() {
    let folder = std::env::temp_dir().join(format!("manometer-cli-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let socket = folder.join("metrics.sock");
    let listener = UnixListener::bind(&socket).expect("bound");
    let server = Server::builder(&registry()).unix_listener(listener).start().expect("started");
    let output = run(&["snapshot", &format!("unix:{}", socket.display())]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(code(&run(&["check", &format!("unix:{}:/nothing", socket.display())])), 2);
    server.stop();
    fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn a_snapshot_has_what_the_page_has() {
    let (_server, url) = serve(&registry(), Options::new());
    let snapshot: Value = serde_json::from_slice(&run(&["snapshot", &url]).stdout).expect("JSON");
    let family = |name: &str| {
        let families = snapshot["families"].as_array().expect("a list");
        families.iter().find(|family| family["name"] == name).unwrap_or_else(|| panic!("{name}")).clone()
    };
    let latency = family("latency_seconds");
    assert_eq!((&latency["type"], &latency["unit"]), (&Value::from("histogram"), &Value::from("seconds")));
    let metric = &latency["metrics"][0];
    assert_eq!((&metric["count"], &metric["sum"]), (&Value::from(2), &Value::from(7.05)));
    assert_eq!(metric["buckets"][3], serde_json::json!({ "le": "+Inf", "count": 2 }));
    assert_eq!(family("requests")["metrics"][1]["labels"]["path"], "say \"hi\"\n\\");
    assert_eq!(family("requests")["help"], "Requests \"answered\" \\o/");
    assert!(family("requests")["metrics"][0]["created"].is_number());
}

#[test]
fn numbers_keep_their_digits_and_json_lacks_none() {
    let page = "# TYPE a counter\na_total 18446744073709551615\n# TYPE b gauge\nb{x=\"1\"} NaN\nb{x=\"2\"} -Inf\nb{x=\"3\"} 0.1\n\
                # TYPE c stateset\nc{c=\"on\"} 1\nc{c=\"off\"} 0\n# EOF\n";
    let output = run_with(&["snapshot", "-"], page.as_bytes());
    assert!(stdout(&output).contains("\"total\": 18446744073709551615"), "{}", stdout(&output));
    let snapshot: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let values: Vec<&Value> =
        snapshot["families"][1]["metrics"].as_array().expect("metrics").iter().map(|metric| &metric["value"]).collect();
    assert_eq!(values, [&Value::from("NaN"), &Value::from("-Inf"), &Value::from(0.1)]);
    assert_eq!(snapshot["families"][2]["metrics"][1], serde_json::json!({ "labels": { "c": "off" }, "value": 0 }));
}

#[test]
fn both_formats_of_one_server_are_no_difference() {
    let (_server, url) = serve(&registry(), Options::new());
    let text = std::env::temp_dir().join(format!("manometer-diff-{}.txt", std::process::id()));
    let mut page = Vec::new();
    manometer::encode::encode(&manometer::collect(&registry()), manometer::encode::Format::Text, &mut page);
    fs::write(&text, page).expect("written");
    let output = run(&["diff", "--help-texts", text.to_str().expect("UTF-8"), &url]);
    assert_eq!((code(&output), stdout(&output).as_str()), (0, "0 differences\n"));
    fs::remove_file(text).expect("removed");
}

#[test]
fn a_migration_is_told_family_by_family() {
    let old = "# TYPE a counter\n# HELP a A\na_total{x=\"1\"} 1\n# TYPE gone gauge\ngone 1\n# TYPE t_seconds histogram\n# UNIT t_seconds seconds\n\
               t_seconds_bucket{le=\"1.0\"} 1\nt_seconds_bucket{le=\"+Inf\"} 1\nt_seconds_sum 1\nt_seconds_count 1\n# TYPE k gauge\nk 1\n# EOF\n";
    let new = "# TYPE a counter\n# HELP a Another\na_total{x=\"1\",y=\"2\"} 1\n# TYPE come gauge\ncome 1\n# TYPE t_seconds histogram\n\
               t_seconds_bucket{le=\"10.0\"} 1\nt_seconds_bucket{le=\"+Inf\"} 1\nt_seconds_sum 1\nt_seconds_count 1\n# TYPE k counter\nk_total 1\n# EOF\n";
    let file = std::env::temp_dir().join(format!("manometer-old-{}.txt", std::process::id()));
    fs::write(&file, old).expect("written");
    let path = file.to_str().expect("UTF-8");
    let output = run_with(&["diff", path, "-"], new.as_bytes());
    let expected = "~ a labels: x -> x, y\n+ come (gauge)\n- gone (gauge)\n~ k type: gauge -> counter\n~ t_seconds unit: seconds -> none\n\
                    ~ t_seconds thresholds: 1.0, +Inf -> 10.0, +Inf\n6 differences\n";
    assert_eq!((code(&output), stdout(&output).as_str()), (1, expected));
    let json: Value = serde_json::from_slice(
        &run_with(&["diff", "--format", "json", "--help-texts", path, "-"], new.as_bytes()).stdout,
    )
    .expect("JSON");
    let differences = json["differences"].as_array().expect("a list");
    assert_eq!(differences.len(), 7);
    assert_eq!(
        differences[1],
        serde_json::json!({ "change": "changed", "family": "a", "part": "help", "old": "A", "new": "Another" })
    );
    assert_eq!(code(&run_with(&["diff", path, "-"], old.as_bytes())), 0);
    fs::remove_file(file).expect("removed");
}

#[test]
fn nobody_there_is_told_plainly() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    let cases = [
        (format!("http://{closed}"), "connection refused: nobody listens there"),
        ("unix:/nowhere/at.sock".to_owned(), "cannot be reached"),
        ("/nowhere/at.txt".to_owned(), "cannot be read"),
        ("localhost:9090".to_owned(), "an endpoint is given as http://localhost:9090"),
    ];
    for (target, expected) in cases {
        for command in ["show", "check", "snapshot"] {
            let output = run(&[command, &target]);
            assert_eq!((code(&output), stdout(&output).as_str()), (2, ""), "{command} {target}");
            assert!(stderr(&output).contains(expected), "{command} {target}: {}", stderr(&output));
        }
    }
    let usage = run(&["check", "https://localhost/metrics"]);
    assert_eq!(code(&usage), 2);
    assert!(stderr(&usage).contains("https is not spoken here"), "{}", stderr(&usage));
}

#[test]
fn strange_answers_are_told_for_what_they_are() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let silent_url = format!("http://{}", silent.local_addr().expect("bound"));
    let html = page("content-type: text/html\r\n", "<html></html>");
    let cases = [
        (silent_url, "no whole answer within 200ms"),
        (answering("SSH-2.0-OpenSSH_9.2\r\n"), "does not speak HTTP"),
        (answering("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\na 1\n"), "does not speak HTTP to the end"),
        (answering("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"), "500 Internal Server Error"),
        (answering("HTTP/1.1 302 Found\r\nlocation: /m\r\ncontent-length: 0\r\n\r\n"), "ask /m instead"),
        (html, "no metrics page: its content type is \"text/html\""),
        (page("content-type: text/plain\r\n", "Hello, world!\n"), "no sample can be read; line 1"),
        (page("content-encoding: br\r\n", "a 1\n"), "Content-Encoding \"br\""),
        (page("content-encoding: gzip\r\n", "a 1\n"), "says its answer is gzip"),
    ];
    for (url, expected) in cases {
        let output = run(&["show", "--timeout", "200ms", &url]);
        assert_eq!(code(&output), 2, "{expected}");
        assert!(stderr(&output).contains(expected), "{expected}: {}", stderr(&output));
    }
}

#[test]
fn headers_are_judged_with_the_page() {
    let cases = [
        ("", "content-type-missing", 1),
        ("content-type: application/octet-stream\r\n", "content-type-unknown", 1),
        ("content-type: application/openmetrics-text; version=99.0.0; charset=utf-8\r\n", "content-type-version", 1),
        ("content-type: application/openmetrics-text; charset=utf-8\r\n", "content-type-version", 1),
        ("content-type: application/openmetrics-text; version=1.0.0\r\n", "content-type-charset", 0),
        ("Content-Type: Application/OpenMetrics-Text ; version=\"1.0.0\"; charset=UTF-8\r\n", "", 0),
    ];
    let quoted = "# TYPE \"a.b\" gauge\n# HELP \"a.b\" Help\n{\"a.b\"} 1\n# EOF\n";
    let open_metrics = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    let cases = cases.map(|(header, rule, expected)| (header.to_owned(), "# EOF\n", rule, expected));
    let schemes = [
        ("", quoted, "content-type-escaping", 1),
        ("; escaping=dots", quoted, "content-type-escaping", 1),
        ("; escaping=allow-utf-8", quoted, "", 0),
        ("; escaping=dots", "# EOF\n", "", 0),
        ("; escaping=none", "# EOF\n", "content-type-escaping", 1),
    ];
    let schemes = schemes.map(|(scheme, body, rule, code)| (format!("{open_metrics}{scheme}\r\n"), body, rule, code));
    for (header, body, rule, expected) in cases.into_iter().chain(schemes) {
        let output = run(&["check", "--format", "json", &page(&header, body)]);
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let defects = report["defects"].as_array().expect("a list");
        let found: Vec<&str> = defects.iter().filter_map(|defect| defect["rule"].as_str()).collect();
        assert_eq!((found.join(" ").as_str(), code(&output)), (rule, expected), "{header}");
    }
}

#[test]
fn a_page_with_some_bad_lines_is_shown_with_a_warning() {
    let output = run_with(&["show", "-"], b"# TYPE a gauge\na 1\nb{x=\"1} 2\n");
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).starts_with("a  "), "{}", stdout(&output));
    assert!(stderr(&output).contains("1 lines could not be read, the first is line 3"), "{}", stderr(&output));
}

#[test]
fn what_is_wrong_on_the_command_line_is_trouble() {
    for arguments in [
        &["show", "-", "["][..],
        &["show", "-", "--interval", "1s"],
        &["top", "-"],
        &["check", "-", "--as", "xml"],
        &[],
    ] {
        let output = run(arguments);
        assert_eq!((code(&output), stdout(&output).as_str()), (2, ""), "{arguments:?}");
        assert!(!stderr(&output).is_empty());
    }
    let (_server, url) = serve(&registry(), Options::new());
    let output = run(&["top", &url]);
    assert!(stderr(&output).contains("top wants a terminal"), "{}", stderr(&output));
}

#[test]
fn there_is_no_colour_without_a_terminal() {
    let output = run_with(&["check", "-"], b"a 1");
    assert!(!stdout(&output).contains('\u{1b}'), "{}", stdout(&output));
    assert!(stdout(&output).starts_with("stdin:1: "), "{}", stdout(&output));
}

#[test]
fn a_reader_who_leaves_is_no_trouble() {
    let page: String = (0..20_000).map(|number| format!("a{number} 1\n")).collect();
    let mut child = manometer(&["show", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the binary was built");
    drop(child.stdout.take());
    child.stdin.take().expect("piped").write_all(page.as_bytes()).expect("it reads to the end");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
