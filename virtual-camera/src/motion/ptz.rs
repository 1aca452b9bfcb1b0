//! The head with its presets, home and tours.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::tour::{MAX_STEPS, Run, Step};
use super::{Head, PtzPosition, Spot, SpotTarget, Tour, TourState, Vector};

/// The head, its presets, its home and its tours.
#[derive(Debug)]
pub(crate) struct Ptz {
    head: Head,
    pub presets: BTreeMap<String, Preset>,
    pub home: PtzPosition,
    pub tours: BTreeMap<String, Tour>,
    run: Option<Run>,
    /// Responses to auxiliary commands, by what is switched.
    pub auxiliary: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Preset {
    pub name: String,
    pub position: PtzPosition,
}

impl Ptz {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            head: Head::new(now),
            presets: BTreeMap::new(),
            home: PtzPosition::default(),
            tours: BTreeMap::new(),
            run: None,
            auxiliary: BTreeMap::new(),
        }
    }

    pub(crate) fn position(&mut self, now: Instant) -> PtzPosition {
        self.advance(now);
        self.head.position(now)
    }

    /// The way up to now, as a line of straight and even pieces.
    pub(crate) fn path(&mut self, now: Instant) -> Vec<(Instant, PtzPosition)> {
        self.advance(now);
        self.head.path(now)
    }

    pub(crate) fn forget_path(&mut self) {
        self.head.forget_path();
    }

    /// Whether pan or tilt moves, and whether zoom moves.
    pub(crate) fn moving(&mut self, now: Instant) -> (bool, bool) {
        self.advance(now);
        self.head.moving(now)
    }

    pub(crate) fn travel_to(&mut self, now: Instant, target: Vector, speed: Vector) {
        self.end_tour(now);
        self.head.travel_to(now, target, speed);
    }

    pub(crate) fn travel_by(&mut self, now: Instant, offset: Vector, speed: Vector) {
        self.end_tour(now);
        self.head.travel_by(now, offset, speed);
    }

    pub(crate) fn drive(&mut self, now: Instant, velocity: Vector, timeout: Duration) {
        self.end_tour(now);
        self.head.drive(now, velocity, timeout);
    }

    pub(crate) fn stop(&mut self, now: Instant, pan_tilt: bool, zoom: bool) {
        self.end_tour(now);
        self.head.stop(now, pan_tilt, zoom);
    }

    pub(crate) fn set_limits(&mut self, pan: (f64, f64), tilt: (f64, f64), zoom: (f64, f64)) {
        self.head.set_limits(pan, tilt, zoom);
    }

    /// What a tour does now, and at which of its spots.
    pub(crate) fn tour_state(&mut self, token: &str, now: Instant) -> (TourState, Option<usize>) {
        self.advance(now);
        match &self.run {
            Some(run) if run.token == token => (run.state, Some(run.spot)),
            _ => (TourState::Idle, None),
        }
    }

    /// Starts a tour, or goes on with it; another tour ends.
    pub(crate) fn start_tour(&mut self, token: &str, now: Instant) {
        self.advance(now);
        match &mut self.run {
            Some(run) if run.token == token => run.resume(),
            _ => self.run = self.tours.get(token).map(|tour| Run::new(token, tour, now)),
        }
        if let Some(run) = &self.run {
            self.go(run.spot, now);
        }
    }

    pub(crate) fn pause_tour(&mut self, token: &str, now: Instant) {
        self.advance(now);
        if let Some(run) = self.run.as_mut().filter(|run| run.token == token) {
            run.state = TourState::Paused;
            self.head.stop(now, true, true);
        }
    }

    pub(crate) fn stop_tour(&mut self, token: &str, now: Instant) {
        self.advance(now);
        if self.run.as_ref().is_some_and(|run| run.token == token) {
            self.run = None;
            self.head.stop(now, true, true);
        }
    }

    /// Whoever moves the head otherwise ends its tour.
    fn end_tour(&mut self, now: Instant) {
        self.advance(now);
        self.run = None;
    }

    /// Makes up for the time that has passed.
    fn advance(&mut self, now: Instant) {
        for _ in 0..MAX_STEPS {
            let Some(run) = &mut self.run else { break };
            let Some(tour) = self.tours.get(&run.token) else {
                self.run = None;
                break;
            };
            let arrival = self.head.arrival().unwrap_or(now);
            match run.step(tour, arrival, now) {
                Step::Wait => break,
                Step::End => self.run = None,
                Step::Go(spot, at) => self.go(spot, at),
            }
        }
        self.head.advance(now);
    }

    /// Sends the head to a spot of the tour it is on.
    fn go(&mut self, spot: usize, at: Instant) {
        let tour = self.run.as_ref().and_then(|run| self.tours.get(&run.token));
        let Some(spot) = tour.and_then(|tour| tour.spots.get(spot)).cloned() else {
            return;
        };
        let Spot { target, speed, .. } = spot;
        let position = match target {
            SpotTarget::Home => Some(self.home),
            SpotTarget::Position(position) => Some(position),
            SpotTarget::Preset(token) => self.presets.get(&token).map(|preset| preset.position),
        };
        if let Some(position) = position {
            self.head.travel_to(at, Vector::to(position), speed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(pan: f64) -> Spot {
        Spot {
            target: SpotTarget::Position(PtzPosition {
                pan,
                ..PtzPosition::default()
            }),
            speed: Vector::default(),
            stay: Duration::from_secs(2),
        }
    }

    fn on_tour(now: Instant, recurring_time: Option<u32>, backward: bool) -> Ptz {
        let mut ptz = Ptz::new(now);
        let tour = Tour {
            name: String::new(),
            auto_start: false,
            recurring_time,
            recurring_duration: None,
            backward,
            spots: vec![spot(1.0), spot(-1.0)],
        };
        ptz.tours.insert("t".to_owned(), tour);
        ptz.start_tour("t", now);
        ptz
    }

    fn at(start: Instant, seconds: f64) -> Instant {
        start + Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_tour_travels_and_stays_by_turns() {
        let start = Instant::now();
        let mut ptz = on_tour(start, None, false);
        // Half a second to the right, two there, one to the left, two there, and so on.
        for (seconds, pan) in [(0.25, 0.5), (1.0, 1.0), (3.0, 0.0), (4.0, -1.0), (6.0, 0.0)] {
            let there = ptz.position(at(start, seconds)).pan;
            assert!((there - pan).abs() < 1e-3, "{seconds}: {there}");
        }
        let (state, spot) = ptz.tour_state("t", at(start, 600.0));
        assert_eq!(state, TourState::Touring);
        assert!(spot.is_some());
    }

    #[test]
    fn a_tour_ends_after_its_rounds() {
        let start = Instant::now();
        let mut ptz = on_tour(start, Some(1), true);
        assert_eq!(ptz.tour_state("t", at(start, 0.1)).1, Some(1));
        let end = ptz.tour_state("t", at(start, 60.0));
        assert_eq!(end, (TourState::Idle, None));
        assert_eq!(ptz.position(at(start, 60.0)).pan, 1.0);
    }

    #[test]
    fn a_paused_tour_rests_and_goes_on() {
        let start = Instant::now();
        let mut ptz = on_tour(start, None, false);
        ptz.pause_tour("t", at(start, 0.25));
        let paused = ptz.position(at(start, 60.0)).pan;
        assert!((paused - 0.5).abs() < 1e-9);
        assert_eq!(ptz.tour_state("t", at(start, 60.0)).0, TourState::Paused);
        ptz.start_tour("t", at(start, 60.0));
        assert_eq!(ptz.position(at(start, 61.0)).pan, 1.0);
    }

    #[test]
    fn a_move_or_a_stop_ends_the_tour() {
        let start = Instant::now();
        let mut ptz = on_tour(start, None, false);
        ptz.stop(at(start, 0.25), true, true);
        assert_eq!(ptz.tour_state("t", at(start, 9.0)).0, TourState::Idle);
        assert!(!ptz.moving(at(start, 9.0)).0);
    }
}
