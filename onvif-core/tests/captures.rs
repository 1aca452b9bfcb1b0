//! Responses of real cameras, where the collection of captures is present next to the repository.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use onvif_core::media::{ver10, ver20};
use onvif_core::{AccessClass, Operation, decode_response, device, events, imaging};

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

/// Whether the document reads as a reply or as a fault; `None` for operations that are not bound.
fn read(service: &str, operation: &str, document: &str) -> Option<Result<bool, String>> {
    macro_rules! bound {
        ($($service:literal: $($operation:ident)::+),* $(,)?) => {
            match (service, operation) {
                $( ($service, name) if name == <$($operation)::+ as Operation>::NAME => {
                    Some(decode_response::<$($operation)::+>(document).map(|reply| reply.is_ok()).map_err(|e| e.to_string()))
                } )*
                _ => None,
            }
        };
    }
    bound! {
        "device_management": device::GetSystemDateAndTime, "device_management": device::GetServices,
        "device_management": device::GetCapabilities, "device_management": device::GetDeviceInformation,
        "device_management": device::GetScopes, "device_management": device::GetHostname,
        "device_management": device::GetNetworkInterfaces, "device_management": device::GetServiceCapabilities,
        "device_management": device::SystemReboot, "device_management": device::GetUsers,
        "device_management": device::GetDns, "device_management": device::GetNtp,
        "device_management": device::GetDiscoveryMode, "device_management": device::GetNetworkProtocols,
        "device_management": device::CreateUsers, "device_management": device::DeleteUsers,
        "device_management": device::GetSystemUris, "device_management": device::GetSystemLog,
        "device_management": device::GetSystemSupportInformation,
        "media1": ver10::GetProfiles, "media1": ver10::GetStreamUri, "media1": ver10::GetSnapshotUri,
        "media1": ver10::GetVideoSources, "media1": ver10::GetVideoEncoderConfigurations,
        "media1": ver10::SetSynchronizationPoint, "media1": ver10::GetServiceCapabilities,
        "media2": ver20::GetProfiles, "media2": ver20::GetStreamUri, "media2": ver20::GetSnapshotUri,
        "media2": ver20::GetVideoEncoderConfigurations, "media2": ver20::SetSynchronizationPoint,
        "media2": ver20::GetServiceCapabilities,
        "media1": ver10::GetProfile, "media1": ver10::GetAudioSources,
        "media1": ver10::GetMetadataConfiguration, "media1": ver10::GetMetadataConfigurations,
        "media1": ver10::StartMulticastStreaming, "media1": ver10::StopMulticastStreaming,
        "media2": ver20::GetMetadataConfigurations, "media2": ver20::GetMetadataConfigurationOptions,
        "media2": ver20::GetVideoSourceConfigurationOptions,
        "media2": ver20::StartMulticastStreaming, "media2": ver20::StopMulticastStreaming,
    }
}

#[test]
fn captured_responses_read_as_replies_or_faults() {
    let Some(root) = shared("data/onvif/captures") else {
        return;
    };
    let (mut replies, mut faults, mut unbound) = (0, 0, 0);
    for device in directories(&root) {
        for service in directories(&device) {
            for file in directories(&service) {
                let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
                let operation = file
                    .file_stem()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .trim_end_matches("Response")
                    .to_owned();
                let service = service.file_name().unwrap().to_str().unwrap();
                // A capture of a fault fits any operation.
                let operation = if operation == "Fault" {
                    "GetUsers"
                } else {
                    &operation
                };
                match read(service, operation, &text) {
                    Some(Ok(true)) => replies += 1,
                    Some(Ok(false)) => faults += 1,
                    Some(Err(error)) => panic!("{}: {error}", file.display()),
                    None => unbound += 1,
                }
            }
        }
    }
    println!("{replies} replies, {faults} faults, {unbound} of operations that are not bound");
    assert!(replies > 40 && faults > 0);
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

fn directories(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        path.is_dir() || path.extension().is_some_and(|extension| extension == "xml")
    });
    paths.sort();
    paths
}
