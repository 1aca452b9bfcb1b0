//! Where the camera looks and whether it moves; auxiliary commands.

use std::time::SystemTime;

use onvif_core::media::ProfileToken;
use onvif_core::{operation, soap_enum, soap_reply};

use crate::vector::Position;

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
    #[derive(Default)]
    pub struct PtzStatus in "tt" {
        /// Where it looks.
        position: Option<Position> = "Position",
        /// Whether it moves. Some cameras always say idle.
        move_status: Option<MoveStatus> = "MoveStatus",
        /// What is wrong.
        error: Option<String> = "Error",
        /// When, by the camera's clock.
        utc_time: Option<SystemTime> = "UtcTime",
        /// What it sees at this zoom.
        field_of_view: Option<FieldOfView> = "FieldOfView",
    }
}

soap_reply! {
    /// Angles that the camera sees.
    #[derive(Copy)]
    pub struct FieldOfView in "tt" [
        /// From left to right, in degrees.
        horizontal: f32 = "hfov",
        /// From top to bottom, in degrees.
        vertical: f32 = "vfov",
    ] {}
}

soap_reply! {
    /// Whether the axes move.
    #[derive(Default)]
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
    /// Runs an auxiliary command of the node, such as a wiper.
    pub struct SendAuxiliaryCommand in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The command, as the node lists it, such as `tt:Wiper|On`.
        auxiliary_data: String = "AuxiliaryData",
    } -> SendAuxiliaryCommandResponse;
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/SendAuxiliaryCommand", Actuate, Write
}

soap_reply! {
    /// The reply to [`SendAuxiliaryCommand`].
    pub struct SendAuxiliaryCommandResponse in "tptz" {
        /// What the camera says to it.
        auxiliary_response: Option<String> = "AuxiliaryResponse",
    }
}
