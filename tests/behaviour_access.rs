//! Section 17 of docs/behaviour.md: who may see the metrics.

#![cfg(feature = "http")]

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use hyper::{
    Request, Response,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use manometer::{
    MetricSet, Registry, Source,
    http::{Denial, Door, ForwardedHeader, Network, Options, ParseNetworkError, Peer},
    model::{ConfigError, Setting, Settings},
};
use proptest::prelude::*;

/// Prosody's defaults.
fn lists_a() -> Options {
    Options::new()
}

/// Without the IPv4 loopback, with a private range.
fn lists_b() -> Options {
    from(Settings::new().with("openmetrics_allow_ips", ["::1"]).with("openmetrics_allow_cidr", "10.0.0.0/8"))
}

/// With anybody.
fn everybody() -> Options {
    from(Settings::new().with("openmetrics_allow_cidr", ["0.0.0.0/0", "::/0"]))
}

fn from(settings: Settings) -> Options {
    Options::from_settings(&settings).unwrap_or_else(|error| panic!("{error}"))
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// The response to a client at `peer`.
fn ask(options: &Options, peer: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
    let mut request = Request::get("/metrics");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).expect("a request").into_parts();
    Door::new(&Registry::new(), options.clone()).respond(&parts, Some(Peer::Address(address(peer))))
}

fn status(options: &Options, peer: &str, headers: &[(&str, &str)]) -> u16 {
    ask(options, peer, headers).status().as_u16()
}

/// Behind a proxy at 127.0.0.1 that sends this `X-Forwarded-For`.
fn for_client(options: &Options, value: &str) -> u16 {
    status(options, "127.0.0.1", &[("X-Forwarded-For", value)])
}

fn vectors(values: &[&str], a: u16, b: u16) {
    for value in values {
        assert_eq!(for_client(&lists_a(), value), a, "lists A, {value:?}");
        assert_eq!(for_client(&lists_b(), value), b, "lists B, {value:?}");
    }
}

#[test]
fn htv_01_the_proxy_itself() {
    assert_eq!(status(&lists_a(), "127.0.0.1", &[]), 200);
    assert_eq!(status(&lists_b(), "127.0.0.1", &[]), 403);
    vectors(&["127.0.0.1"], 200, 403);
}

#[test]
fn htv_02_a_stranger() {
    vectors(&["203.0.113.9", "10.1.2.3, 203.0.113.9", "garbage, 203.0.113.9"], 403, 403);
}

#[test]
fn htv_03_a_client_of_the_range() {
    let values = ["10.1.2.3", "::ffff:10.1.2.3", "10.1.2.3, 127.0.0.1", "203.0.113.9, 10.1.2.3", "garbage, 10.1.2.3"];
    vectors(&values, 403, 200);
}

#[test]
fn htv_04_ports_are_dropped() {
    vectors(&["10.1.2.3:4711", "[::ffff:10.1.2.3]:443"], 403, 200);
}

#[test]
fn htv_05_s_17_what_cannot_be_read_denies_in_every_configuration() {
    let unreadable = ["", "garbage", "unknown", "127.0.0.1,garbage", "10.1.2.3, garbage", "fe80::1%eth0"];
    vectors(&unreadable, 403, 403);
    for value in unreadable {
        assert_eq!(for_client(&everybody(), value), 403, "{value:?}");
    }
}

#[test]
fn htp_10_the_reply_tells_nothing_about_the_lists() {
    let denied = ask(&lists_b(), "192.0.2.1", &[]);
    assert_eq!(denied.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(denied.body(), "forbidden\n");
    assert_eq!(ask(&lists_a(), "127.0.0.1", &[("X-Forwarded-For", "garbage")]).body(), denied.body());
}

#[test]
fn htp_11_addresses_in_any_spelling() {
    for peer in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"] {
        assert_eq!(status(&lists_a(), peer, &[]), 200, "{peer}");
    }
    for peer in ["127.0.0.2", "::2", "10.0.0.1", "::127.0.0.1"] {
        assert_eq!(status(&lists_a(), peer, &[]), 403, "{peer}");
    }
    let list = from(
        Settings::new().with("openmetrics_allow_ips", ["2001:0DB8:0:0::01", "::ffff:192.0.2.7", "198.51.100.0/24"]),
    );
    for peer in ["2001:db8::1", "192.0.2.7", "::ffff:192.0.2.7", "198.51.100.200"] {
        assert_eq!(status(&list, peer, &[]), 200, "{peer}");
    }
    for peer in ["127.0.0.1", "::1", "192.0.2.8", "198.51.101.0"] {
        assert_eq!(status(&list, peer, &[]), 403, "the list replaces the default: {peer}");
    }
    let nobody = from(Settings::new().with("openmetrics_allow_ips", Vec::<String>::new()));
    assert_eq!(status(&nobody, "127.0.0.1", &[]), 403);
}

#[test]
fn htp_12_s_19_ranges_mean_what_they_say() {
    let cases = [
        ("10.0.0.0/8", "10.255.255.255", true),
        ("10.0.0.0/8", "11.0.0.0", false),
        ("10.1.2.3/8", "10.9.9.9", true),
        ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false),
        ("192.0.2.0/31", "192.0.2.2", false),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "::ffff:203.0.113.9", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("::/0", "2001:db8::1", true),
        ("::/0", "203.0.113.9", false),
        ("::/0", "::ffff:203.0.113.9", false),
        ("2001:db8::/33", "2001:db8:7fff::1", true),
        ("2001:db8::/33", "2001:db8:8000::1", false),
        ("::ffff:10.0.0.0/104", "10.1.2.3", true),
        ("::ffff:10.0.0.0/104", "11.1.2.3", false),
        ("::1/128", "::1", true),
    ];
    for (range, peer, allowed) in cases {
        let options = from(
            Settings::new().with("openmetrics_allow_ips", Vec::<String>::new()).with("openmetrics_allow_cidr", range),
        );
        assert_eq!(status(&options, peer, &[]), if allowed { 200 } else { 403 }, "{peer} in {range}");
    }
    let either = from(Settings::new().with("openmetrics_allow_cidr", ["192.0.2.0/24", "198.51.100.0/24"]));
    for peer in ["127.0.0.1", "192.0.2.1", "198.51.100.1"] {
        assert_eq!(status(&either, peer, &[]), 200, "{peer}");
    }
}

