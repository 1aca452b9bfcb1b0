//! How the camera's head moves: pure, the clock is an argument.

mod ptz;
mod tour;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::Serialize;

pub(crate) use ptz::{Preset, Ptz};
pub(crate) use tour::{Spot, SpotTarget, Tour, TourState};

/// Points of a path beyond this many push the oldest out.
const MAX_PATH: usize = 1024;

/// Where the camera looks, in the generic position spaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PtzPosition {
    /// -1 (left) to 1 (right).
    pub pan: f64,
    /// -1 (down) to 1 (up).
    pub tilt: f64,
    /// 0 (wide) to 1 (tele).
    pub zoom: f64,
}

/// A point on the way of the head.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PtzPathPoint {
    /// How long after the start of the camera; as JSON, `at_ms` in milliseconds.
    #[serde(rename = "at_ms", serialize_with = "crate::requests::milliseconds")]
    pub at: Duration,
    /// Where it was.
    #[serde(flatten)]
    pub position: PtzPosition,
}

/// A pan/tilt pair and a zoom value, each where a request gave it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Vector {
    pub pan_tilt: Option<(f64, f64)>,
    pub zoom: Option<f64>,
}

impl Vector {
    /// All of a position.
    pub(crate) fn to(position: PtzPosition) -> Self {
        Self {
            pan_tilt: Some((position.pan, position.tilt)),
            zoom: Some(position.zoom),
        }
    }
}

/// Pan, tilt and zoom with their motors. At full speed an axis crosses its whole range in one second.
#[derive(Debug)]
pub(crate) struct Head {
    pan: Axis,
    tilt: Axis,
    zoom: Axis,
    updated: Instant,
    /// Where it was when it began to move otherwise.
    path: VecDeque<(Instant, PtzPosition)>,
}

impl Head {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            pan: Axis::new(-1.0, 1.0),
            tilt: Axis::new(-1.0, 1.0),
            zoom: Axis::new(0.0, 1.0),
            updated: now,
            path: VecDeque::new(),
        }
    }

    pub(crate) fn position(&mut self, now: Instant) -> PtzPosition {
        self.advance(now);
        self.place()
    }

    /// The way up to now: straight and even between its points.
    pub(crate) fn path(&mut self, now: Instant) -> Vec<(Instant, PtzPosition)> {
        self.advance(now);
        let here = (self.updated, self.place());
        self.path.iter().copied().chain([here]).collect()
    }

    pub(crate) fn forget_path(&mut self) {
        self.path.clear();
    }

    fn place(&self) -> PtzPosition {
        PtzPosition {
            pan: self.pan.position,
            tilt: self.tilt.position,
            zoom: self.zoom.position,
        }
    }

    /// A point of the path: from here it moves otherwise.
    fn turn(&mut self) {
        let point = (self.updated, self.place());
        if self.path.back() == Some(&point) {
            return;
        }
        if self.path.len() == MAX_PATH {
            self.path.pop_front();
        }
        self.path.push_back(point);
    }

    /// Whether pan or tilt moves, and whether zoom moves.
    pub(crate) fn moving(&mut self, now: Instant) -> (bool, bool) {
        self.advance(now);
        let pan_tilt = self.pan.is_moving() || self.tilt.is_moving();
        (pan_tilt, self.zoom.is_moving())
    }

    /// Travels to a position; what the target leaves out keeps doing what it does. Speeds are parts of full speed.
    pub(crate) fn travel_to(&mut self, now: Instant, target: Vector, speed: Vector) {
        self.advance(now);
        self.turn();
        if let Some((pan, tilt)) = target.pan_tilt {
            let (x, y) = speed.pan_tilt.unwrap_or((1.0, 1.0));
            let speed = x.abs().max(y.abs());
            self.pan.travel_to(pan, speed);
            self.tilt.travel_to(tilt, speed);
        }
        if let Some(zoom) = target.zoom {
            self.zoom.travel_to(zoom, speed.zoom.unwrap_or(1.0).abs());
        }
    }

    /// Travels by an offset from where the head is now.
    pub(crate) fn travel_by(&mut self, now: Instant, offset: Vector, speed: Vector) {
        let from = self.position(now);
        let target = Vector {
            pan_tilt: offset
                .pan_tilt
                .map(|(pan, tilt)| (from.pan + pan, from.tilt + tilt)),
            zoom: offset.zoom.map(|zoom| from.zoom + zoom),
        };
        self.travel_to(now, target, speed);
    }

    /// Moves with a velocity (parts of full speed) until stopped, at a limit, or timed out.
    pub(crate) fn drive(&mut self, now: Instant, velocity: Vector, timeout: Duration) {
        self.advance(now);
        self.turn();
        if let Some((pan, tilt)) = velocity.pan_tilt {
            self.pan.drive(pan, timeout);
            self.tilt.drive(tilt, timeout);
        }
        if let Some(zoom) = velocity.zoom {
            self.zoom.drive(zoom, timeout);
        }
    }

    /// When everything that travels to a target has arrived; `None` when something moves with a velocity.
    pub(crate) fn arrival(&self) -> Option<Instant> {
        let axes = [&self.pan, &self.tilt, &self.zoom];
        let left: Option<Vec<Duration>> = axes.into_iter().map(Axis::time_left).collect();
        Some(self.updated + left?.into_iter().max().unwrap_or_default())
    }

    /// Narrows the ranges of pan, tilt and zoom. An axis outside of its range moves back at its next move.
    pub(crate) fn set_limits(&mut self, pan: (f64, f64), tilt: (f64, f64), zoom: (f64, f64)) {
        for (axis, (min, max)) in [
            (&mut self.pan, pan),
            (&mut self.tilt, tilt),
            (&mut self.zoom, zoom),
        ] {
            axis.min = min;
            axis.max = max;
        }
    }

    pub(crate) fn stop(&mut self, now: Instant, pan_tilt: bool, zoom: bool) {
        self.advance(now);
        if self.axes().any(Axis::is_moving) {
            self.turn();
        }
        if pan_tilt {
            self.pan.stop();
            self.tilt.stop();
        }
        if zoom {
            self.zoom.stop();
        }
    }

    pub(crate) fn advance(&mut self, now: Instant) {
        while let Some(rest) = self.axes().filter_map(Axis::rests_in).min()
            && let Some(rests_at) = self.updated.checked_add(rest)
            && rests_at <= now
        {
            self.advance_all(rests_at);
        }
        self.advance_all(now);
    }

    /// Advances to where a motor comes to rest or before it, which makes a point of the path.
    fn advance_all(&mut self, now: Instant) {
        let moving = |head: &Self| head.axes().filter(|axis| axis.is_moving()).count();
        let before = moving(self);
        let elapsed = now.saturating_duration_since(self.updated);
        for axis in [&mut self.pan, &mut self.tilt, &mut self.zoom] {
            axis.advance(elapsed);
        }
        self.updated = self.updated.max(now);
        if moving(self) < before {
            self.turn();
        }
    }

    fn axes(&self) -> impl Iterator<Item = &Axis> {
        [&self.pan, &self.tilt, &self.zoom].into_iter()
    }
}

