//! Scopes and the discovery mode.

use super::settings::{bad_value, prohibited, too_many};
use crate::service::Call;
use crate::soap::Fault;
use crate::state::{Camera, HARDWARE, lock};
use crate::xml::{Element, TDS, TT, element};

const MAX_SCOPES: usize = 32;
const MAX_LENGTH: usize = 256;

/// The scopes of the camera, in discovery and in `GetScopes`.
pub(crate) fn scopes(camera: &Camera) -> Vec<String> {
    let mut scopes = fixed();
    scopes.extend_from_slice(&lock(&camera.device).scopes);
    scopes
}

/// The scopes that can be changed, as the maker sets them.
pub(super) fn configurable(name: &str) -> Vec<String> {
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    // A scope is a URI: a space is %20 there, while forms write "+".
    let name = name.replace('+', "%20");
    vec![
        format!("onvif://www.onvif.org/name/{name}"),
        "onvif://www.onvif.org/location/virtual".to_owned(),
    ]
}

fn fixed() -> Vec<String> {
    vec![
        "onvif://www.onvif.org/type/video_encoder".to_owned(),
        "onvif://www.onvif.org/type/ptz".to_owned(),
        "onvif://www.onvif.org/Profile/Streaming".to_owned(),
        "onvif://www.onvif.org/Profile/T".to_owned(),
        format!("onvif://www.onvif.org/hardware/{HARDWARE}"),
    ]
}

pub(super) fn get(call: &Call<'_>) -> Element {
    let scope = |definition: &'static str| {
        move |scope: String| {
            element(TDS, "Scopes")
                .leaf(TT, "ScopeDef", definition)
                .leaf(TT, "ScopeItem", scope)
        }
    };
    let changeable = lock(&call.camera.device).scopes.clone();
    call.response("GetScopesResponse")
        .children(fixed().into_iter().map(scope("Fixed")))
        .children(changeable.into_iter().map(scope("Configurable")))
}

pub(super) fn set(call: &Call<'_>) -> Result<Element, Fault> {
    let wanted = given(call, "Scopes")?;
    if wanted.iter().any(|scope| fixed().contains(scope)) {
        let reason = "a fixed scope cannot be set";
        return Err(prohibited("ScopeOverwrite", reason));
    }
    lock(&call.camera.device).scopes = wanted;
    Ok(call.response("SetScopesResponse"))
}

pub(super) fn add(call: &Call<'_>) -> Result<Element, Fault> {
    let wanted = given(call, "ScopeItem")?;
    let known = scopes(call.camera);
    let mut settings = lock(&call.camera.device);
    if settings.scopes.len() + wanted.len() > MAX_SCOPES {
        return Err(too_many_scopes());
    }
    let new = wanted.into_iter().filter(|scope| !known.contains(scope));
    settings.scopes.extend(new);
    Ok(call.response("AddScopesResponse"))
}

pub(super) fn remove(call: &Call<'_>) -> Result<Element, Fault> {
    let unwanted = given(call, "ScopeItem")?;
    let mut settings = lock(&call.camera.device);
    for scope in &unwanted {
        if fixed().contains(scope) {
            let reason = format!("{scope} is fixed");
            return Err(prohibited("FixedScope", reason));
        }
        if !settings.scopes.contains(scope) {
            let reason = format!("there is no scope {scope}");
            return Err(Fault::invalid_value("NoScope", reason));
        }
    }
    settings.scopes.retain(|scope| !unwanted.contains(scope));
    let removed = unwanted.into_iter();
    let removed = removed.map(|scope| element(TDS, "ScopeItem").text(scope));
    Ok(call.response("RemoveScopesResponse").children(removed))
}

pub(super) fn set_discovery_mode(call: &Call<'_>) -> Result<Element, Fault> {
    let discoverable = match call.argument("DiscoveryMode")? {
        "Discoverable" => true,
        "NonDiscoverable" => false,
        other => return Err(bad_value(format!("DiscoveryMode cannot be {other}"))),
    };
    lock(&call.camera.device).discoverable = discoverable;
    Ok(call.response("SetDiscoveryModeResponse"))
}

fn given(call: &Call<'_>, name: &str) -> Result<Vec<String>, Fault> {
    let scopes: Vec<_> = call
        .request
        .all(name)
        .map(|scope| scope.text().to_owned())
        .collect();
    if scopes.is_empty() {
        return Err(Fault::missing(name));
    }
    if scopes.len() > MAX_SCOPES {
        return Err(too_many_scopes());
    }
    let is_uri = |scope: &String| scope.len() <= MAX_LENGTH && url::Url::parse(scope).is_ok();
    match scopes.iter().find(|scope| !is_uri(scope)) {
        Some(scope) => Err(bad_value(format!("{scope} is no scope"))),
        None => Ok(scopes),
    }
}

fn too_many_scopes() -> Fault {
    too_many("TooManyScopes", "the camera cannot hold as many scopes")
}
