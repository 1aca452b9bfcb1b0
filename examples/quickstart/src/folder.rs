//! The folder this program writes to, made anew by each run.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Marks a folder as this program's own, so that the next run may clear it.
const MARK: &str = ".quickstart";

/// The output of one run.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Device and Asset manifests, what the connectors report, secrets.
    pub registry: PathBuf,
    /// The snapshots that were received.
    pub snapshots: PathBuf,
}

impl Folder {
    /// Makes the folder, and clears what an earlier run left. A folder of somebody else's is refused.
    pub fn create(folder: &Path) -> Result<Self> {
        let (registry, snapshots) = (folder.join("registry"), folder.join("snapshots"));
        if folder.join(MARK).exists() {
            for old in [&registry, &snapshots] {
                match std::fs::remove_dir_all(old) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(error)
                            .with_context(|| format!("cannot clear {}", old.display()));
                    }
                    _ => {}
                }
            }
        } else if registry.exists() || snapshots.exists() {
            bail!(
                "{} holds a registry or snapshots that this program did not make; choose another folder with --out",
                folder.display()
            );
        }
        for new in [&registry, &snapshots] {
            std::fs::create_dir_all(new)
                .with_context(|| format!("cannot create {}", new.display()))?;
        }
        std::fs::write(
            folder.join(MARK),
            "made by quickstart; cleared by its next run\n",
        )
        .with_context(|| format!("cannot write to {}", folder.display()))?;
        Ok(Self {
            registry,
            snapshots,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_clears_what_the_first_one_left() {
        let folder = tempfile::tempdir().unwrap();
        let first = Folder::create(folder.path()).unwrap();
        std::fs::write(first.snapshots.join("1.jpg"), "x").unwrap();
        let second = Folder::create(folder.path()).unwrap();
        assert_eq!(std::fs::read_dir(second.snapshots).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_of_somebody_elses_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("snapshots")).unwrap();
        std::fs::write(folder.path().join("snapshots/mine.jpg"), "x").unwrap();
        assert!(Folder::create(folder.path()).is_err());
        assert!(folder.path().join("snapshots/mine.jpg").exists());
    }
}
