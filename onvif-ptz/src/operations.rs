use std::time::{Duration, SystemTime};

use onvif_core::media::{ConfigurationToken, ProfileToken};
use onvif_core::xml::IsoDuration;
use onvif_core::{operation, soap_enum, soap_reply, soap_token};

use crate::vector::{Position, Space1D, Space2D};

soap_token! {
    /// Names a preset.
    pub struct PresetToken;
}

soap_token! {
    /// Names a PTZ node.
    pub struct NodeToken;
}

operation! {
    /// Asks for the nodes.
    pub struct GetNodes in "tptz" {} -> GetNodesResponse;
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/GetNodes", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetNodes`].
    pub struct GetNodesResponse in "tptz" {
        /// The nodes.
        nodes: Vec<Node> = "PTZNode",
    }
}

soap_reply! {
    /// What moves, and how it can move.
    pub struct Node in "tt" [
        /// Its token.
        token: NodeToken = "token",
        /// Whether the home position cannot be set.
        fixed_home_position: Option<bool> = "FixedHomePosition",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// The spaces it can move in, with their ranges.
        spaces: Option<Spaces> = "SupportedPTZSpaces",
        /// How many presets there may be.
        maximum_number_of_presets: Option<u32> = "MaximumNumberOfPresets",
        /// Whether it has a home position.
        home_supported: Option<bool> = "HomeSupported",
        /// Auxiliary commands, such as a wiper.
        auxiliary_commands: Vec<String> = "AuxiliaryCommands",
    }
}

soap_reply! {
    /// The spaces of a node. An empty list means that the node cannot move that way.
    pub struct Spaces in "tt" {
        /// Absolute pan and tilt.
        absolute_pan_tilt: Vec<Space2D> = "AbsolutePanTiltPositionSpace",
        /// Absolute zoom.
        absolute_zoom: Vec<Space1D> = "AbsoluteZoomPositionSpace",
        /// Relative pan and tilt.
        relative_pan_tilt: Vec<Space2D> = "RelativePanTiltTranslationSpace",
        /// Relative zoom.
        relative_zoom: Vec<Space1D> = "RelativeZoomTranslationSpace",
        /// Velocity of pan and tilt.
        continuous_pan_tilt: Vec<Space2D> = "ContinuousPanTiltVelocitySpace",
        /// Velocity of zoom.
        continuous_zoom: Vec<Space1D> = "ContinuousZoomVelocitySpace",
        /// Speed of pan and tilt.
        pan_tilt_speed: Vec<Space1D> = "PanTiltSpeedSpace",
        /// Speed of zoom.
        zoom_speed: Vec<Space1D> = "ZoomSpeedSpace",
    }
}

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

soap_reply! {
    /// How a node is used by profiles.
    pub struct Configuration in "tt" [
        /// Its token.
        token: ConfigurationToken = "token",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// The node.
        node_token: Option<NodeToken> = "NodeToken",
        /// Speed of moves that name none.
        default_speed: Option<Position> = "DefaultPTZSpeed",
        /// After this time a continuous move stops.
        default_timeout: Option<Duration> = "DefaultPTZTimeout",
        /// Limits of pan and tilt.
        pan_tilt_limits: Option<PanTiltLimits> = "PanTiltLimits",
        /// Limits of zoom.
        zoom_limits: Option<ZoomLimits> = "ZoomLimits",
    }
}

soap_reply! {
    /// Limits of pan and tilt.
    pub struct PanTiltLimits in "tt" {
        /// The range.
        range: Option<Space2D> = "Range",
    }
}

