//! The door: what a request is answered with, whichever server it came through.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::{Request, Response, http::request::Parts};
use tower_service::Service;

use super::{
    Body, Options,
    access::{DenialReport, Denials, Peer},
    answer::{Answer, decide},
    desk::Desk,
    page,
};
use crate::{
    collect::{Collector, Source},
    registry::Registry,
    sync::Arc,
};

/// Answers requests for the page and the view, by the rules of its options, without a server of its own.
///
/// It is a [`tower_service::Service`], to be mounted in any server that takes one, and a function,
/// [`respond`](Self::respond), for those that do not. The server has to say who asks: by
/// [`with_peer`](Self::with_peer), or by a [`Peer`] among the extensions of a request. Where nobody says it, nobody is let in.
///
/// # Examples
/// ```
/// use hyper::Request;
/// use manometer::{Registry, http::{Door, Options, Peer}};
///
/// let registry = Registry::new();
/// registry.counter("hits").single()?.add(3);
/// let door = Door::new(&registry, Options::new());
/// let (parts, ()) = Request::get("/metrics").body(())?.into_parts();
/// let page = door.respond(&parts, Some(Peer::Address([127, 0, 0, 1].into())));
/// assert_eq!(page.body(), "# TYPE hits_total counter\nhits_total 3\n");
/// assert_eq!(door.respond(&parts, None).status(), 403);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Door {
    shared: Arc<Shared>,
    peer: Option<Peer>,
}

#[derive(Debug)]
struct Shared {
    desk: Desk,
    options: Options,
    /// The live page, if there is one.
    document: Option<Bytes>,
    denials: Denials,
}

impl Door {
    /// A door to `registry`. Of the options, those of listening and of time have no meaning here.
    pub fn new(registry: &Registry, options: Options) -> Self {
        Self::of(Arc::new(Collector::new(registry)), options)
    }

    /// A door to what `source` has.
    pub fn of(source: Arc<dyn Source>, options: Options) -> Self {
        let document = options.live_page.then(|| page::document(&options.page_path));
        let shared = Shared { desk: Desk::new(source), options, document, denials: Denials::default() };
        Self { shared: Arc::new(shared), peer: None }
    }

    /// The same door for one connection, of which this is the other end.
    #[must_use]
    pub fn with_peer(&self, peer: Peer) -> Self {
        Self { shared: self.shared.clone(), peer: Some(peer) }
    }

    /// How many requests were denied, and why.
    pub fn denied(&self) -> DenialReport {
        self.shared.denials.report()
    }

    /// The whole response to a request. `None` for a peer that nobody knows, which is denied.
    ///
    /// It collects here and now; with a manager that collects by hand, it may wait for application code.
    pub fn respond(&self, parts: &Parts, peer: Option<Peer>) -> Response<Bytes> {
        let answer = self.decide(parts, peer);
        let scraped = answer.is_of_metrics().then(|| self.shared.desk.scrape_here());
        answer.into_response(scraped, self.shared.desk.source()).map(Body::into_bytes)
    }

    /// The response to a request, whose body is rendered as it is read.
    pub(super) async fn answer(&self, parts: &Parts) -> Response<Body> {
        let answer = self.decide(parts, self.peer.or_else(|| parts.extensions.get().copied()));
        let scraped = match answer.is_of_metrics() {
            true => Some(self.shared.desk.scrape().await),
            false => None,
        };
        answer.into_response(scraped, self.shared.desk.source())
    }

    fn decide(&self, parts: &Parts, peer: Option<Peer>) -> Answer {
        let Shared { desk, options, document, denials } = &*self.shared;
        let answer = decide(options, document.as_ref(), &**desk.source(), parts, peer);
        if let Answer::Denied(denial) = answer {
            denials.count(denial);
            desk.source().count_denied(denial.as_str());
        }
        answer
    }
}

impl<B> Service<Request<B>> for Door {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (door, (parts, _)) = (self.clone(), request.into_parts());
        Box::pin(async move { Ok(door.answer(&parts).await) })
    }
}
