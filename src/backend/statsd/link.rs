//! The way to the server: its name resolved, a socket connected, and what happens when either fails.
//!
//! A name is resolved at the start, and again when every address that it had has failed: at once the first time, and then after a
//! second, two, four, up to a minute. Resolving has a thread of its own, since the system may take half a minute over it; a flush
//! waits for it, for a connection and for a full socket no longer than [`PATIENCE`].

use std::{
    fmt, io,
    io::Write,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    burst,
    options::{Resolver, StatsdOptions, Transport},
};
use crate::backend::PushError;

/// How long one step towards the server may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long the first failure is waited out; each further one twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A payload that was not, or not wholly, sent.
#[derive(Debug)]
pub(super) struct Unsent {
    /// How many bytes of a stream the system had taken before.
    pub(super) taken: usize,
    pub(super) error: io::Error,
}

/// What is known of a payload that the system took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// It is as good as there.
    Whole,
    /// A host that is near and where nobody listens says so when the next one is sent, or when [`Link::ask`] asks.
    InDoubt,
    /// It is not: the system takes no bursts from this socket.
    Refused,
}

/// The way to one server.
pub(super) struct Link {
    host: String,
    port: u16,
    transport: Transport,
    resolver: Option<Arc<Resolver>>,
    socket: Option<Socket>,
    /// Whether the options and the system allow bursts.
    bursts: bool,
    /// Whether the socket takes them too, as far as is known.
    socket_takes_bursts: bool,
    /// Addresses that were not tried since the name was last resolved, the next one last.
    untried: Vec<SocketAddr>,
    /// Where the answer will come, while the name is being resolved.
    answer: Option<Receiver<io::Result<Vec<SocketAddr>>>>,
    outage: Option<Outage>,
}

/// What is known of a server that cannot be reached.
#[derive(Debug)]
struct Outage {
    /// Nothing is tried before this.
    until: Instant,
    wait: Duration,
    resolved: bool,
    kind: io::ErrorKind,
    text: String,
}

#[derive(Debug)]
enum Socket {
    Udp(UdpSocket),
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixDatagram),
}

impl Link {
    pub(super) fn new(options: &StatsdOptions) -> Self {
        Self {
            host: options.server.clone(),
            port: options.port,
            transport: options.transport,
            resolver: options.resolver.clone(),
            socket: None,
            bursts: options.bursts && options.batch && options.transport == Transport::Udp && burst::is_possible(),
            socket_takes_bursts: true,
            untried: Vec::new(),
            answer: None,
            outage: None,
        }
    }

    /// What to call the server.
    pub(super) fn server(&self) -> String {
        match self.transport {
            Transport::Unix => self.host.clone(),
            _ if self.host.contains(':') => format!("[{}]:{}", self.host, self.port),
            _ => format!("{}:{}", self.host, self.port),
        }
    }

    /// Whether it makes sense to try something now.
    pub(super) fn check(&self) -> Result<(), PushError> {
        match &self.outage {
            Some(outage) if Instant::now() < outage.until => Err(self.describe(outage)),
            _ => Ok(()),
        }
    }

    /// Lets the next attempt come at once.
    pub(super) fn wait_no_longer(&mut self) {
        if let Some(outage) = &mut self.outage {
            outage.until = Instant::now();
        }
    }

    /// Connects if need be.
    pub(super) fn open(&mut self) -> Result<(), PushError> {
        if let Some(Socket::Tcp(stream)) = &self.socket {
            if has_ended(stream) {
                // What is written from now on would be taken and lost.
                self.socket = None;
            }
        }
        if self.socket.is_some() {
            return Ok(());
        }
        self.check()?;
        match self.connect() {
            Ok(socket) => {
                self.socket = Some(socket);
                self.socket_takes_bursts = true;
                Ok(())
            }
            Err((error, resolved)) => Err(self.fail(&error, resolved)),
        }
    }

    /// Sends one datagram, or some whole lines of a stream. An error of a datagram may be that of the one before it.
    pub(super) fn send(&mut self, payload: &[u8]) -> Result<Sent, Unsent> {
        let sent = match &mut self.socket {
            None => Err(Unsent { taken: 0, error: io::ErrorKind::NotConnected.into() }),
            Some(Socket::Udp(socket)) => whole(socket.send(payload)).map(|()| Sent::InDoubt),
            Some(Socket::Tcp(stream)) => write_all(stream, payload).map(|()| Sent::Whole),
            #[cfg(unix)]
            Some(Socket::Unix(socket)) => whole(socket.send(payload)).map(|()| Sent::Whole),
        };
        if sent.is_err() {
            self.socket = None;
        } else if sent.as_ref().is_ok_and(|sent| *sent == Sent::Whole) {
            self.note_reached();
        }
        sent
    }

    /// Whether several datagrams may go at once.
    pub(super) fn takes_bursts(&self) -> bool {
        self.bursts && self.socket_takes_bursts
    }

    /// Sends datagrams of `size` bytes, of which the last may be shorter: all or none.
    pub(super) fn send_burst(&mut self, payload: &[u8], size: usize) -> Result<Sent, Unsent> {
        let Some(Socket::Udp(socket)) = &self.socket else {
            return Err(Unsent { taken: 0, error: io::ErrorKind::NotConnected.into() });
        };
        match burst::send(socket, payload, size) {
            Ok(_) => Ok(Sent::InDoubt),
            Err(error) if burst::is_refusal(&error) => {
                log::debug!("statsd: datagrams go one by one to {}: {error}", self.server());
                self.socket_takes_bursts = false;
                Ok(Sent::Refused)
            }
            Err(error) => {
                self.socket = None;
                Err(Unsent { taken: 0, error })
            }
        }
    }

