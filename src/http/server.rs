//! The server: its addresses, its thread, its connections, and its end.

use std::{
    convert::Infallible,
    future::Future,
    io,
    net::{self, SocketAddr},
    pin::Pin,
    thread::{self, JoinHandle},
    time::Duration,
};

use hyper::{Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    runtime,
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    Body, DenialReport, Door, Options, Peer, ServeError,
    answer::message,
    guests::{Guest, Guests},
    listen::{Accepted, Listener, Socketed, accept, bind},
    patience::Patient,
};
use crate::{
    collect::{Collector, Source},
    registry::Registry,
    sync::Arc,
};

/// What the line and the headers of a request may take together; also how much of a page waits to be written, one piece apart.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// How long a source may take to collect.
const SCRAPE_LIMIT: Duration = Duration::from_secs(60);

/// How long pages in flight may take once the server is told to stop.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// How long nothing is accepted after accepting failed, which it does when there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const TIMED_OUT: &str =
    "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\ncache-control: no-store\r\nconnection: close\r\n\r\n";

/// A running server. It stops when this is dropped.
///
/// # Examples
/// ```
/// use manometer::{Registry, http::Server};
///
/// let registry = Registry::new();
/// let server = Server::builder(&registry).address(([127, 0, 0, 1], 0)).start()?; // port 0: any that is free
/// println!("the metrics are at http://{}/metrics", server.local_addrs()[0]);
/// server.stop();
/// # Ok::<(), manometer::http::ServeError>(())
/// ```
#[derive(Debug)]
#[must_use = "a server stops when it is dropped"]
pub struct Server {
    local_addrs: Vec<SocketAddr>,
    door: Door,
    /// Says nothing while there is one; its end is the sign to stop.
    running: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `registry` at port 5280 of the loopback addresses.
    ///
    /// # Errors
    /// As [`ServerBuilder::start`].
    pub fn start(registry: &Registry) -> Result<Self, ServeError> {
        Self::builder(registry).start()
    }

    /// Begins the description of a server for `registry`.
    pub fn builder(registry: &Registry) -> ServerBuilder {
        Self::of(Arc::new(Collector::new(registry)))
    }

    /// Begins the description of a server for what `source` has, which may be a manager.
    pub fn of(source: Arc<dyn Source>) -> ServerBuilder {
        ServerBuilder { source, options: Options::new(), listeners: Vec::new() }
    }

    /// The addresses at which it listens, in the order in which they were asked for; the ports are the real ones where it was port
    /// 0. Unix sockets are not among them.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.local_addrs
    }

    /// How many requests were denied, and why.
    pub fn denied(&self) -> DenialReport {
        self.door.denied()
    }

    /// Stops, as dropping does: accepts nobody more, closes idle connections, and waits for pages in flight, but not longer than
    /// a second.
    pub fn stop(self) {}
}

impl Drop for Server {
    fn drop(&mut self) {
        self.running = None;
        if let Some(thread) = self.thread.take() {
            // The thread reports its own panic; to drop a server is no place to repeat it.
            let _ = thread.join();
        }
    }
}

/// How a server will be. Nothing runs until [`start`](Self::start).
#[derive(Debug)]
#[must_use = "nothing is served until `start`"]
pub struct ServerBuilder {
    source: Arc<dyn Source>,
    options: Options,
    listeners: Vec<Socketed>,
}

impl ServerBuilder {
    /// With these options, in place of all that were given before.
    pub fn options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// As [`Options::address`]: where to listen, besides where it was told to before.
    pub fn address(self, address: impl Into<SocketAddr>) -> Self {
        Self { options: self.options.address(address), ..self }
    }

    /// As [`Options::created_samples`].
    pub fn created_samples(self, created_samples: bool) -> Self {
        Self { options: self.options.created_samples(created_samples), ..self }
    }

    /// As [`Options::client_timeout`].
    pub fn client_timeout(self, client_timeout: Duration) -> Self {
        Self { options: self.options.client_timeout(client_timeout), ..self }
    }

    /// Takes the clients of a listener that was made elsewhere. Where no address is given besides, it serves these alone.
    ///
    /// Sockets that systemd passes on come so, by way of the crate `listenfd`, for one.
    pub fn listener(mut self, listener: net::TcpListener) -> Self {
        self.listeners.push(Socketed::Tcp(listener));
        self
    }

    /// The same for a Unix socket. Who may connect to it is decided by the permissions of its file; see [`Peer::Unix`].
    #[cfg(unix)]
    pub fn unix_listener(mut self, listener: std::os::unix::net::UnixListener) -> Self {
        self.listeners.push(Socketed::Unix(listener));
        self
    }

