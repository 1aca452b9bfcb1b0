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
