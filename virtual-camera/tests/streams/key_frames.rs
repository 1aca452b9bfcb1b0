//! Key frames that are asked for.

use tokio::net::TcpStream;
use virtual_camera::VirtualCamera;

use crate::client::{connect, packet, play, soap};

/// From one picture to the next, and from one key frame to the next, in ticks of RTP.
const PICTURE: u32 = 6_000;
const GROUP: u32 = 30 * PICTURE;
/// Types of NAL units (ITU-T H.264, 7.4.1; RFC 6184, 5.2).
const KEY: u8 = 5;
const FRAGMENT: u8 = 28;

/// How long after a key frame the next one comes; each picture in between is at its time.
async fn until_key_frame(connection: &mut TcpStream, last: &mut u32) -> u32 {
    let begun = *last;
    loop {
        let packet = packet(connection, 0).await;
        let timestamp = u32::from_be_bytes(packet[4..8].try_into().unwrap());
        let is_next = timestamp.wrapping_sub(*last) == PICTURE;
        assert!(is_next || timestamp == *last);
        *last = timestamp;
        let is_key = match packet[12] & 0x1f {
            FRAGMENT => packet[13] & 0x1f == KEY,
            kind => kind == KEY,
        };
        if is_key && timestamp != begun {
            return timestamp.wrapping_sub(begun);
        }
    }
}

#[tokio::test]
async fn a_key_frame_comes_at_a_synchronization_point() {
    let camera = VirtualCamera::builder().start().await.unwrap();
    let url = camera.stream_url(0);
    let mut connection = connect(&url).await;
    play(&mut connection, &url, 1).await;
    let first = packet(&mut connection, 0).await;
    let mut last = u32::from_be_bytes(first[4..8].try_into().unwrap());
    until_key_frame(&mut connection, &mut last).await;

    let token = "<ProfileToken>main</ProfileToken>";
    for service in ["media", "media2"] {
        // Asked for just when one comes in any case, there is none to be seen.
        let mut attempts = 0;
        loop {
            soap(&camera, service, "SetSynchronizationPoint", token).await;
            let early = until_key_frame(&mut connection, &mut last).await;
            if early < GROUP {
                break;
            }
            attempts += 1;
            assert!(attempts < 5, "{service}: no key frame that was asked for");
        }
        assert_eq!(until_key_frame(&mut connection, &mut last).await, GROUP);
    }
}
