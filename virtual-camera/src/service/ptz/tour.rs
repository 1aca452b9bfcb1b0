//! Preset tours.

use std::time::{Duration, Instant};

use super::super::{Call, range};
use super::configuration::MAX_TOURS;
use super::preset;
use super::space::{POSITION, SPEED, position_element, position_line, position_plane};
use crate::clock::read_duration;
use crate::motion::{Ptz, PtzPosition, Spot, SpotTarget, Tour, TourState, Vector};
use crate::soap::Fault;
use crate::xml::{Element, Node, TER, TPTZ, TT, element};

const MAX_SPOTS: usize = 32;
const MAX_ROUNDS: u32 = 100;
const MIN_STAY: Duration = Duration::from_secs(1);
const MAX_STAY: Duration = Duration::from_secs(600);

pub(super) fn list(ptz: &mut Ptz, now: Instant) -> Vec<Element> {
    let tokens: Vec<String> = ptz.tours.keys().cloned().collect();
    let described = tokens.iter().filter_map(|token| described(ptz, token, now));
    described.collect()
}

/// The tour that a request names.
pub(super) fn requested(call: &Call<'_>, ptz: &mut Ptz, now: Instant) -> Result<Element, Fault> {
    let token = call.argument("PresetTourToken")?;
    described(ptz, token, now).ok_or_else(|| none(token))
}

pub(super) fn create(call: &Call<'_>, ptz: &mut Ptz) -> Result<String, Fault> {
    if ptz.tours.len() >= MAX_TOURS {
        let subcodes = [(TER, "Action"), (TER, "TooManyPresetTours")];
        return Err(Fault::receiver(&subcodes, "there is no room for a tour"));
    }
    let mut numbers = (1..=MAX_TOURS).map(|number| super::token(call, "tour", number));
    let token = numbers.find(|token| !ptz.tours.contains_key(token));
    let token = token.unwrap_or_default();
    let tour = Tour {
        name: token.clone(),
        auto_start: false,
        recurring_time: None,
        recurring_duration: None,
        backward: false,
        spots: Vec::new(),
    };
    ptz.tours.insert(token.clone(), tour);
    Ok(token)
}

/// Replaces a tour. One that runs ends: its spots are no longer what they were.
pub(super) fn modify(call: &Call<'_>, ptz: &mut Ptz, now: Instant) -> Result<(), Fault> {
    let written = call.request.child("PresetTour");
    let written = written.ok_or_else(|| Fault::missing("PresetTour"))?;
    let token = written.attribute("token").unwrap_or_default();
    let before = ptz.tours.get(token).ok_or_else(|| none(token))?;
    let invalid = |reason: &str| Fault::invalid_value("InvalidPresetTour", reason);
    let mut tour = Tour {
        name: written.text_of("Name").unwrap_or(&before.name).to_owned(),
        auto_start: written.text_of("AutoStart") == Some("true"),
        recurring_time: None,
        recurring_duration: None,
        backward: false,
        spots: Vec::new(),
    };
    if let Some(condition) = written.child("StartingCondition") {
        if condition.attribute("RandomPresetOrder") == Some("true") {
            return Err(invalid("the order cannot be left to chance"));
        }
        if let Some(times) = condition.text_of("RecurringTime") {
            let times = times
                .parse()
                .ok()
                .filter(|times| (1..=MAX_ROUNDS).contains(times));
            tour.recurring_time =
                Some(times.ok_or_else(|| invalid("RecurringTime is out of range"))?);
        }
        if let Some(time) = condition.text_of("RecurringDuration") {
            let time =
                read_duration(time).ok_or_else(|| invalid("RecurringDuration is no duration"))?;
            tour.recurring_duration = Some(time);
        }
        tour.backward = match condition.text_of("Direction") {
            None | Some("Forward") => false,
            Some("Backward") => true,
            Some(_) => return Err(invalid("there is no such direction")),
        };
    }
    for spot in written
        .children
        .iter()
        .filter(|child| child.name == "TourSpot")
    {
        tour.spots.push(read_spot(spot, ptz)?);
    }
    if tour.spots.len() > MAX_SPOTS {
        return Err(invalid("there are too many spots"));
    }
    ptz.stop_tour(token, now);
    ptz.tours.insert(token.to_owned(), tour);
    Ok(())
}

fn read_spot(written: &Node, ptz: &Ptz) -> Result<Spot, Fault> {
    let invalid = |reason: &str| Fault::invalid_value("InvalidPresetTour", reason);
    let detail = written.child("PresetDetail");
    let detail = detail.ok_or_else(|| invalid("a spot has no PresetDetail"))?;
    let target = if let Some(token) = detail.text_of("PresetToken") {
        if !ptz.presets.contains_key(token) {
            return Err(preset::none(token));
        }
        SpotTarget::Preset(token.to_owned())
    } else if detail.text_of("Home") == Some("true") {
        SpotTarget::Home
    } else if let Some(position) = detail.child("PTZPosition") {
        let vector = POSITION.read(position, 0.0)?;
        let (pan, tilt) = vector.pan_tilt.unwrap_or_default();
        let zoom = vector.zoom.unwrap_or_default();
        SpotTarget::Position(PtzPosition { pan, tilt, zoom })
    } else {
        return Err(invalid("a spot names no place"));
    };
    let stay = match written.text_of("StayTime") {
        None => MIN_STAY,
        Some(time) => read_duration(time)
            .filter(|time| (MIN_STAY..=MAX_STAY).contains(time))
            .ok_or_else(|| invalid("StayTime is out of range"))?,
    };
    let speed = written.child("Speed").map(|speed| SPEED.read(speed, 0.0));
    Ok(Spot {
        target,
        speed: speed.transpose()?.unwrap_or_default(),
        stay,
    })
}

