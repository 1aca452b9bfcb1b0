use super::MediaClient;
use crate::error::Error;
use crate::media::{
    ConfigurationToken, EncoderInstanceInfo, ProfileToken, VideoEncoder, VideoEncoderOptions,
    VideoSource, VideoSourceConfiguration, VideoSourceConfigurationOptions, VideoSourceMode,
    VideoSourceModeToken, VideoSourceToken, ver10, ver20,
};
use crate::operation::{Effect, Service};

impl MediaClient<'_> {
    /// The video sources. Only the first version of the service has them.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetVideoSources")]
    pub async fn video_sources(&self) -> Result<Vec<VideoSource>, Error> {
        Ok(self.camera.call(&ver10::GetVideoSources {}).await?.sources)
    }

    /// The modes of a video source.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetVideoSourceModes")]
    pub async fn video_source_modes(
        &self,
        source: &VideoSourceToken,
    ) -> Result<Vec<VideoSourceMode>, Error> {
        let newer = ver20::GetVideoSourceModes {
            video_source_token: source.clone(),
        };
        let older = ver10::GetVideoSourceModes {
            video_source_token: source.clone(),
        };
        let from_older = |reply: ver10::GetVideoSourceModesResponse| {
            reply.modes.into_iter().map(Into::into).collect()
        };
        self.list(&newer, |reply| reply.modes, &older, from_older)
            .await
    }

    /// Puts a video source into a mode. Returns whether the camera restarts now.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetVideoSourceMode")]
    pub async fn set_video_source_mode(
        &self,
        source: &VideoSourceToken,
        mode: &VideoSourceModeToken,
    ) -> Result<bool, Error> {
        let newer = ver20::SetVideoSourceMode {
            video_source_token: source.clone(),
            video_source_mode_token: mode.clone(),
        };
        let older = ver10::SetVideoSourceMode {
            video_source_token: source.clone(),
            video_source_mode_token: mode.clone(),
        };
        let reboot = self
            .either(&newer, |reply| reply.reboot, &older, |reply| reply.reboot)
            .await?;
        Ok(reboot.unwrap_or_default())
    }

    /// All configurations of video sources.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetVideoSourceConfigurations")]
    pub async fn video_source_configurations(
        &self,
    ) -> Result<Vec<VideoSourceConfiguration>, Error> {
        let newer = ver20::GetVideoSourceConfigurations {
            configuration_token: None,
            profile_token: None,
        };
        let older = ver10::GetVideoSourceConfigurations {};
        self.list(
            &newer,
            |reply| reply.configurations,
            &older,
            |reply| reply.configurations,
        )
        .await
    }

    /// The configurations of video sources that can be put into a profile, with what it already has.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetCompatibleVideoSourceConfigurations")]
    pub async fn compatible_video_source_configurations(
        &self,
        profile: &ProfileToken,
    ) -> Result<Vec<VideoSourceConfiguration>, Error> {
        let newer = ver20::GetVideoSourceConfigurations {
            configuration_token: None,
            profile_token: Some(profile.clone()),
        };
        let older = ver10::GetCompatibleVideoSourceConfigurations {
            profile_token: profile.clone(),
        };
        self.list(
            &newer,
            |reply| reply.configurations,
            &older,
            |reply| reply.configurations,
        )
        .await
    }

    /// What a configuration of a video source may be set to.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call); [`Error::Unsupported`] when the camera answers
    /// without options.
    #[doc(alias = "GetVideoSourceConfigurationOptions")]
    pub async fn video_source_options(
        &self,
        configuration: &ConfigurationToken,
    ) -> Result<VideoSourceConfigurationOptions, Error> {
        let newer = ver20::GetVideoSourceConfigurationOptions {
            configuration_token: Some(configuration.clone()),
            profile_token: None,
        };
        let older = ver10::GetVideoSourceConfigurationOptions {
            configuration_token: Some(configuration.clone()),
            profile_token: None,
        };
        self.one(
            &newer,
            |reply| reply.options,
            &older,
            |reply| reply.options,
            "options of a video source",
        )
        .await
    }

    /// Changes a configuration of a video source. Take one that was read, and change it: what is `None` is
    /// reset or refused.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetVideoSourceConfiguration")]
    pub async fn set_video_source_configuration(
        &self,
        configuration: &VideoSourceConfiguration,
    ) -> Result<(), Error> {
        let newer = ver20::SetVideoSourceConfiguration {
            configuration: configuration.clone(),
        };
        let older = ver10::SetVideoSourceConfiguration {
            configuration: configuration.clone(),
            force_persistence: true,
        };
        self.either(&newer, |()| (), &older, |()| ()).await
    }

    /// All configurations of video encoders.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetVideoEncoderConfigurations")]
    pub async fn video_encoders(&self) -> Result<Vec<VideoEncoder>, Error> {
        let newer = ver20::GetVideoEncoderConfigurations {
            configuration_token: None,
            profile_token: None,
        };
        let older = ver10::GetVideoEncoderConfigurations {};
        self.list(
            &newer,
            |reply| reply.configurations.into_iter().map(Into::into).collect(),
            &older,
            |reply| reply.configurations.into_iter().map(Into::into).collect(),
        )
        .await
    }

    /// The configurations of video encoders that can be put into a profile, with what it already has.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetCompatibleVideoEncoderConfigurations")]
    pub async fn compatible_video_encoders(
        &self,
        profile: &ProfileToken,
    ) -> Result<Vec<VideoEncoder>, Error> {
        let newer = ver20::GetVideoEncoderConfigurations {
            configuration_token: None,
            profile_token: Some(profile.clone()),
        };
        let older = ver10::GetCompatibleVideoEncoderConfigurations {
            profile_token: profile.clone(),
        };
        self.list(
            &newer,
            |reply| reply.configurations.into_iter().map(Into::into).collect(),
            &older,
            |reply| reply.configurations.into_iter().map(Into::into).collect(),
        )
        .await
    }

    /// What a configuration of a video encoder may be set to: one entry for each codec.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetVideoEncoderConfigurationOptions")]
    pub async fn video_encoder_options(
        &self,
        configuration: &ConfigurationToken,
    ) -> Result<Vec<VideoEncoderOptions>, Error> {
        let newer = ver20::GetVideoEncoderConfigurationOptions {
            configuration_token: Some(configuration.clone()),
            profile_token: None,
        };
        let older = ver10::GetVideoEncoderConfigurationOptions {
            configuration_token: Some(configuration.clone()),
            profile_token: None,
        };
        self.list(
            &newer,
            |reply| reply.options.into_iter().map(Into::into).collect(),
            &older,
            |reply| {
                reply
                    .options
                    .map(VideoEncoderOptions::from_ver10)
                    .unwrap_or_default()
            },
        )
        .await
    }

    /// Changes a video encoder. What is `None` stays as it is, and so does everything that
    /// [`VideoEncoder`] does not show. Running streams may break off.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): the camera refuses what is not in its
    /// [options](Self::video_encoder_options). [`Error::Unsupported`] when there is no such encoder.
    #[doc(alias = "SetVideoEncoderConfiguration")]
    pub async fn set_video_encoder(&self, encoder: &VideoEncoder) -> Result<(), Error> {
        if self.has(Service::Media2) {
            match self.set_video_encoder_ver20(encoder).await {
                Err(error) if self.may_fall_back(&error, Effect::Write) => {}
                other => return other,
            }
        }
        let request = ver10::GetVideoEncoderConfiguration {
            configuration_token: encoder.token.clone(),
        };
        let reply = self.camera.call(&request).await?;
        let mut configuration = reply
            .configuration
            .ok_or_else(|| self.lacks(&format!("the video encoder {}", encoder.token)))?;
        encoder.apply_ver10(&mut configuration);
        let request = ver10::SetVideoEncoderConfiguration {
            configuration,
            force_persistence: true,
        };
        self.camera.call(&request).await
    }

    async fn set_video_encoder_ver20(&self, encoder: &VideoEncoder) -> Result<(), Error> {
        let request = ver20::GetVideoEncoderConfigurations {
            configuration_token: Some(encoder.token.clone()),
            profile_token: None,
        };
        let mut all = self.camera.call(&request).await?.configurations.into_iter();
        let mut configuration = all
            .find(|configuration| configuration.token == encoder.token)
            .ok_or_else(|| self.lacks(&format!("the video encoder {}", encoder.token)))?;
        encoder.apply_ver20(&mut configuration);
        let request = ver20::SetVideoEncoderConfiguration { configuration };
        self.camera.call(&request).await
    }

    /// How many streams of a video source configuration the camera can encode at once.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call); [`Error::Unsupported`] when the camera answers
    /// without a number.
    #[doc(alias = "GetVideoEncoderInstances")]
    #[doc(alias = "GetGuaranteedNumberOfVideoEncoderInstances")]
    pub async fn video_encoder_instances(
        &self,
        video_source_configuration: &ConfigurationToken,
    ) -> Result<EncoderInstanceInfo, Error> {
        let newer = ver20::GetVideoEncoderInstances {
            configuration_token: video_source_configuration.clone(),
        };
        let older = ver10::GetGuaranteedNumberOfVideoEncoderInstances {
            configuration_token: video_source_configuration.clone(),
        };
        self.one(
            &newer,
            |reply| reply.info,
            &older,
            |reply| Some(reply.into()),
            "the number of video encoders",
        )
        .await
    }
}
