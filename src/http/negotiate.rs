//! Which format a client wants, by its `Accept` header, and whether compressed, by its `Accept-Encoding`.
//!
//! A format's quality is that of the most specific range which covers it (RFC 9110): its name with a version, its name, `type/*`,
//! `*/*`. The higher quality wins, and OpenMetrics if both are equal; but `*/*` tells the formats not apart, so through it nobody
//! gets OpenMetrics who would take text. Protobuf is for those who name it with its message and its framing, and like it no less than
//! the others. A range that nobody can read, or of an unknown type or version, is as good as absent.
//! Where nothing is left, the page is text: an answer is better than none.
//!
//! OpenMetrics 2.0 (feature `openmetrics2`) is for who names its version, and then wins if its quality is not the lower one.
//!
//! The escaping scheme of the page is what the range says by which the format won; one that nobody knows is as good as absent.

use std::borrow::Cow;

use hyper::{HeaderMap, header};

use crate::{encode::Format, model::EscapingScheme};

/// The format of the page for a client that sent these headers, and the escaping scheme, if it asks for one.
pub fn negotiate(headers: &HeaderMap) -> (Format, Option<EscapingScheme>) {
    let mut open_metrics = Quality::default();
    #[cfg(feature = "openmetrics2")]
    let mut open_metrics_2 = Quality::default();
    let mut text = Quality::default();
    let mut protobuf = Quality::default();
    // A line with other than visible ASCII has no range that means us.
    for line in headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok()) {
        for range in split_unquoted(line, ',').filter_map(Range::parse) {
            open_metrics.learn(range.covers("application", "openmetrics-text", "1.0.0"), &range);
            #[cfg(feature = "openmetrics2")]
            open_metrics_2.learn(range.asks_for("application", "openmetrics-text", "2.0.0"), &range);
            text.learn(range.covers("text", "plain", "0.0.4"), &range);
            protobuf.learn(range.names_protobuf().then_some(Fit::Version), &range);
        }
    }
    if protobuf.value > 0.0 && protobuf.value >= open_metrics.value.max(text.value) {
        return (Format::Protobuf, protobuf.scheme);
    }
    #[cfg(feature = "openmetrics2")]
    if open_metrics_2.value > 0.0 && open_metrics_2.value >= open_metrics.value.max(text.value) {
        return (Format::OpenMetrics2, open_metrics_2.scheme);
    }
    let prefers_open_metrics = match open_metrics.found {
        None | Some(Fit::Anything) => text.value == 0.0,
        Some(_) => open_metrics.value >= text.value,
    };
    match open_metrics.value > 0.0 && prefers_open_metrics {
        true => (Format::OpenMetrics, open_metrics.scheme),
        false => (Format::Text, text.scheme.filter(|_| text.value > 0.0)),
    }
}

/// Whether a client that sent these headers wants gzip: it names it, or everything, and likes it no less than plain bytes.
pub fn wants_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut anything, mut plain) = (None, None, None);
    for line in headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok()) {
        for (coding, quality) in line.split(',').filter_map(coding) {
            let known = match coding {
                coding if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") => &mut gzip,
                coding if coding.eq_ignore_ascii_case("identity") => &mut plain,
                "*" => &mut anything,
                _ => continue,
            };
            *known = Some(known.map_or(quality, |known: f32| known.max(quality)));
        }
    }
    // What is not named at all can be had, but is liked least.
    let (gzip, plain) = (gzip.or(anything).unwrap_or_default(), plain.unwrap_or_default());
    gzip > 0.0 && gzip >= plain
}

/// Reads `coding` or `coding;q=0.5`. None if it is malformed.
fn coding(element: &str) -> Option<(&str, f32)> {
    let Some((coding, parameter)) = element.split_once(';') else {
        return Some((element.trim(), 1.0));
    };
    let (name, quality) = parameter.split_once('=')?;
    let quality = parse_quality(quality.trim())?;
    name.trim().eq_ignore_ascii_case("q").then(|| (coding.trim(), quality))
}

/// How closely a range means a format; the later, the closer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Anything,
    Type,
    Name,
    Version,
}

/// The quality of one format, as far as the header is read.
#[derive(Debug, Default)]
struct Quality {
    /// Of the range that `value` comes from.
    found: Option<Fit>,
    value: f32,
    /// What it says of names.
    scheme: Option<EscapingScheme>,
}

