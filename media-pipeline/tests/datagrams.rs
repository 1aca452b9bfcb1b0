//! RTP over UDP, to one receiver and to a group.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::Duration;

use media_pipeline::{
    AccessUnit, Codec, Credentials, ErrorKind, RtspOptions, RtspSource, RtspTransport, Source as _,
    Tracks,
};
use tokio::time::timeout;
use virtual_camera::{AudioCodec, Quirks, StreamSpec, VideoCodec, VirtualCamera};

const SOON: Duration = Duration::from_secs(30);

fn options(camera: &VirtualCamera, transport: RtspTransport) -> RtspOptions {
    let mut options = RtspOptions::new(camera.stream_url(0).as_str().parse().unwrap());
    options.credentials = Some(Credentials::new("admin", "secret"));
    options.transport = transport;
    options
}

async fn units(options: RtspOptions, count: usize) -> Vec<AccessUnit> {
    let source = RtspSource::new(options).unwrap();
    let reading = async {
        let mut session = source.connect().await.unwrap();
        let mut units = Vec::new();
        while units.len() < count {
            units.push(session.next().await.unwrap().unwrap());
        }
        session.close().await;
        units
    };
    timeout(SOON, reading).await.unwrap()
}

async fn torn_down(camera: &VirtualCamera) {
    let gone = async {
        while camera.observed().rtsp_sessions > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, gone).await.unwrap();
}

#[tokio::test]
async fn packets_out_of_order_and_doubled_ones_cost_nothing() {
    let camera = VirtualCamera::builder()
        .credentials("admin", "secret")
        .quirks(Quirks {
            rtp_reorder: 100,
            rtp_duplicate: 100,
            rtp_seed: 3,
            ..Quirks::default()
        })
        .start()
        .await
        .unwrap();
    let udp = units(options(&camera, RtspTransport::Udp), 40).await;
    let losses: Vec<_> = udp.iter().map(|unit| unit.loss).collect();
    assert!(losses.iter().all(|&loss| loss == 0), "{losses:?}");
    assert!(udp.windows(2).all(|pair| pair[0].pts < pair[1].pts));
    torn_down(&camera).await;
}

/// A group with a port that was free a moment ago, and the next.
fn group() -> SocketAddrV4 {
    loop {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        if port.is_multiple_of(2) {
            return SocketAddrV4::new(Ipv4Addr::new(239, 255, 77, 3), port);
        }
    }
}

#[tokio::test]
async fn many_receive_one_group() {
    let camera = VirtualCamera::builder()
        .credentials("admin", "secret")
        .multicast(group())
        .start()
        .await
        .unwrap();
    let one = options(&camera, RtspTransport::Multicast);
    let (first, second) = tokio::join!(units(one.clone(), 30), units(one, 30));
    for units in [first, second] {
        assert!(units.iter().all(|unit| unit.codec == Codec::H264));
        assert!(units.iter().skip(1).all(|unit| unit.loss == 0));
    }
    torn_down(&camera).await;
}

#[tokio::test]
async fn all_tracks_come_to_the_group() {
    let stream = StreamSpec::new("yard")
        .video(VideoCodec::H264)
        .audio(AudioCodec::Pcmu);
    let camera = VirtualCamera::builder()
        .credentials("admin", "secret")
        .stream(stream)
        .multicast(group())
        .start()
        .await
        .unwrap();
    let mut options = options(&camera, RtspTransport::Multicast);
    options.url = camera.stream_url(2).as_str().parse().unwrap();
    options.tracks = Tracks::All;
    let units = units(options, 60).await;
    for codec in [Codec::H264, Codec::Pcmu] {
        assert!(units.iter().any(|unit| unit.codec == codec), "{codec}");
    }
}

#[tokio::test]
async fn a_camera_without_a_group_says_so() {
    let camera = VirtualCamera::builder().start().await.unwrap();
    let source = RtspSource::new(options(&camera, RtspTransport::Multicast)).unwrap();
    let error = timeout(SOON, source.connect())
        .await
        .unwrap()
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(error.to_string().contains("SETUP"), "{error}");
}
