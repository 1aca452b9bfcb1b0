use super::ConfigurationToken;
use crate::analytics::Config;
use crate::soap_type;

soap_type! {
    /// What is analysed in the picture of a profile. Rules and modules are set with
    /// [`AnalyticsClient`](crate::analytics::AnalyticsClient).
    pub struct VideoAnalyticsConfiguration in "tt" [
        /// Its token.
        token: ConfigurationToken = "token",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// How many profiles use it. The device counts; what is sent is ignored.
        use_count: Option<u32> = "UseCount",
        /// The modules, which find objects in the picture.
        analytics_engine: Option<AnalyticsEngineConfiguration> = "AnalyticsEngineConfiguration",
        /// The rules, which make events of what modules find.
        rule_engine: Option<RuleEngineConfiguration> = "RuleEngineConfiguration",
    }
}

soap_type! {
    /// The modules of an analytics configuration.
    #[derive(Default)]
    pub struct AnalyticsEngineConfiguration in "tt" {
        /// The modules.
        modules: Vec<Config> = "AnalyticsModule",
    }
}

soap_type! {
    /// The rules of an analytics configuration.
    #[derive(Default)]
    pub struct RuleEngineConfiguration in "tt" {
        /// The rules.
        rules: Vec<Config> = "Rule",
    }
}
