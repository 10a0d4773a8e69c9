//! Which form a client gets: format, compression, and the headers that tell.

use manometer::{RegistryOptions, model::Dialect};

use crate::{BIG_ROWS, Response, ask, big_registry, get, server, start, unzip};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROTOBUF: &str = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

#[test]
fn htp_07_s_15_negotiation() {
    let server = server();
    let text = [
        // What clients send: curl, a browser, Prometheus before 2.5, one with OpenMetrics switched off, and other agents.
        "*/*",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
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
        // Prometheus 2.5x, 2.3x to 2.4x, and 3.x but for its schemes.
        "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
         text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
         text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text;version=1.0.0;q=0.5,\
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
fn htp_07_itr_11_protobuf_for_who_names_it_in_full() {
    let server = server();
    let cases = [
        // Prometheus 1.x, 2.4x and 3.x with native histograms.
        (
            PROTOBUF,
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
        ),
        (
            PROTOBUF,
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,\
             application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        ),
        (
            PROTOBUF,
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
             application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,*/*;q=0.1",
        ),
        // Case, quotes and spaces are nothing; of equals it is the first.
        (
            PROTOBUF,
            "Application/Vnd.Google.Protobuf ; Encoding = delimited ; PROTO = \"io.prometheus.client.MetricFamily\", */*",
        ),
        // Liked less, banned, or not said in full.
        (
            OPEN_METRICS,
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.4,\
             application/openmetrics-text;q=0.5",
        ),
        (
            TEXT,
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.4,\
             text/plain;q=0.5",
        ),
        (TEXT, "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0"),
        (TEXT, "application/vnd.google.protobuf"),
        (TEXT, "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily"),
        (TEXT, "application/vnd.google.protobuf;encoding=delimited"),
        (TEXT, "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text"),
        (TEXT, "application/vnd.google.protobuf;proto=io.prometheus.client.Metric;encoding=delimited"),
        (TEXT, "application/protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"),
    ];
    for (expected, accept) in cases {
        let response = get(&server, &format!("Accept: {accept}\r\n"));
        assert_eq!((response.status(), response.header("content-type")), (200, Some(expected)), "{accept:?}");
        assert_eq!(response.body.starts_with(b"# "), expected != PROTOBUF, "{accept:?}");
    }
}

#[test]
fn htp_07_itr_12_open_metrics_2_is_for_who_asks_for_it_by_version() {
    const OPEN_METRICS_2: &str = "application/openmetrics-text; version=2.0.0; charset=utf-8";
    const WITH_UTF8: &str = "application/openmetrics-text; version=2.0.0; charset=utf-8; escaping=allow-utf-8";
    let with_utf8_or_text = if cfg!(feature = "openmetrics2") { WITH_UTF8 } else { TEXT };
    let named = if cfg!(feature = "openmetrics2") { OPEN_METRICS_2 } else { OPEN_METRICS };
    let otherwise_text = if cfg!(feature = "openmetrics2") { OPEN_METRICS_2 } else { TEXT };
    let server = server();
    let cases = [
        ("application/openmetrics-text;version=2.0.0", otherwise_text),
        ("application/openmetrics-text;version=2.0.0;escaping=allow-utf-8;q=0.6,text/plain;q=0.6", with_utf8_or_text),
        ("application/openmetrics-text; version=\"2.0.0\"; escaping=any, */*;q=0.1", otherwise_text),
        ("application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=2.0.0;q=0.6", named),
        ("application/openmetrics-text;version=2.0.0;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5", named),
        // Not the best, not wanted, or not asked for.
        ("application/openmetrics-text;version=2.0.0;q=0.5,application/openmetrics-text;version=1.0.0", OPEN_METRICS),
        ("application/openmetrics-text;version=2.0.0;q=0.5,text/plain", TEXT),
        ("application/openmetrics-text;version=2.0.0;q=0", TEXT),
        ("application/openmetrics-text", OPEN_METRICS),
        ("application/*", OPEN_METRICS),
        ("application/openmetrics-text;version=2.0.1", TEXT),
        ("*/*", TEXT),
    ];
    for (accept, expected) in cases {
        let response = get(&server, &format!("Accept: {accept}\r\n"));
        assert_eq!((response.status(), response.header("content-type")), (200, Some(expected)), "{accept:?}");
    }
}

#[test]
fn htp_21_the_escaping_scheme_is_what_the_range_says_that_wins() {
    let registry = RegistryOptions::new().dialect(Dialect::Utf8).build();
    registry.counter("http.hits").labels(["http.method"]).declare().unwrap().inc(("GET",)).unwrap();
    let server = start(&registry);
    let quoted = "{\"http.hits_total\",\"http.method\"=\"GET\"} 1\n";
    let underscores = "http_hits_total{http_method=\"GET\"} 1\n";
    let dots = "http_dot_hits__total{http_dot_method=\"GET\"} 1\n";
    let values = "U__http_2e_hits__total{U__http_2e_method=\"GET\"} 1\n";
    let cases = [
        // Prometheus 3, as it comes, with OpenMetrics switched off, and told to escape.
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            OPEN_METRICS,
            "; escaping=allow-utf-8",
            quoted,
        ),
        ("text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4", TEXT, "", underscores),
        (
            "application/openmetrics-text;version=1.0.0;escaping=values;q=0.6,*/*;q=0.2",
            OPEN_METRICS,
            "; escaping=values",
            values,
        ),
        // Nobody asks, or for what nobody knows.
        ("", TEXT, "", underscores),
        ("*/*", TEXT, "", underscores),
        ("text/plain;escaping=", TEXT, "", underscores),
        ("text/plain;escaping=utf-8", TEXT, "", underscores),
        ("text/plain;escaping=ALLOW-UTF-8", TEXT, "", underscores),
        ("text/plain;escaping=\"dots\"x", TEXT, "", underscores),
        // As text, in quotes, by any name of the format.
        ("text/plain;version=0.0.4;escaping=allow-utf-8", TEXT, "; escaping=allow-utf-8", quoted),
        ("text/plain; Escaping = \"dots\"", TEXT, "; escaping=dots", dots),
        ("text/*;escaping=underscores", TEXT, "; escaping=underscores", underscores),
        ("*/*;escaping=dots", TEXT, "; escaping=dots", dots),
        // Another range wins, or the closest one says nothing; of two alike, the better one, and the first.
        ("application/openmetrics-text;escaping=allow-utf-8;q=0.4,text/plain;q=0.5", TEXT, "", underscores),
        ("text/plain;version=0.0.4,text/plain;escaping=allow-utf-8,*/*;escaping=dots", TEXT, "", underscores),
        ("text/plain;q=0.4;escaping=dots,text/plain;q=0.5;escaping=values", TEXT, "; escaping=values", values),
        ("text/plain;escaping=dots,text/plain;escaping=values", TEXT, "; escaping=dots", dots),
        // Text that is banned and given all the same, since there is nothing else.
        ("text/plain;q=0;escaping=allow-utf-8", TEXT, "", underscores),
    ];
    for (accept, format, scheme, line) in cases {
        let response = get(&server, &format!("Accept: {accept}\r\n"));
        assert_eq!(response.header("content-type"), Some(&*format!("{format}{scheme}")), "{accept:?}");
        assert!(response.text().contains(line), "{accept:?}: {}", response.text());
    }
    let accept = format!("Accept: {PROTOBUF};escaping=allow-utf-8\r\n");
    let messages = get(&server, &accept);
    assert_eq!(messages.header("content-type"), Some(&*format!("{PROTOBUF}; escaping=allow-utf-8")));
    assert!(messages.body.windows(15).any(|bytes| bytes == b"http.hits_total"));
    // Classic names are the same, and the answer tells what was asked for.
    let classic = self::server();
    for scheme in ["allow-utf-8", "underscores", "values"] {
        let response = get(&classic, &format!("Accept: text/plain;escaping={scheme}\r\n"));
        assert_eq!(response.header("content-type"), Some(&*format!("{TEXT}; escaping={scheme}")));
        assert_eq!(response.text(), get(&classic, "").text());
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
