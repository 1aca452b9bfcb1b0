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

macro_rules! each_operation {
    ($do:ident) => {
        $do!(
            GetNodes,
            GetConfigurations,
            GetConfigurationOptions,
            GetStatus,
            AbsoluteMove,
            RelativeMove,
            ContinuousMove,
            Stop,
            GetPresets,
            SetPreset,
            GotoPreset,
            RemovePreset,
            GotoHomePosition,
            SetHomePosition
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
    assert!(read >= 15, "{read}");
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

#[test]
fn bound_operations_have_the_action_and_access_class_of_the_specification() {
    let Some(path) = shared("data/onvif/operations.tsv") else {
        return;
    };
    let table = std::fs::read_to_string(path).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split('\t').collect())
        .filter(|row: &Vec<&str>| row[0] == "ptz")
        .collect();
    let mut bound = 0;
    macro_rules! check {
        ($($operation:ident),*) => { $( {
            let name = <$operation as Operation>::NAME;
            let row = rows.iter().find(|row| row[1] == name).unwrap();
            assert_eq!(row[2], <$operation as Operation>::ACTION, "{name}");
            let class = match <$operation as Operation>::ACCESS {
                AccessClass::ReadMedia => "READ_MEDIA",
                AccessClass::Actuate => "ACTUATE",
                other => panic!("{name}: {other:?}"),
            };
            assert_eq!(row[3], class, "{name}");
            bound += 1;
        } )* };
    }
    each_operation!(check);
    println!("{bound} of {} PTZ operations are bound", rows.len());
}
