//! `registry`: the devices and assets that connectors serve, in a folder; and the folder on a broker.

mod serve;
mod show;

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::io::Read;
use std::path::{Path, PathBuf};

use aio_registry::model::{Asset, Authentication, Device};
use aio_registry::{Change, FileOptions, FileRegistry};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::output::{Output, table};

/// A file of manifests larger than this is not read.
const MAX_FILE: u64 = 64 << 20;

#[derive(Args)]
pub struct RegistryArgs {
    /// The folder with the manifests.
    #[arg(long, global = true, default_value = "registry", value_name = "DIR")]
    folder: PathBuf,

    /// The namespace of the manifests.
    #[arg(long, global = true, default_value = "azure-iot-operations")]
    namespace: String,

    #[command(subcommand)]
    verb: RegistryVerb,
}

#[derive(Subcommand)]
enum RegistryVerb {
    /// List devices, or show one.
    Devices {
        /// Show this device.
        name: Option<String>,
    },
    /// List assets, or show one.
    Assets {
        /// Show this asset.
        name: Option<String>,
        /// Only those of this device.
        #[arg(long, value_name = "NAME")]
        device: Option<String>,
    },
    /// List what connectors have discovered.
    Discovered,
    /// Make a discovered device or asset a real one. What exists is never overwritten.
    Import(ImportArgs),
    /// Write devices and assets from manifests: those of a file all, or none.
    Apply {
        /// A file, a folder of *.yaml, *.yml and *.json files, or `-` for standard input.
        #[arg(short, long = "file", required = true, value_name = "FILE")]
        file: Vec<PathBuf>,
        #[command(flatten)]
        dry_run: DryRun,
    },
    /// Delete a device or an asset, with its status.
    Delete {
        kind: Kind,
        #[arg(required = true)]
        name: Vec<String>,
        #[command(flatten)]
        dry_run: DryRun,
    },
    /// What became of devices and assets, how they are, and what is wrong with manifests.
    Status {
        /// Only of the device or asset of this name.
        name: Option<String>,
    },
    /// Serve the folder over MQTT, as the Azure Device Registry does, until Ctrl-C.
    Serve(serve::ServeArgs),
}

#[derive(Args)]
struct DryRun {
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args)]
struct ImportArgs {
    kind: Kind,
    /// The name of the discovered device or asset.
    name: String,
    /// The secret with the user name, such as `cam1/username`, for all endpoints of the device.
    #[arg(long, requires = "pass_ref", value_name = "SECRET")]
    user_ref: Option<String>,
    /// The secret with the password, such as `cam1/password`.
    #[arg(long, requires = "user_ref", value_name = "SECRET")]
    pass_ref: Option<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Kind {
    Device,
    Asset,
}

pub async fn run(args: &RegistryArgs, output: Output) -> Result<()> {
    let registry = || open(args);
    match &args.verb {
        RegistryVerb::Devices { name: None } => show::devices(&registry().await?, output).await,
        RegistryVerb::Devices { name: Some(name) } => {
            show::device(&registry().await?, name, output).await
        }
        RegistryVerb::Assets {
            name: Some(name), ..
        } => show::asset(&registry().await?, name, output).await,
        RegistryVerb::Assets { device, .. } => {
            show::assets(&registry().await?, device.as_deref(), output).await
        }
        RegistryVerb::Discovered => show::discovered(&registry().await?, output).await,
        RegistryVerb::Status { name } => {
            show::status(&registry().await?, name.as_deref(), output).await
        }
        RegistryVerb::Import(import) => import_one(&registry().await?, import, output).await,
        RegistryVerb::Apply { file, dry_run } => {
            apply(&registry().await?, file, dry_run.dry_run, output).await
        }
        RegistryVerb::Delete {
            kind,
            name,
            dry_run,
        } => delete(&registry().await?, *kind, name, dry_run.dry_run, output).await,
        RegistryVerb::Serve(serve) => serve::run(serve, registry().await?, &args.folder).await,
    }
}

async fn open(args: &RegistryArgs) -> Result<FileRegistry> {
    if !args.folder.is_dir() {
        let writes = matches!(
            &args.verb,
            RegistryVerb::Apply { dry_run, .. } if !dry_run.dry_run
        );
        if !writes && !matches!(args.verb, RegistryVerb::Serve(_)) {
            bail!(
                "there is no folder {}; name one with --folder, or begin one with apply",
                args.folder.display()
            );
        }
    }
    let options = FileOptions {
        namespace: args.namespace.clone(),
        ..FileOptions::default()
    };
    Ok(FileRegistry::open(&args.folder, options).await?)
}

/// What was done, or would be.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    dry_run: bool,
    changes: Vec<Deed>,
}

#[derive(Serialize)]
struct Deed {
    kind: &'static str,
    name: String,
    change: &'static str,
}

