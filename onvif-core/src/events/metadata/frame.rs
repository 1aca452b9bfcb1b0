use std::time::SystemTime;

use crate::xml::{Decode, DecodeError, Element, FromText, date};

/// Objects of one frame at most; what is beyond is dropped.
const MAX_OBJECTS: usize = 512;
/// Class candidates of one object at most.
const MAX_CLASSES: usize = 32;

/// What video analytics sees in one picture (ONVIF Analytics, "Frame").
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AnalyticsFrame {
    /// The time of the picture, by the camera's clock.
    pub device_time: Option<SystemTime>,
    /// The analytics module, where the camera tells.
    pub source: Option<String>,
    /// What the camera's coordinates had to be changed by; boxes are in units already.
    pub transformation: Transformation,
    /// The objects.
    pub objects: Vec<AnalyticsObject>,
}

/// An object in a picture.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AnalyticsObject {
    /// Its number, the same as long as it is tracked.
    pub id: Option<String>,
    /// What it may be, as the camera lists it.
    pub classes: Vec<ClassCandidate>,
    /// Where it is, in units.
    pub bounding_box: Option<BoundingBox>,
}

/// What an object may be.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClassCandidate {
    /// The class: `Human`, `Vehicle`, `Animal`, `HumanFace`, `LicensePlate`, or a maker's own.
    pub name: String,
    /// How likely, 0 to 1.
    pub likelihood: Option<f32>,
}

/// A box in units: the picture goes from -1 (left, bottom) to 1 (right, top).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundingBox {
    /// Left edge.
    pub left: f32,
    /// Upper edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Lower edge.
    pub bottom: f32,
}

impl BoundingBox {
    /// The box in pixels of a picture of that size, from its upper left corner.
    #[must_use]
    pub fn to_pixels(self, width: u32, height: u32) -> Self {
        let x = |unit: f32| (unit + 1.0) / 2.0 * width as f32;
        let y = |unit: f32| (1.0 - unit) / 2.0 * height as f32;
        Self {
            left: x(self.left),
            top: y(self.top),
            right: x(self.right),
            bottom: y(self.bottom),
        }
    }
}

/// From the camera's coordinates to units: first scaled, then moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transformation {
    /// Horizontal and vertical move.
    pub translate: (f32, f32),
    /// Horizontal and vertical factor.
    pub scale: (f32, f32),
}

impl Default for Transformation {
    fn default() -> Self {
        Self {
            translate: (0.0, 0.0),
            scale: (1.0, 1.0),
        }
    }
}

impl Transformation {
    fn apply(self, to: BoundingBox) -> BoundingBox {
        let x = |value: f32| value * self.scale.0 + self.translate.0;
        let y = |value: f32| value * self.scale.1 + self.translate.1;
        BoundingBox {
            left: x(to.left),
            top: y(to.top),
            right: x(to.right),
            bottom: y(to.bottom),
        }
    }

    /// First this, then `outer`.
    fn then(self, outer: Self) -> Self {
        let join = |inner: f32, scale: f32, translate: f32| inner * scale + translate;
        Self {
            translate: (
                join(self.translate.0, outer.scale.0, outer.translate.0),
                join(self.translate.1, outer.scale.1, outer.translate.1),
            ),
            scale: (self.scale.0 * outer.scale.0, self.scale.1 * outer.scale.1),
        }
    }
}

impl Decode for Transformation {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let mut transformation = Self::default();
        while let Some(part) = element.child()? {
            let target = match part.local_name() {
                "Translate" => &mut transformation.translate,
                "Scale" => &mut transformation.scale,
                _ => continue,
            };
            *target = (
                number(&part, "x").unwrap_or(target.0),
                number(&part, "y").unwrap_or(target.1),
            );
        }
        Ok(transformation)
    }
}

impl Decode for AnalyticsFrame {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let mut frame = Self {
            device_time: element
                .attribute("UtcTime")
                .and_then(|text| date::parse_date_time(&text)),
            source: element.attribute("Source").map(|text| text.into_owned()),
            ..Self::default()
        };
        let mut found = Vec::new();
        while let Some(mut part) = element.child()? {
            match part.local_name() {
                "Transformation" => frame.transformation = Transformation::decode(&mut part)?,
                "Object" if found.len() < MAX_OBJECTS => found.push(object(&mut part)?),
                _ => {}
            }
        }
        // The transformation of the frame may stand behind the objects.
        let outer = frame.transformation;
        frame.objects = found
            .into_iter()
            .map(|(object, inner)| AnalyticsObject {
                bounding_box: object
                    .bounding_box
                    .map(|shape| inner.then(outer).apply(shape)),
                ..object
            })
            .collect();
        Ok(frame)
    }
}

/// An object in the camera's own coordinates, with its own transformation.
fn object(element: &mut Element<'_, '_>) -> Result<(AnalyticsObject, Transformation), DecodeError> {
    let id = element
        .attribute("ObjectId")
        .or_else(|| element.attribute("UUID"))
        .map(|id| id.trim().to_owned())
        .filter(|id| !id.is_empty());
    let mut object = AnalyticsObject {
        id,
        ..AnalyticsObject::default()
    };
    let mut transformation = Transformation::default();
    while let Some(mut part) = element.child()? {
        if part.local_name() != "Appearance" {
            continue;
        }
        while let Some(mut appearance) = part.child()? {
            match appearance.local_name() {
                "Transformation" => transformation = Transformation::decode(&mut appearance)?,
                "Shape" => {
                    while let Some(shape) = appearance.child()? {
                        if shape.local_name() == "BoundingBox" {
                            object.bounding_box = rectangle(&shape);
                        }
                    }
                }
                "Class" => classes(&mut appearance, &mut object.classes)?,
                _ => {}
            }
        }
    }
    Ok((object, transformation))
}

/// Reads `Type` with its likelihood, and the older `ClassCandidate`.
fn classes(
    element: &mut Element<'_, '_>,
    classes: &mut Vec<ClassCandidate>,
) -> Result<(), DecodeError> {
    while let Some(mut part) = element.child()? {
        let mut likelihood = number(&part, "Likelihood");
        let name = match part.local_name() {
            "Type" => part.text()?.into_owned(),
            "ClassCandidate" => {
                let mut name = String::new();
                while let Some(mut value) = part.child()? {
                    match value.local_name() {
                        "Type" => name = value.text()?.into_owned(),
                        "Likelihood" => likelihood = f32::from_text(&value.text()?),
                        _ => {}
                    }
                }
                name
            }
            _ => continue,
        };
        let known = classes.iter().any(|class| class.name == name);
        if !name.is_empty() && !known && classes.len() < MAX_CLASSES {
            classes.push(ClassCandidate { name, likelihood });
        }
    }
    Ok(())
}

fn rectangle(element: &Element<'_, '_>) -> Option<BoundingBox> {
    Some(BoundingBox {
        left: number(element, "left")?,
        top: number(element, "top")?,
        right: number(element, "right")?,
        bottom: number(element, "bottom")?,
    })
}

fn number(element: &Element<'_, '_>, attribute: &str) -> Option<f32> {
    f32::from_text(element.attribute(attribute)?.trim())
}
