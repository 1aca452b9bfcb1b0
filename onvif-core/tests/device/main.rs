//! Device management, and inputs and outputs, against a camera in software.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod files;
mod inputs_outputs;

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use onvif_core::device::{
    DiscoveryMode, DynamicDnsType, FactoryDefault, GeoLocation, IpAddressFilter, Ipv4Settings,
    LocationEntity, NetworkGateway, NetworkHost, NetworkInterfaceSettings, NetworkInterfaceToken,
    NetworkProtocol, NetworkProtocolType, PrefixedAddress, ScopeDefinition, SetDateTimeType,
    SetSystemDateAndTime, SystemLogType, User, UserLevel,
};
use onvif_core::{Camera, Credentials, Error, device};
use virtual_camera::VirtualCamera;

async fn start() -> (VirtualCamera, Camera) {
    let target = VirtualCamera::builder()
        .credentials("admin", "secret")
        .name("gate")
        .start()
        .await
        .unwrap();
    let camera = connect(&target, "secret").await;
    (target, camera)
}

async fn connect(target: &VirtualCamera, password: &str) -> Camera {
    Camera::builder(target.device_url())
        .credentials(Credentials::new("admin", password))
        .connect()
        .await
        .unwrap()
}

/// Asserts that the camera refused with these subcodes, in this order.
#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T, Error>, subcodes: &[&str]) {
    match result {
        Err(Error::Refused { fault, .. }) => {
            let shown = fault.to_string();
            for subcode in subcodes {
                assert!(shown.contains(subcode), "{subcode} is not in {shown}");
            }
        }
        other => panic!("not refused: {other:?}"),
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[tokio::test]
async fn services_and_capabilities_are_listed() {
    let (target, camera) = start().await;
    let services = camera.device().services().await.unwrap();
    let device_io = services
        .iter()
        .find(|service| {
            service.namespace.as_deref() == Some("http://www.onvif.org/ver10/deviceIO/wsdl")
        })
        .unwrap();
    assert_eq!(device_io.version.unwrap().major, Some(20));

    let capabilities = camera
        .device()
        .service_capabilities()
        .await
        .unwrap()
        .unwrap();
    assert_eq!(capabilities.network.unwrap().ip_filter, Some(true));
    assert_eq!(capabilities.security.unwrap().max_users, Some(8));
    let commands = capabilities.misc.unwrap().auxiliary_commands.unwrap();
    assert!(commands.0.contains(&"tt:Wiper|On".to_owned()));

    let all = device::GetCapabilities {
        category: vec![device::CapabilityCategory::All],
    };
    let older = camera.call(&all).await.unwrap().capabilities.unwrap();
    assert_eq!(older.device.unwrap().io.unwrap().relay_outputs, Some(2));
    assert!(older.extension.unwrap().device_io.unwrap().xaddr.is_some());
    let url = camera.device().wsdl_url().await.unwrap().unwrap();
    assert_eq!(url.scheme(), "https");
    let reference = camera.call(&device::GetEndpointReference {}).await.unwrap();
    assert!(reference.guid.unwrap().starts_with("urn:uuid:"));
    target.stop().await;
}

#[tokio::test]
async fn a_network_interface_keeps_what_it_is_set_to() {
    let (target, camera) = start().await;
    let device = camera.device();
    let interface = device.network_interfaces().await.unwrap().remove(0);
    let settings = NetworkInterfaceSettings {
        mtu: Some(1400),
        ipv4: Some(Ipv4Settings {
            enabled: Some(true),
            manual: vec![PrefixedAddress::new(ip("192.0.2.7"), 28)],
            dhcp: Some(false),
        }),
        ..Default::default()
    };
    let token = interface.token.unwrap();
    let reboot = device
        .set_network_interface(&token, settings)
        .await
        .unwrap();
    assert!(!reboot);

    let interface = device.network_interfaces().await.unwrap().remove(0);
    assert_eq!(interface.info.unwrap().mtu, Some(1400));
    let config = interface.ipv4.unwrap().config.unwrap();
    assert_eq!(config.manual, [PrefixedAddress::new(ip("192.0.2.7"), 28)]);
    let other = NetworkInterfaceToken::from("eth9");
    assert_refused(
        device
            .set_network_interface(&other, Default::default())
            .await,
        &["InvalidArgVal", "InvalidNetworkInterface"],
    );
    target.stop().await;
}

#[tokio::test]
async fn gateways_and_protocols_keep_what_they_are_set_to() {
    let (target, camera) = start().await;
    let device = camera.device();
    let gateway = NetworkGateway {
        ipv4: vec!["192.0.2.1".into()],
        ipv6: vec!["2001:db8::1".into()],
    };
    device.set_default_gateway(gateway.clone()).await.unwrap();
    assert_eq!(device.default_gateway().await.unwrap(), Some(gateway));
    let error = device.set_default_gateway(NetworkGateway::default()).await;
    assert!(matches!(error, Err(Error::Caller(_))), "{error:?}");

    let rtsp = NetworkProtocol {
        name: Some(NetworkProtocolType::Rtsp),
        enabled: Some(false),
        ports: vec![8554],
    };
    device.set_network_protocols([rtsp.clone()]).await.unwrap();
    let protocols = device.network_protocols().await.unwrap();
    assert!(protocols.contains(&rtsp), "{protocols:?}");
    assert_eq!(protocols.len(), 2);
    target.stop().await;
}

#[tokio::test]
async fn names_and_name_servers_keep_what_they_are_set_to() {
    let (target, camera) = start().await;
    let device = camera.device();
    device.set_hostname("north-gate").await.unwrap();
    assert_eq!(
        device.hostname().await.unwrap().as_deref(),
        Some("north-gate")
    );
    assert!(!device.set_hostname_from_dhcp(true).await.unwrap());
    assert_refused(device.set_hostname("-").await, &["InvalidHostname"]);

    let servers = [ip("192.0.2.53"), ip("2001:db8::53")];
    device.set_dns(&servers, &["example.org"]).await.unwrap();
    let dns = device.dns().await.unwrap().unwrap();
    assert_eq!(
        (dns.from_dhcp, dns.search_domains),
        (Some(false), vec!["example.org".into()])
    );
    let kept: Vec<_> = dns.manual.iter().filter_map(|server| server.ip()).collect();
    assert_eq!(kept, servers);
    device.set_dns_from_dhcp().await.unwrap();
    assert_eq!(device.dns().await.unwrap().unwrap().from_dhcp, Some(true));
    target.stop().await;
}

#[tokio::test]
async fn the_clock_follows_ntp_once_there_is_a_server() {
    let (target, camera) = start().await;
    let device = camera.device();
    let ntp = SetSystemDateAndTime::ntp();
    assert_refused(
        device.set_system_date_and_time(&ntp).await,
        &["InvalidArgVal", "NtpServerUndefined"],
    );
    let servers = vec![
        NetworkHost::dns("pool.example.org"),
        ip("192.0.2.123").into(),
    ];
    device.set_ntp(servers.clone()).await.unwrap();
    assert_eq!(device.ntp().await.unwrap().unwrap().manual, servers);
    device.set_system_date_and_time(&ntp).await.unwrap();
    let clock = camera.call(&device::GetSystemDateAndTime {}).await.unwrap();
    let kind = clock.system_date_and_time.unwrap().date_time_type;
    assert_eq!(kind, Some(SetDateTimeType::Ntp));
    device.set_ntp_from_dhcp().await.unwrap();
    assert_eq!(device.ntp().await.unwrap().unwrap().from_dhcp, Some(true));
    target.stop().await;
}

#[tokio::test]
async fn the_clock_is_set_by_hand() {
    let (target, camera) = start().await;
    let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    let mut setting = SetSystemDateAndTime::manual(tomorrow);
    setting.time_zone = Some(device::TimeZone {
        tz: Some("CET-1CEST,M3.5.0,M10.5.0/3".into()),
    });
    camera
        .device()
        .set_system_date_and_time(&setting)
        .await
        .unwrap();

    let camera = connect(&target, "secret").await;
    let now = camera
        .device()
        .system_date_and_time()
        .await
        .unwrap()
        .unwrap();
    let distance = now
        .duration_since(tomorrow - Duration::from_secs(2))
        .unwrap();
    assert!(distance < Duration::from_secs(30), "{distance:?}");
    let reply = camera.call(&device::GetSystemDateAndTime {}).await.unwrap();
    let clock = reply.system_date_and_time.unwrap();
    assert_eq!(clock.time_zone, setting.time_zone);
    assert_ne!(clock.local, clock.utc);
    target.stop().await;
}

#[tokio::test]
async fn dynamic_dns_and_zero_configuration_keep_what_they_are_set_to() {
    let (target, camera) = start().await;
    let device = camera.device();
    let ttl = Duration::from_secs(3600);
    device
        .set_dynamic_dns(
            DynamicDnsType::ClientUpdates,
            Some("gate.example.org"),
            Some(ttl),
        )
        .await
        .unwrap();
    let dynamic = device.dynamic_dns().await.unwrap().unwrap();
    assert_eq!(dynamic.kind, Some(DynamicDnsType::ClientUpdates));
    assert_eq!(dynamic.name.as_deref(), Some("gate.example.org"));
    assert_eq!(dynamic.ttl.unwrap().0, ttl);

    let before = device.zero_configuration().await.unwrap().unwrap();
    assert_eq!((before.enabled, before.addresses.len()), (Some(false), 0));
    let interface = before.interface_token.unwrap();
    device
        .set_zero_configuration(&interface, true)
        .await
        .unwrap();
    let after = device.zero_configuration().await.unwrap().unwrap();
    assert!(after.addresses[0].starts_with("169.254."), "{after:?}");
    target.stop().await;
}

#[tokio::test]
async fn the_ip_filter_is_set_added_to_and_taken_from_in_both_versions() {
    let (target, camera) = start().await;
    let device = camera.device();
    let (v4, v6) = ((ip("192.0.2.0"), 24), (ip("2001:db8::"), 32));
    device
        .set_ip_filter(IpAddressFilter::deny([v4]))
        .await
        .unwrap();
    device
        .add_ip_filter(IpAddressFilter::deny([v6]))
        .await
        .unwrap();
    let both = IpAddressFilter::deny([v4, v6]);
    assert_eq!(device.ip_filter().await.unwrap(), Some(both));
    device
        .remove_ip_filter(IpAddressFilter::deny([v4]))
        .await
        .unwrap();
    let rest = IpAddressFilter::deny([v6]);
    assert_eq!(device.ip_filter().await.unwrap(), Some(rest));
    assert_refused(
        device.remove_ip_filter(IpAddressFilter::deny([v4])).await,
        &["InvalidArgVal", "NoIPv4Address"],
    );
    device
        .set_ip_filter(IpAddressFilter::allow([v6]))
        .await
        .unwrap();
    device
        .add_ip_filter(IpAddressFilter::allow([v4]))
        .await
        .unwrap();
    device
        .remove_ip_filter(IpAddressFilter::allow([v6]))
        .await
        .unwrap();
    let rest = IpAddressFilter::allow([v4]);
    assert_eq!(device.ip_filter().await.unwrap(), Some(rest));
    target.stop().await;
}

#[tokio::test]
async fn users_come_and_go_but_the_fixed_one_stays() {
    let (target, camera) = start().await;
    let device = camera.device();
    let eve = User::new("eve", "hunter2", UserLevel::Operator);
    device.create_users([eve.clone()]).await.unwrap();
    let mut promoted = eve.clone();
    promoted.level = Some(UserLevel::Administrator);
    device.set_user(promoted).await.unwrap();
    let users = device.users().await.unwrap();
    let shown = users
        .iter()
        .find(|user| user.username == eve.username)
        .unwrap();
    assert_eq!(
        (&shown.level, &shown.password),
        (&Some(UserLevel::Administrator), &None)
    );

    assert_refused(
        device.create_users([eve]).await,
        &["OperationProhibited", "UsernameClash"],
    );
    device.delete_users(["eve"]).await.unwrap();
    assert_refused(device.delete_users(["eve"]).await, &["UsernameMissing"]);
    assert_refused(
        device.delete_users(["admin"]).await,
        &["InvalidArgVal", "FixedUser"],
    );
    assert_refused(
        device
            .set_user(User::new("admin", "other", UserLevel::User))
            .await,
        &["InvalidArgVal", "FixedUser"],
    );
    let many: Vec<_> = (0..9)
        .map(|n| User::new(format!("u{n}"), "hunter2", UserLevel::User))
        .collect();
    assert_refused(device.create_users(many).await, &["Action", "TooManyUsers"]);
    assert_eq!(device.users().await.unwrap().len(), 1);
    target.stop().await;
}

#[tokio::test]
async fn a_new_password_is_the_one_to_log_in_with() {
    let (target, camera) = start().await;
    let admin = User::new("admin", "changed", UserLevel::Administrator);
    camera.device().set_user(admin).await.unwrap();
    assert!(camera.device().users().await.is_err());
    let camera = connect(&target, "changed").await;
    assert_eq!(camera.device().users().await.unwrap().len(), 1);
    target.stop().await;
}

#[tokio::test]
async fn scopes_are_added_replaced_and_removed() {
    let (target, camera) = start().await;
    let device = camera.device();
    let roof = "onvif://www.onvif.org/location/roof";
    device.add_scopes([roof]).await.unwrap();
    let scopes = device.scopes().await.unwrap();
    let added = scopes
        .iter()
        .find(|scope| scope.item.as_deref() == Some(roof));
    assert_eq!(
        added.unwrap().definition,
        Some(ScopeDefinition::Configurable)
    );
    assert_eq!(device.remove_scopes([roof]).await.unwrap(), [roof]);
    device.set_scopes([roof]).await.unwrap();
    let scopes = device.scopes().await.unwrap();
    let of = |kind: ScopeDefinition| {
        let scopes = scopes
            .iter()
            .filter(|scope| scope.definition.as_ref() == Some(&kind));
        scopes
            .filter_map(|scope| scope.item.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(of(ScopeDefinition::Configurable), [roof]);
    let fixed = of(ScopeDefinition::Fixed).remove(0);
    assert_refused(
        device.remove_scopes([fixed]).await,
        &["OperationProhibited", "FixedScope"],
    );

    assert_eq!(
        device.discovery_mode().await.unwrap(),
        Some(DiscoveryMode::Discoverable)
    );
    let silent = DiscoveryMode::NonDiscoverable;
    device.set_discovery_mode(silent.clone()).await.unwrap();
    assert_eq!(device.discovery_mode().await.unwrap(), Some(silent));
    target.stop().await;
}

#[tokio::test]
async fn a_reset_and_a_reboot_are_carried_out() {
    let (target, camera) = start().await;
    let device = camera.device();
    device.set_hostname("changed").await.unwrap();
    device.reset(FactoryDefault::Soft).await.unwrap();
    assert_eq!(device.hostname().await.unwrap().as_deref(), Some("changed"));
    device.reset(FactoryDefault::Hard).await.unwrap();
    assert_eq!(device.hostname().await.unwrap().as_deref(), Some("gate"));
    assert!(device.reboot().await.unwrap().is_some());
    target.stop().await;
}

#[tokio::test]
async fn the_camera_keeps_where_it_is() {
    let (target, camera) = start().await;
    let device = camera.device();
    assert!(device.geo_location().await.unwrap().is_empty());
    let here = LocationEntity {
        geo_location: Some(GeoLocation {
            lon: Some(13.376_888_123_456),
            lat: Some(-52.5),
            elevation: Some(34.5),
        }),
        ..Default::default()
    };
    device.set_geo_location([here.clone()]).await.unwrap();
    let kept = device.geo_location().await.unwrap();
    assert_eq!(kept.as_slice(), std::slice::from_ref(&here));
    let mut wrong = here.clone();
    wrong.geo_location = Some(GeoLocation {
        lon: Some(181.0),
        lat: Some(0.0),
        elevation: None,
    });
    assert_refused(device.set_geo_location([wrong]).await, &["InvalidArgVal"]);
    let forget = device::DeleteGeoLocation {
        locations: vec![here],
    };
    camera.call(&forget).await.unwrap();
    assert!(device.geo_location().await.unwrap().is_empty());
    target.stop().await;
}

#[tokio::test]
async fn logs_and_support_information_are_read_as_text() {
    let (target, camera) = start().await;
    let device = camera.device();
    for log in [SystemLogType::System, SystemLogType::Access] {
        assert!(device.system_log(log).await.unwrap().is_some());
    }
    let text = device.support_information().await.unwrap().unwrap();
    let serial = device.information().await.unwrap().serial_number.unwrap();
    assert!(text.contains(&serial), "{text}");
    assert_refused(device.system_addresses().await, &["ActionNotSupported"]);
    target.stop().await;
}

#[tokio::test]
async fn every_auxiliary_command_is_carried_out() {
    let (target, camera) = start().await;
    for command in [
        "tt:Wiper|On",
        "tt:Wiper|Off",
        "tt:Washer|On",
        "tt:Washer|Off",
        "tt:WashingProcedure|On",
        "tt:WashingProcedure|Off",
        "tt:IRLamp|On",
        "tt:IRLamp|Off",
        "tt:IRLamp|Auto",
    ] {
        camera
            .device()
            .send_auxiliary_command(command)
            .await
            .unwrap();
        let (name, value) = command.split_once('|').unwrap();
        assert_eq!(target.auxiliary(name), Some(value));
    }
    assert_refused(
        camera.device().send_auxiliary_command("tt:Horn|On").await,
        &["AuxiliaryDataNotSupported"],
    );
    target.stop().await;
}

#[tokio::test]
async fn a_camera_without_certificates_says_so() {
    let (target, camera) = start().await;
    assert_refused(
        camera.device().certificates().await,
        &["ActionNotSupported"],
    );
    target.stop().await;
}
