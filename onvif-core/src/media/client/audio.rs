use super::MediaClient;
use crate::error::Error;
use crate::media::{
    AudioDecoderConfiguration, AudioEncoder, AudioEncoderOptions, AudioOutput,
    AudioOutputConfiguration, AudioOutputConfigurationOptions, AudioSource,
    AudioSourceConfiguration, AudioSourceConfigurationOptions, ConfigurationToken, ProfileToken,
    ver10, ver20,
};
use crate::operation::{Effect, Service};

impl MediaClient<'_> {
    /// The audio sources. Only the first version of the service has them.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetAudioSources")]
    pub async fn audio_sources(&self) -> Result<Vec<AudioSource>, Error> {
        Ok(self.camera.call(&ver10::GetAudioSources {}).await?.sources)
    }

    /// The audio outputs. Only the first version of the service has them.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetAudioOutputs")]
    pub async fn audio_outputs(&self) -> Result<Vec<AudioOutput>, Error> {
        Ok(self.camera.call(&ver10::GetAudioOutputs {}).await?.outputs)
    }

    /// All configurations of audio sources.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetAudioSourceConfigurations")]
    pub async fn audio_source_configurations(
        &self,
    ) -> Result<Vec<AudioSourceConfiguration>, Error> {
        let newer = ver20::GetAudioSourceConfigurations {
            configuration_token: None,
            profile_token: None,
        };
        let older = ver10::GetAudioSourceConfigurations {};
        self.list(
            &newer,
            |reply| reply.configurations,
            &older,
            |reply| reply.configurations,
        )
        .await
    }

    /// The configurations of audio sources that can be put into a profile, with what it already has.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetCompatibleAudioSourceConfigurations")]
    pub async fn compatible_audio_source_configurations(
        &self,
        profile: &ProfileToken,
    ) -> Result<Vec<AudioSourceConfiguration>, Error> {
        let newer = ver20::GetAudioSourceConfigurations {
            configuration_token: None,
            profile_token: Some(profile.clone()),
        };
        let older = ver10::GetCompatibleAudioSourceConfigurations {
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

    /// What a configuration of an audio source may be set to.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call); [`Error::Unsupported`] when the camera answers
    /// without options.
    #[doc(alias = "GetAudioSourceConfigurationOptions")]
    pub async fn audio_source_options(
        &self,
        configuration: &ConfigurationToken,
    ) -> Result<AudioSourceConfigurationOptions, Error> {
        let newer = ver20::GetAudioSourceConfigurationOptions {
            configuration_token: Some(configuration.clone()),
            profile_token: None,
        };
        let older = ver10::GetAudioSourceConfigurationOptions {
            configuration_token: Some(configuration.clone()),
            profile_token: None,
        };
        self.one(
            &newer,
            |reply| reply.options,
            &older,
            |reply| reply.options,
            "options of an audio source",
        )
        .await
    }

    /// Changes a configuration of an audio source. Take one that was read, and change it: what is `None` is
    /// reset or refused.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetAudioSourceConfiguration")]
    pub async fn set_audio_source_configuration(
        &self,
        configuration: &AudioSourceConfiguration,
    ) -> Result<(), Error> {
        let newer = ver20::SetAudioSourceConfiguration {
            configuration: configuration.clone(),
        };
        let older = ver10::SetAudioSourceConfiguration {
            configuration: configuration.clone(),
            force_persistence: true,
        };
        self.either(&newer, |()| (), &older, |()| ()).await
    }

    /// All configurations of audio encoders.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetAudioEncoderConfigurations")]
    pub async fn audio_encoders(&self) -> Result<Vec<AudioEncoder>, Error> {
        let newer = ver20::GetAudioEncoderConfigurations {
            configuration_token: None,
            profile_token: None,
        };
        let older = ver10::GetAudioEncoderConfigurations {};
        self.list(
            &newer,
            |reply| reply.configurations.into_iter().map(Into::into).collect(),
            &older,
            |reply| reply.configurations.into_iter().map(Into::into).collect(),
        )
        .await
    }

    /// The configurations of audio encoders that can be put into a profile, with what it already has.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetCompatibleAudioEncoderConfigurations")]
    pub async fn compatible_audio_encoders(
        &self,
        profile: &ProfileToken,
    ) -> Result<Vec<AudioEncoder>, Error> {
        let newer = ver20::GetAudioEncoderConfigurations {
            configuration_token: None,
            profile_token: Some(profile.clone()),
        };
        let older = ver10::GetCompatibleAudioEncoderConfigurations {
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

    /// What a configuration of an audio encoder may be set to: one entry for each codec.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetAudioEncoderConfigurationOptions")]
    pub async fn audio_encoder_options(
        &self,
        configuration: &ConfigurationToken,
    ) -> Result<Vec<AudioEncoderOptions>, Error> {
        let newer = ver20::GetAudioEncoderConfigurationOptions {
            configuration_token: Some(configuration.clone()),
            profile_token: None,
        };
        let older = ver10::GetAudioEncoderConfigurationOptions {
            configuration_token: Some(configuration.clone()),
            profile_token: None,
        };
        self.list(
            &newer,
            |reply| reply.options,
            &older,
            |reply| {
                reply
                    .options
                    .map(|options| options.options)
                    .unwrap_or_default()
            },
        )
        .await
    }

    /// Changes an audio encoder. What is `None` stays as it is, and so does everything that
    /// [`AudioEncoder`] does not show.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call); [`Error::Unsupported`] when there is no such
    /// encoder.
    #[doc(alias = "SetAudioEncoderConfiguration")]
    pub async fn set_audio_encoder(&self, encoder: &AudioEncoder) -> Result<(), Error> {
        if self.has(Service::Media2) {
            match self.set_audio_encoder_ver20(encoder).await {
                Err(error) if self.may_fall_back(&error, Effect::Write) => {}
                other => return other,
            }
        }
        let request = ver10::GetAudioEncoderConfiguration {
            configuration_token: encoder.token.clone(),
        };
        let reply = self.camera.call(&request).await?;
        let mut configuration = reply
            .configuration
            .ok_or_else(|| self.lacks(&format!("the audio encoder {}", encoder.token)))?;
        encoder.apply_ver10(&mut configuration);
        let request = ver10::SetAudioEncoderConfiguration {
            configuration,
            force_persistence: true,
        };
        self.camera.call(&request).await
    }

    async fn set_audio_encoder_ver20(&self, encoder: &AudioEncoder) -> Result<(), Error> {
        let request = ver20::GetAudioEncoderConfigurations {
            configuration_token: Some(encoder.token.clone()),
            profile_token: None,
        };
        let mut all = self.camera.call(&request).await?.configurations.into_iter();
        let mut configuration = all
            .find(|configuration| configuration.token == encoder.token)
            .ok_or_else(|| self.lacks(&format!("the audio encoder {}", encoder.token)))?;
        encoder.apply_ver20(&mut configuration);
        let request = ver20::SetAudioEncoderConfiguration { configuration };
        self.camera.call(&request).await
    }

    /// All configurations of audio outputs.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetAudioOutputConfigurations")]
    pub async fn audio_output_configurations(
        &self,
    ) -> Result<Vec<AudioOutputConfiguration>, Error> {
        let newer = ver20::GetAudioOutputConfigurations {
            configuration_token: None,
            profile_token: None,
        };
        let older = ver10::GetAudioOutputConfigurations {};
        self.list(
            &newer,
            |reply| reply.configurations,
            &older,
            |reply| reply.configurations,
        )
        .await
    }

    /// The configurations of audio outputs that can be put into a profile, with what it already has.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetCompatibleAudioOutputConfigurations")]
    pub async fn compatible_audio_output_configurations(
        &self,
        profile: &ProfileToken,
    ) -> Result<Vec<AudioOutputConfiguration>, Error> {
        let newer = ver20::GetAudioOutputConfigurations {
            configuration_token: None,
            profile_token: Some(profile.clone()),
        };
        let older = ver10::GetCompatibleAudioOutputConfigurations {
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

    /// What a configuration of an audio output may be set to.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call); [`Error::Unsupported`] when the camera answers
    /// without options.
    #[doc(alias = "GetAudioOutputConfigurationOptions")]
    pub async fn audio_output_options(
        &self,
        configuration: &ConfigurationToken,
    ) -> Result<AudioOutputConfigurationOptions, Error> {
        let newer = ver20::GetAudioOutputConfigurationOptions {
            configuration_token: Some(configuration.clone()),
            profile_token: None,
        };
        let older = ver10::GetAudioOutputConfigurationOptions {
            configuration_token: Some(configuration.clone()),
            profile_token: None,
        };
        self.one(
            &newer,
            |reply| reply.options,
            &older,
            |reply| reply.options,
            "options of an audio output",
        )
        .await
    }

    /// Changes a configuration of an audio output. Take one that was read, and change it: what is `None` is
    /// reset or refused.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetAudioOutputConfiguration")]
    pub async fn set_audio_output_configuration(
        &self,
        configuration: &AudioOutputConfiguration,
    ) -> Result<(), Error> {
        let newer = ver20::SetAudioOutputConfiguration {
            configuration: configuration.clone(),
        };
        let older = ver10::SetAudioOutputConfiguration {
            configuration: configuration.clone(),
            force_persistence: true,
        };
        self.either(&newer, |()| (), &older, |()| ()).await
    }

    /// All configurations of audio decoders.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetAudioDecoderConfigurations")]
    pub async fn audio_decoder_configurations(
        &self,
    ) -> Result<Vec<AudioDecoderConfiguration>, Error> {
        let newer = ver20::GetAudioDecoderConfigurations {
            configuration_token: None,
            profile_token: None,
        };
        let older = ver10::GetAudioDecoderConfigurations {};
        self.list(
            &newer,
            |reply| reply.configurations,
            &older,
            |reply| reply.configurations,
        )
        .await
    }

    /// The configurations of audio decoders that can be put into a profile, with what it already has.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetCompatibleAudioDecoderConfigurations")]
    pub async fn compatible_audio_decoder_configurations(
        &self,
        profile: &ProfileToken,
    ) -> Result<Vec<AudioDecoderConfiguration>, Error> {
        let newer = ver20::GetAudioDecoderConfigurations {
            configuration_token: None,
            profile_token: Some(profile.clone()),
        };
        let older = ver10::GetCompatibleAudioDecoderConfigurations {
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

    /// What a configuration of an audio decoder may be set to: one entry for each codec.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetAudioDecoderConfigurationOptions")]
    pub async fn audio_decoder_options(
        &self,
        configuration: &ConfigurationToken,
    ) -> Result<Vec<AudioEncoderOptions>, Error> {
        let newer = ver20::GetAudioDecoderConfigurationOptions {
            configuration_token: Some(configuration.clone()),
            profile_token: None,
        };
        let older = ver10::GetAudioDecoderConfigurationOptions {
            configuration_token: Some(configuration.clone()),
            profile_token: None,
        };
        self.list(
            &newer,
            |reply| reply.options,
            &older,
            |reply| reply.options.map(Into::into).unwrap_or_default(),
        )
        .await
    }

    /// Changes a configuration of an audio decoder. Take one that was read, and change it: what is `None` is
    /// reset or refused.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetAudioDecoderConfiguration")]
    pub async fn set_audio_decoder_configuration(
        &self,
        configuration: &AudioDecoderConfiguration,
    ) -> Result<(), Error> {
        let newer = ver20::SetAudioDecoderConfiguration {
            configuration: configuration.clone(),
        };
        let older = ver10::SetAudioDecoderConfiguration {
            configuration: configuration.clone(),
            force_persistence: true,
        };
        self.either(&newer, |()| (), &older, |()| ()).await
    }
}
