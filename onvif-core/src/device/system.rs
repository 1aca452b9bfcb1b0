use std::time::Duration;

use url::Url;

use super::DeviceClient;
use crate::error::Error;
use crate::xml::IsoDuration;
use crate::{operation, soap_enum, soap_reply};

impl DeviceClient<'_> {
    /// Maker, model, firmware, serial number.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetDeviceInformation")]
    pub async fn information(&self) -> Result<DeviceInformation, Error> {
        self.camera.call(&GetDeviceInformation {}).await
    }

    /// Restarts the camera. Returns what it says about it.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SystemReboot")]
    pub async fn reboot(&self) -> Result<Option<String>, Error> {
        Ok(self.camera.call(&SystemReboot {}).await?.message)
    }

    /// Resets the camera. After a [`Hard`](FactoryDefault::Hard) reset it may have another address and needs a first user.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetSystemFactoryDefault")]
    pub async fn reset(&self, how: FactoryDefault) -> Result<(), Error> {
        let request = SetSystemFactoryDefault {
            factory_default: how,
        };
        self.camera.call(&request).await
    }

    /// The text of a log; `None` where the camera has only a binary one, which
    /// [`system_addresses`](Self::system_addresses) leads to.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetSystemLog")]
    pub async fn system_log(&self, log: SystemLogType) -> Result<Option<String>, Error> {
        let reply = self.camera.call(&GetSystemLog { log_type: log }).await?;
        Ok(reply.system_log.and_then(|log| log.text))
    }

    /// What the maker's support asks for, as text; `None` where the camera has only a binary file of it.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetSystemSupportInformation")]
    pub async fn support_information(&self) -> Result<Option<String>, Error> {
        let reply = self.camera.call(&GetSystemSupportInformation {}).await?;
        Ok(reply.support_information.and_then(|file| file.text))
    }

    /// Where logs, support information and backup can be fetched with HTTP GET, after the
    /// [`UriPolicy`](crate::UriPolicy) was applied. What the camera lacks is empty.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call), and [`Error::Uri`] for an address that cannot be used.
    #[doc(alias = "GetSystemUris")]
    pub async fn system_addresses(&self) -> Result<SystemAddresses, Error> {
        let reply = self.camera.call(&GetSystemUris {}).await?;
        let resolve = |what, uri: Option<String>| -> Result<Option<Url>, Error> {
            uri.map(|uri| self.camera.resolve(what, &uri)).transpose()
        };
        let mut logs = Vec::new();
        for log in reply.system_log_uris.into_iter().flat_map(|list| list.logs) {
            if let (Some(kind), Some(uri)) = (log.kind, resolve("system log", log.uri)?) {
                logs.push((kind, uri));
            }
        }
        Ok(SystemAddresses {
            logs,
            support_information: resolve("support information", reply.support_info_uri)?,
            backup: resolve("system backup", reply.system_backup_uri)?,
        })
    }

    /// Prepares the camera for new firmware, and tells where and when to send it.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call), and [`Error::Uri`] for an address that cannot be used.
    #[doc(alias = "StartFirmwareUpgrade")]
    pub async fn start_firmware_upgrade(&self) -> Result<Upload, Error> {
        let reply = self.camera.call(&StartFirmwareUpgrade {}).await?;
        self.upload(
            "firmware upload",
            reply.upload_uri,
            reply.upload_delay,
            reply.expected_down_time,
        )
    }

    /// Prepares the camera for a backup of itself, and tells where to send it.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call), and [`Error::Uri`] for an address that cannot be used.
    #[doc(alias = "StartSystemRestore")]
    pub async fn start_restore(&self) -> Result<Upload, Error> {
        let reply = self.camera.call(&StartSystemRestore {}).await?;
        let down = reply.expected_down_time;
        self.upload("backup upload", reply.upload_uri, None, down)
    }

    fn upload(
        &self,
        what: &str,
        uri: Option<String>,
        delay: Option<IsoDuration>,
        down: Option<IsoDuration>,
    ) -> Result<Upload, Error> {
        Ok(Upload {
            uri: self
                .camera
                .resolve(what, uri.as_deref().unwrap_or_default())?,
            delay: delay.map(|delay| delay.0).unwrap_or_default(),
            down_time: down.map(|down| down.0),
        })
    }
}

/// Where files of the system can be fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SystemAddresses {
    /// Logs by kind.
    pub logs: Vec<(SystemLogType, Url)>,
    /// What the maker's support asks for.
    pub support_information: Option<Url>,
    /// A backup of the configuration, in the maker's format.
    pub backup: Option<Url>,
}

/// How to send a file to the camera: with HTTP POST, as `application/octet-stream`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Upload {
    /// Where to.
    pub uri: Url,
    /// How long to wait before sending.
    pub delay: Duration,
    /// How long the camera will be away afterwards, where it tells.
    pub down_time: Option<Duration>,
}

operation! {
    /// Asks for maker, model, firmware and serial number.
    pub struct GetDeviceInformation in "tds" {} -> DeviceInformation;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetDeviceInformation", ReadSystem, Read
}

soap_reply! {
    /// Who made the camera, and which it is.
    pub struct DeviceInformation in "tds" {
        /// Maker.
        manufacturer: Option<String> = "Manufacturer",
        /// Model.
        model: Option<String> = "Model",
        /// Version of the firmware.
        firmware_version: Option<String> = "FirmwareVersion",
        /// Serial number. Not always unique: some makers give all units the same.
        serial_number: Option<String> = "SerialNumber",
        /// Hardware identifier.
        hardware_id: Option<String> = "HardwareId",
    }
}

