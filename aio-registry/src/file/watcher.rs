//! Keeps a snapshot of the folder up to date.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher, RandomState};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use notify::{EventKind, RecursiveMode, Watcher};
use serde::Serialize;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::folder::{Fingerprint, Folder, Text};
use super::manifest::{self, FileContent, Identity, Kind, Problem, UNREADABLE};
use super::snapshot::Snapshot;
use super::stored::{self, Status, Stored};
use super::versions::{self, Versions};
use super::{FileOptions, text};
use crate::model::{AssetStatus, DeviceStatus};
use crate::registry::SecretDigests;
use crate::{Error, Interest};

/// What the clones of a registry and its watcher share.
#[derive(Debug)]
pub(super) struct Shared {
    pub folder: Folder,
    pub options: FileOptions,
    pub snapshot: watch::Sender<Arc<Snapshot>>,
    /// With a random key: a digest of a password must be of no use to anyone.
    digest: RandomState,
    loaded: Mutex<Loaded>,
}

/// What is kept from one reading to the next.
#[derive(Debug, Default)]
struct Loaded {
    fingerprint: Fingerprint,
    /// Parsed files with a hash of their text: what did not change is not parsed again.
    files: BTreeMap<String, (u64, FileContent)>,
    /// Whose status says that the manifest is bad.
    marked: BTreeSet<Identity>,
    versions: Versions,
}

impl Shared {
    /// Opens the folder and reads it. Blocks.
    pub(super) fn open(folder: &Path, options: FileOptions) -> Result<Self, Error> {
        let folder = Folder::open(folder)?;
        let (snapshot, _) = watch::channel(Arc::default());
        let shared = Self {
            folder,
            options,
            snapshot,
            digest: RandomState::new(),
            loaded: Mutex::default(),
        };
        shared
            .loaded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .marked = shared.find_marked();
        shared.reload()?;
        Ok(shared)
    }

