//! The server: its address, its thread, its connections, and its end.

use std::{
    convert::Infallible,
    error::Error,
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::Pin,
    thread::{self, JoinHandle},
    time::Duration,
};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioTimer;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    answer::{decide, respond},
    patience::Patient,
};
use crate::{collect::Collector, registry::Registry, sync::Arc};

/// Where a server listens that was told nothing else.
pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5280);

/// How long a client has that was told nothing else. Not one of the usual scrape intervals, so that an idle connection is not
/// closed in the very moment in which the next request is on its way.
pub const DEFAULT_CLIENT_TIMEOUT: Duration = Duration::from_secs(12);

/// Connections at a time.
const MAX_CONNECTIONS: usize = 128;

/// What the line and the headers of a request may take together; also how much of a page waits to be written, one piece apart.
const MAX_HEAD_BYTES: usize = 16 * 1024;

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
/// println!("the metrics are at http://{}/metrics", server.local_addr());
/// server.stop();
/// # Ok::<(), manometer::http::ServeError>(())
/// ```
#[derive(Debug)]
#[must_use = "a server stops when it is dropped"]
pub struct Server {
    local_addr: SocketAddr,
    /// Says nothing while there is one; its end is the sign to stop.
    running: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `registry` at [`DEFAULT_ADDRESS`].
    ///
    /// # Errors
    /// As [`ServerBuilder::start`].
    pub fn start(registry: &Registry) -> Result<Self, ServeError> {
        Self::builder(registry).start()
    }

    /// Begins the description of a server for `registry`.
    pub fn builder(registry: &Registry) -> ServerBuilder {
        ServerBuilder {
            collector: Collector::new(registry),
            address: DEFAULT_ADDRESS,
            client_timeout: DEFAULT_CLIENT_TIMEOUT,
        }
    }

    /// Where it listens; the port is the real one if it was asked for port 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
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
    collector: Collector,
    address: SocketAddr,
    client_timeout: Duration,
}

impl ServerBuilder {
    /// Where to listen: a loopback address. Port 0 means any that is free; see [`Server::local_addr`].
    pub fn address(self, address: impl Into<SocketAddr>) -> Self {
        Self { address: address.into(), ..self }
    }

    /// Whether OpenMetrics pages have `_created` samples; they do unless told otherwise. Many ingestors store each as one more
    /// series.
    pub fn created_samples(self, created_samples: bool) -> Self {
        Self { collector: self.collector.with_created(created_samples), ..self }
    }

    /// How long a client may take to send a request, and to read on when its page waits for it; 12 seconds unless told otherwise.
    /// An idle connection is closed after the same time.
    pub fn client_timeout(self, client_timeout: Duration) -> Self {
        Self { client_timeout, ..self }
    }

    /// Listens, and starts the thread that answers.
    ///
    /// # Errors
    /// - `NotLoopback`: the address can be reached from other machines.
    /// - `AddressInUse`: somebody listens there already; take another port, or stop that.
    /// - `Listen`: the system refuses the address for another reason.
    /// - `Thread`: the system gives no thread or no event queue.
    pub fn start(self) -> Result<Server, ServeError> {
        let Self { collector, address, client_timeout } = self;
        if !address.ip().to_canonical().is_loopback() {
            return Err(ServeError::NotLoopback { address });
        }
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(ServeError::thread)?;
        let (listener, local_addr) = {
            let _inside = runtime.enter();
            listen(address).map_err(|source| ServeError::listen(address, source))?
        };
        let (running, stop) = watch::channel(());
        let door = Door { collector: Arc::new(collector), client_timeout, stop };
        let thread = thread::Builder::new()
            .name("manometer-http".to_owned())
            .spawn(move || runtime.block_on(door.serve(listener)))
            .map_err(ServeError::thread)?;
        Ok(Server { local_addr, running: Some(running), thread: Some(thread) })
    }
}

/// A listener, and where it really is. Runs inside a runtime.
fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let local_addr = listener.local_addr()?;
    Ok((TcpListener::from_std(listener)?, local_addr))
}

/// What every connection shares.
#[derive(Clone, Debug)]
struct Door {
    collector: Arc<Collector>,
    client_timeout: Duration,
    /// Its sender is gone when it is time to stop.
    stop: watch::Receiver<()>,
}

impl Door {
    /// Accepts and answers until it is time to stop.
    async fn serve(mut self, listener: TcpListener) {
        // A task that panics ends its own connection.
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                _ = self.stop.changed() => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(self.clone().converse(stream));
                    }
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                },
            }
        }
        drop(listener);
        // Whoever is not done by then is cut off with the set.
        let _ = timeout(STOP_GRACE, async { while connections.join_next().await.is_some() {} }).await;
    }

    /// Answers the requests of one connection.
    async fn converse(self, stream: TcpStream) {
        let Self { collector, client_timeout, mut stop } = self;
        let service = service_fn(|request: Request<Incoming>| {
            let answer = decide(request.method(), request.uri(), request.headers());
            std::future::ready(Ok::<_, Infallible>(respond(answer, || collector.collect())))
        });
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(client_timeout)
            .max_buf_size(MAX_HEAD_BYTES)
            .serve_connection(Patient::new(stream, client_timeout), service);
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
                    parts.io.say_last(TIMED_OUT);
                }
            }
            Err(_) => parts.io.hear_out().await,
        }
    }
}

/// Why a server did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// The address can be reached from other machines.
    NotLoopback {
        /// The address as given.
        address: SocketAddr,
    },
    /// Somebody listens there already.
    AddressInUse {
        /// The address as given.
        address: SocketAddr,
    },
    /// The system refuses to listen there.
    Listen {
        /// The address as given.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The system gives no thread, or no event queue for it.
    Thread {
        /// What the system says.
        source: io::Error,
    },
}

impl ServeError {
    fn listen(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::AddressInUse { address },
            _ => Self::Listen { address, source },
        }
    }

    fn thread(source: io::Error) -> Self {
        Self::Thread { source }
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoopback { address } => {
                write!(
                    f,
                    "cannot serve at {address}: only loopback addresses (127.0.0.0/8, ::1), since there is no access control"
                )
            }
            Self::AddressInUse { address } => write!(f, "cannot serve at {address}: the address is in use"),
            Self::Listen { address, source } => write!(f, "cannot serve at {address}: {source}"),
            Self::Thread { source } => write!(f, "cannot start the server's thread: {source}"),
        }
    }
}

impl Error for ServeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NotLoopback { .. } | Self::AddressInUse { .. } => None,
            Self::Listen { source, .. } | Self::Thread { source } => Some(source),
        }
    }
}