#[test]
fn htp_11_htp_12_s_18_s_19_what_cannot_be_read_fails_at_start() {
    let bad = [
        "nonsense/8",
        "10.0.0.0/zzz",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/",
        "::/129",
        "/8",
        "",
        "1.2.3",
        "010.0.0.1",
        "localhost",
        "fe80::1%eth0",
        "10.0.0.0/8/8",
        "10.0.0.0/ 8",
        "1.2.3.4:80",
        "[::1]",
    ];
    for key in ["openmetrics_allow_ips", "openmetrics_allow_cidr", "trusted_proxies"] {
        for text in bad {
            let error = Options::from_settings(&Settings::new().with(key, ["10.0.0.0/8", text])).unwrap_err();
            let ConfigError::Invalid { key: named, given, .. } = &error else { panic!("{error}") };
            assert_eq!((named.as_str(), given.as_str()), (key, format!("{text:?}").as_str()));
            assert!(error.to_string().starts_with(&format!("{key} is {text:?}, which is not an address")), "{error}");
        }
        let error = Options::from_settings(&Settings::new().with(key, 10)).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{key} is 10, ")), "{error}");
    }
    let prefix = "10.0.0.0/33".parse::<Network>().unwrap_err();
    assert!(matches!(&prefix, ParseNetworkError::Prefix { given, most: 32 } if given == "33"), "{prefix}");
    assert_eq!(prefix.to_string(), "prefix length \"33\" is not a number from 0 to 32");
    let base = "x/8".parse::<Network>().unwrap_err();
    assert_eq!(base.to_string(), "\"x\" is not an IPv4 or IPv6 address");
}