    /// Reads the folder and publishes what changed. Blocks.
    pub(super) fn reload(&self) -> Result<(), Error> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.fingerprint = self.folder.fingerprint()?;
        let texts = self.folder.read_manifests(self.options.max_file_bytes)?;
        loaded.files.retain(|file, _| texts.contains_key(file));
        for (file, text) in texts {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            let hash = hasher.finish();
            if loaded
                .files
                .get(&file)
                .is_none_or(|(known, _)| *known != hash)
            {
                let content = self.parse(&file, text, &loaded.files);
                loaded.files.insert(file, (hash, content));
            }
        }
        let before = self.snapshot.borrow().clone();
        let files = loaded
            .files
            .iter()
            .map(|(file, (_, content))| (file.clone(), content.clone()))
            .collect();
        let mut snapshot = Snapshot::of(&files, &before, self.options.max_manifests);
        self.stamp(&mut snapshot, &mut loaded.versions);
        let secrets = self.secrets_of(&snapshot);
        snapshot.set_secrets(secrets);
        self.tell_problems(&snapshot, &before, &mut loaded.marked);
        self.snapshot.send_replace(Arc::new(snapshot));
        Ok(())
    }

    fn stamp(&self, snapshot: &mut Snapshot, versions: &mut Versions) {
        let known = snapshot.identities();
        if !versions.are_of(&snapshot.digests, &known) {
            let now = SystemTime::now();
            if let Err(error) = self.renew_versions(versions, &snapshot.digests, &known, now) {
                let error = &error as &dyn std::error::Error;
                warn!(
                    error,
                    "versions and identifiers are not kept over a restart"
                );
                versions.follow(&snapshot.digests, &known, now);
            }
        }
        snapshot.stamp(versions);
    }

    /// Takes over what another process has stamped already.
    fn renew_versions(
        &self,
        versions: &mut Versions,
        read: &BTreeMap<Identity, String>,
        known: &BTreeSet<Identity>,
        now: SystemTime,
    ) -> Result<(), Error> {
        let _lock = self.folder.lock()?;
        if let Some(text) = self.folder.read(versions::PATH)? {
            match serde_json::from_str(&text) {
                Ok(stored) => *versions = stored,
                Err(error) => {
                    let path = versions::PATH;
                    warn!(path, %error, "the versions cannot be read; they are written anew");
                }
            }
        }
        versions.follow(read, known, now);
        let text = serde_json::to_vec_pretty(versions).map_err(|error| Error::Invalid {
            what: "the versions".into(),
            reason: error.to_string(),
        })?;
        self.folder.write(versions::PATH, &text, false)
    }

    fn parse(
        &self,
        file: &str,
        text: Text,
        known: &BTreeMap<String, (u64, FileContent)>,
    ) -> FileContent {
        let json = file.ends_with(".json");
        let message = match text {
            Ok(text) if text::is_blank(&text, json) && known.contains_key(file) => {
                "it is empty; what it held before stays in force until the file is removed"
                    .to_owned()
            }
            Ok(text) => return manifest::parse(&text, json, &self.options.namespace),
            Err(reason) => reason,
        };
        FileContent {
            problems: vec![Problem {
                identity: None,
                code: UNREADABLE,
                message,
            }],
            ..FileContent::default()
        }
    }

    fn secrets_of(&self, snapshot: &Snapshot) -> SecretDigests {
        SecretDigests::read(&snapshot.contents, &self.digest, |name| {
            self.folder.read_secret(name).ok()
        })
    }

    /// Whether the folder is not as it was read: a manifest, or a secret that one names.
    fn changed(&self) -> bool {
        let snapshot = self.snapshot.borrow().clone();
        if self.secrets_of(&snapshot) != snapshot.secrets {
            return true;
        }
        let known = &self
            .loaded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fingerprint;
        self.folder.fingerprint().is_ok_and(|now| now != *known)
    }

    /// Changes the status document of a device or an asset, alone on this machine to do so. One that would say nothing is
    /// not begun. Blocks.
    pub(super) fn update<S: Status>(
        &self,
        name: &str,
        change: impl FnOnce(&mut Stored<S>),
    ) -> Result<(), Error> {
        let path = format!("status/{}/{name}.yaml", S::KIND.folder());
        let _lock = self.folder.lock()?;
        let text = self.folder.read(&path)?;
        let stored = text.as_deref().and_then(Stored::parse);
        if text.is_some() && stored.is_none() {
            warn!(path, "the status file cannot be read; it is written anew");
        }
        let begun = || Stored::new(name, &self.options.namespace);
        let mut stored = stored.unwrap_or_else(begun);
        change(&mut stored);
        if text.is_none() && stored == begun() {
            return Ok(());
        }
        self.folder
            .write(&path, stored::to_yaml(&stored)?.as_bytes(), false)
    }

    fn find_marked(&self) -> BTreeSet<Identity> {
        let devices = self.marked_of::<DeviceStatus>();
        devices.chain(self.marked_of::<AssetStatus>()).collect()
    }

    fn marked_of<S: Status>(&self) -> impl Iterator<Item = Identity> {
        let stored = self.stored_of::<S>();
        stored.filter_map(|(name, mut stored)| stored.is_marked().then_some((S::KIND, name)))
    }

    /// Who is to be told of what. Blocks.
    pub(super) fn interests(&self) -> BTreeMap<Interest, String> {
        let devices = self.stored_of::<DeviceStatus>();
        let devices = devices.flat_map(|(name, stored)| stored.interests_in(name));
        let assets = self.stored_of::<AssetStatus>();
        let assets = assets.flat_map(|(name, stored)| stored.interests_in(name));
        devices.chain(assets).collect()
    }

    /// The status documents that can be read, by name.
    fn stored_of<S: Status>(&self) -> impl Iterator<Item = (String, Stored<S>)> {
        let folder = format!("status/{}", S::KIND.folder());
        let names = self.folder.list(&folder).into_iter();
        names.filter_map(move |name| {
            let text = self.folder.read(&format!("{folder}/{name}.yaml")).ok()??;
            Some((name, Stored::parse(&text)?))
        })
    }

    /// Writes what is wrong to the log, once, and to status files; and takes back what is no longer.
    fn tell_problems(
        &self,
        snapshot: &Snapshot,
        before: &Snapshot,
        marked: &mut BTreeSet<Identity>,
    ) {
        for (file, problems) in &snapshot.problems {
            let known = before.problems.get(file);
            for problem in problems
                .iter()
                .filter(|problem| known.is_none_or(|known| !known.contains(problem)))
            {
                warn!(
                    file,
                    code = problem.code,
                    "manifest refused: {}",
                    problem.message
                );
            }
        }
        for file in before
            .problems
            .keys()
            .filter(|file| !snapshot.problems.contains_key(*file))
        {
            info!(file, "manifest is good again, or gone");
        }
        if let Err(error) = self.write_problems(snapshot, marked) {
            warn!(
                error = &error as &dyn std::error::Error,
                "cannot write what is wrong with manifests to status files"
            );
        }
    }

    fn write_problems(
        &self,
        snapshot: &Snapshot,
        marked: &mut BTreeSet<Identity>,
    ) -> Result<(), Error> {
        for file in self.folder.list("status/manifest") {
            if !snapshot.problems.contains_key(&file) {
                self.folder
                    .remove(&format!("status/manifest/{file}.yaml"))?;
            }
        }
        for (file, problems) in &snapshot.problems {
            let problems = problems.iter().map(|problem| ProblemDocument {
                code: problem.code,
                message: &problem.message,
            });
            let document = FileDocument {
                file,
                problems: problems.collect(),
            };
            self.folder.write(
                &format!("status/manifest/{file}.yaml"),
                stored::to_yaml(&document)?.as_bytes(),
                false,
            )?;
        }
        let problems = snapshot.problems_by_identity();
        let known = snapshot.identities();
        for kind in [Kind::Device, Kind::Asset] {
            let folder = format!("status/{}", kind.folder());
            for name in self.folder.list(&folder) {
                let path = format!("{folder}/{name}.yaml");
                if !known.contains(&(kind, name)) {
                    // Of what is no longer there, the last report is not true.
                    self.folder.remove(&path)?;
                }
            }
        }
        for identity in marked
            .iter()
            .filter(|identity| !problems.contains_key(identity) && known.contains(identity))
        {
            self.mark(identity, None)?;
        }
        for (identity, (code, message)) in &problems {
            self.mark(identity, Some((code, message)))?;
        }
        *marked = problems.into_keys().collect();
        Ok(())
    }

    fn mark(&self, (kind, name): &Identity, problem: Option<(&str, &str)>) -> Result<(), Error> {
        match kind {
            Kind::Device => self.update::<DeviceStatus>(name, |stored| stored.mark(problem)),
            Kind::Asset => self.update::<AssetStatus>(name, |stored| stored.mark(problem)),
        }
    }
}

