//! Moves to somewhere: absolute, relative, home, places on earth.

use onvif_core::media::ProfileToken;
use onvif_core::{Error, ErrorKind, Operation};

use super::{PtzClient, checked};
use crate::limits::Ability;
use crate::operations::{
    AbsoluteMove, GeoMove, GotoHomePosition, MoveAndStartTracking, PresetToken, RelativeMove,
    SetHomePosition,
};
use crate::timed::TimedMoveOptions;
use crate::vector::{GeoLocation, Position};

/// Where [`PtzClient::move_and_track`] starts to follow something.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TrackingStart {
    /// At a preset.
    Preset(PresetToken),
    /// At a place on earth.
    Place(GeoLocation),
    /// At a position.
    Position(Position),
}

impl PtzClient {
    /// Moves to a position. Returns when the camera has accepted, not when it has arrived; for that
    /// there is [`wait_until_idle`](Self::wait_until_idle).
    ///
    /// # Errors
    /// [`Error::Caller`] for numbers that are none, [`Error::Unsupported`] when the node cannot be
    /// moved to positions or not in this space, and those of [`Camera::call`](onvif_core::Camera::call):
    /// `InvalidPosition` when it is out of range. Ranges are in [`limits`](Self::limits).
    #[doc(alias = "AbsoluteMove")]
    pub async fn absolute_move(
        &self,
        profile: &ProfileToken,
        position: impl Into<Position>,
        speed: Option<Position>,
    ) -> Result<(), Error> {
        let request = AbsoluteMove {
            profile_token: profile.clone(),
            position: checked(position.into())?,
            speed,
        };
        let result = self.act(&request).await;
        let needed = [
            (
                request.position.pan_tilt.is_some(),
                Ability::AbsolutePanTilt,
            ),
            (request.position.zoom.is_some(), Ability::AbsoluteZoom),
        ];
        self.explained(result, profile, &needed).await?;
        Ok(())
    }

    /// Moves by a distance. Returns when the camera has accepted, not when it has arrived.
    ///
    /// # Errors
    /// As [`absolute_move`](Self::absolute_move).
    #[doc(alias = "RelativeMove")]
    pub async fn relative_move(
        &self,
        profile: &ProfileToken,
        translation: impl Into<Position>,
        speed: Option<Position>,
    ) -> Result<(), Error> {
        let request = RelativeMove {
            profile_token: profile.clone(),
            translation: checked(translation.into())?,
            speed,
        };
        let result = self.act(&request).await;
        let needed = [
            (
                request.translation.pan_tilt.is_some(),
                Ability::RelativePanTilt,
            ),
            (request.translation.zoom.is_some(), Ability::RelativeZoom),
        ];
        self.explained(result, profile, &needed).await
    }

    /// Moves by a distance with continuous moves, for cameras that have no other (Tapo, Sonoff,
    /// thingino): as far as the time at a known speed takes it, in generic numbers. Returns when the
    /// camera has confirmed that it stopped. Dropping the future stops it too.
    ///
    /// # Errors
    /// [`Error::Caller`] for numbers that are none, for options that never arrive, and for a distance
    /// in a space of its own; else those of [`continuous_move`](Self::continuous_move).
    pub async fn relative_move_by_time(
        &self,
        profile: &ProfileToken,
        translation: impl Into<Position>,
        options: TimedMoveOptions,
    ) -> Result<(), Error> {
        let translation = checked(translation.into())?;
        let has_space = translation
            .pan_tilt
            .as_ref()
            .is_some_and(|axis| axis.space.is_some())
            || translation
                .zoom
                .as_ref()
                .is_some_and(|axis| axis.space.is_some());
        if has_space {
            return Err(Error::Caller(
                "a distance that is made of velocity and time has no space".into(),
            ));
        }
        if !options.is_usable() {
            return Err(Error::Caller(
                "the velocity of a timed move is more than 0 and up to 1, its speeds more than 0"
                    .into(),
            ));
        }
        for (velocity, duration) in options.moves(&translation) {
            let motion = self.continuous_move(profile, velocity, duration).await?;
            motion.finished().await?;
        }
        Ok(())
    }

