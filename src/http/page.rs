//! The live page: one document that asks for the metrics again and again, and draws them.
//!
//! The document has no metrics in it and is the same for everybody, so it needs no token, only an address that is allowed. What it shows
//! it gets from the metrics page, as any scraper does, by the same rules: where a token is needed, it asks its user for one, keeps that
//! for as long as it is open, and sends it to this server alone.
//!
//! # Security
//! Names and label values are whatever clients of the application made of them. The script sets them as text, never as markup, and
//! [`POLICY`] forbids what the page does not need: other origins, frames inside or around, forms that go anywhere, inline handlers, text
//! that becomes markup or code. Its style and its script go by their hashes. Those are constants, which cost nothing at run time (a nonce
//! would need randomness for each response, the hashes a crate for them), and which a test compares with what is served.

use bytes::Bytes;
use hyper::{
    Response, StatusCode,
    header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY},
};

use super::{
    Body,
    answer::{response, with},
};

/// Where it is.
pub const PATH: &str = "/";

/// What a browser lets the document do.
const POLICY: &str = "default-src 'none'; \
    script-src 'sha256-1wnDiJ4lP/D5l5MTNnkUmB/oC+aJkGnJBR01VDwQCeM='; \
    style-src 'sha256-3a/7chGKs8fOwBE+WcypZg6R6mtpEViW+8MQ4inKGkI='; \
    connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

const HTML: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = concat!(
    "\"use strict\";\n",
    include_str!("page/exposition.js"),
    include_str!("page/store.js"),
    include_str!("page/format.js"),
    include_str!("page/draw.js"),
    include_str!("page/page.js"),
);

/// The document of a server that has its metrics at `page_path`.
///
/// It is told that path from where it is itself, so that a proxy may have both under a folder of its own.
pub fn document(page_path: &str) -> Bytes {
    let metrics = format!("./{}", &page_path[PATH.len()..]);
    // Of what a path may have, these mean something in an attribute.
    let metrics = metrics.replace('&', "&amp;").replace('"', "&quot;");
    // The script last, so that nothing is looked for in it.
    let html = squeeze(HTML).replacen("{metrics}", &metrics, 1);
    html.replacen("{style}", &squeeze_style(STYLE), 1).replacen("{script}", &squeeze(SCRIPT), 1).into()
}

/// The text without indentation, empty lines, and lines that are comments: nothing in these files runs over lines.
fn squeeze(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let is_comment = |line: &str| line.starts_with("//") || line.starts_with("/**");
    let mut squeezed = String::with_capacity(text.len());
    for line in lines.filter(|line| !line.is_empty() && !is_comment(line)) {
        squeezed += line;
        squeezed.push('\n');
    }
    squeezed
}

/// The same, without the spaces that a style needs not.
fn squeeze_style(text: &str) -> String {
    let pairs = [("\n", ""), (": ", ":"), ("; ", ";"), (", ", ","), (" {", "{"), ("{ ", "{"), (" }", "}"), (";}", "}")];
    pairs.iter().fold(squeeze(text), |text, (wide, narrow)| text.replace(wide, narrow))
}

/// The answer with the document, or with nothing for who wants only the headers.
pub fn answer(document: Bytes) -> Response<Body> {
    let page = response(StatusCode::OK, "text/html; charset=utf-8", Body::fixed(document));
    let page = with(page, CONTENT_SECURITY_POLICY, POLICY);
    with(page, REFERRER_POLICY, "no-referrer")
}
