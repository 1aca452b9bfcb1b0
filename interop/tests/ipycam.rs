//! ipycam, a camera in software with the ways of cheap ones: WS-UsernameToken for everything, Basic for snapshots,
//! some replies that are not well-formed, and a live H.264 stream.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use interop::{Process, free_port, installed, python, until};
use media_pipeline::{Hub, HubOptions, RtspOptions, RtspSource, SnapshotOptions};
use onvif_core::media::{ConfigurationToken, Encoding, StreamTransport};
use onvif_core::{AuthenticationPolicy, Camera, CameraBuilder, Credentials, ErrorKind, Service};
use onvif_ptz::{CameraExt, NodeToken, Position, WaitOptions, Zoom};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(60);
const FFMPEG: (&str, &[&str]) = ("ffmpeg", &["-version"]);

struct Ipycam {
    _server: Process,
    _folder: tempfile::TempDir,
    http: u16,
    rtsp: u16,
}

impl Ipycam {
    /// Starts it; `None`, with the reason printed, where it is not installed.
    fn start() -> Option<Self> {
        let python = python("ipycam", "ipycam")?;
        if !installed(&[FFMPEG]) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        make_film(&folder.path().join("film.mp4"));
        let (http, rtsp) = (free_port(), free_port());
        let configuration = json!({
            "name": "cam", "local_ip": "127.0.0.1", "onvif_port": http, "rtsp_port": rtsp,
            "username": "admin", "password": "secret", "hw_accel": "cpu",
            "main_width": 640, "main_height": 360, "main_fps": 10, "main_bitrate": "1M",
            "sub_width": 320, "sub_height": 180, "sub_fps": 10, "sub_bitrate": "500K",
        });
        let file = folder.path().join("camera_config.json");
        fs::write(file, configuration.to_string()).unwrap();
        let mut command = Command::new(python);
        command
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("ipycam_alone.py"))
            .args(["--config", "camera_config.json", "--source", "film.mp4"])
            .args(["--log-level", "ERROR"])
            .current_dir(folder.path())
            .stdout(Stdio::null());
        let server = Process::start(&mut command);
        for port in [http, rtsp] {
            until("ipycam", LIMIT, || {
                TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()
            });
        }
        Some(Self {
            _server: server,
            _folder: folder,
            http,
            rtsp,
        })
    }

    fn client(&self, password: &str) -> CameraBuilder {
        let url = format!("http://127.0.0.1:{}/onvif/device_service", self.http);
        Camera::builder(url).credentials(Credentials::new("admin", password))
    }
}

