use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use tokio::sync::Semaphore;
use url::Url;

use crate::auth::{
    AuthBudget, AuthOutcome, AuthenticationPolicy, Authenticator, Challenges, Climb, Credentials,
    Refusal, Scheme, Slot,
};
use crate::device::{DeviceClient, GetCapabilities, GetServices, GetSystemDateAndTime};
use crate::error::Error;
use crate::events::EventsClient;
use crate::imaging::ImagingClient;
use crate::media::MediaClient;
use crate::operation::{AccessClass, Effect, Operation, Service};
use crate::soap::{self, Addressing, Answer};
use crate::transport::{
    BodyLimit, FreshConnection, HttpTransport, TlsPolicy, Transport, TransportError,
};
use crate::uri::UriPolicy;
use crate::xml::Decode;

/// Some cameras stall or crash on more parallel requests.
const CONNECTIONS: usize = 2;

/// A connected camera. Clones share connections, authentication and clock offset.
#[derive(Clone)]
pub struct Camera {
    inner: Arc<Inner>,
}

struct Inner {
    url: Url,
    uri_policy: UriPolicy,
    timeout: Duration,
    transport: Arc<dyn Transport>,
    auth: Authenticator,
    services: Services,
    connections: Semaphore,
    /// Held while it is not known which scheme works, so that calls in parallel do not all try.
    climbing: tokio::sync::Mutex<()>,
    /// Long polls take one of these first, so that a slot is always left for everything else.
    polls: Semaphore,
}

/// The services a camera has, with their addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services {
    entries: Vec<(Service, Url)>,
}

impl Services {
    /// The address of a service, after the [`UriPolicy`] was applied.
    pub fn get(&self, service: Service) -> Option<&Url> {
        self.entries
            .iter()
            .find(|(known, _)| *known == service)
            .map(|(_, url)| url)
    }

    /// Whether the camera reports the service.
    pub fn has(&self, service: Service) -> bool {
        self.get(service).is_some()
    }

    /// All services with their addresses, in the order in which the camera reports them.
    pub fn iter(&self) -> impl Iterator<Item = (Service, &Url)> {
        self.entries.iter().map(|(service, url)| (*service, url))
    }

    fn add(&mut self, service: Service, url: Url) {
        if !self.has(service) {
            self.entries.push((service, url));
        }
    }
}

/// Settings of a connection to a camera.
#[must_use]
pub struct CameraBuilder {
    url: String,
    credentials: Option<Credentials>,
    uri_policy: UriPolicy,
    tls: TlsPolicy,
    extra_roots: Vec<u8>,
    authentication: AuthenticationPolicy,
    budget: AuthBudget,
    timeout: Duration,
    transport: Option<Arc<dyn Transport>>,
}

impl CameraBuilder {
    /// The user to authenticate as. Without credentials only what needs none can be called.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// What to do with the addresses that the camera reports.
    pub fn uri_policy(mut self, policy: UriPolicy) -> Self {
        self.uri_policy = policy;
        self
    }

    /// How far certificates are checked.
    pub fn tls(mut self, policy: TlsPolicy) -> Self {
        self.tls = policy;
        self
    }

    /// Further root certificates to trust, in PEM.
    pub fn extra_roots(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.extra_roots = pem.into();
        self
    }

    /// Which ways of authentication may be used.
    pub fn authentication(mut self, policy: AuthenticationPolicy) -> Self {
        self.authentication = policy;
        self
    }

    /// A budget to share with other connections to the same camera, such as RTSP, or with an
    /// earlier `Camera` value for it.
    pub fn auth_budget(mut self, budget: AuthBudget) -> Self {
        self.budget = budget;
        self
    }

