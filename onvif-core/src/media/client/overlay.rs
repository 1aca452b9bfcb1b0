use super::MediaClient;
use crate::error::Error;
use crate::media::{
    ConfigurationToken, Mask, MaskOptions, MaskToken, OsdConfiguration, OsdOptions, OsdToken,
    ver10, ver20,
};

impl MediaClient<'_> {
    /// The on-screen displays of a video source configuration, or all.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetOSDs")]
    pub async fn osds(
        &self,
        video_source_configuration: Option<&ConfigurationToken>,
    ) -> Result<Vec<OsdConfiguration>, Error> {
        let newer = ver20::GetOsds {
            osd_token: None,
            configuration_token: video_source_configuration.cloned(),
        };
        let older = ver10::GetOsds {
            configuration_token: video_source_configuration.cloned(),
        };
        self.list(&newer, |reply| reply.osds, &older, |reply| reply.osds)
            .await
    }

    /// What the on-screen displays of a video source configuration may be.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call); [`Error::Unsupported`] when the camera answers
    /// without options.
    #[doc(alias = "GetOSDOptions")]
    pub async fn osd_options(
        &self,
        video_source_configuration: &ConfigurationToken,
    ) -> Result<OsdOptions, Error> {
        let newer = ver20::GetOsdOptions {
            configuration_token: video_source_configuration.clone(),
        };
        let older = ver10::GetOsdOptions {
            configuration_token: video_source_configuration.clone(),
        };
        self.one(
            &newer,
            |reply| reply.options,
            &older,
            |reply| reply.options,
            "options of on-screen displays",
        )
        .await
    }

    /// Shows a text or an image in the picture, and returns its token.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call); [`Error::Unsupported`] when the camera answers
    /// without a token.
    #[doc(alias = "CreateOSD")]
    pub async fn create_osd(&self, osd: &OsdConfiguration) -> Result<OsdToken, Error> {
        let newer = ver20::CreateOsd { osd: osd.clone() };
        let older = ver10::CreateOsd { osd: osd.clone() };
        let token = self
            .either(
                &newer,
                |reply| reply.osd_token,
                &older,
                |reply| reply.osd_token,
            )
            .await?;
        token.ok_or_else(|| self.lacks("tokens of on-screen displays"))
    }

    /// Changes an on-screen display. Take one that was read, and change it.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetOSD")]
    pub async fn set_osd(&self, osd: &OsdConfiguration) -> Result<(), Error> {
        let newer = ver20::SetOsd { osd: osd.clone() };
        let older = ver10::SetOsd { osd: osd.clone() };
        self.either(&newer, |()| (), &older, |()| ()).await
    }

    /// Takes an on-screen display away.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "DeleteOSD")]
    pub async fn delete_osd(&self, osd: &OsdToken) -> Result<(), Error> {
        let newer = ver20::DeleteOsd {
            osd_token: osd.clone(),
        };
        let older = ver10::DeleteOsd {
            osd_token: osd.clone(),
        };
        self.either(&newer, |()| (), &older, |()| ()).await
    }

    /// The privacy masks of a video source configuration, or all. Only the second version of the
    /// service has them.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetMasks")]
    pub async fn masks(
        &self,
        video_source_configuration: Option<&ConfigurationToken>,
    ) -> Result<Vec<Mask>, Error> {
        let request = ver20::GetMasks {
            token: None,
            configuration_token: video_source_configuration.cloned(),
        };
        Ok(self.camera.call(&request).await?.masks)
    }

    /// What the masks of a video source configuration may be.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call); [`Error::Unsupported`] when the camera answers
    /// without options.
    #[doc(alias = "GetMaskOptions")]
    pub async fn mask_options(
        &self,
        video_source_configuration: &ConfigurationToken,
    ) -> Result<MaskOptions, Error> {
        let request = ver20::GetMaskOptions {
            configuration_token: video_source_configuration.clone(),
        };
        let reply = self.camera.call(&request).await?;
        reply.options.ok_or_else(|| self.lacks("options of masks"))
    }

    /// Covers an area of the picture, and returns the token of the mask.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call); [`Error::Unsupported`] when the camera answers
    /// without a token.
    #[doc(alias = "CreateMask")]
    pub async fn create_mask(&self, mask: &Mask) -> Result<MaskToken, Error> {
        let reply = self
            .camera
            .call(&ver20::CreateMask { mask: mask.clone() })
            .await?;
        reply.token.ok_or_else(|| self.lacks("tokens of masks"))
    }

    /// Changes a mask. Take one that was read, and change it.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetMask")]
    pub async fn set_mask(&self, mask: &Mask) -> Result<(), Error> {
        self.camera
            .call(&ver20::SetMask { mask: mask.clone() })
            .await
    }

    /// Takes a mask away.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "DeleteMask")]
    pub async fn delete_mask(&self, mask: &MaskToken) -> Result<(), Error> {
        self.camera
            .call(&ver20::DeleteMask {
                token: mask.clone(),
            })
            .await
    }
}
