use crate::media::ver10::PtzConfigurationEntity;
use crate::media::{
    AudioDecoderConfiguration, AudioEncoder2Configuration, AudioOutputConfiguration,
    AudioSourceConfiguration, ConfigurationToken, MetadataConfiguration, ProfileToken,
    VideoAnalyticsConfiguration, VideoEncoder2Configuration, VideoSourceConfiguration,
};
use crate::{operation, soap_enum, soap_reply, soap_type};

operation! {
    /// Makes a profile of some configurations.
    pub struct CreateProfile in "tr2" {
        /// Its name, for people.
        name: String = "Name",
        /// What to put into it.
        configuration: Vec<ConfigurationRef> = "Configuration",
    } -> CreateProfileResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/CreateProfile", Actuate, Write
}

soap_reply! {
    /// The reply to [`CreateProfile`].
    pub struct CreateProfileResponse in "tr2" {
        /// Its token.
        token: Option<ProfileToken> = "Token",
    }
}

operation! {
    /// Asks for profiles.
    pub struct GetProfiles in "tr2" {
        /// One profile; all without it.
        token: Option<ProfileToken> = "Token",
        /// Which configurations to include: `All`, `VideoSource`, `VideoEncoder`, `PTZ` and others.
        types: Vec<String> = "Type",
    } -> GetProfilesResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetProfiles", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetProfiles`].
    pub struct GetProfilesResponse in "tr2" {
        /// The profiles.
        profiles: Vec<MediaProfile> = "Profiles",
    }
}

operation! {
    /// Adds configurations to a profile, each in place of the one of its kind, and may rename it.
    pub struct AddConfiguration in "tr2" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// Its name; unchanged without it.
        name: Option<String> = "Name",
        /// What to add. A kind without a token lets the device choose.
        configuration: Vec<ConfigurationRef> = "Configuration",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/AddConfiguration", Actuate, Write
}

operation! {
    /// Takes configurations out of a profile.
    pub struct RemoveConfiguration in "tr2" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// What to take out, by kind; the tokens are ignored.
        configuration: Vec<ConfigurationRef> = "Configuration",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/RemoveConfiguration", Actuate, Write
}

operation! {
    /// Deletes a profile, unless it is fixed. Its configurations stay.
    pub struct DeleteProfile in "tr2" {
        /// The profile.
        token: ProfileToken = "Token",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/DeleteProfile", Actuate, Write
}

soap_type! {
    /// A configuration to be put into a profile or taken out of it.
    pub struct ConfigurationRef in "tr2" {
        /// What it is of.
        kind: ConfigurationKind = "Type",
        /// Its token; without it the device chooses one.
        token: Option<ConfigurationToken> = "Token",
    }
}

soap_enum! {
    /// What a configuration is of.
    pub enum ConfigurationKind {
        /// All kinds; for asking, and for taking everything out.
        All = "All",
        /// The video source.
        VideoSource = "VideoSource",
        /// The video encoder.
        VideoEncoder = "VideoEncoder",
        /// The audio source.
        AudioSource = "AudioSource",
        /// The audio encoder.
        AudioEncoder = "AudioEncoder",
        /// The audio output.
        AudioOutput = "AudioOutput",
        /// The audio decoder.
        AudioDecoder = "AudioDecoder",
        /// Metadata.
        Metadata = "Metadata",
        /// Analytics.
        Analytics = "Analytics",
        /// PTZ.
        Ptz = "PTZ",
        /// A receiver of streams.
        Receiver = "Receiver",
    }
}

soap_reply! {
    /// A media profile: configurations that make a stream together.
    pub struct MediaProfile in "tr2" [
        /// Its token.
        token: ProfileToken = "token",
        /// Whether it cannot be deleted.
        fixed: Option<bool> = "fixed",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// What it consists of. Devices leave it out unless it was asked for.
        configurations: Option<Box<ConfigurationSet>> = "Configurations",
    }
}

soap_reply! {
    /// What a profile consists of.
    #[derive(Default)]
    pub struct ConfigurationSet in "tr2" {
        /// The video source.
        video_source: Option<VideoSourceConfiguration> = "VideoSource",
        /// The audio source.
        audio_source: Option<AudioSourceConfiguration> = "AudioSource",
        /// The video encoder.
        video_encoder: Option<VideoEncoder2Configuration> = "VideoEncoder",
        /// The audio encoder.
        audio_encoder: Option<AudioEncoder2Configuration> = "AudioEncoder",
        /// Analytics.
        analytics: Option<VideoAnalyticsConfiguration> = "Analytics",
        /// PTZ.
        ptz: Option<PtzConfigurationEntity> = "PTZ",
        /// Metadata.
        metadata: Option<MetadataConfiguration> = "Metadata",
        /// The audio output.
        audio_output: Option<AudioOutputConfiguration> = "AudioOutput",
        /// The audio decoder.
        audio_decoder: Option<AudioDecoderConfiguration> = "AudioDecoder",
        /// A stream that the device fetches.
        receiver: Option<ReceiverConfiguration> = "Receiver",
    }
}

soap_reply! {
    /// A stream that the device fetches.
    pub struct ReceiverConfiguration in "tt" [
        /// Its token.
        token: Option<ConfigurationToken> = "token",
    ] {
        /// `AutoConnect`, `AlwaysConnect` or `NeverConnect`.
        mode: Option<String> = "Mode",
        /// Where it comes from, as the device reports it. It may carry a password: do not show it.
        media_uri: Option<String> = "MediaUri",
    }
}