    /// How long one request may take; 10 s by default. Long polls may take longer by the time the
    /// camera holds them.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends requests some other way than with [`HttpTransport`]. TLS settings are then its own.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Connects: measures the offset of the camera's clock and asks for its services.
    ///
    /// # Errors
    /// [`Error::Caller`] for an unusable URL, [`Error::Network`] when the camera cannot be reached,
    /// [`Error::Unauthorized`] when it needs (other) credentials even for this.
    pub async fn connect(self) -> Result<Camera, Error> {
        let url = device_url(&self.url)?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(HttpTransport::new(self.tls, &self.extra_roots).map_err(
                |source| Error::Network {
                    operation: "connect".into(),
                    host: host(&url),
                    source,
                },
            )?),
        };
        let mut inner = Inner {
            uri_policy: self.uri_policy,
            timeout: self.timeout,
            transport,
            auth: Authenticator::new(self.credentials, self.authentication, self.budget),
            services: Services::default(),
            connections: Semaphore::new(CONNECTIONS),
            polls: Semaphore::new(1),
            climbing: tokio::sync::Mutex::new(()),
            url,
        };
        inner.services.add(Service::Device, inner.url.clone());
        inner.measure_clock().await?;
        inner.services = inner.find_services().await?;
        Ok(Camera {
            inner: Arc::new(inner),
        })
    }
}

impl std::fmt::Debug for CameraBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CameraBuilder")
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

impl Camera {
    /// Starts to connect to the device service at `url`, usually
    /// `http://<host>/onvif/device_service`. A URL without a path gets that one. Credentials do not
    /// belong into the URL.
    pub fn builder(url: impl Into<String>) -> CameraBuilder {
        CameraBuilder {
            url: url.into(),
            credentials: None,
            uri_policy: UriPolicy::default(),
            tls: TlsPolicy::default(),
            extra_roots: Vec::new(),
            authentication: AuthenticationPolicy::default(),
            budget: AuthBudget::default(),
            timeout: Duration::from_secs(10),
            transport: None,
        }
    }

    /// The configured address of the device service.
    pub fn url(&self) -> &Url {
        &self.inner.url
    }

    /// The services of the camera.
    pub fn services(&self) -> &Services {
        &self.inner.services
    }

    /// The budget that guards the credentials, to share with RTSP sessions to the same camera.
    pub fn auth_budget(&self) -> &AuthBudget {
        &self.inner.auth.budget
    }

    /// How far the camera's clock is ahead of ours, in milliseconds; `None` when it does not tell.
    pub fn clock_offset_ms(&self) -> Option<i64> {
        self.inner.auth.clock_offset()
    }

    /// What the camera's clock says now, as far as known.
    pub fn device_time(&self) -> SystemTime {
        self.inner.auth.device_time()
    }

    /// Device management.
    pub fn device(&self) -> DeviceClient<'_> {
        DeviceClient::new(self)
    }

    /// Media profiles, streams and snapshots.
    pub fn media(&self) -> MediaClient<'_> {
        MediaClient::new(self)
    }

    /// Imaging settings.
    pub fn imaging(&self) -> ImagingClient<'_> {
        ImagingClient::new(self)
    }

    /// Events.
    pub fn events(&self) -> EventsClient<'_> {
        EventsClient::new(self)
    }

    /// Sends an operation to the service that has it. This is the only way to call a camera; the
    /// clients use it as well.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the camera does not report the service, [`Error::Refused`] with
    /// the camera's fault, and the errors of authentication, protocol and network.
    pub async fn call<O: Operation + Sync>(&self, operation: &O) -> Result<O::Response, Error> {
        self.inner.call(operation, None).await
    }

    /// Sends an operation to an endpoint that the camera handed out, such as a subscription.
    ///
    /// # Errors
    /// Those of [`call`](Self::call).
    pub(crate) async fn call_at<O: Operation + Sync>(
        &self,
        endpoint: &Endpoint,
        operation: &O,
    ) -> Result<O::Response, Error> {
        self.inner.call(operation, Some(endpoint)).await
    }

    /// Sends a request that this crate does not know: `body` is the content of the SOAP body, with
    /// the [conventional prefixes](crate::xml::namespace::PREFIXES). Returns the whole envelope.
    /// Counts as a write: it is never repeated.
    ///
    /// # Errors
    /// Those of [`call`](Self::call).
    pub async fn call_raw(
        &self,
        service: Service,
        action: &str,
        body: &str,
    ) -> Result<String, Error> {
        let name = action
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or(action);
        let request = Request {
            service,
            name,
            action,
            body,
            pre_auth: false,
            effect: Effect::Write,
            hold: Duration::ZERO,
            endpoint: None,
        };
        let (document, ()) = self.inner.exchange(&request).await?;
        Ok(soap::text(&document).into_owned())
    }

    pub(crate) fn host(&self) -> String {
        host(&self.inner.url)
    }

    /// Applies the URI policy to something the camera reported.
    pub(crate) fn resolve(&self, what: &str, reported: &str) -> Result<Url, Error> {
        self.inner.resolve(what, reported)
    }

    /// Fetches a resource with GET, with its own climb up the authentication ladder.
    pub(crate) async fn fetch(
        &self,
        url: &Url,
        limit: usize,
    ) -> Result<http::Response<Bytes>, Error> {
        self.inner.fetch(url, limit).await
    }
}

