//! Which endpoints and assets are a connector's own: a folder with a file `DEVICE_ENDPOINT` for each, that lists assets.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::warn;

use crate::file::blocking;
use crate::file::folder::{read_limited, storage};
use crate::model::{check_asset_name, check_device_name, check_endpoint_name};
use crate::{Contents, EndpointRef, Error, RegistryStore};

/// The largest list of assets.
const MAX_FILE: u64 = 1 << 20;
/// When to try again to write what could not be written.
const RETRY: Duration = Duration::from_secs(5);

/// The assets of each endpoint.
pub(super) type Allocation = BTreeMap<EndpointRef, BTreeSet<String>>;

/// Reads the folder. Blocks.
pub(super) fn read(folder: &Path) -> Result<Allocation, Error> {
    let entries = fs::read_dir(folder).map_err(|source| storage("read", folder, source))?;
    let mut allocation = Allocation::new();
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // Kubernetes keeps its own files there, and symbolic links to them.
        if name.starts_with("..") || !fs::metadata(entry.path()).is_ok_and(|file| file.is_file()) {
            continue;
        }
        let Some(endpoint) = endpoint(&name) else {
            warn!(name, "a file that names no endpoint is passed over");
            continue;
        };
        let list = match read_limited(&entry.path(), MAX_FILE) {
            Ok(list) => list,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(source) => return Err(storage("read", &entry.path(), source)),
        };
        let list = String::from_utf8_lossy(&list);
        let assets = list
            .lines()
            .map(str::trim)
            .filter(|asset| !asset.is_empty());
        let (good, bad): (BTreeSet<_>, BTreeSet<_>) = assets
            .map(str::to_owned)
            .partition(|asset| check_asset_name(asset).is_ok());
        if !bad.is_empty() {
            warn!(name, ?bad, "names that are none of assets are passed over");
        }
        allocation.insert(endpoint, good);
    }
    Ok(allocation)
}

/// No name of a device holds `_`; names of endpoints may.
fn endpoint(file: &str) -> Option<EndpointRef> {
    let (device, endpoint) = file.split_once('_')?;
    check_device_name(device).ok()?;
    check_endpoint_name(endpoint).ok()?;
    Some(EndpointRef::new(device, endpoint))
}

/// Tells connectors on this machine which endpoints are theirs, as the Akri operator does in a cluster: keeps a folder for
/// [`AdrOptions::allocations`](crate::AdrOptions) and for Microsoft's connectors (`ADR_RESOURCES_NAME_MOUNT_PATH`). Works until
/// it is dropped.
///
/// The folder is the writer's own: files for endpoints that are no longer there are removed.
#[derive(Debug)]
pub struct AllocationWriter {
    _stop: DropGuard,
}