    /// Listens, and starts the thread that answers.
    ///
    /// An address at which it cannot listen is no error while there is another; it is logged as a warning.
    ///
    /// # Errors
    /// - `Listen`: the system refuses each of the addresses: take other ones, or stop who is there.
    /// - `Listener`: a listener that was made elsewhere cannot be used.
    /// - `Thread`: the system gives no thread or no event queue.
    pub fn start(self) -> Result<Server, ServeError> {
        let Self { source, options, mut listeners } = self;
        let addresses = match &options.addresses {
            Some(addresses) => addresses.clone(),
            None if listeners.is_empty() => Options::default_addresses(),
            None => Vec::new(),
        };
        let mut refused = Vec::new();
        for address in addresses {
            match bind(address) {
                Ok(listener) => listeners.push(listener),
                Err(error) => refused.push((address, error)),
            }
        }
        if listeners.is_empty() {
            return Err(ServeError::Listen { refused });
        }
        for (address, error) in refused {
            log::warn!("the metrics are not served at {address}: {error}");
        }

        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|source| ServeError::Thread { source })?;
        let (local_addrs, listeners) = {
            let _inside = runtime.enter();
            enter(listeners).map_err(|source| ServeError::Listener { source })?
        };
        let (running, stop) = watch::channel(());
        let client_timeout = options.client_timeout;
        let door = Door::of(source, options);
        let host = Host { door: door.clone(), client_timeout, stop };
        let thread = thread::Builder::new()
            .name("manometer-http".to_owned())
            .spawn(move || runtime.block_on(host.serve(listeners)))
            .map_err(|source| ServeError::Thread { source })?;
        Ok(Server { local_addrs, door, running: Some(running), thread: Some(thread) })
    }
}

/// Hands listeners to the runtime that this is called in; also where they really are.
fn enter(listeners: Vec<Socketed>) -> io::Result<(Vec<SocketAddr>, Vec<Listener>)> {
    let addresses: io::Result<Vec<_>> = listeners.iter().map(Socketed::local_addr).collect();
    let listeners: io::Result<Vec<_>> = listeners.into_iter().map(Socketed::enter).collect();
    Ok((addresses?.into_iter().flatten().collect(), listeners?))
}

/// What every connection shares.
#[derive(Clone, Debug)]
struct Host {
    door: Door,
    client_timeout: Duration,
    /// Its sender is gone when it is time to stop.
    stop: watch::Receiver<()>,
}

impl Host {
    /// Accepts and answers until it is time to stop.
    async fn serve(mut self, listeners: Vec<Listener>) {
        let mut guests = Guests::default();
        let mut stop = self.stop.clone();
        let mut turn = 0;
        loop {
            tokio::select! {
                _ = stop.changed() => break,
                Some(()) = guests.leave() => {}
                accepted = accept(&listeners, &mut turn) => match accepted {
                    Ok(accepted) => {
                        tokio::select! {
                            _ = stop.changed() => break,
                            () = guests.make_room() => self.admit(accepted, &mut guests),
                        }
                    }
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                },
            }
        }
        drop(listeners);
        // Whoever is not done by then is cut off with the tasks.
        let _ = timeout(STOP_GRACE, guests.all_leave()).await;
    }

    fn admit(&mut self, accepted: Accepted, guests: &mut Guests) {
        let guest = Arc::new(Guest::new());
        match accepted {
            Accepted::Tcp(stream, peer) => guests.admit(guest.clone(), self.clone().converse(stream, peer, guest)),
            #[cfg(unix)]
            Accepted::Unix(stream) => guests.admit(guest.clone(), self.clone().converse(stream, Peer::Unix, guest)),
        }
    }

    /// Answers the requests of one connection.
    async fn converse<S>(self, stream: S, peer: Peer, guest: Arc<Guest>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { door, client_timeout, mut stop } = self;
        let door = door.with_peer(peer);
        let service = service_fn(|request: Request<Incoming>| answer(&door, &guest, request));
        let patient = TokioIo::new(Patient::new(stream, guest.clone(), client_timeout));
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(client_timeout)
            .max_buf_size(MAX_HEAD_BYTES)
            // Who has sent all that it wants to, and closed that direction, still gets its answer.
            .half_close(true)
            .serve_connection(patient, service);
        let ended = tokio::select! {
            end = &mut connection => Some(end),
            _ = stop.changed() => None,
        };
        let end = match ended {
            Some(end) => end,
            None => {
                Pin::new(&mut connection).graceful_shutdown();
                (&mut connection).await
            }
        };
        let parts = connection.into_parts();
        match end {
            Ok(()) => {}
            // A client that began a request is told; one that was idle is not waiting for an answer.
            Err(error) if error.is_timeout() => {
                if !parts.read_buf.is_empty() {
                    parts.io.into_inner().say_last(TIMED_OUT).await;
                }
            }
            Err(_) => parts.io.into_inner().hear_out().await,
        }
    }
}

/// The response to one request, or that there is none in time.
fn answer<'a>(
    door: &'a Door,
    guest: &'a Guest,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<Body>, Infallible>> + 'a {
    let (parts, _) = request.into_parts();
    async move {
        let answered = guest.waiting_for(timeout(SCRAPE_LIMIT, door.answer(&parts))).await;
        let late = |_| message(StatusCode::SERVICE_UNAVAILABLE, "the metrics are not collected yet\n");
        Ok(answered.unwrap_or_else(late))
    }
}
