//! Responses of real cameras, where the collection of captures is present next to the repository.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use onvif_core::media::{ver10, ver20};
use onvif_core::xml::Reader;
use onvif_core::{
    OperationInfo, Service, analytics, decode_response, device, device_io, events, imaging,
};

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared")
        .join(path);
    if path.exists() {
        return Some(path);
    }
    assert!(
        std::env::var_os("REQUIRE_SHARED").is_none(),
        "{} is missing",
        path.display()
    );
    println!("skipped: {} is not there", path.display());
    None
}

/// Every bound operation; PTZ is in `onvif-ptz`.
fn table() -> impl Iterator<Item = &'static OperationInfo> {
    let tables = [
        analytics::operations(),
        device::operations(),
        device_io::operations(),
        events::operations(),
        imaging::operations(),
        ver10::operations(),
        ver20::operations(),
    ];
    tables.into_iter().flatten()
}

/// Namespace and local name of what the Body of an envelope holds.
fn content(document: &str) -> Option<(String, String)> {
    let mut reader = Reader::new(document).ok()?;
    let mut envelope = reader.root().ok()?;
    while let Some(mut part) = envelope.child().ok()? {
        if part.local_name() == "Body" {
            let content = part.child().ok()??;
            let namespace = content.namespace().unwrap_or_default();
            return Some((namespace.to_owned(), content.local_name().to_owned()));
        }
    }
    None
}

#[test]
fn captured_responses_read_as_replies_or_faults() {
    let Some(root) = shared("data/onvif/captures") else {
        return;
    };
    let (mut replies, mut faults, mut of_ptz) = (0, 0, 0);
    for file in files(&root) {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        let (namespace, name) = content(&text).unwrap_or_else(|| panic!("{}", file.display()));
        let mut bound = table().filter(|bound| match name.as_str() {
            // A fault fits any operation.
            "Fault" => true,
            _ => {
                bound.service.namespace() == namespace
                    && name.strip_suffix("Response") == Some(bound.name)
            }
        });
        match bound.next().map(|bound| bound.check(&text)) {
            Some(Ok(Ok(()))) => replies += 1,
            Some(Ok(Err(_))) => faults += 1,
            Some(Err(error)) => panic!("{}: {error}", file.display()),
            None if namespace == Service::Ptz.namespace() => of_ptz += 1,
            None => panic!("{}: {name} is not bound", file.display()),
        }
    }
    println!("{replies} replies and {faults} faults read; {of_ptz} of PTZ, read in onvif-ptz");
    assert!(replies > 100 && faults > 0);
}

/// All files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "xml") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[test]
fn a_captured_profile_has_its_values() {
    let Some(path) = shared("data/onvif/captures/DCS-6511/media1/GetProfilesResponse.xml") else {
        return;
    };
    let reply = decode_response::<ver10::GetProfiles>(&std::fs::read_to_string(path).unwrap())
        .unwrap()
        .unwrap();
    let encoder = reply.profiles[0].video_encoder.as_ref().unwrap();
    assert!(encoder.resolution.unwrap().width > 0);
    assert!(
        encoder
            .rate_control
            .as_ref()
            .unwrap()
            .bitrate_limit
            .is_some()
    );
    assert!(
        reply.profiles[0]
            .video_source
            .as_ref()
            .unwrap()
            .source_token
            .is_some()
    );
}
