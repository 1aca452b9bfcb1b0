//! What a test in another language wants to do and to know, as JSON over HTTP. Answered to this machine only.
//!
//! The README of the crate has a table of all of it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, Path, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::auth::Credentials;
use crate::clock::Clock;
use crate::event::{Event, Operation};
use crate::motion::{PtzPathPoint, PtzPosition};
use crate::observed::Observed;
use crate::quirks::Quirks;
use crate::requests::SeenRequest;
use crate::state::{Camera, lock};

/// How long an answer may take to get to the client before the connection is cut.
const ANSWERED: Duration = Duration::from_millis(100);

pub(crate) fn router() -> Router<Arc<Camera>> {
    Router::new()
        .route("/control/motion", post(motion))
        .route("/control/digital-input", post(digital_input))
        .route("/control/tamper", post(tamper))
        .route("/control/relays", get(relays))
        .route("/control/relays/{token}", post(relay))
        .route("/control/events", post(event))
        .route("/control/clock", post(clock))
        .route("/control/credentials", post(credentials))
        .route("/control/forget-subscriptions", post(forget_subscriptions))
        .route("/control/reboot", post(reboot))
        .route("/control/move", post(move_to))
        .route("/control/end-rtsp-sessions", post(end_rtsp_sessions))
        .route(
            "/control/quirks",
            get(quirks).put(set_quirks).patch(change_quirks),
        )
        .route("/control/quirks/{preset}", post(add_preset))
        .route("/control/observed", get(observed).delete(reset_observed))
        .route("/control/requests", get(requests))
        .route("/control/ptz", get(ptz))
        .layer(from_fn(from_this_machine))
}

type Shared = State<Arc<Camera>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    active: bool,
}

// A page in a browser on this machine cannot get here either: JSON makes it ask first, and nobody answers that.
async fn motion(State(camera): Shared, Json(switch): Json<Switch>) -> StatusCode {
    camera.set_motion(switch.active);
    StatusCode::NO_CONTENT
}

async fn digital_input(State(camera): Shared, Json(switch): Json<Switch>) -> StatusCode {
    camera.set_digital_input(switch.active);
    StatusCode::NO_CONTENT
}

async fn tamper(State(camera): Shared, Json(switch): Json<Switch>) -> StatusCode {
    camera.set_tamper(switch.active);
    StatusCode::NO_CONTENT
}

async fn relays(State(camera): Shared) -> Json<BTreeMap<&'static str, bool>> {
    let now = Instant::now();
    let device = lock(&camera.device);
    let relays = device.io.relays.iter();
    Json(
        relays
            .map(|(token, relay)| (*token, relay.is_active(now)))
            .collect(),
    )
}

async fn relay(
    State(camera): Shared,
    Path(token): Path<String>,
    Json(switch): Json<Switch>,
) -> StatusCode {
    match camera.set_relay(&token, switch.active) {
        true => StatusCode::NO_CONTENT,
        false => StatusCode::NOT_FOUND,
    }
}

/// As [`Event`], whose items keep the order of the JSON where it matters to nobody: by name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    topic: String,
    operation: Option<Operation>,
    #[serde(default)]
    source: BTreeMap<String, String>,
    #[serde(default)]
    key: BTreeMap<String, String>,
    #[serde(default)]
    data: BTreeMap<String, String>,
}

async fn event(State(camera): Shared, Json(report): Json<Report>) -> StatusCode {
    camera.report(Event {
        operation: report.operation,
        source: report.source.into_iter().collect(),
        key: report.key.into_iter().collect(),
        data: report.data.into_iter().collect(),
        ..Event::new(report.topic)
    });
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Offset {
    offset_s: i64,
}

async fn clock(State(camera): Shared, Json(offset): Json<Offset>) -> StatusCode {
    *lock(&camera.clock) = Clock::new(offset.offset_s);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    user: String,
    password: String,
}

async fn credentials(State(camera): Shared, Json(user): Json<User>) -> StatusCode {
    camera.set_credentials(Credentials {
        user: user.user,
        password: user.password,
    });
    StatusCode::NO_CONTENT
}

// The empty object keeps pages in a browser out here too.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn forget_subscriptions(
    State(camera): Shared,
    Json(Nothing {}): Json<Nothing>,
) -> StatusCode {
    camera.forget_subscriptions();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Restart {
    #[serde(default)]
    away_ms: u64,
}

async fn reboot(State(camera): Shared, Json(restart): Json<Restart>) -> StatusCode {
    match restart.away_ms {
        0 => camera.reboot(),
        away => {
            // The connection of this answer is cut as well.
            tokio::spawn(async move {
                tokio::time::sleep(ANSWERED).await;
                camera.reboot_for(Duration::from_millis(away));
            });
        }
    }
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    address: IpAddr,
}

async fn move_to(State(camera): Shared, Json(place): Json<Place>) -> Response {
    match camera.move_to(place.address) {
        Ok(connections) => {
            // That of this answer is among them.
            tokio::spawn(async move {
                tokio::time::sleep(ANSWERED).await;
                connections.cancel();
            });
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => {
            let error = json!({ "error": format!("cannot listen at {}: {error}", place.address) });
            (StatusCode::CONFLICT, Json(error)).into_response()
        }
    }
}

async fn end_rtsp_sessions(State(camera): Shared, Json(Nothing {}): Json<Nothing>) -> StatusCode {
    camera.rtsp.close_sessions();
    StatusCode::NO_CONTENT
}

async fn quirks(State(camera): Shared) -> Json<Quirks> {
    Json(Quirks::clone(&camera.quirks()))
}

async fn set_quirks(State(camera): Shared, Json(fields): Json<Map<String, Value>>) -> Response {
    answer_change(&camera, Quirks::default().changed(fields))
}

async fn change_quirks(State(camera): Shared, Json(fields): Json<Map<String, Value>>) -> Response {
    answer_change(&camera, camera.quirks().changed(fields))
}

async fn add_preset(
    State(camera): Shared,
    Path(preset): Path<String>,
    Json(Nothing {}): Json<Nothing>,
) -> Response {
    let mut quirks = Quirks::clone(&camera.quirks());
    let added = quirks.add_preset(&preset);
    answer_change(&camera, added.map(|()| quirks))
}

fn answer_change(camera: &Camera, quirks: Result<Quirks, crate::Error>) -> Response {
    match quirks {
        Ok(quirks) => {
            camera.set_quirks(quirks);
            Json(Quirks::clone(&camera.quirks())).into_response()
        }
        Err(error) => {
            let error = json!({ "error": error.to_string() });
            (StatusCode::BAD_REQUEST, Json(error)).into_response()
        }
    }
}

async fn observed(State(camera): Shared) -> Json<Observed> {
    Json(camera.observed())
}

async fn reset_observed(State(camera): Shared) -> StatusCode {
    camera.reset_observed();
    StatusCode::NO_CONTENT
}

async fn requests(State(camera): Shared) -> Json<Vec<SeenRequest>> {
    Json(lock(&camera.requests).seen())
}

#[derive(Serialize)]
struct Head {
    position: PtzPosition,
    moving: bool,
    path: Vec<PtzPathPoint>,
}

async fn ptz(State(camera): Shared) -> Json<Head> {
    let (pan_tilt, zoom) = lock(&camera.ptz).moving(Instant::now());
    Json(Head {
        position: camera.position(),
        moving: pan_tilt || zoom,
        path: camera.ptz_path(),
    })
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
