//! Focus: where it is, how it can be moved.

use super::range::nearest;
use crate::schema::FloatRange;
use crate::{soap_enum, soap_reply, soap_type};

soap_type! {
    /// A move of the focus: exactly one of these. [`FocusMoveOptions`] makes those that the lens can do.
    #[derive(Default)]
    pub struct FocusMove in "tt" {
        /// To a position.
        absolute: Option<AbsoluteFocus> = "Absolute",
        /// By a distance.
        relative: Option<RelativeFocus> = "Relative",
        /// Until stopped.
        continuous: Option<ContinuousFocus> = "Continuous",
    }
}

soap_type! {
    /// Focus to a position.
    #[derive(Copy)]
    pub struct AbsoluteFocus in "tt" {
        /// The position, in the camera's own unit.
        position: f32 = "Position",
        /// How fast.
        speed: Option<f32> = "Speed",
    }
}

soap_type! {
    /// Focus by a distance.
    #[derive(Copy)]
    pub struct RelativeFocus in "tt" {
        /// The distance, in the camera's own unit: positive is farther.
        distance: f32 = "Distance",
        /// How fast.
        speed: Option<f32> = "Speed",
    }
}

soap_type! {
    /// Focus until stopped.
    #[derive(Copy)]
    pub struct ContinuousFocus in "tt" {
        /// How fast, in the camera's own unit: positive is farther.
        speed: f32 = "Speed",
    }
}

soap_reply! {
    /// How the focus can be moved; what is `None` it cannot do.
    #[derive(Default)]
    pub struct FocusMoveOptions in "tt" {
        /// To a position.
        absolute: Option<AbsoluteFocusOptions> = "Absolute",
        /// By a distance.
        relative: Option<RelativeFocusOptions> = "Relative",
        /// Until stopped.
        continuous: Option<ContinuousFocusOptions> = "Continuous",
    }
}

soap_reply! {
    /// Ranges of a move to a position.
    pub struct AbsoluteFocusOptions in "tt" {
        /// Positions.
        position: Option<FloatRange> = "Position",
        /// Speeds; `None` when the speed cannot be chosen.
        speed: Option<FloatRange> = "Speed",
    }
}

soap_reply! {
    /// Ranges of a move by a distance.
    pub struct RelativeFocusOptions in "tt" {
        /// Distances.
        distance: Option<FloatRange> = "Distance",
        /// Speeds; `None` when the speed cannot be chosen.
        speed: Option<FloatRange> = "Speed",
    }
}

soap_reply! {
    /// Ranges of a move that lasts until it is stopped.
    pub struct ContinuousFocusOptions in "tt" {
        /// Speeds.
        speed: Option<FloatRange> = "Speed",
    }
}

impl FocusMoveOptions {
    /// The nearest move to a position that the lens can do; `None` when it has no positions.
    pub fn absolute(&self, position: f32, speed: Option<f32>) -> Option<FocusMove> {
        let ranges = self.absolute.as_ref()?;
        Some(FocusMove {
            absolute: Some(AbsoluteFocus {
                position: nearest(ranges.position, position),
                speed: chosen(ranges.speed, speed),
            }),
            ..FocusMove::default()
        })
    }

    /// The nearest move by a distance that the lens can do; `None` when it has no distances.
    pub fn relative(&self, distance: f32, speed: Option<f32>) -> Option<FocusMove> {
        let ranges = self.relative.as_ref()?;
        Some(FocusMove {
            relative: Some(RelativeFocus {
                distance: nearest(ranges.distance, distance),
                speed: chosen(ranges.speed, speed),
            }),
            ..FocusMove::default()
        })
    }

    /// The nearest move until stopped that the lens can do; `None` when it has none.
    pub fn continuous(&self, speed: f32) -> Option<FocusMove> {
        let ranges = self.continuous.as_ref()?;
        Some(FocusMove {
            continuous: Some(ContinuousFocus {
                speed: nearest(ranges.speed, speed),
            }),
            ..FocusMove::default()
        })
    }
}

/// A speed is sent only to cameras that let it be chosen.
fn chosen(range: Option<FloatRange>, speed: Option<f32>) -> Option<f32> {
    let speed = speed?;
    range.map(|range| nearest(Some(range), speed))
}

impl FocusMove {
    /// Whether every number is one.
    pub(super) fn is_finite(&self) -> bool {
        let numbers = [
            self.absolute.map(|to| to.position),
            self.absolute.and_then(|to| to.speed),
            self.relative.map(|by| by.distance),
            self.relative.and_then(|by| by.speed),
            self.continuous.map(|with| with.speed),
        ];
        numbers.into_iter().flatten().all(f32::is_finite)
    }
}

soap_reply! {
    /// What imaging does now.
    #[derive(Default)]
    pub struct ImagingStatus in "tt" {
        /// The focus.
        focus: Option<FocusStatus> = "FocusStatus20",
    }
}

soap_reply! {
    /// Where the focus is and whether it moves.
    pub struct FocusStatus in "tt" {
        /// Where it is, in the camera's own unit.
        position: Option<f32> = "Position",
        /// Whether it moves.
        move_status: Option<FocusMoveStatus> = "MoveStatus",
        /// What is wrong.
        error: Option<String> = "Error",
    }
}

soap_enum! {
    /// Whether the focus moves.
    pub enum FocusMoveStatus {
        /// It does not.
        Idle = "IDLE",
        /// It does.
        Moving = "MOVING",
        /// The camera does not know.
        Unknown = "UNKNOWN",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::to_body;

    #[test]
    fn a_move_is_the_nearest_that_the_lens_can_do() {
        let options = FocusMoveOptions {
            absolute: Some(AbsoluteFocusOptions {
                position: Some(FloatRange {
                    min: Some(0.0),
                    max: Some(1.0),
                }),
                speed: None,
            }),
            ..FocusMoveOptions::default()
        };
        let to = options.absolute(2.0, Some(0.5)).unwrap();
        assert_eq!(
            to_body(&to).unwrap(),
            "<tt:FocusMove><tt:Absolute><tt:Position>1</tt:Position></tt:Absolute></tt:FocusMove>"
        );
        assert_eq!(options.relative(0.1, None), None);
        assert_eq!(options.continuous(0.1), None);
    }
}
