//! The client against cameras that answer with captured responses of real ones, where their collection is present next to the
//! repository.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

use onvif_core::media::StreamTransport;
use onvif_core::{Camera, Credentials};
use virtual_camera::VirtualCamera;

/// Maker, number of profiles, and path of the first stream.
type Seen = (String, usize, Option<String>);

#[tokio::test]
async fn captured_cameras_are_connected_to_and_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/onvif/captures");
    if !root.exists() {
        let required = std::env::var_os("REQUIRE_SHARED").is_some();
        assert!(!required, "{} is missing", root.display());
        println!("skipped: there is no {}", root.display());
        return;
    }
    let mut seen = BTreeMap::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        seen.insert(name, read(&folder).await);
    }
    let expected = |maker: &str, profiles, stream: Option<&str>| -> Seen {
        (maker.to_owned(), profiles, stream.map(str::to_owned))
    };
    let expected = BTreeMap::from(
        [
            // These two were captured without the answer to GetStreamUri.
            ("DCS-6511", expected("D-Link Corporation", 2, None)),
            ("GX728MF-IR28", expected("NONE", 3, None)),
            ("SUNBA", expected("SUNBA", 3, Some("/main"))),
            ("happytimesoft", expected("Happytimesoft", 2, Some("/sub"))),
        ]
        .map(|(name, seen)| (name.to_owned(), seen)),
    );
    assert_eq!(seen, expected);
}

async fn read(folder: &Path) -> Seen {
    let target = VirtualCamera::builder()
        .credentials("admin", "secret")
        .replay(folder)
        .start()
        .await
        .unwrap();
    let camera = Camera::builder(target.device_url())
        .credentials(Credentials::new("admin", "secret"))
        .connect()
        .await
        .unwrap();
    let information = camera.device().information().await.unwrap();
    let profiles = camera.media().profiles().await.unwrap();
    let media = camera.media();
    let stream = media.stream_uri(&profiles[0].token, StreamTransport::Rtsp);
    let stream = stream.await.ok().map(|uri| uri.path().to_owned());
    assert_eq!(target.observed().authentication_failures, 0);
    (
        information.manufacturer.unwrap_or_default(),
        profiles.len(),
        stream,
    )
}
