use super::ConfigurationToken;
use crate::schema::{FloatRange, IntRange, Words};
use crate::{soap_enum, soap_reply, soap_token, soap_type};

soap_token! {
    /// Names an on-screen display: something that is shown in the picture.
    pub struct OsdToken;
}

soap_type! {
    /// An on-screen display: a text or an image that is shown in the picture.
    pub struct OsdConfiguration in "tt" [
        /// Its token. What is sent with a new one is ignored.
        token: OsdToken = "token",
    ] {
        /// The video source configuration whose picture it is shown in.
        video_source_configuration: Option<ConfigurationToken> = "VideoSourceConfigurationToken",
        /// Whether it is a text or an image.
        kind: Option<OsdType> = "Type",
        /// Where it is shown.
        position: Option<OsdPosition> = "Position",
        /// The text, where it is one.
        text: Option<OsdText> = "TextString",
        /// The image, where it is one.
        image: Option<OsdImage> = "Image",
    }
}

impl OsdConfiguration {
    /// A plain text to be created in the picture of a video source configuration. `position` is
    /// one of [`OsdOptions::positions`] other than `Custom`, such as `UpperLeft`.
    pub fn plain_text(
        video_source_configuration: &ConfigurationToken,
        position: &str,
        text: &str,
    ) -> Self {
        Self {
            token: OsdToken::from(""),
            video_source_configuration: Some(video_source_configuration.clone()),
            kind: Some(OsdType::Text),
            position: Some(OsdPosition {
                kind: Some(position.into()),
                custom: None,
            }),
            text: Some(OsdText {
                is_persistent: None,
                kind: Some(OsdTextKind::Plain),
                date_format: None,
                time_format: None,
                font_size: None,
                font_color: None,
                background_color: None,
                plain_text: Some(text.into()),
            }),
            image: None,
        }
    }
}

soap_enum! {
    /// What an on-screen display shows.
    pub enum OsdType {
        /// A text.
        Text = "Text",
        /// An image.
        Image = "Image",
        /// Something of the vendor's.
        Extended = "Extended",
    }
}

soap_type! {
    /// Where an on-screen display is shown.
    pub struct OsdPosition in "tt" {
        /// `UpperLeft`, `UpperRight`, `LowerLeft`, `LowerRight` or `Custom`.
        kind: Option<String> = "Type",
        /// The place, where it is `Custom`: that of the upper left corner of the text or image.
        custom: Option<Vector> = "Pos",
    }
}

soap_type! {
    /// A point in normalised coordinates: -1 to 1, the y axis upwards.
    #[derive(Copy)]
    pub struct Vector in "tt" [
        /// To the right of the middle.
        x: Option<f32> = "x",
        /// Above the middle.
        y: Option<f32> = "y",
    ] {}
}

soap_type! {
    /// The text of an on-screen display.
    pub struct OsdText in "tt" [
        /// Whether the text survives a restart; absent where the device decides.
        is_persistent: Option<bool> = "IsPersistentText",
    ] {
        /// What the text is made of.
        kind: Option<OsdTextKind> = "Type",
        /// How the date is written, `yyyy-MM-dd` for instance.
        date_format: Option<String> = "DateFormat",
        /// How the time is written, `HH:mm:ss` for instance.
        time_format: Option<String> = "TimeFormat",
        /// Size of the letters.
        font_size: Option<i32> = "FontSize",
        /// Colour of the letters.
        font_color: Option<OsdColor> = "FontColor",
        /// Colour behind the letters.
        background_color: Option<OsdColor> = "BackgroundColor",
        /// The words, where the text is plain.
        plain_text: Option<String> = "PlainText",
    }
}

soap_enum! {
    /// What the text of an on-screen display is made of.
    pub enum OsdTextKind {
        /// Fixed words.
        Plain = "Plain",
        /// The date.
        Date = "Date",
        /// The time.
        Time = "Time",
        /// The date and the time.
        DateAndTime = "DateAndTime",
    }
}

soap_type! {
    /// A colour with its transparency.
    pub struct OsdColor in "tt" [
        /// Transparency in the device's own scale; 0 is opaque.
        transparent: Option<i32> = "Transparent",
    ] {
        /// The colour.
        color: Option<Color> = "Color",
    }
}

