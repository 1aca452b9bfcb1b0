use crate::media::{ConfigurationToken, OsdConfiguration, OsdOptions, OsdToken};
use crate::{operation, soap_reply};

operation! {
    /// Asks for the on-screen displays of one video source configuration, or of all.
    pub struct GetOsds as "GetOSDs" in "trt" {
        /// The video source configuration; all without it.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
    } -> GetOsdsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetOSDs", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetOsds`].
    pub struct GetOsdsResponse in "trt" {
        /// The on-screen displays.
        osds: Vec<OsdConfiguration> = "OSDs",
    }
}

operation! {
    /// Asks for one on-screen display.
    pub struct GetOsd as "GetOSD" in "trt" {
        /// The on-screen display.
        osd_token: OsdToken = "OSDToken",
    } -> GetOsdResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetOSD", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetOsd`].
    pub struct GetOsdResponse in "trt" {
        /// The on-screen display.
        osd: Option<OsdConfiguration> = "OSD",
    }
}

operation! {
    /// Asks what the on-screen displays of a video source configuration may be.
    pub struct GetOsdOptions as "GetOSDOptions" in "trt" {
        /// The video source configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetOsdOptionsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetOSDOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetOsdOptions`].
    pub struct GetOsdOptionsResponse in "trt" {
        /// What they may be.
        options: Option<OsdOptions> = "OSDOptions",
    }
}

operation! {
    /// Changes an on-screen display. What the request leaves out is reset or refused, so change
    /// what was read.
    pub struct SetOsd as "SetOSD" in "trt" {
        /// The on-screen display, whole.
        osd: OsdConfiguration = "OSD",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/SetOSD", Actuate, Write
}

operation! {
    /// Makes an on-screen display.
    pub struct CreateOsd as "CreateOSD" in "trt" {
        /// The on-screen display, whole.
        osd: OsdConfiguration = "OSD",
    } -> CreateOsdResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/CreateOSD", Actuate, Write
}

soap_reply! {
    /// The reply to [`CreateOsd`].
    pub struct CreateOsdResponse in "trt" {
        /// Its token.
        osd_token: Option<OsdToken> = "OSDToken",
    }
}

operation! {
    /// Deletes an on-screen display.
    pub struct DeleteOsd as "DeleteOSD" in "trt" {
        /// The on-screen display.
        osd_token: OsdToken = "OSDToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/DeleteOSD", Actuate, Write
}
