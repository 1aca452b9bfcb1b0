//! The two media profiles and their configurations, as both Media services show them.

use super::{Call, range};
use crate::clip::Clip;
use crate::quirks::{SnapshotAuth, SnapshotFault};
use crate::soap::Fault;
use crate::state::lock;
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

/// The H.264 profile that the clip's parameter set names (ITU-T H.264, Annex A).
pub(super) fn h264_profile(clip: &Clip) -> &'static str {
    match clip.sps().get(1) {
        Some(66) => "Baseline",
        Some(77) => "Main",
        Some(88) => "Extended",
        _ => "High",
    }
}

/// Pictures from one key frame to the next.
pub(super) fn gov_length(clip: &Clip) -> usize {
    let units = clip.access_units();
    let next = units.iter().skip(1).position(|unit| unit.is_key);
    next.map_or(units.len(), |before| before + 1)
}

/// Mean bit rate of the clip in kbit/s, rounded up.
pub(super) fn bit_rate(clip: &Clip) -> u64 {
    let units = clip.access_units();
    let sizes = units
        .iter()
        .flat_map(|unit| &unit.nal_units)
        .map(|nal| nal.len() as u64);
    let bits_per_second = sizes.sum::<u64>() * 8 * u64::from(clip.frame_rate);
    bits_per_second.div_ceil(units.len().max(1) as u64 * 1000)
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
    let quirks = &call.camera.quirks;
    let host = match call.host.parse::<std::net::Ipv4Addr>() {
        Ok(address) if quirks.uri_bad_ipv6 => address.to_ipv6_mapped().to_string(),
        _ => call.host.to_owned(),
    };
    let first_port = if quirks.double_port { ":80" } else { "" };
    format!("rtsp://{host}{first_port}:{port}/{}", profile.token)
}

/// Address of the snapshot, the same for both profiles.
pub(super) fn snapshot_uri(call: &Call<'_>, profile: &Profile) -> Result<String, Fault> {
    let quirks = &call.camera.quirks;
    let url = call.url("/onvif/snapshot");
    Ok(match quirks.snapshot {
        Some(SnapshotFault::Rtsp) => stream_uri(call, profile),
        Some(SnapshotFault::Empty) => String::new(),
        Some(SnapshotFault::Fault) => return Err(Fault::not_supported("GetSnapshotUri")),
        _ => match lock(&call.camera.gate).user_query() {
            Some(query) if quirks.snapshot_auth == SnapshotAuth::Query => format!("{url}?{query}"),
            _ if quirks.uri_raw_amp => format!("{url}?channel=1&subtype=0"),
            _ => url,
        },
    })
}

/// The device streams RTP unicast over RTSP, and nothing else.
pub(super) fn invalid_stream_setup(asked: &str) -> Fault {
    Fault::sender(
        &[(TER, "InvalidArgVal"), (TER, "InvalidStreamSetup")],
        format!("{asked} is not supported, only RTP unicast over RTSP"),
    )
}
