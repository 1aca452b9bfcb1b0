//! Which operation is open to whom (Core Specification, "Access classes for service requests").

use super::Service;
use crate::accounts::Level;

/// What kind of operation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessClass {
    /// Needs no user.
    PreAuth,
    ReadSystem,
    ReadSystemSecret,
    WriteSystem,
    Unrecoverable,
    ReadMedia,
    Actuate,
}

impl AccessClass {
    /// The default policy of the specification.
    pub(crate) fn is_for(self, level: Level) -> bool {
        match self {
            Self::PreAuth | Self::ReadSystem | Self::ReadMedia => true,
            Self::Actuate => level >= Level::Operator,
            Self::ReadSystemSecret | Self::WriteSystem | Self::Unrecoverable => {
                level == Level::Administrator
            }
        }
    }

    /// The class of an operation; of one that does not exist, that of its likes.
    pub(crate) fn of(service: &Service, operation: &str) -> Self {
        if operation == "GetServiceCapabilities" {
            return Self::PreAuth;
        }
        let reads = operation.starts_with("Get");
        match service {
            Service::Device => of_device(operation, reads),
            Service::DeviceIo => match operation {
                "GetRelayOutputOptions" => Self::PreAuth,
                _ if operation.starts_with("GetDigitalInput")
                    || operation.starts_with("GetSerialPort") =>
                {
                    Self::ReadSystem
                }
                _ if reads => Self::ReadMedia,
                _ => Self::Actuate,
            },
            Service::Events | Service::Subscription(_) => match operation {
                "AddEventBroker" | "DeleteEventBroker" => Self::WriteSystem,
                _ => Self::ReadMedia,
            },
            Service::Media
            | Service::Media2
            | Service::Ptz
            | Service::Imaging
            | Service::Analytics => match operation {
                "GetVideoSourceModes" => Self::ReadSystem,
                "SetVideoSourceMode" => Self::WriteSystem,
                _ if reads => Self::ReadMedia,
                _ => Self::Actuate,
            },
        }
    }
}

fn of_device(operation: &str, reads: bool) -> AccessClass {
    match operation {
        "GetServices"
        | "GetCapabilities"
        | "GetSystemDateAndTime"
        | "GetHostname"
        | "GetEndpointReference"
        | "GetWsdlUrl" => AccessClass::PreAuth,
        "GetUsers"
        | "GetAccessPolicy"
        | "GetSystemLog"
        | "GetSystemBackup"
        | "GetSystemSupportInformation" => AccessClass::ReadSystemSecret,
        "SetSystemFactoryDefault"
        | "SystemReboot"
        | "RestoreSystem"
        | "StartFirmwareUpgrade"
        | "UpgradeFirmware"
        | "StartSystemRestore" => AccessClass::Unrecoverable,
        "GetRelayOutputs" | "GetStorageConfigurations" | "GetStorageConfiguration" => {
            AccessClass::ReadMedia
        }
        "SetRelayOutputSettings"
        | "SetRelayOutputState"
        | "SendAuxiliaryCommand"
        | "CreateStorageConfiguration"
        | "SetStorageConfiguration"
        | "DeleteStorageConfiguration" => AccessClass::Actuate,
        "ScanAvailableDot11Networks" => AccessClass::ReadSystem,
        _ if reads => AccessClass::ReadSystem,
        _ => AccessClass::WriteSystem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_the_level_the_more_is_open() {
        let open = |level| {
            [
                AccessClass::ReadMedia,
                AccessClass::Actuate,
                AccessClass::WriteSystem,
            ]
            .map(|class| class.is_for(level))
        };
        assert_eq!(open(Level::User), [true, false, false]);
        assert_eq!(open(Level::Operator), [true, true, false]);
        assert_eq!(open(Level::Administrator), [true, true, true]);
    }

    /// By the list of operations that stands beside the repository, where it is there.
    #[test]
    fn every_operation_has_the_class_of_the_specification() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../shared/data/onvif/operations.tsv"
        );
        let Ok(list) = std::fs::read_to_string(path) else {
            let required = std::env::var_os("REQUIRE_SHARED").is_some();
            assert!(!required, "{path} is missing");
            println!("skipped: {path} is not there");
            return;
        };
        for line in list.lines().skip(1) {
            let cells: Vec<_> = line.split('\t').collect();
            let service = match cells[0] {
                "device" => Service::Device,
                "media" => Service::Media,
                // Audio clips and WebRTC, which are not here, follow no rule.
                "media2"
                    if ["Clip", "WebRTC", "EQ", "Multicast"]
                        .iter()
                        .any(|it| cells[1].contains(it)) =>
                {
                    continue;
                }
                "media2" => Service::Media2,
                "ptz" => Service::Ptz,
                "imaging" => Service::Imaging,
                "events" => Service::Events,
                "analytics" => Service::Analytics,
                "deviceio" => Service::DeviceIo,
                other => panic!("a new service {other}"),
            };
            let class = match cells[3] {
                "PRE_AUTH" => AccessClass::PreAuth,
                "READ_SYSTEM" => AccessClass::ReadSystem,
                "READ_SYSTEM_SECRET" => AccessClass::ReadSystemSecret,
                "WRITE_SYSTEM" => AccessClass::WriteSystem,
                "UNRECOVERABLE" => AccessClass::Unrecoverable,
                "READ_MEDIA" => AccessClass::ReadMedia,
                "ACTUATE" => AccessClass::Actuate,
                // The specification does not say.
                "-" => continue,
                other => panic!("a new class {other}"),
            };
            assert_eq!(AccessClass::of(&service, cells[1]), class, "{line}");
        }
    }

    #[test]
    fn the_same_name_has_another_class_in_another_service() {
        let class = |service, operation| AccessClass::of(&service, operation);
        assert_eq!(
            class(Service::Device, "GetRelayOutputs"),
            AccessClass::ReadMedia
        );
        assert_eq!(
            class(Service::Device, "SetNetworkProtocols"),
            AccessClass::WriteSystem
        );
        assert_eq!(
            class(Service::Imaging, "SetImagingSettings"),
            AccessClass::Actuate
        );
        assert_eq!(
            class(Service::Events, "PullMessages"),
            AccessClass::ReadMedia
        );
    }
}
