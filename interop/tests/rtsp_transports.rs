//! The ways to GStreamer's RTSP server: TCP, UDP, TLS, tunnels through HTTP and HTTPS, with each kind of credentials.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use interop::{FFMPEG, GSTREAMER, Process, free_port, gstreamer_with, installed};
use media_pipeline::{
    Codec, Credentials, Error, ErrorKind, RtspOptions, RtspSource, RtspTransport, Source as _,
};
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(60);
const USER: [&str; 2] = ["viewer", "p@ss word"];

/// A certificate for localhost; returns its file, that of its key, and the certificate.
fn certificate(folder: &Path) -> ([String; 2], Vec<u8>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = parameters.self_signed(&key).unwrap().pem();
    let files = ["server.pem", "key.pem"].map(|name| folder.join(name));
    fs::write(&files[0], &certificate).unwrap();
    fs::write(&files[1], key.serialize_pem()).unwrap();
    let files = files.map(|file| file.to_str().unwrap().to_owned());
    (files, certificate.into())
}

fn serve(arguments: &[&str]) -> (Process, u16) {
    let port = free_port();
    (gstreamer_with(port, 320, 180, arguments), port)
}

fn options(scheme: &str, port: u16) -> RtspOptions {
    let url = format!("{scheme}://localhost:{port}/cam");
    let mut options = RtspOptions::new(url.parse().unwrap());
    options.credentials = Some(Credentials::new(USER[0], USER[1]));
    options
}

/// Reads pictures of the live stream, and ends the session.
async fn read(options: RtspOptions) -> Result<(), Error> {
    let source = RtspSource::new(options)?;
    let reading = async {
        let mut session = source.connect().await?;
        for number in 0..6 {
            let unit = session.next().await?.expect("the stream is live");
            assert_eq!((unit.codec, unit.loss), (Codec::H264, 0));
            assert!(number > 0 || unit.random_access);
        }
        session.close().await;
        Ok(())
    };
    timeout(DEADLINE, reading).await.unwrap()
}

async fn refused(mut options: RtspOptions) {
    options.credentials = Some(Credentials::new(USER[0], "wrong"));
    let error = read(options.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    options.credentials = None;
    let error = read(options).await.unwrap_err();
    assert!(error.to_string().contains("set credentials"), "{error}");
}

#[tokio::test]
async fn digest_and_basic_open_each_way_and_wrong_passwords_none() {
    if !installed(&[GSTREAMER]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let ([pem, key], roots) = certificate(folder.path());
    for basic in [false, true] {
        let mut arguments = USER.to_vec();
        arguments.extend(basic.then_some("--basic"));
        let (_plain, port) = serve(&arguments);
        for scheme in ["rtsp", "http"] {
            let mut options = options(scheme, port);
            options.allow_basic = basic;
            read(options.clone()).await.unwrap();
            refused(options).await;
        }
        arguments.extend(["--tls", &pem, &key]);
        let (_secure, port) = serve(&arguments);
        for scheme in ["rtsps", "https"] {
            let mut options = options(scheme, port);
            options.tls.extra_roots = roots.clone();
            read(options.clone()).await.unwrap();
            refused(options).await;
        }
    }
}

#[tokio::test]
async fn datagrams_come_complete() {
    if !installed(&[GSTREAMER]) {
        return;
    }
    let (_server, port) = serve(&USER);
    let mut options = options("rtsp", port);
    options.transport = RtspTransport::Udp;
    read(options).await.unwrap();
}

/// The coded slices of an H.264 byte stream.
fn slices(data: &[u8]) -> Vec<Vec<u8>> {
    let starts = data.windows(3).enumerate();
    let starts = starts.filter(|(_, window)| *window == [0, 0, 1]);
    let starts: Vec<_> = starts.map(|(at, _)| at + 3).collect();
    let ends = starts.iter().skip(1).map(|start| start - 3);
    let nals = starts.iter().zip(ends.chain([data.len()]));
    let nals = nals.map(|(&start, end)| data[start..end].to_vec());
    let mut slices: Vec<_> = nals.filter(|nal| matches!(nal[0] & 0x1f, 1 | 5)).collect();
    for slice in &mut slices {
        while slice.last() == Some(&0) {
            slice.pop();
        }
    }
    slices
}

#[tokio::test]
async fn what_comes_over_each_way_is_what_is_in_the_file() {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clip.h264");
    let encode = "-nostdin -v error -f lavfi -i testsrc2=size=320x180:rate=25 -t 2 -pix_fmt yuv420p -c:v libx264 -g 25 -bf 2";
    let mut ffmpeg = Command::new("ffmpeg");
    let done = ffmpeg.args(encode.split(' ')).arg(&file).status().unwrap();
    assert!(done.success());
    let written = slices(&fs::read(&file).unwrap());
    let launch = format!(
        "filesrc location={} ! h264parse ! video/x-h264,framerate=25/1 ! rtph264pay name=pay0 pt=96 config-interval=-1",
        file.display()
    );
    let ([pem, key], roots) = certificate(folder.path());
    let plain = [&USER[..], &["--mount", "/file", &launch]].concat();
    let secure = [&plain[..], &["--tls", &pem, &key]].concat();
    let (_plain, plain) = serve(&plain);
    let (_secure, secure) = serve(&secure);
    for (scheme, port, transport) in [
        ("rtsp", plain, RtspTransport::Tcp),
        ("rtsp", plain, RtspTransport::Udp),
        ("http", plain, RtspTransport::Tcp),
        ("rtsps", secure, RtspTransport::Tcp),
        ("https", secure, RtspTransport::Tcp),
    ] {
        let mut options = options(scheme, port);
        options.url.set_path("/file");
        options.transport = transport;
        options.tls.extra_roots = roots.clone();
        let source = RtspSource::new(options).unwrap();
        let reading = async {
            let mut session = source.connect().await.unwrap();
            let mut read = Vec::new();
            for _ in 0..45 {
                let unit = session.next().await.unwrap().unwrap();
                read.extend_from_slice(&unit.data);
            }
            session.close().await;
            read
        };
        let read = slices(&timeout(DEADLINE, reading).await.unwrap());
        assert!(
            read.len() >= 45 && written.starts_with(&read),
            "{scheme} {transport:?}"
        );
    }
}
