use crate::media::{
    AudioOutput, AudioSource, Resolution, VideoSource, VideoSourceModeToken, VideoSourceToken,
};
use crate::schema::Words;
use crate::{operation, soap_reply};

operation! {
    /// Asks for the video sources.
    pub struct GetVideoSources in "trt" {} -> GetVideoSourcesResponse;
    Media, "http://www.onvif.org/ver10/media/wsdlGetVideoSources/", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoSources`].
    pub struct GetVideoSourcesResponse in "trt" {
        /// The sources.
        sources: Vec<VideoSource> = "VideoSources",
    }
}

operation! {
    /// Asks for the audio sources.
    pub struct GetAudioSources in "trt" {} -> GetAudioSourcesResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetAudioSources", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioSources`].
    pub struct GetAudioSourcesResponse in "trt" {
        /// The sources.
        sources: Vec<AudioSource> = "AudioSources",
    }
}

operation! {
    /// Asks for the audio outputs.
    pub struct GetAudioOutputs in "trt" {} -> GetAudioOutputsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetAudioOutputs", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioOutputs`].
    pub struct GetAudioOutputsResponse in "trt" {
        /// The outputs.
        outputs: Vec<AudioOutput> = "AudioOutputs",
    }
}

operation! {
    /// Asks for the modes of a video source.
    pub struct GetVideoSourceModes in "trt" {
        /// The video source.
        video_source_token: VideoSourceToken = "VideoSourceToken",
    } -> GetVideoSourceModesResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetVideoSourceModes", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetVideoSourceModes`].
    pub struct GetVideoSourceModesResponse in "trt" {
        /// The modes.
        modes: Vec<VideoSourceMode> = "VideoSourceModes",
    }
}

operation! {
    /// Puts a video source into a mode. The device may restart.
    pub struct SetVideoSourceMode in "trt" {
        /// The video source.
        video_source_token: VideoSourceToken = "VideoSourceToken",
        /// The mode.
        video_source_mode_token: VideoSourceModeToken = "VideoSourceModeToken",
    } -> SetVideoSourceModeResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/SetVideoSourceMode", WriteSystem, Write
}

soap_reply! {
    /// The reply to [`SetVideoSourceMode`].
    pub struct SetVideoSourceModeResponse in "trt" {
        /// Whether the device restarts now.
        reboot: Option<bool> = "Reboot",
    }
}

soap_reply! {
    /// A mode of a video source, such as a frame rate of the sensor.
    pub struct VideoSourceMode in "trt" [
        /// Its token.
        token: VideoSourceModeToken = "token",
        /// Whether the source is in this mode.
        enabled: Option<bool> = "Enabled",
    ] {
        /// Frames per second at most.
        max_framerate: Option<f32> = "MaxFramerate",
        /// Size of the picture at most.
        max_resolution: Option<Resolution> = "MaxResolution",
        /// The codecs that can be used.
        encodings: Option<Words> = "Encodings",
        /// Whether the device restarts when it is put into this mode.
        reboot: Option<bool> = "Reboot",
        /// What it is, for people.
        description: Option<String> = "Description",
    }
}