impl std::fmt::Debug for Camera {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Camera")
            .field("url", &self.inner.url.as_str())
            .finish_non_exhaustive()
    }
}

/// An address the camera handed out, with the reference parameters it wants echoed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) url: Url,
    pub(crate) reference_parameters: String,
}

struct Request<'a> {
    service: Service,
    name: &'a str,
    action: &'a str,
    body: &'a str,
    pre_auth: bool,
    effect: Effect,
    hold: Duration,
    endpoint: Option<&'a Endpoint>,
}

impl Inner {
    async fn call<O: Operation + Sync>(
        &self,
        operation: &O,
        endpoint: Option<&Endpoint>,
    ) -> Result<O::Response, Error> {
        let body = operation.body().map_err(|source| Error::Encode {
            operation: O::NAME.to_owned(),
            source,
        })?;
        let request = Request {
            service: O::SERVICE,
            name: O::NAME,
            action: O::ACTION,
            body: &body,
            pre_auth: O::ACCESS == AccessClass::PreAuth,
            effect: O::EFFECT,
            hold: operation.hold(),
            endpoint,
        };
        Ok(self.exchange(&request).await?.1)
    }

    /// Sends a request, climbing the authentication ladder as far as needed.
    async fn exchange<T: Decode>(&self, request: &Request<'_>) -> Result<(Bytes, T), Error> {
        let url = match (request.endpoint, self.services.get(request.service)) {
            (Some(endpoint), _) => &endpoint.url,
            (None, Some(url)) => url,
            (None, None) => {
                return Err(Error::Unsupported {
                    host: host(&self.url),
                    what: format!(
                        "{} (it reports no {} service)",
                        request.name, request.service
                    ),
                });
            }
        };
        let slot = Slot::Service(request.service);
        let _poll = match request.hold.is_zero() {
            false => self.polls.acquire().await.ok(),
            true => None,
        };
        let _connection = self.connections.acquire().await.ok();
        let (mut scheme, mut remembered) = self.auth.first(slot, request.pre_auth);
        let mut _climbing = None;
        if !remembered && self.auth.credentials.is_some() {
            _climbing = Some(self.climbing.lock().await);
            (scheme, remembered) = self.auth.first(slot, request.pre_auth);
        }
        let mut climb = Climb::new(self.auth.policy, url.scheme() == "https", slot);
        loop {
            self.permit(scheme, request.name)?;
            let (response, fresh) = self.attempt(request, url, slot, scheme).await?;
            let text = soap::text(response.body());
            let answer = soap::decode::<T>(&text, request.name);
            let fault = matches!(&answer, Ok(Answer::Fault(fault)) if fault.is_auth());
            let status = response.status().as_u16();
            if !fault
                && !matches!(
                    (status, &answer),
                    (401 | 403, Err(_) | Ok(Answer::Fault(_)))
                )
            {
                if scheme.has_credentials() {
                    self.accept();
                }
                if scheme.has_credentials() || !request.pre_auth {
                    self.auth.remember(slot, scheme);
                }
                return match answer {
                    Ok(Answer::Reply(reply)) => Ok((response.body().clone(), reply)),
                    Ok(Answer::Fault(fault)) => Err(Error::Refused {
                        operation: request.name.to_owned(),
                        host: host(url),
                        fault: Box::new(fault),
                    }),
                    Err(source) => Err(unreadable(request.name, url, status, &text, source)),
                };
            }
            let refusal = Refusal {
                challenges: challenges(&response),
                fault,
            };
            // A clock that was set since then makes good tokens bad; look once.
            if remembered && scheme.has_token() && self.clock_moved().await {
                remembered = false;
                continue;
            }
            remembered = false;
            let next = match &self.auth.credentials {
                Some(_) => climb.next(scheme, fresh, &refusal),
                None => None,
            };
            match next {
                Some(next) => {
                    self.auth.challenge(
                        slot,
                        &url.origin().ascii_serialization(),
                        next,
                        refusal.challenges,
                    );
                    scheme = next;
                }
                None => return Err(self.refused(request.name, url, scheme)),
            }
        }
    }

