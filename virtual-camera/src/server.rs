//! The HTTP server: SOAP, snapshot and control.

mod connections;
mod fault;
mod junk;
mod listener;
mod mjpeg;
mod tls;
mod tunnel;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use bytes::Bytes;
use http::header::{
    ALLOW, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, EXPECT, HOST, HeaderMap, HeaderName,
    HeaderValue, LOCATION, RETRY_AFTER, TRANSFER_ENCODING, WWW_AUTHENTICATE,
};
use http::{Method, StatusCode, Uri};
use tokio_rustls::TlsAcceptor;

use self::listener::WireListener;
pub use self::tls::Certificate;
pub(crate) use self::tls::Tls;

use crate::accounts::Level;
use crate::auth::{Presented, Refusal, username_token};
use crate::port::Port;
use crate::quirks::{HttpJunk, SnapshotAuth, SnapshotFault};
use crate::requests::{Asked, SeenCredentials};
use crate::service::{AccessClass, Call, Service, answer, events};
use crate::soap::{self, Fault};
use crate::state::{Camera, lock};
use crate::xml::{
    Element, Node, Rendering, TDS, TER, TEV, TIMG, TPTZ, TR2, TRT, WSA, WSNT, WSRF_RW,
};
use crate::{clip, control};

const MAX_BODY: usize = 1024 * 1024;
/// A client that sends its request more slowly than this is cut off.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// Serves until the camera stops.
pub(crate) async fn serve(camera: Arc<Camera>, port: Port, acceptor: Option<TlsAcceptor>) {
    let stopping = camera.stopping.clone();
    let listener = WireListener::new(camera.clone(), port, acceptor);
    let router = Router::new()
        .route("/onvif/snapshot", get(snapshot))
        .route("/onvif/mjpeg", get(mjpeg::serve))
        .fallback(any(soap))
        .layer(from_fn_with_state(camera.clone(), tunnel::serve))
        .layer(from_fn_with_state(camera.clone(), misbehave))
        .layer(from_fn_with_state(camera.clone(), fault::slow_down))
        .merge(control::router())
        .with_state(camera);
    connections::serve(listener, router, stopping).await;
}

