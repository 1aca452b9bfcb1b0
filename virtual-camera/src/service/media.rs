//! The first Media service (`ver10/media/wsdl`).

use super::profiles::{
    PROFILES, Profile, VIDEO_SOURCE, VIDEO_SOURCE_CONFIGURATION, bit_rate, gov_length,
    h264_profile, invalid_stream_setup, no_multicast, requested, requested_configuration,
    requested_encoders, resolution, snapshot_uri, stream_uri, video_source_configuration,
    video_source_options,
};
use super::{Call, flags, ptz, range};
use crate::clip::Clip;
use crate::soap::Fault;
use crate::xml::{Element, Ns, TRT, TT, element};

pub(super) fn answer(call: &Call<'_>, operation: &str) -> Result<Element, Fault> {
    let clip = &call.camera.clip;
    Ok(match operation {
        "GetProfiles" => call
            .response("GetProfilesResponse")
            .children(PROFILES.iter().map(|p| profile(clip, "Profiles", p))),
        "GetProfile" => {
            call.response("GetProfileResponse")
                .child(profile(clip, "Profile", requested(call)?))
        }
        "GetVideoSources" => call.response("GetVideoSourcesResponse").child(
            element(TRT, "VideoSources")
                .attribute("token", VIDEO_SOURCE)
                .leaf(TT, "Framerate", clip.frame_rate)
                .child(resolution(clip, "Resolution")),
        ),
        "GetVideoSourceConfigurations" => call
            .response("GetVideoSourceConfigurationsResponse")
            .child(video_source_configuration(clip, TRT, "Configurations")),
        "GetVideoSourceConfiguration" => {
            call.argument("ConfigurationToken")?;
            requested_configuration(call, &[VIDEO_SOURCE_CONFIGURATION])?;
            call.response("GetVideoSourceConfigurationResponse")
                .child(video_source_configuration(clip, TRT, "Configuration"))
        }
        "GetVideoSourceConfigurationOptions" => {
            requested_configuration(call, &[VIDEO_SOURCE_CONFIGURATION])?;
            call.response("GetVideoSourceConfigurationOptionsResponse")
                .child(video_source_options(clip, TRT))
        }
        "GetVideoEncoderConfigurations" => call
            .response("GetVideoEncoderConfigurationsResponse")
            .children(
                PROFILES
                    .iter()
                    .map(|p| encoder(clip, TRT, "Configurations", p)),
            ),
        "GetVideoEncoderConfiguration" => {
            call.argument("ConfigurationToken")?;
            let encoders = requested_encoders(call)?.into_iter();
            call.response("GetVideoEncoderConfigurationResponse")
                .children(encoders.map(|p| encoder(clip, TRT, "Configuration", p)))
        }
        "GetVideoEncoderConfigurationOptions" => {
            requested_encoders(call)?;
            call.response("GetVideoEncoderConfigurationOptionsResponse")
                .child(encoder_options(clip))
        }
        "GetGuaranteedNumberOfVideoEncoderInstances" => {
            call.argument("ConfigurationToken")?;
            requested_configuration(call, &[VIDEO_SOURCE_CONFIGURATION])?;
            call.response("GetGuaranteedNumberOfVideoEncoderInstancesResponse")
                .leaf(TRT, "TotalNumber", PROFILES.len())
                .leaf(TRT, "H264", PROFILES.len())
        }
        "GetStreamUri" => {
            let profile = requested(call)?;
            check_stream_setup(call)?;
            call.response("GetStreamUriResponse")
                .child(media_uri(stream_uri(call, profile)))
        }
        "GetSnapshotUri" => {
            let profile = requested(call)?;
            call.response("GetSnapshotUriResponse")
                .child(media_uri(snapshot_uri(call, profile)?))
        }
        "SetSynchronizationPoint" => {
            requested(call)?;
            call.response("SetSynchronizationPointResponse")
        }
        _ => return Err(Fault::not_supported(operation)),
    })
}

pub(super) fn capabilities() -> Element {
    let service = [("SnapshotUri", true), ("Rotation", false), ("OSD", false)];
    let streaming = [
        ("RTPMulticast", false),
        ("RTP_TCP", true),
        ("RTP_RTSP_TCP", true),
    ];
    let profiles =
        element(TRT, "ProfileCapabilities").attribute("MaximumNumberOfProfiles", PROFILES.len());
    flags(TRT, "Capabilities", &service)
        .child(profiles)
        .child(flags(TRT, "StreamingCapabilities", &streaming))
}

fn profile(clip: &Clip, name: &'static str, profile: &Profile) -> Element {
    element(TRT, name)
        .attribute("token", profile.token)
        .attribute("fixed", true)
        .leaf(TT, "Name", profile.token)
        .child(video_source_configuration(
            clip,
            TT,
            "VideoSourceConfiguration",
        ))
        .child(encoder(clip, TT, "VideoEncoderConfiguration", profile))
        .child(ptz::configuration(TT, "PTZConfiguration"))
}

fn encoder(clip: &Clip, ns: Ns, name: &'static str, profile: &Profile) -> Element {
    element(ns, name)
        .attribute("token", profile.encoder)
        .leaf(TT, "Name", profile.encoder)
        .leaf(TT, "UseCount", 1)
        .leaf(TT, "Encoding", "H264")
        .child(resolution(clip, "Resolution"))
        .leaf(TT, "Quality", 5)
        .child(
            element(TT, "RateControl")
                .leaf(TT, "FrameRateLimit", clip.frame_rate)
                .leaf(TT, "EncodingInterval", 1)
                .leaf(TT, "BitrateLimit", bit_rate(clip)),
        )
        .child(
            element(TT, "H264")
                .leaf(TT, "GovLength", gov_length(clip))
                .leaf(TT, "H264Profile", h264_profile(clip)),
        )
        .child(no_multicast())
        .leaf(TT, "SessionTimeout", "PT60S")
}

fn encoder_options(clip: &Clip) -> Element {
    element(TRT, "Options")
        .child(range("QualityRange", 5, 5))
        .child(
            element(TT, "H264")
                .child(resolution(clip, "ResolutionsAvailable"))
                .child(range("GovLengthRange", gov_length(clip), gov_length(clip)))
                .child(range("FrameRateRange", clip.frame_rate, clip.frame_rate))
                .child(range("EncodingIntervalRange", 1, 1))
                .leaf(TT, "H264ProfilesSupported", h264_profile(clip)),
        )
}

fn check_stream_setup(call: &Call<'_>) -> Result<(), Fault> {
    let setup = call.request.child("StreamSetup");
    let setup = setup.ok_or_else(|| Fault::missing("StreamSetup"))?;
    let stream = setup.text_of("Stream").unwrap_or_default();
    if stream != "RTP-Unicast" {
        return Err(invalid_stream_setup(stream));
    }
    let transport = setup.child("Transport");
    let protocol = transport.and_then(|transport| transport.text_of("Protocol"));
    match protocol.unwrap_or_default() {
        "UDP" | "TCP" | "RTSP" => Ok(()),
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
