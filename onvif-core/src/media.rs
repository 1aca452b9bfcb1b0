//! Media profiles, streams and snapshots, with one face for both versions of the service.

mod analytics;
mod audio;
mod mask;
mod metadata;
mod multicast;
mod osd;
mod profile;
mod snapshot;
pub mod ver10;
pub mod ver20;
mod video_encoder;
mod video_source;

use url::Url;

pub use analytics::{
    AnalyticsEngineConfiguration, RuleEngineConfiguration, VideoAnalyticsConfiguration,
};
pub use audio::{
    AudioDecoderConfiguration, AudioDecoderConfigurationOptions, AudioDecoderOptions,
    AudioEncoder2Configuration, AudioEncoderConfiguration, AudioEncoderConfigurationOptions,
    AudioEncoderOptions, AudioEncoding, AudioOutput, AudioOutputConfiguration,
    AudioOutputConfigurationOptions, AudioOutputToken, AudioSource, AudioSourceConfiguration,
    AudioSourceConfigurationOptions, AudioSourceToken, EqPreset, FrequencyDecibelPair,
};
pub use mask::{Mask, MaskOptions, MaskToken, Polygon};
pub use metadata::{
    EventFilter, EventSubscription, MetadataConfiguration, MetadataConfigurationOptions,
    MetadataConfigurationOptionsExtension, PtzFilter, PtzStatusFilterOptions, SensorDataFilter,
    SensorDataFilterOptions,
};
pub use multicast::{IpAddress, IpType, MulticastConfiguration};
pub use osd::{
    Color, ColorOptions, ColorspaceRange, MaximumNumberOfOsds, OsdColor, OsdColorOptions,
    OsdConfiguration, OsdImage, OsdImageOptions, OsdOptions, OsdPosition, OsdText, OsdTextKind,
    OsdTextOptions, OsdToken, OsdType, Vector,
};
pub use profile::{Encoding, Profile, Resolution, VideoEncoder};
pub use snapshot::{PictureProblem, Snapshot};
pub use video_encoder::{
    CodecOptions, H264Configuration, H264Profile, Mpeg4Configuration, VideoEncoder2Configuration,
    VideoEncoder2ConfigurationOptions, VideoEncoderConfiguration, VideoEncoderConfigurationOptions,
    VideoEncoderOptionsExtension, VideoRateControl, VideoRateControl2,
};
pub use video_source::{
    LensDescription, LensOffset, LensProjection, Rotate, RotateMode, RotateOptions,
    SceneOrientation, SceneOrientationMode, VideoSource, VideoSourceConfiguration,
    VideoSourceConfigurationExtension, VideoSourceConfigurationExtension2,
    VideoSourceConfigurationOptions, VideoSourceConfigurationOptionsExtension,
    VideoSourceConfigurationOptionsExtension2, VideoSourceModeToken,
};

use crate::camera::Camera;
use crate::error::{Error, ErrorKind};
use crate::operation::Service;
use crate::soap_token;

soap_token! {
    /// Names a media profile.
    pub struct ProfileToken;
}

soap_token! {
    /// Names a video source.
    pub struct VideoSourceToken;
}

soap_token! {
    /// Names a configuration: of a source, an encoder, PTZ.
    pub struct ConfigurationToken;
}

/// How a stream is carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StreamTransport {
    /// RTP over UDP, to one receiver.
    UdpUnicast,
    /// RTP over UDP, to a multicast group.
    UdpMulticast,
    /// RTP inside the RTSP connection.
    #[default]
    Rtsp,
    /// RTP and RTSP inside HTTP.
    RtspOverHttp,
}

/// Media of one camera (ONVIF Media and Media2). Media2 is asked first, because Media lacks H.265;
/// where the camera has no Media2, or it fails, Media answers.
#[derive(Clone, Copy, Debug)]
pub struct MediaClient<'c> {
    camera: &'c Camera,
}