#[test]
fn htp_12_a_network_prints_what_reads_back() {
    for (text, printed) in [
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::/0", "::/0"),
    ] {
        let network: Network = text.parse().unwrap();
        assert_eq!(network.to_string(), printed);
        assert_eq!(printed.parse(), Ok(network));
    }
}

#[test]
fn htp_13_headers_of_strangers_mean_nothing() {
    let forwarded = [("X-Forwarded-For", "127.0.0.1"), ("Forwarded", "for=127.0.0.1")];
    assert_eq!(status(&lists_a(), "203.0.113.9", &forwarded), 403);
    assert_eq!(status(&lists_b(), "10.1.2.3", &[("X-Forwarded-For", "garbage")]), 200);
    let proxies =
        from(Settings::new().with("trusted_proxies", ["192.0.2.0/24"]).with("openmetrics_allow_ips", ["10.1.2.3"]));
    assert_eq!(status(&proxies, "192.0.2.9", &[("X-Forwarded-For", "10.1.2.3")]), 200);
    assert_eq!(status(&proxies, "::ffff:192.0.2.9", &[("X-Forwarded-For", "10.1.2.3")]), 200);
    assert_eq!(status(&proxies, "127.0.0.1", &[("X-Forwarded-For", "10.1.2.3")]), 403, "the default is replaced");
}

#[test]
fn htp_14_the_walk_goes_from_the_right_over_all_lines() {
    let options = from(
        Settings::new()
            .with("trusted_proxies", ["127.0.0.1", "192.0.2.0/24"])
            .with("openmetrics_allow_ips", ["10.1.2.3", "127.0.0.1"]),
    );
    let cases: [(&[&str], u16); 10] = [
        (&["10.1.2.3"], 200),
        (&["10.1.2.3", "192.0.2.1"], 200),
        (&["203.0.113.9", "10.1.2.3, 192.0.2.1 192.0.2.2"], 200),
        (&["10.1.2.3", "203.0.113.9", "192.0.2.1"], 403),
        (&["192.0.2.1 127.0.0.1"], 200),
        (&["10.1.2.3 203.0.113.9"], 403),
        (&["10.1.2.3,,  ,\t192.0.2.1 ,"], 200),
        (&["garbage", "10.1.2.3"], 200),
        (&["10.1.2.3", "garbage", "192.0.2.1"], 403),
        (&["10.1.2.3", ", ,"], 200),
    ];
    for (lines, expected) in cases {
        let headers: Vec<_> = lines.iter().map(|line| ("X-Forwarded-For", *line)).collect();
        assert_eq!(status(&options, "127.0.0.1", &headers), expected, "{lines:?}");
    }
}

#[test]
fn htp_15_every_malformed_entry_denies() {
    for value in [
        "garbage",
        "unknown",
        "_x",
        "fe80::1%eth0",
        "",
        " ",
        ",",
        "1.2.3",
        "1.2.3.4.5",
        "0x7f.1",
        "::g",
        "[::1",
        "::1]",
        "\"10.1.2.3\"",
    ] {
        for options in [lists_a(), lists_b(), everybody()] {
            assert_eq!(for_client(&options, value), 403, "{value:?}");
        }
    }
    let unreadable = HeaderValue::from_bytes(b"10.1.2.3\xe9").unwrap();
    let (mut parts, ()) = Request::get("/metrics").body(()).unwrap().into_parts();
    parts.headers.insert("x-forwarded-for", unreadable);
    let door = Door::new(&Registry::new(), everybody());
    assert_eq!(door.respond(&parts, Some(Peer::Address(address("127.0.0.1")))).status(), 403);
    assert_eq!(door.denied().count(Denial::Malformed), 1);
}