    /// One request on the wire; a read is repeated once when an idle connection was gone.
    async fn attempt(
        &self,
        request: &Request<'_>,
        url: &Url,
        slot: Slot,
        scheme: Scheme,
    ) -> Result<(http::Response<Bytes>, bool), Error> {
        let origin = url.origin().ascii_serialization();
        let deadline = self.timeout + request.hold;
        let mut retried = false;
        loop {
            let (authorization, fresh) =
                self.auth
                    .authorization(slot, &origin, scheme, "POST", &path(url));
            let security = self.auth.security(scheme);
            let addressing = (request.service == Service::Events).then(|| Addressing {
                action: request.action,
                to: url.as_str(),
                message_id: message_id(),
                reference_parameters: request
                    .endpoint
                    .map_or("", |endpoint| &endpoint.reference_parameters),
            });
            let envelope = soap::envelope(security.as_deref(), addressing.as_ref(), request.body);
            let mut builder = http::Request::post(url.as_str()).header(
                CONTENT_TYPE,
                format!(
                    "application/soap+xml; charset=utf-8; action=\"{}\"",
                    request.action
                ),
            );
            if let Some(authorization) = authorization {
                builder = builder.header(AUTHORIZATION, authorization);
            }
            if retried {
                builder = builder.extension(FreshConnection);
            }
            let http = builder
                .body(Bytes::from(envelope))
                .map_err(|error| Error::Caller(format!("{}: {error}", request.name)))?;
            match self.transport.send(http, deadline).await {
                Ok(response) => return Ok((response, fresh)),
                Err(TransportError::Closed(_))
                    if request.effect == Effect::Read && request.hold.is_zero() && !retried =>
                {
                    retried = true;
                }
                Err(source) => {
                    return Err(Error::Network {
                        operation: request.name.to_owned(),
                        host: host(url),
                        source,
                    });
                }
            }
        }
    }

    async fn fetch(&self, url: &Url, limit: usize) -> Result<http::Response<Bytes>, Error> {
        const NAME: &str = "snapshot";
        let _connection = self.connections.acquire().await.ok();
        let slot = Slot::Snapshot;
        let origin = url.origin().ascii_serialization();
        let (mut scheme, _) = self.auth.first(slot, false);
        let mut climb = Climb::new(self.auth.policy, url.scheme() == "https", slot);
        let mut retried = false;
        loop {
            self.permit(scheme, NAME)?;
            let (authorization, fresh) =
                self.auth
                    .authorization(slot, &origin, scheme, "GET", &path(url));
            let mut builder = http::Request::get(url.as_str()).extension(BodyLimit(limit));
            if let Some(authorization) = authorization {
                builder = builder.header(AUTHORIZATION, authorization);
            }
            if retried {
                builder = builder.extension(FreshConnection);
            }
            let http = builder
                .body(Bytes::new())
                .map_err(|error| Error::Caller(format!("{NAME}: {error}")))?;
            let response = match self.transport.send(http, self.timeout).await {
                Ok(response) => response,
                Err(TransportError::Closed(_)) if !retried => {
                    retried = true;
                    continue;
                }
                Err(source) => {
                    return Err(Error::Network {
                        operation: NAME.into(),
                        host: host(url),
                        source,
                    });
                }
            };
            if response.status() != http::StatusCode::UNAUTHORIZED {
                if scheme.has_credentials() {
                    self.accept();
                }
                self.auth.remember(slot, scheme);
                return Ok(response);
            }
            let refusal = Refusal {
                challenges: challenges(&response),
                fault: false,
            };
            let next = self
                .auth
                .credentials
                .as_ref()
                .and_then(|_| climb.next(scheme, fresh, &refusal));
            match next {
                Some(next) => {
                    self.auth.challenge(slot, &origin, next, refusal.challenges);
                    scheme = next;
                }
                None => return Err(self.refused(NAME, url, scheme)),
            }
        }
    }