impl<'c> MediaClient<'c> {
    pub(crate) fn new(camera: &'c Camera) -> Self {
        Self { camera }
    }

    /// All media profiles.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetProfiles")]
    pub async fn profiles(&self) -> Result<Vec<Profile>, Error> {
        if self.has(Service::Media2) {
            match self.profiles_ver20().await {
                // Some cameras list bare profiles in Media2, and the rest of them only in Media.
                Ok(profiles)
                    if profiles.iter().any(Profile::is_configured) || !self.has(Service::Media) =>
                {
                    return Ok(profiles);
                }
                Ok(_) => {}
                Err(error) if self.may_fall_back(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let reply = self.camera.call(&ver10::GetProfiles {}).await?;
        Ok(reply.profiles.into_iter().map(Profile::from).collect())
    }

    async fn profiles_ver20(&self) -> Result<Vec<Profile>, Error> {
        let all = ver20::GetProfiles {
            token: None,
            types: vec!["All".into()],
        };
        let reply = match self.camera.call(&all).await {
            // A single `Type` of `All` crashes the handler of some firmware; without it only
            // tokens and names come back, so the parts are asked for by name.
            Err(error) if matches!(error.kind(), ErrorKind::Refused | ErrorKind::Misbehaved) => {
                let types = ["VideoSource", "VideoEncoder", "PTZ"]
                    .map(String::from)
                    .to_vec();
                match self
                    .camera
                    .call(&ver20::GetProfiles { token: None, types })
                    .await
                {
                    Err(error)
                        if matches!(error.kind(), ErrorKind::Refused | ErrorKind::Misbehaved) =>
                    {
                        self.camera
                            .call(&ver20::GetProfiles {
                                token: None,
                                types: vec![],
                            })
                            .await
                    }
                    other => other,
                }
            }
            other => other,
        }?;
        Ok(reply.profiles.into_iter().map(Profile::from).collect())
    }

    /// The URI of a profile's stream, after the [`UriPolicy`](crate::UriPolicy) was applied. It
    /// carries no credentials.
    ///
    /// # Errors
    /// Those of [`Camera::call`], and [`Error::Uri`] when the camera reports no usable URI.
    #[doc(alias = "GetStreamUri")]
    pub async fn stream_uri(
        &self,
        profile: &ProfileToken,
        transport: StreamTransport,
    ) -> Result<Url, Error> {
        if self.has(Service::Media2) {
            let request = ver20::GetStreamUri {
                protocol: ver20::protocol(transport),
                profile_token: profile.clone(),
            };
            match self.camera.call(&request).await {
                Ok(reply) => {
                    return self
                        .camera
                        .resolve("stream", reply.uri.as_deref().unwrap_or_default());
                }
                Err(error) if self.may_fall_back(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let request = ver10::GetStreamUri {
            stream_setup: ver10::StreamSetup::from(transport),
            profile_token: profile.clone(),
        };
        let reply = self.camera.call(&request).await?;
        self.camera.resolve("stream", reply.uri())
    }

    /// The URI of a profile's snapshot, after the [`UriPolicy`](crate::UriPolicy) was applied.
    ///
    /// # Errors
    /// Those of [`Camera::call`]; [`Error::Unsupported`] when the camera reports none, or one that
    /// is not HTTP.
    #[doc(alias = "GetSnapshotUri")]
    pub async fn snapshot_uri(&self, profile: &ProfileToken) -> Result<Url, Error> {
        let reported = self.reported_snapshot_uri(profile).await?;
        let unsupported = |what: &str| Error::Unsupported {
            host: self.camera.host(),
            what: what.to_owned(),
        };
        if reported.is_empty() {
            return Err(unsupported("snapshots (it reports an empty URI)"));
        }
        let url = self.camera.resolve("snapshot", &reported)?;
        match url.scheme() {
            "http" | "https" => Ok(url),
            _ => Err(unsupported(
                "snapshots over HTTP (it reports the URI of a stream)",
            )),
        }
    }

    async fn reported_snapshot_uri(&self, profile: &ProfileToken) -> Result<String, Error> {
        if self.has(Service::Media2) {
            match self
                .camera
                .call(&ver20::GetSnapshotUri {
                    profile_token: profile.clone(),
                })
                .await
            {
                Ok(reply) => return Ok(reply.uri.unwrap_or_default()),
                Err(error) if self.may_fall_back(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let reply = self
            .camera
            .call(&ver10::GetSnapshotUri {
                profile_token: profile.clone(),
            })
            .await?;
        Ok(reply.uri().to_owned())
    }

    /// A picture of what the profile shows now, as the camera encodes it; 16 MiB at most.
    ///
    /// # Errors
    /// Those of [`snapshot_uri`](Self::snapshot_uri), of the network and of authentication;
    /// [`Error::NotAPicture`] when something else comes.
    pub async fn snapshot(&self, profile: &ProfileToken) -> Result<Snapshot, Error> {
        let url = self.snapshot_uri(profile).await?;
        self.fetch_snapshot(&url).await
    }

    /// As [`snapshot`](Self::snapshot), from a URI that [`snapshot_uri`](Self::snapshot_uri) gave.
    ///
    /// # Errors
    /// [`Error::Caller`] when the URI is on another host than the camera and its policy forbids
    /// that; else as [`snapshot`](Self::snapshot).
    pub async fn fetch_snapshot(&self, url: &Url) -> Result<Snapshot, Error> {
        match self.camera.resolve("snapshot", url.as_str()) {
            Ok(allowed) if allowed.host() == url.host() => {
                snapshot::fetch(self.camera, &allowed).await
            }
            _ => Err(Error::Caller(
                "the snapshot URI is on another host than the camera".into(),
            )),
        }
    }

    /// Asks for a key frame on every stream of the profile.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "SetSynchronizationPoint")]
    pub async fn set_synchronization_point(&self, profile: &ProfileToken) -> Result<(), Error> {
        if self.has(Service::Media2) {
            match self
                .camera
                .call(&ver20::SetSynchronizationPoint {
                    profile_token: profile.clone(),
                })
                .await
            {
                Err(error) if self.may_fall_back(&error) => {}
                other => return other,
            }
        }
        self.camera
            .call(&ver10::SetSynchronizationPoint {
                profile_token: profile.clone(),
            })
            .await
    }

    /// The video sources. Only the first version of the service has them.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetVideoSources")]
    pub async fn video_sources(&self) -> Result<Vec<ver10::VideoSource>, Error> {
        Ok(self.camera.call(&ver10::GetVideoSources {}).await?.sources)
    }

    /// The configurations of all video encoders.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetVideoEncoderConfigurations")]
    pub async fn video_encoders(&self) -> Result<Vec<VideoEncoder>, Error> {
        if self.has(Service::Media2) {
            let request = ver20::GetVideoEncoderConfigurations {
                configuration_token: None,
                profile_token: None,
            };
            match self.camera.call(&request).await {
                Ok(reply) => {
                    return Ok(reply
                        .configurations
                        .into_iter()
                        .map(VideoEncoder::from)
                        .collect());
                }
                Err(error) if self.may_fall_back(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let reply = self
            .camera
            .call(&ver10::GetVideoEncoderConfigurations {})
            .await?;
        Ok(reply
            .configurations
            .into_iter()
            .map(VideoEncoder::from)
            .collect())
    }

    fn has(&self, service: Service) -> bool {
        self.camera.services().has(service)
    }

    /// A service that is advertised but fails must not hide the one that works.
    fn may_fall_back(&self, error: &Error) -> bool {
        let fails = matches!(
            error.kind(),
            ErrorKind::Refused | ErrorKind::Unsupported | ErrorKind::Misbehaved
        );
        if fails && self.has(Service::Media) {
            tracing::debug!(%error, "Media2 failed; asking Media");
        }
        fails && self.has(Service::Media)
    }
}
