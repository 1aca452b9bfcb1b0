//! Profiles and their configurations, as both Media services show them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use url::Url;

use super::Call;
use crate::clip::{Clip, Codec};
use crate::event::Event;
use crate::media::{Body, Configuration, Kind, Media, Profile, VideoEncoder};
use crate::quirks::{Quirks, SnapshotAuth, SnapshotFault};
use crate::soap::Fault;
use crate::state::{Camera, lock};
use crate::stream_spec::StreamSpec;
use crate::streams;
use crate::xml::{Element, TER, TT, element};

/// Token of the one video source.
pub(super) const VIDEO_SOURCE: &str = "video_source";
/// Token of its one mode.
pub(super) const VIDEO_SOURCE_MODE: &str = "mode_1";
/// Token of the one audio source.
pub(super) const AUDIO_SOURCE: &str = "audio_source";
/// Token of the one audio output.
pub(super) const AUDIO_OUTPUT: &str = "audio_output";

/// The fixed profiles; their tokens are the paths of the RTSP streams, and name the encoders.
pub(crate) const PROFILES: [&str; 2] = ["main", "sub"];
/// Tokens of the one configuration of their kind.
const AUDIO_SOURCE_CONFIG: &str = "audio_source_config";
const METADATA: &str = "metadata_config";
/// Token of the one PTZ configuration.
const PTZ: &str = "ptz_config";
const ENCODERS: [&str; 2] = ["main_encoder", "sub_encoder"];

/// Profiles and configurations as they are before anybody changes them.
pub(crate) fn initial(
    clip: &Clip,
    quirks: &Quirks,
    streams: &[StreamSpec],
    group: Option<SocketAddrV4>,
) -> Media {
    let configuration = |kind, token: &str, name: &str, body| Configuration {
        kind,
        token: token.to_owned(),
        name: name.to_owned(),
        body,
    };
    let encoder = Body::Video(VideoEncoder::of(clip));
    let bounds = element(TT, "Bounds")
        .attribute("x", 0)
        .attribute("y", 0)
        .attribute("width", clip.width)
        .attribute("height", clip.height);
    let metadata = vec![
        element(TT, "PTZStatus")
            .leaf(TT, "Status", false)
            .leaf(TT, "Position", false),
        element(TT, "Events"),
        element(TT, "Analytics").text(false),
        multicast(group),
        element(TT, "SessionTimeout").text("PT60S"),
    ];
    let audio_output = vec![
        element(TT, "OutputToken").text(AUDIO_OUTPUT),
        element(TT, "OutputLevel").text(50),
    ];
    let mut configurations = vec![
        configuration(
            Kind::VideoEncoder,
            ENCODERS[0],
            ENCODERS[0],
            encoder.clone(),
        ),
        configuration(Kind::VideoEncoder, ENCODERS[1], ENCODERS[1], encoder),
        configuration(
            Kind::AudioSource,
            AUDIO_SOURCE_CONFIG,
            "Microphone",
            Body::Plain(vec![source_token(AUDIO_SOURCE)]),
        ),
        configuration(
            Kind::AudioEncoder,
            "audio_encoder",
            "G.711",
            Body::Audio(Codec::Pcmu),
        ),
        configuration(
            Kind::AudioOutput,
            "audio_output_config",
            "Loudspeaker",
            Body::Plain(audio_output),
        ),
        configuration(
            Kind::AudioDecoder,
            "audio_decoder_config",
            "Decoder",
            Body::Plain(Vec::new()),
        ),
        configuration(Kind::Metadata, METADATA, "Metadata", Body::Plain(metadata)),
        configuration(
            Kind::Analytics,
            "analytics_config",
            "Analytics",
            Body::Analytics,
        ),
        // The PTZ service writes the rest of it.
        configuration(Kind::Ptz, PTZ, "PTZ", Body::Plain(Vec::new())),
    ];
    let mut profiles = Vec::new();
    for channel in 0..quirks.channels() {
        let source = numbered("video_source_config", channel);
        let content = vec![
            source_token(&numbered(VIDEO_SOURCE, channel)),
            bounds.clone(),
        ];
        configurations.push(configuration(
            Kind::VideoSource,
            &source,
            &numbered("Video source", channel),
            Body::Plain(content),
        ));
        for (path, encoder) in PROFILES.into_iter().zip(ENCODERS) {
            let name = numbered(path, channel);
            profiles.push(Profile {
                token: match quirks.odd_tokens {
                    true => format!("{name} <{channel}> & \"more\""),
                    false => name.clone(),
                },
                name,
                fixed: true,
                path: Some(path.to_owned()),
                configurations: BTreeMap::from([
                    (Kind::VideoSource, source.clone()),
                    (Kind::VideoEncoder, encoder.to_owned()),
                    (Kind::Ptz, PTZ.to_owned()),
                ]),
            });
        }
    }
    for stream in streams {
        let mut references = BTreeMap::from([
            (Kind::VideoSource, numbered("video_source_config", 0)),
            (Kind::Ptz, PTZ.to_owned()),
        ]);
        let mut encoders = vec![(
            Kind::VideoEncoder,
            format!("{}_encoder", stream.name),
            Body::Video(VideoEncoder::of(&Clip::of(stream.video.into()))),
        )];
        if let Some(audio) = stream.audio {
            references.insert(Kind::AudioSource, AUDIO_SOURCE_CONFIG.to_owned());
            let token = format!("{}_audio_encoder", stream.name);
            encoders.push((Kind::AudioEncoder, token, Body::Audio(audio.into())));
        }
        if stream.metadata {
            references.insert(Kind::Metadata, METADATA.to_owned());
        }
        for (kind, token, body) in encoders {
            configurations.push(configuration(kind, &token, &token, body));
            references.insert(kind, token);
        }
        profiles.push(Profile {
            token: stream.name.clone(),
            name: stream.name.clone(),
            fixed: true,
            path: Some(stream.name.clone()),
            configurations: references,
        });
    }
    let mut media = Media::new(profiles, configurations, VIDEO_SOURCE_MODE);
    media.multicast = group;
    media
}