/// The host to put into addresses for a client that asked with these headers.
pub(crate) fn advertised_host(camera: &Camera, asked: Option<&str>) -> String {
    if let Some(host) = &camera.quirks().advertised_host {
        return host.clone();
    }
    if !camera.http.ip().is_unspecified() {
        return url_host(camera.http.address());
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

/// What goes wrong before a request is looked at.
async fn misbehave(State(camera): State<Arc<Camera>>, request: Request, next: Next) -> Response {
    let quirks = camera.quirks();
    let expects = request.headers().contains_key(EXPECT);
    let in_chunks = request.headers().contains_key(TRANSFER_ENCODING);
    if !camera.withstands() || (quirks.no_expect && expects) {
        camera.stopping.cancelled().await;
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if quirks.no_chunked && in_chunks {
        return StatusCode::BAD_REQUEST.into_response();
    }
    if let Some((status, origin)) = &quirks.redirect {
        let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::FOUND);
        let location = format!("{origin}{}", target(request.uri()));
        return (status, [(LOCATION, location)]).into_response();
    }
    next.run(request).await
}

async fn soap(State(camera): State<Arc<Camera>>, request: Request) -> Response {
    let date = camera.shown_time();
    let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let mut number = None;
    let mut response = answer_soap(camera.clone(), request, &mut number).await;
    if let Some(number) = number {
        lock(&camera.requests).answered(number, response.status().as_u16());
    }
    if let Ok(date) = HeaderValue::try_from(date) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

/// Sets `number` to that of the request once it is known to be one.
async fn answer_soap(camera: Arc<Camera>, request: Request, number: &mut Option<u64>) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if let Some(replay) = &camera.replay
        && parts.method == Method::GET
        && replay.has_snapshot(path)
    {
        return answer_snapshot(&camera, &parts.headers, &parts.uri);
    }
    let known = camera.quirks().single_endpoint
        || camera.replay.is_some()
        || Service::at(path, &camera, "").is_some();
    if !known {
        return StatusCode::NOT_FOUND.into_response();
    }
    if parts.method != Method::POST {
        return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "POST")]).into_response();
    }
    let body = match read_body(body).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    let document = body;
    let request = match soap::Request::read(&document) {
        Ok(request) => request,
        Err(fault) => return refuse(&camera, None, &fault, &[]),
    };
    let namespace = &request.body.namespace;
    let service = match camera.replay {
        Some(_) => Some(Service::of(namespace)),
        None => Service::at(path, &camera, namespace),
    };
    let Some(service) = service else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if camera.quirks().require_prefixes && !has_conventional_prefix(&document, &request.body) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let operation = request.body.name.as_str();
    lock(&camera.observed).record(operation);
    if let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() {
        *number = Some(camera.asked(Asked {
            at: Duration::ZERO,
            peer: peer.ip(),
            host: host(&parts.headers),
            path,
            operation,
            credentials: SeenCredentials::of(authorization(&parts.headers), &request.header, ""),
        }));
    }
    let header = Some(&request.header);
    let service = events::addressed(service, &request.header);
    if let Err(fault) = events::check_addressing(&camera, &service, &request.header) {
        return refuse(&camera, header, &fault, &[]);
    }
    let presented = Presented {
        method: "POST",
        uri: target(&parts.uri),
        authorization: authorization(&parts.headers),
        header: &request.header,
        document: &document,
    };
    note_credentials(&camera, &presented);
    if !service.is_open(operation, &camera) {
        let now = camera.shown_time();
        let checked = lock(&camera.gate).check(&presented, now);
        let level = match checked {
            Ok(level) => level,
            Err(refusal) => {
                note_refusal(&camera, &refusal);
                if camera.quirks().http_junk == Some(HttpJunk::Html401) {
                    return challenge(junk::page(StatusCode::UNAUTHORIZED), &refusal.challenges);
                }
                let quirks = camera.quirks();
                let fault = Fault::not_authorized(refusal.status, quirks.fault_text.as_deref());
                return refuse(&camera, header, &fault, &refusal.challenges);
            }
        };
        if !AccessClass::of(&service, operation).is_for(level) {
            let reason = format!("{operation} is not for the level {}", level.name());
            let fault = Fault::not_authorized(StatusCode::BAD_REQUEST, Some(&reason));
            return refuse(&camera, header, &fault, &[]);
        }
    }
    let asked = Some(host(&parts.headers));
    let call = Call {
        camera: &camera,
        host: &advertised_host(&camera, asked),
        request: &request.body,
    };
    if let Some(replay) = &camera.replay {
        return match replay.answer(&call, &request.header).await {
            Ok((status, document)) => deliver(&camera, status, document),
            Err(fault) => refuse(&camera, header, &fault, &[]),
        };
    }
    let answered = match events::hang_up_after(&camera, operation) {
        Some(after) => match tokio::time::timeout(after, answer(&service, &call)).await {
            Ok(answered) => answered,
            Err(_) => return hang_up(),
        },
        None => answer(&service, &call).await,
    };
    let mut response = match answered {
        Ok(body) => respond(&camera, StatusCode::OK, header, body),
        Err(_) if camera.quirks().sub_forget_404 && matches!(service, Service::Subscription(_)) => {
            StatusCode::NOT_FOUND.into_response()
        }
        Err(fault) => refuse(&camera, header, &fault, &[]),
    };
    if presented.authorization.is_some() {
        tell_next_nonce(&camera, &mut response);
    }
    response
}

fn tell_next_nonce(camera: &Camera, response: &mut Response) {
    let digest = lock(&camera.gate).digest();
    let next = digest.and_then(|digest| digest.next_nonce());
    if let Some(value) = next.and_then(|next| HeaderValue::try_from(next).ok()) {
        let name = HeaderName::from_static("authentication-info");
        response.headers_mut().insert(name, value);
    }
}

fn has_conventional_prefix(document: &[u8], operation: &Node) -> bool {
    let known = [TDS, TRT, TR2, TPTZ, TIMG, TEV, WSNT];
    let prefix = known
        .iter()
        .find(|ns| ns.uri == operation.namespace)
        .map(|ns| ns.prefix);
    let wanted = format!("<{}:{}", prefix.unwrap_or_default(), operation.name);
    String::from_utf8_lossy(document).contains(&wanted)
}

/// An answer that breaks off.
fn hang_up() -> Response {
    let broken = futures::stream::iter([Err::<Bytes, _>(std::io::Error::other("hang up"))]);
    let length = HeaderValue::from_static("1000");
    ([(CONTENT_LENGTH, length)], Body::from_stream(broken)).into_response()
}

