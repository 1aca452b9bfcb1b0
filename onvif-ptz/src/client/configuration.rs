//! Nodes, configurations, ranges.

use onvif_core::Error;
use onvif_core::media::{ConfigurationToken, ProfileToken};

use super::PtzClient;
use crate::limits::{Ability, Limits};
use crate::operations::{
    Configuration, ConfigurationOptions, GetCompatibleConfigurations, GetConfiguration,
    GetConfigurationOptions, GetConfigurations, GetNode, GetNodes, GetServiceCapabilities, Node,
    NodeToken, ServiceCapabilities, SetConfiguration,
};

impl PtzClient {
    /// What the service says it can do.
    ///
    /// # Errors
    /// Those of [`Camera::call`](onvif_core::Camera::call).
    #[doc(alias = "GetServiceCapabilities")]
    pub async fn capabilities(&self) -> Result<ServiceCapabilities, Error> {
        let reply = self.camera.call(&GetServiceCapabilities {}).await?;
        Ok(reply.capabilities.unwrap_or_default())
    }

    /// What moves, with the spaces and their ranges.
    ///
    /// # Errors
    /// Those of [`Camera::call`](onvif_core::Camera::call).
    #[doc(alias = "GetNodes")]
    pub async fn nodes(&self) -> Result<Vec<Node>, Error> {
        Ok(self.camera.call(&GetNodes {}).await?.nodes)
    }

    /// One node; `None` when the camera answers without it.
    ///
    /// # Errors
    /// Those of [`Camera::call`](onvif_core::Camera::call).
    #[doc(alias = "GetNode")]
    pub async fn node(&self, node: &NodeToken) -> Result<Option<Node>, Error> {
        let request = GetNode {
            node_token: node.clone(),
        };
        Ok(self.camera.call(&request).await?.node)
    }

    /// The node that a profile moves. Where the tokens that the camera reports do not match each
    /// other, as in recorders, its only node is taken.
    ///
    /// # Errors
    /// [`Error::Caller`] when there is no such profile, [`Error::Unsupported`] when it has no PTZ
    /// configuration or its node cannot be found, and those of
    /// [`Camera::call`](onvif_core::Camera::call).
    pub async fn node_of(&self, profile: &ProfileToken) -> Result<Node, Error> {
        Ok(self.moved_by(profile).await?.0)
    }

    /// The ranges of a profile, to clamp moves to before they are sent.
    ///
    /// # Errors
    /// Those of [`node_of`](Self::node_of).
    pub async fn limits(&self, profile: &ProfileToken) -> Result<Limits, Error> {
        let (node, configuration) = self.moved_by(profile).await?;
        Ok(Limits::new(&node, configuration.as_ref()))
    }

    /// Fails when the node of a profile does not list an ability.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when it does not, and those of [`node_of`](Self::node_of).
    pub async fn require(&self, profile: &ProfileToken, ability: Ability) -> Result<(), Error> {
        if self.node_of(profile).await?.supports(ability) {
            Ok(())
        } else {
            Err(self.unsupported(ability.to_string()))
        }
    }

    /// All configurations.
    ///
    /// # Errors
    /// Those of [`Camera::call`](onvif_core::Camera::call).
    #[doc(alias = "GetConfigurations")]
    pub async fn configurations(&self) -> Result<Vec<Configuration>, Error> {
        let reply = self.camera.call(&GetConfigurations {}).await?;
        Ok(reply.configurations)
    }

    /// One configuration; `None` when the camera answers without it.
    ///
    /// # Errors
    /// Those of [`Camera::call`](onvif_core::Camera::call).
    #[doc(alias = "GetConfiguration")]
    pub async fn configuration(
        &self,
        configuration: &ConfigurationToken,
    ) -> Result<Option<Configuration>, Error> {
        let request = GetConfiguration {
            configuration_token: configuration.clone(),
        };
        Ok(self.camera.call(&request).await?.configuration)
    }

    /// The configurations that may be added to a profile. Ask before one is added (Profile T).
    ///
    /// # Errors
    /// Those of [`Camera::call`](onvif_core::Camera::call).
    #[doc(alias = "GetCompatibleConfigurations")]
    pub async fn compatible_configurations(
        &self,
        profile: &ProfileToken,
    ) -> Result<Vec<Configuration>, Error> {
        let request = GetCompatibleConfigurations {
            profile_token: profile.clone(),
        };
        Ok(self.camera.call(&request).await?.configurations)
    }

    /// Changes a configuration. It is replaced as a whole, so take it from the camera and change
    /// that.
    ///
    /// # Errors
    /// Those of [`Camera::call`](onvif_core::Camera::call). Ranges are in
    /// [`configuration_options`](Self::configuration_options).
    #[doc(alias = "SetConfiguration")]
    pub async fn set_configuration(&self, configuration: Configuration) -> Result<(), Error> {
        let request = SetConfiguration {
            configuration,
            force_persistence: true,
        };
        self.camera.call(&request).await
    }

    /// The ranges of a configuration; `None` when the camera tells none.
    ///
    /// # Errors
    /// Those of [`Camera::call`](onvif_core::Camera::call).
    #[doc(alias = "GetConfigurationOptions")]
    pub async fn configuration_options(
        &self,
        configuration: &ConfigurationToken,
    ) -> Result<Option<ConfigurationOptions>, Error> {
        let request = GetConfigurationOptions {
            configuration_token: configuration.clone(),
        };
        Ok(self.camera.call(&request).await?.options)
    }

    async fn moved_by(
        &self,
        profile: &ProfileToken,
    ) -> Result<(Node, Option<Configuration>), Error> {
        let profiles = self.camera.media().profiles().await?;
        let found = profiles.into_iter().find(|known| known.token == *profile);
        let found =
            found.ok_or_else(|| Error::Caller(format!("the camera has no profile {profile}")))?;
        let token = found
            .ptz_configuration
            .ok_or_else(|| self.unsupported(format!("moves of the profile {profile}")))?;
        let configurations = self.configurations().await?;
        let configuration = configurations
            .into_iter()
            .find(|known| known.token == token);
        let names = [
            found.ptz_node.map(NodeToken::from),
            configuration
                .as_ref()
                .and_then(|known| known.node_token.clone()),
        ];
        let nodes = self.nodes().await?;
        let is_it = |node: &&Node| names.iter().flatten().any(|name| *name == node.token);
        let node = nodes
            .iter()
            .find(is_it)
            .or_else(|| nodes.first().filter(|_| nodes.len() == 1))
            .cloned();
        let node = node.ok_or_else(|| self.unsupported(format!("the PTZ node of {profile}")))?;
        Ok((node, configuration))
    }
}
