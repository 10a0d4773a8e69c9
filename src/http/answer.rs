//! What a request is answered with: decided from its parts, its peer and the options alone, then built.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use hyper::{
    Method, Response, StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, VARY, WWW_AUTHENTICATE,
        X_CONTENT_TYPE_OPTIONS,
    },
    http::request::Parts,
};

use super::{
    Body, Options,
    access::{Denial, Peer},
    body::Text,
    desk::{Failed, Scraped},
    negotiate::{negotiate, wants_gzip},
    page,
};
use crate::{
    collect::Source,
    encode::{Format, Page},
    model::EscapingScheme,
    sync::Arc,
    view::{DISABLED, Form, Listing, ShowOptions},
};

/// What messages, and the view, are.
const PLAIN: &str = "text/plain; charset=utf-8";

/// What a client gets.
#[derive(Debug)]
pub enum Answer {
    /// No such path.
    NotFound,
    /// The client may not see it.
    Denied(Denial),
    /// The path is right, the method is not.
    WrongMethod,
    /// There is nothing to see.
    Disabled,
    /// There is nothing to look at, and how to change that.
    ViewDisabled,
    /// The view cannot be what the query says.
    BadQuery(String),
    /// The live page, with nothing in it for HEAD.
    Document(Bytes),
    /// The page or the view.
    Metrics {
        content: Content,
        content_type: &'static str,
        gzip: bool,
        /// Only the headers.
        head: bool,
    },
}

/// A text of metrics.
#[derive(Debug)]
pub enum Content {
    Page { format: Format, scheme: EscapingScheme, created: bool },
    View(ShowOptions),
}

/// What a request with these parts gets, at a door that has this live page or none. The order of the checks is that of HTP-03.
pub fn decide(
    options: &Options,
    document: Option<&Bytes>,
    source: &dyn Source,
    parts: &Parts,
    peer: Option<Peer>,
) -> Answer {
    let (is_view, document) = match parts.uri.path() {
        path if path == options.page_path => (false, None),
        path if path == options.view_path => (true, None),
        page::PATH if document.is_some() => (false, document),
        _ => return Answer::NotFound,
    };
    let judged = match document {
        // It has no metrics in it.
        Some(_) => options.rules.judge_address(peer, &parts.headers),
        None => options.rules.judge(peer, &parts.headers),
    };
    if let Err(denial) = judged {
        return Answer::Denied(denial);
    }
    let head = parts.method == Method::HEAD;
    if parts.method != Method::GET && !head {
        return Answer::WrongMethod;
    }
    if let Some(document) = document {
        return Answer::Document(if head { Bytes::new() } else { document.clone() });
    }
    if !source.is_enabled() {
        return if is_view { Answer::ViewDisabled } else { Answer::Disabled };
    }
    let (content, content_type) = match is_view {
        true => match view(options, source, parts.uri.query().unwrap_or_default()) {
            Ok(view) => (Content::View(view), PLAIN),
            Err(message) => return Answer::BadQuery(message),
        },
        false => {
            let (format, asked) = if options.compat { (Format::Prosody, None) } else { negotiate(&parts.headers) };
            let created = options.created_samples && source.created_samples();
            let content_type = asked.map_or(format.content_type(), |scheme| format.content_type_in(scheme));
            (Content::Page { format, scheme: asked.unwrap_or_default(), created }, content_type)
        }
    };
    let gzip = wants_gzip(&parts.headers);
    Answer::Metrics { content, content_type, gzip, head }
}

/// The view that a query asks for: `pattern`, a regular expression, and `form`. The last one counts of several.
fn view(options: &Options, source: &dyn Source, query: &str) -> Result<ShowOptions, String> {
    let mut view = ShowOptions::new().compat(options.compat);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        view = match &*name {
            "pattern" => view.matching(&value).map_err(|error| format!("{error}\n"))?,
            "form" => view.form(match &*value {
                "values" => Form::Values,
                "details" => Form::Details,
                "histogram" => Form::Histogram,
                "cfgraph" => Form::Cumulative,
                "cardinality" => Form::Cardinality,
                _ => return Err(format!("form {value:?} is not values, details, histogram, cfgraph or cardinality\n")),
            }),
            _ => return Err(format!("parameter {name:?} is not pattern or form\n")),
        }
    }
    Ok(match source.last_two() {
        Some(two) => view.over(two.into()),
        None => view,
    })
}

impl Answer {
    /// Whether it takes a collection.
    pub fn is_of_metrics(&self) -> bool {
        matches!(self, Self::Metrics { head: false, .. })
    }

    /// The response, with what was collected for it.
    ///
    /// A panic in rendering the first piece is a 500. Later it ends the connection, and so the page is not taken for a whole one.
    pub fn into_response(self, scraped: Option<Scraped>, source: &Arc<dyn Source>) -> Response<Body> {
        match self {
            Self::NotFound => message(StatusCode::NOT_FOUND, "not found; the metrics are at another path\n"),
            Self::Denied(Denial::Token) => {
                let denied = message(StatusCode::UNAUTHORIZED, "a token is needed\n");
                with(denied, WWW_AUTHENTICATE, "Bearer")
            }
            Self::Denied(_) => message(StatusCode::FORBIDDEN, "forbidden\n"),
            Self::WrongMethod => {
                let refused = message(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
                with(refused, ALLOW, "GET, HEAD")
            }
            Self::Disabled => {
                message(StatusCode::NOT_FOUND, "there are no metrics: no statistics provider is configured\n")
            }
            Self::ViewDisabled => message(StatusCode::OK, DISABLED),
            Self::BadQuery(text) => message(StatusCode::BAD_REQUEST, text),
            Self::Document(document) => page::answer(document),
            Self::Metrics { content, content_type, gzip, head } => {
                let body = match (head, scraped) {
                    (true, _) => Ok(Body::fixed("")),
                    (false, Some(scraped)) => content.render(scraped, gzip, source),
                    (false, None) => Err(Failed),
                };
                let Ok(body) = body else {
                    return message(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be collected\n");
                };
                let page = with(response(StatusCode::OK, content_type, body), VARY, "Accept, Accept-Encoding");
                if gzip { with(page, CONTENT_ENCODING, "gzip") } else { page }
            }
        }
    }
}

impl Content {
    fn render(self, scraped: Scraped, gzip: bool, source: &Arc<dyn Source>) -> Result<Body, Failed> {
        let set = scraped?;
        let render = || {
            let text = match self {
                Self::Page { format, scheme, created } => {
                    let page = Page::new(set, format).escaping(scheme);
                    Text::Page(if created { page } else { page.without_created() })
                }
                Self::View(options) => Text::Listing(Box::new(Listing::new(set, options))),
            };
            Body::new(text, gzip, source.clone())
        };
        // What a panic leaves behind is not looked at again: the body is gone.
        catch_unwind(AssertUnwindSafe(render)).map_err(|_| {
            log::error!("a scrape was answered with 500: rendering panicked");
            Failed
        })
    }
}

/// A short answer in words.
pub fn message(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    response(status, PLAIN, Body::fixed(text))
}

/// The response with one header more.
pub fn with(mut response: Response<Body>, name: HeaderName, value: &'static str) -> Response<Body> {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

/// A response with the headers that all have. Label values are the business of others, so no browser must guess what they are.
pub fn response(status: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let response = with(response, CONTENT_TYPE, content_type);
    let response = with(response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    with(response, CACHE_CONTROL, "no-store")
}
