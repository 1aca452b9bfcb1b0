//! What a camera can do, and the nearest thing to a wish that it can. All pure.

use std::fmt;

use crate::operations::{Configuration, Node, Spaces};
use crate::space::{self, Space1D, Space2D};
use crate::vector::{PanTilt, Position, Velocity, Zoom};

/// Something that a camera may be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ability {
    /// Pan and tilt to a position.
    AbsolutePanTilt,
    /// Pan and tilt to a position in degrees.
    AbsoluteDegrees,
    /// Zoom to a position.
    AbsoluteZoom,
    /// Pan and tilt by a distance.
    RelativePanTilt,
    /// Pan and tilt by parts of what the camera sees.
    RelativeFieldOfView,
    /// Zoom by a distance.
    RelativeZoom,
    /// Pan and tilt with a velocity.
    ContinuousPanTilt,
    /// Zoom with a velocity.
    ContinuousZoom,
    /// Home.
    Home,
    /// Another home than the fixed one.
    SetHome,
    /// Presets.
    Presets,
    /// Preset tours.
    PresetTours,
    /// Places on earth.
    GeoMove,
    /// Auxiliary commands.
    AuxiliaryCommands,
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AbsolutePanTilt => "pan and tilt to a position",
            Self::AbsoluteDegrees => "pan and tilt to a position in degrees",
            Self::AbsoluteZoom => "zoom to a position",
            Self::RelativePanTilt => "pan and tilt by a distance",
            Self::RelativeFieldOfView => "pan and tilt by parts of the picture",
            Self::RelativeZoom => "zoom by a distance",
            Self::ContinuousPanTilt => "pan and tilt with a velocity",
            Self::ContinuousZoom => "zoom with a velocity",
            Self::Home => "a home position",
            Self::SetHome => "setting the home position",
            Self::Presets => "presets",
            Self::PresetTours => "preset tours",
            Self::GeoMove => "moves to a place on earth",
            Self::AuxiliaryCommands => "auxiliary commands",
        })
    }
}

impl Node {
    /// Whether the node lists the ability. What it says nothing about, it lacks.
    pub fn supports(&self, ability: Ability) -> bool {
        let none = Spaces::default();
        let spaces = self.spaces.as_ref().unwrap_or(&none);
        let has = |list: &[Space2D], uri: &str| {
            list.iter().any(|space| is(space.uri.as_deref(), Some(uri)))
        };
        match ability {
            Ability::AbsolutePanTilt => !spaces.absolute_pan_tilt.is_empty(),
            Ability::AbsoluteDegrees => {
                has(&spaces.absolute_pan_tilt, space::pan_tilt::POSITION_DEGREES)
            }
            Ability::AbsoluteZoom => !spaces.absolute_zoom.is_empty(),
            Ability::RelativePanTilt => !spaces.relative_pan_tilt.is_empty(),
            Ability::RelativeFieldOfView => {
                has(&spaces.relative_pan_tilt, space::pan_tilt::TRANSLATION_FOV)
            }
            Ability::RelativeZoom => !spaces.relative_zoom.is_empty(),
            Ability::ContinuousPanTilt => !spaces.continuous_pan_tilt.is_empty(),
            Ability::ContinuousZoom => !spaces.continuous_zoom.is_empty(),
            Ability::Home => self.home_supported == Some(true),
            Ability::SetHome => {
                self.home_supported == Some(true) && self.fixed_home_position != Some(true)
            }
            Ability::Presets => self.maximum_number_of_presets.is_some_and(|n| n > 0),
            Ability::PresetTours => {
                let tours = self.extension.as_ref();
                let tours = tours.and_then(|extension| extension.preset_tours.as_ref());
                tours.is_some_and(|tours| tours.maximum_number != Some(0))
            }
            Ability::GeoMove => self.geo_move == Some(true),
            Ability::AuxiliaryCommands => !self.auxiliary_commands.is_empty(),
        }
    }
}