#[test]
fn htp_16_ports() {
    // Trusted, port or not; so this is the peer.
    assert_eq!(for_client(&lists_a(), "[::1]:80"), 200);
    for value in ["10.1.2.3:0", "10.1.2.3:65535", "[::ffff:10.1.2.3]", "127.0.0.1:1, 10.1.2.3:2, 127.0.0.1:3"] {
        assert_eq!(for_client(&lists_b(), value), 200, "{value:?}");
    }
    for value in [
        "10.1.2.3:",
        "10.1.2.3:x",
        "10.1.2.3:65536",
        "10.1.2.3:-1",
        "10.1.2.3:+1",
        "10.1.2.3:1:2",
        "[::1]:",
        "[::1]80",
        "[10.1.2.3]:80",
        "[::1]x:80",
    ] {
        assert_eq!(for_client(&everybody(), value), 403, "{value:?}");
    }
}

#[test]
fn htp_17_rfc_7239() {
    let settings = |lists: Settings| from(lists.with("http_legacy_x_forwarded", false));
    let options = settings(Settings::new().with("openmetrics_allow_ips", ["10.1.2.3", "2001:db8::1"]));
    let ask = |lines: &[&str]| {
        let headers: Vec<_> = lines.iter().map(|line| ("Forwarded", *line)).collect();
        status(&options, "127.0.0.1", &headers)
    };
    let allowed: [&[&str]; 14] = [
        &["for=10.1.2.3"],
        &["For=\"10.1.2.3\""],
        &["FOR=\"10.1.2.3:4711\""],
        &["for=\"[2001:db8::1]\""],
        &["for=\"[2001:DB8:0::1]:443\";proto=https;by=203.0.113.43"],
        &["proto=https; for=10.1.2.3 ;host=\"a;b,c\""],
        &["for=203.0.113.9, for=10.1.2.3, for=127.0.0.1"],
        &["for=203.0.113.9", "for=10.1.2.3", "for=127.0.0.1"],
        &["garbage, for=10.1.2.3"],
        &["for=unknown, for=10.1.2.3"],
        &["for=10.1.2.3;"],
        &[", for=10.1.2.3, ,"],
        &["for=\"10.1\\.2.3\""],
        &["x=\"\\\"\", for=10.1.2.3"],
    ];
    for lines in allowed {
        assert_eq!(ask(lines), 200, "{lines:?}");
    }
    let denied: [&[&str]; 26] = [
        &["for=203.0.113.9"],
        &["for=10.1.2.3, for=203.0.113.9"],
        &["for=10.1.2.3", "for=203.0.113.9"],
        &[""],
        &[","],
        &["by=10.1.2.3"],
        &["for=unknown"],
        &["for=_hidden"],
        &["for=\"_hidden:80\""],
        &["for=10.1.2.3, for=_hidden"],
        &["for="],
        &["for"],
        &["10.1.2.3"],
        &["for=10.1.2.3:80"],
        &["for=[2001:db8::1]"],
        &["for=2001:db8::1"],
        &["for=\"2001:db8::1\""],
        &["for=\"10.1.2.3"],
        &["for=\"10.1.2.3\"x"],
        &["for=10.1.2.3\""],
        &["for = 10.1.2.3"],
        &["for=10.1.2.3;for=10.1.2.3"],
        &["for=10.1.2.3;=x"],
        &["for=10.1.2.3;proto=\"https"],
        &["for=10.1.2.3;proto=ht tp"],
        &["for=\"10.1.2.3:65536\""],
    ];
    for lines in denied {
        assert_eq!(ask(lines), 403, "{lines:?}");
    }
    // Instead of the other header, never beside it.
    assert_eq!(status(&options, "127.0.0.1", &[("X-Forwarded-For", "10.1.2.3")]), 403);
    assert_eq!(status(&settings(Settings::new()), "127.0.0.1", &[("X-Forwarded-For", "garbage")]), 200);
    assert_eq!(status(&lists_a(), "127.0.0.1", &[("Forwarded", "garbage")]), 200);
    let typed = Options::new().forwarded_header(ForwardedHeader::Forwarded);
    assert_eq!(status(&typed, "127.0.0.1", &[("Forwarded", "for=203.0.113.9")]), 403);
}