/// One motor: that of pan, tilt, zoom, or focus.
#[derive(Debug)]
pub(crate) struct Axis {
    pub position: f64,
    min: f64,
    max: f64,
    /// What full speed crosses in a second.
    span: f64,
    drive: Drive,
}

/// Speeds here are positions per second.
#[derive(Debug)]
enum Drive {
    Idle,
    To { target: f64, speed: f64 },
    With { velocity: f64, left: Duration },
}

impl Axis {
    pub(crate) fn new(min: f64, max: f64) -> Self {
        Self {
            position: 0.0,
            min,
            max,
            span: max - min,
            drive: Drive::Idle,
        }
    }

    pub(crate) fn is_moving(&self) -> bool {
        !matches!(self.drive, Drive::Idle)
    }

    pub(crate) fn stop(&mut self) {
        self.drive = Drive::Idle;
    }

    /// Until it arrives; `None` while it has no target.
    fn time_left(&self) -> Option<Duration> {
        match self.drive {
            Drive::Idle => Some(Duration::ZERO),
            // A little more, so that rounding never leaves it short of its target.
            Drive::To { target, speed } => {
                let left = (target - self.position).abs() / speed + 1e-6;
                Some(Duration::from_secs_f64(left))
            }
            Drive::With { .. } => None,
        }
    }

    /// Until it stops by itself, a little more than less; `None` while it does not move.
    fn rests_in(&self) -> Option<Duration> {
        let seconds = |seconds: f64| {
            Duration::try_from_secs_f64(seconds.max(0.0) + 1e-6).unwrap_or(Duration::MAX)
        };
        match self.drive {
            Drive::Idle => None,
            Drive::To { target, speed } => Some(seconds((target - self.position).abs() / speed)),
            Drive::With { velocity, left } => {
                let limit = if velocity > 0.0 { self.max } else { self.min };
                Some(left.min(seconds((limit - self.position) / velocity)))
            }
        }
    }

    pub(crate) fn travel_to(&mut self, target: f64, speed: f64) {
        let target = target.clamp(self.min, self.max);
        // A speed of zero would never arrive: it asks for the default, which is full speed.
        let speed = if speed > 0.0 { speed.min(1.0) } else { 1.0 };
        self.drive = if target == self.position {
            Drive::Idle
        } else {
            Drive::To {
                target,
                speed: speed * self.span,
            }
        };
    }

    pub(crate) fn drive(&mut self, velocity: f64, left: Duration) {
        self.drive = if velocity == 0.0 || left.is_zero() {
            Drive::Idle
        } else {
            Drive::With {
                velocity: velocity * self.span,
                left,
            }
        };
    }