soap_reply! {
    /// Limits of zoom.
    pub struct ZoomLimits in "tt" {
        /// The range.
        range: Option<Space1D> = "Range",
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
    pub struct ConfigurationOptions in "tt" {
        /// The spaces.
        spaces: Option<Spaces> = "Spaces",
        /// For how long a continuous move may be asked.
        timeout: Option<DurationRange> = "PTZTimeout",
    }
}

soap_reply! {
    /// A closed range of time.
    pub struct DurationRange in "tt" {
        /// Shortest.
        min: Option<Duration> = "Min",
        /// Longest.
        max: Option<Duration> = "Max",
    }
}

operation! {
    /// Asks where the camera looks and whether it moves.
    pub struct GetStatus in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetStatusResponse;
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/GetStatus", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetStatus`].
    pub struct GetStatusResponse in "tptz" {
        /// The status.
        status: Option<PtzStatus> = "PTZStatus",
    }
}

soap_reply! {
    /// Where the camera looks and whether it moves, as far as it tells.
    pub struct PtzStatus in "tt" {
        /// Where it looks.
        position: Option<Position> = "Position",
        /// Whether it moves. Some cameras always say idle.
        move_status: Option<MoveStatus> = "MoveStatus",
        /// What is wrong.
        error: Option<String> = "Error",
        /// When, by the camera's clock.
        utc_time: Option<SystemTime> = "UtcTime",
    }
}

soap_reply! {
    /// Whether the axes move.
    pub struct MoveStatus in "tt" {
        /// Pan and tilt.
        pan_tilt: Option<AxisStatus> = "PanTilt",
        /// Zoom.
        zoom: Option<AxisStatus> = "Zoom",
    }
}

soap_enum! {
    /// Whether an axis moves.
    pub enum AxisStatus {
        /// It does not.
        Idle = "IDLE",
        /// It does.
        Moving = "MOVING",
        /// The camera does not know.
        Unknown = "UNKNOWN",
    }
}

operation! {
    /// Moves to a position.
    pub struct AbsoluteMove in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// Where to.
        position: Position = "Position",
        /// How fast.
        speed: Option<Position> = "Speed",
    } -> ();
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/AbsoluteMove", Actuate, Write
}

operation! {
    /// Moves by a distance.
    pub struct RelativeMove in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// How far.
        translation: Position = "Translation",
        /// How fast.
        speed: Option<Position> = "Speed",
    } -> ();
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/RelativeMove", Actuate, Write
}

operation! {
    /// Moves until stopped.
    pub struct ContinuousMove in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// How fast and where to.
        velocity: Position = "Velocity",
        /// After this time the camera stops by itself, if it heeds it.
        timeout: Option<IsoDuration> = "Timeout",
    } -> ();
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/ContinuousMove", Actuate, Write
}

operation! {
    /// Stops.
    pub struct Stop in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// Whether pan and tilt stop.
        pan_tilt: Option<bool> = "PanTilt",
        /// Whether zoom stops.
        zoom: Option<bool> = "Zoom",
    } -> ();
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/Stop", Actuate, Write
}

operation! {
    /// Asks for the presets.
    pub struct GetPresets in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetPresetsResponse;
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/GetPresets", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetPresets`].
    pub struct GetPresetsResponse in "tptz" {
        /// The presets.
        presets: Vec<Preset> = "Preset",
    }
}

soap_reply! {
    /// A stored position.
    pub struct Preset in "tt" [
        /// Its token.
        token: PresetToken = "token",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// Where it is, if the camera tells.
        position: Option<Position> = "PTZPosition",
    }
}

operation! {
    /// Stores the current position.
    pub struct SetPreset in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// Its name.
        preset_name: Option<String> = "PresetName",
        /// The preset to overwrite; a new one without it.
        preset_token: Option<PresetToken> = "PresetToken",
    } -> SetPresetResponse;
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/SetPreset", Actuate, Write
}

soap_reply! {
    /// The reply to [`SetPreset`].
    pub struct SetPresetResponse in "tptz" {
        /// The preset.
        preset_token: Option<PresetToken> = "PresetToken",
    }
}

operation! {
    /// Moves to a preset.
    pub struct GotoPreset in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The preset.
        preset_token: PresetToken = "PresetToken",
        /// How fast.
        speed: Option<Position> = "Speed",
    } -> ();
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/GotoPreset", Actuate, Write
}

operation! {
    /// Forgets a preset.
    pub struct RemovePreset in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The preset.
        preset_token: PresetToken = "PresetToken",
    } -> ();
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/RemovePreset", Actuate, Write
}

operation! {
    /// Moves home.
    pub struct GotoHomePosition in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// How fast.
        speed: Option<Position> = "Speed",
    } -> ();
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/GotoHomePosition", Actuate, Write
}

operation! {
    /// Makes the current position home.
    pub struct SetHomePosition in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/SetHomePosition", Actuate, Write
}