#[test]
fn htp_17_a_client_cannot_shift_what_the_proxy_adds() {
    let options =
        from(Settings::new().with("http_legacy_x_forwarded", false).with("openmetrics_allow_ips", ["10.1.2.3"]));
    let claims = [
        "for=10.1.2.3;x=\"",
        "for=10.1.2.3;x=\"\\",
        "for=10.1.2.3;x=\\",
        "\"a\", for=10.1.2.3;x=\"",
        "for=\"10.1.2.3",
        "x\"",
        "\\\"",
        "for=10.1.2.3;",
    ];
    for claim in claims {
        for added in ["for=203.0.113.9", "for=\"[2001:db8::9]:4711\"", "for=\"203.0.113.9\";proto=\"http\""] {
            let value = format!("{claim}, {added}");
            assert_eq!(status(&options, "127.0.0.1", &[("Forwarded", &value)]), 403, "{value}");
        }
    }
}

#[test]
fn htp_18_a_proxy_that_must_speak() {
    let options =
        from(Settings::new().with("openmetrics_require_forwarded", true).with("openmetrics_allow_cidr", "10.0.0.0/8"));
    assert_eq!(status(&options, "127.0.0.1", &[]), 403);
    assert_eq!(status(&options, "127.0.0.1", &[("Forwarded", "for=10.1.2.3")]), 403);
    assert_eq!(for_client(&options, "10.1.2.3"), 200);
    assert_eq!(for_client(&options, "127.0.0.1"), 200);
    assert_eq!(status(&options, "10.1.2.3", &[]), 200, "who is no proxy need not");
    let (parts, ()) = Request::get("/metrics").body(()).unwrap().into_parts();
    let door = Door::new(&Registry::new(), options);
    for peer in [Peer::Address(address("::1")), Peer::Unix] {
        assert_eq!(door.respond(&parts, Some(peer)).status(), 403);
    }
    assert_eq!(door.denied().count(Denial::NotForwarded), 2);
}

#[test]
fn htp_19_the_token() {
    let options = from(Settings::new().with("openmetrics_token", "s3cret-Token"));
    let with = |value: &str| status(&options, "127.0.0.1", &[("Authorization", value)]);
    for value in ["Bearer s3cret-Token", "bearer s3cret-Token", "BEARER   s3cret-Token "] {
        assert_eq!(with(value), 200, "{value:?}");
    }
    let wrong = [
        "",
        "Bearer",
        "Bearer ",
        "Bearer s3cret-Toke",
        "Bearer s3cret-Tokens",
        "Bearer S3cret-Token",
        "s3cret-Token",
        "Basic s3cret-Token",
        "Bearers3cret-Token",
        "Bearer s3cret-Token, x",
        "Bearer x s3cret-Token",
    ];
    for value in wrong {
        assert_eq!(with(value), 401, "{value:?}");
    }
    let refused = ask(&options, "127.0.0.1", &[]);
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["www-authenticate"]),
        (401, &HeaderValue::from_static("Bearer"))
    );
    let twice = [("Authorization", "Bearer s3cret-Token"), ("Authorization", "Bearer x")];
    assert_eq!(status(&options, "127.0.0.1", &twice), 401);
    assert_eq!(status(&options, "203.0.113.9", &twice[..1]), 403, "a token is no place on the lists");
}

#[test]
fn htp_19_a_token_is_never_shown() {
    for bad in [Setting::from(""), "two words".into(), "tab\t".into(), "s3cr\u{e9}t".into(), 4711.into()] {
        let error = Options::from_settings(&Settings::new().with("openmetrics_token", bad.clone())).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("openmetrics_token"), "{shown}");
        assert!(!["words", "s3cr", "4711"].iter().any(|secret| shown.contains(secret)), "{shown}");
    }
    let options = Options::new().token("s3cret").unwrap();
    assert!(!format!("{options:?} {:?}", Door::new(&Registry::new(), options.clone())).contains("s3cret"));
}

