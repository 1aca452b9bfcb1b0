use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Routes, lock};
use crate::events::operations::Notify;
use crate::soap::{self, Answer};

const CONNECTIONS: usize = 64;
const HEAD_DEADLINE: Duration = Duration::from_secs(5);
/// For one request with its body, and its place in the queue.
const REQUEST_DEADLINE: Duration = Duration::from_secs(15);
/// How long a camera waits for room in the queue before it is told to come back later.
const QUEUE_DEADLINE: Duration = Duration::from_secs(3);

/// Serves until it is dropped, and with it every connection.
pub(super) async fn serve(listener: TcpListener, routes: Routes, body_limit: usize) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return;
        };
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, peer)) => {
                let routes = routes.clone();
                connections.spawn(async move {
                    let _slot = slot;
                    let served = serve_connection(stream, peer, routes, body_limit);
                    if tokio::time::timeout(REQUEST_DEADLINE, served)
                        .await
                        .is_err()
                    {
                        tracing::debug!(%peer, "a pushing client is too slow");
                    }
                });
            }
            Err(error) => {
                tracing::debug!(%error, "a pushed connection was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve_connection(stream: TcpStream, peer: SocketAddr, routes: Routes, body_limit: usize) {
    let service = service_fn(|request| {
        let routes = routes.clone();
        async move {
            let status = answer(request, peer, &routes, body_limit).await;
            let mut response = Response::new(Empty::<Bytes>::new());
            *response.status_mut() = status;
            Ok::<_, Infallible>(response)
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_headers(64)
        // Idle connections would take the slots of cameras that have something to say.
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "a pushed request broke off");
    }
}

async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    routes: &Routes,
    body_limit: usize,
) -> StatusCode {
    let secret = request.uri().path().trim_start_matches('/');
    let Some(route) = lock(routes).get(secret).cloned() else {
        return StatusCode::NOT_FOUND;
    };
    if !route.peers.is_empty() && !route.peers.contains(&peer.ip().to_canonical()) {
        tracing::warn!(%peer, "an event that somebody else than the camera pushed is refused");
        return StatusCode::NOT_FOUND;
    }
    if request.method() != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    let Ok(body) = Limited::new(request.into_body(), body_limit)
        .collect()
        .await
    else {
        return StatusCode::PAYLOAD_TOO_LARGE;
    };
    let body = body.to_bytes();
    let notifications = match soap::decode::<Notify>(&soap::text(&body), "Notify") {
        Ok(Answer::Reply(notify)) => notify.notifications,
        Ok(Answer::Fault(_)) => return StatusCode::BAD_REQUEST,
        Err(error) => {
            tracing::debug!(%peer, %error, "a pushed event cannot be read");
            return StatusCode::BAD_REQUEST;
        }
    };
    match tokio::time::timeout(QUEUE_DEADLINE, route.queue.send(notifications)).await {
        Ok(Ok(())) => StatusCode::OK,
        Ok(Err(_)) => StatusCode::NOT_FOUND,
        Err(_) => {
            route.overflowed.store(true, Ordering::Relaxed);
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
