use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use connector_sdk::{
    Command, Connector, Credentials, Data, Device, Discovery, Endpoint, EndpointRef, Error,
    EventSpec, Sink,
};
use onvif_core::media::{Profile, ProfileToken, StreamTransport};
use onvif_core::{AuthBudget, Camera, Service, TlsPolicy};
use onvif_ptz::Motion;
use serde::Deserialize;
use tracing::{debug, info};

use crate::command::{self, Entry};
use crate::discovery::{self, Identity, MediaStream};
use crate::event::{self, DataTypes, TopicFilter};
use crate::feed::{EventFeed, FeedItem};

/// Serves endpoints of type `Microsoft.Onvif`: `http(s)://` addresses of device services, anonymous or with user name and
/// password.
#[derive(Debug, Default)]
pub struct OnvifConnector {
    /// One per endpoint, so that connecting anew does not forget that the credentials were refused.
    budgets: Mutex<HashMap<EndpointRef, AuthBudget>>,
}

/// A connected camera.
#[derive(Debug)]
pub struct OnvifDevice {
    endpoint: EndpointRef,
    camera: Camera,
    identity: Identity,
    topics: Vec<String>,
    feed: EventFeed,
    commands: Vec<&'static Entry>,
    command_names: Vec<&'static str>,
    motions: Mutex<HashMap<ProfileToken, Motion>>,
}

/// The endpoint's `additionalConfiguration`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Settings {
    accept_invalid_hostnames: bool,
    accept_invalid_certificates: bool,
    /// Accepted for the contract's sake: which way of authentication a camera takes is found out, and remembered.
    #[serde(rename = "fallbackToUsernameTokenAuth")]
    _fallback_to_username_token_auth: bool,
}

impl OnvifConnector {
    /// A connector.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Connector for OnvifConnector {
    type Device = OnvifDevice;

    fn endpoint_type(&self) -> &str {
        "Microsoft.Onvif"
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<OnvifDevice, Error> {
        let settings: Settings = endpoint.configuration()?;
        let budget = lock(&self.budgets)
            .entry(endpoint.name.clone())
            .or_default()
            .clone();
        let mut builder = Camera::builder(endpoint.address()?)
            .auth_budget(budget)
            .tls(
                match (
                    settings.accept_invalid_certificates,
                    settings.accept_invalid_hostnames,
                ) {
                    (true, _) => TlsPolicy::AcceptInvalidCertificates,
                    (false, true) => TlsPolicy::AcceptInvalidHostnames,
                    (false, false) => TlsPolicy::Verify,
                },
            );
        if let Credentials::UsernamePassword { username, password } = &endpoint.credentials {
            let password = password.as_text().map_err(|error| {
                Error::configuration("the password is not UTF-8").because(error)
            })?;
            builder = builder.credentials(onvif_core::Credentials::new(username, password));
        }
        let camera = builder.connect().await.map_err(failed)?;
        // What needs no credentials proves none: this does.
        let information = camera.device().information().await.map_err(failed)?;
        let (topics, types) = topics(&camera).await?;
        let commands: Vec<&Entry> = command::TABLE
            .iter()
            .filter(|entry| has(&camera, entry.service))
            .collect();
        Ok(OnvifDevice {
            endpoint: endpoint.name.clone(),
            identity: Identity {
                manufacturer: information.manufacturer,
                model: information.model,
                firmware: information.firmware_version,
                serial_number: information.serial_number,
                hardware: information.hardware_id,
            },
            topics,
            feed: EventFeed::new(camera.clone(), types),
            command_names: commands.iter().map(|entry| entry.name).collect(),
            commands,
            motions: Mutex::default(),
            camera,
        })
    }
}

/// What the camera can report; nothing, when it has no events or does not say.
async fn topics(camera: &Camera) -> Result<(Vec<String>, DataTypes), Error> {
    if !camera.services().has(Service::Events) {
        return Ok((Vec::new(), DataTypes::default()));
    }
    match camera.events().properties().await {
        Ok(properties) => {
            let topics = properties
                .topic_set
                .topics
                .iter()
                .map(|topic| topic.path.clone())
                .collect();
            Ok((topics, DataTypes::of(&properties)))
        }
        Err(error)
            if matches!(
                error.kind(),
                onvif_core::ErrorKind::Network | onvif_core::ErrorKind::Unauthorized
            ) =>
        {
            Err(failed(error))
        }
        Err(error) => {
            info!(camera = %camera.url(), %error, "the camera does not tell what it can report");
            Ok((Vec::new(), DataTypes::default()))
        }
    }
}

/// Media commands are answered by either version of the service.
fn has(camera: &Camera, service: Service) -> bool {
    let services = camera.services();
    services.has(service) || service == Service::Media && services.has(Service::Media2)
}

#[async_trait]
impl Device for OnvifDevice {
    async fn check(&self) -> Result<(), Error> {
        self.camera
            .device()
            .information()
            .await
            .map(drop)
            .map_err(failed)
    }

