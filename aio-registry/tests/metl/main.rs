//! Runs the METL vectors of Azure IoT Operations (`METL_DIR`, by default those of the shared data) against the session,
//! the RPC protocol and telemetry of this crate, over a broker in memory and on a clock of their own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broker;
mod case;
mod caught;
mod classes;
mod reading;
mod telemetry;
mod unsupported;
mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde_json::Value;

use case::Case;

#[test]
fn every_vector_passes_and_every_sanity_check_fails() {
    let Some(folder) = folder() else {
        return;
    };
    let mut files = Vec::new();
    find(&folder, "yaml", &mut files);
    files.retain(|file| {
        std::fs::read_to_string(file)
            .unwrap()
            .contains("test-name:")
    });
    assert!(
        !files.is_empty(),
        "there are no cases in {}",
        folder.display()
    );
    let mut defaults = BTreeMap::new();
    let mut results = BTreeMap::<&str, Vec<String>>::new();
    for file in &files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let class = class(file);
        let defaults = defaults
            .entry((file.parent(), class))
            .or_insert_with(|| read_defaults(file, class, &folder));
        // A check of the runner itself: it has to find what is wrong, except in the canaries.
        let is_wrong = file
            .components()
            .any(|part| part.as_os_str() == "SanityCheck")
            && !name.ends_with("Canary");
        let (result, line) = match (run(file, defaults), is_wrong) {
            (Verdict::Passed, false) => ("passed", name.to_string()),
            (Verdict::Failed(why), true) => ("passed", format!("{name} (found: {why})")),
            (Verdict::Passed, true) => ("failed", format!("{name}: what is wrong is not found")),
            (Verdict::Failed(why), false) => ("failed", format!("{name}: {why}")),
            (Verdict::Unreadable(why), _) => {
                ("failed", format!("{name}: the case cannot be read: {why}"))
            }
            (Verdict::Unsupported(why), _) => ("unsupported", format!("{name}: {why}")),
        };
        results
            .entry(result)
            .or_default()
            .push(format!("{class}/{line}"));
    }
    for (result, names) in &results {
        for name in names {
            println!("{result}: {name}");
        }
    }
    let count = |result| results.get(result).map_or(0, Vec::len);
    println!(
        "METL: {} passed, {} failed, {} unsupported of {} cases in {}",
        count("passed"),
        count("failed"),
        count("unsupported"),
        files.len(),
        folder.display()
    );
    assert_eq!(count("failed"), 0, "{:#?}", results.get("failed"));
}

/// What a case tests.
fn class(file: &Path) -> &'static str {
    const CLASSES: [(&str, &str); 4] = [
        ("CommandExecutor", "executors:"),
        ("CommandInvoker", "invokers:"),
        ("TelemetryReceiver", "receivers:"),
        ("TelemetrySender", "senders:"),
    ];
    let named = |(class, _): &&(&str, &str)| folder_name(file) == Some(*class);
    // Cases from elsewhere need not be in a folder of that name.
    let text = std::fs::read_to_string(file).unwrap();
    let holding = |(_, list): &&(&str, &str)| text.contains(list);
    let found = CLASSES.iter().find(named);
    let found = found.or_else(|| CLASSES.iter().find(holding));
    found.map_or("unknown", |(class, _)| class)
}

enum Verdict {
    Passed,
    Failed(String),
    Unreadable(String),
    Unsupported(&'static str),
}

fn run(file: &Path, defaults: &Value) -> Verdict {
    let text = std::fs::read_to_string(file).unwrap();
    let case = match Case::read(&text, defaults) {
        Ok(case) => case,
        Err(error) => return Verdict::Unreadable(error),
    };
    if let Some(reason) = unsupported::reason(&case) {
        return Verdict::Unsupported(reason);
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(classes::run(case))
    }));
    match outcome {
        Ok(Ok(())) => Verdict::Passed,
        Ok(Err(why)) => Verdict::Failed(why),
        Err(_) => Verdict::Failed("it panicked".into()),
    }
}

const SHARED: &str = "../shared/data/aio/metl";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of the vectors; `None`, with the reason printed, where there is none.
fn folder() -> Option<PathBuf> {
    let given = std::env::var_os("METL_DIR");
    let folder = given.as_ref().map_or(Path::new(SHARED), Path::new);
    let folder = root().join(folder);
    if folder.is_dir() {
        return Some(folder);
    }
    let required =
        given.is_some() || std::env::var_os("REQUIRE_SHARED").is_some_and(|value| value == "1");
    assert!(!required, "there is no folder {}", folder.display());
    println!(
        "skipped: there is no folder {}; METL_DIR names one with the vectors of github.com/Azure/iot-operations-sdks, eng/test",
        folder.display()
    );
    None
}

/// The defaults beside a case, or those of the protocol's cases for the same class, here or in the shared data.
fn read_defaults(file: &Path, class: &str, folder: &Path) -> Value {
    let beside = file.with_file_name("defaults.toml");
    let mut candidates = Vec::new();
    for folder in [folder, &root().join(SHARED)] {
        if folder.is_dir() {
            find(folder, "toml", &mut candidates);
        }
    }
    let of_class = |candidate: &&PathBuf| {
        candidate.ends_with("defaults.toml") && folder_name(candidate) == Some(class)
    };
    let found = Some(&beside).filter(|beside| beside.is_file());
    let Some(found) = found.or_else(|| candidates.iter().find(of_class)) else {
        panic!(
            "there is no defaults.toml for {class} of {}",
            file.display()
        );
    };
    let text = std::fs::read_to_string(found).unwrap();
    toml::from_str(&text).unwrap()
}

fn folder_name(file: &Path) -> Option<&str> {
    file.parent()?.file_name()?.to_str()
}

fn find(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            find(&entry, extension, found);
        } else if entry.extension().is_some_and(|found| found == extension) {
            found.push(entry);
        }
    }
}
