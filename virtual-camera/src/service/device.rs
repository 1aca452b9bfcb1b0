//! The Device service (`ver10/device/wsdl`).

use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{Call, Service, flags};
use crate::clock::Clock;
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
            set_system_date_and_time(call)?;
            call.response("SetSystemDateAndTimeResponse")
        }
        "GetServices" if !camera.quirks.no_get_services => get_services(call),
        "GetCapabilities" => get_capabilities(call)?,
        "GetDeviceInformation" => call
            .response("GetDeviceInformationResponse")
            .leaf(TDS, "Manufacturer", MANUFACTURER)
            .leaf(TDS, "Model", MODEL)
            .leaf(TDS, "FirmwareVersion", env!("CARGO_PKG_VERSION"))
            .leaf(TDS, "SerialNumber", &camera.serial)
            .leaf(TDS, "HardwareId", HARDWARE),
        "GetScopes" => {
            let scopes = scopes(camera).into_iter().map(|scope| {
                element(TDS, "Scopes")
                    .leaf(TT, "ScopeDef", "Fixed")
                    .leaf(TT, "ScopeItem", scope)
            });
            call.response("GetScopesResponse").children(scopes)
        }
        "GetHostname" => call.response("GetHostnameResponse").child(
            element(TDS, "HostnameInformation")
                .leaf(TT, "FromDHCP", false)
                .leaf(TT, "Name", lock(&camera.hostname)),
        ),
        "SetHostname" => {
            set_hostname(call)?;
            call.response("SetHostnameResponse")
        }
        "GetNetworkInterfaces" => call
            .response("GetNetworkInterfacesResponse")
            .child(network_interface(camera)),
        "GetNetworkProtocols" => call.response("GetNetworkProtocolsResponse").children([
            network_protocol("HTTP", camera.http.port()),
            network_protocol("RTSP", camera.rtsp.local_addr().port()),
        ]),
        "GetDNS" => call
            .response("GetDNSResponse")
            .child(element(TDS, "DNSInformation").leaf(TT, "FromDHCP", false)),
        "GetNTP" => call
            .response("GetNTPResponse")
            .child(element(TDS, "NTPInformation").leaf(TT, "FromDHCP", false)),
        "GetNetworkDefaultGateway" => call
            .response("GetNetworkDefaultGatewayResponse")
            .child(element(TDS, "NetworkGateway")),
        "GetUsers" => {
            let gate = lock(&camera.gate);
            let user = gate.user_name().map(|name| {
                element(TDS, "User").leaf(TT, "Username", name).leaf(
                    TT,
                    "UserLevel",
                    "Administrator",
                )
            });
            call.response("GetUsersResponse").children(user)
        }
        "GetDiscoveryMode" => {
            call.response("GetDiscoveryModeResponse")
                .leaf(TDS, "DiscoveryMode", "Discoverable")
        }
        "GetEndpointReference" => {
            call.response("GetEndpointReferenceResponse")
                .leaf(TDS, "GUID", camera.uuid.urn())
        }
        "GetWsdlUrl" => call.response("GetWsdlUrlResponse").leaf(
            TDS,
            "WsdlUrl",
            "https://www.onvif.org/profiles/specifications/",
        ),
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
    element(TDS, "Capabilities")
        .child(flags(TDS, "Network", &[("IPVersion6", false)]))
        .child(security.attribute("MaxUsers", 1))
        .child(flags(
            TDS,
            "System",
            &[("DiscoveryResolve", true), ("DiscoveryBye", true)],
        ))
}

/// The scopes of the camera, in discovery and in `GetScopes`.
pub(crate) fn scopes(camera: &Camera) -> Vec<String> {
    let name: String = url::form_urlencoded::byte_serialize(camera.name.as_bytes()).collect();
    // A scope is a URI: a space is %20 there, while forms write "+".
    let name = name.replace('+', "%20");
    vec![
        "onvif://www.onvif.org/type/video_encoder".to_owned(),
        "onvif://www.onvif.org/type/ptz".to_owned(),
        "onvif://www.onvif.org/Profile/Streaming".to_owned(),
        "onvif://www.onvif.org/Profile/T".to_owned(),
        format!("onvif://www.onvif.org/name/{name}"),
        format!("onvif://www.onvif.org/hardware/{HARDWARE}"),
        "onvif://www.onvif.org/location/virtual".to_owned(),
    ]
}

