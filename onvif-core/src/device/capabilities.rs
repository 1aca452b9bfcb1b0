use crate::operation::Service;
use crate::{operation, soap_enum, soap_reply};

operation! {
    /// Asks for the services.
    pub struct GetServices in "tds" {
        /// Whether to include what each can do.
        include_capability: bool = "IncludeCapability",
    } -> GetServicesResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetServices", PreAuth, Read
}

soap_reply! {
    /// The reply to [`GetServices`].
    pub struct GetServicesResponse in "tds" {
        /// The services.
        services: Vec<ServiceEntry> = "Service",
    }
}

soap_reply! {
    /// One service as the camera lists it.
    pub struct ServiceEntry in "tds" {
        /// Namespace, which tells the service.
        namespace: Option<String> = "Namespace",
        /// Address, as reported.
        xaddr: Option<String> = "XAddr",
    }
}

soap_enum! {
    /// A part of [`GetCapabilities`].
    pub enum CapabilityCategory {
        /// Everything.
        All = "All",
        /// Analytics.
        Analytics = "Analytics",
        /// Device.
        Device = "Device",
        /// Events.
        Events = "Events",
        /// Imaging.
        Imaging = "Imaging",
        /// Media.
        Media = "Media",
        /// PTZ.
        Ptz = "PTZ",
    }
}

operation! {
    /// Asks for the services in the older way, which has no Media2.
    pub struct GetCapabilities in "tds" {
        /// Which parts.
        category: Vec<CapabilityCategory> = "Category",
    } -> GetCapabilitiesResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetCapabilities", PreAuth, Read
}

soap_reply! {
    /// The reply to [`GetCapabilities`].
    pub struct GetCapabilitiesResponse in "tds" {
        /// The capabilities.
        capabilities: Option<Capabilities> = "Capabilities",
    }
}

impl GetCapabilitiesResponse {
    /// The addresses of all services that are listed.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (Service, &str)> {
        let capabilities = self.capabilities.as_ref();
        let extension = capabilities.and_then(|capabilities| capabilities.extension.as_ref());
        [
            (Service::Media, capabilities.and_then(|c| c.media.as_ref())),
            (Service::Ptz, capabilities.and_then(|c| c.ptz.as_ref())),
            (
                Service::Imaging,
                capabilities.and_then(|c| c.imaging.as_ref()),
            ),
            (
                Service::Events,
                capabilities.and_then(|c| c.events.as_ref()),
            ),
            (
                Service::Analytics,
                capabilities.and_then(|c| c.analytics.as_ref()),
            ),
            (
                Service::DeviceIo,
                extension.and_then(|e| e.device_io.as_ref()),
            ),
        ]
        .into_iter()
        .filter_map(|(service, address)| Some((service, address?.xaddr.as_deref()?)))
    }
}

soap_reply! {
    /// Services and what they can do, in the older form.
    pub struct Capabilities in "tt" {
        /// Analytics.
        analytics: Option<CapabilityAddress> = "Analytics",
        /// Events.
        events: Option<CapabilityAddress> = "Events",
        /// Imaging.
        imaging: Option<CapabilityAddress> = "Imaging",
        /// Media.
        media: Option<CapabilityAddress> = "Media",
        /// PTZ.
        ptz: Option<CapabilityAddress> = "PTZ",
        /// Further services.
        extension: Option<CapabilityExtension> = "Extension",
    }
}

soap_reply! {
    /// Services that came later.
    pub struct CapabilityExtension in "tt" {
        /// Inputs and outputs.
        device_io: Option<CapabilityAddress> = "DeviceIO",
    }
}

soap_reply! {
    /// One service in [`Capabilities`].
    pub struct CapabilityAddress in "tt" {
        /// Address, as reported.
        xaddr: Option<String> = "XAddr",
        /// Events only: whether pull points are offered. A hint; some cameras get it wrong.
        pull_point_support: Option<bool> = "WSPullPointSupport",
    }
}
