//! What the Device and DeviceIO services refuse, and how they say it.

use crate::client::{
    DEVICE, DEVICE_IO, Reply, builder, call, envelope, open_camera, send, service_url,
};

async fn refused(camera: &virtual_camera::VirtualCamera, cases: &[(&str, &str, u16, &str)]) {
    for (operation, content, status, subcode) in cases {
        let reply = call(camera, DEVICE, operation, content).await;
        println!("{operation} {content}");
        reply.fault(*status, subcode);
    }
}

#[tokio::test]
async fn what_the_network_cannot_be_set_to_is_refused() {
    let camera = open_camera().await;
    let interface = "<InterfaceToken>eth0</InterfaceToken><NetworkInterface>";
    let filter = "<IPAddressFilter><tt:Type>Deny</tt:Type>";
    refused(
        &camera,
        &[
            ("SetHostname", "<Name>-a-</Name>", 400, "ter:InvalidHostname"),
            ("SetHostname", "", 400, "ter:InvalidArgs"),
            (
                "SetDNS",
                "<FromDHCP>false</FromDHCP><DNSManual><tt:Type>IPv4</tt:Type><tt:IPv4Address>1.2</tt:IPv4Address></DNSManual>",
                400,
                "ter:InvalidIPv4Address",
            ),
            ("SetNTP", "<FromDHCP>perhaps</FromDHCP>", 400, "ter:InvalidArgVal"),
            (
                "SetNTP",
                "<FromDHCP>false</FromDHCP><NTPManual><tt:Type>DNS</tt:Type><tt:DNSname>a b</tt:DNSname></NTPManual>",
                400,
                "ter:InvalidDnsName",
            ),
            ("SetDynamicDNS", "<Type>Never</Type>", 400, "ter:InvalidArgVal"),
            (
                "SetNetworkInterfaces",
                "<InterfaceToken>eth7</InterfaceToken><NetworkInterface/>",
                400,
                "ter:InvalidNetworkInterface",
            ),
            (
                "SetNetworkInterfaces",
                &format!("{interface}<tt:MTU>9</tt:MTU></NetworkInterface>"),
                400,
                "ter:InvalidMtuValue",
            ),
            (
                "SetNetworkProtocols",
                "<NetworkProtocols><tt:Name>HTTPS</tt:Name><tt:Enabled>true</tt:Enabled></NetworkProtocols>",
                400,
                "ter:ServiceNotSupported",
            ),
            (
                "SetNetworkProtocols",
                "<NetworkProtocols><tt:Name>HTTP</tt:Name><tt:Enabled>true</tt:Enabled><tt:Port>5</tt:Port></NetworkProtocols>\
                 <NetworkProtocols><tt:Name>RTSP</tt:Name><tt:Enabled>true</tt:Enabled><tt:Port>5</tt:Port></NetworkProtocols>",
                400,
                "ter:PortAlreadyInUse",
            ),
            ("SetNetworkDefaultGateway", "", 400, "ter:InvalidGatewayAddress"),
            (
                "SetNetworkDefaultGateway",
                "<IPv6Address>192.0.2.1</IPv6Address>",
                400,
                "ter:InvalidIPv6Address",
            ),
            (
                "SetZeroConfiguration",
                "<InterfaceToken>x</InterfaceToken><Enabled>true</Enabled>",
                400,
                "ter:InvalidNetworkInterface",
            ),
            (
                "SetIPAddressFilter",
                &format!(
                    "{filter}<tt:IPv4Address><tt:Address>192.0.2.0</tt:Address>\
                     <tt:PrefixLength>33</tt:PrefixLength></tt:IPv4Address></IPAddressFilter>"
                ),
                400,
                "ter:InvalidArgVal",
            ),
            (
                "RemoveIPAddressFilter",
                &format!(
                    "{filter}<tt:IPv6Address><tt:Address>::1</tt:Address>\
                     <tt:PrefixLength>128</tt:PrefixLength></tt:IPv6Address></IPAddressFilter>"
                ),
                400,
                "ter:NoIPv6Address",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_the_system_cannot_do_is_refused() {
    let camera = open_camera().await;
    refused(
        &camera,
        &[
            (
                "SetSystemDateAndTime",
                "<DateTimeType>NTP</DateTimeType><DaylightSavings>false</DaylightSavings>",
                400,
                "ter:NtpServerUndefined",
            ),
            (
                "SetSystemDateAndTime",
                "<DateTimeType>Manual</DateTimeType><DaylightSavings>false</DaylightSavings>\
                 <TimeZone><tt:TZ>Mars</tt:TZ></TimeZone>",
                400,
                "ter:InvalidTimeZone",
            ),
            ("SetDiscoveryMode", "<DiscoveryMode>Hidden</DiscoveryMode>", 400, "ter:InvalidArgVal"),
            ("SetSystemFactoryDefault", "<FactoryDefault>Soggy</FactoryDefault>", 400, "ter:InvalidArgVal"),
            (
                "SetScopes",
                "<Scopes>onvif://www.onvif.org/Profile/T</Scopes>",
                400,
                "ter:ScopeOverwrite",
            ),
            (
                "RemoveScopes",
                "<ScopeItem>onvif://www.onvif.org/Profile/T</ScopeItem>",
                400,
                "ter:FixedScope",
            ),
            ("RemoveScopes", "<ScopeItem>onvif://x/y</ScopeItem>", 400, "ter:NoScope"),
            (
                "AddScopes",
                &"<ScopeItem>onvif://x/y</ScopeItem>".repeat(40),
                500,
                "ter:TooManyScopes",
            ),
            (
                "SendAuxiliaryCommand",
                "<AuxiliaryCommand>tt:Horn|On</AuxiliaryCommand>",
                400,
                "ter:AuxiliaryDataNotSupported",
            ),
            (
                "SetRelayOutputState",
                "<RelayOutputToken>r</RelayOutputToken><LogicalState>active</LogicalState>",
                400,
                "ter:RelayToken",
            ),
            (
                "SetRelayOutputSettings",
                "<RelayOutputToken>relay_1</RelayOutputToken><Properties><tt:Mode>Monostable</tt:Mode>\
                 <tt:DelayTime>PT2H</tt:DelayTime><tt:IdleState>open</tt:IdleState></Properties>",
                400,
                "ter:ModeError",
            ),
            ("GetCertificates", "", 500, "ter:ActionNotSupported"),
        ],
    )
    .await;
}

fn user(name: &str, password: &str, level: &str) -> String {
    format!(
        "<User><tt:Username>{name}</tt:Username><tt:Password>{password}</tt:Password>\
         <tt:UserLevel>{level}</tt:UserLevel></User>"
    )
}

#[tokio::test]
async fn users_that_cannot_be_are_refused() {
    let camera = open_camera().await;
    let nine: String = (0..9)
        .map(|n| user(&format!("u{n}"), "p", "User"))
        .collect();
    let twice = user("eve", "p", "User").repeat(2);
    refused(
        &camera,
        &[
            ("CreateUsers", &nine, 500, "ter:TooManyUsers"),
            ("CreateUsers", &twice, 400, "ter:UsernameClash"),
            ("CreateUsers", &user("eve", "", "User"), 400, "ter:Password"),
            (
                "CreateUsers",
                &user("eve", &"p".repeat(65), "User"),
                400,
                "ter:PasswordTooLong",
            ),
            (
                "CreateUsers",
                &user(&"e".repeat(33), "p", "User"),
                400,
                "ter:UsernameTooLong",
            ),
            (
                "CreateUsers",
                &user("eve", "p", "Anonymous"),
                400,
                "ter:AnonymousNotAllowed",
            ),
            (
                "SetUser",
                &user("eve", "p", "User"),
                400,
                "ter:UsernameMissing",
            ),
            (
                "DeleteUsers",
                "<Username>eve</Username>",
                400,
                "ter:UsernameMissing",
            ),
        ],
    )
    .await;
    let users = call(&camera, DEVICE, "GetUsers", "").await.ok();
    assert!(users.values("tt:Username").is_empty());
}

#[tokio::test]
async fn a_hard_reset_takes_everything_away_and_a_soft_one_keeps_the_network() {
    let camera = builder().name("gate").start().await.unwrap();
    let scope = "<ScopeItem>onvif://www.onvif.org/location/roof</ScopeItem>";
    let is_added = |reply: &Reply| reply.text().contains("/location/roof");
    for (how, hostname) in [("Soft", "other"), ("Hard", "gate")] {
        call(&camera, DEVICE, "SetHostname", "<Name>other</Name>")
            .await
            .ok();
        call(&camera, DEVICE, "AddScopes", scope).await.ok();
        assert!(is_added(&call(&camera, DEVICE, "GetScopes", "").await));

        let how = format!("<FactoryDefault>{how}</FactoryDefault>");
        call(&camera, DEVICE, "SetSystemFactoryDefault", &how)
            .await
            .ok();
        assert!(!is_added(&call(&camera, DEVICE, "GetScopes", "").await));
        let reply = call(&camera, DEVICE, "GetHostname", "").await.ok();
        assert_eq!(reply.value("tt:Name"), hostname);
    }
}

#[tokio::test]
async fn relays_of_the_deviceio_service_are_elements_of_the_device_service() {
    let camera = open_camera().await;
    let url = service_url(&camera, DEVICE_IO);
    let state = "<RelayOutputToken>relay_2</RelayOutputToken><LogicalState>active</LogicalState>";

    let body = envelope("", DEVICE, "GetRelayOutputs", "");
    let reply = send("POST", &url, &[], &body).await.ok();
    assert!(reply.text().contains("<tds:GetRelayOutputsResponse"));
    let body = envelope("", DEVICE, "SetRelayOutputState", state);
    send("POST", &url, &[], &body).await.ok();
    assert_eq!(camera.relay_output("relay_2"), Some(true));
    let body = envelope("", DEVICE, "GetUsers", "");
    let reply = send("POST", &url, &[], &body).await;
    reply.fault(500, "ter:ActionNotSupported");
}

#[tokio::test]
async fn digital_inputs_that_are_not_there_are_refused() {
    let camera = open_camera().await;
    for (input, subcode) in [
        (
            "<DigitalInputs token='x' IdleState='open'/>",
            "ter:NoConfig",
        ),
        (
            "<DigitalInputs token='input_1' IdleState='ajar'/>",
            "ter:SettingsInvalid",
        ),
    ] {
        let reply = call(&camera, DEVICE_IO, "SetDigitalInputConfigurations", input).await;
        reply.fault(400, subcode);
    }
}
