use super::OnvifVersion;
use crate::operation::Service;
use crate::{operation, soap_enum, soap_reply};

operation! {
    /// Asks for the services in the older way, which has no Media2.
    pub struct GetCapabilities in "tds" {
        /// Which parts; none means all.
        category: Vec<CapabilityCategory> = "Category",
    } -> GetCapabilitiesResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetCapabilities", PreAuth, Read
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
        macro_rules! address {
            ($part:expr, $name:ident) => {
                $part.and_then(|part| part.$name.as_ref()?.xaddr.as_deref())
            };
        }
        [
            (Service::Media, address!(capabilities, media)),
            (Service::Ptz, address!(capabilities, ptz)),
            (Service::Imaging, address!(capabilities, imaging)),
            (Service::Events, address!(capabilities, events)),
            (Service::Analytics, address!(capabilities, analytics)),
            (Service::DeviceIo, address!(extension, device_io)),
        ]
        .into_iter()
        .filter_map(|(service, address)| Some((service, address?)))
    }
}

soap_reply! {
    /// Services and what they can do, in the older form.
    pub struct Capabilities in "tt" {
        /// Analytics.
        analytics: Option<AnalyticsCategory> = "Analytics",
        /// Device.
        device: Option<DeviceCategory> = "Device",
        /// Events.
        events: Option<EventsCategory> = "Events",
        /// Imaging.
        imaging: Option<CapabilityAddress> = "Imaging",
        /// Media.
        media: Option<MediaCategory> = "Media",
        /// PTZ.
        ptz: Option<CapabilityAddress> = "PTZ",
        /// Further services.
        extension: Option<CapabilityExtension> = "Extension",
    }
}

soap_reply! {
    /// A service of which only the address matters.
    pub struct CapabilityAddress in "tt" {
        /// Address, as reported.
        xaddr: Option<String> = "XAddr",
    }
}

soap_reply! {
    /// Services that came later.
    #[doc(alias = "CapabilitiesExtension")]
    pub struct CapabilityExtension in "tt" {
        /// Inputs and outputs.
        device_io: Option<DeviceIoCategory> = "DeviceIO",
        /// Display.
        display: Option<CapabilityAddress> = "Display",
        /// Recording.
        recording: Option<CapabilityAddress> = "Recording",
        /// Search in recordings.
        search: Option<CapabilityAddress> = "Search",
        /// Replay of recordings.
        replay: Option<CapabilityAddress> = "Replay",
        /// Receiving of streams.
        receiver: Option<CapabilityAddress> = "Receiver",
        /// Analytics of streams from elsewhere.
        analytics_device: Option<CapabilityAddress> = "AnalyticsDevice",
    }
}

soap_reply! {
    /// Analytics, in the older form.
    #[doc(alias = "AnalyticsCapabilities")]
    pub struct AnalyticsCategory in "tt" {
        /// Address, as reported.
        xaddr: Option<String> = "XAddr",
        /// Rules.
        rule_support: Option<bool> = "RuleSupport",
        /// Modules.
        analytics_module_support: Option<bool> = "AnalyticsModuleSupport",
    }
}

soap_reply! {
    /// Events, in the older form.
    #[doc(alias = "EventCapabilities")]
    pub struct EventsCategory in "tt" {
        /// Address, as reported.
        xaddr: Option<String> = "XAddr",
        /// Subscription policies.
        subscription_policy_support: Option<bool> = "WSSubscriptionPolicySupport",
        /// Pull points. A hint; some cameras get it wrong.
        pull_point_support: Option<bool> = "WSPullPointSupport",
        /// Subscriptions that can be paused.
        pausable_subscription_support: Option<bool> = "WSPausableSubscriptionManagerInterfaceSupport",
    }
}

soap_reply! {
    /// Media, in the older form.
    #[doc(alias = "MediaCapabilities")]
    pub struct MediaCategory in "tt" {
        /// Address, as reported.
        xaddr: Option<String> = "XAddr",
        /// How streams can be carried.
        streaming: Option<StreamingCategory> = "StreamingCapabilities",
        /// Media profiles.
        extension: Option<MediaCategoryExtension> = "Extension",
    }
}

soap_reply! {
    /// How streams can be carried, in the older form.
    #[doc(alias = "RealTimeStreamingCapabilities")]
    pub struct StreamingCategory in "tt" {
        /// RTP over UDP multicast.
        rtp_multicast: Option<bool> = "RTPMulticast",
        /// RTP over TCP on its own.
        rtp_tcp: Option<bool> = "RTP_TCP",
        /// RTP inside the RTSP connection.
        rtp_rtsp_tcp: Option<bool> = "RTP_RTSP_TCP",
    }
}

soap_reply! {
    /// Media profiles, in the older form.
    #[doc(alias = "MediaCapabilitiesExtension")]
    pub struct MediaCategoryExtension in "tt" {
        /// Their number.
        profiles: Option<ProfilesCategory> = "ProfileCapabilities",
    }
}

soap_reply! {
    /// The number of media profiles, in the older form.
    #[doc(alias = "ProfileCapabilities")]
    pub struct ProfilesCategory in "tt" {
        /// How many there may be.
        maximum: Option<u32> = "MaximumNumberOfProfiles",
    }
}

soap_reply! {
    /// Inputs and outputs, in the older form.
    #[doc(alias = "DeviceIOCapabilities")]
    pub struct DeviceIoCategory in "tt" {
        /// Address, as reported.
        xaddr: Option<String> = "XAddr",
        /// Number of video sources.
        video_sources: Option<u32> = "VideoSources",
        /// Number of video outputs.
        video_outputs: Option<u32> = "VideoOutputs",
        /// Number of audio sources.
        audio_sources: Option<u32> = "AudioSources",
        /// Number of audio outputs.
        audio_outputs: Option<u32> = "AudioOutputs",
        /// Number of relays.
        relay_outputs: Option<u32> = "RelayOutputs",
    }
}

