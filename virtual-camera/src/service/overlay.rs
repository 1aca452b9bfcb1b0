//! On-screen displays and privacy masks, as the Media services share them. They are kept and shown to clients; the clip
//! stays as it is.

use super::kept::kept_children;
use super::profiles::no_configuration;
use super::{Call, range};
use crate::media::{Kind, MAX_MASKS, MAX_OSDS, Made, Media};
use crate::soap::Fault;
use crate::state::lock;
use crate::xml::{Element, Node, Ns, TER, TR2, TT, element};

const POSITIONS: [&str; 5] = [
    "UpperLeft",
    "UpperRight",
    "LowerLeft",
    "LowerRight",
    "Custom",
];
const TEXTS: [&str; 4] = ["Plain", "Date", "Time", "DateAndTime"];
const DATE_FORMATS: [&str; 2] = ["yyyy-MM-dd", "dd/MM/yyyy"];
const TIME_FORMATS: [&str; 2] = ["HH:mm:ss", "hh:mm:ss tt"];
const IMAGES: [&str; 1] = ["/images/logo.png"];
const MASKS: [&str; 1] = ["Color"];
const OSD_CONTENT: [&str; 5] = [
    "VideoSourceConfigurationToken",
    "Type",
    "Position",
    "TextString",
    "Image",
];
const MASK_CONTENT: [&str; 5] = ["ConfigurationToken", "Polygon", "Type", "Color", "Enabled"];

/// Operations on on-screen displays, `None` for others.
pub(super) fn answer_osd(
    call: &Call<'_>,
    operation: &str,
    ns: Ns,
) -> Option<Result<Element, Fault>> {
    let named = || call.argument("OSDToken");
    Some(match operation {
        "GetOSDs" => list(
            call,
            ns,
            "OSDs",
            call.request.text_of("OSDToken"),
            |media| &media.osds,
        )
        .map(|shown| call.response("GetOSDsResponse").children(shown)),
        "GetOSD" => named()
            .and_then(|id| list(call, ns, "OSD", Some(id), |media| &media.osds))
            .map(|shown| call.response("GetOSDResponse").children(shown)),
        "GetOSDOptions" => video_source_configuration(call, "ConfigurationToken").map(|_| {
            call.response("GetOSDOptionsResponse")
                .child(osd_options(ns))
        }),
        "CreateOSD" => osd(call).and_then(|osd| {
            let id = add(
                call,
                osd,
                "osd",
                |media| &mut media.osds,
                MAX_OSDS,
                "MaxOSDs",
            )?;
            Ok(call.response("CreateOSDResponse").leaf(ns, "OSDToken", id))
        }),
        "SetOSD" => osd(call).and_then(|osd| {
            change(call, osd, |media| &mut media.osds)?;
            Ok(call.response("SetOSDResponse"))
        }),
        "DeleteOSD" => named().and_then(|id| {
            remove(call, id, |media| &mut media.osds)?;
            Ok(call.response("DeleteOSDResponse"))
        }),
        _ => return None,
    })
}

/// Operations on masks, `None` for others.
pub(super) fn answer_mask(call: &Call<'_>, operation: &str) -> Option<Result<Element, Fault>> {
    Some(match operation {
        "GetMasks" => list(call, TR2, "Masks", call.request.text_of("Token"), |media| {
            &media.masks
        })
        .map(|shown| call.response("GetMasksResponse").children(shown)),
        "GetMaskOptions" => video_source_configuration(call, "ConfigurationToken").map(|_| {
            call.response("GetMaskOptionsResponse")
                .child(mask_options())
        }),
        "CreateMask" => mask(call).and_then(|mask| {
            let id = add(
                call,
                mask,
                "mask",
                |media| &mut media.masks,
                MAX_MASKS,
                "MaxMasks",
            )?;
            Ok(call.response("CreateMaskResponse").leaf(TR2, "Token", id))
        }),
        "SetMask" => mask(call).and_then(|mask| {
            change(call, mask, |media| &mut media.masks)?;
            Ok(call.response("SetMaskResponse"))
        }),
        "DeleteMask" => call.argument("Token").and_then(|id| {
            remove(call, id, |media| &mut media.masks)?;
            Ok(call.response("DeleteMaskResponse"))
        }),
        _ => return None,
    })
}

fn list(
    call: &Call<'_>,
    ns: Ns,
    name: &'static str,
    id: Option<&str>,
    of: impl Fn(&Media) -> &Vec<Made>,
) -> Result<Vec<Element>, Fault> {
    let configuration = call.request.text_of("ConfigurationToken");
    if configuration.is_some() {
        video_source_configuration(call, "ConfigurationToken")?;
    }
    let media = lock(&call.camera.media);
    let wanted = of(&media).iter().filter(|made| {
        id.is_none_or(|id| made.id == id) && configuration.is_none_or(|token| made.of == token)
    });
    let shown: Vec<_> = wanted
        .map(|made| {
            element(ns, name)
                .attribute("token", &made.id)
                .children(made.content.iter().cloned())
        })
        .collect();
    match id {
        Some(id) if shown.is_empty() => Err(no_configuration(id)),
        _ => Ok(shown),
    }
}

fn add(
    call: &Call<'_>,
    mut made: Made,
    prefix: &str,
    of: impl Fn(&mut Media) -> &mut Vec<Made>,
    limit: usize,
    fault: &'static str,
) -> Result<String, Fault> {
    let mut media = lock(&call.camera.media);
    if of(&mut media).len() >= limit {
        return Err(Fault::receiver(
            &[(TER, "Action"), (TER, fault)],
            format!("there can be {limit} at most"),
        ));
    }
    made.id = media.token(prefix);
    let id = made.id.clone();
    of(&mut media).push(made);
    Ok(id)
}