async fn snapshot(
    State(camera): State<Arc<Camera>>,
    headers: HeaderMap,
    uri: Uri,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
) -> Response {
    let number = camera.asked(Asked {
        at: Duration::ZERO,
        peer: peer.ip(),
        host: host(&headers),
        path: uri.path(),
        operation: "snapshot",
        credentials: SeenCredentials::of(
            authorization(&headers),
            &Node::default(),
            uri.query().unwrap_or_default(),
        ),
    });
    let response = answer_snapshot(&camera, &headers, &uri);
    lock(&camera.requests).answered(number, response.status().as_u16());
    response
}

fn answer_snapshot(camera: &Camera, headers: &HeaderMap, uri: &Uri) -> Response {
    if camera.quirks().snapshot_404 {
        return StatusCode::NOT_FOUND.into_response();
    }
    if let Some(seconds) = camera.quirks().snapshot_busy_s {
        let rest = [(RETRY_AFTER, HeaderValue::from(seconds))];
        return (StatusCode::SERVICE_UNAVAILABLE, rest).into_response();
    }
    if let Some(refusal) = refuse_snapshots(camera, headers, uri) {
        return refusal;
    }
    lock(&camera.observed).snapshots += 1;
    let jpeg = HeaderValue::from_static("image/jpeg");
    let mut still: Bytes = clip::still();
    match camera.quirks().snapshot {
        Some(SnapshotFault::Html) => return junk::page(StatusCode::OK),
        Some(SnapshotFault::Truncated) => still.truncate(still.len() / 2),
        _ => {}
    }
    let mut response = ([(CONTENT_TYPE, jpeg)], still).into_response();
    if authorization(headers).is_some() {
        tell_next_nonce(camera, &mut response);
    }
    response
}

/// The answer to a request for pictures with credentials that are not right.
fn refuse_snapshots(camera: &Camera, headers: &HeaderMap, uri: &Uri) -> Option<Response> {
    let presented = Presented {
        method: "GET",
        uri: target(uri),
        authorization: authorization(headers),
        header: &Node::default(),
        document: b"",
    };
    note_credentials(camera, &presented);
    let scheme = camera.quirks().snapshot_auth;
    if scheme == SnapshotAuth::Query && presented.authorization.is_some() {
        return Some(StatusCode::BAD_REQUEST.into_response());
    }
    let checked = {
        let gate = lock(&camera.gate);
        match scheme {
            SnapshotAuth::Digest => gate.check_digest(&presented),
            SnapshotAuth::Basic => gate.check_basic(&presented),
            SnapshotAuth::Query => gate.check_query(uri.query().unwrap_or_default()),
            SnapshotAuth::Open => Ok(Level::Administrator),
        }
    };
    let refusal = checked.err()?;
    note_refusal(camera, &refusal);
    let response = refusal.status.into_response();
    Some(challenge(response, &refusal.challenges))
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

/// The header `Host`, empty where there is none.
fn host(headers: &HeaderMap) -> &str {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    host.unwrap_or_default()
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
    let status = if camera.quirks().fault_http_200 {
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
    let mut undeclared = Vec::new();
    undeclared.extend(camera.quirks().undeclared_prefix.then_some(WSA));
    if camera.quirks().fault_undeclared_ns {
        undeclared.extend([TER, WSRF_RW]);
    }
    let rendering = Rendering {
        undeclared: &undeclared,
        pad_addresses: camera.quirks().text_padding,
    };
    let document = soap::reply(header, body).render(rendering);
    deliver(camera, status, document)
}

/// Sends a document, with what is wrong with it.
fn deliver(camera: &Camera, status: StatusCode, mut document: String) -> Response {
    let content_type = HeaderValue::from_static("application/soap+xml; charset=utf-8");
    if camera.quirks().uri_raw_amp {
        document = document.replace("channel=1&amp;subtype", "channel=1&subtype");
    }
    let document = match camera.quirks().bad_utf8 {
        true => junk::names_in_gbk(&document),
        false => document.into_bytes(),
    };
    if let Some(junk) = camera.quirks().http_junk {
        return junk::spoil(junk, status, document);
    }
    (status, [(CONTENT_TYPE, content_type)], document).into_response()
}
