//! Imaging: what is bound, and how it goes with a camera in software.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use onvif_core::imaging::*;
use onvif_core::{AccessClass, Operation};

/// Operations of the specification that are not bound, with the reason. There are none.
const WAIVED: &[(&str, &str)] = &[];

#[test]
fn every_operation_is_bound_with_the_action_and_access_class_of_the_specification() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/onvif/operations.tsv");
    let Ok(table) = std::fs::read_to_string(&path) else {
        assert!(std::env::var_os("REQUIRE_SHARED").is_none());
        println!("skipped: {} is not there", path.display());
        return;
    };
    let rows = table.lines().map(|line| line.split('\t').collect());
    let rows: Vec<Vec<&str>> = rows.filter(|row: &Vec<&str>| row[0] == "imaging").collect();
    let mut bound = Vec::new();
    macro_rules! check {
        ($($operation:ident),* $(,)?) => { $( {
            let name = <$operation as Operation>::NAME;
            let row = rows.iter().find(|row| row[1] == name).unwrap();
            assert_eq!(row[2], <$operation as Operation>::ACTION, "{name}");
            let class = match <$operation as Operation>::ACCESS {
                AccessClass::PreAuth => "PRE_AUTH",
                AccessClass::ReadMedia => "READ_MEDIA",
                AccessClass::Actuate => "ACTUATE",
                other => panic!("{name}: {other:?}"),
            };
            assert_eq!(row[3], class, "{name}");
            bound.push(name);
        } )* };
    }
    check! {
        GetServiceCapabilities, GetImagingSettings, SetImagingSettings, GetOptions, Move, Stop,
        GetStatus, GetMoveOptions, GetPresets, GetCurrentPreset, SetCurrentPreset,
    }
    for row in &rows {
        let waived = WAIVED.iter().any(|(name, _)| *name == row[1]);
        assert_ne!(bound.contains(&row[1]), waived, "{}", row[1]);
    }
    assert_eq!(rows.len(), 11);
}
