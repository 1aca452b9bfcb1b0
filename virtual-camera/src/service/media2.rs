//! The second Media service (`ver20/media/wsdl`).

use super::profiles::{
    PROFILES, Profile, VIDEO_SOURCE_CONFIGURATION, bit_rate, find, gov_length, h264_profile,
    invalid_stream_setup, no_multicast, requested, requested_configuration, requested_encoders,
    resolution, snapshot_uri, stream_uri, video_source_configuration, video_source_options,
};
use super::{Call, flags, ptz, range};
use crate::clip::Clip;
use crate::soap::Fault;
use crate::xml::{Element, Ns, TR2, TT, element};

pub(super) fn answer(call: &Call<'_>, operation: &str) -> Result<Element, Fault> {
    let clip = &call.camera.clip;
    Ok(match operation {
        "GetProfiles" => get_profiles(call)?,
        "GetVideoSourceConfigurations" => {
            requested_configuration(call, &[VIDEO_SOURCE_CONFIGURATION])?;
            call.response("GetVideoSourceConfigurationsResponse")
                .child(video_source_configuration(clip, TR2, "Configurations"))
        }
        "GetVideoSourceConfigurationOptions" => {
            requested_configuration(call, &[VIDEO_SOURCE_CONFIGURATION])?;
            call.response("GetVideoSourceConfigurationOptionsResponse")
                .child(video_source_options(clip, TR2))
        }
        "GetVideoEncoderConfigurations" => {
            let encoders = requested_encoders(call)?.into_iter();
            call.response("GetVideoEncoderConfigurationsResponse")
                .children(encoders.map(|p| encoder(clip, TR2, "Configurations", p)))
        }
        "GetVideoEncoderConfigurationOptions" => {
            requested_encoders(call)?;
            call.response("GetVideoEncoderConfigurationOptionsResponse")
                .child(encoder_options(clip))
        }
        "GetVideoEncoderInstances" => {
            call.argument("ConfigurationToken")?;
            requested_configuration(call, &[VIDEO_SOURCE_CONFIGURATION])?;
            let codec = element(TR2, "Codec").leaf(TR2, "Encoding", "H264").leaf(
                TR2,
                "Number",
                PROFILES.len(),
            );
            call.response("GetVideoEncoderInstancesResponse").child(
                element(TR2, "Info")
                    .child(codec)
                    .leaf(TR2, "Total", PROFILES.len()),
            )
        }
        "GetStreamUri" => {
            let profile = requested(call)?;
            match call.argument("Protocol")? {
                "RtspUnicast" | "RTSP" => {}
                other => return Err(invalid_stream_setup(other)),
            }
            call.response("GetStreamUriResponse").address_leaf(
                TR2,
                "Uri",
                stream_uri(call, profile),
            )
        }
        "GetSnapshotUri" => {
            let profile = requested(call)?;
            call.response("GetSnapshotUriResponse").address_leaf(
                TR2,
                "Uri",
                snapshot_uri(call, profile)?,
            )
        }
        "SetSynchronizationPoint" => {
            requested(call)?;
            call.response("SetSynchronizationPointResponse")
        }
        _ => return Err(Fault::not_supported(operation)),
    })
}

pub(super) fn capabilities() -> Element {
    let service = [
        ("SnapshotUri", true),
        ("Rotation", false),
        ("OSD", false),
        ("Mask", false),
    ];
    let streaming = [
        ("RTSPStreaming", true),
        ("RTPMulticast", false),
        ("RTP_RTSP_TCP", true),
    ];
    let profiles = element(TR2, "ProfileCapabilities")
        .attribute("MaximumNumberOfProfiles", PROFILES.len())
        .attribute("ConfigurationsSupported", "VideoSource VideoEncoder PTZ");
    flags(TR2, "Capabilities", &service)
        .child(profiles)
        .child(flags(TR2, "StreamingCapabilities", &streaming))
}

fn get_profiles(call: &Call<'_>) -> Result<Element, Fault> {
    let only = call.request.text_of("Token").map(find).transpose()?;
    let types: Vec<&str> = call.request.all("Type").map(|t| t.text()).collect();
    let wanted = |name| types.contains(&"All") || types.contains(&name);
    let clip = &call.camera.clip;
    let profiles = PROFILES
        .iter()
        .filter(|p| only.is_none_or(|only| only == *p));
    let profiles = profiles.map(|profile| {
        let configurations = [
            wanted("VideoSource").then(|| video_source_configuration(clip, TR2, "VideoSource")),
            wanted("VideoEncoder").then(|| encoder(clip, TR2, "VideoEncoder", profile)),
            wanted("PTZ").then(|| ptz::configuration(TR2, "PTZ")),
        ];
        let set = element(TR2, "Configurations").children(configurations.into_iter().flatten());
        element(TR2, "Profiles")
            .attribute("token", profile.token)
            .attribute("fixed", true)
            .leaf(TR2, "Name", profile.token)
            .children((!types.is_empty()).then_some(set))
    });
    Ok(call.response("GetProfilesResponse").children(profiles))
}

fn encoder(clip: &Clip, ns: Ns, name: &'static str, profile: &Profile) -> Element {
    element(ns, name)
        .attribute("token", profile.encoder)
        .attribute("GovLength", gov_length(clip))
        .attribute("Profile", h264_profile(clip))
        .leaf(TT, "Name", profile.encoder)
        .leaf(TT, "UseCount", 1)
        .leaf(TT, "Encoding", "H264")
        .child(resolution(clip, "Resolution"))
        .child(
            element(TT, "RateControl")
                .attribute("ConstantBitRate", false)
                .leaf(TT, "FrameRateLimit", clip.frame_rate)
                .leaf(TT, "BitrateLimit", bit_rate(clip)),
        )
        .child(no_multicast())
        .leaf(TT, "Quality", 5)
}

fn encoder_options(clip: &Clip) -> Element {
    element(TR2, "Options")
        .attribute("GovLengthRange", format_args!("{0} {0}", gov_length(clip)))
        .attribute("FrameRatesSupported", clip.frame_rate)
        .attribute("ProfilesSupported", h264_profile(clip))
        .attribute("ConstantBitRateSupported", false)
        .leaf(TT, "Encoding", "H264")
        .child(range("QualityRange", 5, 5))
        .child(resolution(clip, "ResolutionsAvailable"))
        .child(range("BitrateRange", bit_rate(clip), bit_rate(clip)))
}
