//! FFmpeg and GStreamer play what the virtual camera sends to a group, in a network of their own.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use interop::networks::Networks;
use interop::{FFMPEG, GSTREAMER, installed};
use virtual_camera::frame_number;

const URL: &str = "rtsp://192.0.2.7:8554/main";
const SIZE: (usize, usize) = (1280, 720);

#[test]
fn players_receive_a_stream_from_its_group() {
    if !installed(&[FFMPEG, GSTREAMER]) {
        return;
    }
    let Some(networks) = Networks::new() else {
        return;
    };
    let group = ["--listen", "192.0.2.7", "--multicast", "239.255.1.2:5000"];
    let _camera = networks.camera(&group);
    networks.route_multicast("239.255.1.2/32");
    let player = concat!(env!("CARGO_MANIFEST_DIR"), "/rtsp_player.py");
    // Pictures before the first key frame, after two seconds at most, are gray.
    for line in [
        format!(
            "ffmpeg -v error -rtsp_transport udp_multicast -i {URL} -map 0:v -frames:v 60 -vsync passthrough \
             -pix_fmt gray -f rawvideo -"
        ),
        format!(
            "/usr/bin/python3 {player} {URL} video 'rtph264depay ! h264parse ! avdec_h264 ! videoconvert ! \
             video/x-raw,format=GRAY8 ! identity eos-after=61 ! fdsink fd=1' protocols=udp-mcast latency=200"
        ),
    ] {
        let pictures = networks.output(&line);
        let pictures = pictures.chunks_exact(SIZE.0 * SIZE.1);
        let numbers: Vec<_> = pictures
            .map(|picture| frame_number(picture, SIZE.0, SIZE.1))
            .skip_while(Option::is_none)
            .collect();
        assert!(numbers.len() >= 10, "{line}: {numbers:?}");
        for pair in numbers.windows(2) {
            assert_eq!(
                pair[1],
                pair[0].map(|number| (number + 1) % 150),
                "{line}: {numbers:?}"
            );
        }
    }
}