    fn permit(&self, scheme: Scheme, operation: &str) -> Result<(), Error> {
        match &self.auth.credentials {
            Some(credentials) if scheme.has_credentials() => {
                let paused = |source| Error::AuthenticationPaused {
                    operation: operation.to_owned(),
                    source,
                };
                self.auth.budget.permit(credentials).map_err(paused)
            }
            _ => Ok(()),
        }
    }

    fn accept(&self) {
        if let Some(credentials) = &self.auth.credentials {
            self.auth.budget.record(credentials, AuthOutcome::Accepted);
        }
    }

    fn refused(&self, operation: &str, url: &Url, scheme: Scheme) -> Error {
        let user = match &self.auth.credentials {
            Some(credentials) => {
                if scheme.has_credentials() {
                    self.auth.budget.record(credentials, AuthOutcome::Refused);
                }
                Some(credentials.username().to_owned())
            }
            None => None,
        };
        Error::Unauthorized {
            operation: operation.to_owned(),
            host: host(url),
            user,
        }
    }

    /// Measures the clock: without credentials as the specification wants it, else with them.
    async fn measure_clock(&self) -> Result<(), Error> {
        let before = SystemTime::now();
        match self.call(&GetSystemDateAndTime {}, None).await {
            Ok(reply) => self.note_clock(before, reply.utc()),
            Err(
                error @ (Error::Network { .. }
                | Error::Unauthorized { .. }
                | Error::AuthenticationPaused { .. }),
            ) => {
                return Err(error);
            }
            Err(error) => {
                tracing::warn!(host = host(&self.url), %error, "the camera does not tell its time; going on without its clock offset")
            }
        }
        Ok(())
    }

    fn note_clock(&self, before: SystemTime, device: Option<SystemTime>) {
        let Some(device) = device else {
            return;
        };
        // The device read its clock about half way between request and answer.
        let middle = before + before.elapsed().unwrap_or_default() / 2;
        let offset = match device.duration_since(middle) {
            Ok(ahead) => i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX),
            Err(behind) => i64::try_from(behind.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        };
        if offset.unsigned_abs() > 5_000 {
            tracing::warn!(
                host = host(&self.url),
                offset_ms = offset,
                "the clock of the camera is off; its time is used for authentication"
            );
        }
        self.auth.set_clock_offset(offset);
    }

    /// Reads the clock again without credentials; whether it differs from what was known.
    async fn clock_moved(&self) -> bool {
        let Ok(body) = GetSystemDateAndTime {}.body() else {
            return false;
        };
        let request = Request {
            service: Service::Device,
            name: GetSystemDateAndTime::NAME,
            action: GetSystemDateAndTime::ACTION,
            body: &body,
            pre_auth: true,
            effect: Effect::Read,
            hold: Duration::ZERO,
            endpoint: None,
        };
        let known = self.auth.clock_offset();
        let before = SystemTime::now();
        let slot = Slot::Service(Service::Device);
        let Ok((response, _)) = self
            .attempt(&request, &self.url, slot, Scheme::Anonymous)
            .await
        else {
            return false;
        };
        let text = soap::text(response.body());
        let Ok(Answer::Reply(reply)) =
            soap::decode::<<GetSystemDateAndTime as Operation>::Response>(&text, request.name)
        else {
            return false;
        };
        self.note_clock(before, reply.utc());
        let now = self.auth.clock_offset();
        now.unwrap_or(0)
            .saturating_sub(known.unwrap_or(0))
            .unsigned_abs()
            > 1_500
    }