    pub(crate) fn advance(&mut self, elapsed: Duration) {
        match &mut self.drive {
            Drive::Idle => {}
            Drive::To { target, speed } => {
                let step = *speed * elapsed.as_secs_f64();
                let way = *target - self.position;
                if way.abs() <= step {
                    self.position = *target;
                    self.drive = Drive::Idle;
                } else {
                    self.position += step.copysign(way);
                }
            }
            Drive::With { velocity, left } => {
                let time = elapsed.min(*left);
                *left -= time;
                let free = self.position + *velocity * time.as_secs_f64();
                self.position = free.clamp(self.min, self.max);
                if left.is_zero() || free != self.position {
                    self.drive = Drive::Idle;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: Vector = Vector {
        pan_tilt: None,
        zoom: None,
    };

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn an_absolute_move_takes_time_and_arrives_exactly() {
        let start = Instant::now();
        let mut head = Head::new(start);
        let target = Vector {
            pan_tilt: Some((1.0, -0.5)),
            zoom: Some(0.25),
        };
        head.travel_to(start, target, FULL);

        let halfway = head.position(start + seconds(0.25));
        assert!((halfway.pan - 0.5).abs() < 1e-9 && (halfway.tilt + 0.5).abs() < 1e-9);
        assert_eq!(head.moving(start + seconds(0.25)), (true, false));
        let there = head.position(start + seconds(1.0));
        assert_eq!(
            there,
            PtzPosition {
                pan: 1.0,
                tilt: -0.5,
                zoom: 0.25
            }
        );
        assert_eq!(head.moving(start + seconds(1.0)), (false, false));
    }

    #[test]
    fn a_continuous_move_ends_with_its_timeout() {
        let start = Instant::now();
        let mut head = Head::new(start);
        let velocity = Vector {
            pan_tilt: Some((0.1, 0.0)),
            zoom: None,
        };
        head.drive(start, velocity, seconds(2.0));

        assert_eq!(head.moving(start + seconds(1.0)), (true, false));
        assert!((head.position(start + seconds(60.0)).pan - 0.4).abs() < 1e-9);
        assert_eq!(head.moving(start + seconds(60.0)), (false, false));
    }

    #[test]
    fn a_continuous_move_stops_at_the_limit() {
        let start = Instant::now();
        let mut head = Head::new(start);
        let velocity = Vector {
            pan_tilt: Some((-1.0, 0.0)),
            zoom: Some(1.0),
        };
        head.drive(start, velocity, seconds(60.0));

        let at_limit = head.position(start + seconds(5.0));
        assert_eq!((at_limit.pan, at_limit.zoom), (-1.0, 1.0));
        assert_eq!(head.moving(start + seconds(5.0)), (false, false));
    }

    #[test]
    fn the_path_has_a_point_wherever_the_movement_changes() {
        let start = Instant::now();
        let mut head = Head::new(start);
        let velocity = Vector {
            pan_tilt: Some((0.25, 0.0)),
            zoom: Some(1.0),
        };
        head.drive(start, velocity, seconds(2.0));
        head.stop(start + seconds(1.5), true, true);
        // Stopping what stands still is no change.
        head.stop(start + seconds(1.6), true, true);

        let path = head.path(start + seconds(3.0));
        let rounded = path.iter().map(|(at, position)| {
            let at = at.duration_since(start).as_secs_f64();
            [at, position.pan, position.zoom].map(|number| (number * 1000.0).round() / 1000.0)
        });
        let expected = [
            [0.0, 0.0, 0.0],
            [1.0, 0.5, 1.0],
            [1.5, 0.75, 1.0],
            [3.0, 0.75, 1.0],
        ];
        assert_eq!(rounded.collect::<Vec<_>>(), expected);

        head.forget_path();
        assert_eq!(head.path(start + seconds(4.0)).len(), 1);
    }

    #[test]
    fn a_head_that_is_driven_outside_of_its_limits_comes_to_rest() {
        let start = Instant::now();
        let mut head = Head::new(start);
        head.set_limits((0.5, 1.0), (-1.0, 1.0), (0.0, 1.0));
        let velocity = Vector {
            pan_tilt: Some((-0.1, 0.0)),
            zoom: None,
        };
        head.drive(start, velocity, seconds(60.0));
        assert_eq!(head.moving(start + seconds(1.0)), (false, false));
    }

    #[test]
    fn stopping_zoom_leaves_pan_moving() {
        let start = Instant::now();
        let mut head = Head::new(start);
        let velocity = Vector {
            pan_tilt: Some((0.1, 0.1)),
            zoom: Some(0.1),
        };
        head.drive(start, velocity, seconds(60.0));
        head.stop(start + seconds(1.0), false, true);

        assert_eq!(head.moving(start + seconds(2.0)), (true, false));
        assert!((head.position(start + seconds(3.0)).zoom - 0.1).abs() < 1e-9);
    }

    #[test]
    fn a_relative_move_is_cut_at_the_limits() {
        let start = Instant::now();
        let mut head = Head::new(start);
        let offset = Vector {
            pan_tilt: Some((0.5, 0.0)),
            zoom: Some(-1.0),
        };
        head.travel_by(start, offset, FULL);

        let end = head.position(start + seconds(5.0));
        assert_eq!(
            end,
            PtzPosition {
                pan: 0.5,
                tilt: 0.0,
                zoom: 0.0
            }
        );
    }
}
