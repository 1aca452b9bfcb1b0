//! The first Media service (`ver10/media/wsdl`).

use super::configurations::{is_shown, options, set, show};
use super::encoders::video_encodings;
use super::profiles::{
    AUDIO_OUTPUT, AUDIO_SOURCE, VIDEO_SOURCE, VIDEO_SOURCE_MODE, create, delete,
    invalid_stream_setup, no_configuration, no_profile, pick, requested, requested_configuration,
    resolution, snapshot_uri, stream_to_group, stream_uri, tell_profile, tunnel_uri, video_sources,
};
use super::{Call, flags, overlay};
use crate::media::{Kind, MAX_PROFILES, Media, Profile};
use crate::soap::Fault;
use crate::state::{Camera, lock};
use crate::xml::{Element, Ns, TRT, TT, element, named};

pub(super) fn answer(call: &Call<'_>, operation: &str) -> Result<Element, Fault> {
    if let Some(answer) = overlay::answer_osd(call, operation, TRT) {
        return answer;
    }
    if let Some((verb, kind)) = Verb::of(operation) {
        let response = named(TRT, format!("{operation}Response"));
        return configuration(call, response, verb, kind);
    }
    let clip = &call.camera.clip;
    Ok(match operation {
        "GetProfiles" => {
            let media = lock(&call.camera.media);
            let profiles = media.profiles.iter();
            call.response("GetProfilesResponse")
                .children(profiles.map(|p| profile(&media, "Profiles", p)))
        }
        "GetProfile" => {
            let asked = requested(call)?;
            let media = lock(&call.camera.media);
            call.response("GetProfileResponse")
                .child(profile(&media, "Profile", &asked))
        }
        "CreateProfile" => {
            let name = call.argument("Name")?;
            let mut media = lock(&call.camera.media);
            let token = create(&mut media, name, call.request.text_of("Token"))?;
            let made = media.profile(&token).ok_or_else(|| no_profile(&token))?;
            let shown = profile(&media, "Profile", made);
            drop(media);
            tell_profile(call.camera, &token);
            call.response("CreateProfileResponse").child(shown)
        }
        "DeleteProfile" => {
            delete(call, call.argument("ProfileToken")?)?;
            call.response("DeleteProfileResponse")
        }
        "GetVideoSources" => {
            let quirks = call.camera.quirks();
            let sources = video_sources(&quirks).map(|token| {
                element(TRT, "VideoSources")
                    .attribute("token", token)
                    .leaf(TT, "Framerate", clip.frame_rate)
                    .child(resolution(clip, "Resolution"))
            });
            call.response("GetVideoSourcesResponse").children(sources)
        }
        "GetAudioSources" => call.response("GetAudioSourcesResponse").child(
            element(TRT, "AudioSources")
                .attribute("token", AUDIO_SOURCE)
                .leaf(TT, "Channels", 1),
        ),
        "GetAudioOutputs" => call
            .response("GetAudioOutputsResponse")
            .child(element(TRT, "AudioOutputs").attribute("token", AUDIO_OUTPUT)),
        "GetVideoSourceModes" => {
            let mode = video_source_mode(call, TRT)?;
            call.response("GetVideoSourceModesResponse").child(mode)
        }
        "SetVideoSourceMode" => {
            set_video_source_mode(call)?;
            call.response("SetVideoSourceModeResponse")
                .leaf(TRT, "Reboot", false)
        }
        "GetGuaranteedNumberOfVideoEncoderInstances" => {
            call.argument("ConfigurationToken")?;
            requested_configuration(call, Kind::VideoSource)?;
            let number = lock(&call.camera.media).of_kind(Kind::VideoEncoder).count();
            call.response("GetGuaranteedNumberOfVideoEncoderInstancesResponse")
                .leaf(TRT, "TotalNumber", number)
                .leaf(TRT, "JPEG", number)
                .leaf(TRT, "H264", number)
        }
        "GetStreamUri" => {
            let profile = requested(call)?;
            let uri = match check_stream_setup(call)? {
                "HTTP" => tunnel_uri(call, &profile)?,
                _ => stream_uri(call, &profile)?,
            };
            call.response("GetStreamUriResponse").child(media_uri(uri))
        }
        "GetSnapshotUri" => {
            let profile = requested(call)?;
            call.response("GetSnapshotUriResponse")
                .child(media_uri(snapshot_uri(call, &profile)?))
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

/// What is done with a configuration of some kind. The operations are the same for all kinds.
#[derive(Clone, Copy)]
enum Verb {
    List,
    Compatible,
    Get,
    Options,
    Set,
    Add,
    Remove,
}

impl Verb {
    fn of(operation: &str) -> Option<(Self, Kind)> {
        let between =
            |prefix: &str, suffix: &str| operation.strip_prefix(prefix)?.strip_suffix(suffix);
        let verbs = [
            (Self::Compatible, "GetCompatible", "s"),
            (Self::List, "Get", "s"),
            (Self::Options, "Get", "Options"),
            (Self::Get, "Get", ""),
            (Self::Set, "Set", ""),
            (Self::Add, "Add", ""),
            (Self::Remove, "Remove", ""),
        ];
        // The Options end in an s too, so the name of the configuration decides.
        verbs.into_iter().find_map(|(verb, prefix, suffix)| {
            let name = between(prefix, suffix)?;
            let kind = Kind::ALL.into_iter().find(|kind| kind.element() == name)?;
            // PTZ configurations are read and set with the PTZ service.
            let here = kind != Kind::Ptz || matches!(verb, Self::Add | Self::Remove);
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
        Verb::List | Verb::Compatible => {
            if matches!(verb, Verb::Compatible) {
                requested(call)?;
            }
            let media = lock(&call.camera.media);
            let all = media.of_kind(kind).filter(|it| is_shown(it, TRT));
            response.children(all.map(|it| show(&media, it, TRT, TRT, "Configurations")))
        }
        Verb::Get => {
            let token = call.argument("ConfigurationToken")?;
            let media = lock(&call.camera.media);
            let found = media.configuration(kind, token);
            let found = found.filter(|it| is_shown(it, TRT));
            let found = found.ok_or_else(|| no_configuration(token))?;
            response.child(show(&media, found, TRT, TRT, "Configuration"))
        }
        Verb::Options => {
            requested_configuration(call, kind)?;
            response.children(options(clip, kind, TRT)?)
        }
        Verb::Set => {
            set(call, kind)?;
            response
        }
        Verb::Add => {
            let configuration = call.argument("ConfigurationToken")?;
            change_profile(call, |media, profile| {
                let token = pick(media, kind, Some(configuration))?;
                profile.configurations.insert(kind, token);
                Ok(())
            })?;
            response
        }
        Verb::Remove => {
            change_profile(call, |_, profile| {
                profile.configurations.remove(&kind);
                Ok(())
            })?;
            response
        }
    })
}

/// Changes the profile that a request names, or leaves it as it is.
pub(super) fn change_profile(
    call: &Call<'_>,
    change: impl FnOnce(&Media, &mut Profile) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut changed = requested(call)?;
    let mut media = lock(&call.camera.media);
    change(&media, &mut changed)?;
    let token = changed.token.clone();
    *media
        .profile_mut(&token)
        .ok_or_else(|| no_profile(&token))? = changed;
    drop(media);
    tell_profile(call.camera, &token);
    Ok(())
}

pub(super) fn capabilities(camera: &Camera) -> Element {
    let service = [
        ("SnapshotUri", true),
        ("Rotation", false),
        ("VideoSourceMode", true),
        ("OSD", true),
    ];
    let streaming = [
        ("RTPMulticast", lock(&camera.media).multicast.is_some()),
        ("RTP_TCP", true),
        ("RTP_RTSP_TCP", true),
    ];
    let profiles =
        element(TRT, "ProfileCapabilities").attribute("MaximumNumberOfProfiles", MAX_PROFILES);
    flags(TRT, "Capabilities", &service)
        .child(profiles)
        .child(flags(TRT, "StreamingCapabilities", &streaming))
}

/// The one mode of the one video source.
pub(super) fn video_source_mode(call: &Call<'_>, ns: Ns) -> Result<Element, Fault> {
    check_source(call)?;
    let clip = &call.camera.clip;
    let size = element(ns, "MaxResolution")
        .leaf(TT, "Width", clip.width)
        .leaf(TT, "Height", clip.height);
    let encodings: Vec<&str> = video_encodings(ns).collect();
    let current = lock(&call.camera.media).mode == VIDEO_SOURCE_MODE;
    Ok(element(ns, "VideoSourceModes")
        .attribute("token", VIDEO_SOURCE_MODE)
        .attribute("Enabled", current)
        .leaf(ns, "MaxFramerate", clip.frame_rate)
        .child(size)
        .leaf(ns, "Encodings", encodings.join(" "))
        .leaf(ns, "Reboot", false))
}

pub(super) fn set_video_source_mode(call: &Call<'_>) -> Result<(), Fault> {
    check_source(call)?;
    let mode = call.argument("VideoSourceModeToken")?;
    if mode != VIDEO_SOURCE_MODE {
        let reason = format!("there is no mode {mode}");
        return Err(Fault::invalid_value("NoVideoSourceMode", reason));
    }
    lock(&call.camera.media).mode = mode.to_owned();
    Ok(())
}

fn check_source(call: &Call<'_>) -> Result<(), Fault> {
    match call.argument("VideoSourceToken")? {
        VIDEO_SOURCE => Ok(()),
        other => {
            let reason = format!("there is no video source {other}");
            Err(Fault::invalid_value("NoVideoSource", reason))
        }
    }
}

fn profile(media: &Media, name: &'static str, profile: &Profile) -> Element {
    let shown = |kind: Kind| {
        let token = profile.configurations.get(&kind)?;
        let configuration = media.configuration(kind, token);
        let configuration = configuration.filter(|it| is_shown(it, TRT))?;
        Some(show(media, configuration, TRT, TT, kind.element()))
    };
    let (back, forth): (Vec<_>, Vec<_>) = Kind::ALL
        .into_iter()
        .partition(|kind| matches!(kind, Kind::AudioOutput | Kind::AudioDecoder));
    let back: Vec<_> = back.into_iter().filter_map(shown).collect();
    let extension = (!back.is_empty()).then(|| element(TT, "Extension").children(back));
    element(TRT, name)
        .attribute("token", &profile.token)
        .attribute("fixed", profile.fixed)
        .leaf(TT, "Name", &profile.name)
        .children(forth.into_iter().filter_map(shown))
        .children(extension)
}

/// The protocol that a request names.
fn check_stream_setup<'a>(call: &'a Call<'_>) -> Result<&'a str, Fault> {
    let setup = call.request.child("StreamSetup");
    let setup = setup.ok_or_else(|| Fault::missing("StreamSetup"))?;
    let stream = setup.text_of("Stream").unwrap_or_default();
    let multicast = match stream {
        "RTP-Unicast" => false,
        "RTP-Multicast" if lock(&call.camera.media).multicast.is_some() => true,
        other => return Err(invalid_stream_setup(other)),
    };
    let transport = setup.child("Transport");
    let protocol = transport.and_then(|transport| transport.text_of("Protocol"));
    match protocol.unwrap_or_default() {
        protocol if multicast && protocol != "UDP" => Err(invalid_stream_setup(protocol)),
        protocol @ ("UDP" | "TCP" | "RTSP" | "HTTP") => Ok(protocol),
        other => Err(invalid_stream_setup(other)),
    }
}

fn media_uri(uri: String) -> Element {
    element(TRT, "MediaUri")
        .address_leaf(TT, "Uri", uri)
        .leaf(TT, "InvalidAfterConnect", false)
        .leaf(TT, "InvalidAfterReboot", false)
        .leaf(TT, "Timeout", "PT0S")
}
