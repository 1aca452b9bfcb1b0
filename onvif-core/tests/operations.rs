//! The bound operations against the list of all operations, where that list is present next to the repository.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use onvif_core::media::{ver10, ver20};
use onvif_core::{AccessClass, OperationInfo, analytics, device, device_io, events, imaging};

/// A service: its name in the list, its table, and what is not bound with the reason.
struct Bound {
    service: &'static str,
    operations: fn() -> &'static [OperationInfo],
    waived: &'static [(&'static str, &'static str)],
}

const SERVICES: &[Bound] = &[
    Bound {
        service: "device",
        operations: device::operations,
        waived: &[
            (
                "UpgradeSystemFirmware",
                "sends a MIME attachment; StartFirmwareUpgrade does the same over HTTP",
            ),
            (
                "RestoreSystem",
                "sends MIME attachments; StartSystemRestore does the same over HTTP",
            ),
            (
                "GetSystemBackup",
                "answers with MIME attachments; GetSystemUris leads to the same over HTTP",
            ),
        ],
    },
    Bound {
        service: "deviceio",
        operations: device_io::operations,
        waived: &[],
    },
    Bound {
        service: "media",
        operations: ver10::operations,
        waived: &[],
    },
    Bound {
        service: "media2",
        operations: ver20::operations,
        waived: &[],
    },
    Bound {
        service: "imaging",
        operations: imaging::operations,
        waived: &[],
    },
    Bound {
        service: "events",
        operations: events::operations,
        waived: &[
            (
                "CreatePullPoint",
                "of plain WS-BaseNotification; ONVIF devices have CreatePullPointSubscription",
            ),
            (
                "GetMessages",
                "of plain WS-BaseNotification; ONVIF devices have PullMessages",
            ),
            (
                "DestroyPullPoint",
                "of plain WS-BaseNotification; ONVIF devices have Unsubscribe",
            ),
            (
                "Notify",
                "sent by cameras and received by PushListener, never called",
            ),
        ],
    },
    Bound {
        service: "analytics",
        operations: analytics::operations,
        waived: &[],
    },
];

#[test]
fn every_operation_of_the_specification_is_bound_or_waived() {
    let Some(list) = listed() else { return };
    for Bound {
        service,
        operations: bound,
        waived,
    } in SERVICES
    {
        let listed: Vec<_> = list.iter().filter(|row| row.service == *service).collect();
        assert!(!listed.is_empty(), "{service} is not in the list");
        for row in &listed {
            let is_waived = waived.iter().any(|(name, _)| *name == row.name);
            let info = bound().iter().find(|info| info.name == row.name);
            match info {
                None => assert!(is_waived, "{service} {} is neither", row.name),
                Some(info) => {
                    assert!(!is_waived, "{service} {} is both", row.name);
                    assert_eq!(info.access, access(&row.access), "{service} {}", row.name);
                    // Some operations stand in two bindings, each with an action of its own.
                    let same =
                        |other: &&&Row| other.name == row.name && other.action == info.action;
                    assert!(listed.iter().any(|row| same(&row)), "{}", info.action);
                }
            }
        }
        for info in bound() {
            let found = listed.iter().any(|row| row.name == info.name);
            assert!(found, "{service} {} is not in the list", info.name);
        }
    }
}

#[test]
fn no_operation_is_listed_twice() {
    for Bound {
        service,
        operations: bound,
        waived,
    } in SERVICES
    {
        let names = bound().iter().map(|info| info.name);
        let mut names: Vec<_> = names.chain(waived.iter().map(|(name, _)| *name)).collect();
        names.sort_unstable();
        for pair in names.windows(2) {
            assert_ne!(pair[0], pair[1], "{service}");
        }
    }
}

struct Row {
    service: String,
    name: String,
    action: String,
    access: String,
}

/// The list, or `None` where it is not there and not required.
fn listed() -> Option<Vec<Row>> {
    let path: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/onvif/operations.tsv");
    let Ok(text) = std::fs::read_to_string(&path) else {
        let required = std::env::var_os("REQUIRE_SHARED").is_some();
        assert!(!required, "{} is missing", path.display());
        println!("skipped: {} is not there", path.display());
        return None;
    };
    let rows = text.lines().skip(1).map(|line| {
        let mut columns = line.split('\t').map(str::to_owned);
        let mut column = || columns.next().unwrap();
        Row {
            service: column(),
            name: column(),
            action: column(),
            access: column(),
        }
    });
    Some(rows.collect())
}

fn access(word: &str) -> AccessClass {
    match word {
        "PRE_AUTH" => AccessClass::PreAuth,
        "READ_SYSTEM" => AccessClass::ReadSystem,
        "READ_SYSTEM_SECRET" => AccessClass::ReadSystemSecret,
        "WRITE_SYSTEM" => AccessClass::WriteSystem,
        "UNRECOVERABLE" => AccessClass::Unrecoverable,
        "READ_MEDIA" => AccessClass::ReadMedia,
        "ACTUATE" => AccessClass::Actuate,
        "-" => AccessClass::Unspecified,
        other => panic!("unknown access class {other}"),
    }
}
