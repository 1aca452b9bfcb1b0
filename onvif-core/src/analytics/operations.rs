use super::{Config, ConfigDescription, ConfigOptions, MetadataInfo, QName};
use crate::media::ConfigurationToken;
use crate::schema::Words;
use crate::{operation, soap_reply};

operation! {
    /// Asks what the service can do.
    pub struct GetServiceCapabilities in "tan" {} -> GetServiceCapabilitiesResponse;
    Analytics, "http://www.onvif.org/ver20/analytics/wsdl/GetServiceCapabilities", PreAuth, Read
}

soap_reply! {
    /// The reply to [`GetServiceCapabilities`].
    pub struct GetServiceCapabilitiesResponse in "tan" {
        /// The capabilities.
        capabilities: Option<AnalyticsCapabilities> = "Capabilities",
    }
}

soap_reply! {
    /// What the service can do. Absent flags mean no.
    pub struct AnalyticsCapabilities in "tan" [
        /// There are rules.
        rule_support: Option<bool> = "RuleSupport",
        /// There are modules.
        analytics_module_support: Option<bool> = "AnalyticsModuleSupport",
        /// Scenes can be described as a grid of cells.
        cell_based_scene_description: Option<bool> = "CellBasedSceneDescriptionSupported",
        /// `GetRuleOptions` works.
        rule_options: Option<bool> = "RuleOptionsSupported",
        /// `GetAnalyticsModuleOptions` works.
        analytics_module_options: Option<bool> = "AnalyticsModuleOptionsSupported",
        /// `GetSupportedMetadata` works.
        supported_metadata: Option<bool> = "SupportedMetadata",
        /// How pictures are sent along: `Embedded`, `LocalStorage`, `RemoteStorage`.
        image_sending_type: Option<Words> = "ImageSendingType",
    ] {}
}

operation! {
    /// Asks which kinds of rules there are.
    pub struct GetSupportedRules in "tan" {
        /// The analytics configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetSupportedRulesResponse;
    Analytics, "http://www.onvif.org/ver20/analytics/wsdl/GetSupportedRules", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetSupportedRules`].
    pub struct GetSupportedRulesResponse in "tan" {
        /// The kinds.
        supported_rules: Option<SupportedRules> = "SupportedRules",
    }
}

soap_reply! {
    /// Which kinds of rules there are.
    pub struct SupportedRules in "tt" [
        /// How many rules of all kinds there may be.
        limit: Option<u32> = "Limit",
    ] {
        /// Where the types of their parameters are described.
        schema_locations: Vec<String> = "RuleContentSchemaLocation",
        /// The kinds.
        descriptions: Vec<ConfigDescription> = "RuleDescription",
    }
}

operation! {
    /// Asks for the rules of an analytics configuration.
    pub struct GetRules in "tan" {
        /// The analytics configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetRulesResponse;
    Analytics, "http://www.onvif.org/ver20/analytics/wsdl/GetRules", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetRules`].
    pub struct GetRulesResponse in "tan" {
        /// The rules.
        rules: Vec<Config> = "Rule",
    }
}

