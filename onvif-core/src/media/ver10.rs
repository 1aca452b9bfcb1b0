//! Operations and types of Media, the first version.

mod analytics;
mod audio_decoder;
mod audio_encoder;
mod audio_output;
mod audio_source;
mod capabilities;
mod metadata;
mod osd;
mod profiles;
mod ptz;
mod sources;
mod streaming;
mod video_encoder;
mod video_source;

pub use super::{
    VideoEncoderConfiguration, VideoRateControl, VideoSource, VideoSourceConfiguration,
};
pub use analytics::{
    AddVideoAnalyticsConfiguration, GetCompatibleVideoAnalyticsConfigurations,
    GetCompatibleVideoAnalyticsConfigurationsResponse, GetVideoAnalyticsConfiguration,
    GetVideoAnalyticsConfigurationResponse, GetVideoAnalyticsConfigurations,
    GetVideoAnalyticsConfigurationsResponse, RemoveVideoAnalyticsConfiguration,
    SetVideoAnalyticsConfiguration,
};
pub use audio_decoder::{
    AddAudioDecoderConfiguration, GetAudioDecoderConfiguration,
    GetAudioDecoderConfigurationOptions, GetAudioDecoderConfigurationOptionsResponse,
    GetAudioDecoderConfigurationResponse, GetAudioDecoderConfigurations,
    GetAudioDecoderConfigurationsResponse, GetCompatibleAudioDecoderConfigurations,
    GetCompatibleAudioDecoderConfigurationsResponse, RemoveAudioDecoderConfiguration,
    SetAudioDecoderConfiguration,
};
pub use audio_encoder::{
    AddAudioEncoderConfiguration, GetAudioEncoderConfiguration,
    GetAudioEncoderConfigurationOptions, GetAudioEncoderConfigurationOptionsResponse,
    GetAudioEncoderConfigurationResponse, GetAudioEncoderConfigurations,
    GetAudioEncoderConfigurationsResponse, GetCompatibleAudioEncoderConfigurations,
    GetCompatibleAudioEncoderConfigurationsResponse, RemoveAudioEncoderConfiguration,
    SetAudioEncoderConfiguration,
};
pub use audio_output::{
    AddAudioOutputConfiguration, GetAudioOutputConfiguration, GetAudioOutputConfigurationOptions,
    GetAudioOutputConfigurationOptionsResponse, GetAudioOutputConfigurationResponse,
    GetAudioOutputConfigurations, GetAudioOutputConfigurationsResponse,
    GetCompatibleAudioOutputConfigurations, GetCompatibleAudioOutputConfigurationsResponse,
    RemoveAudioOutputConfiguration, SetAudioOutputConfiguration,
};
pub use audio_source::{
    AddAudioSourceConfiguration, GetAudioSourceConfiguration, GetAudioSourceConfigurationOptions,
    GetAudioSourceConfigurationOptionsResponse, GetAudioSourceConfigurationResponse,
    GetAudioSourceConfigurations, GetAudioSourceConfigurationsResponse,
    GetCompatibleAudioSourceConfigurations, GetCompatibleAudioSourceConfigurationsResponse,
    RemoveAudioSourceConfiguration, SetAudioSourceConfiguration,
};
pub use capabilities::{
    GetServiceCapabilities, GetServiceCapabilitiesResponse, MediaCapabilities, ProfileCapabilities,
    StreamingCapabilities,
};
pub use metadata::{
    AddMetadataConfiguration, GetCompatibleMetadataConfigurations,
    GetCompatibleMetadataConfigurationsResponse, GetMetadataConfiguration,
    GetMetadataConfigurationOptions, GetMetadataConfigurationOptionsResponse,
    GetMetadataConfigurationResponse, GetMetadataConfigurations, GetMetadataConfigurationsResponse,
    RemoveMetadataConfiguration, SetMetadataConfiguration,
};
pub use osd::{
    CreateOsd, CreateOsdResponse, DeleteOsd, GetOsd, GetOsdOptions, GetOsdOptionsResponse,
    GetOsdResponse, GetOsds, GetOsdsResponse, SetOsd,
};
pub use profiles::{
    CreateProfile, CreateProfileResponse, DeleteProfile, GetProfile, GetProfileResponse,
    GetProfiles, GetProfilesResponse, MediaProfile, MediaProfileExtension, PtzConfigurationEntity,
};
pub use ptz::{AddPtzConfiguration, RemovePtzConfiguration};
pub use sources::{
    GetAudioOutputs, GetAudioOutputsResponse, GetAudioSources, GetAudioSourcesResponse,
    GetVideoSourceModes, GetVideoSourceModesResponse, GetVideoSources, GetVideoSourcesResponse,
    SetVideoSourceMode, SetVideoSourceModeResponse, VideoSourceMode,
};
pub use streaming::{
    GetSnapshotUri, GetStreamUri, GetUriResponse, MediaUri, SetSynchronizationPoint,
    StartMulticastStreaming, StopMulticastStreaming, StreamSetup, StreamType, Transport,
    TransportProtocol,
};
pub use video_encoder::{
    AddVideoEncoderConfiguration, GetCompatibleVideoEncoderConfigurations,
    GetCompatibleVideoEncoderConfigurationsResponse, GetGuaranteedNumberOfVideoEncoderInstances,
    GetGuaranteedNumberOfVideoEncoderInstancesResponse, GetVideoEncoderConfiguration,
    GetVideoEncoderConfigurationOptions, GetVideoEncoderConfigurationOptionsResponse,
    GetVideoEncoderConfigurationResponse, GetVideoEncoderConfigurations,
    GetVideoEncoderConfigurationsResponse, RemoveVideoEncoderConfiguration,
    SetVideoEncoderConfiguration,
};
pub use video_source::{
    AddVideoSourceConfiguration, GetCompatibleVideoSourceConfigurations,
    GetCompatibleVideoSourceConfigurationsResponse, GetVideoSourceConfiguration,
    GetVideoSourceConfigurationOptions, GetVideoSourceConfigurationOptionsResponse,
    GetVideoSourceConfigurationResponse, GetVideoSourceConfigurations,
    GetVideoSourceConfigurationsResponse, RemoveVideoSourceConfiguration,
    SetVideoSourceConfiguration,
};

