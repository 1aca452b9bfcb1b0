//! What a connection to the RTSP port turns out to be: RTSP, RTSP over TLS, or one end of a tunnel through HTTP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::stream;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, split};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::connection::{self, Ends};
use super::sessions::SESSION_TIMEOUT;
use super::tunnel::{CONTENT_TYPE, COOKIE};

/// A client that agrees on TLS more slowly than this is cut off.
const TLS_DEADLINE: Duration = Duration::from_secs(5);
/// What the first record of TLS begins with.
const TLS_HANDSHAKE: u8 = 0x16;
/// A request with a longer header is not that of a tunnel.
const MAX_HEAD: usize = 8 << 10;

/// Serves one client until it leaves, misbehaves, or `closing` is cancelled.
pub(super) async fn serve(
    shared: Arc<Shared>,
    stream: TcpStream,
    peer: SocketAddr,
    closing: CancellationToken,
) {
    let Ok(local) = stream.local_addr() else {
        return;
    };
    // Small answers must not wait for an acknowledgement of the packets before them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let ends = Ends { local, peer };
    let mut first = [0];
    let peeked = tokio::select! {
        () = closing.cancelled() => return,
        peeked = timeout(SESSION_TIMEOUT, stream.peek(&mut first)) => peeked,
    };
    if !matches!(peeked, Ok(Ok(1))) {
        return;
    }
    match &shared.tls {
        Some(tls) if first == [TLS_HANDSHAKE] => {
            match timeout(TLS_DEADLINE, tls.accept(stream)).await {
                Ok(Ok(stream)) => enter(shared, stream, ends, closing).await,
                Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS was not agreed on"),
                Err(_) => tracing::debug!(%peer, "TLS was not agreed on in time"),
            }
        }
        _ => enter(shared, stream, ends, closing).await,
    }
}

async fn enter(
    shared: Arc<Shared>,
    stream: impl AsyncRead + AsyncWrite,
    ends: Ends,
    closing: CancellationToken,
) {
    let (mut read, mut write) = split(stream);
    let mut begun = BytesMut::new();
    let head = tokio::select! {
        () = closing.cancelled() => return,
        head = timeout(SESSION_TIMEOUT, tunnel_head(&mut read, &mut begun)) => head,
    };
    let Ok(Ok(head)) = head else {
        return;
    };
    let Some(Head {
        is_get,
        cookie,
        length,
    }) = head
    else {
        connection::serve(shared, (read, begun), write, ends, closing).await;
        return;
    };
    if !is_get {
        let body = begun.split_off(length).freeze();
        tokio::select! {
            () = closing.cancelled() => {}
            _ = shared.tunnels.feed(&cookie, pieces(body, read)) => {}
        }
        return;
    }
    let Some((opened, requests)) = shared.tunnels.open(&cookie) else {
        let _ = write
            .write_all(b"HTTP/1.0 503 Service Unavailable\r\n\r\n")
            .await;
        return;
    };
    let answer = format!(
        "HTTP/1.0 200 OK\r\nConnection: close\r\nCache-Control: no-store\r\nPragma: no-cache\r\n\
         Content-Type: {CONTENT_TYPE}\r\n\r\n"
    );
    if write.write_all(answer.as_bytes()).await.is_err() || write.flush().await.is_err() {
        return;
    }
    let gone = closing.child_token();
    let requests = (requests, BytesMut::new());
    tokio::select! {
        () = connection::serve(shared, requests, write, ends, gone.clone()) => {}
        () = until_end(read, gone) => {}
    }
    drop(opened);
}

/// The first request of a tunnel.
struct Head {
    is_get: bool,
    cookie: String,
    length: usize,
}

/// Reads as far as it takes to tell whether a tunnel begins here. What was read is in the buffer.
async fn tunnel_head(
    read: &mut (impl AsyncRead + Unpin),
    begun: &mut BytesMut,
) -> io::Result<Option<Head>> {
    loop {
        let methods = [&b"GET "[..], b"POST "];
        let shortest = |method: &&[u8]| begun.starts_with(method) || method.starts_with(begun);
        if !methods.iter().any(shortest) || begun.len() > MAX_HEAD {
            return Ok(None);
        }
        if let Some(end) = begun.windows(4).position(|window| window == b"\r\n\r\n") {
            return Ok(read_head(begun, end + 4));
        }
        if read.read_buf(begun).await? == 0 {
            return Ok(None);
        }
    }
}

fn read_head(begun: &[u8], length: usize) -> Option<Head> {
    let head = str::from_utf8(&begun[..length]).ok()?;
    let cookie = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(COOKIE)
            .then(|| value.trim().to_owned())
    });
    Some(Head {
        is_get: head.starts_with("GET "),
        cookie: cookie?,
        length,
    })
}

/// What was read of a body, and what comes.
fn pieces(
    begun: Bytes,
    read: impl AsyncRead + Unpin,
) -> impl futures::Stream<Item = io::Result<Bytes>> {
    stream::unfold((Some(begun), read), async |(begun, mut read)| {
        if let Some(begun) = begun {
            return Some((Ok(begun), (None, read)));
        }
        let mut piece = BytesMut::with_capacity(4096);
        match timeout(SESSION_TIMEOUT * 2, read.read_buf(&mut piece)).await {
            Ok(Ok(0)) | Err(_) => None,
            Ok(Ok(_)) => Some((Ok(piece.freeze()), (None, read))),
            Ok(Err(error)) => Some((Err(error), (None, read))),
        }
    })
}

/// Cancels when the client of a GET is gone, and never ends itself.
async fn until_end<S: AsyncRead>(mut read: ReadHalf<S>, gone: CancellationToken) {
    let mut discarded = [0; 256];
    while read
        .read(&mut discarded)
        .await
        .is_ok_and(|length| length > 0)
    {}
    gone.cancel();
    std::future::pending().await
}
