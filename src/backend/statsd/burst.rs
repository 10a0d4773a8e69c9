//! Several datagrams in one call: of equal size, so that Linux itself can part them (generic segmentation offload, `UDP_SEGMENT`).
//!
//! The kernel walks its layers once for up to 64 datagrams, and parts them just before the device or the socket at the other end. All
//! but the last must be of one size. What a datagram lacks is made up by zeros before a number: `000042` is `42` for every daemon
//! that was looked at (statsd, Telegraf, statsd_exporter, the Datadog agent, gostatsd, brubeck, Vector), while gostatsd and brubeck
//! count an empty line as a bad one.

use std::{io, net::UdpSocket};

use super::lines::Lines;

/// The most datagrams that Linux parts (`UDP_MAX_SEGMENTS`).
const MOST_DATAGRAMS: usize = 64;

/// The most bytes of one call: the largest datagram of IPv4.
const MOST_BYTES: usize = 65_507;

/// The most zeros before one number. A datagram that lacks more is the last of its burst.
const MOST_ZEROS: usize = 128;

/// Datagrams that go in one call, one behind the other.
#[derive(Debug)]
pub(super) struct Burst {
    pub(super) bytes: Vec<u8>,
    pub(super) units: usize,
    pub(super) datagrams: usize,
    /// How many there may be.
    pub(super) most: usize,
}

impl Default for Burst {
    fn default() -> Self {
        Self { bytes: Vec::new(), units: 0, datagrams: 0, most: MOST_DATAGRAMS }
    }
}

impl Burst {
    /// Takes the next datagrams of `size` bytes; none if there are not two. The very last one, if `all` are to go, may be shorter.
    pub(super) fn fill(&mut self, lines: &Lines, size: usize, all: bool) -> bool {
        self.bytes.clear();
        (self.units, self.datagrams) = (0, 0);
        while self.datagrams < self.most && self.bytes.len() + size <= MOST_BYTES {
            let Some(next) = lines.after(self.units, size, true, all).filter(|next| next.text.len() <= size) else {
                break;
            };
            self.units += next.units;
            self.datagrams += 1;
            let lacking = size - next.text.len();
            // Nothing follows what is shorter.
            if lacking > MOST_ZEROS || lines.ends_after(self.units) {
                self.bytes.extend_from_slice(next.text);
                break;
            }
            let (before, behind) = next.text.split_at(start_of_number(next.text));
            self.bytes.extend_from_slice(before);
            self.bytes.resize(self.bytes.len() + lacking, b'0');
            self.bytes.extend_from_slice(behind);
        }
        self.datagrams > 1
    }
}

/// Where the digits of the last line begin. Names hold no colon.
fn start_of_number(text: &[u8]) -> usize {
    let line = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let colon = text[line..].iter().position(|byte| *byte == b':').expect("a line has a value");
    let value = line + colon + 1;
    value + usize::from(text[value] == b'-')
}

/// Sends `bytes` as datagrams of `size` bytes, the last of what is left.
#[cfg(target_os = "linux")]
pub(super) fn send(socket: &UdpSocket, bytes: &[u8], size: usize) -> io::Result<usize> {
    let size = u16::try_from(size).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let (buffers, control) = ([io::IoSlice::new(bytes)], segment_message(size));
    let message = socket2::MsgHdr::new().with_buffers(&buffers).with_control(&control);
    socket2::SockRef::from(socket).sendmsg(&message, 0)
}

/// As cmsg(3) lays it out: length, level and type, the value, and what makes it whole words.
#[cfg(target_os = "linux")]
fn segment_message(size: u16) -> [u8; HEAD_BYTES + size_of::<usize>()] {
    let mut message = [0; HEAD_BYTES + size_of::<usize>()];
    let (length, rest) = message.split_at_mut(size_of::<usize>());
    length.copy_from_slice(&(HEAD_BYTES + size_of::<u16>()).to_ne_bytes());
    rest[..4].copy_from_slice(&libc::SOL_UDP.to_ne_bytes());
    rest[4..8].copy_from_slice(&libc::UDP_SEGMENT.to_ne_bytes());
    rest[8..10].copy_from_slice(&size.to_ne_bytes());
    message
}

/// Bytes of a control message before its value.
#[cfg(target_os = "linux")]
const HEAD_BYTES: usize = size_of::<usize>() + 8;

/// Whether the system parts a burst: it is asked to, from one socket of loopback to itself, since systems that do not know of it
/// would send one large datagram.
#[cfg(target_os = "linux")]
pub(super) fn is_possible() -> bool {
    let try_it = || -> io::Result<bool> {
        let socket = UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
        socket.connect(socket.local_addr()?)?;
        socket.set_read_timeout(Some(std::time::Duration::from_millis(100)))?;
        send(&socket, b"ab", 1)?;
        let mut room = [0; 2];
        Ok(socket.recv(&mut room)? == 1 && socket.recv(&mut room)? == 1)
    };
    try_it().unwrap_or(false)
}

/// Whether an error says that this socket takes no bursts, be it for its device, its route or the size of the datagrams; and nothing
/// of what was sent before.
#[cfg(target_os = "linux")]
pub(super) fn is_refusal(error: &io::Error) -> bool {
    let refusals = [libc::EIO, libc::EINVAL, libc::EMSGSIZE, libc::EOPNOTSUPP, libc::ENOPROTOOPT];
    error.raw_os_error().is_some_and(|code| refusals.contains(&code))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn send(_: &UdpSocket, _: &[u8], _: usize) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_possible() -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_refusal(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}