/// What the first channel calls by a name, the others number.
fn numbered(name: &str, channel: u16) -> String {
    match channel {
        0 => name.to_owned(),
        _ => format!("{name} {channel}"),
    }
}

/// The tokens of the video sources, as they are listed.
pub(super) fn video_sources(quirks: &Quirks) -> impl Iterator<Item = String> {
    let name = match quirks.token_mismatch {
        true => "VideoSource <1> & more",
        false => VIDEO_SOURCE,
    };
    (0..quirks.channels()).map(move |channel| numbered(name, channel))
}

fn source_token(token: &str) -> Element {
    element(TT, "SourceToken").text(token)
}

/// The profile a request names in `ProfileToken`.
pub(super) fn requested(call: &Call<'_>) -> Result<Profile, Fault> {
    find(call, call.argument("ProfileToken")?)
}

pub(super) fn find(call: &Call<'_>, token: &str) -> Result<Profile, Fault> {
    let media = lock(&call.camera.media);
    media
        .profile(token)
        .cloned()
        .ok_or_else(|| no_profile(token))
}

pub(super) fn no_profile(token: &str) -> Fault {
    Fault::invalid_value("NoProfile", format!("there is no profile {token}"))
}

pub(super) fn no_configuration(token: &str) -> Fault {
    Fault::invalid_value("NoConfig", format!("there is no configuration {token}"))
}

/// Checks the optional `ProfileToken` and `ConfigurationToken` of a request, and returns the configuration asked for.
pub(super) fn requested_configuration<'a>(
    call: &'a Call<'_>,
    kind: Kind,
) -> Result<Option<&'a str>, Fault> {
    if let Some(token) = call.request.text_of("ProfileToken") {
        find(call, token)?;
    }
    let token = call.request.text_of("ConfigurationToken");
    if let Some(token) = token
        && lock(&call.camera.media)
            .configuration(kind, token)
            .is_none()
    {
        return Err(no_configuration(token));
    }
    Ok(token)
}

/// Makes an empty profile and returns its token.
pub(super) fn create(media: &mut Media, name: &str, token: Option<&str>) -> Result<String, Fault> {
    if media.profiles.len() >= crate::media::MAX_PROFILES {
        return Err(Fault::receiver(
            &[(TER, "Action"), (TER, "MaxNVTProfiles")],
            "the maximum number of profiles is reached",
        ));
    }
    let token = match token {
        Some(token) if media.profile(token).is_some() => {
            let reason = format!("there is a profile {token} already");
            return Err(Fault::invalid_value("ProfileExists", reason));
        }
        Some(token) => token.to_owned(),
        None => media.token("profile"),
    };
    media.profiles.push(Profile {
        token: token.clone(),
        name: name.to_owned(),
        fixed: false,
        path: None,
        configurations: BTreeMap::new(),
    });
    Ok(token)
}

pub(super) fn delete(call: &Call<'_>, token: &str) -> Result<(), Fault> {
    let mut media = lock(&call.camera.media);
    let profile = media.profile(token).ok_or_else(|| no_profile(token))?;
    if profile.fixed {
        return Err(Fault::sender(
            &[(TER, "Action"), (TER, "DeletionOfFixedProfile")],
            format!("the profile {token} is fixed"),
        ));
    }
    media.profiles.retain(|profile| profile.token != token);
    drop(media);
    tell_profile(call.camera, token);
    Ok(())
}

