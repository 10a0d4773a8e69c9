//! The live page: what it is served with, and for whom. How it works in a browser is for `ci/page.sh`.

use base64::{Engine, prelude::BASE64_STANDARD};
use manometer::{
    Registry,
    http::{Options, Server},
    model::{ConfigError, Settings},
};
use sha2::{Digest, Sha256};

use crate::{Response, ask, get};

/// A server with a live page.
fn live(options: Options) -> Server {
    let options = options.address(([127, 0, 0, 1], 0)).live_page(true).expect("nothing else is at its path");
    Server::builder(&Registry::new()).options(options).start().expect("a free port")
}

/// What is between the one `<tag>` and its end.
fn content<'a>(page: &'a str, tag: &str) -> &'a str {
    let (start, end) = (format!("<{tag}>"), format!("</{tag}>"));
    assert_eq!((page.matches(&start).count(), page.matches(&end).count()), (1, 1), "one {tag}");
    let from = page.find(&start).expect("counted") + start.len();
    &page[from..page.find(&end).expect("counted")]
}

/// The sources that the policy of `page` allows for `directive`.
fn policy<'a>(page: &'a Response, directive: &str) -> Option<&'a str> {
    let policy = page.header("content-security-policy").expect("a policy");
    policy.split("; ").find_map(|rule| rule.strip_prefix(directive)?.strip_prefix(' '))
}

#[test]
fn there_is_none_unless_asked_for() {
    let server = Server::builder(&Registry::new()).address(([127, 0, 0, 1], 0)).start().unwrap();
    assert_eq!(ask(&server, "GET", "/", "").status(), 404);
    let says = |value: bool| Options::from_settings(&Settings::new().with("http_page", value)).unwrap();
    for (page, status) in [(true, 200), (false, 404)] {
        let server =
            Server::builder(&Registry::new()).options(says(page).address(([127, 0, 0, 1], 0))).start().unwrap();
        assert_eq!(ask(&server, "GET", "/", "").status(), status);
        assert_eq!(ask(&server, "GET", "/metrics", "").status(), 200);
    }
}

#[test]
fn it_is_one_document_below_60_kb() {
    let server = live(Options::new());
    let page = ask(&server, "GET", "/?any", "");
    assert_eq!((page.status(), page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.body.len() < 60_000, "{} bytes", page.body.len());
    let text = page.text();
    assert!(text.starts_with("<!doctype html>\n") && text.ends_with("</html>\n"));
    for elsewhere in ["src=", "@import", "url(", "import(", "import ", "<link rel=\"stylesheet", "<iframe", "<base"] {
        assert!(!text.contains(elsewhere), "{elsewhere}: it would need another document");
    }
    // The only addresses in it are names of XML.
    assert!(text.match_indices("http").all(|(at, _)| text[at..].starts_with("http://www.w3.org/2000/svg")));
}

#[test]
fn its_script_never_makes_markup_of_text() {
    let server = live(Options::new());
    let page = ask(&server, "GET", "/", "");
    for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "DOMParser"] {
        assert!(!page.text().contains(way), "{way}");
    }
    // No handlers in attributes, which the policy would refuse anyway.
    let html = page.text().replace(content(page.text(), "script"), "");
    assert!(!html.contains(" on"), "an attribute that is a handler");
}

#[test]
fn its_policy_allows_its_own_style_and_script_and_its_own_server() {
    let server = live(Options::new());
    let page = ask(&server, "GET", "/", "");
    for (directive, tag) in [("script-src", "script"), ("style-src", "style")] {
        let hash = BASE64_STANDARD.encode(Sha256::digest(content(page.text(), tag)));
        let right = format!("'sha256-{hash}'");
        assert_eq!(policy(&page, directive), Some(right.as_str()), "put this into POLICY of src/http/page.rs: {right}");
    }
    for (directive, sources) in [
        ("default-src", "'none'"),
        ("connect-src", "'self'"),
        ("img-src", "data:"),
        ("base-uri", "'none'"),
        ("form-action", "'none'"),
        ("frame-ancestors", "'none'"),
        ("require-trusted-types-for", "'script'"),
    ] {
        assert_eq!(policy(&page, directive), Some(sources), "{directive}");
    }
    for (name, value) in
        [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("cache-control", "no-store")]
    {
        assert_eq!(page.header(name), Some(value), "{name}");
    }
    assert!(!page.head.contains("access-control"), "{}", page.head);
}

#[test]
fn it_is_for_whom_the_metrics_are_but_needs_no_token() {
    let server = live(Options::new().token("s3cret").unwrap());
    let stranger = "X-Forwarded-For: 203.0.113.9\r\n";
    assert_eq!(ask(&server, "GET", "/", stranger).status(), 403);
    assert_eq!(ask(&server, "POST", "/", stranger).status(), 403);
    assert_eq!(ask(&server, "POST", "/", "").status(), 405);
    assert_eq!(ask(&server, "GET", "/", "").status(), 200);
    assert_eq!(ask(&server, "GET", "/index.html", "").status(), 404);
    assert_eq!(server.denied().total(), 2);
    // What it shows needs one.
    assert_eq!(get(&server, "").status(), 401);
    let head = ask(&server, "HEAD", "/", "");
    assert_eq!((head.status(), head.body.len()), (200, 0));
    assert!(head.header("content-security-policy").is_some());
}

#[test]
fn it_knows_where_the_metrics_are() {
    for (path, attribute) in [("/metrics", "./metrics"), ("/a/b\"<c>&d", ""), ("/x:y/'z'&amp", "./x:y/'z'&amp;amp")] {
        // Which characters a path may have is decided elsewhere; whatever it is, it must not leave the attribute.
        let Ok(options) = Options::new().page_path(path) else {
            assert_eq!(attribute, "", "{path} is a path");
            continue;
        };
        let page = ask(&live(options), "GET", "/", "");
        let (_, rest) = page.text().split_once("<meta name=\"metrics\" content=\"").expect("the path");
        let (found, _) = rest.split_once("\">\n").expect("its end");
        assert!(!found.contains(['"', '<']), "{found}");
        assert!(attribute.is_empty() || found == attribute, "{found}");
    }
}

#[test]
fn nothing_else_can_be_at_its_path() {
    let moved = Options::new().page_path("/").unwrap();
    let error = moved.live_page(true).unwrap_err();
    assert!(matches!(&error, ConfigError::Invalid { key, .. } if key == "live_page"), "{error}");
    let live = Options::new().live_page(true).unwrap();
    live.clone().view_path("/").unwrap_err();
    live.clone().page_path("/").unwrap_err();
    live.live_page(false).unwrap().page_path("/").unwrap();
    let paths = Settings::new().with("stats", "/");
    let error = Options::from_settings(&Settings::new().with("http_paths", paths).with("http_page", true)).unwrap_err();
    assert!(error.to_string().starts_with("http_page is true"), "{error}");
    let error = Options::from_settings(&Settings::new().with("http_page", "yes")).unwrap_err();
    assert!(error.to_string().starts_with("http_page is \"yes\""), "{error}");
}
