//! Documents read and written, without blocking the caller.

use serde::Serialize;

use super::manifest::{API_VERSION, Identity, Kind, Manifest, Metadata};
use super::stored::{self, Status, Stored};
use super::{FileRegistry, blocking};
use crate::model::{AssetStatus, DeviceStatus, check_asset_name, check_device_name};
use crate::{Error, Interest};

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
        Ok(stored.and_then(|stored| stored.status))
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

    /// Changes whom a document says to tell.
    pub(super) async fn note_interest(
        &self,
        interest: &Interest,
        knows: Option<&str>,
    ) -> Result<(), Error> {
        let (noted, knows) = (interest.clone(), knows.map(str::to_owned));
        match &interest.asset {
            None => {
                let name = &interest.endpoint.device;
                check_device_name(name)?;
                self.update::<DeviceStatus>(name, move |stored| {
                    stored.note_interest(&noted, knows.as_deref())
                })
                .await
            }
            Some(name) => {
                check_asset_name(name)?;
                self.update::<AssetStatus>(name, move |stored| {
                    stored.note_interest(&noted, knows.as_deref())
                })
                .await
            }
        }
    }
}

/// The file that the registry itself writes a manifest to.
fn own_file((kind, name): &Identity) -> String {
    format!("{name}.{}.yaml", kind.folder())
}
