//! Who may see the metrics: decided from the peer and the headers of a request alone.
//!
//! A client is permitted if its address is in one of the lists. The client is the peer, unless the peer is a trusted proxy and says
//! for whom it asks. Whatever cannot be read denies: there is no way to an answer but through an address that is on a list.

use std::net::IpAddr;

use hyper::{
    HeaderMap,
    header::{AUTHORIZATION, HeaderValue},
};
use subtle::ConstantTimeEq;

use super::{
    forwarded::{ForwardedHeader, Origin, origin},
    network::{Network, any_contains, loopback},
};
use crate::sync::{AtomicU64, Ordering};

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A TCP client.
    Address(IpAddr),
    /// A client of a Unix socket. Who may connect is decided by the permissions of the socket's file, so it needs no place on the
    /// lists; as a proxy it is trusted.
    Unix,
}

/// The rules of access.
#[derive(Clone, Debug)]
pub struct Rules {
    pub allow_ips: Vec<Network>,
    pub allow_cidr: Vec<Network>,
    pub trusted_proxies: Vec<Network>,
    pub forwarded: ForwardedHeader,
    pub require_forwarded: bool,
    pub token: Option<Token>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            allow_ips: loopback(),
            allow_cidr: Vec::new(),
            trusted_proxies: loopback(),
            forwarded: ForwardedHeader::default(),
            require_forwarded: false,
            token: None,
        }
    }
}

/// Why a client is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// Its address is on no list.
    NotAllowed,
    /// A trusted proxy does not say, in a way that can be read, for whom it asks.
    Malformed,
    /// A trusted proxy says nothing of whom it asks for, and must.
    NotForwarded,
    /// It is not known who asks: the door is mounted in a server that did not say.
    UnknownPeer,
    /// It does not have the token.
    Token,
}

impl Denial {
    const ALL: [Self; 5] = [Self::NotAllowed, Self::Malformed, Self::NotForwarded, Self::UnknownPeer, Self::Token];

    /// The word for it, for a label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAllowed => "not_allowed",
            Self::Malformed => "malformed",
            Self::NotForwarded => "not_forwarded",
            Self::UnknownPeer => "unknown_peer",
            Self::Token => "token",
        }
    }
}

impl Rules {
    /// Whether a client with this peer and these headers may see the metrics.
    ///
    /// # Errors
    /// The first rule that it breaks; the token comes last.
    pub fn judge(&self, peer: Option<Peer>, headers: &HeaderMap) -> Result<(), Denial> {
        self.judge_address(peer, headers)?;
        match &self.token {
            Some(token) if !token.is_in(headers) => Err(Denial::Token),
            _ => Ok(()),
        }
    }

    /// Whether a client with this peer and these headers may knock, with or without the token.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn judge_address(&self, peer: Option<Peer>, headers: &HeaderMap) -> Result<(), Denial> {
        let peer = peer.ok_or(Denial::UnknownPeer)?;
        let is_trusted = |address| any_contains(&self.trusted_proxies, address);
        let speaks_for_others = match peer {
            Peer::Address(address) => is_trusted(address),
            Peer::Unix => true,
        };
        let client = match speaks_for_others {
            false => peer,
            true => match origin(headers, self.forwarded, is_trusted) {
                Origin::Client(client) => Peer::Address(client),
                Origin::Peer { named: false } if self.require_forwarded => return Err(Denial::NotForwarded),
                Origin::Peer { .. } => peer,
                Origin::Unreadable => return Err(Denial::Malformed),
            },
        };
        let is_allowed = match client {
            Peer::Address(client) => any_contains(&self.allow_ips, client) || any_contains(&self.allow_cidr, client),
            Peer::Unix => true,
        };
        if is_allowed { Ok(()) } else { Err(Denial::NotAllowed) }
    }
}

/// A secret that clients must have.
#[derive(Clone)]
pub struct Token(Box<str>);

impl Token {
    /// The secret `text`; None unless it is of visible ASCII characters, one at least, as a header can have it.
    pub fn new(text: &str) -> Option<Self> {
        let is_visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_visible.then(|| Self(text.into()))
    }

    /// Whether there is one `Authorization: Bearer`, and this after it. How long it takes tells of the token its length alone.
    fn is_in(&self, headers: &HeaderMap) -> bool {
        let mut lines = headers.get_all(AUTHORIZATION).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else {
            return false;
        };
        bearer(line).is_some_and(|given| given.ct_eq(self.0.as_bytes()).into())
    }
}

/// What comes after the scheme `Bearer`.
fn bearer(line: &HeaderValue) -> Option<&[u8]> {
    let (scheme, given) = line.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| given.trim_ascii())
}

/// Without the secret.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

/// How many requests were denied, and why.
#[derive(Debug, Default)]
pub struct Denials([AtomicU64; Denial::ALL.len()]);

impl Denials {
    pub fn count(&self, denial: Denial) {
        // Relaxed, here and below: a count that publishes nothing but itself.
        self.0[denial as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub fn report(&self) -> DenialReport {
        // Relaxed: as above.
        DenialReport(Denial::ALL.map(|denial| (denial, self.0[denial as usize].load(Ordering::Relaxed))))
    }
}

/// How many requests were denied since the start, by reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenialReport([(Denial, u64); Denial::ALL.len()]);

impl DenialReport {
    /// How many were denied for this reason.
    pub fn count(&self, reason: Denial) -> u64 {
        self.0[reason as usize].1
    }

    /// How many were denied.
    pub fn total(&self) -> u64 {
        self.iter().map(|(_, count)| count).sum()
    }

    /// Every reason, with its count.
    pub fn iter(&self) -> impl Iterator<Item = (Denial, u64)> + use<> {
        self.0.into_iter()
    }
}
