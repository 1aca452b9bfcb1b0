//! Distances made of velocity and time, for cameras that only move continuously.

use std::time::Duration;

use crate::vector::{PanTilt, Position, Velocity, Zoom};

/// How fast a camera is, for [`relative_move_by_time`](crate::PtzClient::relative_move_by_time). It has
/// to be measured: cameras do not tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedMoveOptions {
    /// The velocity to move with, as a part of the greatest, more than 0 and up to 1.
    pub velocity: f32,
    /// How far pan and tilt get in a second at that velocity, in the unit of the distances.
    pub pan_tilt_per_second: f32,
    /// How far zoom gets in a second at that velocity.
    pub zoom_per_second: f32,
}

impl Default for TimedMoveOptions {
    /// Half of the greatest velocity, with which a common dome crosses its range in 10 s, and its
    /// zoom in 4 s.
    fn default() -> Self {
        Self {
            velocity: 0.5,
            pan_tilt_per_second: 0.2,
            zoom_per_second: 0.25,
        }
    }
}

impl TimedMoveOptions {
    pub(crate) fn is_usable(&self) -> bool {
        let positive = |number: f32| number.is_finite() && number > 0.0;
        positive(self.velocity)
            && self.velocity <= 1.0
            && positive(self.pan_tilt_per_second)
            && positive(self.zoom_per_second)
    }

    /// The moves that make up a distance, one after the other. Both axes of pan and tilt arrive at
    /// the same time. Distances of zero need no move.
    pub(crate) fn moves(&self, translation: &Position) -> Vec<(Velocity, Duration)> {
        let mut moves = Vec::new();
        if let Some(PanTilt { x, y, .. }) = translation.pan_tilt {
            let longest = x.abs().max(y.abs());
            if longest > 0.0 {
                let part = self.velocity / longest;
                let velocity = Velocity::from(PanTilt::new(x * part, y * part));
                moves.push((velocity, seconds(longest / self.pan_tilt_per_second)));
            }
        }
        if let Some(Zoom { x, .. }) = translation.zoom
            && x != 0.0
        {
            let velocity = Velocity::from(Zoom::new(self.velocity.copysign(x)));
            moves.push((velocity, seconds(x.abs() / self.zoom_per_second)));
        }
        moves
    }
}

/// No distance of a camera takes longer than five minutes.
fn seconds(seconds: f32) -> Duration {
    Duration::from_secs_f32(seconds.clamp(0.0, 300.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_becomes_velocity_and_time() {
        let options = TimedMoveOptions {
            velocity: 0.5,
            pan_tilt_per_second: 0.25,
            zoom_per_second: 0.5,
        };
        let translation = Position::pan_tilt(0.5, -0.25).and_zoom(Zoom::new(-1.0));
        assert_eq!(
            options.moves(&translation),
            [
                (Velocity::pan_tilt(0.5, -0.25), Duration::from_secs(2)),
                (Velocity::zoom(-0.5), Duration::from_secs(2)),
            ]
        );
    }

    #[test]
    fn no_distance_is_no_move() {
        let options = TimedMoveOptions::default();
        let nowhere = Position::pan_tilt(0.0, 0.0).and_zoom(Zoom::new(0.0));
        assert_eq!(options.moves(&nowhere), []);
    }

    #[test]
    fn a_speed_that_would_never_arrive_is_unusable() {
        let options = TimedMoveOptions {
            pan_tilt_per_second: 0.0,
            ..TimedMoveOptions::default()
        };
        assert!(!options.is_usable());
    }
}
