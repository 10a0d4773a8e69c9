//! Addresses and ranges of addresses, as lists of who may do what have them.

use std::{
    error::Error,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use ipnet::IpNet;

/// Bits of an IPv6 address that are the same in all that stand for an IPv4 address.
const MAPPED_BITS: u8 = 96;

/// An address or a range of addresses of one family.
///
/// IPv4 addresses written as IPv6 ones (`::ffff:10.1.2.3`) are the IPv4 addresses that they stand for.
///
/// # Examples
/// ```
/// use manometer::http::Network;
///
/// let office: Network = "10.1.2.3/8".parse()?; // host bits mean nothing
/// assert!(office.contains("::ffff:10.9.9.9".parse()?));
/// assert!(!"0.0.0.0/0".parse::<Network>()?.contains("2001:db8::1".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Whether `address` is this one or in this range.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self(address.to_canonical().into())
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    /// Reads an address, or a range as an address and the number of its leading bits that count.
    ///
    /// # Errors
    /// `Address` or `Prefix`, with the part that cannot be read.
    fn from_str(text: &str) -> Result<Self, ParseNetworkError> {
        let (base, prefix) = text.split_once('/').map_or((text, None), |(base, prefix)| (base, Some(prefix)));
        let base: IpAddr = base.parse().map_err(|_| ParseNetworkError::Address { given: base.to_owned() })?;
        let Some(prefix) = prefix else {
            return Ok(base.into());
        };
        let most = if base.is_ipv4() { 32 } else { 128 };
        // Digits alone: `u8` would take a sign.
        let digits = Some(prefix).filter(|prefix| prefix.bytes().all(|byte| byte.is_ascii_digit()));
        let refused = || ParseNetworkError::Prefix { given: prefix.to_owned(), most };
        let bits: u8 =
            digits.and_then(|digits| digits.parse().ok()).filter(|bits| *bits <= most).ok_or_else(refused)?;
        let network = match (base, base.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(v4)) if bits >= MAPPED_BITS => IpNet::new(v4.into(), bits - MAPPED_BITS),
            _ => IpNet::new(base, bits),
        };
        network.map(|network| Self(network.trunc())).map_err(|_| refused())
    }
}

/// As text that reads back.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.prefix_len() == self.0.max_prefix_len() {
            true => write!(f, "{}", self.0.addr()),
            false => write!(f, "{}", self.0),
        }
    }
}

/// Why a text is no address and no range.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseNetworkError {
    /// What should be an address is none.
    Address {
        /// The part.
        given: String,
    },
    /// What should be a number of bits is none.
    Prefix {
        /// The part.
        given: String,
        /// How many bits such an address has.
        most: u8,
    },
}

impl fmt::Display for ParseNetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { given } => write!(f, "{given:?} is not an IPv4 or IPv6 address"),
            Self::Prefix { given, most } => write!(f, "prefix length {given:?} is not a number from 0 to {most}"),
        }
    }
}

impl Error for ParseNetworkError {}

/// The addresses that mean this machine and nobody else.
pub fn loopback() -> Vec<Network> {
    vec![IpAddr::from(Ipv4Addr::LOCALHOST).into(), IpAddr::from(Ipv6Addr::LOCALHOST).into()]
}

/// Whether one of them contains `address`.
pub fn any_contains(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}
