//! A folder with manifests, and the registry in it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aio_registry::{Desired, FileOptions, FileRegistry};
use futures::StreamExt;
use futures::stream::BoxStream;

const HEAD: &str = "apiVersion: namespaces.deviceregistry.microsoft.com/v1\n";

pub fn device(name: &str) -> String {
    format!(
        "{HEAD}kind: Device\nmetadata: {{name: {name}}}\nspec:\n  endpoints:\n    inbound:\n      \
         onvif: {{endpointType: Microsoft.Onvif, address: 'http://10.0.0.5/onvif/device_service'}}\n      \
         media: {{endpointType: Microsoft.Media, address: 'rtsp://10.0.0.5/1'}}\n"
    )
}

pub fn asset(name: &str, device: &str) -> String {
    format!(
        "{HEAD}kind: Asset\nmetadata: {{name: {name}}}\nspec:\n  deviceRef: {{deviceName: {device}, endpointName: onvif}}\n  \
         displayName: {name}\n"
    )
}

pub fn write(folder: &Path, file: &str, text: &str) {
    std::fs::write(folder.join(file), text).unwrap();
}

pub fn read(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap()
}

pub async fn open(folder: &Path) -> FileRegistry {
    let options = FileOptions {
        debounce: Duration::from_millis(20),
        ..FileOptions::default()
    };
    FileRegistry::open(folder, options).await.unwrap()
}

pub async fn next(stream: &mut BoxStream<'static, Arc<Desired>>) -> Arc<Desired> {
    tokio::time::timeout(Duration::from_secs(10), stream.next())
        .await
        .expect("a change in time")
        .expect("a stream without end")
}

/// Waits for a state, of which a burst of changes may give several.
pub async fn until(
    stream: &mut BoxStream<'static, Arc<Desired>>,
    reached: impl Fn(&Desired) -> bool,
) -> Arc<Desired> {
    loop {
        let desired = next(stream).await;
        if reached(&desired) {
            return desired;
        }
    }
}

pub fn asset_names(desired: &Desired) -> Vec<&str> {
    desired
        .endpoints
        .iter()
        .flat_map(|endpoint| &endpoint.assets)
        .map(|asset| asset.name.as_str())
        .collect()
}
