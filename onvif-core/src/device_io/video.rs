use super::DeviceIoClient;
use crate::error::Error;
use crate::media::{
    ConfigurationToken, Resolution, VideoSourceConfiguration, VideoSourceConfigurationOptions,
    VideoSourceToken,
};
use crate::schema::{Rectangle, ReferenceToken};
use crate::{operation, soap_reply, soap_token, soap_type};

impl DeviceIoClient<'_> {
    /// The video sources.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetVideoSources")]
    pub async fn video_sources(&self) -> Result<Vec<VideoSourceToken>, Error> {
        Ok(self.camera.call(&GetVideoSources {}).await?.tokens)
    }
}

operation! {
    /// Asks for the video sources.
    pub struct GetVideoSources in "tmd" {} -> GetVideoSourcesResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetVideoSources", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoSources`].
    pub struct GetVideoSourcesResponse in "tmd" {
        /// The sources.
        tokens: Vec<VideoSourceToken> = "Token",
    }
}

operation! {
    /// Asks for the configuration of a video source.
    pub struct GetVideoSourceConfiguration in "tmd" {
        /// The source.
        source: VideoSourceToken = "VideoSourceToken",
    } -> GetVideoSourceConfigurationResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetVideoSourceConfiguration", Unspecified, Read
}

soap_reply! {
    /// The reply to [`GetVideoSourceConfiguration`].
    pub struct GetVideoSourceConfigurationResponse in "tmd" {
        /// The configuration.
        configuration: Option<VideoSourceConfiguration> = "VideoSourceConfiguration",
    }
}

operation! {
    /// Changes the configuration of a video source.
    pub struct SetVideoSourceConfiguration in "tmd" {
        /// The configuration; its token tells which.
        configuration: VideoSourceConfiguration = "Configuration",
        /// Whether it shall outlast a restart.
        force_persistence: bool = "ForcePersistence",
    } -> ();
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/SetVideoSourceConfiguration", Unspecified, Write
}

operation! {
    /// Asks how a video source can be configured.
    pub struct GetVideoSourceConfigurationOptions in "tmd" {
        /// The source.
        source: VideoSourceToken = "VideoSourceToken",
    } -> GetVideoSourceConfigurationOptionsResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetVideoSourceConfigurationOptions", Unspecified, Read
}

soap_reply! {
    /// The reply to [`GetVideoSourceConfigurationOptions`].
    pub struct GetVideoSourceConfigurationOptionsResponse in "tmd" {
        /// The options.
        options: Option<VideoSourceConfigurationOptions> = "VideoSourceConfigurationOptions",
    }
}

soap_token! {
    /// Names a video output.
    pub struct VideoOutputToken;
}

operation! {
    /// Asks for the video outputs.
    pub struct GetVideoOutputs in "tmd" {} -> GetVideoOutputsResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetVideoOutputs", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoOutputs`].
    pub struct GetVideoOutputsResponse in "tmd" {
        /// The outputs.
        outputs: Vec<VideoOutput> = "VideoOutputs",
    }
}

soap_reply! {
    /// A video output: what a monitor is connected to.
    pub struct VideoOutput in "tt" [
        /// Its token.
        token: VideoOutputToken = "token",
    ] {
        /// How the screen is divided.
        layout: Option<Layout> = "Layout",
        /// Size of the picture in pixels.
        resolution: Option<Resolution> = "Resolution",
        /// Pictures per second.
        refresh_rate: Option<f32> = "RefreshRate",
        /// Width by height of the picture as shown.
        aspect_ratio: Option<f32> = "AspectRatio",
    }
}

soap_reply! {
    /// How a screen is divided.
    pub struct Layout in "tt" {
        /// Its parts.
        panes: Vec<PaneLayout> = "PaneLayout",
    }
}

soap_reply! {
    /// A part of a screen.
    pub struct PaneLayout in "tt" {
        /// The pane that is shown there.
        pane: Option<ReferenceToken> = "Pane",
        /// Where it is.
        area: Option<Rectangle> = "Area",
    }
}

operation! {
    /// Asks for the configuration of a video output.
    pub struct GetVideoOutputConfiguration in "tmd" {
        /// The output.
        output: VideoOutputToken = "VideoOutputToken",
    } -> GetVideoOutputConfigurationResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetVideoOutputConfiguration", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoOutputConfiguration`].
    pub struct GetVideoOutputConfigurationResponse in "tmd" {
        /// The configuration.
        configuration: Option<VideoOutputConfiguration> = "VideoOutputConfiguration",
    }
}

soap_type! {
    /// Which video output a configuration is for.
    pub struct VideoOutputConfiguration in "tt" [
        /// Its token.
        token: ConfigurationToken = "token",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// How many use it. The device counts; what is sent is ignored.
        use_count: Option<u32> = "UseCount",
        /// The output.
        output_token: Option<VideoOutputToken> = "OutputToken",
    }
}

operation! {
    /// Changes the configuration of a video output.
    pub struct SetVideoOutputConfiguration in "tmd" {
        /// The configuration; its token tells which.
        configuration: VideoOutputConfiguration = "Configuration",
        /// Whether it shall outlast a restart.
        force_persistence: bool = "ForcePersistence",
    } -> ();
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/SetVideoOutputConfiguration", Actuate, Write
}

operation! {
    /// Asks how a video output can be configured. The specification leaves the answer to makers, so only its arrival matters.
    pub struct GetVideoOutputConfigurationOptions in "tmd" {
        /// The output.
        output: VideoOutputToken = "VideoOutputToken",
    } -> ();
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetVideoOutputConfigurationOptions", Unspecified, Read
}
