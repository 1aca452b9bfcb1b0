//! The two media profiles and their configurations, as both Media services show them.

use super::{Call, range};
use crate::clip::Clip;
use crate::soap::Fault;
use crate::xml::{Element, Ns, TER, TT, element};

/// Token of the one video source.
pub(super) const VIDEO_SOURCE: &str = "video_source";
/// Token of its configuration.
pub(super) const VIDEO_SOURCE_CONFIGURATION: &str = "video_source_config";

/// A fixed profile; its token is the path of its RTSP stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Profile {
    pub token: &'static str,
    pub encoder: &'static str,
}

pub(super) const PROFILES: [Profile; 2] = [
    Profile {
        token: "main",
        encoder: "main_encoder",
    },
    Profile {
        token: "sub",
        encoder: "sub_encoder",
    },
];

/// The profile a request names in `ProfileToken`.
pub(super) fn requested(call: &Call<'_>) -> Result<&'static Profile, Fault> {
    find(call.argument("ProfileToken")?)
}

pub(super) fn find(token: &str) -> Result<&'static Profile, Fault> {
    let mut profiles = PROFILES.iter();
    profiles
        .find(|profile| profile.token == token)
        .ok_or_else(|| Fault::invalid_value("NoProfile", format!("there is no profile {token}")))
}

/// Checks the optional `ProfileToken` and `ConfigurationToken` of a request against the known configurations, and returns
/// the configuration asked for.
pub(super) fn requested_configuration<'a>(
    call: &'a Call<'_>,
    known: &[&str],
) -> Result<Option<&'a str>, Fault> {
    if let Some(token) = call.request.text_of("ProfileToken") {
        find(token)?;
    }
    match call.request.text_of("ConfigurationToken") {
        Some(token) if !known.contains(&token) => Err(Fault::invalid_value(
            "NoConfig",
            format!("there is no configuration {token}"),
        )),
        token => Ok(token),
    }
}

/// The encoders a request selects by `ConfigurationToken` or `ProfileToken`; all without.
pub(super) fn requested_encoders(call: &Call<'_>) -> Result<Vec<&'static Profile>, Fault> {
    let known = PROFILES.each_ref().map(|profile| profile.encoder);
    let configuration = requested_configuration(call, &known)?;
    let profile = call.request.text_of("ProfileToken");
    let chosen = PROFILES.iter().filter(|candidate| {
        configuration.is_none_or(|token| token == candidate.encoder)
            && profile.is_none_or(|token| token == candidate.token)
    });
    Ok(chosen.collect())
}

pub(super) fn video_source_configuration(clip: &Clip, ns: Ns, name: &'static str) -> Element {
    let bounds = element(TT, "Bounds")
        .attribute("x", 0)
        .attribute("y", 0)
        .attribute("width", clip.width)
        .attribute("height", clip.height);
    element(ns, name)
        .attribute("token", VIDEO_SOURCE_CONFIGURATION)
        .leaf(TT, "Name", "Video source")
        .leaf(TT, "UseCount", PROFILES.len())
        .leaf(TT, "SourceToken", VIDEO_SOURCE)
        .child(bounds)
}

/// The options of the video source configuration: nothing can be changed.
pub(super) fn video_source_options(clip: &Clip, ns: Ns) -> Element {
    let bounds = element(TT, "BoundsRange")
        .child(range("XRange", 0, 0))
        .child(range("YRange", 0, 0))
        .child(range("WidthRange", clip.width, clip.width))
        .child(range("HeightRange", clip.height, clip.height));
    element(ns, "Options")
        .attribute("MaximumNumberOfProfiles", PROFILES.len())
        .child(bounds)
        .leaf(TT, "VideoSourceTokensAvailable", VIDEO_SOURCE)
}

pub(super) fn resolution(clip: &Clip, name: &'static str) -> Element {
    element(TT, name)
        .leaf(TT, "Width", clip.width)
        .leaf(TT, "Height", clip.height)
}

/// Multicast is not supported, but the schema wants an address.
pub(super) fn no_multicast() -> Element {
    element(TT, "Multicast")
        .child(
            element(TT, "Address")
                .leaf(TT, "Type", "IPv4")
                .leaf(TT, "IPv4Address", "0.0.0.0"),
        )
        .leaf(TT, "Port", 0)
        .leaf(TT, "TTL", 0)
        .leaf(TT, "AutoStart", false)
}

/// Address of a profile's stream.
pub(super) fn stream_uri(call: &Call<'_>, profile: &Profile) -> String {
    let port = call.camera.rtsp.local_addr().port();
    format!("rtsp://{}:{port}/{}", call.host, profile.token)
}

/// Address of the snapshot, the same for both profiles.
pub(super) fn snapshot_uri(call: &Call<'_>) -> String {
    call.url("/onvif/snapshot")
}

/// The device streams RTP unicast over RTSP, and nothing else.
pub(super) fn invalid_stream_setup(asked: &str) -> Fault {
    Fault::sender(
        &[(TER, "InvalidArgVal"), (TER, "InvalidStreamSetup")],
        format!("{asked} is not supported, only RTP unicast over RTSP"),
    )
}
