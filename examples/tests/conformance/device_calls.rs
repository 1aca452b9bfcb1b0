//! Device management, relays and inputs.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use onvif_core::device::{
    CapabilityCategory, DynamicDnsType, GetCapabilities, IpAddressFilter, NetworkGateway,
    NetworkHost, NetworkInterfaceSettings, RelayIdleState, RelayLogicalState, RelayOutputSettings,
    SetSystemDateAndTime, User, UserLevel,
};
use onvif_core::{Camera, device_io};

use crate::driving::Trouble;

const COMMANDS: [&str; 9] = [
    "tt:Wiper|On",
    "tt:Wiper|Off",
    "tt:Washer|On",
    "tt:Washer|Off",
    "tt:WashingProcedure|On",
    "tt:WashingProcedure|Off",
    "tt:IRLamp|On",
    "tt:IRLamp|Off",
    "tt:IRLamp|Auto",
];

pub async fn run(camera: &Camera, trouble: &mut Trouble) {
    system(camera, trouble).await;
    network(camera, trouble).await;
    users(camera, trouble).await;
    ip_filter(camera, trouble).await;
    relays(camera, trouble).await;
    device_io(camera, trouble).await;
}

async fn system(camera: &Camera, trouble: &mut Trouble) {
    let device = camera.device();
    let all = GetCapabilities {
        category: vec![CapabilityCategory::All],
    };
    trouble.none("capabilities", camera.call(&all).await);
    trouble.none("services", device.services().await);
    trouble.none("device capabilities", device.service_capabilities().await);
    trouble.none("WSDL", device.wsdl_url().await);
    trouble.none("information", device.information().await);
    trouble.none("date and time", device.system_date_and_time().await);
    let now = SetSystemDateAndTime::manual(SystemTime::now());
    trouble.none(
        "set date and time",
        device.set_system_date_and_time(&now).await,
    );
    trouble.none("scopes", device.scopes().await);
    let scope = "onvif://www.onvif.org/location/hall";
    trouble.none("set scopes", device.set_scopes([scope]).await);
    let scope = "onvif://www.onvif.org/location/gate";
    trouble.none("add scopes", device.add_scopes([scope]).await);
    trouble.none("remove scopes", device.remove_scopes([scope]).await);
    if let Some(Some(mode)) = trouble.none("discovery mode", device.discovery_mode().await) {
        trouble.none("set discovery mode", device.set_discovery_mode(mode).await);
    }
    for command in COMMANDS {
        trouble.none(command, device.send_auxiliary_command(command).await);
    }
}

async fn network(camera: &Camera, trouble: &mut Trouble) {
    let device = camera.device();
    trouble.none("hostname", device.hostname().await);
    trouble.none("set hostname", device.set_hostname("gate").await);
    trouble.none(
        "hostname from DHCP",
        device.set_hostname_from_dhcp(false).await,
    );
    trouble.none("DNS", device.dns().await);
    let servers = [ip("192.0.2.53"), ip("2001:db8::53")];
    trouble.none("set DNS", device.set_dns(&servers, &["example.com"]).await);
    trouble.none("DNS from DHCP", device.set_dns_from_dhcp().await);
    trouble.none("NTP", device.ntp().await);
    let servers = [
        NetworkHost::from(ip("192.0.2.123")),
        NetworkHost::dns("ntp.example.com"),
    ];
    trouble.none("set NTP", device.set_ntp(servers).await);
    trouble.none("NTP from DHCP", device.set_ntp_from_dhcp().await);
    trouble.none("dynamic DNS", device.dynamic_dns().await);
    let day = Some(Duration::from_secs(86_400));
    let updates =
        device.set_dynamic_dns(DynamicDnsType::ClientUpdates, Some("gate.example.com"), day);
    trouble.none("set dynamic DNS", updates.await);
    if let Some(protocols) = trouble.none("protocols", device.network_protocols().await) {
        trouble.none(
            "set protocols",
            device.set_network_protocols(protocols).await,
        );
    }
    trouble.none("gateway", device.default_gateway().await);
    let gateway = NetworkGateway {
        ipv4: vec!["192.0.2.1".into()],
        ipv6: vec![],
    };
    trouble.none("set gateway", device.set_default_gateway(gateway).await);
    let interface = trouble.first("interfaces", device.network_interfaces().await);
    if let Some(token) = interface.and_then(|interface| interface.token) {
        let settings = NetworkInterfaceSettings {
            mtu: Some(1400),
            ..Default::default()
        };
        trouble.none(
            "set interface",
            device.set_network_interface(&token, settings).await,
        );
        trouble.none("zero configuration", device.zero_configuration().await);
        trouble.none(
            "set zero configuration",
            device.set_zero_configuration(&token, true).await,
        );
    }
}