    /// Points at a place on earth, for nodes that can ([`Ability::GeoMove`]). `area` is height and
    /// width in metres of what the picture should show.
    ///
    /// # Errors
    /// [`Error::Caller`] for a place that is not on earth, and as
    /// [`absolute_move`](Self::absolute_move); `GeoMoveNotSupported` and `UnreachablePosition` are
    /// faults of the camera.
    #[doc(alias = "GeoMove")]
    pub async fn geo_move(
        &self,
        profile: &ProfileToken,
        target: GeoLocation,
        area: Option<(f32, f32)>,
        speed: Option<Position>,
    ) -> Result<(), Error> {
        let area = area.unzip();
        let request = GeoMove {
            profile_token: profile.clone(),
            target: on_earth(target)?,
            speed,
            area_height: area.0,
            area_width: area.1,
        };
        let result = self.act(&request).await;
        self.explained(result, profile, &[(true, Ability::GeoMove)])
            .await
    }

    /// Moves to where something is and follows it; `object` is the number that analytics gave it. What
    /// the camera can start from is in
    /// [`ServiceCapabilities::move_and_track`](crate::ServiceCapabilities::move_and_track).
    ///
    /// # Errors
    /// As [`absolute_move`](Self::absolute_move).
    #[doc(alias = "MoveAndStartTracking")]
    pub async fn move_and_track(
        &self,
        profile: &ProfileToken,
        start: Option<TrackingStart>,
        object: Option<i64>,
        speed: Option<Position>,
    ) -> Result<(), Error> {
        let mut request = MoveAndStartTracking {
            profile_token: profile.clone(),
            preset_token: None,
            geo_location: None,
            target_position: None,
            speed,
            object_id: object,
        };
        match start {
            Some(TrackingStart::Preset(preset)) => request.preset_token = Some(preset),
            Some(TrackingStart::Place(place)) => request.geo_location = Some(on_earth(place)?),
            Some(TrackingStart::Position(position)) => {
                request.target_position = Some(checked(position)?);
            }
            None => {}
        }
        self.act(&request).await
    }

    /// Moves home.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the node has no home, and those of
    /// [`Camera::call`](onvif_core::Camera::call).
    #[doc(alias = "GotoHomePosition")]
    pub async fn goto_home(
        &self,
        profile: &ProfileToken,
        speed: Option<Position>,
    ) -> Result<(), Error> {
        let request = GotoHomePosition {
            profile_token: profile.clone(),
            speed,
        };
        let result = self.act(&request).await;
        self.explained(result, profile, &[(true, Ability::Home)])
            .await
    }

    /// Makes the current position home.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the home of the node is fixed, and those of
    /// [`Camera::call`](onvif_core::Camera::call).
    #[doc(alias = "SetHomePosition")]
    pub async fn set_home(&self, profile: &ProfileToken) -> Result<(), Error> {
        let request = SetHomePosition {
            profile_token: profile.clone(),
        };
        let result = self.act(&request).await;
        self.explained(result, profile, &[(true, Ability::SetHome)])
            .await
    }

    /// Sends a request that moves the camera, when it is its turn.
    pub(super) async fn act<O>(&self, request: &O) -> Result<O::Response, Error>
    where
        O: Operation + Sync,
    {
        let call = self.camera.call(request);
        self.shared.lane.take_turn(call).await
    }

    /// Says what the node lacks, where that is why the camera refused. Cameras have many words for it,
    /// and some say nothing at all.
    pub(super) async fn explained<T>(
        &self,
        result: Result<T, Error>,
        profile: &ProfileToken,
        needed: &[(bool, Ability)],
    ) -> Result<T, Error> {
        let Err(error) = result else { return result };
        if !matches!(error.kind(), ErrorKind::Refused | ErrorKind::Unsupported) {
            return Err(error);
        }
        let Ok(node) = self.node_of(profile).await else {
            return Err(error);
        };
        let lacking = needed
            .iter()
            .find(|(asked, ability)| *asked && !node.supports(*ability));
        Err(match lacking {
            Some((_, ability)) => {
                tracing::debug!(%error, %ability, "the node does not list it");
                self.unsupported(ability.to_string())
            }
            None => error,
        })
    }
}

fn on_earth(place: GeoLocation) -> Result<GeoLocation, Error> {
    if place.is_valid() {
        Ok(place)
    } else {
        Err(Error::Caller(
            "a place on earth has a latitude of -90 to 90 and a longitude of -180 to 180 degrees"
                .into(),
        ))
    }
}