    /// Asks whether somebody listened to what was sent last.
    pub(super) fn ask(&mut self) -> Result<(), Unsent> {
        let Some(Socket::Udp(socket)) = &self.socket else {
            return Ok(());
        };
        match socket.take_error() {
            Ok(None) => {
                self.note_reached();
                Ok(())
            }
            Ok(Some(error)) | Err(error) => {
                self.socket = None;
                Err(Unsent { taken: 0, error })
            }
        }
    }

    fn note_reached(&mut self) {
        if self.outage.take().is_some() {
            log::info!("statsd server {} is reached again", self.server());
        }
    }

    /// Whether another address is left to be tried at once after a failure.
    pub(super) fn has_another(&self) -> bool {
        !self.untried.is_empty()
    }

    /// Notes that the server cannot be reached, to be tried again later.
    pub(super) fn fail(&mut self, error: &io::Error, resolved: bool) -> PushError {
        self.socket = None;
        let wait = match &self.outage {
            None => FIRST_WAIT,
            Some(outage) => (outage.wait * 2).min(LONGEST_WAIT),
        };
        let (until, kind, text) = (Instant::now() + wait, error.kind(), error.to_string());
        let outage = Outage { until, wait, resolved, kind, text };
        let described = self.describe(&outage);
        if self.outage.is_none() {
            log::warn!("statsd: {described}; values are kept and sent when it is reached");
        }
        self.outage = Some(outage);
        described
    }

    fn describe(&self, outage: &Outage) -> PushError {
        let server = self.server();
        let source = io::Error::new(outage.kind, outage.text.clone());
        match outage.resolved {
            true => PushError::Send { server, source },
            false => PushError::Resolve { server, source },
        }
    }

    /// A socket to the first address that takes one; or what the last one said, and whether there was an address at all.
    fn connect(&mut self) -> Result<Socket, (io::Error, bool)> {
        #[cfg(unix)]
        if self.transport == Transport::Unix {
            return connect_unix(&self.host).map_err(|error| (error, true));
        }
        if self.untried.is_empty() {
            self.untried = self.resolve().map_err(|error| (error, false))?;
        }
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        let mut resolved = false;
        while let Some(address) = self.untried.pop() {
            resolved = true;
            match connect_to(address, self.transport) {
                Ok(socket) => return Ok(socket),
                Err(error) => last = error,
            }
        }
        Err((last, resolved))
    }

    /// The addresses of the server, those of IPv4 last, since they are tried first.
    fn resolve(&mut self) -> io::Result<Vec<SocketAddr>> {
        if let (Ok(address), None) = (self.host.parse::<IpAddr>(), &self.resolver) {
            return Ok(vec![SocketAddr::new(address, self.port)]);
        }
        let answer = match self.answer.take() {
            Some(answer) => answer,
            None => self.start_resolving()?,
        };
        let mut addresses = match answer.recv_timeout(PATIENCE) {
            Ok(addresses) => addresses?,
            Err(RecvTimeoutError::Timeout) => {
                self.answer = Some(answer);
                return Err(io::Error::new(io::ErrorKind::TimedOut, "it is still being resolved"));
            }
            Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("the resolver panicked")),
        };
        addresses.reverse();
        addresses.sort_by_key(SocketAddr::is_ipv4);
        Ok(addresses)
    }

    fn start_resolving(&self) -> io::Result<Receiver<io::Result<Vec<SocketAddr>>>> {
        let (answer, receiver) = sync_channel(1);
        let (host, port, resolver) = (self.host.clone(), self.port, self.resolver.clone());
        thread::Builder::new().name("statsd-resolve".to_owned()).spawn(move || {
            let addresses = match resolver {
                Some(resolver) => resolver(&host, port),
                None => (host.as_str(), port).to_socket_addrs().map(Iterator::collect),
            };
            // Nobody waits any more if the provider is gone.
            let _ = answer.send(addresses);
        })?;
        Ok(receiver)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("server", &self.server())
            .field("transport", &self.transport)
            .field("socket", &self.socket)
            .field("outage", &self.outage)
            .finish_non_exhaustive()
    }
}

fn connect_to(address: SocketAddr, transport: Transport) -> io::Result<Socket> {
    if transport == Transport::Tcp {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        return Ok(Socket::Tcp(stream));
    }
    let any = if address.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(address)?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(Socket::Udp(socket))
}

#[cfg(unix)]
fn connect_unix(path: &str) -> io::Result<Socket> {
    let socket = std::os::unix::net::UnixDatagram::unbound()?;
    socket.connect(path)?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(Socket::Unix(socket))
}

/// Whether the other side has closed the stream.
fn has_ended(stream: &TcpStream) -> bool {
    let look = |stream: &TcpStream| {
        stream.set_nonblocking(true)?;
        let seen = stream.peek(&mut [0]);
        stream.set_nonblocking(false)?;
        seen
    };
    match look(stream) {
        Ok(bytes) => bytes == 0,
        Err(error) => error.kind() != io::ErrorKind::WouldBlock,
    }
}

/// A datagram goes whole or not at all.
fn whole(sent: io::Result<usize>) -> Result<(), Unsent> {
    sent.map(|_| ()).map_err(|error| Unsent { taken: 0, error })
}

fn write_all(stream: &mut TcpStream, payload: &[u8]) -> Result<(), Unsent> {
    let mut taken = 0;
    while taken < payload.len() {
        match stream.write(&payload[taken..]) {
            Ok(0) => return Err(Unsent { taken, error: io::ErrorKind::WriteZero.into() }),
            Ok(more) => taken += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Unsent { taken, error }),
        }
    }
    Ok(())
}