operation! {
    /// Asks what the parameters of rules may be.
    pub struct GetRuleOptions in "tan" {
        /// Of this kind; of all without it.
        rule_type: Option<QName> = "RuleType",
        /// The analytics configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetRuleOptionsResponse;
    Analytics, "http://www.onvif.org/ver20/analytics/wsdl/GetRuleOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetRuleOptions`].
    pub struct GetRuleOptionsResponse in "tan" {
        /// One entry for each parameter that has options.
        options: Vec<ConfigOptions> = "RuleOptions",
    }
}

operation! {
    /// Adds rules to an analytics configuration: all of them or none.
    pub struct CreateRules in "tan" {
        /// The analytics configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
        /// The rules, with names that are not in use.
        rules: Vec<Config> = "Rule",
    } -> ();
    Analytics, "http://www.onvif.org/ver20/analytics/wsdl/CreateRules", Actuate, Write
}

operation! {
    /// Changes rules of an analytics configuration, found by their names: all of them or none.
    pub struct ModifyRules in "tan" {
        /// The analytics configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
        /// The rules, whole.
        rules: Vec<Config> = "Rule",
    } -> ();
    Analytics, "http://www.onvif.org/ver20/analytics/wsdl/ModifyRules", Actuate, Write
}

operation! {
    /// Deletes rules of an analytics configuration: all of them or none.
    pub struct DeleteRules in "tan" {
        /// The analytics configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
        /// Their names.
        names: Vec<String> = "RuleName",
    } -> ();
    Analytics, "http://www.onvif.org/ver20/analytics/wsdl/DeleteRules", Actuate, Write
}

operation! {
    /// Asks which kinds of modules there are.
    pub struct GetSupportedAnalyticsModules in "tan" {
        /// The analytics configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetSupportedAnalyticsModulesResponse;
    Analytics, "http://www.onvif.org/ver20/analytics/wsdl/GetSupportedAnalyticsModules", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetSupportedAnalyticsModules`].
    pub struct GetSupportedAnalyticsModulesResponse in "tan" {
        /// The kinds.
        supported_modules: Option<SupportedAnalyticsModules> = "SupportedAnalyticsModules",
    }
}

soap_reply! {
    /// Which kinds of modules there are.
    pub struct SupportedAnalyticsModules in "tt" [
        /// How many modules of all kinds there may be.
        limit: Option<u32> = "Limit",
    ] {
        /// Where the types of their parameters are described.
        schema_locations: Vec<String> = "AnalyticsModuleContentSchemaLocation",
        /// The kinds.
        descriptions: Vec<ConfigDescription> = "AnalyticsModuleDescription",
    }
}

operation! {
    /// Asks for the modules of an analytics configuration.
    pub struct GetAnalyticsModules in "tan" {
        /// The analytics configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetAnalyticsModulesResponse;
    Analytics, "http://www.onvif.org/ver20/analytics/wsdl/GetAnalyticsModules", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAnalyticsModules`].
    pub struct GetAnalyticsModulesResponse in "tan" {
        /// The modules.
        modules: Vec<Config> = "AnalyticsModule",
    }
}

operation! {
    /// Asks what the parameters of modules may be.
    pub struct GetAnalyticsModuleOptions in "tan" {
        /// Of this kind; of all without it.
        kind: Option<QName> = "Type",
        /// The analytics configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetAnalyticsModuleOptionsResponse;
    Analytics, "http://www.onvif.org/ver20/analytics/wsdl/GetAnalyticsModuleOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAnalyticsModuleOptions`].
    pub struct GetAnalyticsModuleOptionsResponse in "tan" {
        /// One entry for each parameter that has options.
        options: Vec<ConfigOptions> = "Options",
    }
}

operation! {
    /// Adds modules to an analytics configuration: all of them or none.
    pub struct CreateAnalyticsModules in "tan" {
        /// The analytics configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
        /// The modules, with names that are not in use.
        modules: Vec<Config> = "AnalyticsModule",
    } -> ();
    Analytics, "http://www.onvif.org/ver20/analytics/wsdl/CreateAnalyticsModules", Actuate, Write
}

operation! {
    /// Changes modules of an analytics configuration, found by their names: all of them or none.
    pub struct ModifyAnalyticsModules in "tan" {
        /// The analytics configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
        /// The modules, whole.
        modules: Vec<Config> = "AnalyticsModule",
    } -> ();
    Analytics, "http://www.onvif.org/ver20/analytics/wsdl/ModifyAnalyticsModules", Actuate, Write
}

operation! {
    /// Deletes modules of an analytics configuration: all of them or none.
    pub struct DeleteAnalyticsModules in "tan" {
        /// The analytics configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
        /// Their names.
        names: Vec<String> = "AnalyticsModuleName",
    } -> ();
    Analytics, "http://www.onvif.org/ver20/analytics/wsdl/DeleteAnalyticsModules", Actuate, Write
}

operation! {
    /// Asks what metadata the modules produce.
    pub struct GetSupportedMetadata in "tan" {
        /// Of this kind of module; of all without it.
        kind: Option<QName> = "Type",
    } -> GetSupportedMetadataResponse;
    Analytics, "http://www.onvif.org/ver20/analytics/wsdl/GetSupportedMetadata", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetSupportedMetadata`].
    pub struct GetSupportedMetadataResponse in "tan" {
        /// One entry for each kind of module.
        modules: Vec<MetadataInfo> = "AnalyticsModule",
    }
}