/// The configuration of a kind with this token; without one, the first.
pub(super) fn pick(media: &Media, kind: Kind, token: Option<&str>) -> Result<String, Fault> {
    let found = match token {
        Some(token) => media.configuration(kind, token),
        None => media.of_kind(kind).next(),
    };
    found
        .map(|configuration| configuration.token.clone())
        .ok_or_else(|| no_configuration(token.unwrap_or_default()))
}

/// Raises `tns1:Media/ProfileChanged`.
pub(super) fn tell_profile(camera: &Camera, token: &str) {
    camera.report(Event::new("tns1:Media/ProfileChanged").data("Token", token));
}

/// Raises `tns1:Media/ConfigurationChanged`.
pub(super) fn tell_configuration(camera: &Camera, token: &str, kind: &str) {
    let event = Event::new("tns1:Media/ConfigurationChanged");
    camera.report(event.data("Token", token).data("Type", kind));
}

pub(super) fn resolution(clip: &Clip, name: &'static str) -> Element {
    element(TT, name)
        .leaf(TT, "Width", clip.width)
        .leaf(TT, "Height", clip.height)
}

/// The group that streams go to; where there is none, the schema wants an address all the same.
pub(super) fn multicast(group: Option<SocketAddrV4>) -> Element {
    let (address, port) = match group {
        Some(group) => (*group.ip(), group.port()),
        None => (Ipv4Addr::UNSPECIFIED, 0),
    };
    element(TT, "Multicast")
        .child(
            element(TT, "Address")
                .leaf(TT, "Type", "IPv4")
                .leaf(TT, "IPv4Address", address),
        )
        .leaf(TT, "Port", port)
        .leaf(TT, "TTL", u8::from(group.is_some()))
        .leaf(TT, "AutoStart", false)
}

/// Starts or stops sending a profile to the group, without a client.
pub(super) fn stream_to_group(call: &Call<'_>, start: bool) -> Result<(), Fault> {
    let path = stream_path(call, &requested(call)?)?;
    let rtsp = &call.camera.rtsp;
    let Ok(url) = Url::parse(&format!("rtsp://camera/{path}")) else {
        return Ok(());
    };
    if !start {
        rtsp.stop_multicast(&url);
        return Ok(());
    }
    rtsp.start_multicast(&url).map_err(|error| {
        let reason = format!("the stream cannot be sent: {error}");
        Fault::receiver(&[(TER, "Action")], reason)
    })
}

/// Address of a profile's stream.
pub(super) fn stream_uri(call: &Call<'_>, profile: &Profile) -> Result<String, Fault> {
    let port = call.camera.rtsp.local_addr().port();
    let quirks = call.camera.quirks();
    let host = match call.host.parse::<std::net::Ipv4Addr>() {
        Ok(address) if quirks.uri_bad_ipv6 => address.to_ipv6_mapped().to_string(),
        _ => call.host.to_owned(),
    };
    let first_port = if quirks.double_port { ":80" } else { "" };
    let path = stream_path(call, profile)?;
    Ok(format!("rtsp://{host}{first_port}:{port}/{path}"))
}

/// Address of a profile's stream, tunnelled through HTTP.
pub(super) fn tunnel_uri(call: &Call<'_>, profile: &Profile) -> Result<String, Fault> {
    let path = stream_path(call, profile)?;
    Ok(call.url(&format!("/{path}")))
}

/// The path and query of the stream of a profile that is complete.
pub(super) fn stream_path(call: &Call<'_>, profile: &Profile) -> Result<String, Fault> {
    let complete = lock(&call.camera.media).video(profile).is_some();
    let address = streams::address(profile).filter(|_| complete);
    address.ok_or_else(|| {
        Fault::receiver(
            &[(TER, "Action"), (TER, "IncompleteConfiguration")],
            format!(
                "the profile {} has no video source or encoder",
                profile.token
            ),
        )
    })
}

/// Address of the snapshot, the same for both profiles.
pub(super) fn snapshot_uri(call: &Call<'_>, profile: &Profile) -> Result<String, Fault> {
    let quirks = call.camera.quirks();
    let url = call.url("/onvif/snapshot");
    Ok(match quirks.snapshot {
        Some(SnapshotFault::Rtsp) => stream_uri(call, profile)?,
        Some(SnapshotFault::Empty) => String::new(),
        Some(SnapshotFault::Fault) => return Err(Fault::not_supported("GetSnapshotUri")),
        _ => match lock(&call.camera.gate).user_query() {
            Some(query) if quirks.snapshot_auth == SnapshotAuth::Query => format!("{url}?{query}"),
            _ if quirks.uri_raw_amp => format!("{url}?channel=1&subtype=0"),
            _ => url,
        },
    })
}

/// A way to carry a stream that the device does not have.
pub(super) fn invalid_stream_setup(asked: &str) -> Fault {
    Fault::sender(
        &[(TER, "InvalidArgVal"), (TER, "InvalidStreamSetup")],
        format!("{asked} is not supported"),
    )
}
