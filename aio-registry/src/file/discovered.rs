//! What connectors found, one document each, for an operator to import.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::manifest::{API_VERSION, Kind, Manifest, Metadata};
use super::{FileRegistry, blocking, stored, text};
use crate::registry::check_room;
use crate::{DiscoveryRef, Error};

/// A specification with what the registry says of it, as the resources of the Device Registry have it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    discovery_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(flatten)]
    spec: T,
}

impl FileRegistry {
    pub(super) async fn put_discovered<T>(
        &self,
        kind: Kind,
        name: &str,
        spec: T,
    ) -> Result<DiscoveryRef, Error>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let (shared, name) = (self.shared.clone(), name.to_owned());
        blocking(move || {
            let path = path(kind, &name);
            let _lock = shared.folder.lock()?;
            let text = shared.folder.read(&path)?;
            let known = match text.as_deref() {
                Some(text) => text::read_yaml::<Manifest<Found<T>>>(text).ok(),
                None => {
                    let known = shared.folder.list(&folder(kind)).len();
                    check_room(known, &name)?;
                    None
                }
            };
            let mut document = Manifest {
                api_version: API_VERSION.into(),
                kind: format!("Discovered{}", kind.as_str()),
                metadata: Metadata {
                    name,
                    namespace: Some(shared.options.namespace.clone()),
                },
                spec: Found {
                    discovery_id: None,
                    version: None,
                    spec,
                },
            };
            let mut write = |discovery: DiscoveryRef| {
                document.spec.discovery_id = Some(discovery.discovery_id.clone());
                document.spec.version = Some(discovery.version);
                Ok((stored::to_yaml(&document)?, discovery))
            };
            let (now, discovery) = match known {
                None => write(DiscoveryRef::first())?,
                Some(known) => {
                    let known = DiscoveryRef {
                        discovery_id: known
                            .spec
                            .discovery_id
                            .unwrap_or_else(|| Uuid::new_v4().to_string()),
                        version: known.spec.version.unwrap_or_default(),
                    };
                    let next = known.next();
                    let (same, known) = write(known)?;
                    if text.as_deref() == Some(&*same) {
                        return Ok(known);
                    }
                    write(next)?
                }
            };
            shared.folder.write(&path, now.as_bytes(), false)?;
            Ok(discovery)
        })
        .await
    }

    pub(super) async fn discovered<T: DeserializeOwned + Send + 'static>(
        &self,
        kind: Kind,
        name: &str,
    ) -> Result<Option<T>, Error> {
        let (shared, name) = (self.shared.clone(), name.to_owned());
        blocking(move || {
            let path = path(kind, &name);
            let Some(text) = shared.folder.read(&path)? else {
                return Ok(None);
            };
            let document: Manifest<Found<T>> =
                text::read_yaml(&text).map_err(|reason| Error::Invalid {
                    what: format!("the file {path}"),
                    reason,
                })?;
            Ok(Some(document.spec.spec))
        })
        .await
    }

    /// The names of what was discovered, in order.
    pub(super) async fn names_of_discovered(&self, kind: Kind) -> Result<Vec<String>, Error> {
        let shared = self.shared.clone();
        blocking(move || {
            let mut names = shared.folder.list(&folder(kind));
            names.sort();
            Ok(names)
        })
        .await
    }
}

fn folder(kind: Kind) -> String {
    format!("discovered/{}", kind.folder())
}

fn path(kind: Kind, name: &str) -> String {
    format!("{}/{name}.yaml", folder(kind))
}
