use super::{ConfigurationToken, ProfileToken, VideoEncoder, VideoSourceToken, ver10, ver20};

/// A media profile, whichever version of the service reported it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// Its token.
    pub token: ProfileToken,
    /// Its name.
    pub name: Option<String>,
    /// Whether it cannot be deleted.
    pub fixed: Option<bool>,
    /// The video source.
    pub video_source: Option<VideoSourceToken>,
    /// The configuration of the video source.
    pub video_source_configuration: Option<ConfigurationToken>,
    /// The video encoder.
    pub video_encoder: Option<VideoEncoder>,
    /// The configuration of the audio source.
    pub audio_source_configuration: Option<ConfigurationToken>,
    /// The configuration of the audio encoder.
    pub audio_encoder: Option<ConfigurationToken>,
    /// The configuration of the audio output.
    pub audio_output_configuration: Option<ConfigurationToken>,
    /// The configuration of the audio decoder.
    pub audio_decoder_configuration: Option<ConfigurationToken>,
    /// The PTZ configuration: without it the profile does not move.
    pub ptz_configuration: Option<ConfigurationToken>,
    /// The PTZ node it moves.
    pub ptz_node: Option<String>,
    /// The metadata configuration.
    pub metadata_configuration: Option<ConfigurationToken>,
    /// The configuration of analytics.
    pub analytics_configuration: Option<ConfigurationToken>,
}

impl Profile {
    pub(super) fn is_configured(&self) -> bool {
        self.video_source_configuration.is_some() || self.video_encoder.is_some()
    }
}

impl From<ver10::MediaProfile> for Profile {
    fn from(profile: ver10::MediaProfile) -> Self {
        let source = profile.video_source;
        let ptz = profile.ptz;
        let (output, decoder) = match profile.extension {
            Some(extension) => (extension.audio_output, extension.audio_decoder),
            None => (None, None),
        };
        Self {
            token: profile.token,
            name: profile.name,
            fixed: profile.fixed,
            video_source_configuration: source.as_ref().map(|source| source.token.clone()),
            video_source: source.and_then(|source| source.source_token),
            video_encoder: profile.video_encoder.map(VideoEncoder::from),
            audio_source_configuration: profile.audio_source.map(|source| source.token),
            audio_encoder: profile.audio_encoder.map(|audio| audio.token),
            audio_output_configuration: output.map(|output| output.token),
            audio_decoder_configuration: decoder.map(|decoder| decoder.token),
            ptz_configuration: ptz.as_ref().map(|ptz| ptz.token.clone()),
            ptz_node: ptz.and_then(|ptz| ptz.node_token),
            metadata_configuration: profile.metadata.map(|metadata| metadata.token),
            analytics_configuration: profile.analytics.map(|analytics| analytics.token),
        }
    }
}

impl From<ver20::MediaProfile> for Profile {
    fn from(profile: ver20::MediaProfile) -> Self {
        let set = *profile.configurations.unwrap_or_default();
        let source = set.video_source;
        Self {
            token: profile.token,
            name: profile.name,
            fixed: profile.fixed,
            video_source_configuration: source.as_ref().map(|source| source.token.clone()),
            video_source: source.and_then(|source| source.source_token),
            video_encoder: set.video_encoder.map(VideoEncoder::from),
            audio_source_configuration: set.audio_source.map(|source| source.token),
            audio_encoder: set.audio_encoder.map(|audio| audio.token),
            audio_output_configuration: set.audio_output.map(|output| output.token),
            audio_decoder_configuration: set.audio_decoder.map(|decoder| decoder.token),
            ptz_configuration: set.ptz.as_ref().map(|ptz| ptz.token.clone()),
            ptz_node: set.ptz.and_then(|ptz| ptz.node_token),
            metadata_configuration: set.metadata.map(|metadata| metadata.token),
            analytics_configuration: set.analytics.map(|analytics| analytics.token),
        }
    }
}
