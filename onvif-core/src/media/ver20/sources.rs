use crate::media::{Resolution, VideoSourceModeToken, VideoSourceToken};
use crate::schema::Words;
use crate::{operation, soap_reply};

operation! {
    /// Asks for the modes of a video source.
    pub struct GetVideoSourceModes in "tr2" {
        /// The video source.
        video_source_token: VideoSourceToken = "VideoSourceToken",
    } -> GetVideoSourceModesResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetVideoSourceModes", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetVideoSourceModes`].
    pub struct GetVideoSourceModesResponse in "tr2" {
        /// The modes.
        modes: Vec<VideoSourceMode> = "VideoSourceModes",
    }
}

operation! {
    /// Puts a video source into a mode. The device may restart.
    pub struct SetVideoSourceMode in "tr2" {
        /// The video source.
        video_source_token: VideoSourceToken = "VideoSourceToken",
        /// The mode.
        video_source_mode_token: VideoSourceModeToken = "VideoSourceModeToken",
    } -> SetVideoSourceModeResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/SetVideoSourceMode", WriteSystem, Write
}

soap_reply! {
    /// The reply to [`SetVideoSourceMode`].
    pub struct SetVideoSourceModeResponse in "tr2" {
        /// Whether the device restarts now.
        reboot: Option<bool> = "Reboot",
    }
}

soap_reply! {
    /// A mode of a video source, such as a frame rate of the sensor.
    pub struct VideoSourceMode in "tr2" [
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
