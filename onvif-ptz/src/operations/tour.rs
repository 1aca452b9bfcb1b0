//! Preset tours: lists of positions that the camera visits by itself.

use onvif_core::media::ProfileToken;
use onvif_core::schema::{DurationRange, IntRange};
use onvif_core::xml::IsoDuration;
use onvif_core::{operation, soap_enum, soap_reply, soap_token, soap_type};

use super::node::TourOperation;
use super::preset::PresetToken;
use crate::space::{Space1D, Space2D};
use crate::vector::Position;

soap_token! {
    /// Names a preset tour.
    pub struct PresetTourToken;
}

operation! {
    /// Asks for the tours.
    pub struct GetPresetTours in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetPresetToursResponse;
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/GetPresetTours", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetPresetTours`].
    pub struct GetPresetToursResponse in "tptz" {
        /// The tours.
        tours: Vec<PresetTour> = "PresetTour",
    }
}

operation! {
    /// Asks for a tour.
    pub struct GetPresetTour in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The tour.
        tour_token: PresetTourToken = "PresetTourToken",
    } -> GetPresetTourResponse;
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/GetPresetTour", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetPresetTour`].
    pub struct GetPresetTourResponse in "tptz" {
        /// The tour.
        tour: Option<PresetTour> = "PresetTour",
    }
}

