//! What a request is answered with: decided from its parts alone, then built.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hyper::{
    HeaderMap, Method, Response, StatusCode, Uri,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, VARY},
};

use super::{body::PageBody, negotiate::negotiate};
use crate::{encode::Format, model::MetricSet, sync::Arc};

const PATH: &str = "/metrics";

/// What a client gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The page.
    Page(Format),
    /// The headers that the page would have.
    Head(Format),
    /// No such path.
    NotFound,
    /// The path is right, the method is not.
    WrongMethod,
}

/// What a request with these parts gets. The path comes first, then the method; the query means nothing.
pub fn decide(method: &Method, uri: &Uri, headers: &HeaderMap) -> Answer {
    match *method {
        _ if uri.path() != PATH => Answer::NotFound,
        Method::GET => Answer::Page(negotiate(headers)),
        Method::HEAD => Answer::Head(negotiate(headers)),
        _ => Answer::WrongMethod,
    }
}

/// The response to a request; `collect` is called only for a page.
///
/// A panic in `collect`, or in rendering the first piece, is a 500. Later it ends the connection, and so the page is not taken for
/// a whole one.
pub fn respond(answer: Answer, collect: impl FnOnce() -> Arc<MetricSet>) -> Response<PageBody> {
    match answer {
        // What a panic leaves behind is not looked at again: the body is gone, and a collection begins by refilling the set.
        Answer::Page(format) => match catch_unwind(AssertUnwindSafe(|| PageBody::new(collect(), format))) {
            Ok(body) => page(format, body),
            Err(_) => {
                log::error!("a scrape was answered with 500: collecting or rendering panicked");
                message(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be collected\n")
            }
        },
        Answer::Head(format) => page(format, PageBody::text("")),
        Answer::NotFound => message(StatusCode::NOT_FOUND, "not found; the metrics are at /metrics\n"),
        Answer::WrongMethod => {
            let mut response = message(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
    }
}

fn page(format: Format, body: PageBody) -> Response<PageBody> {
    let mut response = response(StatusCode::OK, format.content_type(), body);
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    response
}

fn message(status: StatusCode, text: &'static str) -> Response<PageBody> {
    response(status, "text/plain; charset=utf-8", PageBody::text(text))
}

fn response(status: StatusCode, content_type: &'static str, body: PageBody) -> Response<PageBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_while_collecting_is_a_500() {
        let response = respond(Answer::Page(Format::Text), || panic!("as a collector might"));
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    }

    #[test]
    fn head_collects_nothing() {
        let head = respond(Answer::Head(Format::OpenMetrics), || panic!("HEAD must not collect"));
        let get = respond(Answer::Page(Format::OpenMetrics), Arc::default);
        assert_eq!((head.status(), head.headers()), (get.status(), get.headers()));
    }
}
