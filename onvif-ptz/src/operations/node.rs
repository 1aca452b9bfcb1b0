//! Nodes: what moves, in which spaces, and what the service can do.

use onvif_core::schema::Words;
use onvif_core::{operation, soap_enum, soap_reply, soap_token};

use crate::space::{Space1D, Space2D};

soap_token! {
    /// Names a PTZ node.
    pub struct NodeToken;
}

operation! {
    /// Asks what the PTZ service can do.
    pub struct GetServiceCapabilities in "tptz" {} -> GetServiceCapabilitiesResponse;
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/GetServiceCapabilities", PreAuth, Read
}

soap_reply! {
    /// The reply to [`GetServiceCapabilities`].
    pub struct GetServiceCapabilitiesResponse in "tptz" {
        /// What it can do.
        capabilities: Option<ServiceCapabilities> = "Capabilities",
    }
}

soap_reply! {
    /// What the PTZ service can do, as it says; `None` where it says nothing.
    #[derive(Default)]
    pub struct ServiceCapabilities in "tptz" [
        /// Whether the picture can be turned when the camera tilts past the nadir.
        e_flip: Option<bool> = "EFlip",
        /// Whether pan and tilt can be reversed.
        reverse: Option<bool> = "Reverse",
        /// Whether it tells which configurations fit a profile.
        compatible_configurations: Option<bool> = "GetCompatibleConfigurations",
        /// Whether the status tells if the camera moves.
        move_status: Option<bool> = "MoveStatus",
        /// Whether the status tells where the camera looks.
        status_position: Option<bool> = "StatusPosition",
        /// What a move that starts tracking may aim at: `PresetToken`, `GeoLocation`, `PTZVector`,
        /// `ObjectID`.
        move_and_track: Option<Words> = "MoveAndTrack",
    ] {}
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

operation! {
    /// Asks for a node.
    pub struct GetNode in "tptz" {
        /// The node.
        node_token: NodeToken = "NodeToken",
    } -> GetNodeResponse;
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/GetNode", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetNode`].
    pub struct GetNodeResponse in "tptz" {
        /// The node.
        node: Option<Node> = "PTZNode",
    }
}

soap_reply! {
    /// What moves, and how it can move.
    pub struct Node in "tt" [
        /// Its token.
        token: NodeToken = "token",
        /// Whether the home position cannot be set.
        fixed_home_position: Option<bool> = "FixedHomePosition",
        /// Whether it can be pointed at a place on earth.
        geo_move: Option<bool> = "GeoMove",
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
        /// What was added to the schema later.
        extension: Option<NodeExtension> = "Extension",
    }
}

soap_reply! {
    /// The part of a [`Node`] that was added to the schema later.
    pub struct NodeExtension in "tt" {
        /// Its tours.
        preset_tours: Option<PresetTourSupport> = "SupportedPresetTour",
    }
}

soap_reply! {
    /// The tours of a node.
    pub struct PresetTourSupport in "tt" {
        /// How many there may be.
        maximum_number: Option<u32> = "MaximumNumberOfPresetTours",
        /// What can be done with them.
        operations: Vec<TourOperation> = "PTZPresetTourOperation",
    }
}

soap_enum! {
    /// What can be done with a tour.
    pub enum TourOperation {
        /// Starts it, or goes on after a pause.
        Start = "Start",
        /// Ends it.
        Stop = "Stop",
        /// Halts it where it is.
        Pause = "Pause",
    }
}

soap_reply! {
    /// The spaces of a node. An empty list means that the node cannot move that way.
    #[derive(Default)]
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
