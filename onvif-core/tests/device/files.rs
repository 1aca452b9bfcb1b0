//! Files of the camera, such as logs, backups and firmware, which are fetched from addresses that it hands out.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use onvif_core::device::SystemLogType;
use onvif_core::{Camera, Error, Transport, TransportError, UriPolicy};

/// A camera that answers every operation with the reply of that name, and otherwise with an empty one.
struct Canned(&'static [(&'static str, &'static str)]);

#[async_trait::async_trait]
impl Transport for Canned {
    async fn send(
        &self,
        request: Request<Bytes>,
        _: Duration,
    ) -> Result<Response<Bytes>, TransportError> {
        let request = String::from_utf8(request.body().to_vec()).unwrap();
        let (_, body) = request.split_once("<s:Body><tds:").unwrap();
        let operation = body.split([' ', '>', '/']).next().unwrap();
        let content = self.0.iter().find(|(name, _)| *name == operation);
        let content = content.map_or("", |(_, content)| content);
        Ok(Response::new(Bytes::from(format!(
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
             xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" xmlns:tt=\"http://www.onvif.org/ver10/schema\">\
             <s:Body><tds:{operation}Response>{content}</tds:{operation}Response></s:Body></s:Envelope>"
        ))))
    }
}

#[tokio::test]
async fn addresses_of_files_are_used_only_as_the_uri_policy_allows() {
    let canned = &[
        (
            "GetSystemUris",
            "<tds:SystemLogUris><tt:SystemLog><tt:Type>Access</tt:Type><tt:Uri>http://10.9.9.9/log</tt:Uri></tt:SystemLog>\
             </tds:SystemLogUris><tds:SystemBackupUri>http://user:pw@192.0.2.7/backup</tds:SystemBackupUri>",
        ),
        (
            "StartFirmwareUpgrade",
            "<tds:UploadUri>http://10.9.9.9/firmware</tds:UploadUri><tds:UploadDelay>PT5S</tds:UploadDelay>\
             <tds:ExpectedDownTime>PT2M</tds:ExpectedDownTime>",
        ),
    ];
    let connect = |policy| {
        let camera = Camera::builder("http://192.0.2.7").uri_policy(policy);
        camera.transport(Arc::new(Canned(canned))).connect()
    };
    let camera = connect(UriPolicy::RewriteHost).await.unwrap();
    let addresses = camera.device().system_addresses().await.unwrap();
    let (kind, log) = &addresses.logs[0];
    assert_eq!(
        (kind, log.as_str()),
        (&SystemLogType::Access, "http://192.0.2.7/log")
    );
    assert_eq!(
        addresses.backup.unwrap().as_str(),
        "http://192.0.2.7/backup"
    );
    assert_eq!(addresses.support_information, None);
    let upload = camera.device().start_firmware_upgrade().await.unwrap();
    assert_eq!(upload.uri.as_str(), "http://192.0.2.7/firmware");
    assert_eq!(
        (upload.delay.as_secs(), upload.down_time.unwrap().as_secs()),
        (5, 120)
    );
    assert!(matches!(
        camera.device().start_restore().await,
        Err(Error::Uri { .. })
    ));

    let strict = connect(UriPolicy::Refuse).await.unwrap();
    for error in [
        strict.device().system_addresses().await.err(),
        strict.device().start_firmware_upgrade().await.err(),
    ] {
        assert!(matches!(error, Some(Error::Uri { .. })), "{error:?}");
    }
}
