//! Events in a stream of metadata.

use tokio::net::TcpStream;
use virtual_camera::{Event, Operation, StreamSpec, VirtualCamera};

use crate::client::{connect, packet, play, soap};

async fn camera() -> (VirtualCamera, TcpStream) {
    let camera = VirtualCamera::builder()
        .stream(StreamSpec::new("told").metadata())
        .start()
        .await
        .unwrap();
    let url = camera.stream_url(2);
    let mut connection = connect(&url).await;
    play(&mut connection, &url, 2).await;
    (camera, connection)
}

/// The next whole document.
async fn document(connection: &mut TcpStream) -> String {
    let mut document = Vec::new();
    loop {
        let packet = packet(connection, 2).await;
        document.extend_from_slice(&packet[12..]);
        if packet[1] & 0x80 != 0 {
            return String::from_utf8(document).unwrap();
        }
    }
}

#[tokio::test]
async fn the_state_comes_first_and_then_what_changes() {
    let (camera, mut connection) = camera().await;
    let state = document(&mut connection).await;
    assert!(state.contains("<tt:MetadataStream"), "{state}");
    let initialized = "PropertyOperation=\"Initialized\"";
    // Motion twice, the digital input, and both relays.
    assert_eq!(state.matches(initialized).count(), 5, "{state}");
    assert_eq!(state.matches("tns1:Device/Trigger/Relay<").count(), 2);

    camera.set_motion(true);
    let mut told = document(&mut connection).await;
    while !told.contains("tns1:VideoSource/MotionAlarm") {
        told = document(&mut connection).await;
    }
    assert!(told.contains("PropertyOperation=\"Changed\""), "{told}");
    assert!(told.contains("Name=\"State\" Value=\"true\""), "{told}");

    camera
        .report(Event::new("tns1:Device/HardwareFailure/FanFailure").property(Operation::Deleted));
    while !document(&mut connection).await.contains("FanFailure") {}
}

#[tokio::test]
async fn a_synchronization_point_tells_the_state_again() {
    let (camera, mut connection) = camera().await;
    document(&mut connection).await;
    camera.set_digital_input(true);
    let token = "<ProfileToken>told</ProfileToken>";
    soap(&camera, "media2", "SetSynchronizationPoint", token).await;
    loop {
        let told = document(&mut connection).await;
        if told.contains("Initialized") {
            assert!(
                told.contains("Name=\"LogicalState\" Value=\"true\""),
                "{told}"
            );
            break;
        }
    }
}
