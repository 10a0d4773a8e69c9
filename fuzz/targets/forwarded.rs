//! Forwarding headers: a chain of proxies is walked to the right client, however it is written; and nothing that a client sends ahead
//! of its proxy's own entry lets anybody in, or keeps anybody out who is let in without it.
#![no_main]

use std::net::IpAddr;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use manometer::{
    Registry,
    http::{Door, ForwardedHeader, Options, Peer},
};
use manometer_fuzz::ask;

/// Whom the door lets in.
const ALLOWED: [&str; 2] = ["203.0.113.0/24", "2001:db8:1::/48"];

/// Whom it believes.
const TRUSTED: [&str; 3] = ["10.0.0.0/8", "fd00::/8", "127.0.0.1"];

#[derive(Arbitrary, Debug)]
struct Input {
    standard: bool,
    required: bool,
    unix: bool,
    chain: Vec<Entry>,
    claims: Vec<u8>,
    raw: Vec<Vec<u8>>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Entry {
    who: Who,
    bytes: [u8; 16],
    v6: bool,
    port: Option<u16>,
    quoted: bool,
    /// What comes before it: a comma with blanks, or another line of the header.
    joint: u8,
    /// In `Forwarded`: other pairs around `for`.
    others: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
enum Who {
    Trusted,
    Allowed,
    Stranger,
}

fuzz_target!(|input: Input| {
    let kind = if input.standard { ForwardedHeader::Forwarded } else { ForwardedHeader::XForwardedFor };
    let name = if input.standard { "forwarded" } else { "x-forwarded-for" };
    let options = Options::new()
        .allow_ips([])
        .allow_cidr(ALLOWED.map(|range| range.parse().expect("a range")))
        .trusted_proxies(TRUSTED.map(|range| range.parse().expect("a range")))
        .forwarded_header(kind)
        .require_forwarded(input.required);
    let door = Door::new(&Registry::new(), options);
    let peer = if input.unix { Peer::Unix } else { Peer::Address(IpAddr::from([10, 1, 2, 3])) };
    let status = |lines: &[Vec<u8>]| {
        let headers: Vec<(&str, &[u8])> = lines.iter().map(|line| (name, &line[..])).collect();
        ask(&door, "/metrics", &headers, peer).map(|(status, ..)| status)
    };

    // Any bytes at all: an answer, and never to somebody who is not named in a way that can be read.
    if let Some(status) = status(&input.raw) {
        assert!([200, 403].contains(&status));
    }

    // A chain of our own making: the last entry that is no proxy of ours is the client.
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for entry in &input.chain {
        entry.append(input.standard, &mut lines);
    }
    let client = input.chain.iter().rev().map(|entry| entry.who).find(|who| *who != Who::Trusted);
    let expected = match client {
        Some(Who::Allowed) => 200,
        Some(_) => 403,
        // Nobody but proxies: the peer itself asks. It is on no list, but whoever comes through the socket needs none.
        None if input.unix && (!input.required || !input.chain.is_empty()) => 200,
        None => 403,
    };
    assert_eq!(status(&lines), Some(expected), "{lines:?}");

    // The client claims something, and the proxy adds the client's own address: on the same line, or on one of its own.
    let Some(last) = input.chain.last().filter(|last| last.who != Who::Trusted) else { return };
    let mut lines = vec![input.claims.clone()];
    last.append(input.standard, &mut lines);
    let expected = if last.who == Who::Allowed { 200 } else { 403 };
    match status(&lines) {
        None => {} // No server takes such a header.
        // A quote that the claim leaves open spoils the line that it is on: nobody is let in, which is the client's own loss.
        Some(403) if input.standard && lines.len() == 1 => {}
        Some(found) => assert_eq!(found, expected, "{lines:?}"),
    }
});

impl Entry {
    fn address(&self) -> IpAddr {
        let mut bytes = self.bytes;
        let head: &[u8] = match (self.who, self.v6) {
            (Who::Trusted, false) => &[10],
            (Who::Trusted, true) => &[0xfd],
            (Who::Allowed, false) => &[203, 0, 113],
            (Who::Allowed, true) => &[0x20, 1, 0xd, 0xb8, 0, 1],
            (Who::Stranger, false) => &[198, 51],
            (Who::Stranger, true) => &[0x20, 2],
        };
        bytes[..head.len()].copy_from_slice(head);
        match self.v6 {
            true => bytes.into(),
            false => [bytes[0], bytes[1], bytes[2], bytes[3]].into(),
        }
    }

    fn append(&self, standard: bool, lines: &mut Vec<Vec<u8>>) {
        let address = self.address();
        // IPv4 in IPv6 clothes is the same address.
        let node = match (address, self.port, standard) {
            (IpAddr::V4(v4), None, false) if self.quoted => format!("::ffff:{v4}"),
            (IpAddr::V4(v4), None, _) => v4.to_string(),
            (IpAddr::V4(v4), Some(port), _) => format!("{v4}:{port}"),
            (IpAddr::V6(v6), None, false) if !self.quoted => v6.to_string(),
            (IpAddr::V6(v6), None, _) => format!("[{v6}]"),
            (IpAddr::V6(v6), Some(port), _) => format!("[{v6}]:{port}"),
        };
        let element = match standard {
            false => node,
            true => {
                // A quoted pair in a quoted string is the character behind the backslash.
                let node = match (self.quoted || node.contains(':'), self.others & 4) {
                    (true, 0) => format!("\"{node}\""),
                    (true, _) => format!("\"\\{node}\""),
                    (false, _) => node,
                };
                let name = ["for", "For", "FOR", "fOr"][usize::from(self.others & 3)];
                let before =
                    ["", "proto=https;", "by=\"_a;b,c\\\"\" ; ", "host=x;;"][usize::from(self.others >> 3 & 3)];
                let after = ["", ";proto=http", "; by=_secret ", ";host=\"a, for=1.2.3.4\""];
                format!("{before}{name}={node}{}", after[usize::from(self.others >> 5 & 3)])
            }
        };
        match (lines.last_mut(), ["", ",", ", ", " ,\t,, "][usize::from(self.joint & 3)]) {
            (Some(line), joint) if !joint.is_empty() => line.extend_from_slice(format!("{joint}{element}").as_bytes()),
            _ => lines.push(element.into_bytes()),
        }
    }
}
