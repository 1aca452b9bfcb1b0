//! Moves, and the stop.

use onvif_core::media::ProfileToken;
use onvif_core::operation;
use onvif_core::xml::IsoDuration;

use super::preset::PresetToken;
use crate::vector::{GeoLocation, Position};

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
    /// Points at a place on earth.
    pub struct GeoMove in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// Where to.
        target: GeoLocation = "Target",
        /// How fast.
        speed: Option<Position> = "Speed",
        /// Height in metres that the picture should show.
        area_height: Option<f32> = "AreaHeight",
        /// Width in metres that the picture should show.
        area_width: Option<f32> = "AreaWidth",
    } -> ();
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/GeoMove", Actuate, Write
}

operation! {
    /// Moves, and follows what is there.
    pub struct MoveAndStartTracking in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The preset to start from.
        preset_token: Option<PresetToken> = "PresetToken",
        /// The place on earth to start from.
        geo_location: Option<GeoLocation> = "GeoLocation",
        /// The position to start from.
        target_position: Option<Position> = "TargetPosition",
        /// How fast.
        speed: Option<Position> = "Speed",
        /// The object to follow, by the number that analytics gave it.
        object_id: Option<i64> = "ObjectID",
    } -> ();
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/MoveAndStartTracking", Actuate, Write
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