soap_reply! {
    /// Device management, in the older form. [`DeviceServiceCapabilities`](super::DeviceServiceCapabilities) says more.
    #[doc(alias = "DeviceCapabilities")]
    pub struct DeviceCategory in "tt" {
        /// Address, as reported.
        xaddr: Option<String> = "XAddr",
        /// Network.
        network: Option<NetworkCategory> = "Network",
        /// System.
        system: Option<SystemCategory> = "System",
        /// Inputs, relays, auxiliary commands.
        io: Option<IoCategory> = "IO",
        /// Security.
        security: Option<SecurityCategory> = "Security",
    }
}

soap_reply! {
    /// Network, in the older form.
    pub struct NetworkCategory in "tt" {
        /// Filtering by address.
        ip_filter: Option<bool> = "IPFilter",
        /// Zero configuration.
        zero_configuration: Option<bool> = "ZeroConfiguration",
        /// IPv6.
        ip_version6: Option<bool> = "IPVersion6",
        /// Registering the camera's name with DNS.
        dynamic_dns: Option<bool> = "DynDNS",
        /// Wi-Fi.
        extension: Option<NetworkCategoryExtension> = "Extension",
    }
}

soap_reply! {
    /// What came later to the network, in the older form.
    pub struct NetworkCategoryExtension in "tt" {
        /// Wi-Fi.
        dot11_configuration: Option<bool> = "Dot11Configuration",
    }
}

soap_reply! {
    /// System, in the older form.
    pub struct SystemCategory in "tt" {
        /// Answers WS-Discovery resolve requests.
        discovery_resolve: Option<bool> = "DiscoveryResolve",
        /// Says goodbye.
        discovery_bye: Option<bool> = "DiscoveryBye",
        /// Says hello to discovery proxies.
        remote_discovery: Option<bool> = "RemoteDiscovery",
        /// Backup in MIME attachments.
        system_backup: Option<bool> = "SystemBackup",
        /// Logs in MIME attachments.
        system_logging: Option<bool> = "SystemLogging",
        /// Firmware in MIME attachments.
        firmware_upgrade: Option<bool> = "FirmwareUpgrade",
        /// Versions of ONVIF.
        supported_versions: Vec<OnvifVersion> = "SupportedVersions",
        /// What goes over HTTP.
        extension: Option<SystemCategoryExtension> = "Extension",
    }
}

soap_reply! {
    /// What came later to the system, in the older form.
    pub struct SystemCategoryExtension in "tt" {
        /// Firmware can be updated over HTTP.
        http_firmware_upgrade: Option<bool> = "HttpFirmwareUpgrade",
        /// Backup over HTTP.
        http_system_backup: Option<bool> = "HttpSystemBackup",
        /// Logs over HTTP.
        http_system_logging: Option<bool> = "HttpSystemLogging",
        /// Support information over HTTP.
        http_support_information: Option<bool> = "HttpSupportInformation",
    }
}

soap_reply! {
    /// Inputs, relays, auxiliary commands, in the older form.
    #[doc(alias = "IOCapabilities")]
    pub struct IoCategory in "tt" {
        /// Number of digital inputs.
        input_connectors: Option<u32> = "InputConnectors",
        /// Number of relays.
        relay_outputs: Option<u32> = "RelayOutputs",
        /// Auxiliary commands.
        extension: Option<IoCategoryExtension> = "Extension",
    }
}

soap_reply! {
    /// Auxiliary commands, in the older form.
    #[doc(alias = "IOCapabilitiesExtension")]
    pub struct IoCategoryExtension in "tt" {
        /// Whether there are any.
        auxiliary: Option<bool> = "Auxiliary",
        /// The commands, such as `tt:Wiper|On`.
        auxiliary_commands: Vec<String> = "AuxiliaryCommands",
    }
}

soap_reply! {
    /// Security, in the older form.
    pub struct SecurityCategory in "tt" {
        /// TLS 1.1.
        tls1_1: Option<bool> = "TLS1.1",
        /// TLS 1.2.
        tls1_2: Option<bool> = "TLS1.2",
        /// Makes keys by itself.
        onboard_key_generation: Option<bool> = "OnboardKeyGeneration",
        /// An access policy can be loaded.
        access_policy_config: Option<bool> = "AccessPolicyConfig",
        /// WS-Security with X.509 tokens.
        x509_token: Option<bool> = "X.509Token",
        /// WS-Security with SAML tokens.
        saml_token: Option<bool> = "SAMLToken",
        /// WS-Security with Kerberos tokens.
        kerberos_token: Option<bool> = "KerberosToken",
        /// WS-Security with REL tokens.
        rel_token: Option<bool> = "RELToken",
        /// TLS 1.0 and the rest.
        extension: Option<SecurityCategoryExtension> = "Extension",
    }
}

soap_reply! {
    /// What came later to security, in the older form.
    pub struct SecurityCategoryExtension in "tt" {
        /// TLS 1.0.
        tls1_0: Option<bool> = "TLS1.0",
        /// IEEE 802.1X and remote users.
        extension: Option<SecurityCategoryExtension2> = "Extension",
    }
}

soap_reply! {
    /// What came still later to security, in the older form.
    pub struct SecurityCategoryExtension2 in "tt" {
        /// IEEE 802.1X.
        dot1x: Option<bool> = "Dot1X",
        /// Methods of EAP by their numbers at IANA.
        supported_eap_methods: Vec<i32> = "SupportedEAPMethod",
        /// Logs in elsewhere as a remote user.
        remote_user_handling: Option<bool> = "RemoteUserHandling",
    }
}
