//! Responses of real cameras, where the collection of captures is present next to the repository.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use onvif_core::{AccessClass, Operation, decode_response};
use onvif_ptz::*;

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

/// Operations of the specification that are not bound, with the reason. There are none.
const WAIVED: &[(&str, &str)] = &[];

macro_rules! each_operation {
    ($do:ident) => {
        $do!(
            GetServiceCapabilities,
            GetNodes,
            GetNode,
            GetConfigurations,
            GetConfiguration,
            GetCompatibleConfigurations,
            SetConfiguration,
            GetConfigurationOptions,
            GetStatus,
            AbsoluteMove,
            RelativeMove,
            ContinuousMove,
            GeoMove,
            MoveAndStartTracking,
            Stop,
            GetPresets,
            SetPreset,
            GotoPreset,
            RemovePreset,
            GotoHomePosition,
            SetHomePosition,
            SendAuxiliaryCommand,
            GetPresetTours,
            GetPresetTour,
            GetPresetTourOptions,
            CreatePresetTour,
            ModifyPresetTour,
            OperatePresetTour,
            RemovePresetTour
        )
    };
}

#[test]
fn captured_responses_read_as_replies_or_faults() {
    let Some(root) = shared("data/onvif/captures") else {
        return;
    };
    let mut read = 0;
    for device in ["SUNBA", "happytimesoft"] {
        macro_rules! read_all {
            ($($operation:ident),*) => { $( {
                let name = <$operation as Operation>::NAME;
                let path = root.join(device).join("ptz").join(format!("{name}Response.xml"));
                if let Ok(text) = std::fs::read_to_string(&path) {
                    assert!(decode_response::<$operation>(&text).is_ok(), "{}", path.display());
                    read += 1;
                }
            } )* };
        }
        each_operation!(read_all);
    }
    println!("{read} captured responses");
    assert!(read >= 24, "{read}");
}

#[test]
fn a_captured_status_has_its_values() {
    let Some(path) = shared("data/onvif/captures/SUNBA/ptz/GetStatusResponse.xml") else {
        return;
    };
    let reply = decode_response::<GetStatus>(&std::fs::read_to_string(path).unwrap())
        .unwrap()
        .unwrap();
    let status = reply.status.unwrap();
    assert_eq!(status.position.unwrap().pan_tilt.unwrap().x, 0.5);
    assert_eq!(status.move_status.unwrap().zoom, Some(AxisStatus::Idle));
    assert!(status.utc_time.is_some());
}

/// What `value` looks like when it is sent, and what the camera would read of it.
fn sent_and_read(configuration: &Configuration) -> Configuration {
    let request = SetConfiguration {
        configuration: configuration.clone(),
        force_persistence: true,
    };
    let body = request.body().unwrap();
    let reply = body
        .replace("SetConfiguration", "GetConfigurationResponse")
        .replace("<tptz:", "<")
        .replace("</tptz:", "</");
    let envelope = format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:tt=\"http://www.onvif.org/ver10/schema\"><s:Body>{reply}</s:Body></s:Envelope>"
    );
    let reply = decode_response::<GetConfiguration>(&envelope);
    reply.unwrap().unwrap().configuration.unwrap()
}

#[test]
fn a_captured_configuration_is_sent_back_without_loss() {
    for device in ["SUNBA", "happytimesoft"] {
        let path = format!("data/onvif/captures/{device}/ptz/GetConfigurationResponse.xml");
        let Some(path) = shared(&path) else {
            return;
        };
        let text = std::fs::read_to_string(path).unwrap();
        let reply = decode_response::<GetConfiguration>(&text).unwrap().unwrap();
        let configuration = reply.configuration.unwrap();
        assert!(configuration.default_timeout.is_some());
        assert!(configuration.pan_tilt_limits.is_some());
        let direction = configuration.extension.as_ref();
        let direction = direction.and_then(|extension| extension.control_direction.as_ref());
        assert!(direction.is_some_and(|direction| direction.e_flip.is_some()));
        assert_eq!(sent_and_read(&configuration), configuration);
    }
}

#[test]
fn every_operation_is_bound_with_the_action_and_access_class_of_the_specification() {
    let Some(path) = shared("data/onvif/operations.tsv") else {
        return;
    };
    let table = std::fs::read_to_string(path).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split('\t').collect())
        .filter(|row: &Vec<&str>| row[0] == "ptz")
        .collect();
    for info in operations() {
        let row = rows.iter().find(|row| row[1] == info.name).unwrap();
        assert_eq!(row[2], info.action, "{}", info.name);
        let class = match info.access {
            AccessClass::PreAuth => "PRE_AUTH",
            AccessClass::ReadMedia => "READ_MEDIA",
            AccessClass::Actuate => "ACTUATE",
            other => panic!("{}: {other:?}", info.name),
        };
        assert_eq!(row[3], class, "{}", info.name);
    }
    for row in &rows {
        let waived = WAIVED.iter().any(|(name, _)| *name == row[1]);
        let bound = operations().iter().any(|info| info.name == row[1]);
        assert_ne!(bound, waived, "{}", row[1]);
    }
    assert_eq!(rows.len(), 29);
}