    /// `GetServices` merged with `GetCapabilities`: either may be missing or incomplete.
    async fn find_services(&self) -> Result<Services, Error> {
        let mut services = Services::default();
        let listed = self
            .call(
                &GetServices {
                    include_capability: false,
                },
                None,
            )
            .await;
        if let Ok(reply) = &listed {
            for service in &reply.services {
                let known = service
                    .namespace
                    .as_deref()
                    .and_then(Service::from_namespace);
                if let (Some(known), Some(address)) = (known, &service.xaddr) {
                    self.add_service(&mut services, known, address);
                }
            }
        }
        let capabilities = self
            .call(
                &GetCapabilities {
                    category: vec![crate::device::CapabilityCategory::All],
                },
                None,
            )
            .await;
        if let Ok(reply) = &capabilities {
            for (service, address) in reply.addresses() {
                self.add_service(&mut services, service, address);
            }
        }
        match (listed, capabilities) {
            (Err(error), Err(_))
                if !matches!(
                    error,
                    Error::Refused { .. } | Error::NotSoap { .. } | Error::Malformed { .. }
                ) =>
            {
                return Err(error);
            }
            (Err(error), Err(_)) => {
                tracing::warn!(host = host(&self.url), %error, "the camera does not tell its services; only device management can be used");
            }
            _ => {}
        }
        // The configured address works; whatever the camera reports for it may not.
        services
            .entries
            .retain(|(service, _)| *service != Service::Device);
        services
            .entries
            .insert(0, (Service::Device, self.url.clone()));
        Ok(services)
    }

    fn add_service(&self, services: &mut Services, service: Service, reported: &str) {
        match self.resolve(&format!("{service} service"), reported) {
            Ok(url) => services.add(service, url),
            Err(error) => {
                tracing::warn!(host = host(&self.url), %error, "this service cannot be used")
            }
        }
    }

    fn resolve(&self, what: &str, reported: &str) -> Result<Url, Error> {
        self.uri_policy
            .resolve(&self.url, reported)
            .map_err(|source| Error::Uri {
                what: format!("{what} of {}", host(&self.url)),
                source,
            })
    }
}

fn device_url(text: &str) -> Result<Url, Error> {
    let mut url = Url::parse(text.trim())
        .map_err(|error| Error::Caller(format!("the camera's URL cannot be used: {error}; write it like http://192.0.2.7/onvif/device_service")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(Error::Caller(
            "the camera's URL must start with http:// or https:// and name a host".into(),
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::Caller(
            "credentials do not belong into the camera's URL; pass them with `credentials`".into(),
        ));
    }
    if url.path() == "/" && url.query().is_none() {
        url.set_path("/onvif/device_service");
    }
    Ok(url)
}

fn challenges(response: &http::Response<Bytes>) -> Challenges {
    Challenges::parse(
        response
            .headers()
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok()),
    )
}

fn unreadable(
    operation: &str,
    url: &Url,
    status: u16,
    text: &str,
    source: crate::xml::DecodeError,
) -> Error {
    if text.contains("Envelope") {
        return Error::Malformed {
            operation: operation.to_owned(),
            host: host(url),
            source,
        };
    }
    let beginning: String = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(120)
        .collect();
    let snippet = if beginning.is_empty() {
        "the answer is empty".to_owned()
    } else {
        beginning
    };
    Error::NotSoap {
        operation: operation.to_owned(),
        host: host(url),
        status,
        snippet,
    }
}

fn host(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    }
}

fn path(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

/// A fresh `urn:uuid:` for WS-Addressing.
pub(crate) fn message_id() -> String {
    let n = (rand::random::<u128>() & !(0xf << 76 | 0x3 << 62)) | (0x4 << 76 | 0x2 << 62);
    format!(
        "urn:uuid:{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        n >> 96,
        (n >> 80) & 0xffff,
        (n >> 64) & 0xffff,
        (n >> 48) & 0xffff,
        n & 0xffff_ffff_ffff
    )
}
