//! Media profiles, streams and snapshots, with one face for both versions of the service.

mod analytics;
mod audio;
mod client;
mod encoder;
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
pub use client::MediaClient;
pub use encoder::{AudioEncoder, Encoding, Resolution, VideoEncoder, VideoEncoderOptions};
pub use mask::{Mask, MaskOptions, MaskToken, Polygon};
pub use metadata::{
    EventFilter, EventSubscription, MetadataConfiguration, MetadataConfigurationOptions,
    MetadataConfigurationOptionsExtension, PtzFilter, PtzStatusFilterOptions, SensorDataFilter,
    SensorDataFilterOptions,
};
pub use multicast::MulticastConfiguration;
pub use osd::{
    Color, ColorOptions, ColorspaceRange, MaximumNumberOfOsds, OsdColor, OsdColorOptions,
    OsdConfiguration, OsdImage, OsdImageOptions, OsdOptions, OsdPosition, OsdText, OsdTextKind,
    OsdTextOptions, OsdToken, OsdType, Vector,
};
pub use profile::Profile;
pub use snapshot::{PictureProblem, Snapshot};
pub use ver20::{ConfigurationKind, EncoderInstance, EncoderInstanceInfo, VideoSourceMode};
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
