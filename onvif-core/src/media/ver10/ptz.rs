use crate::media::{ConfigurationToken, ProfileToken};
use crate::operation;

operation! {
    /// Adds a configuration of PTZ to a profile, in place of the one it has.
    pub struct AddPtzConfiguration as "AddPTZConfiguration" in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/AddPTZConfiguration", Actuate, Write
}

operation! {
    /// Takes the configuration of PTZ out of a profile.
    pub struct RemovePtzConfiguration as "RemovePTZConfiguration" in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/RemovePTZConfiguration", Actuate, Write
}