#[test]
fn htp_01_addresses_of_a_configuration() {
    let cases = [
        (Settings::new().with("http_ports", 65_536), "http_ports is 65536, which is not a port"),
        (Settings::new().with("http_ports", -1), "http_ports is -1, "),
        (Settings::new().with("http_ports", "5280"), "http_ports is \"5280\", "),
        (
            Settings::new().with("http_ports", Setting::List(vec![5280.into(), "x".into()])),
            "http_ports is [5280, \"x\"], ",
        ),
        (Settings::new().with("http_ports", Vec::<i64>::new()), "http_ports is [], "),
        (Settings::new().with("http_interfaces", ["127.0.0.1", "lo"]), "http_interfaces is [\"127.0.0.1\", \"lo\"], "),
        (Settings::new().with("http_interfaces", Vec::<String>::new()), "http_interfaces is [], "),
        (
            Settings::new().with("https_ports", [5281]),
            "https_ports is [5281], which is not supported: TLS belongs to a proxy",
        ),
        (Settings::new().with("http_legacy_x_forwarded", "no"), "http_legacy_x_forwarded is \"no\", "),
        (Settings::new().with("openmetrics_require_forwarded", 1), "openmetrics_require_forwarded is 1, "),
    ];
    for (settings, message) in cases {
        let error = Options::from_settings(&settings).unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
    }
    for interfaces in ["*", "::", "127.0.0.1"] {
        from(Settings::new().with("http_interfaces", interfaces).with("http_ports", 0));
    }
    assert!(
        Options::KEYS.contains(&"http_ports")
            && Options::KEYS.iter().all(|key| Settings::new().with(*key, 1).check_keys(Options::KEYS).is_ok())
    );
}

#[test]
fn htp_02_paths_of_a_configuration() {
    let paths = |key: &str, path: &str| {
        Options::from_settings(&Settings::new().with("http_paths", Settings::new().with(key, path)))
    };
    for path in ["", "metrics", "/a?b", "/a b", "/a#b", "//h\n", "*", "http://h/"] {
        let error = paths("openmetrics", path).unwrap_err();
        assert!(
            error.to_string().starts_with(&format!("http_paths.openmetrics is {path:?}, which is not a path")),
            "{error}"
        );
    }
    let unknown = paths("openmetric", "/x").unwrap_err();
    assert!(
        matches!(&unknown, ConfigError::UnknownKey { key, nearest: Some("openmetrics") } if key == "openmetric"),
        "{unknown}"
    );
    assert!(paths("openmetrics", "/stats").unwrap_err().to_string().contains("paths that differ"));
    assert!(Options::new().page_path("/stats").unwrap_err().to_string().contains("a path of its own"));
    assert!(
        Options::new()
            .view_path("stats")
            .unwrap_err()
            .to_string()
            .contains("view_path is \"stats\", which is not a path")
    );
}

#[test]
fn htp_07_cmp_06_the_name_of_a_page_of_prosody() {
    let compat = Options::new().compat(true);
    for accept in ["text/plain", "application/openmetrics-text;version=1.0.0", "*/*"] {
        let page = ask(&compat, "127.0.0.1", &[("Accept", accept)]);
        assert_eq!(page.headers()["content-type"], "application/openmetrics-text; version=0.0.4");
        assert!(page.body().ends_with(b"# EOF\n"));
    }
}

#[test]
fn htp_13_a_peer_that_nobody_knows_is_denied() {
    let door = Door::new(&Registry::new(), everybody());
    let (parts, ()) = Request::get("/metrics").body(()).unwrap().into_parts();
    assert_eq!(door.respond(&parts, None).status(), 403);
    assert_eq!(door.denied().count(Denial::UnknownPeer), 1);
}