operation! {
    /// Asks what tours may be like.
    pub struct GetPresetTourOptions in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The tour; without it, any.
        tour_token: Option<PresetTourToken> = "PresetTourToken",
    } -> GetPresetTourOptionsResponse;
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/GetPresetTourOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetPresetTourOptions`].
    pub struct GetPresetTourOptionsResponse in "tptz" {
        /// What tours may be like.
        options: Option<PresetTourOptions> = "Options",
    }
}

operation! {
    /// Creates an empty tour.
    pub struct CreatePresetTour in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> CreatePresetTourResponse;
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/CreatePresetTour", Actuate, Write
}

soap_reply! {
    /// The reply to [`CreatePresetTour`].
    pub struct CreatePresetTourResponse in "tptz" {
        /// The tour.
        tour_token: Option<PresetTourToken> = "PresetTourToken",
    }
}

operation! {
    /// Changes a tour.
    pub struct ModifyPresetTour in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The tour, whole.
        tour: PresetTour = "PresetTour",
    } -> ();
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/ModifyPresetTour", Actuate, Write
}

operation! {
    /// Starts, pauses or ends a tour.
    pub struct OperatePresetTour in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The tour.
        tour_token: PresetTourToken = "PresetTourToken",
        /// What to do with it.
        operation: TourOperation = "Operation",
    } -> ();
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/OperatePresetTour", Actuate, Write
}

operation! {
    /// Forgets a tour.
    pub struct RemovePresetTour in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The tour.
        tour_token: PresetTourToken = "PresetTourToken",
    } -> ();
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/RemovePresetTour", Actuate, Write
}

soap_type! {
    /// A list of positions that the camera visits by itself.
    pub struct PresetTour in "tt" [
        /// Its token.
        token: Option<PresetTourToken> = "token",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// What it does now. Read only.
        status: Option<PresetTourStatus> = "Status",
        /// Whether it starts with the camera.
        auto_start: Option<bool> = "AutoStart",
        /// How often and in which order.
        starting_condition: Option<TourStartingCondition> = "StartingCondition",
        /// The positions, in order.
        spots: Vec<TourSpot> = "TourSpot",
    }
}

soap_type! {
    /// What a tour does now.
    pub struct PresetTourStatus in "tt" {
        /// Whether it runs.
        state: TourState = "State",
        /// Where it is.
        current_spot: Option<TourSpot> = "CurrentTourSpot",
    }
}

soap_enum! {
    /// Whether a tour runs.
    pub enum TourState {
        /// It does not.
        Idle = "Idle",
        /// It does.
        Touring = "Touring",
        /// It was paused.
        Paused = "Paused",
    }
}

soap_type! {
    /// How often a tour runs, and in which order.
    #[derive(Default)]
    pub struct TourStartingCondition in "tt" [
        /// Whether the order is left to chance.
        random_order: Option<bool> = "RandomPresetOrder",
    ] {
        /// How often; without it, until stopped.
        recurring_time: Option<u32> = "RecurringTime",
        /// For how long; without it, until stopped.
        recurring_duration: Option<IsoDuration> = "RecurringDuration",
        /// In which order.
        direction: Option<TourDirection> = "Direction",
    }
}

soap_enum! {
    /// The order of a tour.
    pub enum TourDirection {
        /// As listed.
        Forward = "Forward",
        /// From the last to the first.
        Backward = "Backward",
    }
}

soap_type! {
    /// A position of a tour.
    pub struct TourSpot in "tt" {
        /// Where it is.
        detail: TourSpotDetail = "PresetDetail",
        /// How fast the camera goes there.
        speed: Option<Position> = "Speed",
        /// How long it stays there.
        stay: Option<IsoDuration> = "StayTime",
    }
}

soap_type! {
    /// Where a tour goes: exactly one of these.
    #[derive(Default)]
    pub struct TourSpotDetail in "tt" {
        /// A preset.
        preset_token: Option<PresetToken> = "PresetToken",
        /// Home, if true.
        home: Option<bool> = "Home",
        /// A position.
        position: Option<Position> = "PTZPosition",
    }
}

impl PresetTour {
    /// The same tour with these positions.
    #[must_use]
    pub fn with_spots(mut self, spots: impl IntoIterator<Item = TourSpot>) -> Self {
        self.spots = spots.into_iter().collect();
        self
    }
}

impl TourSpot {
    /// A preset.
    pub fn preset(token: impl Into<PresetToken>) -> Self {
        Self::at(TourSpotDetail {
            preset_token: Some(token.into()),
            ..TourSpotDetail::default()
        })
    }

    /// Home.
    pub fn home() -> Self {
        Self::at(TourSpotDetail {
            home: Some(true),
            ..TourSpotDetail::default()
        })
    }

    /// A position.
    pub fn position(position: impl Into<Position>) -> Self {
        Self::at(TourSpotDetail {
            position: Some(position.into()),
            ..TourSpotDetail::default()
        })
    }

    /// The same, staying for so long.
    #[must_use]
    pub fn stay(mut self, time: std::time::Duration) -> Self {
        self.stay = Some(time.into());
        self
    }

    fn at(detail: TourSpotDetail) -> Self {
        Self {
            detail,
            speed: None,
            stay: None,
        }
    }
}

soap_reply! {
    /// What tours may be like.
    pub struct PresetTourOptions in "tt" {
        /// Whether a tour may start with the camera.
        auto_start: Option<bool> = "AutoStart",
        /// How often and in which order.
        starting_condition: Option<TourStartingConditionOptions> = "StartingCondition",
        /// The positions.
        spot: Option<TourSpotOptions> = "TourSpot",
    }
}

soap_reply! {
    /// How often tours may run, and in which order.
    pub struct TourStartingConditionOptions in "tt" {
        /// How often.
        recurring_time: Option<IntRange> = "RecurringTime",
        /// For how long.
        recurring_duration: Option<DurationRange> = "RecurringDuration",
        /// In which orders.
        directions: Vec<TourDirection> = "Direction",
    }
}

soap_reply! {
    /// What the positions of tours may be.
    pub struct TourSpotOptions in "tt" {
        /// Where.
        detail: Option<TourSpotDetailOptions> = "PresetDetail",
        /// For how long.
        stay: Option<DurationRange> = "StayTime",
    }
}

soap_reply! {
    /// Where the positions of tours may be.
    pub struct TourSpotDetailOptions in "tt" {
        /// These presets.
        preset_tokens: Vec<PresetToken> = "PresetToken",
        /// Home.
        home: Option<bool> = "Home",
        /// Positions of pan and tilt.
        pan_tilt_space: Option<Space2D> = "PanTiltPositionSpace",
        /// Positions of zoom.
        zoom_space: Option<Space1D> = "ZoomPositionSpace",
    }
}
