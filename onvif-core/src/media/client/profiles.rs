use super::MediaClient;
use crate::error::{Error, ErrorKind};
use crate::media::{ConfigurationKind, ConfigurationToken, Profile, ProfileToken, ver10, ver20};
use crate::operation::{Effect, Service};

/// What to ask for where `All` is not understood.
const KINDS: [&str; 9] = [
    "VideoSource",
    "VideoEncoder",
    "AudioSource",
    "AudioEncoder",
    "AudioOutput",
    "AudioDecoder",
    "Metadata",
    "Analytics",
    "PTZ",
];

impl MediaClient<'_> {
    /// All media profiles.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetProfiles")]
    pub async fn profiles(&self) -> Result<Vec<Profile>, Error> {
        if self.has(Service::Media2) {
            match self.profiles_ver20().await {
                // Some cameras list bare profiles in Media2, and the rest of them only in Media.
                Ok(profiles)
                    if profiles.iter().any(Profile::is_configured) || !self.has(Service::Media) =>
                {
                    return Ok(profiles);
                }
                Ok(_) => {}
                Err(error) if self.may_fall_back(&error, Effect::Read) => {}
                Err(error) => return Err(error),
            }
        }
        let reply = self.camera.call(&ver10::GetProfiles {}).await?;
        Ok(reply.profiles.into_iter().map(Profile::from).collect())
    }

    async fn profiles_ver20(&self) -> Result<Vec<Profile>, Error> {
        let all = ver20::GetProfiles {
            token: None,
            types: vec!["All".into()],
        };
        let reply = match self.camera.call(&all).await {
            // A single `Type` of `All` crashes the handler of some firmware; without it only
            // tokens and names come back, so the parts are asked for by name.
            Err(error) if matches!(error.kind(), ErrorKind::Refused | ErrorKind::Misbehaved) => {
                let types = KINDS.map(String::from).to_vec();
                match self
                    .camera
                    .call(&ver20::GetProfiles { token: None, types })
                    .await
                {
                    Err(error)
                        if matches!(error.kind(), ErrorKind::Refused | ErrorKind::Misbehaved) =>
                    {
                        self.camera
                            .call(&ver20::GetProfiles {
                                token: None,
                                types: vec![],
                            })
                            .await
                    }
                    other => other,
                }
            }
            other => other,
        }?;
        Ok(reply.profiles.into_iter().map(Profile::from).collect())
    }

    /// Makes a profile of configurations, and returns its token. Configurations of audio and video
    /// belong together with their sources: the source comes first.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call); [`Error::Unsupported`] when the camera answers
    /// without a token.
    #[doc(alias = "CreateProfile")]
    pub async fn create_profile(
        &self,
        name: &str,
        configurations: &[(ConfigurationKind, ConfigurationToken)],
    ) -> Result<ProfileToken, Error> {
        if self.has(Service::Media2) {
            let request = ver20::CreateProfile {
                name: name.to_owned(),
                configuration: configurations.iter().map(reference).collect(),
            };
            match self.camera.call(&request).await {
                Err(error) if self.may_fall_back(&error, Effect::Write) => {}
                other => return other?.token.ok_or_else(|| self.lacks("tokens of profiles")),
            }
        }
        let request = ver10::CreateProfile {
            name: name.to_owned(),
            token: None,
        };
        let reply = self.camera.call(&request).await?;
        let profile = reply
            .profile
            .ok_or_else(|| self.lacks("tokens of profiles"))?
            .token;
        for (kind, configuration) in configurations {
            if let Err(error) = self.add_ver10(&profile, kind, configuration).await {
                // Half a profile is worse than none; the first error is the one to tell.
                let request = ver10::DeleteProfile {
                    profile_token: profile,
                };
                let _ = self.camera.call(&request).await;
                return Err(error);
            }
        }
        Ok(profile)
    }

    /// Deletes a profile. Its configurations stay.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): a fixed profile cannot be deleted.
    #[doc(alias = "DeleteProfile")]
    pub async fn delete_profile(&self, profile: &ProfileToken) -> Result<(), Error> {
        let newer = ver20::DeleteProfile {
            token: profile.clone(),
        };
        let older = ver10::DeleteProfile {
            profile_token: profile.clone(),
        };
        self.either(&newer, |()| (), &older, |()| ()).await
    }

    /// Puts a configuration into a profile, in place of the one of its kind.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call); [`Error::Unsupported`] for kinds that only Media2
    /// has, where the camera lacks it.
    #[doc(alias = "AddConfiguration")]
    pub async fn add_configuration(
        &self,
        profile: &ProfileToken,
        kind: ConfigurationKind,
        configuration: &ConfigurationToken,
    ) -> Result<(), Error> {
        if self.has(Service::Media2) {
            let request = ver20::AddConfiguration {
                profile_token: profile.clone(),
                name: None,
                configuration: vec![reference(&(kind.clone(), configuration.clone()))],
            };
            match self.camera.call(&request).await {
                Err(error) if self.may_fall_back(&error, Effect::Write) => {}
                other => return other,
            }
        }
        self.add_ver10(profile, &kind, configuration).await
    }

    /// Takes the configuration of a kind out of a profile.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call); [`Error::Unsupported`] for kinds that only Media2
    /// has, where the camera lacks it.
    #[doc(alias = "RemoveConfiguration")]
    pub async fn remove_configuration(
        &self,
        profile: &ProfileToken,
        kind: ConfigurationKind,
    ) -> Result<(), Error> {
        if self.has(Service::Media2) {
            let request = ver20::RemoveConfiguration {
                profile_token: profile.clone(),
                configuration: vec![ver20::ConfigurationRef {
                    kind: kind.clone(),
                    token: None,
                }],
            };
            match self.camera.call(&request).await {
                Err(error) if self.may_fall_back(&error, Effect::Write) => {}
                other => return other,
            }
        }
        let profile_token = profile.clone();
        let camera = self.camera;
        macro_rules! remove {
            ($operation:ident) => {
                camera.call(&ver10::$operation { profile_token }).await
            };
        }
        match kind {
            ConfigurationKind::VideoSource => remove!(RemoveVideoSourceConfiguration),
            ConfigurationKind::VideoEncoder => remove!(RemoveVideoEncoderConfiguration),
            ConfigurationKind::AudioSource => remove!(RemoveAudioSourceConfiguration),
            ConfigurationKind::AudioEncoder => remove!(RemoveAudioEncoderConfiguration),
            ConfigurationKind::AudioOutput => remove!(RemoveAudioOutputConfiguration),
            ConfigurationKind::AudioDecoder => remove!(RemoveAudioDecoderConfiguration),
            ConfigurationKind::Metadata => remove!(RemoveMetadataConfiguration),
            ConfigurationKind::Analytics => remove!(RemoveVideoAnalyticsConfiguration),
            ConfigurationKind::Ptz => remove!(RemovePtzConfiguration),
            other => Err(self.lacks(&format!("configurations of kind {other} in profiles"))),
        }
    }

    async fn add_ver10(
        &self,
        profile: &ProfileToken,
        kind: &ConfigurationKind,
        configuration: &ConfigurationToken,
    ) -> Result<(), Error> {
        let profile_token = profile.clone();
        let configuration_token = configuration.clone();
        let camera = self.camera;
        macro_rules! add {
            ($operation:ident) => {
                camera
                    .call(&ver10::$operation {
                        profile_token,
                        configuration_token,
                    })
                    .await
            };
        }
        match kind {
            ConfigurationKind::VideoSource => add!(AddVideoSourceConfiguration),
            ConfigurationKind::VideoEncoder => add!(AddVideoEncoderConfiguration),
            ConfigurationKind::AudioSource => add!(AddAudioSourceConfiguration),
            ConfigurationKind::AudioEncoder => add!(AddAudioEncoderConfiguration),
            ConfigurationKind::AudioOutput => add!(AddAudioOutputConfiguration),
            ConfigurationKind::AudioDecoder => add!(AddAudioDecoderConfiguration),
            ConfigurationKind::Metadata => add!(AddMetadataConfiguration),
            ConfigurationKind::Analytics => add!(AddVideoAnalyticsConfiguration),
            ConfigurationKind::Ptz => add!(AddPtzConfiguration),
            other => Err(self.lacks(&format!("configurations of kind {other} in profiles"))),
        }
    }
}

fn reference((kind, token): &(ConfigurationKind, ConfigurationToken)) -> ver20::ConfigurationRef {
    ver20::ConfigurationRef {
        kind: kind.clone(),
        token: Some(token.clone()),
    }
}
