//! What is in the registry.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use aio_registry::model::{
    Asset, AssetStatus, ConfigError, Device, DeviceStatus, HealthStatus, RuntimeHealth,
};
use aio_registry::{Contents, FileRegistry, RegistryStore};
use anyhow::{Context, Result};
use futures::StreamExt;
use serde::Serialize;

use crate::output::{Output, Plain, table};

/// Everything there is now.
pub async fn contents(registry: &FileRegistry) -> Result<Arc<Contents>> {
    let contents = registry.contents().next().await;
    contents.context("the registry is closed")
}

/// Rows under a heading; as JSON the list of what they are made of.
#[derive(Serialize)]
#[serde(transparent)]
struct Listing<T> {
    rows: Vec<T>,
    #[serde(skip)]
    heading: &'static [&'static str],
}

/// What a row shows.
trait Cells {
    fn cells(&self) -> Vec<String>;
}

impl<T: Cells> Display for Listing<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let heading = self.heading.iter().map(|word| (*word).to_owned());
        let mut rows = vec![heading.collect::<Vec<_>>()];
        rows.extend(self.rows.iter().map(|row| {
            let cells = row.cells().into_iter();
            // The words of cameras and connectors do nothing to the terminal.
            cells.map(|cell| Plain(&cell).to_string()).collect()
        }));
        f.write_str(&table(&rows))
    }
}

#[derive(Serialize)]
struct Named<'a, T> {
    name: &'a str,
    #[serde(flatten)]
    spec: &'a T,
}

impl Cells for Named<'_, Device> {
    fn cells(&self) -> Vec<String> {
        let endpoints = self.spec.endpoints.iter();
        let inbound = endpoints.flat_map(|endpoints| &endpoints.inbound);
        let inbound = inbound.map(|(name, spec)| format!("{name}={}", spec.address));
        vec![
            self.name.to_owned(),
            yes_no(self.spec.is_enabled()),
            inbound.collect::<Vec<_>>().join(" "),
        ]
    }
}

impl Cells for Named<'_, Asset> {
    fn cells(&self) -> Vec<String> {
        let reference = &self.spec.device_ref;
        vec![
            self.name.to_owned(),
            yes_no(self.spec.is_enabled()),
            format!("{}/{}", reference.device_name, reference.endpoint_name),
        ]
    }
}

fn yes_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

pub async fn devices(registry: &FileRegistry, output: Output) -> Result<()> {
    let contents = contents(registry).await?;
    let rows = contents.devices.iter();
    output.print(&Listing {
        rows: rows
            .map(|(name, spec)| Named {
                name,
                spec: &**spec,
            })
            .collect(),
        heading: &["NAME", "ENABLED", "ENDPOINTS"],
    })
}

pub async fn assets(registry: &FileRegistry, device: Option<&str>, output: Output) -> Result<()> {
    let contents = contents(registry).await?;
    let rows = contents.assets.iter();
    let rows =
        rows.filter(|(_, asset)| device.is_none_or(|name| asset.device_ref.device_name == name));
    output.print(&Listing {
        rows: rows
            .map(|(name, spec)| Named {
                name,
                spec: &**spec,
            })
            .collect(),
        heading: &["NAME", "ENABLED", "ENDPOINT"],
    })
}

/// One device or asset in full: JSON also for people.
#[derive(Serialize)]
#[serde(transparent)]
struct Whole<T>(T);

impl<T: Serialize> Display for Whole<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string_pretty(&self.0).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

pub async fn device(registry: &FileRegistry, name: &str, output: Output) -> Result<()> {
    let contents = contents(registry).await?;
    let spec = contents.devices.get(name);
    let spec = spec.with_context(|| format!("there is no device {name:?}"))?;
    output.print(&Whole(Named {
        name,
        spec: &**spec,
    }))
}

pub async fn asset(registry: &FileRegistry, name: &str, output: Output) -> Result<()> {
    let contents = contents(registry).await?;
    let spec = contents.assets.get(name);
    let spec = spec.with_context(|| format!("there is no asset {name:?}"))?;
    output.print(&Whole(Named {
        name,
        spec: &**spec,
    }))
}

#[derive(Serialize)]
struct Found {
    kind: &'static str,
    name: String,
    /// Whether there is a real one of that name already.
    imported: bool,
}

impl Cells for Found {
    fn cells(&self) -> Vec<String> {
        vec![
            self.kind.to_lowercase(),
            self.name.clone(),
            yes_no(self.imported),
        ]
    }
}

