//! Whom a trusted proxy speaks for: `X-Forwarded-For`, or `Forwarded` as RFC 7239 has it.
//!
//! Each proxy adds the address that it was asked by at the right end. So the walk goes from the right, over proxies that are
//! trusted, to the first address that is not: that is the client. What is left of it is what the client itself claims, and is never
//! looked at. An entry that cannot be read, where the walk meets one, ends it: nobody knows who the client is.

use std::net::{IpAddr, Ipv6Addr};

use hyper::{
    HeaderMap,
    header::{FORWARDED, HeaderName, HeaderValue},
};

use super::negotiate::{split_unquoted, unquote};

/// Which header tells whom a trusted proxy speaks for. The other one means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For: 203.0.113.9, 10.1.2.3`.
    #[default]
    XForwardedFor,
    /// `Forwarded: for=203.0.113.9, for="[2001:db8::1]:4711"`, as RFC 7239 says.
    Forwarded,
}

/// What the header of a trusted peer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// There is no such header, or it names trusted addresses alone.
    Peer {
        /// Whether there is a header.
        named: bool,
    },
    /// The client.
    Client(IpAddr),
    /// An entry that cannot be read, or no entry at all.
    Unreadable,
}

/// Walks the header that `kind` says; `is_trusted` tells proxies from clients.
pub fn origin(headers: &HeaderMap, kind: ForwardedHeader, is_trusted: impl Fn(IpAddr) -> bool) -> Origin {
    let name = match kind {
        ForwardedHeader::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
        ForwardedHeader::Forwarded => FORWARDED,
    };
    let lines: Vec<&HeaderValue> = headers.get_all(name).iter().collect();
    let mut met = 0;
    for line in lines.iter().rev() {
        let entries = match kind {
            ForwardedHeader::XForwardedFor => listed(line),
            ForwardedHeader::Forwarded => match elements(line) {
                Some(elements) => elements,
                None => return Origin::Unreadable,
            },
        };
        for entry in entries.into_iter().rev() {
            met += 1;
            let address = std::str::from_utf8(entry).ok().and_then(|entry| match kind {
                ForwardedHeader::XForwardedFor => node(entry),
                ForwardedHeader::Forwarded => named_node(entry),
            });
            match address {
                None => return Origin::Unreadable,
                Some(address) if !is_trusted(address) => return Origin::Client(address),
                Some(_) => {}
            }
        }
    }
    match (lines.len(), met) {
        (0, _) => Origin::Peer { named: false },
        (_, 0) => Origin::Unreadable,
        _ => Origin::Peer { named: true },
    }
}

/// The entries of a line of `X-Forwarded-For`.
fn listed(line: &HeaderValue) -> Vec<&[u8]> {
    let entries = line.as_bytes().split(|byte| matches!(byte, b',' | b' ' | b'\t'));
    entries.filter(|entry| !entry.is_empty()).collect()
}

/// The elements of a line of `Forwarded`; None if it has other than visible ASCII.
///
/// What a client sends cannot shift the elements that a proxy adds after it. A quote that it leaves open is closed by a quote of the
/// proxy's at best, and that leaves another one open: then the last element has a quote without its match, and cannot be read.
fn elements(line: &HeaderValue) -> Option<Vec<&[u8]>> {
    let elements = split_unquoted(line.to_str().ok()?, ',').map(|element| element.trim_matches([' ', '\t']).as_bytes());
    Some(elements.filter(|element| !element.is_empty()).collect())
}

/// The address in an element of `Forwarded`: of its pairs `name=value`, the one that is called `for`.
fn named_node(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in split_unquoted(element, ';').map(|pair| pair.trim_matches([' ', '\t'])).filter(|pair| !pair.is_empty())
    {
        let (name, value) = pair.split_once('=')?;
        let is_quoted = value.starts_with('"');
        if !is_token(name) || !is_quoted && !is_token(value) {
            return None;
        }
        let value = unquote(value)?;
        if name.eq_ignore_ascii_case("for") {
            // A second `for` is no syntax of the header; and of an IPv6 address, nothing but brackets says where its port begins.
            if found.is_some() || value.parse::<Ipv6Addr>().is_ok() {
                return None;
            }
            found = Some(node(&value)?);
        }
    }
    found
}

fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

/// An address, with a port or without: `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]`, `[::1]:80`. The port is read and forgotten.
fn node(text: &str) -> Option<IpAddr> {
    let (address, port): (IpAddr, _) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            (address.parse::<Ipv6Addr>().ok()?.into(), port)
        }
        None => match text.parse() {
            Ok(address) => (address, ""),
            Err(_) => {
                let (address, _) = text.split_once(':')?;
                (IpAddr::V4(address.parse().ok()?), &text[address.len()..])
            }
        },
    };
    let is_port = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok();
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then(|| address.to_canonical())
}
