//! The JSON of the PTZ and media interfaces (`dtmi:onvif:ptz;1`, `dtmi:onvif:media;1`): names follow the ONVIF XML.

use serde::{Deserialize, Serialize};

/// `tt:Vector2D`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Vector2D {
    pub(crate) x: f32,
    pub(crate) y: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) space: Option<String>,
}

/// `tt:Vector1D`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Vector1D {
    pub(crate) x: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) space: Option<String>,
}

/// `tt:PTZVector` and `tt:PTZSpeed`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Vector {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pan_tilt: Option<Vector2D>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) zoom: Option<Vector1D>,
}

/// Declares the input of commands: a JSON object with the specification's names, closed.
macro_rules! inputs {
    ($($(#[$meta:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        pub(crate) struct $name {
            $(pub(crate) $field: $type,)*
        }
    )*};
}

inputs! {
    /// Of every command that needs no more than a profile.
    Profile { profile_token: String }
    RelativeMove { profile_token: String, translation: Vector, speed: Option<Vector> }
    AbsoluteMove { profile_token: String, position: Vector, speed: Option<Vector> }
    ContinuousMove { profile_token: String, velocity: Vector, timeout: Option<String> }
    Stop { profile_token: String, pan_tilt: Option<bool>, zoom: Option<bool> }
    GotoPreset { profile_token: String, preset_token: String, speed: Option<Vector> }
    SetPreset { profile_token: String, preset_name: Option<String>, preset_token: Option<String> }
    RemovePreset { profile_token: String, preset_token: String }
    GotoHomePosition { profile_token: String, speed: Option<Vector> }
}

/// The input of a command: the document itself, or wrapped in an object that the command's name is the only key of.
///
/// # Errors
/// Names the field and the reason.
pub(crate) fn input<T: serde::de::DeserializeOwned>(
    command: &connector_sdk::Command,
) -> Result<T, connector_sdk::Error> {
    let mut document: serde_json::Value = command.json()?;
    if let Some(inner) = document.get_mut(&command.name) {
        document = inner.take();
    }
    serde_path_to_error::deserialize(document).map_err(|error| {
        let path = error.path().to_string();
        connector_sdk::Error::invalid_payload(format!("{}.{path}: {}", command.name, error.inner()))
    })
}

/// An ISO 8601 duration of hours, minutes and seconds, such as `PT1.5S`.
///
/// # Errors
/// Says what is wrong.
pub(crate) fn duration(text: &str) -> Result<std::time::Duration, connector_sdk::Error> {
    let span: Result<jiff::SignedDuration, _> = text.parse();
    span.ok()
        .and_then(|span| std::time::Duration::try_from(span).ok())
        .ok_or_else(|| {
            connector_sdk::Error::invalid_payload(format!(
                "Timeout: {text:?} is no duration such as PT1S"
            ))
        })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use connector_sdk::{Command, ErrorKind};

    use super::*;

    fn command(payload: &'static str) -> Command {
        Command {
            name: "RelativeMove".to_owned(),
            asset: "cam".to_owned(),
            payload: payload.into(),
            timeout: Duration::from_secs(1),
        }
    }

    #[test]
    fn a_bare_document_and_a_wrapped_one_mean_the_same() {
        let bare = r#"{"ProfileToken":"P0","Translation":{"PanTilt":{"x":0.2,"y":0.0}}}"#;
        let wrapped =
            r#"{"RelativeMove":{"ProfileToken":"P0","Translation":{"PanTilt":{"x":0.2,"y":0.0}}}}"#;
        let bare: RelativeMove = input(&command(bare)).unwrap();
        let wrapped: RelativeMove = input(&command(wrapped)).unwrap();
        assert_eq!(bare, wrapped);
        assert_eq!(bare.translation.zoom, None);
    }

    #[test]
    fn a_wrong_field_is_named() {
        let error = input::<RelativeMove>(&command(r#"{"RelativeMove":{"ProfileToken":"P0","Translation":{"PanTilt":{"x":"left","y":0}}}}"#))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidPayload);
        let message = error.to_string();
        assert!(
            message.starts_with("RelativeMove.Translation.PanTilt.x: invalid type: string"),
            "{message}"
        );
    }

    #[test]
    fn durations_are_iso_8601() {
        assert_eq!(duration("PT1S").unwrap(), Duration::from_secs(1));
        assert_eq!(duration("PT1M0.5S").unwrap(), Duration::from_millis(60_500));
        for bad in ["1", "-PT1S", "P1Y", ""] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
