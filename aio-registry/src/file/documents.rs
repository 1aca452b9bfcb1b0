//! Documents read and written, without blocking the caller.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::manifest::{API_VERSION, Identity, Kind, Manifest, Metadata};
use super::stored::{self, Status, Stored};
use super::{FileRegistry, blocking, text};
use crate::Error;

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Overwrite {
    Yes,
    No,
}

impl FileRegistry {
    pub(super) async fn put<T: Serialize + Send + 'static>(
        &self,
        kind: Kind,
        name: &str,
        spec: T,
        overwrite: Overwrite,
    ) -> Result<(), Error> {
        let (shared, name) = (self.shared.clone(), name.to_owned());
        blocking(move || {
            let identity = (kind, name);
            let what = format!("{} {:?}", kind.as_str(), identity.1);
            let known = shared.snapshot.borrow().files.get(&identity).cloned();
            let file = match known {
                _ if overwrite == Overwrite::No
                    && (known.is_some() || shared.folder.exists(&own_file(&identity))) =>
                {
                    return Err(Error::AlreadyExists { what });
                }
                Some(file) if file != own_file(&identity) => {
                    return Err(Error::Invalid {
                        what,
                        reason: format!("it stands in {file}, which is edited by hand"),
                    });
                }
                _ => own_file(&identity),
            };
            let metadata = Metadata {
                name: identity.1,
                namespace: Some(shared.options.namespace.clone()),
            };
            let document = Manifest {
                api_version: API_VERSION.into(),
                kind: kind.as_str().into(),
                metadata,
                spec,
            };
            shared
                .folder
                .write(&file, stored::to_yaml(&document)?.as_bytes(), false)?;
            shared.reload()
        })
        .await
    }

    pub(super) async fn delete(&self, kind: Kind, name: &str) -> Result<(), Error> {
        let (shared, name) = (self.shared.clone(), name.to_owned());
        blocking(move || {
            let identity = (kind, name);
            if !shared.folder.remove(&own_file(&identity))? {
                return Err(Error::NotFound {
                    what: format!(
                        "{} {:?} in a file {}",
                        kind.as_str(),
                        identity.1,
                        own_file(&identity)
                    ),
                });
            }
            shared
                .folder
                .remove(&format!("status/{}/{}.yaml", kind.folder(), identity.1))?;
            shared.reload()
        })
        .await
    }

    pub(super) async fn update<S: Status + 'static>(
        &self,
        name: &str,
        change: impl FnOnce(&mut Stored<S>) + Send + 'static,
    ) -> Result<(), Error> {
        let (shared, name) = (self.shared.clone(), name.to_owned());
        blocking(move || shared.update(&name, change)).await
    }

    pub(super) async fn stored<S: Status + 'static>(&self, name: &str) -> Result<Option<S>, Error> {
        let stored = self.document::<S>(name).await?;
        Ok(stored.map(|stored| stored.status))
    }

    pub(super) async fn document<S: Status + 'static>(
        &self,
        name: &str,
    ) -> Result<Option<Stored<S>>, Error> {
        let (shared, name) = (self.shared.clone(), name.to_owned());
        blocking(move || {
            let path = format!("status/{}/{name}.yaml", S::KIND.folder());
            let text = shared.folder.read(&path)?;
            Ok(text.and_then(|text| Stored::parse(&text)))
        })
        .await
    }

    pub(super) async fn put_discovered<T: Serialize + Send + 'static>(
        &self,
        kind: Kind,
        name: &str,
        spec: T,
    ) -> Result<(), Error> {
        let (shared, name) = (self.shared.clone(), name.to_owned());
        blocking(move || {
            let path = format!("discovered/{}/{name}.yaml", kind.folder());
            let metadata = Metadata {
                name,
                namespace: Some(shared.options.namespace.clone()),
            };
            let kind = format!("Discovered{}", kind.as_str());
            let document = Manifest {
                api_version: API_VERSION.into(),
                kind,
                metadata,
                spec,
            };
            shared
                .folder
                .write(&path, stored::to_yaml(&document)?.as_bytes(), false)
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
            let path = format!("discovered/{}/{name}.yaml", kind.folder());
            let Some(text) = shared.folder.read(&path)? else {
                return Ok(None);
            };
            let document: Manifest<T> =
                text::read_yaml(&text).map_err(|reason| Error::Invalid {
                    what: format!("the file {path}"),
                    reason,
                })?;
            Ok(Some(document.spec))
        })
        .await
    }
}

/// The file that the registry itself writes a manifest to.
fn own_file((kind, name): &Identity) -> String {
    format!("{name}.{}.yaml", kind.folder())
}