/// The ranges of a profile: those of its node, narrowed by its configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    spaces: Spaces,
    pan_tilt: Option<Space2D>,
    zoom: Option<Space1D>,
    absolute: Defaults,
    relative: Defaults,
    continuous: Defaults,
}

/// The spaces that count where a vector names none.
#[derive(Clone, Debug, Default, PartialEq)]
struct Defaults {
    pan_tilt: Option<String>,
    zoom: Option<String>,
}

impl Limits {
    /// The ranges of a node as one of its configurations uses it.
    pub fn new(node: &Node, configuration: Option<&Configuration>) -> Self {
        let mut limits = Self {
            spaces: node.spaces.clone().unwrap_or_default(),
            ..Self::default()
        };
        let Some(configuration) = configuration.cloned() else {
            return limits;
        };
        limits.pan_tilt = configuration.pan_tilt_limits.and_then(|limit| limit.range);
        limits.zoom = configuration.zoom_limits.and_then(|limit| limit.range);
        limits.absolute = Defaults {
            pan_tilt: configuration.default_absolute_pan_tilt_space,
            zoom: configuration.default_absolute_zoom_space,
        };
        limits.relative = Defaults {
            pan_tilt: configuration.default_relative_pan_tilt_space,
            zoom: configuration.default_relative_zoom_space,
        };
        limits.continuous = Defaults {
            pan_tilt: configuration.default_continuous_pan_tilt_space,
            zoom: configuration.default_continuous_zoom_space,
        };
        limits
    }

    /// The nearest position the camera can take; `None` when it cannot be moved to positions on
    /// these axes, or not in this space.
    pub fn absolute(&self, position: &Position) -> Option<Position> {
        clamp(
            position,
            &self.absolute,
            (&self.spaces.absolute_pan_tilt, self.pan_tilt.as_ref()),
            (&self.spaces.absolute_zoom, self.zoom.as_ref()),
        )
    }

    /// The nearest distance the camera can move at once; `None` as in [`absolute`](Self::absolute).
    pub fn relative(&self, translation: &Position) -> Option<Position> {
        clamp(
            translation,
            &self.relative,
            (&self.spaces.relative_pan_tilt, None),
            (&self.spaces.relative_zoom, None),
        )
    }

    /// The nearest velocity the camera can move with; `None` as in [`absolute`](Self::absolute).
    pub fn continuous(&self, velocity: &Velocity) -> Option<Velocity> {
        clamp(
            velocity,
            &self.continuous,
            (&self.spaces.continuous_pan_tilt, None),
            (&self.spaces.continuous_zoom, None),
        )
    }

    /// All spaces.
    pub fn spaces(&self) -> &Spaces {
        &self.spaces
    }
}

fn clamp(
    wish: &Position,
    defaults: &Defaults,
    (planes, plane_limit): (&[Space2D], Option<&Space2D>),
    (lines, line_limit): (&[Space1D], Option<&Space1D>),
) -> Option<Position> {
    let pan_tilt = match &wish.pan_tilt {
        None => None,
        Some(wish) => {
            let uri = wish.space.as_deref().or(defaults.pan_tilt.as_deref());
            let space = planes.iter().find(|space| is(space.uri.as_deref(), uri))?;
            let limit = plane_limit.filter(|limit| is(limit.uri.as_deref(), space.uri.as_deref()));
            let narrowed = |range: &space::FloatRange, limit: Option<&space::FloatRange>| {
                limit
                    .and_then(|limit| range.intersect(limit))
                    .unwrap_or(*range)
            };
            Some(PanTilt {
                x: narrowed(&space.x, limit.map(|limit| &limit.x)).clamp(wish.x),
                y: narrowed(&space.y, limit.map(|limit| &limit.y)).clamp(wish.y),
                space: wish.space.clone(),
            })
        }
    };
    let zoom = match &wish.zoom {
        None => None,
        Some(wish) => {
            let uri = wish.space.as_deref().or(defaults.zoom.as_deref());
            let space = lines.iter().find(|space| is(space.uri.as_deref(), uri))?;
            let limit = line_limit.filter(|limit| is(limit.uri.as_deref(), space.uri.as_deref()));
            let range = limit.and_then(|limit| space.x.intersect(&limit.x));
            Some(Zoom {
                x: range.unwrap_or(space.x).clamp(wish.x),
                space: wish.space.clone(),
            })
        }
    };
    Some(Position { pan_tilt, zoom })
}

