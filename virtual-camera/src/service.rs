//! The SOAP services: one file each, dispatched on the element of the Body.

mod access;
pub(crate) mod analytics;
mod configurations;
pub(crate) mod device;
mod deviceio;
mod encoders;
pub(crate) mod events;
pub(crate) mod imaging;
mod kept;
mod media;
mod media2;
mod overlay;
pub(crate) mod profiles;
pub(crate) mod ptz;

use std::sync::Arc;

pub(crate) use self::access::AccessClass;
use crate::soap::Fault;
use crate::state::Camera;
use crate::xml::{
    Element, NONE, Node, Ns, TAN, TDS, TEV, TIMG, TMD, TPTZ, TR2, TRT, TT, WSNT, element,
};

/// The one path of a camera that has no others.
const SINGLE_ENDPOINT: &str = "/onvif/service";

/// Which service a request's path belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Device,
    Media,
    Media2,
    Ptz,
    Imaging,
    Events,
    DeviceIo,
    Analytics,
    /// The manager of one subscription.
    Subscription(String),
}

impl Service {
    /// The services a client can look up.
    pub(crate) const LISTED: [Service; 8] = [
        Service::Device,
        Service::Media,
        Service::Media2,
        Service::Events,
        Service::Imaging,
        Service::Ptz,
        Service::DeviceIo,
        Service::Analytics,
    ];

    /// The service at a path; with one endpoint for all, `namespace` of the operation tells which.
    pub(crate) fn at(path: &str, camera: &Camera, namespace: &str) -> Option<Self> {
        if camera.quirks().single_endpoint && !path.starts_with("/onvif/subscription/") {
            let mut listed = Self::LISTED.into_iter();
            // Subscriptions are managed in a namespace of their own.
            let of = if namespace == WSNT.uri {
                TEV.uri
            } else {
                namespace
            };
            return listed.find(|service| path == SINGLE_ENDPOINT && service.ns().uri == of);
        }
        if let Some(id) = path.strip_prefix("/onvif/subscription/") {
            return Some(Self::Subscription(id.to_owned()));
        }
        let mut listed = Self::LISTED.into_iter();
        listed.find(|service| service.path() == path)
    }

    /// The service that an operation of a namespace belongs to, whatever the path is.
    pub(crate) fn of(namespace: &str) -> Self {
        let mut listed = Self::LISTED.into_iter();
        let found = listed.find(|service| service.ns().uri == namespace);
        found.unwrap_or(Self::Events)
    }

    pub(crate) fn path(&self) -> String {
        match self {
            Self::Device => "/onvif/device_service".to_owned(),
            Self::Media => "/onvif/media_service".to_owned(),
            Self::Media2 => "/onvif/media2_service".to_owned(),
            Self::Ptz => "/onvif/ptz_service".to_owned(),
            Self::Imaging => "/onvif/imaging_service".to_owned(),
            Self::Events => "/onvif/event_service".to_owned(),
            Self::DeviceIo => "/onvif/deviceio_service".to_owned(),
            Self::Analytics => "/onvif/analytics_service".to_owned(),
            Self::Subscription(id) => format!("/onvif/subscription/{id}"),
        }
    }

    /// The path under which clients find the service.
    pub(crate) fn address(&self, camera: &Camera) -> String {
        match self {
            Self::Subscription(_) => self.path(),
            _ if camera.quirks().single_endpoint => SINGLE_ENDPOINT.to_owned(),
            _ => self.path(),
        }
    }

    pub(crate) fn ns(&self) -> Ns {
        match self {
            Self::Device => TDS,
            Self::Media => TRT,
            Self::Media2 => TR2,
            Self::Ptz => TPTZ,
            Self::Imaging => TIMG,
            Self::DeviceIo => TMD,
            Self::Events | Self::Subscription(_) => TEV,
            Self::Analytics => TAN,
        }
    }
    /// What the service can do, as its `Capabilities` element.
    fn capabilities(&self, camera: &Camera) -> Element {
        match self {
            Self::Device => device::capabilities(camera),
            Self::Media => media::capabilities(camera),
            Self::Media2 => media2::capabilities(camera),
            Self::Ptz => ptz::capabilities(camera),
            Self::Imaging => imaging::capabilities(),
            Self::DeviceIo => deviceio::capabilities(camera),
            Self::Analytics => analytics::capabilities(),
            Self::Events | Self::Subscription(_) => events::capabilities(camera),
        }
    }

