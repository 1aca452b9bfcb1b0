//! The ways to GStreamer's RTSP server: TCP, UDP, TLS, tunnels through HTTP and HTTPS, with each kind of credentials.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use interop::{GSTREAMER, Process, free_port, gstreamer_with, installed};
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
