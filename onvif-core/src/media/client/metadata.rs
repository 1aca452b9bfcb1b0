use super::MediaClient;
use crate::error::Error;
use crate::media::{
    ConfigurationToken, MetadataConfiguration, MetadataConfigurationOptions, ProfileToken,
    VideoAnalyticsConfiguration, ver10, ver20,
};

impl MediaClient<'_> {
    /// All configurations of metadata streams.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetMetadataConfigurations")]
    pub async fn metadata_configurations(&self) -> Result<Vec<MetadataConfiguration>, Error> {
        let newer = ver20::GetMetadataConfigurations {
            configuration_token: None,
            profile_token: None,
        };
        let older = ver10::GetMetadataConfigurations {};
        self.list(
            &newer,
            |reply| reply.configurations,
            &older,
            |reply| reply.configurations,
        )
        .await
    }

    /// The configurations of metadata streams that can be put into a profile, with what it already has.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetCompatibleMetadataConfigurations")]
    pub async fn compatible_metadata_configurations(
        &self,
        profile: &ProfileToken,
    ) -> Result<Vec<MetadataConfiguration>, Error> {
        let newer = ver20::GetMetadataConfigurations {
            configuration_token: None,
            profile_token: Some(profile.clone()),
        };
        let older = ver10::GetCompatibleMetadataConfigurations {
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

    /// What a configuration of a metadata stream may be set to.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call); [`Error::Unsupported`] when the camera answers
    /// without options.
    #[doc(alias = "GetMetadataConfigurationOptions")]
    pub async fn metadata_options(
        &self,
        configuration: &ConfigurationToken,
    ) -> Result<MetadataConfigurationOptions, Error> {
        let newer = ver20::GetMetadataConfigurationOptions {
            configuration_token: Some(configuration.clone()),
            profile_token: None,
        };
        let older = ver10::GetMetadataConfigurationOptions {
            configuration_token: Some(configuration.clone()),
            profile_token: None,
        };
        self.one(
            &newer,
            |reply| reply.options,
            &older,
            |reply| reply.options,
            "options of a metadata stream",
        )
        .await
    }

    /// Changes a configuration of a metadata stream. Take one that was read, and change it: what is `None` is
    /// reset or refused.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetMetadataConfiguration")]
    pub async fn set_metadata_configuration(
        &self,
        configuration: &MetadataConfiguration,
    ) -> Result<(), Error> {
        let newer = ver20::SetMetadataConfiguration {
            configuration: configuration.clone(),
        };
        let older = ver10::SetMetadataConfiguration {
            configuration: configuration.clone(),
            force_persistence: true,
        };
        self.either(&newer, |()| (), &older, |()| ()).await
    }

    /// All configurations of analytics.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetVideoAnalyticsConfigurations")]
    #[doc(alias = "GetAnalyticsConfigurations")]
    pub async fn analytics_configurations(
        &self,
    ) -> Result<Vec<VideoAnalyticsConfiguration>, Error> {
        let newer = ver20::GetAnalyticsConfigurations {
            configuration_token: None,
            profile_token: None,
        };
        let older = ver10::GetVideoAnalyticsConfigurations {};
        self.list(
            &newer,
            |reply| reply.configurations,
            &older,
            |reply| reply.configurations,
        )
        .await
    }

    /// The configurations of analytics that can be put into a profile, with what it already has.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetCompatibleVideoAnalyticsConfigurations")]
    pub async fn compatible_analytics_configurations(
        &self,
        profile: &ProfileToken,
    ) -> Result<Vec<VideoAnalyticsConfiguration>, Error> {
        let newer = ver20::GetAnalyticsConfigurations {
            configuration_token: None,
            profile_token: Some(profile.clone()),
        };
        let older = ver10::GetCompatibleVideoAnalyticsConfigurations {
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

    /// Changes a configuration of analytics. Only the first version of the service can;
    /// [`AnalyticsClient`](crate::analytics::AnalyticsClient) changes rules and modules one by one.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetVideoAnalyticsConfiguration")]
    pub async fn set_analytics_configuration(
        &self,
        configuration: &VideoAnalyticsConfiguration,
    ) -> Result<(), Error> {
        let request = ver10::SetVideoAnalyticsConfiguration {
            configuration: configuration.clone(),
            force_persistence: true,
        };
        self.camera.call(&request).await
    }
}
