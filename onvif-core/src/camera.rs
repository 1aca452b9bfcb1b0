mod connect;
mod exchange;
mod fetch;
mod route;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

use crate::analytics::AnalyticsClient;
use crate::auth::{AuthBudget, AuthenticationPolicy, Authenticator, Credentials};
use crate::device::DeviceClient;
use crate::device_io::DeviceIoClient;
use crate::error::Error;
use crate::events::EventsClient;
use crate::events::lifecycle::Learned;
use crate::imaging::ImagingClient;
use crate::media::MediaClient;
use crate::operation::{AccessClass, Effect, Operation, Service};
use crate::random;
use crate::soap;
use crate::transport::{
    ClientCertificate, HttpTransport, PinStore, TlsOptions, TlsPolicy, Transport,
};
use crate::uri::UriPolicy;
use crate::xml::{Decode as _, DecodeError, Element};

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
    pins: PinStore,
    auth: Authenticator,
    services: Services,
    connections: Semaphore,
    /// Held while it is not known which scheme works, so that calls in parallel do not all try.
    climbing: tokio::sync::Mutex<()>,
    /// The least time from one request to the next.
    spacing: Duration,
    next_request: tokio::sync::Mutex<Instant>,
    /// Ports that the camera hands out although nobody listens there.
    dead_ports: Mutex<HashSet<u16>>,
    /// Long polls take one of these first, so that a slot is always left for everything else.
    polls: Semaphore,
    /// What its subscriptions need.
    learned: Mutex<Learned>,
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
    tls: TlsOptions,
    authentication: AuthenticationPolicy,
    budget: AuthBudget,
    timeout: Duration,
    connections: usize,
    spacing: Duration,
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
        self.tls.policy = policy;
        self
    }

    /// Further root certificates to trust, in PEM.
    pub fn extra_roots(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.extra_roots = pem.into();
        self
    }

    /// The certificate to show to a camera that asks for one.
    pub fn client_certificate(mut self, certificate: ClientCertificate) -> Self {
        self.tls.client_certificate = Some(certificate);
        self
    }

    /// Where [`TlsPolicy::TrustOnFirstUse`] keeps the keys it has seen; by default they are
    /// forgotten with the `Camera`, unless [`Camera::pins`] is read before.
    pub fn pins(mut self, pins: PinStore) -> Self {
        self.tls.pins = pins;
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

    /// How long one operation may take, with all it needs for authentication; 10 s by default. Long
    /// polls may take longer by the time the camera holds them.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The least time from one request to the next, none by default: for cameras that stall or
    /// restart when asked too often.
    pub fn min_spacing(mut self, spacing: Duration) -> Self {
        self.spacing = spacing;
        self
    }

    /// One request at a time instead of two, for cameras that stall on parallel ones. Everything
    /// then waits while a long poll for events is held.
    pub fn one_at_a_time(mut self) -> Self {
        self.connections = 1;
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
        let url = connect::device_url(&self.url)?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => {
                let transport = HttpTransport::with_tls(self.tls.clone());
                let transport = transport.map_err(|source| Error::Network {
                    operation: "connect".into(),
                    host: host(&url),
                    source,
                })?;
                match self.connections {
                    1 => Arc::new(transport.one_connection()),
                    _ => Arc::new(transport),
                }
            }
        };
        if self.authentication == AuthenticationPolicy::PasswordText && url.scheme() == "http" {
            tracing::warn!(
                host = host(&url),
                "the password is sent in clear: anybody on the path can read it"
            );
        }
        let mut inner = Inner {
            uri_policy: self.uri_policy,
            timeout: self.timeout,
            transport,
            pins: self.tls.pins,
            auth: Authenticator::new(self.credentials, self.authentication, self.budget),
            services: Services::default(),
            connections: Semaphore::new(self.connections),
            spacing: self.spacing,
            next_request: tokio::sync::Mutex::new(Instant::now()),
            dead_ports: Mutex::default(),
            polls: Semaphore::new(1),
            learned: Mutex::default(),
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
            tls: TlsOptions::default(),
            authentication: AuthenticationPolicy::default(),
            budget: AuthBudget::default(),
            timeout: Duration::from_secs(10),
            connections: CONNECTIONS,
            spacing: Duration::ZERO,
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

    /// The keys of the camera's certificates seen with [`TlsPolicy::TrustOnFirstUse`], to store them.
    pub fn pins(&self) -> &PinStore {
        &self.inner.pins
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

    /// Inputs and outputs: relays, digital inputs, serial ports.
    pub fn device_io(&self) -> DeviceIoClient<'_> {
        DeviceIoClient::new(self)
    }

    /// Media profiles, streams and snapshots.
    pub fn media(&self) -> MediaClient<'_> {
        MediaClient::new(self)
    }

    /// Imaging settings.
    pub fn imaging(&self) -> ImagingClient<'_> {
        ImagingClient::new(self)
    }

    /// Analytics: rules and modules.
    pub fn analytics(&self) -> AnalyticsClient<'_> {
        AnalyticsClient::new(self)
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
        let document = self.inner.exchange(&request, &mut |_| Ok(())).await?;
        Ok(soap::text(&document).into_owned())
    }

    /// What was learned about the subscriptions of this camera.
    pub(crate) fn learned(&self) -> Learned {
        *self.lock_learned()
    }

    pub(crate) fn learn(&self, learn: impl FnOnce(&mut Learned)) {
        learn(&mut self.lock_learned());
    }

    fn lock_learned(&self) -> std::sync::MutexGuard<'_, Learned> {
        self.inner
            .learned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
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
        let mut reply = None;
        let mut take = |content: &mut Element<'_, '_>| {
            reply = Some(O::Response::decode(content)?);
            Ok(())
        };
        self.exchange(&request, &mut take).await?;
        reply.ok_or_else(|| Error::Malformed {
            operation: O::NAME.to_owned(),
            host: host(&self.url),
            source: DecodeError::Missing("content of Body"),
        })
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

fn host(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    }
}

/// A fresh `urn:uuid:` for WS-Addressing.
pub(crate) fn message_id() -> String {
    let n =
        (u128::from_ne_bytes(random::bytes()) & !(0xf << 76 | 0x3 << 62)) | (0x4 << 76 | 0x2 << 62);
    format!(
        "urn:uuid:{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        n >> 96,
        (n >> 80) & 0xffff,
        (n >> 64) & 0xffff,
        (n >> 48) & 0xffff,
        n & 0xffff_ffff_ffff
    )
}
