//! Operations and types of Media2, the second version.

mod analytics;
mod audio_clip;
mod audio_decoder;
mod audio_encoder;
mod audio_output;
mod audio_source;
mod capabilities;
mod mask;
mod metadata;
mod multicast_audio;
mod osd;
mod profiles;
mod sources;
mod streaming;
mod video_encoder;
mod video_source;
mod webrtc;

pub use super::{VideoEncoder2Configuration, VideoRateControl2};
pub use analytics::{GetAnalyticsConfigurations, GetAnalyticsConfigurationsResponse};
pub use audio_clip::{
    AddAudioClip, AddAudioClipResponse, AddTtsAudioClip, AddTtsAudioClipResponse, AudioClip,
    AudioClipItem, AudioClipToken, DeleteAudioClip, GetAudioClips, GetAudioClipsResponse,
    GetPlayingAudioClips, GetPlayingAudioClipsResponse, PlayAudioClip, PlayingAudioClip,
    SetAudioClip, TtsAudio,
};
pub use audio_decoder::{
    GetAudioDecoderConfigurationOptions, GetAudioDecoderConfigurationOptionsResponse,
    GetAudioDecoderConfigurations, GetAudioDecoderConfigurationsResponse,
    SetAudioDecoderConfiguration,
};
pub use audio_encoder::{
    GetAudioEncoderConfigurationOptions, GetAudioEncoderConfigurationOptionsResponse,
    GetAudioEncoderConfigurations, GetAudioEncoderConfigurationsResponse,
    SetAudioEncoderConfiguration,
};
pub use audio_output::{
    GetAudioOutputConfigurationOptions, GetAudioOutputConfigurationOptionsResponse,
    GetAudioOutputConfigurations, GetAudioOutputConfigurationsResponse,
    SetAudioOutputConfiguration, SetEqPreset,
};
pub use audio_source::{
    GetAudioSourceConfigurationOptions, GetAudioSourceConfigurationOptionsResponse,
    GetAudioSourceConfigurations, GetAudioSourceConfigurationsResponse,
    SetAudioSourceConfiguration,
};
pub use capabilities::{
    AudioClipCapabilities, GetServiceCapabilities, GetServiceCapabilitiesResponse,
    Media2Capabilities, MulticastAudioDecoderCapabilities, ProfileCapabilities,
    StreamingCapabilities, TtsCapabilities,
};
pub use mask::{
    CreateMask, CreateMaskResponse, DeleteMask, GetMaskOptions, GetMaskOptionsResponse, GetMasks,
    GetMasksResponse, SetMask,
};
pub use metadata::{
    GetMetadataConfigurationOptions, GetMetadataConfigurationOptionsResponse,
    GetMetadataConfigurations, GetMetadataConfigurationsResponse, SetMetadataConfiguration,
};
pub use multicast_audio::{
    GetMulticastAudioDecoderConfigurationOptions,
    GetMulticastAudioDecoderConfigurationOptionsResponse, GetMulticastAudioDecoderConfigurations,
    GetMulticastAudioDecoderConfigurationsResponse, MulticastAudioDecoderConfiguration,
    MulticastAudioDecoderConfigurationOptions, MulticastAudioDecoderOptions,
    MulticastReceiverConfiguration, SetMulticastAudioDecoderConfiguration, SrtpPreShared,
};
pub use osd::{
    CreateOsd, CreateOsdResponse, DeleteOsd, GetOsdOptions, GetOsdOptionsResponse, GetOsds,
    GetOsdsResponse, SetOsd,
};
pub use profiles::{
    AddConfiguration, ConfigurationKind, ConfigurationRef, ConfigurationSet, CreateProfile,
    CreateProfileResponse, DeleteProfile, GetProfiles, GetProfilesResponse, MediaProfile,
    ReceiverConfiguration, RemoveConfiguration,
};
pub use sources::{
    GetVideoSourceModes, GetVideoSourceModesResponse, SetVideoSourceMode,
    SetVideoSourceModeResponse, VideoSourceMode,
};
pub use streaming::{
    GetSnapshotUri, GetStreamUri, GetUriResponse, SetSynchronizationPoint, StartMulticastStreaming,
    StopMulticastStreaming,
};
pub use video_encoder::{
    EncoderInstance, EncoderInstanceInfo, GetVideoEncoderConfigurationOptions,
    GetVideoEncoderConfigurationOptionsResponse, GetVideoEncoderConfigurations,
    GetVideoEncoderConfigurationsResponse, GetVideoEncoderInstances,
    GetVideoEncoderInstancesResponse, SetVideoEncoderConfiguration,
};
pub use video_source::{
    GetVideoSourceConfigurationOptions, GetVideoSourceConfigurationOptionsResponse,
    GetVideoSourceConfigurations, GetVideoSourceConfigurationsResponse,
    SetVideoSourceConfiguration,
};
pub use webrtc::{
    GetWebRtcConfigurations, GetWebRtcConfigurationsResponse, SetWebRtcConfigurations,
    WebRtcConfiguration,
};

pub(super) use streaming::protocol;

use crate::{OperationInfo, operations};

/// Every operation of the service.
#[inline]
pub fn operations() -> &'static [OperationInfo] {
    const {
        operations! {
            AddAudioClip
            AddConfiguration
            AddTtsAudioClip
            CreateMask
            CreateOsd
            CreateProfile
            DeleteAudioClip
            DeleteMask
            DeleteOsd
            DeleteProfile
            GetAnalyticsConfigurations
            GetAudioClips
            GetAudioDecoderConfigurationOptions
            GetAudioDecoderConfigurations
            GetAudioEncoderConfigurationOptions
            GetAudioEncoderConfigurations
            GetAudioOutputConfigurationOptions
            GetAudioOutputConfigurations
            GetAudioSourceConfigurationOptions
            GetAudioSourceConfigurations
            GetMaskOptions
            GetMasks
            GetMetadataConfigurationOptions
            GetMetadataConfigurations
            GetMulticastAudioDecoderConfigurationOptions
            GetMulticastAudioDecoderConfigurations
            GetOsdOptions
            GetOsds
            GetPlayingAudioClips
            GetProfiles
            GetServiceCapabilities
            GetSnapshotUri
            GetStreamUri
            GetVideoEncoderConfigurationOptions
            GetVideoEncoderConfigurations
            GetVideoEncoderInstances
            GetVideoSourceConfigurationOptions
            GetVideoSourceConfigurations
            GetVideoSourceModes
            GetWebRtcConfigurations
            PlayAudioClip
            RemoveConfiguration
            SetAudioClip
            SetAudioDecoderConfiguration
            SetAudioEncoderConfiguration
            SetAudioOutputConfiguration
            SetAudioSourceConfiguration
            SetEqPreset
            SetMask
            SetMetadataConfiguration
            SetMulticastAudioDecoderConfiguration
            SetOsd
            SetSynchronizationPoint
            SetVideoEncoderConfiguration
            SetVideoSourceConfiguration
            SetVideoSourceMode
            SetWebRtcConfigurations
            StartMulticastStreaming
            StopMulticastStreaming
        }
    }
}
