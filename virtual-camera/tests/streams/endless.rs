//! Sessions of which something never ends.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use virtual_camera::{Quirks, RtspEndless, VirtualCamera};

use crate::client::{DEADLINE, connect, head, packet, play, value};

async fn camera(endless: RtspEndless) -> VirtualCamera {
    let builder = VirtualCamera::builder().quirks(Quirks {
        rtsp_endless: Some(endless),
        ..Quirks::default()
    });
    builder.start().await.unwrap()
}

#[tokio::test]
async fn a_header_and_a_body_go_on_until_the_client_leaves() {
    const ENOUGH: usize = 4 << 20;
    for endless in [RtspEndless::Header, RtspEndless::Body] {
        let camera = camera(endless).await;
        let mut connection = connect(&camera.stream_url(0)).await;
        let request = format!(
            "DESCRIBE {} RTSP/1.0\r\nCSeq: 1\r\n\r\n",
            camera.stream_url(0)
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        if endless == RtspEndless::Body {
            let head = head(&mut connection).await;
            assert_eq!(value(&head, "Content-Length"), "4000000000");
        }
        let mut rest = vec![0; ENOUGH];
        let read = timeout(DEADLINE, connection.read_exact(&mut rest)).await;
        read.unwrap().unwrap();
        assert!(rest.ends_with(b"xxxx"));
    }
}

#[tokio::test]
async fn a_key_frame_has_no_last_fragment() {
    let camera = camera(RtspEndless::Fragments).await;
    let url = camera.stream_url(0);
    let mut connection = connect(&url).await;
    play(&mut connection, &url, 1).await;
    let is_fragment_of_key = |packet: &[u8]| packet[12] & 0x1f == 28 && packet[13] & 0x1f == 5;
    let mut first = packet(&mut connection, 0).await;
    while !is_fragment_of_key(&first) {
        first = packet(&mut connection, 0).await;
    }
    let mut sequence = u16::from_be_bytes([first[2], first[3]]);
    // Far more than the key frame has.
    for _ in 0..500 {
        let next = packet(&mut connection, 0).await;
        sequence = sequence.wrapping_add(1);
        assert_eq!(u16::from_be_bytes([next[2], next[3]]), sequence);
        assert_eq!(next[4..8], first[4..8], "the time goes on");
        assert!(is_fragment_of_key(&next));
        let (marker, end) = (next[1] & 0x80, next[13] & 0x40);
        assert_eq!((marker, end), (0, 0));
    }
}

#[tokio::test]
async fn a_description_is_where_the_client_is_already() {
    let camera = camera(RtspEndless::Redirect).await;
    let url = camera.stream_url(0);
    let mut connection = connect(&url).await;
    for sequence in 1..20 {
        let request = format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: {sequence}\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let head = head(&mut connection).await;
        assert!(head.starts_with("RTSP/1.0 302 "), "{head}");
        assert_eq!(value(&head, "Location"), url.as_str());
    }
}
