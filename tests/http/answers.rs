//! What a request is answered with: the order of the checks, methods, denials, sources that wait, panic or are disabled.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use manometer::{
    Manager, MetricFamily, MetricSet, MetricType, Registry, Source,
    http::{Denial, Options, Server},
    model::{FamilyName, LabelTable, Metadata, Points, Settings},
};

use crate::{Gate, ask, get, serve, server, start};

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
fn cfg_07_viw_03_pages_without_creation_times_leave_the_view_its_rates() {
    for created in [true, false] {
        let settings = Settings::new().with("statistics_interval", 60).with("created_samples", created);
        let settings = settings.with("http_ports", [0]).with("http_interfaces", "127.0.0.1");
        let manager = Manager::new(&settings).unwrap();
        manager.counter("hits").single().unwrap().add(3);
        // Through the door of the configuration, and through one that was told nothing.
        let elsewhere = Server::of(Arc::new(manager.clone())).address(([127, 0, 0, 1], 0)).start().unwrap();
        for server in [manager.serve().unwrap(), elsewhere] {
            let page = get(&server, "Accept: application/openmetrics-text\r\n");
            assert_eq!(page.text().contains("\nhits_created "), created, "{}", page.text());
            let view = ask(&server, "GET", "/stats?pattern=%5Ehits", "");
            assert!(view.text().contains("events/s [avg]\n"), "{}", view.text());
        }
        assert!(manager.viewer().show("^hits").unwrap().contains("events/s [avg]\n"));
    }
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
