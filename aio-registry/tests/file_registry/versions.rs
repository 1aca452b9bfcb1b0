//! Identifiers and versions, which outlive the process.

use aio_registry::{FileRegistry, RegistryStore};
use futures::StreamExt;

use crate::folder::{device, open, write};

async fn stamp(registry: &FileRegistry, name: &str) -> (String, u64) {
    let contents = registry.contents().next().await.unwrap();
    let device = &contents.devices[name];
    (device.uuid.clone().unwrap(), device.version.unwrap())
}

#[tokio::test]
async fn identifiers_and_versions_are_the_same_after_a_restart_and_in_two_processes() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.yaml", &device("cam1"));
    let first = open(folder.path()).await;
    let (uuid, version) = stamp(&first, "cam1").await;
    assert_eq!(version, 1);
    let second = open(folder.path()).await;
    assert_eq!(stamp(&second, "cam1").await, (uuid.clone(), 1));
    drop((first, second));

    // Changed while nobody looked.
    let changed = format!("{}  model: Dome\n", device("cam1"));
    write(folder.path(), "a.yaml", &changed);
    let third = open(folder.path()).await;
    assert_eq!(stamp(&third, "cam1").await, (uuid.clone(), 2));
    drop(third);
    let fourth = open(folder.path()).await;
    assert_eq!(stamp(&fourth, "cam1").await, (uuid, 2));
}

#[tokio::test]
async fn what_a_manifest_says_of_itself_holds() {
    let folder = tempfile::tempdir().unwrap();
    let given = format!("{}  uuid: mine\n  version: 7\n", device("cam1"));
    write(folder.path(), "a.yaml", &given);
    let registry = open(folder.path()).await;
    assert_eq!(stamp(&registry, "cam1").await, ("mine".to_owned(), 7));
}
