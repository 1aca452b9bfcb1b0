//! The Imaging service (`ver20/imaging/wsdl`).

use super::profiles::VIDEO_SOURCE;
use super::{Call, flags, range};
use crate::soap::Fault;
use crate::state::lock;
use crate::xml::{Element, Node, TIMG, TT, element};

pub(super) fn answer(call: &Call<'_>, operation: &str) -> Result<Element, Fault> {
    let known = [
        "GetImagingSettings",
        "SetImagingSettings",
        "GetOptions",
        "GetMoveOptions",
        "GetStatus",
    ];
    if !known.contains(&operation) {
        return Err(Fault::not_supported(operation));
    }
    let source = call.argument("VideoSourceToken")?;
    if source != VIDEO_SOURCE {
        let reason = format!("there is no video source {source}");
        return Err(Fault::invalid_value("NoSource", reason));
    }
    Ok(match operation {
        "GetImagingSettings" => {
            let settings = *lock(&call.camera.imaging);
            call.response("GetImagingSettingsResponse").child(
                element(TIMG, "ImagingSettings")
                    .leaf(TT, "Brightness", settings.brightness)
                    .leaf(TT, "ColorSaturation", settings.color_saturation)
                    .leaf(TT, "Contrast", settings.contrast)
                    .leaf(TT, "Sharpness", settings.sharpness),
            )
        }
        "SetImagingSettings" => {
            set(call)?;
            call.response("SetImagingSettingsResponse")
        }
        "GetOptions" => call.response("GetOptionsResponse").child(
            element(TIMG, "ImagingOptions")
                .child(range("Brightness", 0, 100))
                .child(range("ColorSaturation", 0, 100))
                .child(range("Contrast", 0, 100))
                .child(range("Sharpness", 0, 100)),
        ),
        // No focus: there is nothing to move and nothing to report.
        "GetMoveOptions" => call
            .response("GetMoveOptionsResponse")
            .child(element(TIMG, "MoveOptions")),
        _ => call
            .response("GetStatusResponse")
            .child(element(TIMG, "Status")),
    })
}

pub(super) fn capabilities() -> Element {
    flags(
        TIMG,
        "Capabilities",
        &[("ImageStabilization", false), ("Presets", false)],
    )
}

fn set(call: &Call<'_>) -> Result<(), Fault> {
    let asked = call.request.child("ImagingSettings");
    let asked = asked.ok_or_else(|| Fault::missing("ImagingSettings"))?;
    let mut settings = *lock(&call.camera.imaging);
    for (name, setting) in [
        ("Brightness", &mut settings.brightness),
        ("ColorSaturation", &mut settings.color_saturation),
        ("Contrast", &mut settings.contrast),
        ("Sharpness", &mut settings.sharpness),
    ] {
        if let Some(node) = asked.child(name) {
            *setting = level(node)?;
        }
    }
    let of_others = asked.children.iter().find(|child| {
        !["Brightness", "ColorSaturation", "Contrast", "Sharpness"].contains(&child.name.as_str())
    });
    if let Some(other) = of_others {
        let reason = format!("{} cannot be set", other.name);
        return Err(Fault::invalid_value("SettingsInvalid", reason));
    }
    *lock(&call.camera.imaging) = settings;
    Ok(())
}

fn level(node: &Node) -> Result<f64, Fault> {
    let value = node.text().parse().ok();
    value.filter(|v| (0.0..=100.0).contains(v)).ok_or_else(|| {
        let reason = format!("{} is not between 0 and 100", node.name);
        Fault::invalid_value("SettingsInvalid", reason)
    })
}
