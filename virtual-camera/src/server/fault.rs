//! Answers that are slow, or do not end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use http::header::{CONTENT_LENGTH, HeaderValue};

use crate::state::Camera;

const MAX_BODY: usize = 8 * 1024 * 1024;

/// Delays an answer as the camera's quirks say.
pub(super) async fn slow_down(
    State(camera): State<Arc<Camera>>,
    request: Request,
    next: Next,
) -> Response {
    let quirks = camera.quirks();
    let (delay, drip) = (quirks.answer_delay_ms, quirks.drip_ms);
    let response = next.run(request).await;
    if let Some(delay) = delay {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(delay)) => {}
            () = camera.stopping.cancelled() => {}
        }
    }
    match drip {
        Some(every) => dripping(response, Duration::from_millis(every)).await,
        None => response,
    }
}

/// The same answer, a byte at a time.
async fn dripping(response: Response, every: Duration) -> Response {
    let (mut parts, body) = response.into_parts();
    // One that breaks off, or never ends, is bad enough.
    let body = to_bytes(body, MAX_BODY).await.unwrap_or_default();
    parts
        .headers
        .insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let bytes = (0..body.len()).map(move |at| body.slice(at..=at));
    let bytes = stream::iter(bytes).then(move |byte| async move {
        // The timer would make a millisecond of nothing.
        match every {
            Duration::ZERO => tokio::task::yield_now().await,
            every => tokio::time::sleep(every).await,
        }
        Ok::<_, io::Error>(byte)
    });
    Response::from_parts(parts, Body::from_stream(bytes))
}

/// A document that does not come to its end.
pub(super) fn endless(mut document: Vec<u8>) -> impl Stream<Item = io::Result<Bytes>> {
    const END: &[u8] = b"</";
    let end = document.windows(2).rposition(|two| two == END);
    document.truncate(end.unwrap_or(document.len()));
    let spaces = Bytes::from_static(&[b' '; 16 * 1024]);
    stream::iter([Bytes::from(document)])
        .chain(stream::repeat(spaces))
        .map(Ok)
}
