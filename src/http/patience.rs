//! A stream that gives up on a client that reads nothing.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep, timeout},
};

use super::guests::Guest;
use crate::sync::Arc;

/// How long a refused client is listened to.
const HEARING: Duration = Duration::from_secs(1);

/// How much of what it says is heard.
const HEARING_BYTES: usize = 1 << 20;

/// A stream whose writes fail once the client has taken nothing for `limit`.
///
/// Without it, who opens connections and never reads would keep others out for good, since connections are counted.
#[derive(Debug)]
pub struct Patient<S> {
    stream: S,
    guest: Arc<Guest>,
    limit: Duration,
    /// Runs while the client takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Patient<S> {
    /// Guards `stream`, and tells `guest` when bytes come or go.
    pub fn new(stream: S, guest: Arc<Guest>, limit: Duration) -> Self {
        Self { stream, guest, limit, stalled: None }
    }

    /// Sends `text` if there is room for it and it cannot end up in the middle of a page.
    pub async fn say_last(mut self, text: &str) {
        if self.stalled.is_none() {
            let say = |cx: &mut Context<'_>| {
                // A client that cannot take these few bytes does not get them; it is being cut off anyway.
                let _ = Pin::new(&mut self.stream).poll_write(cx, text.as_bytes());
                Poll::Ready(())
            };
            poll_fn(say).await;
        }
    }

    /// Takes in what a refused client still sends, for `HEARING` and `HEARING_BYTES` at most: closing with bytes unread would reset
    /// the connection, and the client would lose the reply that says why.
    pub async fn hear_out(mut self) {
        let stream = &mut self.stream;
        let _ = poll_fn(|cx| Pin::new(&mut *stream).poll_shutdown(cx)).await;
        let hear = async {
            let mut heard = 0;
            let mut memory = [0; 4096];
            while heard < HEARING_BYTES {
                let mut piece = ReadBuf::new(&mut memory);
                let read = poll_fn(|cx| Pin::new(&mut *stream).poll_read(cx, &mut piece)).await;
                match piece.filled().len() {
                    0 => break,
                    _ if read.is_err() => break,
                    more => heard += more,
                }
            }
        };
        let _ = timeout(HEARING, hear).await;
    }

    /// Passes on what a write came to, and keeps the time while it comes to nothing.
    fn watch<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            self.guest.touch();
            return written;
        }
        let limit = self.limit;
        let timer = self.stalled.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if read.is_ready() {
            self.guest.touch();
        }
        read
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
