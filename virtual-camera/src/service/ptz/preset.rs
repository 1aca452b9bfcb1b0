//! Presets.

use std::time::Instant;

use super::super::Call;
use super::configuration::MAX_PRESETS;
use super::space::position_element;
use crate::motion::{Preset, Ptz};
use crate::soap::Fault;
use crate::xml::{Element, TER, TPTZ, TT, element};

const MAX_NAME: usize = 64;

pub(super) fn list(ptz: &Ptz) -> impl Iterator<Item = Element> {
    ptz.presets.iter().map(|(token, preset)| {
        element(TPTZ, "Preset")
            .attribute("token", token)
            .leaf(TT, "Name", &preset.name)
            .child(position_element("PTZPosition", preset.position))
    })
}

/// Stores the position under the token that is returned.
pub(super) fn set(call: &Call<'_>, ptz: &mut Ptz, now: Instant) -> Result<String, Fault> {
    let position = ptz.position(now);
    let token = match call.request.text_of("PresetToken") {
        Some(token) if ptz.presets.contains_key(token) => token.to_owned(),
        Some(token) => return Err(none(token)),
        None if ptz.presets.len() >= MAX_PRESETS => {
            let subcodes = [(TER, "Action"), (TER, "TooManyPresets")];
            return Err(Fault::receiver(&subcodes, "there is no room for a preset"));
        }
        None => (1..=MAX_PRESETS)
            .map(|number| super::token(call, "preset", number))
            .find(|token| !ptz.presets.contains_key(token))
            .unwrap_or_default(),
    };
    let before = ptz.presets.get(&token).map(|preset| preset.name.clone());
    let name = call.request.text_of("PresetName").map(str::to_owned);
    let name = name.or(before).unwrap_or_else(|| token.clone());
    if name.chars().count() > MAX_NAME {
        return Err(Fault::invalid_value(
            "InvalidPresetName",
            "the name is too long",
        ));
    }
    let taken = |(other, preset): (&String, &Preset)| *other != token && preset.name == name;
    if ptz.presets.iter().any(taken) {
        return Err(Fault::invalid_value("PresetExist", "the name is taken"));
    }
    ptz.presets.insert(token.clone(), Preset { name, position });
    Ok(token)
}

/// The preset that a request names.
pub(super) fn requested<'p>(call: &Call<'_>, ptz: &'p Ptz) -> Result<&'p Preset, Fault> {
    let token = call.argument("PresetToken")?;
    ptz.presets.get(token).ok_or_else(|| none(token))
}

pub(super) fn remove(call: &Call<'_>, ptz: &mut Ptz) -> Result<(), Fault> {
    let token = call.argument("PresetToken")?;
    ptz.presets.remove(token).ok_or_else(|| none(token))?;
    Ok(())
}

pub(super) fn none(token: &str) -> Fault {
    Fault::invalid_value("NoToken", format!("there is no preset {token}"))
}
