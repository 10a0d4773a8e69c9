//! One GET, over TCP or a Unix socket.

use std::io::{self, Read};

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt, Empty};
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, LOCATION, USER_AGENT,
};
use hyper::{Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::{FetchError, MOST_BYTES, Page, Request, Target};
use crate::page::{Format, printable};

/// What Prometheus sends, for endpoints that look at it. Names are wanted as they are.
const ACCEPT_ANY: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                          application/openmetrics-text;version=0.0.1;q=0.4,\
                          text/plain;version=0.0.4;escaping=allow-utf-8;q=0.3,*/*;q=0.2";

/// Asks an endpoint for its page.
pub fn get(target: &Target, request: &Request) -> Result<Page, FetchError> {
    let unreachable = |source| FetchError::Unreachable { target: target.to_string(), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unreachable)?;
    runtime.block_on(async {
        let answer = tokio::time::timeout(request.timeout, exchange(target, request)).await;
        answer.unwrap_or_else(|_| Err(FetchError::TimedOut { target: target.to_string(), timeout: request.timeout }))
    })
}

async fn exchange(target: &Target, request: &Request) -> Result<Page, FetchError> {
    let unreachable = |source| FetchError::Unreachable { target: target.to_string(), source };
    match target {
        Target::Http { authority, host, port, path } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(unreachable)?;
            ask(stream, authority, path, target, request).await
        }
        Target::Unix { socket, path } => {
            let stream = UnixStream::connect(socket).await.map_err(unreachable)?;
            ask(stream, "localhost", path, target, request).await
        }
        Target::File(_) | Target::Stdin => Err(unreachable(io::ErrorKind::Unsupported.into())),
    }
}

async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    authority: &str,
    path: &str,
    target: &Target,
    request: &Request,
) -> Result<Page, FetchError> {
    let broken = |source| FetchError::Broken { target: target.to_string(), source };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let connection = tokio::spawn(connection);
    let accept = match request.format {
        None => ACCEPT_ANY,
        Some(Format::OpenMetrics) => "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8",
        Some(Format::Text) => "text/plain;version=0.0.4;escaping=allow-utf-8",
    };
    let mut asked = hyper::Request::get(path)
        .header(HOST, authority)
        .header(USER_AGENT, concat!("manometer/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, accept)
        .header(ACCEPT_ENCODING, "gzip");
    if let Some(token) = &request.token {
        asked = asked.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let invalid = |error| FetchError::Unreachable { target: target.to_string(), source: io::Error::other(error) };
    let mut asked = asked.body(Empty::<Bytes>::new()).map_err(invalid)?;
    for (name, value) in &request.headers {
        asked.headers_mut().insert(name, value.clone());
    }
    let answer = sender.send_request(asked).await.map_err(broken)?;
    refuse(&answer, target)?;
    let header = |name| answer.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let (content_type, encoding) = (header(CONTENT_TYPE), header(CONTENT_ENCODING));
    let body = collect(answer.into_body(), target).await?;
    connection.abort();
    Ok(Page { body: unpack(body, encoding.as_deref(), target)?, content_type: Some(content_type) })
}

/// Tells what a status means that is no success.
fn refuse(answer: &Response<Incoming>, target: &Target) -> Result<(), FetchError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let detail = match status.as_u16() {
        401 => ": it wants to know who asks: set MANOMETER_TOKEN, or give --header".to_owned(),
        403 => ": it does not show its page to this address or with this token".to_owned(),
        404 => ": the page has another path there".to_owned(),
        300..=399 => {
            let place = answer.headers().get(LOCATION).map_or_else(String::new, |place| {
                format!(" {}", printable(&String::from_utf8_lossy(place.as_bytes())))
            });
            format!(": ask{place} instead; redirections are not followed, since a token could go astray")
        }
        _ => String::new(),
    };
    let reason = status.canonical_reason().unwrap_or_default();
    Err(FetchError::Status { target: target.to_string(), status: status.as_u16(), reason, detail })
}

async fn collect(mut body: Incoming, target: &Target) -> Result<Bytes, FetchError> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|source| FetchError::Broken { target: target.to_string(), source })?;
        if let Some(piece) = frame.data_ref() {
            if (whole.len() + piece.len()) as u64 > MOST_BYTES {
                return Err(FetchError::TooLarge { target: target.to_string() });
            }
            whole.extend_from_slice(piece);
        }
    }
    Ok(whole.freeze())
}

fn unpack(body: Bytes, encoding: Option<&str>, target: &Target) -> Result<Vec<u8>, FetchError> {
    match encoding {
        None | Some("identity") => Ok(body.into()),
        Some("gzip" | "x-gzip") => {
            let mut page = Vec::new();
            let unpacked = MultiGzDecoder::new(&body[..]).take(MOST_BYTES + 1).read_to_end(&mut page);
            unpacked.map_err(|source| FetchError::NotGzip { target: target.to_string(), source })?;
            match page.len() as u64 > MOST_BYTES {
                true => Err(FetchError::TooLarge { target: target.to_string() }),
                false => Ok(page),
            }
        }
        Some(other) => Err(FetchError::Encoding { target: target.to_string(), encoding: other.to_owned() }),
    }
}
