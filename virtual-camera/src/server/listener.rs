//! Connections, and what cameras do wrong with them.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::port::Port;
use crate::state::{Camera, lock};

/// A client that agrees on TLS more slowly than this is cut off.
const TLS_DEADLINE: Duration = Duration::from_secs(5);
/// How long a connection too many waits for another to end: what a client closed is noticed a little later.
const GRACE: Duration = Duration::from_millis(200);

/// Accepts TCP or TLS.
pub(super) struct WireListener {
    accepted: mpsc::Receiver<(Wire, SocketAddr)>,
    acceptor: AbortHandle,
}

impl WireListener {
    pub(super) fn new(camera: Arc<Camera>, port: Port, tls: Option<TlsAcceptor>) -> Self {
        let (send, accepted) = mpsc::channel(16);
        let acceptor = tokio::spawn(accept(camera, port, tls, send)).abort_handle();
        Self { accepted, acceptor }
    }

    pub(super) async fn accept(&mut self) -> (Wire, SocketAddr) {
        match self.accepted.recv().await {
            Some(accepted) => accepted,
            // The accepting task ends with this listener only.
            None => std::future::pending().await,
        }
    }
}

impl Drop for WireListener {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

async fn accept(
    camera: Arc<Camera>,
    mut port: Port,
    tls: Option<TlsAcceptor>,
    send: mpsc::Sender<(Wire, SocketAddr)>,
) {
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        let (tcp, peer) = match port.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if camera.presence.is_away() {
            continue;
        }
        let (camera, tls) = (camera.clone(), tls.clone());
        let cut = camera.presence.connections();
        let (send, open) = (send.clone(), open.clone());
        tokio::spawn(async move {
            let limit = camera.quirks().max_connections.unwrap_or(usize::MAX);
            if open.load(Ordering::SeqCst) >= limit {
                tokio::time::sleep(GRACE).await;
            }
            let count = open.fetch_add(1, Ordering::SeqCst) + 1;
            let counted = Counted(open);
            if count > limit {
                tracing::info!(camera = camera.name, "closed a connection too many");
                lock(&camera.observed).connections_refused += 1;
                return;
            }
            lock(&camera.observed).connections += 1;
            let stream = match tls {
                None => Stream::Plain(tcp),
                Some(tls) => match tokio::time::timeout(TLS_DEADLINE, tls.accept(tcp)).await {
                    Ok(Ok(stream)) => Stream::Tls(Box::new(stream)),
                    Ok(Err(error)) => return tracing::debug!(%error, "TLS was not agreed on"),
                    Err(_) => return,
                },
            };
            let wire = Wire {
                stream,
                silent_close: camera.quirks().silent_close,
                whole_requests: camera.quirks().split_write_fails,
                answered: false,
                at_start: true,
                cut: Box::pin(cut.cancelled_owned()),
                _counted: counted,
            };
            let _ = send.send((wire, peer)).await;
        });
    }
}

/// Counts an open connection.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// One connection.
pub(super) struct Wire {
    stream: Stream,
    silent_close: bool,
    whole_requests: bool,
    /// Something was sent, so that what comes next is a second request.
    answered: bool,
    /// What comes next is the beginning of a request.
    at_start: bool,
    /// Ready when the connection is to be cut.
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    _counted: Counted,
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let before = buf.filled().len();
        ready!(match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        })?;
        let came = &buf.filled()[before..];
        if came.is_empty() {
            return Poll::Ready(Ok(()));
        }
        if self.whole_requests && self.at_start && buf.remaining() > 0 && !is_whole(came) {
            return Poll::Ready(Err(io::Error::other("the request came in parts")));
        }
        self.at_start = false;
        if self.silent_close && self.answered {
            buf.set_filled(before);
        }
        Poll::Ready(Ok(()))
    }
}

/// Whether these bytes hold all of a request.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    body.len() >= length.unwrap_or(0)
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.answered = true;
        self.at_start = true;
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_whole_with_its_body() {
        assert!(is_whole(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(is_whole(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab"));
        assert!(!is_whole(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n"));
        assert!(!is_whole(b"POST / HTTP/1.1\r\n"));
    }
}
