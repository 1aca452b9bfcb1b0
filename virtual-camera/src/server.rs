//! The HTTP server: SOAP, snapshot and control.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use http::{StatusCode, Uri};
use tokio::net::TcpListener;

use crate::auth::{Presented, Refusal, username_token};
use crate::control;
use crate::service::{Call, Service, answer};
use crate::soap::{self, Fault};
use crate::state::{Camera, lock};
use crate::xml::{Element, Node, Rendering, WSA};

const MAX_BODY: usize = 1024 * 1024;
/// A client that sends its request more slowly than this is cut off.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// Serves until the camera stops.
pub(crate) async fn serve(camera: Arc<Camera>, listener: TcpListener) {
    let stopping = camera.stopping.clone();
    let router = Router::new()
        .route("/onvif/snapshot", get(snapshot))
        .route("/onvif/{service}", post(soap))
        .route("/onvif/subscription/{id}", post(soap))
        .merge(control::router())
        .with_state(camera);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service)
        .with_graceful_shutdown(stopping.cancelled_owned())
        .await;
    if let Err(error) = served {
        tracing::warn!(%error, "the HTTP server of the virtual camera ended");
    }
}

/// The host to put into addresses for a client that asked with these headers.
pub(crate) fn advertised_host(camera: &Camera, asked: Option<&str>) -> String {
    if let Some(host) = &camera.quirks.advertised_host {
        return host.clone();
    }
    if !camera.http.ip().is_unspecified() {
        return url_host(camera.http);
    }
    let asked = asked.and_then(|host| url::Url::parse(&format!("http://{host}")).ok());
    let asked = asked.and_then(|url| url.host_str().map(str::to_owned));
    asked.unwrap_or_else(|| "127.0.0.1".to_owned())
}

/// An address as the host of a URL.
pub(crate) fn url_host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

async fn soap(State(camera): State<Arc<Camera>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(service) = Service::at(parts.uri.path()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let body = match read_body(body).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    let request = match soap::Request::read(&body) {
        Ok(request) => request,
        Err(fault) => return refuse(&camera, None, &fault, &[]),
    };
    let operation = request.body.name.as_str();
    lock(&camera.observed).record(operation);
    let header = Some(&request.header);
    let presented = Presented {
        method: "POST",
        uri: target(&parts.uri),
        authorization: authorization(&parts.headers),
        header: &request.header,
    };
    note_credentials(&camera, &presented);
    if !service.is_open(operation, &camera) {
        let now = lock(&camera.clock).now();
        let checked = lock(&camera.gate).check(&presented, now);
        if let Err(refusal) = checked {
            note_refusal(&camera, &refusal);
            let fault = Fault::not_authorized(refusal.status);
            return refuse(&camera, header, &fault, &refusal.challenges);
        }
    }
    let asked = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let call = Call {
        camera: &camera,
        host: &advertised_host(&camera, asked),
        request: &request.body,
    };
    match answer(&service, &call).await {
        Ok(body) => respond(&camera, StatusCode::OK, header, body),
        Err(fault) => refuse(&camera, header, &fault, &[]),
    }
}

async fn snapshot(
    State(camera): State<Arc<Camera>>,
    headers: HeaderMap,
    uri: Uri,
    ConnectInfo(_): ConnectInfo<SocketAddr>,
) -> Response {
    if camera.quirks.snapshot_404 {
        return StatusCode::NOT_FOUND.into_response();
    }
    let presented = Presented {
        method: "GET",
        uri: target(&uri),
        authorization: authorization(&headers),
        header: &Node::default(),
    };
    note_credentials(&camera, &presented);
    let checked = lock(&camera.gate).check_digest(&presented);
    if let Err(refusal) = checked {
        note_refusal(&camera, &refusal);
        return challenge(refusal.status.into_response(), &refusal.challenges);
    }
    lock(&camera.observed).snapshots += 1;
    let jpeg = HeaderValue::from_static("image/jpeg");
    ([(CONTENT_TYPE, jpeg)], camera.clip.still()).into_response()
}

async fn read_body(body: Body) -> Result<Bytes, StatusCode> {
    match tokio::time::timeout(BODY_DEADLINE, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

fn target(uri: &Uri) -> &str {
    uri.path_and_query()
        .map_or(uri.path(), |target| target.as_str())
}

fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()
}

fn note_credentials(camera: &Camera, presented: &Presented<'_>) {
    if presented.authorization.is_some() || username_token(presented.header).is_some() {
        lock(&camera.observed).requests_with_credentials += 1;
    }
}

fn note_refusal(camera: &Camera, refusal: &Refusal) {
    if refusal.wrong {
        tracing::info!(camera = camera.name, "refused credentials");
        lock(&camera.observed).authentication_failures += 1;
    }
}

fn refuse(
    camera: &Camera,
    header: Option<&Node>,
    fault: &Fault,
    challenges: &[String],
) -> Response {
    let status = if camera.quirks.fault_http_200 {
        StatusCode::OK
    } else {
        fault.status
    };
    challenge(respond(camera, status, header, fault.element()), challenges)
}

fn challenge(mut response: Response, challenges: &[String]) -> Response {
    for challenge in challenges {
        if let Ok(value) = HeaderValue::from_str(challenge) {
            response.headers_mut().append(WWW_AUTHENTICATE, value);
        }
    }
    response
}

fn respond(camera: &Camera, status: StatusCode, header: Option<&Node>, body: Element) -> Response {
    let rendering = Rendering {
        undeclared: camera.quirks.undeclared_prefix.then_some(WSA),
        pad_addresses: camera.quirks.text_padding,
    };
    let content_type = HeaderValue::from_static("application/soap+xml; charset=utf-8");
    let document = soap::reply(header, body).render(rendering);
    (status, [(CONTENT_TYPE, content_type)], document).into_response()
}