pub(super) fn operate(call: &Call<'_>, ptz: &mut Ptz, now: Instant) -> Result<(), Fault> {
    let token = call.argument("PresetTourToken")?;
    let tour = ptz.tours.get(token).ok_or_else(|| none(token))?;
    match call.argument("Operation")? {
        "Start" if tour.spots.is_empty() => {
            let subcodes = [(TER, "Action"), (TER, "ActivationFailed")];
            return Err(Fault::receiver(&subcodes, "the tour has no spots"));
        }
        "Start" => ptz.start_tour(token, now),
        "Stop" => ptz.stop_tour(token, now),
        "Pause" => ptz.pause_tour(token, now),
        other => {
            let reason = format!("a tour cannot {other}");
            return Err(Fault::invalid_value("InvalidOperation", reason));
        }
    }
    Ok(())
}

pub(super) fn remove(call: &Call<'_>, ptz: &mut Ptz, now: Instant) -> Result<(), Fault> {
    let token = call.argument("PresetTourToken")?;
    ptz.stop_tour(token, now);
    ptz.tours.remove(token).ok_or_else(|| none(token))?;
    Ok(())
}

pub(super) fn options(ptz: &Ptz) -> Element {
    let directions = ["Forward", "Backward"].into_iter();
    let presets = ptz.presets.keys();
    element(TPTZ, "Options")
        .leaf(TT, "AutoStart", true)
        .child(
            element(TT, "StartingCondition")
                .child(range("RecurringTime", 1, MAX_ROUNDS))
                .child(range("RecurringDuration", "PT1S", "PT86400S"))
                .children(directions.map(|name| element(TT, "Direction").text(name))),
        )
        .child(
            element(TT, "TourSpot")
                .child(
                    element(TT, "PresetDetail")
                        .children(presets.map(|token| element(TT, "PresetToken").text(token)))
                        .leaf(TT, "Home", true)
                        .child(position_plane(
                            "PanTiltPositionSpace",
                            (-1.0, 1.0),
                            (-1.0, 1.0),
                        ))
                        .child(position_line("ZoomPositionSpace", (0.0, 1.0))),
                )
                .child(range(
                    "StayTime",
                    format_args!("PT{}S", MIN_STAY.as_secs()),
                    format_args!("PT{}S", MAX_STAY.as_secs()),
                )),
        )
}

fn described(ptz: &mut Ptz, token: &str, now: Instant) -> Option<Element> {
    let (state, current) = ptz.tour_state(token, now);
    let tour = ptz.tours.get(token)?;
    let state = match state {
        TourState::Idle => "Idle",
        TourState::Touring => "Touring",
        TourState::Paused => "Paused",
    };
    let current = current.and_then(|index| tour.spots.get(index));
    let status = element(TT, "Status")
        .leaf(TT, "State", state)
        .children(current.map(|spot| described_spot("CurrentTourSpot", spot)));
    let times = tour
        .recurring_time
        .map(|times| element(TT, "RecurringTime").text(times));
    let time = tour.recurring_duration.map(|time| {
        element(TT, "RecurringDuration").text(format_args!("PT{}S", time.as_secs_f64()))
    });
    let direction = if tour.backward { "Backward" } else { "Forward" };
    let condition = element(TT, "StartingCondition")
        .attribute("RandomPresetOrder", false)
        .children(times)
        .children(time)
        .leaf(TT, "Direction", direction);
    let spots = tour
        .spots
        .iter()
        .map(|spot| described_spot("TourSpot", spot));
    Some(
        element(TPTZ, "PresetTour")
            .attribute("token", token)
            .leaf(TT, "Name", &tour.name)
            .child(status)
            .leaf(TT, "AutoStart", tour.auto_start)
            .child(condition)
            .children(spots),
    )
}

fn described_spot(name: &'static str, spot: &Spot) -> Element {
    let detail = element(TT, "PresetDetail");
    let detail = match &spot.target {
        SpotTarget::Preset(token) => detail.leaf(TT, "PresetToken", token),
        SpotTarget::Home => detail.leaf(TT, "Home", true),
        SpotTarget::Position(position) => detail.child(position_element("PTZPosition", *position)),
    };
    element(TT, name)
        .child(detail)
        .children(speed(&spot.speed))
        .leaf(
            TT,
            "StayTime",
            format_args!("PT{}S", spot.stay.as_secs_f64()),
        )
}

fn speed(speed: &Vector) -> Option<Element> {
    if *speed == Vector::default() {
        return None;
    }
    let pan_tilt = speed
        .pan_tilt
        .map(|(x, y)| element(TT, "PanTilt").attribute("x", x).attribute("y", y));
    let zoom = speed.zoom.map(|x| element(TT, "Zoom").attribute("x", x));
    Some(element(TT, "Speed").children(pan_tilt).children(zoom))
}

fn none(token: &str) -> Fault {
    Fault::invalid_value("NoToken", format!("there is no tour {token}"))
}