#[derive(Serialize)]
struct FileDocument<'a> {
    file: &'a str,
    problems: Vec<ProblemDocument<'a>>,
}

#[derive(Serialize)]
struct ProblemDocument<'a> {
    code: &'a str,
    message: &'a str,
}

/// Reads the folder again whenever it changed, until told to stop.
pub(super) fn spawn(shared: Arc<Shared>, stop: CancellationToken) {
    let changed = Arc::new(Notify::new());
    let watcher = watch_folder(shared.folder.root(), changed.clone());
    if let Err(error) = &watcher {
        info!(%error, "changes of the folder are not announced here; it is read every {:?}", shared.options.poll);
    }
    tokio::spawn(async move {
        let _watcher = watcher;
        stop.run_until_cancelled(follow(shared, changed)).await;
    });
}

/// Notes every change of a folder for as long as the watcher lives.
pub(crate) fn watch_folder(
    root: &Path,
    changed: Arc<Notify>,
) -> notify::Result<notify::RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading the folder is an event too.
        if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
            changed.notify_one();
        }
    })?;
    watcher.watch(root, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

async fn follow(shared: Arc<Shared>, changed: Arc<Notify>) {
    let debounce = shared.options.debounce;
    loop {
        let announced = timeout(shared.options.poll, changed.notified())
            .await
            .is_ok();
        if announced {
            // A folder that never gets quiet is read all the same.
            let latest = Instant::now() + debounce * 10;
            while timeout_at(latest.min(Instant::now() + debounce), changed.notified())
                .await
                .is_ok()
            {}
        }
        let shared = shared.clone();
        let read = super::blocking(move || {
            if announced || shared.changed() {
                shared.reload()
            } else {
                Ok(())
            }
        });
        if let Err(error) = read.await {
            warn!(
                error = &error as &dyn std::error::Error,
                "cannot read the folder; what it held before stays in force"
            );
        }
        debug!(announced, "looked at the folder");
    }
}