fn change(
    call: &Call<'_>,
    made: Made,
    of: impl Fn(&mut Media) -> &mut Vec<Made>,
) -> Result<(), Fault> {
    let mut media = lock(&call.camera.media);
    let mut all = of(&mut media).iter_mut();
    let known = all.find(|known| known.id == made.id);
    match known {
        Some(known) => *known = made,
        None => return Err(no_configuration(&made.id)),
    }
    Ok(())
}

fn remove(
    call: &Call<'_>,
    id: &str,
    of: impl Fn(&mut Media) -> &mut Vec<Made>,
) -> Result<(), Fault> {
    let mut media = lock(&call.camera.media);
    let all = of(&mut media);
    let position = all.iter().position(|made| made.id == id);
    all.remove(position.ok_or_else(|| no_configuration(id))?);
    Ok(())
}

fn video_source_configuration(call: &Call<'_>, name: &str) -> Result<String, Fault> {
    configured(call, call.argument(name)?)
}

fn configured(call: &Call<'_>, token: &str) -> Result<String, Fault> {
    let media = lock(&call.camera.media);
    let known = media.configuration(Kind::VideoSource, token).is_some();
    known
        .then(|| token.to_owned())
        .ok_or_else(|| no_configuration(token))
}

/// The on-screen display of a request, checked against the options.
fn osd(call: &Call<'_>) -> Result<Made, Fault> {
    let osd = call
        .request
        .child("OSD")
        .ok_or_else(|| Fault::missing("OSD"))?;
    let of = osd.text_of("VideoSourceConfigurationToken");
    let of = of.ok_or_else(|| Fault::missing("VideoSourceConfigurationToken"))?;
    let kind = osd.text_of("Type").unwrap_or_default();
    let position = osd.child("Position");
    let position = position.ok_or_else(|| Fault::missing("Position"))?;
    one_of("Position", position.text_of("Type"), &POSITIONS)?;
    if position.text_of("Type") == Some("Custom") && position.child("Pos").is_none() {
        return Err(Fault::missing("Pos"));
    }
    match (kind, osd.child("TextString"), osd.child("Image")) {
        ("Text", Some(text), _) => {
            one_of("TextString", text.text_of("Type"), &TEXTS)?;
            if let Some(format) = text.text_of("DateFormat") {
                one_of("DateFormat", Some(format), &DATE_FORMATS)?;
            }
            if let Some(format) = text.text_of("TimeFormat") {
                one_of("TimeFormat", Some(format), &TIME_FORMATS)?;
            }
        }
        ("Image", _, Some(image)) => one_of("ImgPath", image.text_of("ImgPath"), &IMAGES)?,
        _ => return Err(impossible("Type", kind)),
    }
    made(call, osd, of, &OSD_CONTENT)
}

/// The mask of a request, checked against the options.
fn mask(call: &Call<'_>) -> Result<Made, Fault> {
    let mask = call
        .request
        .child("Mask")
        .ok_or_else(|| Fault::missing("Mask"))?;
    let of = mask.text_of("ConfigurationToken");
    let of = of.ok_or_else(|| Fault::missing("ConfigurationToken"))?;
    one_of("Type", mask.text_of("Type"), &MASKS)?;
    let corners = mask
        .child("Polygon")
        .map_or(0, |polygon| polygon.all("Point").count());
    if !(3..=8).contains(&corners) {
        return Err(impossible("Polygon", &format!("{corners} corners")));
    }
    made(call, mask, of, &MASK_CONTENT)
}

fn made(call: &Call<'_>, node: &Node, of: &str, order: &[&str]) -> Result<Made, Fault> {
    Ok(Made {
        id: node.attribute("token").unwrap_or_default().to_owned(),
        of: configured(call, of)?,
        content: kept_children(node, order),
        disarmed: false,
    })
}

fn one_of(name: &str, value: Option<&str>, known: &[&str]) -> Result<(), Fault> {
    match value {
        Some(value) if known.contains(&value) => Ok(()),
        value => Err(impossible(name, value.unwrap_or_default())),
    }
}

fn impossible(name: &str, value: &str) -> Fault {
    Fault::invalid_value("ConfigModify", format!("{name}: {value} is not possible"))
}

fn osd_options(ns: Ns) -> Element {
    let leaves = |parent: Element, name: &'static str, values: &[&str]| {
        values
            .iter()
            .fold(parent, |parent, value| parent.leaf(TT, name, value))
    };
    let text =
        leaves(element(TT, "TextOption"), "Type", &TEXTS).child(range("FontSizeRange", 8, 64));
    let text = leaves(
        leaves(text, "DateFormat", &DATE_FORMATS),
        "TimeFormat",
        &TIME_FORMATS,
    );
    let image = leaves(element(TT, "ImageOption"), "ImagePath", &IMAGES);
    let maximum = element(TT, "MaximumNumberOfOSDs").attribute("Total", MAX_OSDS);
    let options = element(ns, "OSDOptions").child(maximum);
    leaves(
        leaves(options, "Type", &["Text", "Image"]),
        "PositionOption",
        &POSITIONS,
    )
    .child(text)
    .child(image)
}

fn mask_options() -> Element {
    let black = element(TT, "ColorList")
        .attribute("X", 0)
        .attribute("Y", 128)
        .attribute("Z", 128);
    let options = element(TR2, "Options")
        .attribute("RectangleOnly", false)
        .attribute("SingleColorOnly", true)
        .leaf(TR2, "MaxMasks", MAX_MASKS)
        .leaf(TR2, "MaxPoints", 8);
    let options = MASKS
        .iter()
        .fold(options, |options, kind| options.leaf(TR2, "Types", kind));
    options.child(element(TR2, "Color").child(black))
}
