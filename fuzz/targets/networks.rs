//! Addresses and ranges: a text is read exactly if it is one, contains what its bits say, reads back as written; and a door lets in
//! exactly the peers that its lists contain.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use manometer::{
    Registry,
    http::{Door, Network, Options, ParseNetworkError, Peer},
    model::Settings,
};
use manometer_fuzz::ask;

#[derive(Arbitrary, Debug)]
struct Input {
    text: String,
    ips: Vec<Entry>,
    cidr: Vec<Entry>,
    peers: Vec<Address>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Address {
    V4([u8; 4]),
    V6([u8; 16]),
    Mapped([u8; 4]),
    /// That of a list, with one bit turned.
    Near {
        entry: u8,
        bit: u8,
    },
}

#[derive(Arbitrary, Debug)]
struct Entry {
    address: Address,
    bits: Option<u8>,
}

fuzz_target!(|input: Input| {
    any_text(&input.text);
    let entries: Vec<(Vec<u8>, usize)> = input.ips.iter().chain(&input.cidr).map(Entry::meaning).collect();
    let texts = |entries: &[Entry]| entries.iter().map(Entry::text).collect::<Vec<_>>();
    // Nobody speaks for others here: that is `forwarded`'s.
    let settings = Settings::new()
        .with("openmetrics_allow_ips", texts(&input.ips))
        .with("openmetrics_allow_cidr", texts(&input.cidr))
        .with("trusted_proxies", Vec::<String>::new());
    let door = Door::new(&Registry::new(), Options::from_settings(&settings).expect("good entries"));
    for peer in &input.peers {
        let peer = match *peer {
            Address::Near { entry, bit } if !entries.is_empty() => {
                let (mut bytes, _) = entries[usize::from(entry) % entries.len()].clone();
                let bit = usize::from(bit) % (bytes.len() * 8);
                bytes[bit / 8] ^= 0x80 >> (bit % 8);
                match <[u8; 4]>::try_from(bytes.clone()) {
                    Ok(bytes) => IpAddr::from(bytes),
                    Err(_) => IpAddr::from(<[u8; 16]>::try_from(bytes).expect("one of two lengths")),
                }
            }
            other => other.get(),
        };
        let own = plain(peer);
        let expected = entries.iter().any(|(bytes, bits)| {
            bytes.len() == own.len() && (0..*bits).all(|bit| (bytes[bit / 8] ^ own[bit / 8]) << (bit % 8) & 0x80 == 0)
        });
        let (status, ..) = ask(&door, "/metrics", &[], Peer::Address(peer)).expect("a good request");
        assert_eq!(status, if expected { 200 } else { 403 }, "{peer}");
    }
});

/// A text is read if, and only if, it is an address, with a number of bits or without.
fn any_text(text: &str) {
    let (base, bits) = text.split_once('/').map_or((text, None), |(base, bits)| (base, Some(bits)));
    let address = base.parse::<IpAddr>();
    match (text.parse::<Network>(), address) {
        (Err(ParseNetworkError::Address { given }), Err(_)) => assert_eq!(given, base),
        (Err(ParseNetworkError::Prefix { given, most }), Ok(address)) => {
            assert_eq!(Some(given.as_str()), bits);
            assert_eq!(most, if address.is_ipv4() { 32 } else { 128 });
            let number = given.parse::<u64>().ok().filter(|_| given.bytes().all(|byte| byte.is_ascii_digit()));
            assert!(number.is_none_or(|number| number > most.into()), "{text:?} was refused");
        }
        (Ok(network), Ok(address)) => {
            assert!(network.contains(address), "{text:?}");
            assert_eq!(network.to_string().parse::<Network>(), Ok(network), "{text:?}");
        }
        (read, address) => panic!("{text:?} is {address:?}, and was read as {read:?}"),
    }
}

impl Address {
    fn get(self) -> IpAddr {
        match self {
            Self::V4(bytes) => bytes.into(),
            Self::V6(bytes) => bytes.into(),
            Self::Mapped(bytes) => Ipv4Addr::from(bytes).to_ipv6_mapped().into(),
            Self::Near { .. } => Ipv6Addr::LOCALHOST.into(),
        }
    }
}

impl Entry {
    fn bits(&self) -> Option<u8> {
        let most = if self.address.get().is_ipv4() { 32 } else { 128 };
        self.bits.map(|bits| bits % (most + 1))
    }

    fn text(&self) -> String {
        let address = self.address.get();
        self.bits().map_or_else(|| address.to_string(), |bits| format!("{address}/{bits}"))
    }

    /// The bytes that count, and how many of their bits.
    fn meaning(&self) -> (Vec<u8>, usize) {
        let address = self.address.get();
        let own = plain(address);
        let bits = self.bits().map(usize::from);
        match (address, own.len()) {
            // An IPv4 address in IPv6 clothes, as long as all of its clothes count; else a range of IPv6 that has no IPv4 in it.
            (IpAddr::V6(_), 4) => match bits {
                Some(bits) if bits < 96 => {
                    let IpAddr::V6(whole) = address else { unreachable!() };
                    (whole.octets().to_vec(), bits)
                }
                bits => (own, bits.map_or(32, |bits| bits - 96)),
            },
            (_, len) => (own, bits.unwrap_or(len * 8)),
        }
    }
}

/// The bytes of an address, of an IPv4 one where it stands for one.
fn plain(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => match v6.octets() {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, rest @ ..] => rest.to_vec(),
            whole => whole.to_vec(),
        },
    }
}
