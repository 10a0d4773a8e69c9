//! A stream that gives up on a client that reads nothing.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    time::{Sleep, sleep, timeout},
};

/// How long a refused client is listened to.
const HEARING: Duration = Duration::from_secs(1);

/// A TCP stream whose writes fail once the client has taken nothing for `limit`.
///
/// Without it, who opens connections and never reads would keep others out for good, since connections are counted.
#[derive(Debug)]
pub struct Patient {
    io: TokioIo<TcpStream>,
    limit: Duration,
    /// Runs while the client takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    /// Guards `stream`.
    pub fn new(stream: TcpStream, limit: Duration) -> Self {
        Self { io: TokioIo::new(stream), limit, stalled: None }
    }

    /// Sends `text` if there is room for it and it cannot end up in the middle of a page.
    pub fn say_last(self, text: &str) {
        if self.stalled.is_none() {
            // A client that cannot take these few bytes does not get them; it is being cut off anyway.
            let _ = self.io.into_inner().try_write(text.as_bytes());
        }
    }

    /// Takes in what a refused client still sends, for `HEARING` and 1 MiB at most: closing with bytes unread would reset the
    /// connection, and the client would lose the reply that says why.
    pub async fn hear_out(mut self) {
        let _ = poll_fn(|cx| Pin::new(&mut self).poll_shutdown(cx)).await;
        let stream = self.io.into_inner();
        let hear = async {
            let mut unread = 1 << 20;
            let mut piece = [0; 4096];
            while unread > 0 && stream.readable().await.is_ok() {
                match stream.try_read(&mut piece) {
                    Ok(0) => break,
                    Ok(read) => unread -= read.min(unread),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => break,
                }
            }
        };
        let _ = timeout(HEARING, hear).await;
    }

    /// Passes on what a write came to, and keeps the time while it comes to nothing.
    fn watch<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let limit = self.limit;
        let timer = self.stalled.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Read for Patient {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl Write for Patient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.watch(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.watch(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
