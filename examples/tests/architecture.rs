//! The arrows between the crates of this workspace are those of ARCHITECTURE.md's table, and no program hides another.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use cargo_metadata::{DependencyKind, MetadataCommand, Target};

/// What a row of the table allows: normal dependencies, and those of tests on top.
#[derive(Default)]
struct Allowed {
    normal: BTreeSet<String>,
    dev: BTreeSet<String>,
}

fn names_in(cell: &str) -> BTreeSet<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn table() -> BTreeMap<String, Allowed> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
            let name = names_in(cells[0]).pop_first().unwrap();
            let allowed = Allowed {
                normal: names_in(cells[1]),
                dev: names_in(cells[2]),
            };
            (name, allowed)
        })
        .collect()
}

#[test]
fn every_arrow_between_crates_is_in_the_architecture_table() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let table = table();
    let members: BTreeSet<String> = metadata
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    assert_eq!(
        members,
        table.keys().cloned().collect(),
        "each crate of the workspace has one row in ARCHITECTURE.md"
    );

    let mut missing = Vec::new();
    for package in &metadata.packages {
        let allowed = &table[package.name.as_str()];
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| members.contains(&dependency.name))
        {
            let listed = allowed.normal.contains(&dependency.name)
                || dependency.kind == DependencyKind::Development
                    && allowed.dev.contains(&dependency.name);
            if !listed {
                missing.push(format!(
                    "{} -> {} ({})",
                    package.name, dependency.name, dependency.kind
                ));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "arrows that ARCHITECTURE.md does not have: {missing:#?}"
    );
}

#[test]
fn no_two_programs_have_one_name() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let mut owners = BTreeMap::new();
    for package in &metadata.packages {
        let programs = |target: &&Target| target.is_bin() || target.is_example();
        for target in package.targets.iter().filter(programs) {
            // Their files share a folder of the target directory.
            let path = (target.is_example(), &target.name);
            let before = owners.insert(path, &package.name);
            assert_eq!(before, None, "{} of {}", target.name, package.name);
        }
    }
}

/// What compiles or looks for code in C.
const COMPILERS: [&str; 8] = [
    "autotools",
    "bindgen",
    "cc",
    "cmake",
    "meson",
    "nasm-rs",
    "pkg-config",
    "vcpkg",
];

/// What users build of the media side, with default features and without what tests need.
#[test]
fn only_tls_is_built_with_a_c_compiler() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    // Unlike `cargo metadata`, this does not mix in the features that other crates of the workspace ask for.
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "-p", "media-pipeline", "-p", "media-connector"])
        .args(["-e", "normal,build", "--prefix", "depth", "-f", " {p}"])
        .arg("--manifest-path")
        .arg(&root)
        .output()
        .unwrap();
    assert!(tree.status.success(), "{tree:?}");
    let text = String::from_utf8(tree.stdout).unwrap();
    let mut above: Vec<&str> = Vec::new();
    let (mut built, mut compiled) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines().filter(|line| !line.is_empty()) {
        let mut words = line.split(' ');
        let depth: usize = words.next().unwrap().parse().unwrap();
        let name = words.next().unwrap();
        above.truncate(depth);
        if COMPILERS.contains(&name) {
            compiled.extend(above.last().filter(|above| !COMPILERS.contains(above)));
        }
        built.insert(name);
        above.push(name);
    }
    for codec in ["rusty_h264", "rust_h264", "rust_h265", "rusty_jpeg"] {
        assert!(built.contains(codec), "{codec} is looked at");
    }
    let none_but_tls = |found: &BTreeSet<&str>| found.iter().all(|name| *name == "ring");
    assert!(none_but_tls(&compiled), "{compiled:?}");
    let metadata = MetadataCommand::new().manifest_path(root).exec().unwrap();
    let linking = metadata.packages.iter().filter(|p| p.links.is_some());
    let linking = linking.map(|package| package.name.as_str());
    // Some say so only that there is one of them.
    let linking = linking.filter(|name| !["rayon-core", "prettyplease"].contains(name));
    let linked: BTreeSet<&str> = linking.filter(|name| built.contains(name)).collect();
    assert!(none_but_tls(&linked), "{linked:?}");
}