pub async fn discovered(registry: &FileRegistry, output: Output) -> Result<()> {
    let contents = contents(registry).await?;
    let [devices, assets] = registry.discovered_names().await?;
    let devices = devices.into_iter().map(|name| Found {
        kind: "Device",
        imported: contents.devices.contains_key(&name),
        name,
    });
    let assets = assets.into_iter().map(|name| Found {
        kind: "Asset",
        imported: contents.assets.contains_key(&name),
        name,
    });
    output.print(&Listing {
        rows: devices.chain(assets).collect(),
        heading: &["KIND", "NAME", "IMPORTED"],
    })
}

/// What is known of a device, of an asset, or of one part of it.
#[derive(Serialize)]
struct Line {
    kind: &'static str,
    name: String,
    /// An endpoint or element; for a manifest, none.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<String>,
    /// `ok`, `error`, `available` or `unavailable`; `unknown` when nothing was reported.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Cells for Line {
    fn cells(&self) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        vec![
            self.kind.to_lowercase(),
            self.name.clone(),
            text(&self.part),
            self.state.to_owned(),
            text(&self.code),
            text(&self.message),
        ]
    }
}

pub async fn status(registry: &FileRegistry, only: Option<&str>, output: Output) -> Result<()> {
    let contents = contents(registry).await?;
    let wanted = |name: &&String| only.is_none_or(|only| *name == only);
    let mut rows = Vec::new();
    for name in contents.devices.keys().filter(wanted) {
        let status = registry.device_status(name).await?;
        let about = About {
            kind: "Device",
            name,
        };
        rows.extend(about.device(status));
        rows.extend(about.health(registry.device_health(name).await?));
    }
    for name in contents.assets.keys().filter(wanted) {
        let status = registry.asset_status(name).await?;
        let about = About {
            kind: "Asset",
            name,
        };
        rows.extend(about.asset(status));
        rows.extend(about.health(registry.asset_health(name).await?));
    }
    let problems = registry.problems().into_iter().filter(|_| only.is_none());
    rows.extend(problems.map(|problem| Line {
        kind: "Manifest",
        name: problem.file,
        part: None,
        state: "error",
        code: Some(problem.code.to_owned()),
        message: Some(problem.message),
    }));
    output.print(&Listing {
        rows,
        heading: &["KIND", "NAME", "PART", "STATE", "CODE", "MESSAGE"],
    })
}

struct About<'a> {
    kind: &'static str,
    name: &'a str,
}

impl About<'_> {
    fn line(&self, part: Option<String>, error: Option<ConfigError>) -> Line {
        Line {
            kind: self.kind,
            name: self.name.to_owned(),
            part,
            state: if error.is_some() { "error" } else { "ok" },
            code: error.as_ref().and_then(|error| error.code.clone()),
            message: error.and_then(|error| error.message),
        }
    }

    fn unknown(&self) -> Line {
        Line {
            state: "unknown",
            ..self.line(None, None)
        }
    }

    fn device(&self, status: Option<DeviceStatus>) -> Vec<Line> {
        let Some(status) = status else {
            return vec![self.unknown()];
        };
        let mut lines = vec![self.line(None, status.config.and_then(|config| config.error))];
        let endpoints = status.endpoints.into_iter();
        let endpoints = endpoints.flat_map(|endpoints| endpoints.inbound);
        lines.extend(endpoints.map(|(name, status)| self.line(Some(name), status.error)));
        lines
    }

    fn asset(&self, status: Option<AssetStatus>) -> Vec<Line> {
        let Some(status) = status else {
            return vec![self.unknown()];
        };
        let mut lines = vec![self.line(None, status.config.and_then(|config| config.error))];
        for element in status.datasets {
            lines.push(self.line(Some(format!("datasets/{}", element.name)), element.error));
        }
        for group in status.event_groups {
            for element in group.events {
                let part = format!("events/{}/{}", group.name, element.name);
                lines.push(self.line(Some(part), element.error));
            }
        }
        for group in status.management_groups {
            for element in group.actions {
                let part = format!("actions/{}/{}", group.name, element.name);
                lines.push(self.line(Some(part), element.error));
            }
        }
        for element in status.streams {
            lines.push(self.line(Some(format!("streams/{}", element.name)), element.error));
        }
        lines
    }

    fn health(&self, health: BTreeMap<String, RuntimeHealth>) -> Vec<Line> {
        let lines = health.into_iter().map(|(part, health)| Line {
            state: match health.status {
                HealthStatus::Available => "available",
                HealthStatus::Unavailable => "unavailable",
            },
            code: health.reason_code,
            message: health.message,
            ..self.line(Some(part), None)
        });
        lines.collect()
    }
}
