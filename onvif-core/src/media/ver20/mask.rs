use crate::media::{ConfigurationToken, Mask, MaskOptions, MaskToken};
use crate::{operation, soap_reply};

operation! {
    /// Asks for privacy masks: one, those of a video source configuration, or all.
    pub struct GetMasks in "tr2" {
        /// This mask.
        token: Option<MaskToken> = "Token",
        /// The video source configuration; all without it.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
    } -> GetMasksResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetMasks", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetMasks`].
    pub struct GetMasksResponse in "tr2" {
        /// The masks.
        masks: Vec<Mask> = "Masks",
    }
}

operation! {
    /// Asks what the masks of a video source configuration may be.
    pub struct GetMaskOptions in "tr2" {
        /// The video source configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetMaskOptionsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetMaskOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetMaskOptions`].
    pub struct GetMaskOptionsResponse in "tr2" {
        /// What it may be set to.
        options: Option<MaskOptions> = "Options",
    }
}

operation! {
    /// Changes a privacy mask.
    pub struct SetMask in "tr2" {
        /// The mask, whole.
        mask: Mask = "Mask",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/SetMask", Actuate, Write
}

operation! {
    /// Makes a privacy mask.
    pub struct CreateMask in "tr2" {
        /// The mask, whole.
        mask: Mask = "Mask",
    } -> CreateMaskResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/CreateMask", Actuate, Write
}

soap_reply! {
    /// The reply to [`CreateMask`].
    pub struct CreateMaskResponse in "tr2" {
        /// Its token.
        token: Option<MaskToken> = "Token",
    }
}

operation! {
    /// Deletes a privacy mask.
    pub struct DeleteMask in "tr2" {
        /// The mask.
        token: MaskToken = "Token",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/DeleteMask", Actuate, Write
}
