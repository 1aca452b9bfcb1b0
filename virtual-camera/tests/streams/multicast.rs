//! Streams to a group.

use std::net::{Ipv4Addr, SocketAddrV4};

use tokio::net::UdpSocket;
use tokio::time::timeout;
use virtual_camera::VirtualCamera;

use crate::client::{DEADLINE, soap, text};

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 42, 43);

#[tokio::test]
async fn a_profile_is_sent_to_the_group_that_its_encoder_names() {
    let socket = loop {
        let socket = UdpSocket::bind((GROUP, 0)).await.unwrap();
        if socket.local_addr().unwrap().port() % 2 == 0 {
            break socket;
        }
    };
    socket
        .join_multicast_v4(GROUP, Ipv4Addr::LOCALHOST)
        .unwrap();
    let port = socket.local_addr().unwrap().port();
    let camera = VirtualCamera::builder()
        .multicast(SocketAddrV4::new(GROUP, port))
        .start()
        .await
        .unwrap();
    let encoders = soap(&camera, "media2", "GetVideoEncoderConfigurations", "").await;
    assert_eq!(text(&encoders, "tt:IPv4Address"), GROUP.to_string());
    assert_eq!(text(&encoders, "tt:Port"), port.to_string());

    let token = "<ProfileToken>main</ProfileToken>";
    let request = format!("<Protocol>RtspMulticast</Protocol>{token}");
    let uri = soap(&camera, "media2", "GetStreamUri", &request).await;
    assert_eq!(text(&uri, "tr2:Uri"), camera.stream_url(0).as_str());
    let setup = "<StreamSetup><tt:Stream>RTP-Multicast</tt:Stream><tt:Transport><tt:Protocol>UDP</tt:Protocol>\
                 </tt:Transport></StreamSetup>";
    let uri = soap(&camera, "media", "GetStreamUri", &format!("{setup}{token}")).await;
    assert_eq!(text(&uri, "tt:Uri"), camera.stream_url(0).as_str());

    soap(&camera, "media2", "StartMulticastStreaming", token).await;
    let mut packet = [0; 2048];
    let received = timeout(DEADLINE, socket.recv(&mut packet)).await;
    assert!(received.unwrap().unwrap() > 12);
    assert_eq!(packet[1] & 0x7f, 96);
    let stopped = soap(&camera, "media", "StopMulticastStreaming", token).await;
    assert!(stopped.contains("StopMulticastStreamingResponse"));
}
