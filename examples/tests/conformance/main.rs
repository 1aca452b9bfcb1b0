//! What ONVIF's client tests of Profile S and Profile T want to see, looked for in recorded traffic of the clients.
//! The matrix is `docs/conformance.md`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod device_calls;
mod driving;
mod event_calls;
mod judging;
mod matrix;
mod media2_calls;
mod media_calls;
mod ptz_calls;
mod recording;
mod rows;
mod scene_calls;
mod sequences;
mod tree;

use std::collections::BTreeSet;
use std::path::PathBuf;

use judging::{Log, Verdict, judge};
use matrix::{Row, ids};

#[tokio::test]
async fn every_test_of_the_profiles_passes_or_says_why_not_here() {
    let recording = driving::drive().await;
    let log = Log::new(&recording);
    let mut wrong = recording.trouble.clone();
    let mut rows = Vec::new();
    for id in ids() {
        let verdict = judge(id.id, &log);
        let line = format!("{} {} {} {verdict}", id.profile, id.id, id.level);
        println!("{line}");
        if matches!(verdict, Verdict::Failed(_) | Verdict::NotDetected) {
            wrong.push(line);
        }
        rows.push(Row { id, verdict });
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));

    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/conformance.md");
    let found = matrix::document(&rows);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        std::fs::write(&path, &found).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == found,
        "{} is not what was found; refresh it with `UPDATE_DOCS=1 cargo test -p examples --test conformance`",
        path.display()
    );
}

#[test]
fn the_table_has_exactly_the_ids_of_the_test_specifications() {
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference");
    let path = shared.join("onvif-conformance.md");
    let Ok(reference) = std::fs::read_to_string(&path) else {
        let required = std::env::var_os("REQUIRE_SHARED").is_some_and(|value| value == "1");
        assert!(!required, "{} is required here", path.display());
        eprintln!("skipped: {} is not here", path.display());
        return;
    };
    let mut profile = "";
    let mut specified = BTreeSet::new();
    for line in reference.lines() {
        if line.starts_with("## ") {
            profile = match line {
                _ if line.contains("Profile S client") => "S",
                _ if line.contains("Profile T client") => "T",
                _ => "",
            };
        }
        let first = line.split('|').nth(1).unwrap_or_default().trim();
        let is_id = first
            .rsplit_once('-')
            .is_some_and(|(_, number)| number.parse::<u8>().is_ok());
        if !profile.is_empty() && is_id {
            specified.insert((profile.to_owned(), first.to_owned()));
        }
    }
    assert_eq!(specified.len(), 98 + 126);
    let table = ids().map(|id| (id.profile.to_owned(), id.id.to_owned()));
    assert_eq!(table.collect::<BTreeSet<_>>(), specified);
}