/// Whether a listed space is the one asked for; where none is asked for, any is.
fn is(listed: Option<&str>, asked: Option<&str>) -> bool {
    asked.is_none_or(|asked| listed.is_some_and(|listed| listed.eq_ignore_ascii_case(asked)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::PanTiltLimits;
    use crate::space::{FloatRange, pan_tilt};

    fn plane(uri: &str, max: f32) -> Space2D {
        let range = FloatRange { min: -max, max };
        Space2D {
            uri: Some(uri.into()),
            x: range,
            y: range,
        }
    }

    fn node() -> Node {
        Node {
            token: "n".into(),
            fixed_home_position: Some(true),
            geo_move: None,
            name: None,
            spaces: Some(Spaces {
                absolute_pan_tilt: vec![
                    plane(pan_tilt::POSITION_GENERIC, 1.0),
                    plane(pan_tilt::POSITION_DEGREES, 180.0),
                ],
                ..Spaces::default()
            }),
            maximum_number_of_presets: Some(0),
            home_supported: Some(true),
            auxiliary_commands: Vec::new(),
            extension: None,
        }
    }

    #[test]
    fn a_position_is_clamped_in_the_space_it_names() {
        let limits = Limits::new(&node(), None);
        let clamped = limits.absolute(&PanTilt::degrees(200.0, 10.0).into());
        assert_eq!(clamped, Some(PanTilt::degrees(180.0, 10.0).into()));
        let clamped = limits.absolute(&Position::pan_tilt(2.0, 0.5));
        assert_eq!(clamped, Some(Position::pan_tilt(1.0, 0.5)));
    }

    #[test]
    fn a_configuration_narrows_the_range_and_names_the_default_space() {
        let mut configuration = Configuration::new("c".into(), "n".into());
        configuration.default_absolute_pan_tilt_space = Some(pan_tilt::POSITION_DEGREES.into());
        configuration.pan_tilt_limits = Some(PanTiltLimits {
            range: Some(plane(pan_tilt::POSITION_DEGREES, 90.0)),
        });
        let limits = Limits::new(&node(), Some(&configuration));
        let clamped = limits.absolute(&Position::pan_tilt(100.0, 0.5));
        assert_eq!(clamped, Some(Position::pan_tilt(90.0, 0.5)));
        let generic = PanTilt::new(2.0, 0.0).in_space(pan_tilt::POSITION_GENERIC);
        let clamped = limits.absolute(&generic.into()).unwrap().pan_tilt.unwrap();
        assert_eq!(clamped.x, 1.0);
    }

    #[test]
    fn what_the_camera_cannot_do_has_no_nearest() {
        let limits = Limits::new(&node(), None);
        assert_eq!(limits.absolute(&Position::zoom(0.5)), None);
        assert_eq!(limits.relative(&PanTilt::of_view(0.1, 0.0).into()), None);
        assert_eq!(
            limits.absolute(&PanTilt::new(0.0, 0.0).in_space("urn:x").into()),
            None
        );
    }

    #[test]
    fn a_node_supports_what_it_lists() {
        let node = node();
        assert!(node.supports(Ability::AbsoluteDegrees) && node.supports(Ability::Home));
        for ability in [
            Ability::AbsoluteZoom,
            Ability::SetHome,
            Ability::Presets,
            Ability::GeoMove,
        ] {
            assert!(!node.supports(ability), "{ability}");
        }
    }
}