impl AllocationWriter {
    /// Writes the folder, creating it where it is missing, and keeps it as the registry has the endpoints of these types.
    ///
    /// # Errors
    /// [`Error::Storage`] when the folder cannot be written now; later, that is logged and tried again.
    pub async fn start(
        folder: impl Into<PathBuf>,
        store: Arc<dyn RegistryStore>,
        endpoint_types: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, Error> {
        let folder = Arc::new(folder.into());
        let types: Arc<[String]> = endpoint_types.into_iter().map(Into::into).collect();
        let mut changes = store.contents();
        let mut contents = changes.next().await.ok_or(Error::Closed)?;
        write_blocking(&folder, &types, &contents).await?;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(stopped.run_until_cancelled_owned(async move {
            let mut written = true;
            loop {
                tokio::select! {
                    Some(now) = changes.next() => contents = now,
                    () = tokio::time::sleep(RETRY), if !written => {}
                }
                let result = write_blocking(&folder, &types, &contents).await;
                written = result.is_ok();
                if let Err(error) = result {
                    let error = &error as &dyn std::error::Error;
                    warn!(
                        error,
                        "cannot write which endpoints are allocated; it is tried again"
                    );
                }
            }
        }));
        Ok(Self {
            _stop: stop.drop_guard(),
        })
    }
}

async fn write_blocking(
    folder: &Arc<PathBuf>,
    types: &Arc<[String]>,
    contents: &Arc<Contents>,
) -> Result<(), Error> {
    let (folder, types, contents) = (folder.clone(), types.clone(), contents.clone());
    blocking(move || write(&folder, &of(&contents, &types))).await
}

/// What is allocated to the connector of some types of endpoints.
fn of(contents: &Contents, types: &[String]) -> Allocation {
    let mut allocation = Allocation::new();
    for (device_name, device) in &contents.devices {
        let inbound = device
            .endpoints
            .iter()
            .flat_map(|endpoints| &endpoints.inbound);
        for (name, spec) in inbound {
            if types
                .iter()
                .any(|kind| kind.eq_ignore_ascii_case(&spec.endpoint_type))
            {
                allocation.insert(EndpointRef::new(device_name, name), BTreeSet::new());
            }
        }
    }
    for (name, asset) in &contents.assets {
        let reference = &asset.device_ref;
        let endpoint = EndpointRef::new(&reference.device_name, &reference.endpoint_name);
        if let Some(assets) = allocation.get_mut(&endpoint) {
            assets.insert(name.clone());
        }
    }
    allocation
}

/// Writes what is not so already. A reader sees a list as it was or as it is. Blocks.
fn write(folder: &Path, allocation: &Allocation) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|source| storage("create", folder, source))?;
    for (endpoint, assets) in allocation {
        let path = folder.join(format!("{}_{}", endpoint.device, endpoint.endpoint));
        let list: String = assets.iter().map(|asset| format!("{asset}\n")).collect();
        if fs::read(&path).is_ok_and(|old| old == list.as_bytes()) {
            continue;
        }
        let temporary = folder.join(format!("..{}.tmp", std::process::id()));
        fs::write(&temporary, &list)
            .and_then(|()| fs::rename(&temporary, &path))
            .map_err(|source| storage("write", &path, source))?;
    }
    for entry in fs::read_dir(folder)
        .map_err(|source| storage("read", folder, source))?
        .flatten()
    {
        let name = entry.file_name();
        let gone = name
            .to_str()
            .and_then(endpoint)
            .is_some_and(|endpoint| !allocation.contains_key(&endpoint));
        if gone {
            fs::remove_file(entry.path())
                .map_err(|source| storage("remove", &entry.path(), source))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_a_device_and_an_endpoint_that_may_hold_underscores() {
        assert_eq!(
            endpoint("cam-1_onvif_0"),
            Some(EndpointRef::new("cam-1", "onvif_0"))
        );
        for bad in ["cam1", "_onvif", "cam1_", "..data", "c_x"] {
            assert_eq!(endpoint(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_written_is_read_and_what_is_gone_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("..data"), "not ours").unwrap();
        let both = Allocation::from([
            (
                EndpointRef::new("cam1", "onvif_0"),
                BTreeSet::from(["asset-a".to_owned(), "asset-b".to_owned()]),
            ),
            (EndpointRef::new("cam2", "media"), BTreeSet::new()),
        ]);
        write(folder.path(), &both).unwrap();
        assert_eq!(read(folder.path()).unwrap(), both);
        write(folder.path(), &Allocation::new()).unwrap();
        assert_eq!(read(folder.path()).unwrap(), Allocation::new());
        assert!(folder.path().join("..data").exists());
    }

    #[test]
    fn lines_that_name_no_asset_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("cam1_onvif"), "\r\nasset-a\r\n../x\n").unwrap();
        let read = read(folder.path()).unwrap();
        let assets = &read[&EndpointRef::new("cam1", "onvif")];
        assert_eq!(assets, &BTreeSet::from(["asset-a".to_owned()]));
    }
}
