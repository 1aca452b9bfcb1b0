//! docs/quirks.md names every switch of the virtual camera, and only switches and tests that exist.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A row of a table: the name of its switches, and of its tests.
struct Row {
    first: String,
    switches: Vec<String>,
    tests: Vec<String>,
    /// Whether the row says that there are none.
    without: (bool, bool),
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The rows of both tables. The columns are counted from the right: the first table has one more.
fn rows() -> Vec<Row> {
    let page = fs::read_to_string(root().join("docs/quirks.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let rows = rows.map(|line| line.trim_matches('|').split('|').map(str::trim));
    let rows = rows.map(Iterator::collect::<Vec<_>>);
    let rows = rows.filter(|cells| cells[cells.len() - 1] != "Tests");
    rows.map(|cells| {
        let [switches, _, tests] = cells[cells.len() - 3..] else {
            panic!("a row is short: {cells:?}");
        };
        Row {
            first: cells[0].to_owned(),
            switches: quoted(switches),
            tests: quoted(tests),
            without: (
                switches.is_empty() || switches == "not yet",
                tests == "not yet",
            ),
        }
    })
    .collect()
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<String> {
    let parts = cell.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

/// The fields of `Quirks`.
fn fields() -> BTreeSet<String> {
    let source = fs::read_to_string(root().join("virtual-camera/src/quirks.rs")).unwrap();
    let (_, fields) = source.split_once("pub struct Quirks {").unwrap();
    let (fields, _) = fields.split_once("\n}").unwrap();
    let fields = fields.lines().filter_map(|line| {
        let field = line.trim().strip_prefix("pub ")?;
        Some(field.split_once(':')?.0.to_owned())
    });
    fields.collect()
}

/// All functions that sources mark as tests.
fn test_functions() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let crates = ["onvif-core", "onvif-ptz", "media-pipeline"];
    let mut folders: Vec<PathBuf> = crates.iter().map(|name| root().join(name)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(path).unwrap();
                found.extend(tests_in(&source).map(str::to_owned));
            }
        }
    }
    found
}

/// The names of functions whose last attribute is `#[test]` or `#[tokio::test…]`.
fn tests_in(source: &str) -> impl Iterator<Item = &str> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let pairs = lines.windows(2).map(|pair| (pair[0], pair[1]));
    let pairs = pairs.collect::<Vec<_>>().into_iter();
    pairs.filter_map(|(before, line)| {
        if !["#[test]", "#[tokio::test"]
            .iter()
            .any(|mark| before.starts_with(mark))
        {
            return None;
        }
        let line = line.strip_prefix("async ").unwrap_or(line);
        Some(line.strip_prefix("fn ")?.split_once('(')?.0)
    })
}

#[test]
fn each_row_from_c01_to_c60_stands_once_in_order() {
    let rows = rows();
    let ids = rows.iter().map(|row| row.first.as_str());
    let ids: Vec<_> = ids.filter(|first| first.len() == 3).collect();
    let expected: Vec<_> = (1..=60).map(|number| format!("C{number:02}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn every_switch_is_named_and_every_named_switch_exists() {
    let named: BTreeSet<_> = rows().into_iter().flat_map(|row| row.switches).collect();
    assert_eq!(named, fields());
}

#[test]
fn every_named_test_exists() {
    let known = test_functions();
    let unknown = rows().into_iter().flat_map(|row| row.tests);
    let unknown: Vec<_> = unknown.filter(|test| !known.contains(test)).collect();
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn a_row_has_switches_and_tests_or_says_that_it_has_none() {
    for row in rows() {
        let (no_switches, no_tests) = row.without;
        assert_eq!(row.switches.is_empty(), no_switches, "{}", row.first);
        assert_eq!(row.tests.is_empty(), no_tests, "{}", row.first);
        // What can be switched on was tried.
        assert!(no_switches || !no_tests, "{}", row.first);
    }
}
