//! The Device service (`ver10/device/wsdl`).

mod clock;
pub(crate) mod io;
mod ip_filter;
mod naming;
mod network;
mod scopes;
mod settings;
mod system;
mod users;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

pub(crate) use self::scopes::scopes;
pub(crate) use self::settings::Settings;
use super::{Call, Service, flags};
use crate::quirks::{BadDateTime, an_hour_before};
use crate::soap::Fault;
use crate::state::{Camera, HARDWARE, MANUFACTURER, MODEL, lock};
use crate::xml::{Element, TDS, TER, TT, element};

/// The version of ONVIF that the services follow.
const VERSION: (u32, u32) = (20, 12);

pub(super) fn answer(call: &Call<'_>, operation: &str) -> Result<Element, Fault> {
    let camera = call.camera;
    Ok(match operation {
        "GetSystemDateAndTime" => call
            .response("GetSystemDateAndTimeResponse")
            .child(system_date_and_time(camera)),
        "SetSystemDateAndTime" => {
            clock::set(call)?;
            call.response("SetSystemDateAndTimeResponse")
        }
        "GetServices" if !camera.quirks().no_get_services => get_services(call),
        "GetCapabilities" => get_capabilities(call)?,
        "GetDeviceInformation" => call
            .response("GetDeviceInformationResponse")
            .leaf(TDS, "Manufacturer", MANUFACTURER)
            .leaf(TDS, "Model", MODEL)
            .leaf(TDS, "FirmwareVersion", env!("CARGO_PKG_VERSION"))
            .leaf(TDS, "SerialNumber", camera.serial())
            .leaf(TDS, "HardwareId", HARDWARE),
        "GetScopes" => scopes::get(call),
        "SetScopes" => scopes::set(call)?,
        "AddScopes" => scopes::add(call)?,
        "RemoveScopes" => scopes::remove(call)?,
        "GetDiscoveryMode" => {
            let mode = match lock(&camera.device).discoverable {
                true => "Discoverable",
                false => "NonDiscoverable",
            };
            let response = call.response("GetDiscoveryModeResponse");
            response.leaf(TDS, "DiscoveryMode", mode)
        }
        "SetDiscoveryMode" => scopes::set_discovery_mode(call)?,
        "GetHostname" => naming::get_hostname(call),
        "SetHostname" => naming::set_hostname(call)?,
        "SetHostnameFromDHCP" => naming::set_hostname_from_dhcp(call)?,
        "GetDNS" => naming::get_dns(call),
        "SetDNS" => naming::set_dns(call)?,
        "GetNTP" => naming::get_ntp(call),
        "SetNTP" => naming::set_ntp(call)?,
        "GetDynamicDNS" => naming::get_dynamic_dns(call),
        "SetDynamicDNS" => naming::set_dynamic_dns(call)?,
        "GetNetworkInterfaces" => network::get_interfaces(call),
        "SetNetworkInterfaces" => network::set_interfaces(call)?,
        "GetNetworkProtocols" => network::get_protocols(call),
        "SetNetworkProtocols" => network::set_protocols(call)?,
        "GetNetworkDefaultGateway" => network::get_gateway(call),
        "SetNetworkDefaultGateway" => network::set_gateway(call)?,
        "GetZeroConfiguration" => network::get_zero_configuration(call),
        "SetZeroConfiguration" => network::set_zero_configuration(call)?,
        "GetIPAddressFilter" => ip_filter::get(call),
        "SetIPAddressFilter" => ip_filter::set(call)?,
        "AddIPAddressFilter" => ip_filter::add(call)?,
        "RemoveIPAddressFilter" => ip_filter::remove(call)?,
        "GetUsers" => users::get(call),
        "CreateUsers" => users::create(call)?,
        "DeleteUsers" => users::delete(call)?,
        "SetUser" => users::set(call)?,
        "GetRelayOutputs" => io::get_relays(call),
        "SetRelayOutputState" => io::set_relay_state(call)?,
        "SetRelayOutputSettings" => {
            let token = call.argument("RelayOutputToken")?;
            io::configure_relay(call, token, call.request.child("Properties"))?
        }
        "SendAuxiliaryCommand" => io::send_auxiliary_command(call)?,
        "GetEndpointReference" => {
            call.response("GetEndpointReferenceResponse")
                .leaf(TDS, "GUID", camera.uuid.urn())
        }
        "GetWsdlUrl" => call.response("GetWsdlUrlResponse").leaf(
            TDS,
            "WsdlUrl",
            "https://www.onvif.org/profiles/specifications/",
        ),
        "SetSystemFactoryDefault" => {
            let soft = match call.argument("FactoryDefault")? {
                "Soft" => true,
                "Hard" => false,
                other => {
                    let reason = format!("FactoryDefault cannot be {other}");
                    return Err(Fault::sender(&[(TER, "InvalidArgVal")], reason));
                }
            };
            lock(&camera.device).reset(&camera.name, soft);
            if !soft {
                lock(&camera.gate).accounts().users().reset();
            }
            camera.reboot();
            call.response("SetSystemFactoryDefaultResponse")
        }
        "GetSystemLog" => system::get_log(call)?,
        "GetSystemSupportInformation" => system::get_support_information(call),
        "GetGeoLocation" => system::get_location(call),
        "SetGeoLocation" => system::set_location(call)?,
        "DeleteGeoLocation" => system::delete_location(call),
        "SystemReboot" => {
            camera.reboot();
            call.response("SystemRebootResponse")
                .leaf(TDS, "Message", "Rebooting now")
        }
        _ => return Err(Fault::not_supported(operation)),
    })
}

