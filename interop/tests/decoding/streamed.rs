//! Streams of GStreamer's RTSP server, read over each way with Digest: each picture is the one that ffmpeg decodes from the file
//! that is played, and so is the sound.

use std::fs;
use std::path::Path;
use std::process::Command;

use futures::future::join_all;
use interop::{FFMPEG, GSTREAMER, Process, free_port, gstreamer_with, installed};
use media_pipeline::{
    AccessUnit, Codec, Credentials, JpegDecoder, Media, RtspOptions, RtspSource, RtspTransport,
    Source as _, Tracks,
};
use tempfile::TempDir;
use tokio::time::timeout;

use super::{DEADLINE, decode, make, ours, samples, theirs};

const USER: [&str; 2] = ["viewer", "p@ss word"];
const WAYS: [(&str, RtspTransport); 5] = [
    ("rtsp", RtspTransport::Tcp),
    ("rtsp", RtspTransport::Udp),
    ("http", RtspTransport::Tcp),
    ("rtsps", RtspTransport::Tcp),
    ("https", RtspTransport::Tcp),
];

const H264: &str = "h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1";
const H265: &str = "h265parse ! rtph265pay name=pay0 pt=96 config-interval=-1";

/// A server without TLS and one with it, which play the same files from their start to each client.
struct Servers {
    folder: TempDir,
    ports: [u16; 2],
    roots: Vec<u8>,
    _processes: [Process; 2],
}

impl Servers {
    /// `mounts` are files of the folder and the elements that read them; the path is the name of the file.
    fn start(folder: TempDir, mounts: &[(&str, &str)]) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let roots = parameters.self_signed(&key).unwrap().pem();
        let files = ["server.pem", "key.pem"].map(|name| folder.path().join(name));
        fs::write(&files[0], &roots).unwrap();
        fs::write(&files[1], key.serialize_pem()).unwrap();
        let mut arguments = USER.map(str::to_owned).to_vec();
        for (file, elements) in mounts {
            let location = folder.path().join(file);
            let launch = format!("filesrc location={} ! {elements}", location.display());
            arguments.extend(["--mount".to_owned(), format!("/{file}"), launch]);
        }
        let serve = |tls: &[&str]| {
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            let port = free_port();
            (
                gstreamer_with(port, 320, 180, &[&arguments, tls].concat()),
                port,
            )
        };
        let (plain, port) = serve(&[]);
        let files = files.each_ref().map(|file| file.to_str().unwrap());
        let (secure, secure_port) = serve(&["--tls", files[0], files[1]]);
        Self {
            folder,
            ports: [port, secure_port],
            roots: roots.into(),
            _processes: [plain, secure],
        }
    }

    /// The units of a file over each way, up to its last picture.
    async fn play(&self, file: &str, pictures: usize) -> Vec<(String, Vec<AccessUnit>)> {
        let sessions = WAYS.map(async |(scheme, transport)| {
            let way = format!("{file} over {scheme} {transport:?}");
            let port = self.ports[usize::from(scheme.ends_with('s'))];
            let url = format!("{scheme}://localhost:{port}/{file}");
            let mut options = RtspOptions::new(url.parse().unwrap());
            options.credentials = Some(Credentials::new(USER[0], USER[1]));
            options.tls.extra_roots = self.roots.clone();
            options.transport = transport;
            options.tracks = Tracks::All;
            let mut session = RtspSource::new(options).unwrap().connect().await.unwrap();
            let (mut units, mut seen) = (Vec::<AccessUnit>::new(), 0);
            while seen < pictures {
                let unit = session.next().await;
                let unit = unit.unwrap_or_else(|error| panic!("{way}: {error}"));
                let unit = unit.unwrap_or_else(|| panic!("{way} ends after {seen} pictures"));
                // Of a track that it has prepared, GStreamer announces the packet before the first.
                let first = units.iter().all(|before| before.track != unit.track);
                assert!(unit.loss <= u32::from(first), "{way}: picture {seen}");
                seen += usize::from(unit.codec.media() == Media::Video);
                units.push(unit);
            }
            session.close().await;
            (way, units)
        });
        timeout(DEADLINE, join_all(sessions)).await.unwrap()
    }

    /// Compares all pictures of a file.
    async fn compare(&self, file: &str) {
        let theirs = theirs(self.folder.path(), file);
        for (way, units) in self.play(file, theirs.len()).await {
            assert!(units[0].random_access, "{way}");
            let ours = ours(&units);
            assert_eq!(ours.len(), theirs.len(), "pictures of {way}");
            for (number, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                assert_eq!(ours, theirs, "picture {number} of {way}");
            }
        }
    }
}

#[tokio::test]
async fn h264_of_all_profiles_comes_whole_over_each_way() {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let x264 = "-c:v libx264 -preset veryfast -g 12 -keyint_min 12 -sc_threshold 0 -b:v 1500k";
    let clips = [
        ("baseline.mp4", "-profile:v baseline"),
        ("main.mp4", "-profile:v main -bf 2"),
        (
            "high.mp4",
            "-profile:v high -bf 3 -b_strategy 0 -slices 4 -x264-params b-pyramid=normal:ref=4",
        ),
        (
            "interlaced.mp4",
            "-flags +ildct+ilme -x264opts tff=1 -bf 2 -profile:v high",
        ),
    ];
    for (file, profile) in clips {
        let arguments = format!("{x264} {profile} {file}");
        make(folder.path(), "642x360", 30, &arguments);
    }
    let launch = format!("qtdemux ! {H264}");
    let mounts = clips.map(|(file, _)| (file, launch.as_str()));
    let servers = Servers::start(folder, &mounts);
    for (file, _) in clips {
        servers.compare(file).await;
    }
}

