//! Manifests that are wrong: each is told with file, line and field, and the rest is served.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use aio_registry::{FileOptions, FileRegistry, ManifestProblem, Registry, Secret};
use futures::StreamExt;

const HEAD: &str = "apiVersion: namespaces.deviceregistry.microsoft.com/v1\n";

/// A device; `more` is lines of its endpoint `onvif`, and the first of them is line 8.
fn device(name: &str, more: &str) -> String {
    let more: String = more
        .lines()
        .map(|line| format!("        {line}\n"))
        .collect();
    format!(
        "{HEAD}kind: Device\nmetadata: {{name: {name}}}\nspec:\n  endpoints:\n    inbound:\n      onvif:\n{more}\
         \x20       endpointType: Microsoft.Onvif\n        address: http://10.0.0.5/onvif/device_service\n"
    )
}

fn login(user: &str, password: &str) -> String {
    format!(
        "authentication:\n  method: UsernamePassword\n  usernamePasswordCredentials:\n    usernameSecretName: {user}\n    passwordSecretName: {password}"
    )
}

async fn open(folder: &Path) -> FileRegistry {
    let options = FileOptions {
        debounce: Duration::from_millis(5),
        poll: Duration::from_millis(50),
        ..FileOptions::default()
    };
    FileRegistry::open(folder, options).await.unwrap()
}

async fn served(registry: &FileRegistry) -> Vec<String> {
    let desired = registry.watch("Microsoft.Onvif").next().await.unwrap();
    let endpoints = desired.endpoints.iter();
    endpoints
        .map(|found| found.endpoint.device.clone())
        .collect()
}

fn told<'a>(problems: &'a [ManifestProblem], file: &str) -> Vec<(&'a str, &'a str)> {
    let of_file = problems.iter().filter(|problem| problem.file == file);
    of_file
        .map(|problem| (problem.code, problem.message.as_str()))
        .collect()
}

#[tokio::test]
async fn each_is_told_and_the_rest_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let write = |file: &str, text: String| std::fs::write(folder.join(file), text).unwrap();
    write("good.yaml", device("good", ""));
    write(
        "traversal.yaml",
        device("traversal", &login("a/username", "../../etc/passwd")),
    );
    write("typed.yaml", device("typed", "version: [1]"));
    write(
        "unknown.yaml",
        device("unknown", "adress: typo\nversion: '1'"),
    );
    write(
        "secret.yaml",
        device("secret", &login("a/username", "a/password")),
    );
    write("twice-1.yaml", device("twice", ""));
    write("twice-2.yaml", device("twice", "version: '2'"));
    write("named.yaml", device("no_such_name", ""));
    write("half.yaml", "apiVersion: {".into());
    let registry = open(folder).await;
    registry
        .put_secret("a/username", &Secret::from("admin"))
        .await
        .unwrap();

    assert_eq!(
        served(&registry).await,
        ["good", "secret", "twice", "unknown"]
    );
    let secrets = async || {
        let problems = registry.problems();
        told(&problems, "secret.yaml").len()
    };
    // The secret that came after the registry was opened is noticed.
    while secrets().await != 1 {
        tokio::task::yield_now().await;
    }
    let problems = registry.problems();
    for (file, code, parts) in [
        (
            "traversal.yaml",
            "ManifestInvalid",
            [
                "line 12",
                "spec.endpoints.inbound.onvif.authentication",
                "../../etc/passwd",
            ],
        ),
        (
            "typed.yaml",
            "ManifestInvalid",
            ["line 8", "spec.endpoints.inbound.onvif.version", "string"],
        ),
        (
            "unknown.yaml",
            "UnknownField",
            ["line 8", "spec.endpoints.inbound.onvif.adress", "no effect"],
        ),
        (
            "secret.yaml",
            "SecretNotFound",
            [
                "spec.endpoints.inbound.onvif.authentication",
                "line 12",
                "secrets/a/password",
            ],
        ),
        (
            "twice-2.yaml",
            "DuplicateName",
            ["line 1", "metadata.name", "Device twice is in twice-1.yaml"],
        ),
        (
            "named.yaml",
            "ManifestInvalid",
            ["line 1", "metadata.name", "no_such_name"],
        ),
        ("half.yaml", "ManifestUnreadable", ["line", "1", ""]),
    ] {
        let told = told(&problems, file);
        let [(found, message)] = told[..] else {
            panic!("{file}: {told:?}");
        };
        assert_eq!(found, code, "{file}");
        for part in parts {
            assert!(message.contains(part), "{file}: {message}");
        }
        let status = folder.join(format!("status/manifest/{file}.yaml"));
        assert!(std::fs::read_to_string(status).unwrap().contains(code));
    }
    assert_eq!(problems.len(), 7);

    // What is served is not marked as wrong; what is not, is.
    assert_eq!(registry.device_status("unknown").await.unwrap(), None);
    let status = registry.device_status("traversal").await.unwrap().unwrap();
    let error = status.config.unwrap().error.unwrap();
    assert!(
        error
            .message
            .unwrap()
            .starts_with("traversal.yaml: line 12")
    );
}

#[tokio::test]
async fn ten_thousand_manifests_are_served_and_one_more_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for file in 0..100 {
        let devices = (0..100).map(|index| device(&format!("cam-{file:02}-{index:02}"), ""));
        let text = devices.collect::<Vec<_>>().join("---\n");
        std::fs::write(folder.path().join(format!("{file:02}.yaml")), text).unwrap();
    }
    std::fs::write(folder.path().join("more.yaml"), device("one-more", "")).unwrap();
    let registry = open(folder.path()).await;
    assert_eq!(served(&registry).await.len(), 10_000);
    let problems = registry.problems();
    let told = told(&problems, "more.yaml");
    assert_eq!((problems.len(), told[0].0), (1, "TooManyManifests"));
}
