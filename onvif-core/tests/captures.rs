//! Responses of real cameras, where the collection of captures is present next to the repository.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use onvif_core::media::{ver10, ver20};
use onvif_core::xml::Reader;
use onvif_core::{
    AccessClass, Operation, OperationInfo, analytics, decode_response, device, device_io, events,
    imaging,
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
    let (mut replies, mut faults, mut unbound) = (0, 0, Vec::new());
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
            None => unbound.push(format!("{} {name}", service(&namespace))),
        }
    }
    unbound.sort();
    println!(
        "{replies} replies, {faults} faults, {} of operations that are not bound:",
        unbound.len()
    );
    for names in unbound.chunk_by(|one, other| one == other) {
        println!("  {} ({})", names[0], names.len());
    }
    assert!(replies > 40 && faults > 0);
}

/// The last words of a namespace: `media`.
fn service(namespace: &str) -> &str {
    let start = namespace
        .find("onvif.org/")
        .map_or(0, |at| at + "onvif.org/".len());
    &namespace[start..]
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

#[test]
fn bound_operations_have_the_action_and_access_class_of_the_specification() {
    let Some(path) = shared("data/onvif/operations.tsv") else {
        return;
    };
    let table = std::fs::read_to_string(path).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect())
        .collect();
    let mut bound = 0;
    macro_rules! check {
        ($($($operation:ident)::+),* $(,)?) => { $( {
            type Bound = $($operation)::+;
            let (service, name) = (<Bound as Operation>::SERVICE.name(), <Bound as Operation>::NAME);
            let row = rows
                .iter()
                .find(|row| row[0] == service && row[1] == name)
                .unwrap_or_else(|| panic!("{service}/{name} is not in the specification"));
            assert_eq!(row[2], <Bound as Operation>::ACTION, "{service}/{name}");
            let class = match <Bound as Operation>::ACCESS {
                AccessClass::PreAuth => "PRE_AUTH",
                AccessClass::ReadSystem => "READ_SYSTEM",
                AccessClass::ReadSystemSecret => "READ_SYSTEM_SECRET",
                AccessClass::WriteSystem => "WRITE_SYSTEM",
                AccessClass::Unrecoverable => "UNRECOVERABLE",
                AccessClass::ReadMedia => "READ_MEDIA",
                AccessClass::Actuate => "ACTUATE",
                _ => "-",
            };
            assert_eq!(row[3], class, "{service}/{name}");
            bound += 1;
        } )* };
    }
    check! {
        device::GetSystemDateAndTime, device::GetServices, device::GetCapabilities, device::GetDeviceInformation, device::GetScopes, device::GetHostname,
        device::GetNetworkInterfaces, device::GetServiceCapabilities, device::SystemReboot, device::GetUsers,
        ver10::GetProfiles, ver10::GetStreamUri, ver10::GetSnapshotUri, ver10::GetVideoSources,
        ver10::GetVideoEncoderConfigurations, ver10::SetSynchronizationPoint, ver10::GetServiceCapabilities,
        ver20::GetProfiles, ver20::GetStreamUri, ver20::GetSnapshotUri, ver20::GetVideoEncoderConfigurations,
        ver20::SetSynchronizationPoint, ver20::GetServiceCapabilities,
        imaging::GetImagingSettings, imaging::SetImagingSettings, imaging::GetOptions,
        events::GetEventProperties, events::GetServiceCapabilities, events::CreatePullPointSubscription,
        events::PullMessages, events::Renew, events::Unsubscribe, events::SetSynchronizationPoint,
    }
    println!(
        "{bound} of {} operations are bound here; PTZ is in onvif-ptz",
        rows.len()
    );
}