#[tokio::test]
async fn h264_of_4k_comes_whole_over_each_way() {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Key frames that fit the receive buffer of a system that grants no more than is usual.
    let x264 = "-c:v libx264 -preset ultrafast -profile:v high -g 3 -crf 45 4k.mp4";
    make(folder.path(), "3840x2160", 4, x264);
    let launch = format!("qtdemux ! {H264}");
    let servers = Servers::start(folder, &[("4k.mp4", &launch)]);
    servers.compare("4k.mp4").await;
}

#[tokio::test]
async fn h264_whose_size_changes_comes_whole_over_each_way() {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let x264 = "-c:v libx264 -preset veryfast -bf 0 -g 10 -keyint_min 10";
    let mut whole = Vec::new();
    for size in ["640x360", "1280x720", "352x288"] {
        make(folder.path(), size, 12, &format!("{x264} part.h264"));
        whole.extend(fs::read(folder.path().join("part.h264")).unwrap());
    }
    fs::write(folder.path().join("sizes.h264"), whole).unwrap();
    let servers = Servers::start(folder, &[("sizes.h264", H264)]);
    servers.compare("sizes.h264").await;
}

#[tokio::test]
async fn h265_of_open_groups_comes_whole_over_each_way() {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let parameters = "keyint=10:min-keyint=10:scenecut=0:log-level=none:open-gop=1:bframes=3";
    let x265 = format!("-c:v libx265 -preset ultrafast -b:v 1M -x265-params {parameters} open.mp4");
    make(folder.path(), "642x358", 30, &x265);
    let launch = format!("qtdemux ! {H265}");
    let servers = Servers::start(folder, &[("open.mp4", &launch)]);
    servers.compare("open.mp4").await;
}

#[tokio::test]
async fn aac_beside_the_picture_comes_whole_over_each_way() {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let x264 = "-c:v libx264 -preset veryfast -g 25 -bf 2 video.mp4";
    make(folder.path(), "320x180", 50, x264);
    let sine = "-f lavfi -i sine=frequency=440:sample_rate=48000";
    let both = format!("-i video.mp4 {sine} -t 2 -c:v copy -c:a aac both.mp4");
    ffmpeg(folder.path(), &both);
    let written = ffmpeg(folder.path(), "-i both.mp4 -map 0:a -c copy -f data -");
    let launch = format!(
        "qtdemux name=d d.video_0 ! queue ! {H264} d.audio_0 ! queue ! aacparse ! rtpmp4gpay name=pay1 pt=97"
    );
    let servers = Servers::start(folder, &[("both.mp4", &launch)]);
    for (way, units) in servers.play("both.mp4", 50).await {
        let sound: Vec<_> = units
            .iter()
            .filter(|unit| unit.codec == Codec::Aac)
            .collect();
        // A frame lasts 21 ms, a picture 40; the payloader keeps some back.
        assert!(sound.len() > 60, "{} frames of {way}", sound.len());
        let sound: Vec<u8> = sound.iter().flat_map(|unit| unit.data.to_vec()).collect();
        // The demultiplexer leaves out what the encoder began with.
        let begin = written
            .windows(64)
            .position(|window| *window == sound[..64]);
        let begin = begin.unwrap_or_else(|| panic!("{way} begins with no frame of the file"));
        assert!(written[begin..].starts_with(&sound), "{way}");
    }
}

#[tokio::test]
async fn jpeg_comes_whole_over_each_way() {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let jpeg = "-pix_fmt yuvj420p -c:v mjpeg -q:v 5 -huffman default pictures.mkv";
    make(folder.path(), "640x360", 15, jpeg);
    let raw = ffmpeg(folder.path(), "-i pictures.mkv -f rawvideo -");
    let launch = "matroskademux ! jpegparse ! rtpjpegpay name=pay0 pt=26";
    let servers = Servers::start(folder, &[("pictures.mkv", launch)]);
    for (way, units) in servers.play("pictures.mkv", 15).await {
        let mut decoder = JpegDecoder::default();
        for (number, (unit, theirs)) in units.iter().zip(raw.chunks(640 * 360 * 3 / 2)).enumerate()
        {
            let ours = samples(&decode(&mut decoder, unit).unwrap());
            assert_eq!(ours.len(), theirs.len());
            // JPEG leaves the rounding of the transform to the decoder.
            let apart = ours.iter().zip(theirs).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(apart <= Some(2), "picture {number} of {way}: {apart:?}");
        }
    }
}

fn ffmpeg(folder: &Path, arguments: &str) -> Vec<u8> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error"]);
    command.args(arguments.split(' ')).current_dir(folder);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}");
    output.stdout
}