operation! {
    /// Asks for the identifier that the camera has in WS-Discovery.
    pub struct GetEndpointReference in "tds" {} -> GetEndpointReferenceResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetEndpointReference", PreAuth, Read
}

soap_reply! {
    /// The reply to [`GetEndpointReference`].
    pub struct GetEndpointReferenceResponse in "tds" {
        /// The identifier, usually `urn:uuid:` and a UUID.
        guid: Option<String> = "GUID",
    }
}

operation! {
    /// Restarts the camera.
    pub struct SystemReboot in "tds" {} -> SystemRebootResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/SystemReboot", Unrecoverable, Write
}

soap_reply! {
    /// The reply to [`SystemReboot`].
    pub struct SystemRebootResponse in "tds" {
        /// What the camera says about it.
        message: Option<String> = "Message",
    }
}

operation! {
    /// Resets the configuration.
    pub struct SetSystemFactoryDefault in "tds" {
        /// How much of it.
        factory_default: FactoryDefault = "FactoryDefault",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetSystemFactoryDefault", Unrecoverable, Write
}

soap_enum! {
    /// How much a reset takes away.
    pub enum FactoryDefault {
        /// Everything, network and users included.
        Hard = "Hard",
        /// Everything but what is needed to reach the camera.
        Soft = "Soft",
    }
}

operation! {
    /// Asks for a log.
    pub struct GetSystemLog in "tds" {
        /// Which.
        log_type: SystemLogType = "LogType",
    } -> GetSystemLogResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetSystemLog", ReadSystemSecret, Read
}

soap_enum! {
    /// Which log.
    pub enum SystemLogType {
        /// What the system did.
        System = "System",
        /// Who came in, and who was turned away.
        Access = "Access",
    }
}

soap_reply! {
    /// The reply to [`GetSystemLog`].
    pub struct GetSystemLogResponse in "tds" {
        /// The log.
        system_log: Option<SystemFile> = "SystemLog",
    }
}

soap_reply! {
    /// A log or other file of the system. Binary ones come as MIME attachments, which are not read.
    pub struct SystemFile in "tt" {
        /// The content, where it is text.
        text: Option<String> = "String",
    }
}

operation! {
    /// Asks for what the maker's support wants to see.
    pub struct GetSystemSupportInformation in "tds" {} -> GetSystemSupportInformationResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetSystemSupportInformation", ReadSystemSecret, Read
}

soap_reply! {
    /// The reply to [`GetSystemSupportInformation`].
    pub struct GetSystemSupportInformationResponse in "tds" {
        /// The information.
        support_information: Option<SystemFile> = "SupportInformation",
    }
}

operation! {
    /// Asks where logs, support information and backup can be fetched.
    pub struct GetSystemUris in "tds" {} -> GetSystemUrisResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetSystemUris", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetSystemUris`]. Addresses are as reported, not yet checked.
    pub struct GetSystemUrisResponse in "tds" {
        /// Logs.
        system_log_uris: Option<SystemLogUriList> = "SystemLogUris",
        /// Support information.
        support_info_uri: Option<String> = "SupportInfoUri",
        /// Backup.
        system_backup_uri: Option<String> = "SystemBackupUri",
    }
}

soap_reply! {
    /// Logs with their addresses.
    pub struct SystemLogUriList in "tt" {
        /// The logs.
        logs: Vec<SystemLogUri> = "SystemLog",
    }
}

soap_reply! {
    /// A log and its address.
    pub struct SystemLogUri in "tt" {
        /// Which log.
        kind: Option<SystemLogType> = "Type",
        /// Where it is, as reported.
        uri: Option<String> = "Uri",
    }
}

operation! {
    /// Announces new firmware that will be sent over HTTP.
    pub struct StartFirmwareUpgrade in "tds" {} -> StartFirmwareUpgradeResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/StartFirmwareUpgrade", Unrecoverable, Write
}

soap_reply! {
    /// The reply to [`StartFirmwareUpgrade`].
    pub struct StartFirmwareUpgradeResponse in "tds" {
        /// Where to send it, as reported.
        upload_uri: Option<String> = "UploadUri",
        /// How long to wait before sending.
        upload_delay: Option<IsoDuration> = "UploadDelay",
        /// How long the camera will be away afterwards.
        expected_down_time: Option<IsoDuration> = "ExpectedDownTime",
    }
}

operation! {
    /// Has the camera fetch and install firmware by itself.
    pub struct UpgradeFirmware in "tds" {
        /// Version to install.
        version: String = "Version",
    } -> UpgradeFirmwareResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/UpgradeFirmware", Unrecoverable, Write
}

soap_reply! {
    /// The reply to [`UpgradeFirmware`].
    pub struct UpgradeFirmwareResponse in "tds" {
        /// How long the camera will be away.
        expected_down_time: Option<IsoDuration> = "ExpectedDownTime",
    }
}

operation! {
    /// Announces a backup that will be sent over HTTP.
    pub struct StartSystemRestore in "tds" {} -> StartSystemRestoreResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/StartSystemRestore", Unrecoverable, Write
}

soap_reply! {
    /// The reply to [`StartSystemRestore`].
    pub struct StartSystemRestoreResponse in "tds" {
        /// Where to send it, as reported.
        upload_uri: Option<String> = "UploadUri",
        /// How long the camera will be away afterwards.
        expected_down_time: Option<IsoDuration> = "ExpectedDownTime",
    }
}
