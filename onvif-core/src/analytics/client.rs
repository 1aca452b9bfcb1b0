use super::{
    Config, ConfigOptions, CreateAnalyticsModules, CreateRules, DeleteAnalyticsModules,
    DeleteRules, GetAnalyticsModuleOptions, GetAnalyticsModules, GetRuleOptions, GetRules,
    GetSupportedAnalyticsModules, GetSupportedMetadata, GetSupportedRules, MetadataInfo,
    ModifyAnalyticsModules, ModifyRules, QName, SupportedAnalyticsModules, SupportedRules,
};
use crate::camera::Camera;
use crate::error::Error;
use crate::media::ConfigurationToken;

/// Analytics of one camera: what modules see, and rules that make events of it. Configurations are
/// those of [`MediaClient::analytics_configurations`](crate::media::MediaClient::analytics_configurations).
#[derive(Clone, Copy, Debug)]
pub struct AnalyticsClient<'c> {
    camera: &'c Camera,
}

impl<'c> AnalyticsClient<'c> {
    pub(crate) fn new(camera: &'c Camera) -> Self {
        Self { camera }
    }

    /// Which kinds of rules there are, what they are set up with, and which events they raise.
    ///
    /// # Errors
    /// Those of [`Camera::call`]; [`Error::Unsupported`] when the camera answers without a list.
    #[doc(alias = "GetSupportedRules")]
    pub async fn supported_rules(
        &self,
        configuration: &ConfigurationToken,
    ) -> Result<SupportedRules, Error> {
        let request = GetSupportedRules {
            configuration_token: configuration.clone(),
        };
        let reply = self.camera.call(&request).await?;
        reply
            .supported_rules
            .ok_or_else(|| self.lacks("a list of kinds of rules"))
    }

    /// The rules of an analytics configuration.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetRules")]
    pub async fn rules(&self, configuration: &ConfigurationToken) -> Result<Vec<Config>, Error> {
        let request = GetRules {
            configuration_token: configuration.clone(),
        };
        Ok(self.camera.call(&request).await?.rules)
    }

    /// What the parameters of a kind of rules may be; of all kinds without one.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetRuleOptions")]
    pub async fn rule_options(
        &self,
        configuration: &ConfigurationToken,
        kind: Option<&QName>,
    ) -> Result<Vec<ConfigOptions>, Error> {
        let request = GetRuleOptions {
            rule_type: kind.cloned(),
            configuration_token: configuration.clone(),
        };
        Ok(self.camera.call(&request).await?.options)
    }

    /// Adds rules, with names that are not in use: all of them or none.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "CreateRules")]
    pub async fn create_rules(
        &self,
        configuration: &ConfigurationToken,
        rules: &[Config],
    ) -> Result<(), Error> {
        let request = CreateRules {
            configuration_token: configuration.clone(),
            rules: rules.to_vec(),
        };
        self.camera.call(&request).await
    }

    /// Changes rules, found by their names: all of them or none. Take some that were read, and change
    /// them: what is left out is reset or refused.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "ModifyRules")]
    pub async fn modify_rules(
        &self,
        configuration: &ConfigurationToken,
        rules: &[Config],
    ) -> Result<(), Error> {
        let request = ModifyRules {
            configuration_token: configuration.clone(),
            rules: rules.to_vec(),
        };
        self.camera.call(&request).await
    }

    /// Deletes rules by their names: all of them or none.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "DeleteRules")]
    pub async fn delete_rules(
        &self,
        configuration: &ConfigurationToken,
        names: &[&str],
    ) -> Result<(), Error> {
        let request = DeleteRules {
            configuration_token: configuration.clone(),
            names: names.iter().map(ToString::to_string).collect(),
        };
        self.camera.call(&request).await
    }

    /// Which kinds of modules there are, what they are set up with, and which events they raise.
    ///
    /// # Errors
    /// Those of [`Camera::call`]; [`Error::Unsupported`] when the camera answers without a list.
    #[doc(alias = "GetSupportedAnalyticsModules")]
    pub async fn supported_modules(
        &self,
        configuration: &ConfigurationToken,
    ) -> Result<SupportedAnalyticsModules, Error> {
        let request = GetSupportedAnalyticsModules {
            configuration_token: configuration.clone(),
        };
        let reply = self.camera.call(&request).await?;
        reply
            .supported_modules
            .ok_or_else(|| self.lacks("a list of kinds of modules"))
    }

    /// The modules of an analytics configuration.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetAnalyticsModules")]
    pub async fn modules(&self, configuration: &ConfigurationToken) -> Result<Vec<Config>, Error> {
        let request = GetAnalyticsModules {
            configuration_token: configuration.clone(),
        };
        Ok(self.camera.call(&request).await?.modules)
    }

    /// What the parameters of a kind of modules may be; of all kinds without one.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetAnalyticsModuleOptions")]
    pub async fn module_options(
        &self,
        configuration: &ConfigurationToken,
        kind: Option<&QName>,
    ) -> Result<Vec<ConfigOptions>, Error> {
        let request = GetAnalyticsModuleOptions {
            kind: kind.cloned(),
            configuration_token: configuration.clone(),
        };
        Ok(self.camera.call(&request).await?.options)
    }

    /// Adds modules, with names that are not in use: all of them or none.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "CreateAnalyticsModules")]
    pub async fn create_modules(
        &self,
        configuration: &ConfigurationToken,
        modules: &[Config],
    ) -> Result<(), Error> {
        let request = CreateAnalyticsModules {
            configuration_token: configuration.clone(),
            modules: modules.to_vec(),
        };
        self.camera.call(&request).await
    }

    /// Changes modules, found by their names: all of them or none. Take some that were read, and change
    /// them: what is left out is reset or refused.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "ModifyAnalyticsModules")]
    pub async fn modify_modules(
        &self,
        configuration: &ConfigurationToken,
        modules: &[Config],
    ) -> Result<(), Error> {
        let request = ModifyAnalyticsModules {
            configuration_token: configuration.clone(),
            modules: modules.to_vec(),
        };
        self.camera.call(&request).await
    }

    /// Deletes modules by their names: all of them or none.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "DeleteAnalyticsModules")]
    pub async fn delete_modules(
        &self,
        configuration: &ConfigurationToken,
        names: &[&str],
    ) -> Result<(), Error> {
        let request = DeleteAnalyticsModules {
            configuration_token: configuration.clone(),
            names: names.iter().map(ToString::to_string).collect(),
        };
        self.camera.call(&request).await
    }

    /// What metadata a kind of module produces; of all kinds without one.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetSupportedMetadata")]
    pub async fn supported_metadata(
        &self,
        kind: Option<&QName>,
    ) -> Result<Vec<MetadataInfo>, Error> {
        let request = GetSupportedMetadata {
            kind: kind.cloned(),
        };
        Ok(self.camera.call(&request).await?.modules)
    }

    fn lacks(&self, what: &str) -> Error {
        Error::Unsupported {
            host: self.camera.host(),
            what: what.to_owned(),
        }
    }
}
