//! The body of an answer: a page that is rendered as fast as the client reads it.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::{
    encode::{Format, Page},
    model::MetricSet,
    sync::Arc,
};

/// How much of a page is rendered at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// Room for the metric that a piece ends in, so that a piece is rendered without growing.
const OVERHANG_BYTES: usize = 8 * 1024;

/// A body in pieces, of which one is in memory.
#[derive(Debug)]
pub struct PageBody {
    /// What is rendered and not yet handed over.
    ready: Bytes,
    /// The page, until its last piece is rendered.
    rest: Option<Page<Arc<MetricSet>>>,
}

impl PageBody {
    /// The page of `set`, of which the first piece is rendered here. A page of one piece has a known length.
    pub fn new(set: Arc<MetricSet>, format: Format) -> Self {
        let mut body = Self { ready: Bytes::new(), rest: Some(Page::new(set, format)) };
        body.render();
        body
    }

    /// A body of fixed text.
    pub fn text(text: &'static str) -> Self {
        Self { ready: Bytes::from_static(text.as_bytes()), rest: None }
    }

    /// Renders the next piece, if there is one.
    fn render(&mut self) {
        if let Some(page) = &mut self.rest {
            let mut piece = Vec::with_capacity(PIECE_BYTES + OVERHANG_BYTES);
            if !page.fill(&mut piece, PIECE_BYTES) {
                self.rest = None;
            }
            self.ready = piece.into();
        }
    }
}

impl Body for PageBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let body = self.get_mut();
        if body.ready.is_empty() {
            body.render();
        }
        let piece = std::mem::take(&mut body.ready);
        Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_empty() && self.rest.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let ready = self.ready.len() as u64;
        match self.rest {
            None => SizeHint::with_exact(ready),
            Some(_) => {
                let mut hint = SizeHint::new();
                hint.set_lower(ready);
                hint
            }
        }
    }
}
