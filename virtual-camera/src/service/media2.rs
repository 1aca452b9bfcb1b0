//! The second Media service (`ver20/media/wsdl`).

use super::configurations::{options, set, show};
use super::encoders::video_encodings;
use super::media::{change_profile, set_video_source_mode, video_source_mode};
use super::profiles::{
    create, delete, find, invalid_stream_setup, no_profile, pick, requested,
    requested_configuration, snapshot_uri, stream_to_group, stream_uri, tell_profile, tunnel_uri,
};
use super::{Call, flags, overlay};
use crate::media::{Kind, MAX_PROFILES, Media, Profile};
use crate::soap::Fault;
use crate::state::{Camera, lock};
use crate::xml::{Element, TR2, element, named};

pub(super) fn answer(call: &Call<'_>, operation: &str) -> Result<Element, Fault> {
    let on_picture = overlay::answer_osd(call, operation, TR2);
    if let Some(answer) = on_picture.or_else(|| overlay::answer_mask(call, operation)) {
        return answer;
    }
    if let Some((verb, kind)) = Verb::of(operation) {
        let response = named(TR2, format!("{operation}Response"));
        return configuration(call, response, verb, kind);
    }
    Ok(match operation {
        "GetProfiles" => get_profiles(call)?,
        "CreateProfile" => {
            let name = call.argument("Name")?;
            let wanted = references(call)?;
            let mut media = lock(&call.camera.media);
            let chosen: Result<Vec<_>, _> = wanted
                .iter()
                .map(|(kind, token)| Ok((*kind, pick(&media, *kind, *token)?)))
                .collect();
            let chosen = chosen?;
            let token = create(&mut media, name, None)?;
            let made = media.profile_mut(&token);
            made.ok_or_else(|| no_profile(&token))?
                .configurations
                .extend(chosen);
            drop(media);
            tell_profile(call.camera, &token);
            call.response("CreateProfileResponse")
                .leaf(TR2, "Token", token)
        }
        "DeleteProfile" => {
            delete(call, call.argument("Token")?)?;
            call.response("DeleteProfileResponse")
        }
        "AddConfiguration" => {
            let wanted = references(call)?;
            change_profile(call, |media, profile| {
                for (kind, token) in wanted {
                    let token = pick(media, kind, token)?;
                    profile.configurations.insert(kind, token);
                }
                if let Some(name) = call.request.text_of("Name") {
                    profile.name = name.to_owned();
                }
                Ok(())
            })?;
            call.response("AddConfigurationResponse")
        }
        "RemoveConfiguration" => {
            let mut kinds = call.request.all("Configuration");
            let all = kinds.any(|reference| reference.text_of("Type") == Some("All"));
            let unwanted = if all { Vec::new() } else { references(call)? };
            change_profile(call, |_, profile| {
                let unwanted = |kind: &Kind| unwanted.iter().any(|(of, _)| of == kind);
                profile
                    .configurations
                    .retain(|kind, _| !all && !unwanted(kind));
                Ok(())
            })?;
            call.response("RemoveConfigurationResponse")
        }
        "GetVideoSourceModes" => {
            let mode = video_source_mode(call, TR2)?;
            call.response("GetVideoSourceModesResponse").child(mode)
        }
        "SetVideoSourceMode" => {
            set_video_source_mode(call)?;
            call.response("SetVideoSourceModeResponse")
                .leaf(TR2, "Reboot", false)
        }
        "GetVideoEncoderInstances" => {
            call.argument("ConfigurationToken")?;
            requested_configuration(call, Kind::VideoSource)?;
            let number = lock(&call.camera.media).of_kind(Kind::VideoEncoder).count();
            let codecs = video_encodings(TR2).map(|encoding| {
                element(TR2, "Codec")
                    .leaf(TR2, "Encoding", encoding)
                    .leaf(TR2, "Number", number)
            });
            let info = element(TR2, "Info")
                .children(codecs)
                .leaf(TR2, "Total", number);
            call.response("GetVideoEncoderInstancesResponse")
                .child(info)
        }
        "GetStreamUri" => {
            let profile = requested(call)?;
            let uri = match call.argument("Protocol")? {
                "RtspUnicast" | "RTSP" => stream_uri(call, &profile)?,
                "RtspMulticast" if lock(&call.camera.media).multicast.is_some() => {
                    stream_uri(call, &profile)?
                }
                "RtspOverHttp" => tunnel_uri(call, &profile)?,
                other => return Err(invalid_stream_setup(other)),
            };
            call.response("GetStreamUriResponse")
                .address_leaf(TR2, "Uri", uri)
        }
        "GetSnapshotUri" => {
            let profile = requested(call)?;
            call.response("GetSnapshotUriResponse").address_leaf(
                TR2,
                "Uri",
                snapshot_uri(call, &profile)?,
            )
        }
        "SetSynchronizationPoint" => {
            call.camera.synchronize_streams(&requested(call)?);
            call.response("SetSynchronizationPointResponse")
        }
        "StartMulticastStreaming" => {
            stream_to_group(call, true)?;
            call.response("StartMulticastStreamingResponse")
        }
        "StopMulticastStreaming" => {
            stream_to_group(call, false)?;
            call.response("StopMulticastStreamingResponse")
        }
        _ => return Err(Fault::not_supported(operation)),
    })
}