pub(super) fn capabilities(camera: &Camera) -> Element {
    let gate = lock(&camera.gate);
    let security = flags(
        TDS,
        "Security",
        &[
            ("UsernameToken", gate.accepts_username_token()),
            ("HttpDigest", gate.accepts_digest()),
        ],
    );
    let network = [
        ("IPFilter", true),
        ("ZeroConfiguration", true),
        ("IPVersion6", true),
        ("DynDNS", true),
        ("HostnameFromDHCP", true),
    ];
    element(TDS, "Capabilities")
        .child(flags(TDS, "Network", &network).attribute("NTP", naming::MAX_SERVERS))
        .child(
            security
                .attribute("MaxUsers", users::MAX_USERS)
                .attribute("MaxUserNameLength", users::MAX_NAME)
                .attribute("MaxPasswordLength", users::MAX_PASSWORD),
        )
        .child(
            flags(
                TDS,
                "System",
                &[
                    ("DiscoveryResolve", true),
                    ("DiscoveryBye", true),
                    ("SystemLogging", true),
                ],
            )
            .attribute("GeoLocationEntries", 1),
        )
        .child(
            element(TDS, "Misc").attribute("AuxiliaryCommands", io::AUXILIARY_COMMANDS.join(" ")),
        )
}

fn get_services(call: &Call<'_>) -> Element {
    let with_capabilities = matches!(
        call.request.text_of("IncludeCapability"),
        Some("true" | "1")
    ) && !call.camera.quirks().no_service_capabilities;
    let services = Service::LISTED.into_iter().map(|service| {
        let capabilities = with_capabilities
            .then(|| element(TDS, "Capabilities").child(service.capabilities(call.camera)));
        element(TDS, "Service")
            .leaf(TDS, "Namespace", service.ns().uri)
            .address_leaf(TDS, "XAddr", call.service_url(&service))
            .children(capabilities)
            .child(version("Version"))
    });
    element(TDS, "GetServicesResponse").children(services)
}

fn version(name: &'static str) -> Element {
    let ns = if name == "Version" { TDS } else { TT };
    element(ns, name)
        .leaf(TT, "Major", VERSION.0)
        .leaf(TT, "Minor", VERSION.1)
}

