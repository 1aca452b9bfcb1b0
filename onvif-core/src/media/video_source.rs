use super::{ConfigurationToken, Resolution, VideoSourceToken};
use crate::imaging::ImagingSettings;
use crate::schema::{IntItems, IntRectangle, IntRectangleRange};
use crate::{soap_enum, soap_reply, soap_token, soap_type};

soap_token! {
    /// Names a mode of a video source.
    pub struct VideoSourceModeToken;
}

soap_reply! {
    /// A video source: a sensor, or an input of an encoder.
    pub struct VideoSource in "tt" [
        /// Its token.
        token: VideoSourceToken = "token",
    ] {
        /// Frames per second that it delivers.
        framerate: Option<f32> = "Framerate",
        /// Size of the picture it delivers.
        resolution: Option<Resolution> = "Resolution",
        /// Settings of the picture, from devices without the imaging service.
        imaging: Option<ImagingSettings> = "Imaging",
    }
}

soap_type! {
    /// Which part of a video source a profile shows, and how it is turned.
    pub struct VideoSourceConfiguration in "tt" [
        /// Its token.
        token: ConfigurationToken = "token",
        /// How a fisheye picture is dewarped, `tt:Fisheye` or `tt:Quad` for instance.
        view_mode: Option<String> = "ViewMode",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// How many profiles use it. The device counts; what is sent is ignored.
        use_count: Option<u32> = "UseCount",
        /// The source.
        source_token: Option<VideoSourceToken> = "SourceToken",
        /// The part of the source's picture that is shown, in pixels of the source.
        bounds: Option<IntRectangle> = "Bounds",
        /// Rotation and what came after it.
        extension: Option<VideoSourceConfigurationExtension> = "Extension",
    }
}

soap_type! {
    /// What later versions added to the configuration of a video source.
    #[derive(Default)]
    pub struct VideoSourceConfigurationExtension in "tt" {
        /// How the picture is turned; absent where the device cannot turn it.
        rotate: Option<Rotate> = "Rotate",
        /// Lens and orientation.
        extension: Option<VideoSourceConfigurationExtension2> = "Extension",
    }
}

soap_type! {
    /// What still later versions added to the configuration of a video source.
    #[derive(Default)]
    pub struct VideoSourceConfigurationExtension2 in "tt" {
        /// The lens, once for each focal length that is described.
        lens_description: Vec<LensDescription> = "LensDescription",
        /// Which way up the scene is.
        scene_orientation: Option<SceneOrientation> = "SceneOrientation",
    }
}

soap_type! {
    /// How a picture is turned.
    pub struct Rotate in "tt" [
        /// Whether left and right are exchanged.
        mirror: Option<bool> = "Mirror",
    ] {
        /// Whether it is turned at all.
        mode: RotateMode = "Mode",
        /// Degrees, clockwise; 180 where it is not given.
        degree: Option<i32> = "Degree",
    }
}

soap_enum! {
    /// Whether a picture is turned.
    pub enum RotateMode {
        /// It is not.
        Off = "OFF",
        /// It is.
        On = "ON",
        /// The device finds out.
        Auto = "AUTO",
    }
}

soap_type! {
    /// How a lens maps directions to the picture.
    pub struct LensDescription in "tt" [
        /// Focal length in millimetres.
        focal_length: Option<f32> = "FocalLength",
    ] {
        /// Where the optical centre is.
        offset: Option<LensOffset> = "Offset",
        /// Points of the curve from angle to radius, in rising order of the angle.
        projection: Vec<LensProjection> = "Projection",
        /// By how much the x axis is scaled against the y axis.
        x_factor: Option<f32> = "XFactor",
    }
}

soap_type! {
    /// Where the optical centre is, in normalised coordinates.
    #[derive(Copy)]
    pub struct LensOffset in "tt" [
        /// To the right of the middle.
        x: Option<f32> = "x",
        /// Above the middle.
        y: Option<f32> = "y",
    ] {}
}

soap_type! {
    /// One point of a lens's curve.
    #[derive(Copy)]
    pub struct LensProjection in "tt" {
        /// Angle to the optical axis in degrees.
        angle: Option<f32> = "Angle",
        /// Distance from the optical centre in normalised coordinates.
        radius: Option<f32> = "Radius",
        /// Light that comes through, 0 to 1; absent means all of it.
        transmittance: Option<f32> = "Transmittance",
    }
}

soap_type! {
    /// Which way up the scene is.
    pub struct SceneOrientation in "tt" {
        /// Who decides.
        mode: SceneOrientationMode = "Mode",
        /// `Below`, `Horizon` or `Above`: where the camera looks.
        orientation: Option<String> = "Orientation",
    }
}

soap_enum! {
    /// Who decides which way up the scene is.
    pub enum SceneOrientationMode {
        /// The user.
        Manual = "MANUAL",
        /// The device.
        Auto = "AUTO",
    }
}

soap_reply! {
    /// What the configuration of a video source may be set to.
    pub struct VideoSourceConfigurationOptions in "tt" [
        /// How many profiles may use it.
        maximum_number_of_profiles: Option<u32> = "MaximumNumberOfProfiles",
    ] {
        /// Where the shown part may lie.
        bounds_range: Option<IntRectangleRange> = "BoundsRange",
        /// The sources to choose from.
        video_source_tokens_available: Vec<VideoSourceToken> = "VideoSourceTokensAvailable",
        /// Rotation and what came after it.
        extension: Option<VideoSourceConfigurationOptionsExtension> = "Extension",
    }
}

soap_reply! {
    /// What later versions added to the options of a video source.
    pub struct VideoSourceConfigurationOptionsExtension in "tt" {
        /// How the picture may be turned.
        rotate: Option<RotateOptions> = "Rotate",
        /// Orientation.
        extension: Option<VideoSourceConfigurationOptionsExtension2> = "Extension",
    }
}

soap_reply! {
    /// How a picture may be turned.
    pub struct RotateOptions in "tt" [
        /// Whether the device restarts when this changes.
        reboot: Option<bool> = "Reboot",
        /// Whether the picture can be mirrored.
        mirror: Option<bool> = "Mirror",
    ] {
        /// The modes to choose from.
        modes: Vec<RotateMode> = "Mode",
        /// The degrees to choose from; any, where the list is absent.
        degrees: Option<IntItems> = "DegreeList",
    }
}

soap_reply! {
    /// What still later versions added to the options of a video source.
    pub struct VideoSourceConfigurationOptionsExtension2 in "tt" {
        /// The modes of orientation to choose from.
        scene_orientation_modes: Vec<SceneOrientationMode> = "SceneOrientationMode",
    }
}