impl Quality {
    fn learn(&mut self, fit: Option<Fit>, range: &Range<'_>) {
        if fit > self.found || (fit.is_some() && fit == self.found && range.quality > self.value) {
            *self = Self { found: fit, value: range.quality, scheme: range.scheme };
        }
    }
}

/// One element of an `Accept` header.
#[derive(Debug)]
struct Range<'a> {
    main: &'a str,
    sub: &'a str,
    version: Option<Cow<'a, str>>,
    /// The message that a protobuf page consists of.
    proto: Option<Cow<'a, str>>,
    /// How its messages are told apart.
    encoding: Option<Cow<'a, str>>,
    scheme: Option<EscapingScheme>,
    quality: f32,
}

impl<'a> Range<'a> {
    /// Reads `type/subtype; name=value; …`; of the parameters only `version`, `proto`, `encoding`, `escaping` and `q` matter. `None` if it is
    /// malformed.
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = split_unquoted(text, ';');
        let (main, sub) = parts.next()?.split_once('/')?;
        let (main, sub) = (main.trim(), sub.trim());
        let mut range = Self { main, sub, version: None, proto: None, encoding: None, scheme: None, quality: 1.0 };
        for parameter in parts.filter(|parameter| !parameter.trim().is_empty()) {
            let (name, value) = parameter.split_once('=')?;
            let value = unquote(value.trim())?;
            match name.trim() {
                name if name.eq_ignore_ascii_case("version") => range.version = Some(value),
                name if name.eq_ignore_ascii_case("proto") => range.proto = Some(value),
                name if name.eq_ignore_ascii_case("encoding") => range.encoding = Some(value),
                name if name.eq_ignore_ascii_case("escaping") => range.scheme = EscapingScheme::from_word(&value),
                name if name.eq_ignore_ascii_case("q") => range.quality = parse_quality(&value)?,
                _ => {}
            }
        }
        Some(range)
    }

    /// Whether this is the protobuf format, and says so in full.
    fn names_protobuf(&self) -> bool {
        self.main.eq_ignore_ascii_case("application")
            && self.sub.eq_ignore_ascii_case("vnd.google.protobuf")
            && self.proto.as_deref() == Some("io.prometheus.client.MetricFamily")
            && self.encoding.as_deref() == Some("delimited")
    }

    /// How closely this means the format `main/sub` of `version`; `None` if it does not.
    fn covers(&self, main: &str, sub: &str, version: &str) -> Option<Fit> {
        let named = |own: &str, name: &str| own.eq_ignore_ascii_case(name);
        match (self.main, self.sub, &self.version) {
            ("*", "*", _) => Some(Fit::Anything),
            (own, "*", _) if named(own, main) => Some(Fit::Type),
            (own, own_sub, asked) if named(own, main) && named(own_sub, sub) => match asked {
                None => Some(Fit::Name),
                Some(asked) if asked == version => Some(Fit::Version),
                Some(_) => None,
            },
            _ => None,
        }
    }

    /// The same for a format that nobody gets who did not ask for its version.
    #[cfg(feature = "openmetrics2")]
    fn asks_for(&self, main: &str, sub: &str, version: &str) -> Option<Fit> {
        self.covers(main, sub, version).filter(|fit| *fit == Fit::Version)
    }
}

/// A number of digits and a point, from 0 to 1.
fn parse_quality(text: &str) -> Option<f32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|quality| plain && (0.0..=1.0).contains(quality))
}

/// The text of a token or a quoted string. `None` if the quotes do not match.
pub fn unquote(text: &str) -> Option<Cow<'_, str>> {
    let Some(quoted) = text.strip_prefix('"') else {
        return (!text.contains('"')).then_some(Cow::Borrowed(text));
    };
    let mut plain = String::with_capacity(quoted.len());
    let mut rest = quoted.chars();
    loop {
        match rest.next()? {
            '"' => break,
            '\\' => plain.push(rest.next()?),
            other => plain.push(other),
        }
    }
    rest.as_str().is_empty().then_some(Cow::Owned(plain))
}

/// The pieces of `text` between the separators that are not within quotes.
pub fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut in_quotes = false;
    let mut escaped = false;
    text.split(move |letter| {
        let was_escaped = std::mem::take(&mut escaped);
        match letter {
            '\\' if in_quotes => escaped = !was_escaped,
            '"' if !was_escaped => in_quotes = !in_quotes,
            _ => {}
        }
        letter == separator && !in_quotes
    })
}
