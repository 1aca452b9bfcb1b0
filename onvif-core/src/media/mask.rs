use super::{Color, ColorOptions, ConfigurationToken, Vector};
use crate::{soap_reply, soap_token, soap_type};

soap_token! {
    /// Names a privacy mask.
    pub struct MaskToken;
}

soap_type! {
    /// A privacy mask: an area of the picture that is not shown.
    pub struct Mask in "tr2" [
        /// Its token. `None` for one that is created.
        token: Option<MaskToken> = "token",
    ] {
        /// The video source configuration whose picture it covers.
        configuration_token: ConfigurationToken = "ConfigurationToken",
        /// The area.
        polygon: Polygon = "Polygon",
        /// `Color`, `Pixelated` or `Blurred`.
        kind: String = "Type",
        /// The colour, where the mask is of one.
        color: Option<Color> = "Color",
        /// Whether it covers anything.
        enabled: bool = "Enabled",
    }
}

soap_type! {
    /// An area of a picture.
    pub struct Polygon in "tt" {
        /// Its corners in order, at least three, in normalised coordinates.
        points: Vec<Vector> = "Point",
    }
}

soap_reply! {
    /// What masks of a video source configuration may be.
    pub struct MaskOptions in "tr2" [
        /// Whether they have to be rectangles.
        rectangle_only: Option<bool> = "RectangleOnly",
        /// Whether all of them have one colour.
        single_color_only: Option<bool> = "SingleColorOnly",
    ] {
        /// How many there may be.
        max_masks: Option<u32> = "MaxMasks",
        /// How many corners one may have.
        max_points: Option<u32> = "MaxPoints",
        /// `Color`, `Pixelated`, `Blurred`: those that are offered.
        kinds: Vec<String> = "Types",
        /// The colours to choose from.
        color: Option<ColorOptions> = "Color",
    }
}
