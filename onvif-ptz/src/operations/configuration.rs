//! Configurations: how profiles use a node, and what may be set.

use onvif_core::media::{ConfigurationToken, ProfileToken};
use onvif_core::schema::{DurationRange, Words};
use onvif_core::xml::IsoDuration;
use onvif_core::{operation, soap_enum, soap_reply, soap_type};

use super::node::{NodeToken, Spaces};
use crate::space::{Space1D, Space2D};
use crate::vector::Position;

operation! {
    /// Asks for the configurations.
    pub struct GetConfigurations in "tptz" {} -> GetConfigurationsResponse;
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/GetConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetConfigurations`].
    pub struct GetConfigurationsResponse in "tptz" {
        /// The configurations.
        configurations: Vec<Configuration> = "PTZConfiguration",
    }
}

operation! {
    /// Asks for a configuration.
    pub struct GetConfiguration in "tptz" {
        /// The configuration.
        configuration_token: ConfigurationToken = "PTZConfigurationToken",
    } -> GetConfigurationResponse;
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/GetConfiguration", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetConfiguration`].
    pub struct GetConfigurationResponse in "tptz" {
        /// The configuration.
        configuration: Option<Configuration> = "PTZConfiguration",
    }
}

operation! {
    /// Asks for the configurations that may be added to a profile.
    pub struct GetCompatibleConfigurations in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetCompatibleConfigurationsResponse;
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/GetCompatibleConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetCompatibleConfigurations`].
    pub struct GetCompatibleConfigurationsResponse in "tptz" {
        /// The configurations.
        configurations: Vec<Configuration> = "PTZConfiguration",
    }
}

operation! {
    /// Changes a configuration.
    pub struct SetConfiguration in "tptz" {
        /// The configuration, whole.
        configuration: Configuration = "PTZConfiguration",
        /// Obsolete, but required: devices treat it as true.
        force_persistence: bool = "ForcePersistence",
    } -> ();
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/SetConfiguration", Actuate, Write
}

soap_type! {
    /// How a node is used by profiles.
    pub struct Configuration in "tt" [
        /// Its token.
        token: ConfigurationToken = "token",
        /// Acceleration of moves, from 0; higher is faster.
        move_ramp: Option<i32> = "MoveRamp",
        /// Acceleration when a preset is recalled.
        preset_ramp: Option<i32> = "PresetRamp",
        /// Acceleration during tours.
        preset_tour_ramp: Option<i32> = "PresetTourRamp",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// How many profiles use it.
        use_count: Option<u32> = "UseCount",
        /// The node.
        node_token: Option<NodeToken> = "NodeToken",
        /// The space of absolute pan and tilt where a request names none.
        default_absolute_pan_tilt_space: Option<String> = "DefaultAbsolutePantTiltPositionSpace",
        /// The space of absolute zoom where a request names none.
        default_absolute_zoom_space: Option<String> = "DefaultAbsoluteZoomPositionSpace",
        /// The space of relative pan and tilt where a request names none.
        default_relative_pan_tilt_space: Option<String> = "DefaultRelativePanTiltTranslationSpace",
        /// The space of relative zoom where a request names none.
        default_relative_zoom_space: Option<String> = "DefaultRelativeZoomTranslationSpace",
        /// The space of velocities of pan and tilt where a request names none.
        default_continuous_pan_tilt_space: Option<String> = "DefaultContinuousPanTiltVelocitySpace",
        /// The space of velocities of zoom where a request names none.
        default_continuous_zoom_space: Option<String> = "DefaultContinuousZoomVelocitySpace",
        /// Speed of moves that name none.
        default_speed: Option<Position> = "DefaultPTZSpeed",
        /// After this time a continuous move that names none stops.
        default_timeout: Option<IsoDuration> = "DefaultPTZTimeout",
        /// Limits of pan and tilt.
        pan_tilt_limits: Option<PanTiltLimits> = "PanTiltLimits",
        /// Limits of zoom.
        zoom_limits: Option<ZoomLimits> = "ZoomLimits",
        /// What was added to the schema later.
        extension: Option<ConfigurationExtension> = "Extension",
    }
}

impl Configuration {
    /// A configuration of a node without any settings. To change one, take it from the camera.
    pub fn new(token: ConfigurationToken, node: NodeToken) -> Self {
        Self {
            token,
            move_ramp: None,
            preset_ramp: None,
            preset_tour_ramp: None,
            name: None,
            use_count: None,
            node_token: Some(node),
            default_absolute_pan_tilt_space: None,
            default_absolute_zoom_space: None,
            default_relative_pan_tilt_space: None,
            default_relative_zoom_space: None,
            default_continuous_pan_tilt_space: None,
            default_continuous_zoom_space: None,
            default_speed: None,
            default_timeout: None,
            pan_tilt_limits: None,
            zoom_limits: None,
            extension: None,
        }
    }
}

soap_type! {
    /// Limits of pan and tilt.
    pub struct PanTiltLimits in "tt" {
        /// The range.
        range: Option<Space2D> = "Range",
    }
}

soap_type! {
    /// Limits of zoom.
    pub struct ZoomLimits in "tt" {
        /// The range.
        range: Option<Space1D> = "Range",
    }
}

soap_type! {
    /// The part of a [`Configuration`] that was added to the schema later.
    #[derive(Default)]
    pub struct ConfigurationExtension in "tt" {
        /// Which way pan and tilt turn.
        control_direction: Option<ControlDirection> = "PTControlDirection",
    }
}

soap_type! {
    /// Which way pan and tilt turn.
    #[derive(Default)]
    pub struct ControlDirection in "tt" {
        /// Turning the picture when the camera tilts past the nadir.
        e_flip: Option<EFlip> = "EFlip",
        /// Reversing pan and tilt, as for a camera that hangs.
        reverse: Option<Reverse> = "Reverse",
    }
}

soap_type! {
    /// Turning the picture when the camera tilts past the nadir.
    pub struct EFlip in "tt" {
        /// On or off.
        mode: EFlipMode = "Mode",
    }
}

soap_type! {
    /// Reversing pan and tilt.
    pub struct Reverse in "tt" {
        /// On, off, or as the camera decides.
        mode: ReverseMode = "Mode",
    }
}

soap_enum! {
    /// Whether the picture is turned when the camera tilts past the nadir.
    pub enum EFlipMode {
        /// It is not.
        Off = "OFF",
        /// It is.
        On = "ON",
    }
}

soap_enum! {
    /// Whether pan and tilt are reversed.
    pub enum ReverseMode {
        /// They are not.
        Off = "OFF",
        /// They are.
        On = "ON",
        /// The camera decides.
        Auto = "AUTO",
    }
}

operation! {
    /// Asks for the ranges of a configuration.
    pub struct GetConfigurationOptions in "tptz" {
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetConfigurationOptionsResponse;
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/GetConfigurationOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetConfigurationOptions`].
    pub struct GetConfigurationOptionsResponse in "tptz" {
        /// The ranges.
        options: Option<ConfigurationOptions> = "PTZConfigurationOptions",
    }
}

soap_reply! {
    /// Ranges of a configuration.
    pub struct ConfigurationOptions in "tt" [
        /// The values that the ramps may have, as [numbers](Words::parsed).
        ramps: Option<Words> = "PTZRamps",
    ] {
        /// The spaces.
        spaces: Option<Spaces> = "Spaces",
        /// For how long a continuous move may be asked.
        timeout: Option<DurationRange> = "PTZTimeout",
        /// Which ways pan and tilt may turn.
        control_direction: Option<ControlDirectionOptions> = "PTControlDirection",
    }
}

soap_reply! {
    /// Which ways pan and tilt may turn.
    pub struct ControlDirectionOptions in "tt" {
        /// Modes of turning the picture.
        e_flip: Option<EFlipOptions> = "EFlip",
        /// Modes of reversing.
        reverse: Option<ReverseOptions> = "Reverse",
    }
}

soap_reply! {
    /// Modes of turning the picture.
    pub struct EFlipOptions in "tt" {
        /// The modes.
        modes: Vec<EFlipMode> = "Mode",
    }
}

soap_reply! {
    /// Modes of reversing.
    pub struct ReverseOptions in "tt" {
        /// The modes.
        modes: Vec<ReverseMode> = "Mode",
    }
}