/// What is done with configurations of some kind. The operations are the same for all kinds.
#[derive(Clone, Copy)]
enum Verb {
    List,
    Options,
    Set,
}

impl Verb {
    fn of(operation: &str) -> Option<(Self, Kind)> {
        let verbs = [
            (Self::List, "Get", "Configurations"),
            (Self::Options, "Get", "ConfigurationOptions"),
            (Self::Set, "Set", "Configuration"),
        ];
        verbs.into_iter().find_map(|(verb, prefix, suffix)| {
            let word = operation.strip_prefix(prefix)?.strip_suffix(suffix)?;
            let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word)?;
            // PTZ has a service of its own, and so have rules.
            let here = match kind {
                Kind::Ptz => false,
                Kind::Analytics => matches!(verb, Self::List),
                _ => true,
            };
            here.then_some((verb, kind))
        })
    }
}

fn configuration(
    call: &Call<'_>,
    response: Element,
    verb: Verb,
    kind: Kind,
) -> Result<Element, Fault> {
    let clip = &call.camera.clip;
    Ok(match verb {
        Verb::List => {
            let wanted = requested_configuration(call, kind)?;
            let media = lock(&call.camera.media);
            let all = media.of_kind(kind);
            let chosen = all.filter(|it| wanted.is_none_or(|token| it.token == token));
            response.children(chosen.map(|it| show(&media, it, TR2, TR2, "Configurations")))
        }
        Verb::Options => {
            requested_configuration(call, kind)?;
            response.children(options(clip, kind, TR2)?)
        }
        Verb::Set => {
            set(call, kind)?;
            response
        }
    })
}

/// The configurations that a request names.
fn references<'a>(call: &'a Call<'_>) -> Result<Vec<(Kind, Option<&'a str>)>, Fault> {
    let references = call.request.all("Configuration");
    references
        .map(|reference| {
            let word = reference.text_of("Type").unwrap_or_default();
            let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
            let unknown = || {
                let reason = format!("there are no configurations of type {word}");
                Fault::invalid_value("NoConfig", reason)
            };
            Ok((kind.ok_or_else(unknown)?, reference.text_of("Token")))
        })
        .collect()
}

pub(super) fn capabilities(camera: &Camera) -> Element {
    let service = [
        ("SnapshotUri", true),
        ("Rotation", false),
        ("VideoSourceMode", true),
        ("OSD", true),
        ("Mask", true),
    ];
    let streaming = [
        ("RTSPStreaming", true),
        ("RTPMulticast", lock(&camera.media).multicast.is_some()),
        ("RTP_RTSP_TCP", true),
    ];
    let kinds = Kind::ALL.map(Kind::word).join(" ");
    let profiles = element(TR2, "ProfileCapabilities")
        .attribute("MaximumNumberOfProfiles", MAX_PROFILES)
        .attribute("ConfigurationsSupported", kinds);
    flags(TR2, "Capabilities", &service)
        .child(profiles)
        .child(flags(TR2, "StreamingCapabilities", &streaming))
}

fn get_profiles(call: &Call<'_>) -> Result<Element, Fault> {
    let only = call.request.text_of("Token");
    let only = only.map(|token| find(call, token)).transpose()?;
    let types: Vec<&str> = call.request.all("Type").map(|t| t.text()).collect();
    let media = lock(&call.camera.media);
    let profiles = media
        .profiles
        .iter()
        .filter(|profile| only.as_ref().is_none_or(|only| only.token == profile.token));
    let shown = profiles.map(|it| profile(&media, it, &types));
    Ok(call.response("GetProfilesResponse").children(shown))
}

fn profile(media: &Media, profile: &Profile, types: &[&str]) -> Element {
    let wanted = |kind: &Kind| types.contains(&"All") || types.contains(&kind.word());
    let kinds = Kind::ALL.into_iter().filter(wanted);
    let configurations = kinds.filter_map(|kind| {
        let token = profile.configurations.get(&kind)?;
        let configuration = media.configuration(kind, token)?;
        Some(show(media, configuration, TR2, TR2, kind.word()))
    });
    let set = element(TR2, "Configurations").children(configurations);
    element(TR2, "Profiles")
        .attribute("token", &profile.token)
        .attribute("fixed", profile.fixed)
        .leaf(TR2, "Name", &profile.name)
        .children((!types.is_empty()).then_some(set))
}
