//! The body of an answer: a text that is rendered, and compressed, as fast as the client reads it.

use std::{
    convert::Infallible,
    fmt,
    io::Write,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http_body::{Frame, SizeHint};

use crate::{collect::Source, encode::Page, model::MetricSet, sync::Arc, view::Listing};

/// How much of a text is rendered at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// Room for the metric that a piece ends in, so that a piece is rendered without growing.
const OVERHANG_BYTES: usize = 8 * 1024;

/// A text that is written piece by piece.
#[derive(Debug)]
pub enum Text {
    /// For scrapers.
    Page(Page<Arc<MetricSet>>),
    /// For operators.
    Listing(Box<Listing<Arc<MetricSet>>>),
}

/// A body in pieces, of which one is in memory.
pub struct Body {
    /// What is rendered and not yet handed over.
    ready: Bytes,
    /// The text, until its last piece is rendered.
    rest: Option<Text>,
    /// What pieces go through.
    gzip: Option<GzEncoder<Vec<u8>>>,
    /// Whether a piece was rendered since others had their turn.
    took_turn: bool,
    /// Who is told what a page left out.
    source: Option<Arc<dyn Source>>,
}

impl Body {
    /// The body with this text, of which the first piece is rendered here. A body of one piece has a known length.
    pub(super) fn new(text: Text, compressed: bool, source: Arc<dyn Source>) -> Self {
        let gzip = compressed.then(|| GzEncoder::new(Vec::new(), Compression::fast()));
        let mut body = Self { ready: Bytes::new(), rest: Some(text), gzip, took_turn: true, source: Some(source) };
        body.render();
        body
    }

    /// A body of these bytes.
    pub(super) fn fixed(bytes: impl Into<Bytes>) -> Self {
        Self { ready: bytes.into(), rest: None, gzip: None, took_turn: false, source: None }
    }

    /// All that is left.
    pub(super) fn into_bytes(mut self) -> Bytes {
        let mut all = Vec::new();
        loop {
            let piece = std::mem::take(&mut self.ready);
            if self.rest.is_none() && all.is_empty() {
                return piece;
            }
            all.extend_from_slice(&piece);
            if self.rest.is_none() {
                return all.into();
            }
            self.render();
        }
    }

    /// Renders the next piece, if there is one. The compressor may keep it to itself for now.
    fn render(&mut self) {
        if let Some(text) = &mut self.rest {
            let (piece, more) = text.next_piece();
            if !more {
                if let (Text::Page(page), Some(source)) = (text, &self.source) {
                    match page.skipped() {
                        0 => {}
                        skipped => source.count_render_errors(skipped as u64),
                    }
                }
                self.rest = None;
            }
            self.ready = match &mut self.gzip {
                None => piece,
                Some(gzip) => {
                    gzip.write_all(&piece).expect("memory takes everything");
                    if !more {
                        gzip.try_finish().expect("memory takes everything");
                    }
                    std::mem::take(gzip.get_mut())
                }
            }
            .into();
        }
    }
}

impl Text {
    /// The next piece, and whether there is another one.
    fn next_piece(&mut self) -> (Vec<u8>, bool) {
        const ROOM: usize = PIECE_BYTES + OVERHANG_BYTES;
        match self {
            Self::Page(page) => {
                let mut piece = Vec::with_capacity(ROOM);
                let more = page.fill(&mut piece, PIECE_BYTES);
                (piece, more)
            }
            Self::Listing(listing) => {
                let mut piece = String::with_capacity(ROOM);
                let more = listing.fill(&mut piece, PIECE_BYTES);
                (piece.into_bytes(), more)
            }
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ready, rest, gzip, .. } = self;
        let mut body = f.debug_struct("Body");
        body.field("ready", &ready.len()).field("is_last", &rest.is_none()).field("gzip", &gzip.is_some()).finish()
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    /// Renders one piece at most, and lets others have their turn before the next one: a client that reads fast, or a compressor that
    /// swallows piece after piece, must not keep the rest of the runtime waiting.
    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let body = self.get_mut();
        if body.ready.is_empty() && body.rest.is_some() && !body.took_turn {
            body.render();
            body.took_turn = true;
        }
        if !body.ready.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut body.ready)))));
        }
        if body.rest.is_none() {
            return Poll::Ready(None);
        }
        body.took_turn = false;
        cx.waker().wake_by_ref();
        Poll::Pending
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
