//! What an operator and a consumer do, one step after another, each waited for with a limit.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aio_registry::model::Asset;
use aio_registry::mrpc::{Invoker, InvokerOptions};
use aio_registry::{FileRegistry, Mqtt, MqttSession, Qos};
use anyhow::{Context, Result, anyhow, bail};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::camera::CameraUnderTest;
use crate::folder::Folder;
use crate::manifests;
use crate::progress::Progress;

/// How long each step may take.
const LIMIT: Duration = Duration::from_secs(20);
const SNAPSHOTS: usize = 10;

pub struct Steps<'a> {
    pub registry: &'a FileRegistry,
    pub mqtt: Arc<MqttSession>,
    pub camera: &'a CameraUnderTest,
    pub folder: &'a Folder,
}

impl Steps<'_> {
    pub async fn run(&self, progress: &mut Progress) -> Result<()> {
        progress.done("Camera discovered", self.camera.discover().await?);
        progress.done("Device registered", self.register().await?);
        let mut events = self
            .mqtt
            .subscribe(manifests::EVENT_TOPIC, Qos::AtLeastOnce)
            .await?;
        let asset = self.import_asset().await?;
        let (groups, actions) = contents(&asset);
        progress.done(
            "Discovered asset imported",
            format!(
                "{}: {groups} event groups, {actions} actions",
                manifests::ASSET
            ),
        );
        let (endpoint, streams) = self.import_media_device().await?;
        progress.done(
            "Media device imported",
            format!(
                "{}: {streams} streams, snapshots of {endpoint}",
                manifests::MEDIA_DEVICE
            ),
        );

        match self.event(&asset, &mut events).await? {
            Some(event) => progress.done("Event received over MQTT", event),
            None => progress.skipped(
                "Event received over MQTT",
                "the camera sent none; does something move before it?",
            ),
        }
        if has_action(&asset, "RelativeMove") {
            progress.done("PTZ command over MQTT", self.move_camera().await?);
        } else {
            progress.skipped("PTZ command over MQTT", "the camera does not move");
        }
        let snapshots = self.snapshots().await?;
        let (count, last) = (snapshots.len(), &snapshots[snapshots.len() - 1]);
        progress.done(
            "Snapshots received over MQTT",
            format!("{count} of {} x {}", last.width, last.height),
        );
        println!();
        for snapshot in &snapshots {
            println!("{}", snapshot.path.display());
        }
        Ok(())
    }

    async fn register(&self) -> Result<String> {
        if let Some((username, password)) = self.camera.credentials() {
            self.registry
                .put_secret(manifests::USERNAME_SECRET, username)
                .await?;
            self.registry
                .put_secret(manifests::PASSWORD_SECRET, password)
                .await?;
        }
        let authentication = manifests::authentication(self.camera.credentials().is_some());
        let device = manifests::device(self.camera.url(), authentication);
        self.registry.put_device(manifests::DEVICE, &device).await?;
        until("status of the ONVIF endpoint", async || {
            let status = self.registry.device_status(manifests::DEVICE).await?;
            let endpoints = status.and_then(|status| status.endpoints);
            let Some(endpoint) =
                endpoints.and_then(|mut all| all.inbound.remove(manifests::ENDPOINT))
            else {
                return Ok(None);
            };
            match endpoint.error.and_then(|error| error.message) {
                Some(message) => bail!("the connector reports: {message}"),
                None => Ok(Some(format!(
                    "{}/{}: connected",
                    manifests::DEVICE,
                    manifests::ENDPOINT
                ))),
            }
        })
        .await
    }

    async fn import_asset(&self) -> Result<Asset> {
        let found = manifests::ASSET;
        until("discovered asset", async || {
            Ok(self.registry.discovered_asset(found).await?)
        })
        .await?;
        let edit = |asset: &mut Asset| manifests::send_events_to(asset, manifests::EVENT_TOPIC);
        Ok(self.registry.import_asset(found, edit).await?)
    }

    /// Returns the endpoint that snapshots are taken of, and how many there are.
    async fn import_media_device(&self) -> Result<(String, usize)> {
        let found = manifests::MEDIA_DEVICE;
        until("discovered media device", async || {
            Ok(self.registry.discovered_device(found).await?)
        })
        .await?;
        let authentication = manifests::authentication(self.camera.credentials().is_some());
        let device = self
            .registry
            .import_device(found, |device| {
                device.enabled = Some(true);
                for endpoint in device
                    .endpoints
                    .iter_mut()
                    .flat_map(|all| all.inbound.values_mut())
                {
                    endpoint.authentication = Some(authentication.clone());
                }
            })
            .await?;
        let endpoints = device.endpoints.unwrap_or_default().inbound;
        let first = endpoints
            .keys()
            .next()
            .context("the camera offers no stream")?;
        self.registry
            .put_asset(manifests::MEDIA_ASSET, &manifests::snapshots_of(first))
            .await?;
        Ok((first.clone(), endpoints.len()))
    }

    async fn event(
        &self,
        asset: &Asset,
        events: &mut (impl futures::Stream<Item = aio_registry::Message> + Unpin),
    ) -> Result<Option<String>> {
        if asset.event_groups.is_empty() {
            return Ok(None);
        }
        let deadline = Instant::now() + LIMIT;
        while let Ok(Some(message)) = tokio::time::timeout_at(deadline, events.next()).await {
            let event: Value =
                serde_json::from_slice(&message.payload).context("the event is no JSON")?;
            // The first events tell the state at the time of the subscription: now a change will be seen.
            if self.camera.start_motion() && event["Operation"] != "Changed" {
                continue;
            }
            let topic = event["Topic"].as_str().unwrap_or("?");
            return Ok(Some(format!("{topic} {}", event["Data"])));
        }
        if self.camera.is_built_in() {
            bail!("no motion event within {} s", LIMIT.as_secs());
        }
        Ok(None)
    }

    async fn move_camera(&self) -> Result<String> {
        let topics = InvokerOptions {
            timeout: Duration::from_secs(3),
            ..InvokerOptions::new(format!(
                "azure-iot-operations/mrpc/{}/{{command}}",
                manifests::ASSET
            ))
        };
        let invoker = Invoker::start(self.mqtt.clone(), topics).await?;
        // The asset was imported a moment ago: a request that comes before the connector has subscribed is lost.
        let profiles = until("answer to GetProfiles", async || {
            match command(&invoker, "GetProfiles", &Value::Null).await {
                Err(error)
                    if matches!(
                        error.downcast_ref(),
                        Some(aio_registry::Error::Timeout { .. })
                    ) =>
                {
                    Ok(None)
                }
                other => other.map(Some),
            }
        })
        .await?;
        let profile = profiles["Profiles"]
            .as_array()
            .and_then(|profiles| {
                profiles
                    .iter()
                    .find(|profile| profile["PTZConfiguration"].is_object())
            })
            .and_then(|profile| profile["token"].as_str())
            .context("no profile has a PTZ configuration")?
            .to_owned();
        let position = async || -> Result<(f64, f64)> {
            let status =
                command(&invoker, "GetStatus", &json!({ "ProfileToken": profile })).await?;
            let pan_tilt = &status["PTZStatus"]["Position"]["PanTilt"];
            let axis = |name: &str| {
                pan_tilt[name]
                    .as_f64()
                    .context("the camera does not tell its position")
            };
            Ok((axis("x")?, axis("y")?))
        };
        let before = position().await?;
        // Away from the limit, if it stands at one.
        let step = if before.0 > 0.5 { -0.2 } else { 0.2 };
        let translation = json!({ "ProfileToken": profile, "Translation": { "PanTilt": { "x": step, "y": 0.0 } } });
        command(&invoker, "RelativeMove", &translation).await?;
        let after = until("movement of the camera", async || {
            let now = position().await?;
            let arrived = (now.0 - before.0 - step).abs() < 0.01;
            Ok(arrived.then_some(now))
        })
        .await?;
        Ok(format!(
            "RelativeMove: pan {:.2} to {:.2}, tilt {:.2} to {:.2}",
            before.0, after.0, before.1, after.1
        ))
    }

    async fn snapshots(&self) -> Result<Vec<Snapshot>> {
        let mut messages = self
            .mqtt
            .subscribe(manifests::SNAPSHOT_TOPIC, Qos::AtLeastOnce)
            .await?;
        let mut snapshots = Vec::with_capacity(SNAPSHOTS);
        for number in 1..=SNAPSHOTS {
            let message = match timeout(LIMIT, messages.next()).await {
                Ok(Some(message)) => message,
                _ => {
                    let status = self.registry.asset_status(manifests::MEDIA_ASSET).await?;
                    bail!(
                        "no snapshot within {} s; status of the asset: {status:?}",
                        LIMIT.as_secs()
                    );
                }
            };
            let reader = image::ImageReader::new(std::io::Cursor::new(&message.payload))
                .with_guessed_format()?;
            let (width, height) = reader
                .into_dimensions()
                .context("a snapshot is no picture")?;
            let path = self.folder.snapshots.join(format!("{number:02}.jpg"));
            tokio::fs::write(&path, &message.payload)
                .await
                .with_context(|| format!("cannot write {}", path.display()))?;
            snapshots.push(Snapshot {
                path,
                width,
                height,
            });
        }
        Ok(snapshots)
    }
}