use crate::{OperationInfo, operations};

/// Every operation of the service.
#[inline]
pub fn operations() -> &'static [OperationInfo] {
    const {
        operations! {
            AddAudioDecoderConfiguration
            AddAudioEncoderConfiguration
            AddAudioOutputConfiguration
            AddAudioSourceConfiguration
            AddMetadataConfiguration
            AddPtzConfiguration
            AddVideoAnalyticsConfiguration
            AddVideoEncoderConfiguration
            AddVideoSourceConfiguration
            CreateOsd
            CreateProfile
            DeleteOsd
            DeleteProfile
            GetAudioDecoderConfiguration
            GetAudioDecoderConfigurationOptions
            GetAudioDecoderConfigurations
            GetAudioEncoderConfiguration
            GetAudioEncoderConfigurationOptions
            GetAudioEncoderConfigurations
            GetAudioOutputConfiguration
            GetAudioOutputConfigurationOptions
            GetAudioOutputConfigurations
            GetAudioOutputs
            GetAudioSourceConfiguration
            GetAudioSourceConfigurationOptions
            GetAudioSourceConfigurations
            GetAudioSources
            GetCompatibleAudioDecoderConfigurations
            GetCompatibleAudioEncoderConfigurations
            GetCompatibleAudioOutputConfigurations
            GetCompatibleAudioSourceConfigurations
            GetCompatibleMetadataConfigurations
            GetCompatibleVideoAnalyticsConfigurations
            GetCompatibleVideoEncoderConfigurations
            GetCompatibleVideoSourceConfigurations
            GetGuaranteedNumberOfVideoEncoderInstances
            GetMetadataConfiguration
            GetMetadataConfigurationOptions
            GetMetadataConfigurations
            GetOsd
            GetOsdOptions
            GetOsds
            GetProfile
            GetProfiles
            GetServiceCapabilities
            GetSnapshotUri
            GetStreamUri
            GetVideoAnalyticsConfiguration
            GetVideoAnalyticsConfigurations
            GetVideoEncoderConfiguration
            GetVideoEncoderConfigurationOptions
            GetVideoEncoderConfigurations
            GetVideoSourceConfiguration
            GetVideoSourceConfigurationOptions
            GetVideoSourceConfigurations
            GetVideoSourceModes
            GetVideoSources
            RemoveAudioDecoderConfiguration
            RemoveAudioEncoderConfiguration
            RemoveAudioOutputConfiguration
            RemoveAudioSourceConfiguration
            RemoveMetadataConfiguration
            RemovePtzConfiguration
            RemoveVideoAnalyticsConfiguration
            RemoveVideoEncoderConfiguration
            RemoveVideoSourceConfiguration
            SetAudioDecoderConfiguration
            SetAudioEncoderConfiguration
            SetAudioOutputConfiguration
            SetAudioSourceConfiguration
            SetMetadataConfiguration
            SetOsd
            SetSynchronizationPoint
            SetVideoAnalyticsConfiguration
            SetVideoEncoderConfiguration
            SetVideoSourceConfiguration
            SetVideoSourceMode
            StartMulticastStreaming
            StopMulticastStreaming
        }
    }
}
