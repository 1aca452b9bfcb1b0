use crate::media::{ConfigurationToken, OsdConfiguration, OsdOptions, OsdToken};
use crate::{operation, soap_reply};

operation! {
    /// Asks for on-screen displays: one, those of a video source configuration, or all.
    pub struct GetOsds as "GetOSDs" in "tr2" {
        /// This on-screen display.
        osd_token: Option<OsdToken> = "OSDToken",
        /// The video source configuration; all without it.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
    } -> GetOsdsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetOSDs", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetOsds`].
    pub struct GetOsdsResponse in "tr2" {
        /// The on-screen displays.
        osds: Vec<OsdConfiguration> = "OSDs",
    }
}

operation! {
    /// Asks what the on-screen displays of a video source configuration may be.
    pub struct GetOsdOptions as "GetOSDOptions" in "tr2" {
        /// The video source configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetOsdOptionsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetOSDOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetOsdOptions`].
    pub struct GetOsdOptionsResponse in "tr2" {
        /// What they may be.
        options: Option<OsdOptions> = "OSDOptions",
    }
}

operation! {
    /// Changes an on-screen display. What the request leaves out is reset or refused, so change
    /// what was read.
    pub struct SetOsd as "SetOSD" in "tr2" {
        /// The on-screen display, whole.
        osd: OsdConfiguration = "OSD",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/SetOSD", Actuate, Write
}

operation! {
    /// Makes an on-screen display.
    pub struct CreateOsd as "CreateOSD" in "tr2" {
        /// The on-screen display, whole.
        osd: OsdConfiguration = "OSD",
    } -> CreateOsdResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/CreateOSD", Actuate, Write
}

soap_reply! {
    /// The reply to [`CreateOsd`].
    pub struct CreateOsdResponse in "tr2" {
        /// Its token.
        osd_token: Option<OsdToken> = "OSDToken",
    }
}

operation! {
    /// Deletes an on-screen display.
    pub struct DeleteOsd as "DeleteOSD" in "tr2" {
        /// The on-screen display.
        osd_token: OsdToken = "OSDToken",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/DeleteOSD", Actuate, Write
}