struct Snapshot {
    path: PathBuf,
    width: u32,
    height: u32,
}

fn contents(asset: &Asset) -> (usize, usize) {
    let actions = asset
        .management_groups
        .iter()
        .map(|group| group.actions.len())
        .sum();
    (asset.event_groups.len(), actions)
}

fn has_action(asset: &Asset, name: &str) -> bool {
    asset
        .management_groups
        .iter()
        .flat_map(|group| &group.actions)
        .any(|action| action.name == name)
}

/// Sends a command as the PTZ demo does, and returns what stands in `Result`.
async fn command(invoker: &Invoker, name: &str, input: &Value) -> Result<Value> {
    let topic = format!("azure-iot-operations/mrpc/{}/{name}", manifests::ASSET);
    let body = if input.is_null() {
        String::new()
    } else {
        json!({ name: input }).to_string()
    };
    let response = invoker.invoke(&topic, body).await?;
    let mut answer: Value = serde_json::from_slice(&response.payload)
        .with_context(|| format!("the answer to {name} is no JSON"))?;
    match answer["Error"]["Message"].as_str() {
        Some(message) => Err(anyhow!("{name}: {message}")),
        None => Ok(answer["Result"].take()),
    }
}

/// Asks again until there is an answer.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let asking = async {
        loop {
            if let Some(answer) = ask().await? {
                return Ok(answer);
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(LIMIT, asking)
        .await
        .unwrap_or_else(|_| Err(anyhow!("no {what} within {} s", LIMIT.as_secs())))
}