/// What the camera sees: a moving test picture.
fn make_film(file: &Path) {
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i"])
        .args(["testsrc=size=640x360:rate=10", "-t", "3"])
        .args(["-pix_fmt", "yuv420p"])
        .arg(file)
        .status();
    assert!(made.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cheap_camera_is_read_moved_and_seen() {
    let Some(ipycam) = Ipycam::start() else {
        return;
    };
    let camera = ipycam.client("secret").connect().await.unwrap();
    reads_what_it_is(&camera, &ipycam).await;
    moves_it(&camera).await;
    takes_snapshots(&ipycam).await;
    decodes_its_stream(&camera).await;
    says_what_it_lacks(&camera).await;
    is_not_let_in_with_another_password(&ipycam).await;
}

async fn reads_what_it_is(camera: &Camera, ipycam: &Ipycam) {
    let information = camera.device().information().await.unwrap();
    assert_eq!(information.manufacturer.as_deref(), Some("PythonCam"));
    assert_eq!(information.model.as_deref(), Some("VirtualCam-1"));
    assert_eq!(information.firmware_version.as_deref(), Some("1.3.0"));
    let services: Vec<Service> = camera
        .services()
        .iter()
        .map(|(service, _)| service)
        .collect();
    assert_eq!(services, [Service::Device, Service::Media, Service::Ptz]);

    let profiles = camera.media().profiles().await.unwrap();
    let tokens: Vec<&str> = profiles
        .iter()
        .map(|profile| profile.token.as_str())
        .collect();
    assert_eq!(tokens, ["Profile_Main", "Profile_Sub"]);
    let encoder = profiles[0].video_encoder.as_ref().unwrap();
    assert_eq!(encoder.encoding, Some(Encoding::H264));
    let size = encoder.resolution.unwrap();
    assert_eq!((size.width, size.height), (640, 360));

    let media = camera.media();
    for (profile, name) in profiles.iter().zip(["video_main", "video_sub"]) {
        let stream = media.stream_uri(&profile.token, StreamTransport::Rtsp);
        let expected = format!("rtsp://127.0.0.1:{}/{name}", ipycam.rtsp);
        assert_eq!(stream.await.unwrap().as_str(), expected);
    }
}

/// Its replies to PTZ requests use a prefix that nobody declared, and hold words of its templates as values.
async fn moves_it(camera: &Camera) {
    let ptz = camera.ptz();
    let profile = camera.media().profiles().await.unwrap().remove(0).token;
    let nodes = ptz.nodes().await.unwrap();
    assert_eq!(nodes[0].token, NodeToken::from("PTZ_Node_1"));
    let configurations = ptz.configurations().await.unwrap();
    assert_eq!(configurations[0].node_token, Some(nodes[0].token.clone()));

    let place = Position::pan_tilt(0.25, -0.5).and_zoom(Zoom::new(0.5));
    ptz.absolute_move(&profile, place, None).await.unwrap();
    let rest = ptz.wait_until_idle(&profile, WaitOptions::default());
    assert!(rest.await.unwrap().is_at_rest());
    let status = ptz.status(&profile).await.unwrap().unwrap();
    let moving = status.move_status.unwrap().pan_tilt.unwrap();
    assert_eq!(moving.as_str(), "{{pan_tilt_status}}");
    assert_eq!(status.utc_time, None);
    let position = status.position.unwrap();
    let (pan_tilt, zoom) = (position.pan_tilt.unwrap(), position.zoom.unwrap());
    assert!((pan_tilt.x - 0.25).abs() < 0.01, "{pan_tilt:?}");
    assert!((pan_tilt.y + 0.5).abs() < 0.01, "{pan_tilt:?}");
    assert!((zoom.x - 0.5).abs() < 0.01, "{zoom:?}");

    let motion = ptz.continuous_move(&profile, Position::pan_tilt(-0.5, 0.0), LIMIT);
    motion.await.unwrap().stop().await.unwrap();

    let preset = ptz.set_preset(&profile, Some("door"), None).await.unwrap();
    let presets = ptz.presets(&profile).await.unwrap();
    let door = presets
        .iter()
        .find(|found| Some(&found.token) == preset.as_ref());
    assert_eq!(door.unwrap().name.as_deref(), Some("door"));
}

/// It wants HTTP Basic for snapshots, which sends the password readable for everybody: only on demand.
async fn takes_snapshots(ipycam: &Ipycam) {
    let main = "Profile_Main".into();
    let careful = ipycam.client("secret").connect().await.unwrap();
    let error = careful.media().snapshot(&main).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");

    let policy = AuthenticationPolicy::LadderWithBasic;
    let builder = ipycam.client("secret").authentication(policy);
    let snapshot = builder.connect().await.unwrap();
    let snapshot = snapshot.media().snapshot(&main).await.unwrap();
    assert_eq!(snapshot.content_type, "image/jpeg");
    let picture = image::load_from_memory(&snapshot.bytes).unwrap();
    assert_eq!((picture.width(), picture.height()), (640, 360));
}

async fn decodes_its_stream(camera: &Camera) {
    let (media, main) = (camera.media(), "Profile_Main".into());
    let stream = media.stream_uri(&main, StreamTransport::Rtsp);
    let options = RtspOptions::new(stream.await.unwrap());
    let hub = Hub::new(
        Arc::new(RtspSource::new(options).unwrap()),
        HubOptions::default(),
    );
    let picture = hub.snapshot(&SnapshotOptions::default()).await.unwrap();
    assert_eq!((picture.width, picture.height), (640, 360));
    let picture = image::load_from_memory(&picture.data).unwrap().into_rgb8();
    // The test picture has bars in all colours.
    let (dark, bright) = picture.pixels().fold((255, 0), |(dark, bright), pixel| {
        (dark.min(pixel.0[0]), bright.max(pixel.0[0]))
    });
    assert!(dark < 40 && bright > 215, "{dark} to {bright}");
}

/// It answers what it does not know with a fault, or with the reply to something else.
async fn says_what_it_lacks(camera: &Camera) {
    let error = camera.device().reboot().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Refused | ErrorKind::Unsupported),
        "{error}"
    );
    let error = camera.events().properties().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    // What comes are replies to GetConfiguration and GetVideoEncoderConfiguration, which hold nothing of the kind.
    let configuration = ConfigurationToken::from("PTZ_Config_1");
    let options = camera.ptz().configuration_options(&configuration).await;
    let encoders = camera.media().video_encoders().await;
    for error in [options.unwrap_err(), encoders.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Misbehaved, "{error}");
    }
}

async fn is_not_let_in_with_another_password(ipycam: &Ipycam) {
    let error = ipycam.client("wr0ng").connect().await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    assert!(!error.to_string().contains("wr0ng"), "{error}");
}
