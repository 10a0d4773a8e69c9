//! `Accept` and `Accept-Encoding`: any bytes get a whole page; headers by the rules get the page that the rules say.
#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use manometer::{
    Registry, RegistryOptions, collect,
    encode::{Format, Page},
    http::{Door, Options, Peer},
    model::{Dialect, EscapingScheme},
};
use manometer_fuzz::{ask_bytes, reader};

#[derive(Arbitrary, Debug)]
struct Input {
    accept: Vec<Range>,
    encoding: Vec<Coding>,
    raw: Vec<Vec<u8>>,
    raw_encoding: Vec<Vec<u8>>,
}

/// A range, the names that it wants, its quality in thousandths, and how it is written.
#[derive(Arbitrary, Debug)]
struct Range {
    media: Media,
    names: Option<Names>,
    quality: Option<u16>,
    style: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
enum Media {
    OpenMetrics,
    OpenMetrics1,
    OpenMetricsUnknown,
    AnyApplication,
    Plain,
    Plain004,
    PlainUnknown,
    AnyText,
    Anything,
    Html,
    Protobuf,
    ProtobufUndelimited,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
enum Names {
    AllowUtf8,
    Underscores,
    Dots,
    Values,
    Unknown,
}

#[derive(Arbitrary, Debug)]
struct Coding {
    name: Name,
    quality: Option<u16>,
    style: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
enum Name {
    Gzip,
    XGzip,
    Identity,
    Anything,
    Brotli,
}

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let registry = Registry::new();
    registry
        .counter("hits")
        .help("a \"b\"")
        .labels(["path"])
        .declare()
        .expect("good")
        .inc(("/\n\"",))
        .expect("one value");
    registry.histogram("latency").unit("seconds").buckets([0.1, 1.0]).single().expect("good").observe(0.5);
    registry
});

/// A registry whose pages differ from scheme to scheme.
static FOREIGN: LazyLock<Registry> = LazyLock::new(|| {
    let registry = RegistryOptions::new().dialect(Dialect::Utf8).build();
    registry.counter("http.hits").labels(["a \"b\""]).declare().expect("good").inc(("x",)).expect("one value");
    registry
});

fuzz_target!(|input: Input| {
    let door = Door::new(&REGISTRY, Options::new());
    page(&door, &headers(&input.raw, &input.raw_encoding));

    let accept = lines(input.accept.iter().map(|range| (range.text(), range.style)));
    let encoding = lines(input.encoding.iter().map(|coding| (coding.text(), coding.style)));
    let headers = headers(&accept, &encoding);
    let found = page(&door, &headers).expect("visible ASCII");
    let (format, scheme) = wanted(&input.accept);
    assert_eq!(found, (format, scheme, wants_gzip(&input.encoding)), "{input:?}");

    let door = Door::new(&FOREIGN, Options::new());
    let (_, _, _, body) = ask_bytes(&door, "/metrics", &headers, PEER).expect("visible ASCII");
    let mut expected = Vec::new();
    Page::new(collect(&FOREIGN), format).escaping(scheme.unwrap_or_default()).fill(&mut expected, usize::MAX);
    assert_eq!(body, expected, "{input:?}");
});

const PEER: Peer = Peer::Address(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

fn headers<'a>(accept: &'a [Vec<u8>], encoding: &'a [Vec<u8>]) -> Vec<(&'static str, &'a [u8])> {
    let accept = accept.iter().map(|line| ("accept", &line[..]));
    accept.chain(encoding.iter().map(|line| ("accept-encoding", &line[..]))).collect()
}

/// The format of the page, the scheme that it tells, and whether it was compressed; None if no server takes such headers. Whatever it
/// is, it is whole.
fn page(door: &Door, headers: &[(&str, &[u8])]) -> Option<(Format, Option<EscapingScheme>, bool)> {
    let (status, media_type, is_gzip, body) = ask_bytes(door, "/metrics", headers, PEER)?;
    assert_eq!(status, 200);
    let (media_type, scheme) = match media_type.split_once("; escaping=") {
        Some((media_type, word)) => (media_type, Some(EscapingScheme::from_word(word).expect("a known scheme"))),
        None => (media_type.as_str(), None),
    };
    let format = match media_type {
        "application/openmetrics-text; version=1.0.0; charset=utf-8" => Format::OpenMetrics,
        "text/plain; version=0.0.4; charset=utf-8" => Format::Text,
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited" => {
            Format::Protobuf
        }
        other => panic!("{other} is no known format"),
    };
    let set = collect(&REGISTRY);
    match format {
        Format::Protobuf => assert_eq!(messages(&body), set.families.len(), "a message for each family"),
        // Its names have no underscores but those of suffixes; what dots make of these is not for the reader.
        _ if scheme == Some(EscapingScheme::Dots) => {}
        _ => {
            let body = std::str::from_utf8(&body).expect("text");
            reader::check(body, format, &set, 0).expect("the page of the registry");
        }
    }
    Some((format, scheme, is_gzip))
}

/// How many messages there are, each behind its length, to the last byte.
fn messages(mut rest: &[u8]) -> usize {
    let mut count = 0;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| byte & 0x80 == 0).expect("the end of a length");
        let length = rest[..=end].iter().rev().fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
        rest = &rest[end + 1 + length..];
        count += 1;
    }
    count
}