impl Display for Done {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rows = self.changes.iter().map(|deed| {
            let change = match self.dry_run {
                true => format!("{} (dry run)", deed.change),
                false => deed.change.to_owned(),
            };
            vec![deed.kind.to_lowercase(), deed.name.clone(), change]
        });
        f.write_str(&table(&rows.collect::<Vec<_>>()))
    }
}

async fn apply(
    registry: &FileRegistry,
    files: &[PathBuf],
    dry_run: bool,
    output: Output,
) -> Result<()> {
    let mut texts = BTreeMap::new();
    for file in files {
        read(file, &mut texts)?;
    }
    // What is wrong anywhere is said before anything is written.
    for (name, text) in &texts {
        registry.apply(name, text, true).await?;
    }
    let mut changes = Vec::new();
    for (name, text) in &texts {
        let applied = registry.apply(name, text, dry_run).await?;
        changes.extend(applied.into_iter().map(|applied| Deed {
            kind: applied.kind,
            name: applied.name,
            change: match applied.change {
                Change::Created => "created",
                Change::Changed => "changed",
                Change::Unchanged => "unchanged",
            },
        }));
    }
    output.print(&Done { dry_run, changes })
}

fn read(file: &Path, texts: &mut BTreeMap<String, String>) -> Result<()> {
    let shown = file.display().to_string();
    if file == Path::new("-") {
        let text = limited(std::io::stdin().lock()).context("cannot read standard input")?;
        texts.insert("standard input".into(), text);
        return Ok(());
    }
    if file.is_dir() {
        for entry in file
            .read_dir()
            .with_context(|| format!("cannot read {shown}"))?
        {
            let path = entry?.path();
            let manifest = path
                .extension()
                .is_some_and(|kind| kind == "yaml" || kind == "yml" || kind == "json");
            if manifest && path.is_file() {
                read(&path, texts)?;
            }
        }
        return Ok(());
    }
    let text = std::fs::File::open(file).and_then(limited);
    texts.insert(
        shown.clone(),
        text.with_context(|| format!("cannot read {shown}"))?,
    );
    Ok(())
}

fn limited(from: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    from.take(MAX_FILE).read_to_string(&mut text)?;
    Ok(text)
}

async fn delete(
    registry: &FileRegistry,
    kind: Kind,
    names: &[String],
    dry_run: bool,
    output: Output,
) -> Result<()> {
    let contents = show::contents(registry).await?;
    let mut changes = Vec::new();
    for name in names {
        let (kind, known) = match kind {
            Kind::Device => ("Device", contents.devices.contains_key(name)),
            Kind::Asset => ("Asset", contents.assets.contains_key(name)),
        };
        if !known {
            bail!("there is no {} {name:?}", kind.to_lowercase());
        }
        changes.push(Deed {
            kind,
            name: name.clone(),
            change: "deleted",
        });
    }
    for name in names.iter().filter(|_| !dry_run) {
        match kind {
            Kind::Device => registry.delete_device(name).await?,
            Kind::Asset => registry.delete_asset(name).await?,
        }
    }
    output.print(&Done { dry_run, changes })
}

async fn import_one(registry: &FileRegistry, args: &ImportArgs, output: Output) -> Result<()> {
    let (name, dry_run) = (&args.name, args.dry_run.dry_run);
    let secrets = args.user_ref.as_ref().zip(args.pass_ref.as_ref());
    if secrets.is_some() && args.kind == Kind::Asset {
        bail!("an asset has no secrets; import its device with --user-ref and --pass-ref");
    }
    let edit = |device: &mut Device| {
        let Some((user, password)) = secrets else {
            return;
        };
        let endpoints = device.endpoints.iter_mut();
        for endpoint in endpoints.flat_map(|endpoints| endpoints.inbound.values_mut()) {
            endpoint.authentication = Some(Authentication::username_password(user, password));
        }
    };
    let kind = match (args.kind, dry_run) {
        (Kind::Device, false) => registry.import_device(name, edit).await.map(|_| "Device")?,
        (Kind::Asset, false) => registry
            .import_asset(name, |_: &mut Asset| {})
            .await
            .map(|_| "Asset")?,
        (Kind::Device, true) => {
            let exists = show::contents(registry).await?.devices.contains_key(name);
            let found = registry.discovered_device(name).await?.is_some();
            importable("Device", name, found, exists)?
        }
        (Kind::Asset, true) => {
            let exists = show::contents(registry).await?.assets.contains_key(name);
            let found = registry.discovered_asset(name).await?.is_some();
            importable("Asset", name, found, exists)?
        }
    };
    let change = Deed {
        kind,
        name: name.clone(),
        change: "created",
    };
    output.print(&Done {
        dry_run,
        changes: vec![change],
    })
}

fn importable(kind: &'static str, name: &str, found: bool, exists: bool) -> Result<&'static str> {
    let word = kind.to_lowercase();
    match (found, exists) {
        (false, _) => bail!("there is no discovered {word} {name:?}"),
        (true, true) => bail!("{word} {name:?} exists already"),
        (true, false) => Ok(kind),
    }
}
