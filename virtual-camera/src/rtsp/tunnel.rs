//! RTSP through HTTP, as QuickTime invented it: answers and packets come in a GET that does not end, requests go in
//! Base64 in a POST, and a cookie ties the two.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _, stream};
use tokio::io::AsyncRead;
use tokio::sync::mpsc;
use tokio_util::io::StreamReader;

/// The header that ties the two requests of a tunnel.
pub(crate) const COOKIE: &str = "x-sessioncookie";
pub(crate) const CONTENT_TYPE: &str = "application/x-rtsp-tunnelled";

const MAX_TUNNELS: usize = 64;
/// Pieces of requests that wait to be read.
const QUEUE: usize = 16;

/// The tunnels there are, by cookie.
#[derive(Debug, Default)]
pub(super) struct Tunnels(Mutex<HashMap<String, mpsc::Sender<Bytes>>>);

/// What takes a tunnel away when its GET ends.
#[derive(Debug)]
pub(super) struct Opened {
    tunnels: Arc<Tunnels>,
    cookie: String,
    requests: mpsc::WeakSender<Bytes>,
}

impl Tunnels {
    /// Opens a tunnel, in place of one with the same cookie; `None` when there are too many. What is read from it are
    /// requests.
    pub(super) fn open(
        self: &Arc<Self>,
        cookie: &str,
    ) -> Option<(Opened, impl AsyncRead + Unpin + use<>)> {
        let (send, receive) = mpsc::channel(QUEUE);
        let mut tunnels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tunnels.len() >= MAX_TUNNELS && !tunnels.contains_key(cookie) {
            return None;
        }
        let opened = Opened {
            tunnels: self.clone(),
            cookie: cookie.to_owned(),
            requests: send.downgrade(),
        };
        tunnels.insert(cookie.to_owned(), send);
        let pieces = stream::unfold(receive, async |mut receive| {
            let piece = receive.recv().await?;
            Some((Ok::<_, std::io::Error>(piece), receive))
        });
        Some((opened, StreamReader::new(pieces.boxed())))
    }

    /// Takes what comes in a POST, until it ends, is not Base64, or its GET has ended; `false` where there is none.
    pub(super) async fn feed<E>(
        &self,
        cookie: &str,
        body: impl Stream<Item = Result<Bytes, E>>,
    ) -> bool {
        let Some(requests) = self.requests(cookie) else {
            return false;
        };
        let mut decoder = Decoder::default();
        let mut body = std::pin::pin!(body);
        while let Some(Ok(piece)) = body.next().await {
            let Some(decoded) = decoder.push(&piece) else {
                tracing::debug!("what came through an RTSP tunnel is no Base64");
                break;
            };
            let Some(requests) = requests.upgrade() else {
                break;
            };
            if requests.send(decoded).await.is_err() {
                break;
            }
        }
        true
    }

    fn requests(&self, cookie: &str) -> Option<mpsc::WeakSender<Bytes>> {
        let tunnels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tunnels.get(cookie).map(mpsc::Sender::downgrade)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let mut tunnels = self
            .tunnels
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let ours = self.requests.upgrade();
        let there = tunnels.get(&self.cookie);
        if there
            .zip(ours)
            .is_some_and(|(there, ours)| there.same_channel(&ours))
        {
            tunnels.remove(&self.cookie);
        }
    }
}

/// Base64 in pieces, each request with an end of its own.
#[derive(Debug, Default)]
struct Decoder {
    pending: Vec<u8>,
}

impl Decoder {
    fn push(&mut self, piece: &[u8]) -> Option<Bytes> {
        let letters = piece.iter().filter(|byte| !byte.is_ascii_whitespace());
        self.pending.extend(letters);
        let whole = self.pending.len() / 4 * 4;
        let mut decoded = BytesMut::with_capacity(whole);
        for four in self.pending[..whole].chunks_exact(4) {
            let mut three = [0; 3];
            let length = BASE64.decode_slice(four, &mut three).ok()?;
            decoded.extend_from_slice(&three[..length]);
        }
        self.pending.drain(..whole);
        Some(decoded.freeze())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[test]
    fn decodes_requests_that_end_in_the_middle_of_a_piece() {
        let encoded = format!(
            "{}\r\n{}",
            BASE64.encode("OPTIONS *"),
            BASE64.encode("DESCRIBE")
        );
        for cut in 0..encoded.len() {
            let mut decoder = Decoder::default();
            let (first, second) = encoded.split_at(cut);
            let pieces = [first, second].map(|piece| decoder.push(piece.as_bytes()).unwrap());
            assert_eq!(pieces.concat(), b"OPTIONS *DESCRIBE");
        }
        assert_eq!(Decoder::default().push(b"no!!"), None);
    }

    #[tokio::test]
    async fn a_tunnel_is_there_as_long_as_its_get() {
        let tunnels = Arc::new(Tunnels::default());
        let body = |text: &str| stream::iter([Ok::<_, ()>(Bytes::from(BASE64.encode(text)))]);
        assert!(!tunnels.feed("a", body("x")).await);
        let (opened, mut read) = tunnels.open("a").unwrap();
        assert!(tunnels.feed("a", body("one ")).await);
        assert!(tunnels.feed("a", body("two")).await);
        let mut text = [0; 7];
        read.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"one two");

        // One that is opened anew is not closed with the old.
        let (again, _read) = tunnels.open("a").unwrap();
        drop(opened);
        assert!(tunnels.feed("a", body("")).await);
        drop(again);
        assert!(!tunnels.feed("a", body("")).await);
    }
}
