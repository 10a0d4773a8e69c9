//! Where connections come from: addresses that are bound here, or sockets that were made elsewhere.

use std::{
    future::poll_fn,
    io,
    net::{self, SocketAddr},
    task::Poll,
};

use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

use super::access::Peer;

/// Connections that wait to be accepted, at most.
const BACKLOG: i32 = 1024;

/// A socket that is listened on, made before there is a runtime.
#[derive(Debug)]
pub enum Socketed {
    Tcp(net::TcpListener),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener),
}

/// The same within a runtime.
#[derive(Debug)]
pub enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

/// A new connection.
#[derive(Debug)]
pub enum Accepted {
    Tcp(TcpStream, Peer),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// Listens at `address`. An IPv6 address takes no IPv4 clients along, so that `0.0.0.0` and `::` can be had side by side.
pub fn bind(address: SocketAddr) -> io::Result<Socketed> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Elsewhere this would let two servers have one address.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(Socketed::Tcp(socket.into()))
}

impl Socketed {
    /// Where it listens, if it is an address.
    pub fn local_addr(&self) -> io::Result<Option<SocketAddr>> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Some),
            #[cfg(unix)]
            Self::Unix(_) => Ok(None),
        }
    }

    /// Hands it to the runtime that this is called in.
    pub fn enter(self) -> io::Result<Listener> {
        Ok(match self {
            Self::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                Listener::Tcp(TcpListener::from_std(listener)?)
            }
            #[cfg(unix)]
            Self::Unix(listener) => {
                listener.set_nonblocking(true)?;
                Listener::Unix(UnixListener::from_std(listener)?)
            }
        })
    }
}

/// The next connection of any of them. `turn` moves on, so that a busy one does not keep the others waiting.
pub async fn accept(listeners: &[Listener], turn: &mut usize) -> io::Result<Accepted> {
    poll_fn(|cx| {
        for step in 0..listeners.len() {
            let at = (*turn + step) % listeners.len();
            let accepted = match &listeners[at] {
                Listener::Tcp(listener) => {
                    let accepted = listener.poll_accept(cx);
                    accepted.map_ok(|(stream, peer)| Accepted::Tcp(stream, Peer::Address(peer.ip())))
                }
                #[cfg(unix)]
                Listener::Unix(listener) => listener.poll_accept(cx).map_ok(|(stream, _)| Accepted::Unix(stream)),
            };
            if accepted.is_ready() {
                *turn = at + 1;
                return accepted;
            }
        }
        Poll::Pending
    })
    .await
}
