use std::time::Duration;

use tokio::net::UdpSocket;
use virtual_camera::{Discovery, Quirks, VirtualCamera};

use crate::client::builder;

const UUID: u128 = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef;
const URN: &str = "urn:uuid:01234567-89ab-cdef-0123-456789abcdef";

async fn camera() -> VirtualCamera {
    builder()
        .name("gate")
        .uuid(UUID)
        .discovery(Discovery::Unicast(0))
        .start()
        .await
        .unwrap()
}

fn message(body: &str) -> String {
    format!(
        "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope' \
         xmlns:w='http://schemas.xmlsoap.org/ws/2004/08/addressing' \
         xmlns:d='http://schemas.xmlsoap.org/ws/2005/04/discovery' \
         xmlns:dn='http://www.onvif.org/ver10/network/wsdl'>\
         <e:Header><w:MessageID>uuid:1</w:MessageID></e:Header><e:Body>{body}</e:Body></e:Envelope>"
    )
}

/// Sends datagrams and returns the first answer.
async fn ask(camera: &VirtualCamera, datagrams: &[&str]) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for datagram in datagrams {
        let address = camera.discovery_address().unwrap();
        socket.send_to(datagram.as_bytes(), address).await.unwrap();
    }
    let mut buffer = vec![0; 65536];
    let received = tokio::time::timeout(Duration::from_secs(10), socket.recv(&mut buffer));
    let length = received.await.expect("no answer").unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

#[tokio::test]
async fn a_probe_is_answered_with_the_address_of_the_device() {
    let camera = camera().await;
    let probe = message("<d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe>");

    let answer = ask(&camera, &[&probe]).await;
    assert!(
        answer.contains(&format!("<d:XAddrs>{}</d:XAddrs>", camera.device_url())),
        "{answer}"
    );
    assert!(answer.contains("<a:RelatesTo>uuid:1</a:RelatesTo>"));
    assert!(answer.contains(&format!("<a:Address>{URN}</a:Address>")));
    assert!(answer.contains("onvif://www.onvif.org/name/gate"));
}

#[tokio::test]
async fn a_resolve_is_answered() {
    let camera = camera().await;
    let resolve = message(&format!(
        "<d:Resolve><w:EndpointReference><w:Address>{URN}</w:Address></w:EndpointReference></d:Resolve>"
    ));
    assert!(ask(&camera, &[&resolve]).await.contains("<d:ResolveMatch>"));
}

#[tokio::test]
async fn what_is_for_others_or_nonsense_is_passed_over() {
    let camera = camera().await;
    let other =
        message("<d:Probe><d:Types>dn:Printer</d:Types></d:Probe>").replace("uuid:1", "uuid:other");
    let probe = message("<d:Probe/>");

    let answer = ask(&camera, &["", "<nonsense", "\u{0}", &other, &probe]).await;
    assert!(answer.contains("uuid:1<"), "{answer}");
}

#[tokio::test]
async fn discovery_is_off_by_default() {
    let camera = builder().start().await.unwrap();
    assert_eq!(camera.discovery_address(), None);
}

#[tokio::test]
async fn answers_are_numbered_in_order() {
    let camera = camera().await;
    let number = |answer: String| -> u32 {
        let at = answer.find("MessageNumber=\"").unwrap() + "MessageNumber=\"".len();
        answer[at..].split('"').next().unwrap().parse().unwrap()
    };
    let probe = message("<d:Probe/>");
    let first = number(ask(&camera, &[&probe]).await);
    assert!(number(ask(&camera, &[&probe]).await) > first);
}

#[tokio::test]
async fn a_probe_can_need_types_or_one_line() {
    let camera = builder()
        .discovery(Discovery::Unicast(0))
        .quirks(Quirks {
            probe_requires_types: true,
            probe_reject_newline: true,
            ..Quirks::default()
        })
        .start()
        .await
        .unwrap();
    let typed = "<d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe>";
    let untyped = message("<d:Probe/>").replace("uuid:1", "uuid:untyped");
    let lines = message(&format!("\n{typed}\n")).replace("uuid:1", "uuid:lines");
    let answer = ask(&camera, &[&untyped, &lines, &message(typed)]).await;
    assert!(answer.contains("uuid:1<"), "{answer}");
}

#[tokio::test]
async fn an_answer_can_use_an_undeclared_prefix_and_name_further_addresses() {
    let camera = builder()
        .discovery(Discovery::Unicast(0))
        .quirks(Quirks {
            probe_undeclared_prefix: true,
            multi_xaddrs: true,
            ..Quirks::default()
        })
        .start()
        .await
        .unwrap();
    let answer = ask(&camera, &[&message("<d:Probe/>")]).await;
    assert!(answer.contains("dn:NetworkVideoTransmitter") && !answer.contains("xmlns:dn="));
    for part in [
        "http://169.254.77.7:",
        "http://[fe80::1%25eth0]:",
        "https://",
        camera.device_url().as_str(),
    ] {
        assert!(answer.contains(part), "{part}");
    }
}
