//! When a camera has come to rest. Pure: what was seen and when are arguments.

use std::time::Duration;

use crate::operations::{AxisStatus, PtzStatus};
use crate::vector::Position;

/// How to wait for a camera to come to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitOptions {
    /// Waits no longer than this; 30 s by default.
    pub deadline: Duration,
    /// Time between two questions; 250 ms by default.
    pub interval: Duration,
    /// A position that has not changed for so long is at rest, where the camera does not tell, or was
    /// not seen to tell the truth; 1 s by default.
    pub settle: Duration,
}

impl Default for WaitOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            interval: Duration::from_millis(250),
            settle: Duration::from_secs(1),
        }
    }
}

/// How waiting for a camera to come to rest ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Rest {
    /// It rests, as far as it can be known.
    AtRest(PtzStatus),
    /// It still moved at the deadline.
    StillMoving(PtzStatus),
    /// It tells neither whether it moves nor where it looks.
    Unknown,
}

impl Rest {
    /// Whether it rests.
    pub fn is_at_rest(&self) -> bool {
        matches!(self, Self::AtRest(_))
    }
}

/// A camera that says it moves, but whose position has stood still for so many times
/// [`WaitOptions::settle`], does not move.
const LIE: u32 = 10;
/// So many answers without any information are enough.
const SILENCE: u32 = 3;
/// Positions that differ by less are the same: the last digits of some cameras tremble.
const TREMBLE: f32 = 0.0005;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Wait,
    AtRest,
    Unknown,
}

/// What is known while a camera comes to rest.
#[derive(Debug)]
pub(crate) struct Settling {
    settle: Duration,
    /// Once it was seen to move by its own account, it is believed that it has stopped.
    has_moved: bool,
    /// Since when the position is what it is.
    still: Option<(Duration, Position)>,
    silence: u32,
}

impl Settling {
    pub(crate) fn new(settle: Duration) -> Self {
        Self {
            settle,
            has_moved: false,
            still: None,
            silence: 0,
        }
    }

    /// Takes what the camera says `at` a time since the wait began.
    pub(crate) fn observe(&mut self, at: Duration, status: &PtzStatus) -> Verdict {
        let position = status.position.clone().unwrap_or_default();
        let tells_position = position != Position::default();
        let still = match &self.still {
            Some((since, anchor)) if same(anchor, &position) => at.saturating_sub(*since),
            _ => {
                self.still = Some((at, position));
                Duration::ZERO
            }
        };
        match claim(status) {
            Some(true) => {
                self.has_moved = true;
                let lies = tells_position && still >= self.settle * LIE;
                if lies { Verdict::AtRest } else { Verdict::Wait }
            }
            Some(false) if self.has_moved || still >= self.settle => Verdict::AtRest,
            None if tells_position && still >= self.settle => Verdict::AtRest,
            None if !tells_position => {
                self.silence += 1;
                if self.silence >= SILENCE {
                    Verdict::Unknown
                } else {
                    Verdict::Wait
                }
            }
            _ => Verdict::Wait,
        }
    }
}

/// Whether the camera says that it moves; `None` when it does not say.
pub(crate) fn claim(status: &PtzStatus) -> Option<bool> {
    let axes = status.move_status.as_ref()?;
    let known: Vec<&AxisStatus> = [&axes.pan_tilt, &axes.zoom].into_iter().flatten().collect();
    if known.contains(&&AxisStatus::Moving) {
        Some(true)
    } else if known.contains(&&AxisStatus::Idle) {
        Some(false)
    } else {
        None
    }
}

fn same(a: &Position, b: &Position) -> bool {
    let near = |a: f32, b: f32| (a - b).abs() <= TREMBLE * a.abs().max(1.0);
    let pan_tilt = match (&a.pan_tilt, &b.pan_tilt) {
        (Some(a), Some(b)) => near(a.x, b.x) && near(a.y, b.y),
        (None, None) => true,
        _ => false,
    };
    let zoom = match (&a.zoom, &b.zoom) {
        (Some(a), Some(b)) => near(a.x, b.x),
        (None, None) => true,
        _ => false,
    };
    pan_tilt && zoom
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::MoveStatus;

    fn status(claim: Option<AxisStatus>, pan: Option<f32>) -> PtzStatus {
        PtzStatus {
            position: pan.map(|pan| Position::pan_tilt(pan, 0.0)),
            move_status: claim.map(|axis| MoveStatus {
                pan_tilt: Some(axis),
                zoom: None,
            }),
            ..PtzStatus::default()
        }
    }

    /// When, in quarters of a second, it is decided and how.
    fn decided(answers: impl IntoIterator<Item = PtzStatus>) -> Option<(u32, Verdict)> {
        let mut settling = Settling::new(Duration::from_secs(1));
        (0..).zip(answers).find_map(|(tick, status)| {
            let verdict = settling.observe(Duration::from_millis(250) * tick, &status);
            (verdict != Verdict::Wait).then_some((tick, verdict))
        })
    }

    #[test]
    fn a_camera_that_was_seen_moving_is_believed_when_it_says_idle() {
        let answers = [
            status(Some(AxisStatus::Moving), Some(0.1)),
            status(Some(AxisStatus::Moving), Some(0.2)),
            status(Some(AxisStatus::Idle), Some(0.3)),
        ];
        assert_eq!(decided(answers), Some((2, Verdict::AtRest)));
    }

    #[test]
    fn a_camera_that_always_says_idle_is_watched_until_it_stands_still() {
        let moving =
            (0..8_u8).map(|step| status(Some(AxisStatus::Idle), Some(f32::from(step) * 0.1)));
        let there = std::iter::repeat_n(status(Some(AxisStatus::Idle), Some(0.7)), 8);
        assert_eq!(decided(moving.chain(there)), Some((11, Verdict::AtRest)));
    }

    #[test]
    fn a_slow_move_is_not_taken_for_rest() {
        let moving = (0..40_u8).map(|step| status(None, Some(f32::from(step) * 0.0003)));
        assert_eq!(decided(moving), None);
    }

    #[test]
    fn a_camera_that_never_says_idle_rests_when_its_position_has_stood_long_enough() {
        let answers = std::iter::repeat_n(status(Some(AxisStatus::Moving), Some(0.5)), 60);
        assert_eq!(decided(answers), Some((40, Verdict::AtRest)));
    }

    #[test]
    fn a_camera_that_tells_nothing_cannot_be_known() {
        let answers = std::iter::repeat_n(status(None, None), 8);
        assert_eq!(decided(answers), Some((2, Verdict::Unknown)));
    }

    #[test]
    fn idle_without_a_position_has_to_hold_for_a_while() {
        let answers = std::iter::repeat_n(status(Some(AxisStatus::Idle), None), 8);
        assert_eq!(decided(answers), Some((4, Verdict::AtRest)));
    }
}
