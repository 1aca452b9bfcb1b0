//! Preset tours.

use onvif_core::Error;
use onvif_core::media::ProfileToken;

use super::PtzClient;
use crate::limits::Ability;
use crate::operations::{
    CreatePresetTour, GetPresetTour, GetPresetTourOptions, GetPresetTours, ModifyPresetTour,
    OperatePresetTour, PresetTour, PresetTourOptions, PresetTourToken, RemovePresetTour,
    TourOperation,
};

impl PtzClient {
    /// The tours.
    ///
    /// # Errors
    /// Those of [`Camera::call`](onvif_core::Camera::call).
    #[doc(alias = "GetPresetTours")]
    pub async fn tours(&self, profile: &ProfileToken) -> Result<Vec<PresetTour>, Error> {
        let request = GetPresetTours {
            profile_token: profile.clone(),
        };
        let result = self.camera.call(&request).await;
        let needed = [(true, Ability::PresetTours)];
        Ok(self.explained(result, profile, &needed).await?.tours)
    }

    /// One tour, with what it does now; `None` when the camera answers without it.
    ///
    /// # Errors
    /// Those of [`Camera::call`](onvif_core::Camera::call).
    #[doc(alias = "GetPresetTour")]
    pub async fn tour(
        &self,
        profile: &ProfileToken,
        tour: &PresetTourToken,
    ) -> Result<Option<PresetTour>, Error> {
        let request = GetPresetTour {
            profile_token: profile.clone(),
            tour_token: tour.clone(),
        };
        Ok(self.camera.call(&request).await?.tour)
    }

    /// What tours, or one of them, may be like; `None` when the camera does not tell.
    ///
    /// # Errors
    /// Those of [`Camera::call`](onvif_core::Camera::call).
    #[doc(alias = "GetPresetTourOptions")]
    pub async fn tour_options(
        &self,
        profile: &ProfileToken,
        tour: Option<&PresetTourToken>,
    ) -> Result<Option<PresetTourOptions>, Error> {
        let request = GetPresetTourOptions {
            profile_token: profile.clone(),
            tour_token: tour.cloned(),
        };
        Ok(self.camera.call(&request).await?.options)
    }

    /// Creates an empty tour; fill it with [`modify_tour`](Self::modify_tour).
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the node has no tours or the camera does not tell the token, and
    /// those of [`Camera::call`](onvif_core::Camera::call).
    #[doc(alias = "CreatePresetTour")]
    pub async fn create_tour(&self, profile: &ProfileToken) -> Result<PresetTourToken, Error> {
        let request = CreatePresetTour {
            profile_token: profile.clone(),
        };
        let result = self.camera.call(&request).await;
        let needed = [(true, Ability::PresetTours)];
        let created = self.explained(result, profile, &needed).await?;
        let token = created.tour_token;
        token.ok_or_else(|| self.unsupported("preset tours: it does not name the one it made"))
    }

    /// Changes a tour. It is replaced as a whole, so take it from the camera and change that.
    ///
    /// # Errors
    /// Those of [`Camera::call`](onvif_core::Camera::call). What is possible is in
    /// [`tour_options`](Self::tour_options).
    #[doc(alias = "ModifyPresetTour")]
    pub async fn modify_tour(&self, profile: &ProfileToken, tour: PresetTour) -> Result<(), Error> {
        let request = ModifyPresetTour {
            profile_token: profile.clone(),
            tour,
        };
        self.camera.call(&request).await
    }

    /// Starts, pauses or ends a tour. [`stop`](Self::stop) ends the tour of a camera too.
    ///
    /// # Errors
    /// Those of [`Camera::call`](onvif_core::Camera::call).
    #[doc(alias = "OperatePresetTour")]
    pub async fn operate_tour(
        &self,
        profile: &ProfileToken,
        tour: &PresetTourToken,
        operation: TourOperation,
    ) -> Result<(), Error> {
        let request = OperatePresetTour {
            profile_token: profile.clone(),
            tour_token: tour.clone(),
            operation,
        };
        self.act(&request).await
    }

    /// Forgets a tour.
    ///
    /// # Errors
    /// Those of [`Camera::call`](onvif_core::Camera::call).
    #[doc(alias = "RemovePresetTour")]
    pub async fn remove_tour(
        &self,
        profile: &ProfileToken,
        tour: &PresetTourToken,
    ) -> Result<(), Error> {
        let request = RemovePresetTour {
            profile_token: profile.clone(),
            tour_token: tour.clone(),
        };
        self.camera.call(&request).await
    }
}
