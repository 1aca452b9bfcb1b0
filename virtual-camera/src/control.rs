//! A few things a test in another language wants to do, as JSON over HTTP. Answered to this machine only.
//!
//! - `POST /control/motion` with `{"active": true}`: raises or ends motion.
//! - `GET /control/observed`: what clients did, see [`crate::Observed`].

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;

use crate::observed::Observed;
use crate::state::Camera;
use crate::topic::Topic;

#[derive(Deserialize)]
struct Motion {
    active: bool,
}

pub(crate) fn router() -> Router<Arc<Camera>> {
    Router::new()
        .route("/control/motion", post(motion))
        .route("/control/observed", get(observed))
        .layer(from_fn(from_this_machine))
}

// A page in a browser on this machine cannot get here either: JSON makes it ask first, and nobody answers that.
async fn motion(State(camera): State<Arc<Camera>>, Json(motion): Json<Motion>) -> StatusCode {
    camera.set_property(&[Topic::MotionAlarm, Topic::CellMotion], motion.active);
    StatusCode::NO_CONTENT
}

async fn observed(State(camera): State<Arc<Camera>>) -> Json<Observed> {
    Json(camera.observed())
}

async fn from_this_machine(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    if peer.ip().to_canonical().is_loopback() {
        next.run(request).await
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}
