//! `Accept` and `Accept-Encoding`: any bytes get a whole page; headers by the rules get the page that the rules say.
#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use manometer::{
    Registry, collect,
    encode::Format,
    http::{Door, Options, Peer},
};
use manometer_fuzz::{ask, reader};

#[derive(Arbitrary, Debug)]
struct Input {
    accept: Vec<Range>,
    encoding: Vec<Coding>,
    raw: Vec<Vec<u8>>,
    raw_encoding: Vec<Vec<u8>>,
}

/// A range, its quality in thousandths, and how it is written.
#[derive(Arbitrary, Debug)]
struct Range {
    media: Media,
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

fuzz_target!(|input: Input| {
    let door = Door::new(&REGISTRY, Options::new());
    page(&door, &headers(&input.raw, &input.raw_encoding));

    let accept = lines(input.accept.iter().map(|range| (range.text(), range.style)));
    let encoding = lines(input.encoding.iter().map(|coding| (coding.text(), coding.style)));
    let found = page(&door, &headers(&accept, &encoding)).expect("visible ASCII");
    assert_eq!(found, (wanted(&input.accept), wants_gzip(&input.encoding)), "{input:?}");
});

fn headers<'a>(accept: &'a [Vec<u8>], encoding: &'a [Vec<u8>]) -> Vec<(&'static str, &'a [u8])> {
    let accept = accept.iter().map(|line| ("accept", &line[..]));
    accept.chain(encoding.iter().map(|line| ("accept-encoding", &line[..]))).collect()
}

/// The format of the page and whether it was compressed; None if no server takes such headers. Whatever it is, it is whole.
fn page(door: &Door, headers: &[(&str, &[u8])]) -> Option<(Format, bool)> {
    let (status, media_type, is_gzip, body) = ask(door, "/metrics", headers, Peer::Address([127, 0, 0, 1].into()))?;
    assert_eq!(status, 200);
    let format = match media_type.as_str() {
        "application/openmetrics-text; version=1.0.0; charset=utf-8" => Format::OpenMetrics,
        "text/plain; version=0.0.4; charset=utf-8" => Format::Text,
        other => panic!("{other} is no known format"),
    };
    reader::check(&body, format, &collect(&REGISTRY), 0).expect("the page of the registry");
    Some((format, is_gzip))
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
        };
        let media = if self.style & 32 == 0 { media.to_owned() } else { media.to_uppercase() };
        format!("{media}{}", quality(self.quality, self.style))
    }

    fn quality(&self) -> u16 {
        self.quality.map_or(1000, |quality| quality % 1001)
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

/// The format that these ranges ask for, by the rules of RFC 9110: of the ranges that match one, the closest gives its quality.
fn wanted(ranges: &[Range]) -> Format {
    let best = |closest: &[&[Media]]| {
        closest.iter().enumerate().find_map(|(distance, medias)| {
            let matching = ranges.iter().filter(|range| medias.contains(&range.media));
            matching.map(Range::quality).max().map(|quality| (quality, distance))
        })
    };
    let open_metrics =
        best(&[&[Media::OpenMetrics1], &[Media::OpenMetrics], &[Media::AnyApplication], &[Media::Anything]]);
    let text = best(&[&[Media::Plain004], &[Media::Plain], &[Media::AnyText], &[Media::Anything]]);
    let text = text.map_or(0, |(quality, _)| quality);
    match open_metrics {
        // `*/*` is no wish for OpenMetrics; who refuses text by name gets it all the same.
        Some((quality, 3)) if quality > 0 && text == 0 => Format::OpenMetrics,
        Some((quality, 0..3)) if quality > 0 && quality >= text => Format::OpenMetrics,
        _ => Format::Text,
    }
}

fn wants_gzip(codings: &[Coding]) -> bool {
    let best = |names: &[Name]| codings.iter().filter(|coding| names.contains(&coding.name)).map(Coding::quality).max();
    let gzip = best(&[Name::Gzip, Name::XGzip]).or(best(&[Name::Anything])).unwrap_or(0);
    gzip > 0 && gzip >= best(&[Name::Identity]).unwrap_or(0)
}