soap_type! {
    /// A colour.
    pub struct Color in "tt" [
        /// First component, Y of YCbCr.
        x: f32 = "X",
        /// Second component, Cb of YCbCr.
        y: f32 = "Y",
        /// Third component, Cr of YCbCr.
        z: f32 = "Z",
        /// URI of the colour space; YCbCr where it is absent.
        colorspace: Option<String> = "Colorspace",
        /// How sure the device is, 0 to 1, where it has observed the colour.
        likelihood: Option<f32> = "Likelihood",
    ] {}
}

soap_type! {
    /// The image of an on-screen display.
    pub struct OsdImage in "tt" {
        /// Where it is: one of the paths that the options list.
        path: Option<String> = "ImgPath",
    }
}

soap_reply! {
    /// What on-screen displays of a video source configuration may be.
    pub struct OsdOptions in "tt" {
        /// How many there may be.
        maximum: Option<MaximumNumberOfOsds> = "MaximumNumberOfOSDs",
        /// Texts, images or both.
        kinds: Vec<OsdType> = "Type",
        /// The positions to choose from.
        positions: Vec<String> = "PositionOption",
        /// What texts may be.
        text: Option<OsdTextOptions> = "TextOption",
        /// What images may be.
        image: Option<OsdImageOptions> = "ImageOption",
    }
}

soap_reply! {
    /// How many on-screen displays there may be; absent means that the kind has no limit of its own.
    pub struct MaximumNumberOfOsds in "tt" [
        /// All together.
        total: Option<u32> = "Total",
        /// Images.
        image: Option<u32> = "Image",
        /// Plain texts.
        plain_text: Option<u32> = "PlainText",
        /// Dates.
        date: Option<u32> = "Date",
        /// Times.
        time: Option<u32> = "Time",
        /// Dates with times.
        date_and_time: Option<u32> = "DateAndTime",
    ] {}
}

soap_reply! {
    /// What texts may be.
    pub struct OsdTextOptions in "tt" {
        /// What they may be made of.
        kinds: Vec<OsdTextKind> = "Type",
        /// The range of the size of letters.
        font_size_range: Option<IntRange> = "FontSizeRange",
        /// The ways to write a date.
        date_formats: Vec<String> = "DateFormat",
        /// The ways to write a time.
        time_formats: Vec<String> = "TimeFormat",
        /// The colours of letters.
        font_color: Option<OsdColorOptions> = "FontColor",
        /// The colours behind letters.
        background_color: Option<OsdColorOptions> = "BackgroundColor",
    }
}

soap_reply! {
    /// Which colours may be chosen.
    pub struct OsdColorOptions in "tt" {
        /// The colours.
        color: Option<ColorOptions> = "Color",
        /// The scale of the transparency.
        transparent: Option<IntRange> = "Transparent",
    }
}

soap_reply! {
    /// Colours to choose from: a list or ranges.
    pub struct ColorOptions in "tt" {
        /// The colours, where there are few.
        colors: Vec<Color> = "ColorList",
        /// The ranges, one for each colour space.
        ranges: Vec<ColorspaceRange> = "ColorspaceRange",
    }
}

soap_reply! {
    /// A range of colours in one colour space.
    pub struct ColorspaceRange in "tt" {
        /// First component.
        x: Option<FloatRange> = "X",
        /// Second component.
        y: Option<FloatRange> = "Y",
        /// Third component.
        z: Option<FloatRange> = "Z",
        /// URI of the colour space.
        colorspace: Option<String> = "Colorspace",
    }
}

soap_reply! {
    /// What images may be.
    pub struct OsdImageOptions in "tt" [
        /// The formats that can be uploaded.
        formats_supported: Option<Words> = "FormatsSupported",
        /// Bytes at most.
        max_size: Option<u32> = "MaxSize",
        /// Pixels at most.
        max_width: Option<u32> = "MaxWidth",
        /// Pixels at most.
        max_height: Option<u32> = "MaxHeight",
    ] {
        /// The images that the device has.
        paths: Vec<String> = "ImagePath",
    }
}
