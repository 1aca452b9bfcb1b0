//! Where files may be written.

use std::io;
use std::path::{Component, Path, PathBuf};

use connector_sdk::model::Target;
use connector_sdk::{Error, Sink, StreamSpec};

/// Where files go that nobody says a place for: the contract's `/tmp/<namespace>/data/<asset>` is below it.
const USUAL: &str = "/tmp";

/// The folders below which an asset may have files written. Assets are written by people who need not be trusted with
/// all files of the host.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    roots: Vec<PathBuf>,
}

impl Default for Storage {
    fn default() -> Self {
        Self::below(PathBuf::from(USUAL))
    }
}

impl Storage {
    /// Below this folder alone.
    pub(crate) fn below(root: PathBuf) -> Self {
        Self { roots: vec![root] }
    }

    /// Permits another folder as well.
    pub(crate) fn permit(&mut self, root: PathBuf) {
        self.roots.push(root);
    }

    /// The folder for the files of a stream: what its Storage destination says, else the option `path`, else
    /// `<namespace>/data/<asset>`. It is there when this returns.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](connector_sdk::ErrorKind::Configuration) for one that is not below a root,
    /// [`ErrorKind::Unavailable`](connector_sdk::ErrorKind::Unavailable) where it cannot be made.
    pub(crate) async fn folder(
        &self,
        path: Option<&str>,
        stream: &StreamSpec,
        sink: &Sink,
    ) -> Result<PathBuf, Error> {
        let usual = format!("{}/data/{}", sink.namespace(), stream.asset);
        let (option, path) = match (destination(sink)?, path.filter(|path| !path.is_empty())) {
            (Some(path), _) => ("destinations[0].configuration.path", path),
            (None, Some(path)) => ("streamConfiguration.path", path),
            (None, None) => ("the asset's name", usual.as_str()),
        };
        let (root, folder) = self.place(Path::new(path)).ok_or_else(|| {
            let roots: Vec<_> = self
                .roots
                .iter()
                .map(|root| root.display().to_string())
                .collect();
            Error::configuration(format!(
                "{option}: {path:?} is not below {}",
                roots.join(" or ")
            ))
        })?;
        let (option, shown) = (option.to_owned(), path.to_owned());
        let made = tokio::task::spawn_blocking(move || make(&root, &folder).map(|()| folder));
        match made.await {
            Ok(Ok(folder)) => Ok(folder),
            Ok(Err(error)) => Err(Error::unavailable(format!(
                "{option}: the folder {shown:?} cannot be made"
            ))
            .because(error)),
            Err(error) => Err(Error::unavailable("the folder was not made").because(error)),
        }
    }

    /// The root and the folder that a path means; `None` for one that is not below a root.
    fn place(&self, path: &Path) -> Option<(PathBuf, PathBuf)> {
        let root = match path.is_absolute() {
            true => self.roots.iter().find(|root| path.starts_with(root))?,
            false => self.roots.first()?,
        };
        let below = path.strip_prefix(root).unwrap_or(path);
        let plain = below
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        plain.then(|| (root.clone(), root.join(below)))
    }
}

/// The only destination of a task that does not send to MQTT.
///
/// # Errors
/// [`ErrorKind::Configuration`](connector_sdk::ErrorKind::Configuration) where there are others.
pub(crate) fn destination(sink: &Sink) -> Result<Option<&str>, Error> {
    if let Some(index) = sink.targets().position(|target| *target == Target::Mqtt) {
        return Err(Error::configuration(format!(
            "destinations[{index}].target: this task does not send to Mqtt; Storage is its target"
        )));
    }
    match sink.storage() {
        [] => Ok(None),
        [path] => Ok(Some(path)),
        _ => Err(Error::configuration(
            "destinations: this task has one destination, not several",
        )),
    }
}

/// Makes a folder, unless links in it lead out of the root.
fn make(root: &Path, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(root)?;
    let real = root.canonicalize()?;
    let there = folder.ancestors().find(|part| part.exists());
    if !there.unwrap_or(root).canonicalize()?.starts_with(&real) {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "a link leads out of the folder for files",
        ));
    }
    std::fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_below_a_root_or_refused() {
        let mut storage = Storage::below("/data".into());
        storage.permit("/mnt/clips".into());
        for (path, folder) in [
            ("cam/front", Some("/data/cam/front")),
            ("/data/cam", Some("/data/cam")),
            ("/mnt/clips/a", Some("/mnt/clips/a")),
            ("/mnt/clips", Some("/mnt/clips")),
            ("/mnt/clipsx", None),
            ("/etc", None),
            ("../etc", None),
            ("a/../../etc", None),
            ("/data/../etc", None),
        ] {
            let placed = storage.place(Path::new(path)).map(|(_, folder)| folder);
            assert_eq!(placed, folder.map(PathBuf::from), "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_does_not_lead_out() {
        let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(other.path(), root.path().join("out")).unwrap();
        assert!(make(root.path(), &root.path().join("out/clips")).is_err());
        assert!(make(root.path(), &root.path().join("in/clips")).is_ok());
        assert!(!other.path().join("clips").exists());
    }
}