/// Elements joined by commas, or on lines of their own.
fn lines(elements: impl Iterator<Item = (String, u8)>) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for (element, style) in elements {
        match (lines.last_mut(), style & 3) {
            (Some(line), joint @ 1..) => {
                line.extend_from_slice([",", ", ", " ,, "][usize::from(joint) - 1].as_bytes());
                line.extend_from_slice(element.as_bytes());
            }
            _ => lines.push(element.into_bytes()),
        }
    }
    lines
}

/// A quality in thousandths, as a parameter.
fn quality(thousandths: Option<u16>, style: u8) -> String {
    let Some(thousandths) = thousandths.map(|thousandths| thousandths % 1001) else { return String::new() };
    let (whole, rest) = (thousandths / 1000, thousandths % 1000);
    let digits = format!("{whole}.{rest:03}");
    let short = digits.trim_end_matches('0').trim_end_matches('.');
    let text = if style & 4 == 0 { short } else { &digits };
    let name = if style & 8 == 0 { "q" } else { "Q" };
    let blank = if style & 16 == 0 { "" } else { " " };
    format!("{blank};{blank}{name}={text}")
}

impl Range {
    fn text(&self) -> String {
        let media = match self.media {
            Media::OpenMetrics => "application/openmetrics-text",
            Media::OpenMetrics1 => "application/openmetrics-text; version=1.0.0",
            Media::OpenMetricsUnknown => "application/openmetrics-text;version=0.0.1",
            Media::AnyApplication => "application/*",
            Media::Plain => "text/plain; charset=\"utf-8, x;q=0\"",
            Media::Plain004 => "text/plain;version=\"0.0.4\"",
            Media::PlainUnknown => "text/plain;version=1.0.0",
            Media::AnyText => "text/*",
            Media::Anything => "*/*",
            Media::Html => "text/html",
            Media::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
            Media::ProtobufUndelimited => "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily",
        };
        // What a message is called has a case.
        let is_loud = self.style & 32 != 0 && self.media != Media::Protobuf;
        let media = if is_loud { media.to_uppercase() } else { media.to_owned() };
        let names = match self.names {
            None => String::new(),
            Some(names) => format!(";{}={}", if is_loud { "ESCAPING" } else { " escaping" }, names.word()),
        };
        // The quality may stand anywhere.
        match self.style & 64 {
            0 => format!("{media}{names}{}", quality(self.quality, self.style)),
            _ => format!("{media}{}{names}", quality(self.quality, self.style)),
        }
    }

    fn quality(&self) -> u16 {
        self.quality.map_or(1000, |quality| quality % 1001)
    }
}

impl Names {
    fn word(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "\"underscores\"",
            Self::Dots => "dots",
            Self::Values => "values",
            Self::Unknown => "Dots",
        }
    }

    fn scheme(self) -> Option<EscapingScheme> {
        match self {
            Self::AllowUtf8 => Some(EscapingScheme::AllowUtf8),
            Self::Underscores => Some(EscapingScheme::Underscores),
            Self::Dots => Some(EscapingScheme::Dots),
            Self::Values => Some(EscapingScheme::Values),
            Self::Unknown => None,
        }
    }
}

impl Coding {
    fn text(&self) -> String {
        let name = match self.name {
            Name::Gzip => "gzip",
            Name::XGzip => "X-GZip",
            Name::Identity => "identity",
            Name::Anything => "*",
            Name::Brotli => "br",
        };
        format!("{name}{}", quality(self.quality, self.style))
    }

    fn quality(&self) -> u16 {
        self.quality.map_or(1000, |quality| quality % 1001)
    }
}

/// The format and the scheme that these ranges ask for, by the rules of RFC 9110: of the ranges that match one, the closest gives its
/// quality, of those the first of the best.
fn wanted(ranges: &[Range]) -> (Format, Option<EscapingScheme>) {
    let best = |closest: &[&[Media]]| {
        closest.iter().enumerate().find_map(|(distance, medias)| {
            let matching = || ranges.iter().filter(|range| medias.contains(&range.media));
            let quality = matching().map(Range::quality).max()?;
            // What is refused says nothing of names.
            let first = matching().find(|range| range.quality() == quality && quality > 0);
            Some((quality, distance, first.and_then(|range| range.names?.scheme())))
        })
    };
    let open_metrics =
        best(&[&[Media::OpenMetrics1], &[Media::OpenMetrics], &[Media::AnyApplication], &[Media::Anything]]);
    let text = best(&[&[Media::Plain004], &[Media::Plain], &[Media::AnyText], &[Media::Anything]]);
    let (text, names_of_text) = text.map_or((0, None), |(quality, _, names)| (quality, names));
    if let Some((quality, _, names)) = best(&[&[Media::Protobuf]]) {
        if quality > 0 && quality >= text.max(open_metrics.map_or(0, |(quality, ..)| quality)) {
            return (Format::Protobuf, names);
        }
    }
    match open_metrics {
        // `*/*` is no wish for OpenMetrics; who refuses text by name gets it all the same.
        Some((quality, 3, names)) if quality > 0 && text == 0 => (Format::OpenMetrics, names),
        Some((quality, 0..3, names)) if quality > 0 && quality >= text => (Format::OpenMetrics, names),
        _ => (Format::Text, names_of_text),
    }
}

fn wants_gzip(codings: &[Coding]) -> bool {
    let best = |names: &[Name]| codings.iter().filter(|coding| names.contains(&coding.name)).map(Coding::quality).max();
    let gzip = best(&[Name::Gzip, Name::XGzip]).or(best(&[Name::Anything])).unwrap_or(0);
    gzip > 0 && gzip >= best(&[Name::Identity]).unwrap_or(0)
}
