//! What several targets share.

#[path = "../../tests/common/reader.rs"]
pub mod reader;

use arbitrary::Arbitrary;
use manometer::{
    MetricSet, MetricType,
    encode::{Format, encode},
    http::{Door, Peer},
};

/// Both text formats.
pub const FORMATS: [Format; 2] = [Format::OpenMetrics, Format::Text];

/// A metric type.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
}

impl From<Kind> for MetricType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Counter => Self::Counter,
            Kind::Gauge => Self::Gauge,
            Kind::Histogram => Self::Histogram,
            Kind::Summary => Self::Summary,
        }
    }
}

/// Encodes a set in both formats and reads both pages back.
pub fn pages_read_back(set: &MetricSet) {
    for format in FORMATS {
        let mut page = Vec::new();
        let skipped = encode(set, format, &mut page);
        let page = String::from_utf8(page).expect("a page is UTF-8");
        if let Err(error) = reader::check(&page, format, set, skipped) {
            panic!("{format:?}: {error}\n{page}");
        }
    }
}

/// Asks a door: path with query, headers, peer. Status, media type, whether it is compressed, and the body as text.
pub fn ask(door: &Door, target: &str, headers: &[(&str, &[u8])], peer: Peer) -> Option<(u16, String, bool, String)> {
    let (status, media_type, is_gzip, body) = ask_bytes(door, target, headers, peer)?;
    Some((status, media_type, is_gzip, String::from_utf8(body).expect("text")))
}

/// The same with the body as it is, unpacked.
pub fn ask_bytes(
    door: &Door,
    target: &str,
    headers: &[(&str, &[u8])],
    peer: Peer,
) -> Option<(u16, String, bool, Vec<u8>)> {
    let request =
        headers.iter().fold(http::Request::get(target), |request, (name, value)| request.header(*name, *value));
    let (parts, ()) = request.body(()).ok()?.into_parts();
    let response = door.respond(&parts, Some(peer));
    let is_gzip = response.headers().get("content-encoding").is_some_and(|coding| coding == "gzip");
    let mut body = Vec::new();
    let read = match is_gzip {
        true => std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&response.body()[..]), &mut body),
        false => std::io::Read::read_to_end(&mut &response.body()[..], &mut body),
    };
    read.expect("a body, compressed to its end or not at all");
    let media_type = response.headers().get("content-type").expect("every answer says what it is");
    Some((response.status().as_u16(), media_type.to_str().expect("visible ASCII").to_owned(), is_gzip, body))
}