async fn users(camera: &Camera, trouble: &mut Trouble) {
    let device = camera.device();
    trouble.none("users", device.users().await);
    let user = User::new("guard", "first secret", UserLevel::Operator);
    trouble.none("create users", device.create_users([user]).await);
    let user = User::new("guard", "second secret", UserLevel::User);
    trouble.none("set user", device.set_user(user).await);
    trouble.none("delete users", device.delete_users(["guard"]).await);
}

async fn ip_filter(camera: &Camera, trouble: &mut Trouble) {
    let device = camera.device();
    trouble.none("IP filter", device.ip_filter().await);
    // Of networks for documentation, so that nobody is shut out.
    for (base, other, length) in [
        ("192.0.2.0", "198.51.100.0", 24),
        ("2001:db8:1::", "2001:db8:2::", 48),
    ] {
        let base = IpAddressFilter::deny([(ip(base), length)]);
        let other = IpAddressFilter::deny([(ip(other), length)]);
        trouble.none("set IP filter", device.set_ip_filter(base).await);
        trouble.none("add IP filter", device.add_ip_filter(other.clone()).await);
        trouble.none("remove IP filter", device.remove_ip_filter(other).await);
    }
}

async fn relays(camera: &Camera, trouble: &mut Trouble) {
    let device = camera.device();
    let Some(relay) = trouble.first("relays", device.relay_outputs().await) else {
        return;
    };
    let relay = relay.token;
    let idle = RelayIdleState::Open;
    for settings in [
        RelayOutputSettings::monostable(Duration::from_secs(1), idle.clone()),
        RelayOutputSettings::bistable(idle.clone()),
    ] {
        trouble.none(
            "set relay",
            device.set_relay_output_settings(&relay, settings).await,
        );
    }
    let state = RelayLogicalState::Inactive;
    trouble.none(
        "switch relay",
        device.set_relay_output_state(&relay, state).await,
    );
}

async fn device_io(camera: &Camera, trouble: &mut Trouble) {
    let device_io = camera.device_io();
    trouble.none("IO capabilities", device_io.service_capabilities().await);
    trouble.none("IO video sources", device_io.video_sources().await);
    trouble.none("IO audio sources", device_io.audio_sources().await);
    trouble.none("IO audio outputs", device_io.audio_outputs().await);
    trouble.none("serial ports", device_io.serial_ports().await);
    if let Some(relay) = trouble.first("IO relays", device_io.relay_outputs().await) {
        let token = relay.token;
        trouble.none(
            "relay options",
            device_io.relay_output_options(Some(&token)).await,
        );
        if let Some(settings) = relay.settings {
            trouble.none(
                "IO set relay",
                device_io.set_relay_output_settings(&token, settings).await,
            );
        }
        let state = RelayLogicalState::Active;
        trouble.none(
            "IO switch relay",
            device_io.set_relay_output_state(&token, state).await,
        );
    }
    if let Some(input) = trouble.first("inputs", device_io.digital_inputs().await) {
        trouble.none(
            "input options",
            device_io.digital_input_options(Some(&input.token)).await,
        );
        let inputs: [device_io::DigitalInput; 1] = [input];
        trouble.none("set inputs", device_io.set_digital_inputs(inputs).await);
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}