fn get_capabilities(call: &Call<'_>) -> Result<Element, Fault> {
    let mut categories: Vec<&str> = call.request.all("Category").map(|c| c.text()).collect();
    if categories.is_empty() {
        categories.push("All");
    }
    let known = [
        "All",
        "Analytics",
        "Device",
        "Events",
        "Imaging",
        "Media",
        "PTZ",
    ];
    if let Some(unknown) = categories.iter().find(|c| !known.contains(c)) {
        return Err(Fault::receiver(
            &[(TER, "ActionNotSupported"), (TER, "NoSuchService")],
            format!("there is no service {unknown}"),
        ));
    }
    let wanted = |category| categories.contains(&"All") || categories.contains(&category);
    let addressed = |name: &'static str, service: Service| {
        element(TT, name).address_leaf(TT, "XAddr", call.service_url(&service))
    };
    let all = [
        (
            "Analytics",
            addressed("Analytics", Service::Analytics)
                .leaf(TT, "RuleSupport", true)
                .leaf(TT, "AnalyticsModuleSupport", true),
        ),
        (
            "Device",
            addressed("Device", Service::Device).children([
                element(TT, "Network")
                    .leaf(TT, "IPFilter", true)
                    .leaf(TT, "ZeroConfiguration", true)
                    .leaf(TT, "IPVersion6", true)
                    .leaf(TT, "DynDNS", true),
                element(TT, "System")
                    .leaf(TT, "DiscoveryResolve", true)
                    .leaf(TT, "DiscoveryBye", true)
                    .leaf(TT, "RemoteDiscovery", false)
                    .leaf(TT, "SystemBackup", false)
                    .leaf(TT, "SystemLogging", true)
                    .leaf(TT, "FirmwareUpgrade", false)
                    .child(version("SupportedVersions")),
                input_output(call.camera),
                [
                    "TLS1.1",
                    "TLS1.2",
                    "OnboardKeyGeneration",
                    "AccessPolicyConfig",
                    "X.509Token",
                    "SAMLToken",
                    "KerberosToken",
                    "RELToken",
                ]
                .into_iter()
                .fold(element(TT, "Security"), |e, name| e.leaf(TT, name, false)),
            ]),
        ),
        (
            "Events",
            addressed("Events", Service::Events)
                .leaf(TT, "WSSubscriptionPolicySupport", false)
                .leaf(
                    TT,
                    "WSPullPointSupport",
                    !call.camera.quirks().caps_lie_pullpoint,
                )
                .leaf(TT, "WSPausableSubscriptionManagerInterfaceSupport", false),
        ),
        ("Imaging", addressed("Imaging", Service::Imaging)),
        (
            "Media",
            addressed("Media", Service::Media).child(
                element(TT, "StreamingCapabilities")
                    .leaf(TT, "RTPMulticast", false)
                    .leaf(TT, "RTP_TCP", true)
                    .leaf(TT, "RTP_RTSP_TCP", true),
            ),
        ),
        ("PTZ", addressed("PTZ", Service::Ptz)),
        (
            "Extension",
            element(TT, "Extension").child(
                addressed("DeviceIO", Service::DeviceIo)
                    .leaf(TT, "VideoSources", call.camera.quirks().channels())
                    .leaf(TT, "VideoOutputs", 0)
                    .leaf(TT, "AudioSources", 1)
                    .leaf(TT, "AudioOutputs", 1)
                    .leaf(TT, "RelayOutputs", relays(call.camera)),
            ),
        ),
    ];
    let chosen = all
        .into_iter()
        .filter(|(name, _)| wanted(name))
        .map(|(_, e)| e);
    Ok(
        element(TDS, "GetCapabilitiesResponse")
            .child(element(TDS, "Capabilities").children(chosen)),
    )
}

fn input_output(camera: &Camera) -> Element {
    let inputs = lock(&camera.device).io.inputs.len();
    let commands = io::AUXILIARY_COMMANDS.into_iter();
    let commands = commands.map(|command| element(TT, "AuxiliaryCommands").text(command));
    let auxiliary = element(TT, "Extension")
        .leaf(TT, "Auxiliary", true)
        .children(commands)
        .child(element(TT, "Extension"));
    element(TT, "IO")
        .leaf(TT, "InputConnectors", inputs)
        .leaf(TT, "RelayOutputs", relays(camera))
        .child(auxiliary)
}

fn relays(camera: &Camera) -> usize {
    lock(&camera.device).io.relays.len()
}

fn system_date_and_time(camera: &Camera) -> Element {
    let mut now = camera.shown_time();
    if camera.quirks().bad_datetime == Some(BadDateTime::MinuteOverflow) {
        now = an_hour_before(now);
    }
    let settings = &lock(&camera.device).clock;
    let time = |name, now: DateTime| {
        let mut hour = [
            ("Hour", now.hour().into()),
            ("Minute", now.minute().into()),
            ("Second", now.second().into()),
        ];
        let mut day = [
            ("Year", now.year()),
            ("Month", now.month().into()),
            ("Day", now.day().into()),
        ];
        let fault = camera.quirks().bad_datetime;
        match fault {
            Some(BadDateTime::MinuteOverflow) => hour[1].1 += 60,
            Some(BadDateTime::Zero) => {
                let numbers = hour.iter_mut().chain(&mut day);
                numbers.for_each(|(_, number)| *number = 0);
            }
            _ => {}
        }
        let blank = match fault {
            Some(BadDateTime::Spaces) => " ",
            _ => "",
        };
        let numbers = |name, numbers: [(&'static str, i16); 3]| {
            let numbers = numbers.into_iter();
            numbers.fold(element(TT, name), |e, (name, number)| {
                e.leaf(TT, name, format_args!("{blank}{number}{blank}"))
            })
        };
        let parts = [numbers("Time", hour), numbers("Date", day)];
        element(TT, name).children(parts)
    };
    let kind = if settings.from_ntp { "NTP" } else { "Manual" };
    element(TDS, "SystemDateAndTime")
        .leaf(TT, "DateTimeType", kind)
        .leaf(
            TT,
            "DaylightSavings",
            settings.daylight_savings || camera.quirks().dst_bug,
        )
        .child(element(TT, "TimeZone").leaf(TT, "TZ", &settings.time_zone))
        .child(time("UTCDateTime", now.to_zoned(TimeZone::UTC).datetime()))
        .child(time("LocalDateTime", settings.local(now)))
}