#[test]
fn htp_05_head_without_a_server() {
    #[derive(Debug)]
    struct Untouched;
    impl Source for Untouched {
        fn scrape(&self) -> Arc<MetricSet> {
            panic!("HEAD must not collect");
        }
    }
    let (parts, ()) = Request::head("/metrics").body(()).unwrap().into_parts();
    let head = Door::of(Arc::new(Untouched), Options::new()).respond(&parts, Some(Peer::Unix));
    assert_eq!((head.status().as_u16(), head.body().len()), (200, 0));
}

/// Bytes that a header may have, and those that matter to the parsers more often than others.
fn value() -> impl Strategy<Value = HeaderValue> {
    let byte = prop_oneof![
        prop::sample::select(b" ,;:=\"\\[]./%_q0123456789abcdf*-".to_vec()),
        any::<u8>().prop_filter("no control characters", |byte| *byte >= 32 && *byte != 127),
    ];
    let word = prop::sample::select(vec![
        "for=",
        "10.1.2.3",
        "127.0.0.1",
        "[::1]",
        ":80",
        "Bearer ",
        "gzip",
        ";q=",
        "text/plain",
        "application/openmetrics-text",
        "version=",
        ", ",
    ]);
    let part = prop_oneof![prop::collection::vec(byte, 0..12), word.prop_map(|word| word.as_bytes().to_vec())];
    prop::collection::vec(part, 0..8).prop_map(|parts| HeaderValue::from_bytes(&parts.concat()).expect("checked bytes"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s_18_no_header_is_answered_with_500(
        values in prop::collection::vec((0_usize..7, value()), 0..8),
        legacy in any::<bool>(),
        require in any::<bool>(),
        token in any::<bool>(),
        query in "[ -~]{0,20}",
    ) {
        const NAMES: [&str; 7] = ["x-forwarded-for", "forwarded", "authorization", "accept", "accept-encoding", "origin", "host"];
        let mut headers = HeaderMap::new();
        for (name, value) in values {
            headers.append(HeaderName::from_static(NAMES[name]), value);
        }
        let mut options = everybody().require_forwarded(require);
        if !legacy {
            options = options.forwarded_header(ForwardedHeader::Forwarded);
        }
        if token {
            options = options.token("s3cret").unwrap();
        }
        let door = Door::new(&Registry::new(), options);
        for path in ["/metrics", "/stats"] {
            let Ok(request) = Request::get(format!("{path}?{query}")).body(()) else { continue };
            let (mut parts, ()) = request.into_parts();
            parts.headers = headers.clone();
            for peer in ["127.0.0.1", "203.0.113.9"] {
                let response = door.respond(&parts, Some(Peer::Address(address(peer))));
                prop_assert!([200, 400, 401, 403].contains(&response.status().as_u16()), "{}", response.status());
                prop_assert!(!response.headers().keys().any(|name| name.as_str().starts_with("access-control")));
            }
        }
    }

    /// Whatever a client claims, the address that the proxy adds decides.
    #[test]
    fn s_17_no_claim_gets_a_stranger_in(claim in value(), legacy in any::<bool>(), line in any::<bool>()) {
        let (name, added) = if legacy { ("x-forwarded-for", "203.0.113.9") } else { ("forwarded", "for=203.0.113.9") };
        let mut options = lists_b();
        if !legacy {
            options = options.forwarded_header(ForwardedHeader::Forwarded);
        }
        let (mut parts, ()) = Request::get("/metrics").body(()).unwrap().into_parts();
        if line {
            parts.headers.append(name, claim);
            parts.headers.append(name, HeaderValue::from_static(added));
        } else {
            let joined = [claim.as_bytes(), b", ", added.as_bytes()].concat();
            parts.headers.append(name, HeaderValue::from_bytes(&joined).unwrap());
        }
        let response = Door::new(&Registry::new(), options).respond(&parts, Some(Peer::Address(address("127.0.0.1"))));
        prop_assert_eq!(response.status().as_u16(), 403);
    }
}