fn get_services(call: &Call<'_>) -> Element {
    let with_capabilities = matches!(
        call.request.text_of("IncludeCapability"),
        Some("true" | "1")
    ) && !call.camera.quirks.no_service_capabilities;
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
    let known = ["All", "Device", "Events", "Imaging", "Media", "PTZ"];
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
            "Device",
            addressed("Device", Service::Device).children([
                element(TT, "Network")
                    .leaf(TT, "IPFilter", false)
                    .leaf(TT, "ZeroConfiguration", false)
                    .leaf(TT, "IPVersion6", false)
                    .leaf(TT, "DynDNS", false),
                element(TT, "System")
                    .leaf(TT, "DiscoveryResolve", true)
                    .leaf(TT, "DiscoveryBye", true)
                    .leaf(TT, "RemoteDiscovery", false)
                    .leaf(TT, "SystemBackup", false)
                    .leaf(TT, "SystemLogging", false)
                    .leaf(TT, "FirmwareUpgrade", false)
                    .child(version("SupportedVersions")),
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
                    !call.camera.quirks.caps_lie_pullpoint,
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

fn system_date_and_time(camera: &Camera) -> Element {
    let now = camera.shown_time().to_zoned(TimeZone::UTC).datetime();
    let time = |name| {
        element(TT, name)
            .child(
                element(TT, "Time")
                    .leaf(TT, "Hour", now.hour())
                    .leaf(TT, "Minute", now.minute())
                    .leaf(TT, "Second", now.second()),
            )
            .child(
                element(TT, "Date")
                    .leaf(TT, "Year", now.year())
                    .leaf(TT, "Month", now.month())
                    .leaf(TT, "Day", now.day()),
            )
    };
    element(TDS, "SystemDateAndTime")
        .leaf(TT, "DateTimeType", "Manual")
        .leaf(TT, "DaylightSavings", camera.quirks.dst_bug)
        .child(element(TT, "TimeZone").leaf(TT, "TZ", "UTC0"))
        .child(time("UTCDateTime"))
        .child(time("LocalDateTime"))
}

fn set_system_date_and_time(call: &Call<'_>) -> Result<(), Fault> {
    match call.argument("DateTimeType")? {
        "NTP" => {
            *lock(&call.camera.clock) = Clock::new(call.camera.quirks.clock_offset);
            Ok(())
        }
        "Manual" => {
            let time = manual_time(call).ok_or_else(|| {
                Fault::invalid_value("InvalidDateTime", "UTCDateTime is not a date and time")
            })?;
            lock(&call.camera.clock).set(time);
            Ok(())
        }
        other => Err(Fault::sender(
            &[(TER, "InvalidArgVal")],
            format!("DateTimeType cannot be {other}"),
        )),
    }
}

fn manual_time(call: &Call<'_>) -> Option<Timestamp> {
    let utc = call.request.child("UTCDateTime")?;
    let number = |part: &str, name: &str| utc.child(part)?.text_of(name)?.parse::<i16>().ok();
    let small = |part, name| i8::try_from(number(part, name)?).ok();
    let time = DateTime::new(
        number("Date", "Year")?,
        small("Date", "Month")?,
        small("Date", "Day")?,
        small("Time", "Hour")?,
        small("Time", "Minute")?,
        small("Time", "Second")?,
        0,
    );
    Some(time.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn set_hostname(call: &Call<'_>) -> Result<(), Fault> {
    let name = call.argument("Name")?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if name.len() > 63 || !name.chars().all(allowed) {
        return Err(Fault::invalid_value("InvalidHostname", "not a hostname"));
    }
    name.clone_into(&mut lock(&call.camera.hostname));
    Ok(())
}

fn network_interface(camera: &Camera) -> Element {
    let address = match camera.http.ip() {
        IpAddr::V4(address) if !address.is_unspecified() => address,
        _ => Ipv4Addr::LOCALHOST,
    };
    let [.., a, b, c, d, e] = *camera.uuid.as_bytes();
    let hardware = format!("02:{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}");
    element(TDS, "NetworkInterfaces")
        .attribute("token", "eth0")
        .leaf(TT, "Enabled", true)
        .child(
            element(TT, "Info")
                .leaf(TT, "Name", "eth0")
                .leaf(TT, "HwAddress", hardware)
                .leaf(TT, "MTU", 1500),
        )
        .child(
            element(TT, "IPv4").leaf(TT, "Enabled", true).child(
                element(TT, "Config")
                    .child(element(TT, "Manual").leaf(TT, "Address", address).leaf(
                        TT,
                        "PrefixLength",
                        24,
                    ))
                    .leaf(TT, "DHCP", false),
            ),
        )
}

fn network_protocol(name: &str, port: u16) -> Element {
    element(TDS, "NetworkProtocols")
        .leaf(TT, "Name", name)
        .leaf(TT, "Enabled", true)
        .leaf(TT, "Port", port)
}