    async fn discover(&self) -> Result<Discovery, Error> {
        let asset = discovery::discovered_asset(
            &self.endpoint,
            &self.identity,
            &self.topics,
            &self.commands,
        );
        let mut found = Discovery {
            assets: vec![(discovery::asset_name(&self.endpoint), asset)],
            devices: Vec::new(),
        };
        if has(&self.camera, Service::Media) {
            let streams = self.streams().await?;
            let device = discovery::discovered_device(&self.endpoint, &self.identity, &streams);
            found
                .devices
                .push((discovery::media_device_name(&self.endpoint), device));
        }
        Ok(found)
    }

    async fn run_event(&self, event: &EventSpec, sink: &Sink) -> Result<(), Error> {
        let filter = TopicFilter::of(event)?;
        if !self.camera.services().has(Service::Events) {
            return Err(Error::unsupported("the camera has no events"));
        }
        let mut items = self.feed.listen(filter);
        while let Some(item) = items.recv().await {
            match item {
                FeedItem::Running => sink.running(),
                FeedItem::Failed(error) => sink.failed(&describe(&error)),
                FeedItem::Notification(notification) => {
                    let document = event::json(&notification, self.feed.types());
                    let time = notification.device_time.unwrap_or(notification.received);
                    sink.send(Data::json(&document)?.at(time)).await?;
                }
            }
        }
        // The camera said for good that it has no events after all.
        Err(Error::device("the camera ended the events"))
    }

    fn commands(&self) -> &[&str] {
        &self.command_names
    }

    async fn invoke(&self, command: &Command) -> Result<Bytes, Error> {
        command::invoke(self, command)
            .await
            .map(|answer| answer.to_string().into())
    }

    async fn close(&self) {
        self.feed.close();
        let motions: Vec<Motion> = lock(&self.motions)
            .drain()
            .map(|(_, motion)| motion)
            .collect();
        for motion in motions {
            if let Err(error) = motion.stop().await {
                tracing::error!(camera = %self.camera.url(), %error, "the camera may still be moving");
            }
        }
    }
}

impl OnvifDevice {
    pub(crate) fn camera(&self) -> &Camera {
        &self.camera
    }

    /// The continuous move of this profile, if one was asked for and may still be going on.
    pub(crate) fn take_motion(&self, profile: &ProfileToken) -> Option<Motion> {
        lock(&self.motions).remove(profile)
    }

    pub(crate) fn keep_motion(&self, profile: ProfileToken, motion: Motion) {
        lock(&self.motions).insert(profile, motion);
    }

    /// Ends a continuous move before the next one begins: its guard would stop that one.
    pub(crate) async fn interrupt(&self, profile: String) -> Result<ProfileToken, Error> {
        let profile = ProfileToken::from(profile);
        if let Some(motion) = self.take_motion(&profile) {
            motion.stop().await.map_err(failed)?;
        }
        Ok(profile)
    }

    async fn streams(&self) -> Result<Vec<MediaStream>, Error> {
        let media = self.camera.media();
        let mut streams = Vec::new();
        for profile in media.profiles().await.map_err(failed)? {
            match media
                .stream_uri(&profile.token, StreamTransport::Rtsp)
                .await
            {
                Ok(address) => streams.push(MediaStream {
                    properties: properties(&profile),
                    profile: profile.token.as_str().to_owned(),
                    address,
                }),
                Err(error) if error.kind() == onvif_core::ErrorKind::Network => {
                    return Err(failed(error));
                }
                // A profile without a video encoder, say, has none.
                Err(error) => {
                    debug!(camera = %self.camera.url(), profile = profile.token.as_str(), %error, "no stream")
                }
            }
        }
        Ok(streams)
    }
}

fn properties(profile: &Profile) -> BTreeMap<String, String> {
    let encoder = profile.video_encoder.as_ref();
    let resolution = encoder.and_then(|encoder| encoder.resolution.as_ref());
    [
        ("name", profile.name.clone()),
        (
            "codec",
            encoder
                .and_then(|encoder| encoder.encoding.as_ref())
                .map(ToString::to_string),
        ),
        ("width", resolution.map(|size| size.width.to_string())),
        ("height", resolution.map(|size| size.height.to_string())),
        (
            "frameRate",
            encoder
                .and_then(|encoder| encoder.frame_rate)
                .map(|rate| rate.to_string()),
        ),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

/// Whose fault an error of the camera is, in the connector's terms.
pub(crate) fn failed(error: onvif_core::Error) -> Error {
    describe(&error).because(error)
}

fn describe(error: &onvif_core::Error) -> Error {
    use connector_sdk::ErrorKind as To;
    use onvif_core::ErrorKind as From;
    let kind = match error.kind() {
        From::Caller => To::Configuration,
        From::Unauthorized => To::Unauthorized,
        From::Network => To::Unavailable,
        From::Unsupported => To::Unsupported,
        _ => To::Device,
    };
    Error::new(kind, error)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
