//! RTSP tunnelled through the HTTP port.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode, Version};
use tokio_util::io::ReaderStream;

use crate::rtsp::{TUNNEL_CONTENT_TYPE, TUNNEL_COOKIE};
use crate::state::Camera;

/// Serves requests that are an end of a tunnel, and passes the others on.
pub(super) async fn serve(
    State(camera): State<Arc<Camera>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let cookie = request.headers().get(TUNNEL_COOKIE);
    let cookie = cookie
        .and_then(|cookie| cookie.to_str().ok())
        .map(str::to_owned);
    match (cookie, request.method()) {
        (Some(cookie), &Method::GET) => answers(&camera, &cookie, peer),
        (Some(cookie), &Method::POST) => {
            let body = request.into_body().into_data_stream();
            match camera.rtsp.feed_tunnel(&cookie, body).await {
                true => StatusCode::OK.into_response(),
                false => StatusCode::NOT_FOUND.into_response(),
            }
        }
        _ => next.run(request).await,
    }
}

fn answers(camera: &Camera, cookie: &str, peer: SocketAddr) -> Response {
    let Some(answers) = camera.rtsp.open_tunnel(cookie, peer) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(TUNNEL_CONTENT_TYPE)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (CONNECTION, HeaderValue::from_static("close")),
    ];
    let mut response = (headers, Body::from_stream(ReaderStream::new(answers))).into_response();
    // Not in chunks, which clients of tunnels do not expect.
    *response.version_mut() = Version::HTTP_10;
    response
}
