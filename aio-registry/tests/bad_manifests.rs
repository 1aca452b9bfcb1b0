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

/// An asset whose reference is lines 6 and 7.
fn asset(name: &str, device: &str, endpoint: &str) -> String {
    format!(
        "{HEAD}kind: Asset\nmetadata: {{name: {name}}}\nspec:\n  deviceRef:\n    deviceName: {device}\n    endpointName: {endpoint}\n"
    )
}

/// A device whose address, on line 7, is a number.
fn typed_json() -> String {
    "{\n\"apiVersion\": \"namespaces.deviceregistry.microsoft.com/v1\",\n\"kind\": \"Device\",\n\"metadata\": {\"name\": \"json\"},\n\
     \"spec\": {\"endpoints\": {\"inbound\": {\"onvif\": {\n\"endpointType\": \"Microsoft.Onvif\",\n\"address\": 7}}}}}\n"
        .into()
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
    write("ghost.yaml", asset("of-ghost", "cam9", "onvif"));
    write("endpoint.yaml", asset("of-good", "good", "rtsp"));
    write(
        "kind.yaml",
        device("kind", "").replace("kind: Device", "kind: Camera"),
    );
    write("typed.json", typed_json());
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
    let login = "spec.endpoints.inbound.onvif.authentication.usernamePasswordCredentials";
    let [traversal, missing] =
        [12, 12].map(|line| format!("line {line}: {login}.passwordSecretName: "));
    for (file, code, place, reason) in [
        (
            "traversal.yaml",
            "ManifestInvalid",
            &*traversal,
            "../../etc/passwd",
        ),
        (
            "secret.yaml",
            "SecretNotFound",
            &missing,
            "secrets/a/password",
        ),
        (
            "typed.yaml",
            "ManifestInvalid",
            "line 8: spec.endpoints.inbound.onvif.version: ",
            "string",
        ),
        (
            "typed.json",
            "ManifestInvalid",
            "line 7: spec.endpoints.inbound.onvif.address: ",
            "string",
        ),
        (
            "unknown.yaml",
            "UnknownField",
            "line 8: spec.endpoints.inbound.onvif.adress: ",
            "no effect",
        ),
        (
            "twice-2.yaml",
            "DuplicateName",
            "line 3: metadata.name: ",
            "Device twice is in twice-1.yaml",
        ),
        (
            "named.yaml",
            "ManifestInvalid",
            "line 3: metadata.name: ",
            "no_such_name",
        ),
        ("kind.yaml", "ManifestInvalid", "line 2: kind: ", "Camera"),
        (
            "ghost.yaml",
            "DeviceNotFound",
            "line 6: spec.deviceRef.deviceName: ",
            "cam9",
        ),
        (
            "endpoint.yaml",
            "EndpointNotFound",
            "line 7: spec.deviceRef.endpointName: ",
            "rtsp",
        ),
        // What is no YAML has no fields.
        ("half.yaml", "ManifestUnreadable", "line 1: ", ""),
    ] {
        let told = told(&problems, file);
        let [(found, message)] = told[..] else {
            panic!("{file}: {told:?}");
        };
        assert_eq!(found, code, "{file}");
        assert!(message.starts_with(place), "{file}: {message}");
        assert!(message.contains(reason), "{file}: {message}");
        let status = folder.join(format!("status/manifest/{file}.yaml"));
        let status = std::fs::read_to_string(status).unwrap();
        for part in [file, code, place.trim_end()] {
            assert!(status.contains(part), "{part} is not in {status}");
        }
    }
    assert_eq!(problems.len(), 11);

    // What is served is not marked as wrong; what is not, is.
    assert_eq!(registry.device_status("unknown").await.unwrap(), None);
    let status = registry.device_status("traversal").await.unwrap().unwrap();
    let error = status.config.unwrap().error.unwrap();
    let message = error.message.unwrap();
    assert!(
        message.starts_with(&format!("traversal.yaml: {traversal}")),
        "{message}"
    );
    let status = registry.asset_status("of-ghost").await.unwrap().unwrap();
    let message = status.config.unwrap().error.unwrap().message.unwrap();
    assert!(
        message.starts_with("ghost.yaml: line 6: spec.deviceRef.deviceName: "),
        "{message}"
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
    let message = told[0].1;
    assert!(
        message.starts_with("line 3: metadata.name: one-more is left out"),
        "{message}"
    );
    let status = registry.device_status("one-more").await.unwrap().unwrap();
    let told = status.config.unwrap().error.unwrap().message.unwrap();
    assert_eq!(told, format!("more.yaml: {message}"));
}

#[tokio::test]
async fn the_line_is_that_of_the_field_and_not_of_a_text_like_it() {
    let folder = tempfile::tempdir().unwrap();
    // Both fields name the same secret, and a second device does, too.
    let text = format!(
        "{}---\n{}",
        device("cam1", &login("v1", "v1")),
        device("cam2", &login("v1", "x/y"))
    );
    std::fs::write(folder.path().join("a.yaml"), text).unwrap();
    let registry = open(folder.path()).await;
    let problems = registry.problems();
    let fields = told(&problems, "a.yaml");
    let places = fields.iter().map(|(_, message)| {
        let (place, _) = message.split_once(": the secret").unwrap();
        place.replace(
            "spec.endpoints.inbound.onvif.authentication.usernamePasswordCredentials.",
            "",
        )
    });
    let expected = [
        "line 11: usernameSecretName",
        "line 12: passwordSecretName",
        "line 26: usernameSecretName",
        "line 27: passwordSecretName",
    ];
    assert_eq!(places.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn what_is_twice_in_one_text_is_not_applied() {
    let folder = tempfile::tempdir().unwrap();
    let registry = open(folder.path()).await;
    let text = format!(
        "{}---\n{}",
        device("cam1", ""),
        device("cam1", "version: '2'")
    );
    let error = registry.apply("a.yaml", &text, false).await.unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("a.yaml") && message.contains("line 13: metadata.name: "),
        "{message}"
    );
    assert!(served(&registry).await.is_empty());
}
