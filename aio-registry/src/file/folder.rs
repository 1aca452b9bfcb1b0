//! Reading and writing below one folder. Everything here blocks.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use crate::{Error, Secret};

/// The largest secret, status or discovered document.
const MAX_DOCUMENT: u64 = 4 << 20;
const MAX_SECRET: u64 = 64 << 10;

#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
}

/// The text of a manifest file, or why there is none.
pub(super) type Text = Result<String, String>;

/// Name, time and size of every manifest file: what changes when one of them does.
pub(super) type Fingerprint = Vec<(String, Option<SystemTime>, u64)>;

impl Folder {
    pub(crate) fn open(root: &Path) -> Result<Self, Error> {
        fs::create_dir_all(root).map_err(|source| storage("create", root, source))?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn fingerprint(&self) -> Result<Fingerprint, Error> {
        let mut files = Vec::new();
        for entry in
            fs::read_dir(&self.root).map_err(|source| storage("read", &self.root, source))?
        {
            let Ok(entry) = entry else { continue };
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            // Kubernetes mounts and editors leave hidden files beside the real ones.
            let manifest = [".yaml", ".yml", ".json"]
                .iter()
                .any(|extension| name.ends_with(extension))
                && !name.starts_with('.');
            if !manifest {
                continue;
            }
            // Follows a symbolic link, as Kubernetes mounts are made of them.
            match fs::metadata(entry.path()) {
                Ok(metadata) if metadata.is_file() => {
                    files.push((name, metadata.modified().ok(), metadata.len()))
                }
                _ => {}
            }
        }
        files.sort();
        Ok(files)
    }

    pub(super) fn read_manifests(&self, max_bytes: u64) -> Result<BTreeMap<String, Text>, Error> {
        let mut texts = BTreeMap::new();
        for (name, _, _) in self.fingerprint()? {
            let text = match read_limited(&self.root.join(&name), max_bytes) {
                Ok(bytes) => String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned()),
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => Err(error.to_string()),
            };
            texts.insert(name, text);
        }
        Ok(texts)
    }

    /// The document at a path below the folder, or `None` when there is none.
    pub(crate) fn read(&self, path: &str) -> Result<Option<String>, Error> {
        let path = self.root.join(path);
        match read_limited(&path, MAX_DOCUMENT) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(storage("read", &path, error)),
        }
    }

    /// Writes a document so that a reader sees the old or the new one, never a part. One that is the same is left alone.
    pub(crate) fn write(&self, path: &str, content: &[u8], private: bool) -> Result<(), Error> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);

        let path = self.root.join(path);
        if read_limited(&path, MAX_DOCUMENT).is_ok_and(|old| old == content) {
            return Ok(());
        }
        let parent = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent).map_err(|source| storage("create", parent, source))?;
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let temporary = parent.join(format!(".{}-{number}.tmp", std::process::id()));
        let written = create(&temporary, private)
            .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_data()))
            .and_then(|()| fs::rename(&temporary, &path));
        written.map_err(|source| {
            // The file that could not be written is of no use to anyone.
            let _ = fs::remove_file(&temporary);
            storage("write", &path, source)
        })
    }

    /// Removes a document; says whether there was one.
    pub(super) fn remove(&self, path: &str) -> Result<bool, Error> {
        let path = self.root.join(path);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(storage("remove", &path, error)),
        }
    }

    pub(super) fn exists(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    /// The names of the documents in a folder below this one, without `.yaml`.
    pub(crate) fn list(&self, path: &str) -> Vec<String> {
        let entries = fs::read_dir(self.root.join(path))
            .into_iter()
            .flatten()
            .flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names
            .filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned))
            .filter(|name| !name.starts_with('.'))
            .collect()
    }

    /// The names of the folders in this one.
    pub(crate) fn folders(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }

    /// Keeps other threads and other processes from changing statuses until the returned file is dropped.
    pub(super) fn lock(&self) -> Result<File, Error> {
        let folder = self.root.join("status");
        fs::create_dir_all(&folder).map_err(|source| storage("create", &folder, source))?;
        let path = folder.join(".lock");
        let file = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|source| storage("open", &path, source))?;
        file.lock()
            .map_err(|source| storage("lock", &path, source))?;
        Ok(file)
    }

    pub(super) fn read_secret(&self, name: &str) -> Result<Secret, Error> {
        read_secret(&self.root.join("secrets"), name)
    }

    pub(super) fn write_secret(&self, name: &str, secret: &Secret) -> Result<(), Error> {
        self.write(
            &format!("secrets/{}", check_secret_name(name)?),
            secret.as_bytes(),
            true,
        )
    }
}

/// The secret of that name below a folder. Blocks.
pub(crate) fn read_secret(folder: &Path, name: &str) -> Result<Secret, Error> {
    let path = folder.join(check_secret_name(name)?);
    match read_limited(&path, MAX_SECRET) {
        Ok(bytes) => Ok(Secret::new(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::NotFound {
            what: format!("secret {name:?} (a file {})", path.display()),
        }),
        Err(error) => Err(storage("read", &path, error)),
    }
}

/// A secret's name is a relative path without `.` and `..`.
pub(crate) fn check_secret_name(name: &str) -> Result<&str, Error> {
    let plain = |part: &str| {
        !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0', ':'])
    };
    if name.len() > 512 || !name.split('/').all(plain) {
        let shown: String = name.chars().take(80).collect();
        return Err(Error::Invalid {
            what: format!("secret name {shown:?}"),
            reason: "it is a relative path such as cam1/password, without . and ..".into(),
        });
    }
    Ok(name)
}

fn create(path: &Path, private: bool) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = private;
    options.open(path)
}

pub(crate) fn read_limited(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    file.take(max_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("it has more than {max_bytes} bytes"),
        ));
    }
    Ok(bytes)
}

pub(crate) fn storage(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Storage {
        action,
        path: path.to_owned(),
        source,
    }
}
