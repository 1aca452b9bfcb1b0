//! A tour: which spots the head visits, and where it is on its way. Pure, the clock is an argument.

use std::time::{Duration, Instant};

use super::{PtzPosition, Vector};

/// How often a tour may go from spot to spot between two looks at it: after that it has been forgotten.
pub(super) const MAX_STEPS: usize = 10_000;

/// A tour as a client wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Tour {
    pub name: String,
    pub auto_start: bool,
    /// Times through all spots; until stopped without it.
    pub recurring_time: Option<u32>,
    /// For so long; until stopped without it.
    pub recurring_duration: Option<Duration>,
    pub backward: bool,
    pub spots: Vec<Spot>,
}

#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub target: SpotTarget,
    pub speed: Vector,
    pub stay: Duration,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SpotTarget {
    Preset(String),
    Home,
    Position(PtzPosition),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TourState {
    Idle,
    Touring,
    Paused,
}

/// The tour that the head is on.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub token: String,
    pub state: TourState,
    /// Index of the spot it travels to or stays at, in the order of the tour.
    pub spot: usize,
    rounds: u32,
    started: Instant,
    /// Until when it stays; `None` while it travels.
    staying: Option<Instant>,
}

/// What the head has to do next on a tour.
pub(crate) enum Step {
    /// Nothing before the time that was asked about.
    Wait,
    /// Go to this spot, leaving at this time.
    Go(usize, Instant),
    /// Stop: the tour has ended.
    End,
}

impl Run {
    pub(crate) fn new(token: &str, tour: &Tour, now: Instant) -> Self {
        Self {
            token: token.to_owned(),
            state: TourState::Touring,
            spot: if tour.backward {
                tour.spots.len().saturating_sub(1)
            } else {
                0
            },
            rounds: 0,
            started: now,
            staying: None,
        }
    }

    /// Goes on after a pause: the spot it was at, or was going to, comes again.
    pub(crate) fn resume(&mut self) {
        self.state = TourState::Touring;
        self.staying = None;
    }

    /// The next step up to `now`, where the head arrives at `arrival`.
    pub(crate) fn step(&mut self, tour: &Tour, arrival: Instant, now: Instant) -> Step {
        if self.state != TourState::Touring {
            return Step::Wait;
        }
        let Some(spot) = tour.spots.get(self.spot) else {
            return Step::End;
        };
        let ends = tour.recurring_duration.map(|time| self.started + time);
        if ends.is_some_and(|end| end <= now) {
            return Step::End;
        }
        let Some(until) = self.staying else {
            if arrival > now {
                return Step::Wait;
            }
            self.staying = Some(arrival + spot.stay);
            return self.step_on(tour, now);
        };
        if until > now {
            return Step::Wait;
        }
        self.step_on(tour, now)
    }

    fn step_on(&mut self, tour: &Tour, now: Instant) -> Step {
        let Some(leaves) = self.staying.filter(|until| *until <= now) else {
            return Step::Wait;
        };
        self.staying = None;
        let last = if tour.backward {
            0
        } else {
            tour.spots.len() - 1
        };
        if self.spot == last {
            self.rounds += 1;
            if tour
                .recurring_time
                .is_some_and(|times| self.rounds >= times)
            {
                return Step::End;
            }
        }
        let count = tour.spots.len();
        self.spot = if tour.backward {
            (self.spot + count - 1) % count
        } else {
            (self.spot + 1) % count
        };
        Step::Go(self.spot, leaves)
    }
}
