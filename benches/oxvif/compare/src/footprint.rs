//! What a program costs to build: the programs `ours` and `theirs` of this workspace do the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use wait4::Wait4 as _;

struct Footprint {
    cpu_seconds: f64,
    crates: usize,
    bytes: u64,
}

/// Prints a table.
pub(crate) fn compare() -> anyhow::Result<()> {
    let ours = measure("ours")?;
    let theirs = measure("theirs")?;
    println!("| | onvif-core | oxvif 0.17 | ratio |\n|---|--:|--:|--:|");
    let row = |what: &str, a: f64, b: f64, unit: &str| {
        println!("| {what} | {a:.1}{unit} | {b:.1}{unit} | {:.2} |", a / b);
    };
    row(
        "CPU time of a cold release build",
        ours.cpu_seconds,
        theirs.cpu_seconds,
        " s",
    );
    row("crates", ours.crates as f64, theirs.crates as f64, "");
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    row(
        "stripped program",
        mebibytes(ours.bytes),
        mebibytes(theirs.bytes),
        " MiB",
    );
    Ok(())
}

fn measure(package: &str) -> anyhow::Result<Footprint> {
    eprintln!("building {package} from nothing");
    let target = tempfile::tempdir().context("no temporary folder")?;
    let mut child = cargo(&["build", "--release", "--quiet", "--package", package])
        .arg("--target-dir")
        .arg(target.path())
        .spawn()
        .context("cannot run cargo")?;
    let end = child.wait4().context("cannot wait for cargo")?;
    ensure!(end.status.success(), "{package} does not build");
    let used = end.rusage.utime + end.rusage.stime;
    Ok(Footprint {
        cpu_seconds: used.as_secs_f64(),
        crates: crates(package)?,
        bytes: fs::metadata(target.path().join("release").join(package))?.len(),
    })
}

/// All crates that are compiled for the program on this platform, without the program.
fn crates(package: &str) -> anyhow::Result<usize> {
    let tree = [
        "tree",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--no-dedupe",
        "--format",
        "{p}",
    ];
    let output = cargo(&tree)
        .args(["--package", package])
        .stdout(Stdio::piped())
        .output()?;
    ensure!(output.status.success(), "cargo tree fails for {package}");
    let text = String::from_utf8(output.stdout)?;
    let crates: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.split(" (").next())
        .collect();
    Ok(crates.len() - 1)
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    command
}