    /// Whether an operation needs no user.
    pub(crate) fn is_open(&self, operation: &str, camera: &Camera) -> bool {
        let quirks = camera.quirks();
        let kept_shut = quirks.auth_all
            || (quirks.datetime_requires_auth && operation == "GetSystemDateAndTime");
        AccessClass::of(self, operation) == AccessClass::PreAuth && !kept_shut
    }
}

/// One request, with what it takes to answer it.
pub(crate) struct Call<'a> {
    pub camera: &'a Arc<Camera>,
    /// Host of the addresses in the reply, with brackets where it is IPv6.
    pub host: &'a str,
    /// The element of the Body.
    pub request: &'a Node,
}

impl Call<'_> {
    /// A required argument.
    pub(crate) fn argument(&self, name: &str) -> Result<&str, Fault> {
        self.request
            .text_of(name)
            .ok_or_else(|| Fault::missing(name))
    }

    /// An address on this camera's HTTP server.
    pub(crate) fn url(&self, path: &str) -> String {
        let scheme = self.camera.scheme();
        let quirks = self.camera.quirks();
        let port = match quirks.subscription_port {
            Some(port) if path.starts_with("/onvif/subscription/") => port,
            _ => quirks.advertised_port.unwrap_or(self.camera.http.port()),
        };
        format!("{scheme}://{}:{port}{path}", self.host)
    }

    /// The address of a service.
    pub(crate) fn service_url(&self, service: &Service) -> String {
        self.url(&service.address(self.camera))
    }

    /// The element `OPERATIONResponse`, empty.
    pub(crate) fn response(&self, name: &'static str) -> Element {
        let service = Service::LISTED
            .iter()
            .find(|service| service.ns().uri == self.request.namespace);
        element(service.map_or(WSNT, Service::ns), name)
    }
}

/// Answers one request with the element for the reply's Body.
pub(crate) async fn answer(service: &Service, call: &Call<'_>) -> Result<Element, Fault> {
    let operation = call.request.name.as_str();
    let of_service = call.request.namespace == service.ns().uri;
    let of_manager = matches!(service, Service::Events | Service::Subscription(_))
        && call.request.namespace == WSNT.uri;
    let of_relays = *service == Service::DeviceIo && call.request.namespace == TDS.uri;
    if !of_service && !of_manager && !of_relays {
        return Err(Fault::not_supported(operation));
    }
    if operation == "GetServiceCapabilities" && call.camera.quirks().no_service_capabilities {
        return Err(Fault::not_supported(operation));
    }
    if operation == "GetServiceCapabilities"
        && of_service
        && !matches!(service, Service::Subscription(_))
    {
        let response = call.response("GetServiceCapabilitiesResponse");
        return Ok(response.child(service.capabilities(call.camera)));
    }
    match service {
        Service::Device => device::answer(call, operation),
        Service::Media => media::answer(call, operation),
        Service::Media2 => media2::answer(call, operation),
        Service::Ptz => ptz::answer(call, operation),
        Service::Imaging => imaging::answer(call, operation),
        Service::Analytics => analytics::answer(call, operation),
        Service::Events => events::answer(call, operation),
        Service::DeviceIo => deviceio::answer(call, operation),
        Service::Subscription(id) => events::answer_subscription(call, operation, id).await,
    }
}

/// `<name><tt:Min/><tt:Max/></name>`.
fn range(name: &'static str, min: impl std::fmt::Display, max: impl std::fmt::Display) -> Element {
    element(TT, name).leaf(TT, "Min", min).leaf(TT, "Max", max)
}

/// An element whose attributes are flags.
fn flags(ns: Ns, name: &'static str, flags: &[(&'static str, bool)]) -> Element {
    flags
        .iter()
        .fold(element(ns, name), |element, (flag, value)| {
            element.attribute_in(NONE, flag, value)
        })
}
