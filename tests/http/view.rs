//! The operator's view at its door.

use std::sync::Arc;

use manometer::{Registry, http::Options};

use crate::{Gate, ask, serve, start, unzip};

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
