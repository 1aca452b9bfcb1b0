//! Configurations, as both Media services read, write and limit them.

use std::fmt::Display;

use super::kept::kept_children;
use super::profiles::{
    AUDIO_OUTPUT, AUDIO_SOURCE, VIDEO_SOURCE, h264_profile, no_configuration, no_multicast,
    resolution, tell_configuration,
};
use super::{Call, analytics, ptz, range};
use crate::clip::Clip;
use crate::media::{Body, Configuration, Kind, MAX_PROFILES, Media, VideoEncoder};
use crate::soap::Fault;
use crate::state::lock;
use crate::xml::{Element, Node, Ns, TRT, TT, element};

const QUALITY: (f64, f64) = (1.0, 10.0);
/// Thousands of bits per second.
const BITRATE: (u64, u64) = (32, 8192);
const GOV_LENGTH: (u64, u64) = (1, 300);
/// Thousands of bits per second, and of samples: G.711 knows nothing else.
const G711: (u32, u32) = (64, 8);

/// A configuration as the service with the namespace `service` shows it, under a name.
pub(super) fn show(
    clip: &Clip,
    media: &Media,
    configuration: &Configuration,
    service: Ns,
    ns: Ns,
    name: &'static str,
) -> Element {
    let Configuration { kind, token, .. } = configuration;
    let kind = *kind;
    if kind == Kind::Ptz {
        return ptz::configuration(ns, name);
    }
    let mut shown = element(ns, name).attribute("token", token);
    if let (Body::Video(encoder), false) = (&configuration.body, service == TRT) {
        shown = shown
            .attribute("GovLength", encoder.gov_length)
            .attribute("Profile", h264_profile(clip));
    }
    let shown =
        shown
            .leaf(TT, "Name", &configuration.name)
            .leaf(TT, "UseCount", media.uses(kind, token));
    match &configuration.body {
        Body::Plain(content) => shown.children(content.iter().cloned()),
        Body::Analytics => shown.children(analytics::engines(media)),
        Body::Audio(_) if service == TRT => shown
            .leaf(TT, "Encoding", "G711")
            .leaf(TT, "Bitrate", G711.0)
            .leaf(TT, "SampleRate", G711.1)
            .child(no_multicast())
            .leaf(TT, "SessionTimeout", "PT60S"),
        Body::Audio(_) => shown
            .leaf(TT, "Encoding", "PCMU")
            .child(no_multicast())
            .leaf(TT, "Bitrate", G711.0)
            .leaf(TT, "SampleRate", G711.1),
        Body::Video(encoder) => video_encoder(clip, encoder, service, shown),
    }
}

fn video_encoder(clip: &Clip, encoder: &VideoEncoder, service: Ns, shown: Element) -> Element {
    let shown = shown
        .leaf(TT, "Encoding", "H264")
        .child(resolution(clip, "Resolution"));
    let rate = element(TT, "RateControl");
    if service != TRT {
        let rate = rate
            .attribute("ConstantBitRate", false)
            .leaf(TT, "FrameRateLimit", encoder.frame_rate)
            .leaf(TT, "BitrateLimit", encoder.bitrate);
        return shown
            .child(rate)
            .child(no_multicast())
            .leaf(TT, "Quality", encoder.quality);
    }
    let rate = rate
        .leaf(TT, "FrameRateLimit", encoder.frame_rate)
        .leaf(TT, "EncodingInterval", 1)
        .leaf(TT, "BitrateLimit", encoder.bitrate);
    let h264 = element(TT, "H264")
        .leaf(TT, "GovLength", encoder.gov_length)
        .leaf(TT, "H264Profile", h264_profile(clip));
    shown
        .leaf(TT, "Quality", encoder.quality)
        .child(rate)
        .child(h264)
        .child(no_multicast())
        .leaf(TT, "SessionTimeout", "PT60S")
}

/// Changes the configuration of the request, or refuses what is not in its options.
pub(super) fn set(call: &Call<'_>, kind: Kind) -> Result<(), Fault> {
    let wanted = call.request.child("Configuration");
    let wanted = wanted.ok_or_else(|| Fault::missing("Configuration"))?;
    let token = wanted.attribute("token");
    let token = token.ok_or_else(|| Fault::missing("token"))?;
    let mut media = lock(&call.camera.media);
    let mut all = media.configurations.iter_mut();
    let configuration = all
        .find(|configuration| configuration.kind == kind && configuration.token == token)
        .ok_or_else(|| no_configuration(token))?;
    let body = changed(&call.camera.clip, kind, &configuration.body, wanted)?;
    configuration.body = body;
    if let Some(name) = wanted.text_of("Name") {
        configuration.name = name.to_owned();
    }
    drop(media);
    tell_configuration(call.camera, token, kind.word());
    Ok(())
}

/// What a configuration is after it was set.
fn changed(clip: &Clip, kind: Kind, now: &Body, wanted: &Node) -> Result<Body, Fault> {
    let expect = |name: &str, value: &str| match wanted.text_of(name) {
        Some(given) if given == value => Ok(()),
        given => Err(impossible(name, given.unwrap_or_default())),
    };
    let order: &[&str] = match kind {
        Kind::VideoEncoder => return changed_encoder(clip, now, wanted).map(Body::Video),
        Kind::AudioEncoder => {
            let encoding = wanted.text_of("Encoding").unwrap_or_default();
            if !["G711", "PCMU"].contains(&encoding) {
                return Err(impossible("Encoding", encoding));
            }
            expect("Bitrate", &G711.0.to_string())?;
            expect("SampleRate", &G711.1.to_string())?;
            return Ok(now.clone());
        }
        Kind::Analytics | Kind::Ptz | Kind::AudioDecoder => return Ok(now.clone()),
        Kind::VideoSource => {
            expect("SourceToken", VIDEO_SOURCE)?;
            check_bounds(clip, wanted)?;
            &["SourceToken", "Bounds"]
        }
        Kind::AudioSource => {
            expect("SourceToken", AUDIO_SOURCE)?;
            &["SourceToken"]
        }
        Kind::AudioOutput => {
            expect("OutputToken", AUDIO_OUTPUT)?;
            number(wanted, "OutputLevel", 0.0, 100.0)?;
            &["OutputToken", "OutputLevel"]
        }
        Kind::Metadata => {
            for required in ["Multicast", "SessionTimeout"] {
                if wanted.child(required).is_none() {
                    return Err(Fault::missing(required));
                }
            }
            &[
                "PTZStatus",
                "Events",
                "Analytics",
                "Multicast",
                "SessionTimeout",
            ]
        }
    };
    Ok(Body::Plain(kept_children(wanted, order)))
}

fn changed_encoder(clip: &Clip, now: &Body, wanted: &Node) -> Result<VideoEncoder, Fault> {
    let Body::Video(now) = now else {
        return Err(impossible("Configuration", "no video encoder"));
    };
    let encoding = wanted.text_of("Encoding").unwrap_or_default();
    if encoding != "H264" {
        return Err(impossible("Encoding", encoding));
    }
    let size = wanted.child("Resolution");
    let size = size.ok_or_else(|| Fault::missing("Resolution"))?;
    number(size, "Width", f64::from(clip.width), f64::from(clip.width))?;
    number(
        size,
        "Height",
        f64::from(clip.height),
        f64::from(clip.height),
    )?;
    let mut encoder = VideoEncoder {
        quality: number(wanted, "Quality", QUALITY.0, QUALITY.1)?,
        ..*now
    };
    if let Some(rate) = wanted.child("RateControl") {
        let bitrate = bitrates(clip);
        encoder.frame_rate = number(rate, "FrameRateLimit", 1.0, f64::from(clip.frame_rate))?;
        encoder.bitrate = number(rate, "BitrateLimit", bitrate.0 as f64, bitrate.1 as f64)? as u64;
    }
    let of_h264 = wanted.child("H264");
    let gov_length = of_h264.and_then(|h264| h264.text_of("GovLength"));
    if let Some(text) = wanted.attribute("GovLength").or(gov_length) {
        let (least, most) = GOV_LENGTH;
        let length = text.parse().ok();
        encoder.gov_length = length
            .filter(|length| (least..=most).contains(length))
            .ok_or_else(|| impossible("GovLength", text))?;
    }
    Ok(encoder)
}

fn bitrates(clip: &Clip) -> (u64, u64) {
    // What the clip has is always possible.
    (
        BITRATE.0.min(clip.bit_rate()),
        BITRATE.1.max(clip.bit_rate()),
    )
}

fn check_bounds(clip: &Clip, wanted: &Node) -> Result<(), Fault> {
    let bounds = wanted.child("Bounds");
    let bounds = bounds.ok_or_else(|| Fault::missing("Bounds"))?;
    let side = |name: &str| -> Result<u32, Fault> {
        let text = bounds.attribute(name).unwrap_or_default();
        text.parse().map_err(|_| impossible(name, text))
    };
    let fits = |start: u32, length: u32, whole: u32| {
        let end = start.checked_add(length);
        length >= whole / 2 && end.is_some_and(|end| end <= whole)
    };
    if fits(side("x")?, side("width")?, clip.width)
        && fits(side("y")?, side("height")?, clip.height)
    {
        return Ok(());
    }
    Err(impossible("Bounds", "outside the picture, or too small"))
}

/// The number in a child, if it is in the range.
fn number(node: &Node, name: &str, least: f64, most: f64) -> Result<f64, Fault> {
    let text = node.text_of(name).ok_or_else(|| Fault::missing(name))?;
    let number = text.parse::<f64>().ok();
    number
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| impossible(name, text))
}

fn impossible(name: &str, value: impl Display) -> Fault {
    Fault::invalid_value("ConfigModify", format!("{name}: {value} is not possible"))
}

/// What a configuration of a kind may be set to.
pub(super) fn options(clip: &Clip, kind: Kind, ns: Ns) -> Result<Element, Fault> {
    let options = element(ns, "Options");
    let first = ns == TRT;
    Ok(match kind {
        Kind::VideoSource => {
            let bounds = element(TT, "BoundsRange")
                .child(range("XRange", 0, clip.width / 2))
                .child(range("YRange", 0, clip.height / 2))
                .child(range("WidthRange", clip.width / 2, clip.width))
                .child(range("HeightRange", clip.height / 2, clip.height));
            options
                .attribute("MaximumNumberOfProfiles", MAX_PROFILES)
                .child(bounds)
                .leaf(TT, "VideoSourceTokensAvailable", VIDEO_SOURCE)
        }
        Kind::VideoEncoder if first => {
            let h264 = || {
                element(TT, "H264")
                    .child(resolution(clip, "ResolutionsAvailable"))
                    .child(range("GovLengthRange", GOV_LENGTH.0, GOV_LENGTH.1))
                    .child(range("FrameRateRange", 1, clip.frame_rate))
                    .child(range("EncodingIntervalRange", 1, 1))
                    .leaf(TT, "H264ProfilesSupported", h264_profile(clip))
            };
            let (least, most) = bitrates(clip);
            let with_bitrate = h264().child(range("BitrateRange", least, most));
            options
                .child(range("QualityRange", QUALITY.0, QUALITY.1))
                .child(h264())
                .child(element(TT, "Extension").child(with_bitrate))
        }
        Kind::VideoEncoder => {
            let rates: Vec<String> = (1..=clip.frame_rate).rev().map(|r| r.to_string()).collect();
            let (least, most) = bitrates(clip);
            options
                .attribute(
                    "GovLengthRange",
                    format_args!("{} {}", GOV_LENGTH.0, GOV_LENGTH.1),
                )
                .attribute("FrameRatesSupported", rates.join(" "))
                .attribute("ProfilesSupported", h264_profile(clip))
                .attribute("ConstantBitRateSupported", false)
                .leaf(TT, "Encoding", "H264")
                .child(range("QualityRange", QUALITY.0, QUALITY.1))
                .child(resolution(clip, "ResolutionsAvailable"))
                .child(range("BitrateRange", least, most))
        }
        Kind::AudioSource => options.leaf(TT, "InputTokensAvailable", AUDIO_SOURCE),
        Kind::AudioEncoder if first => options.child(g711(element(TT, "Options"), "G711")),
        Kind::AudioEncoder => g711(options, "PCMU"),
        Kind::AudioOutput => options
            .leaf(TT, "OutputTokensAvailable", AUDIO_OUTPUT)
            .child(range("OutputLevelRange", 0, 100)),
        Kind::AudioDecoder if first => options.child(
            element(TT, "G711DecOptions")
                .child(element(TT, "Bitrate").leaf(TT, "Items", G711.0))
                .child(element(TT, "SampleRateRange").leaf(TT, "Items", G711.1)),
        ),
        Kind::AudioDecoder => g711(options, "PCMU"),
        Kind::Metadata => {
            let ptz = [
                "PanTiltStatusSupported",
                "ZoomStatusSupported",
                "PanTiltPositionSupported",
                "ZoomPositionSupported",
            ];
            let ptz = ptz
                .into_iter()
                .fold(element(TT, "PTZStatusFilterOptions"), |options, name| {
                    options.leaf(TT, name, true)
                });
            options.child(ptz)
        }
        Kind::Analytics | Kind::Ptz => return Err(Fault::not_supported("these options")),
    })
}

fn g711(options: Element, encoding: &str) -> Element {
    options
        .leaf(TT, "Encoding", encoding)
        .child(element(TT, "BitrateList").leaf(TT, "Items", G711.0))
        .child(element(TT, "SampleRateList").leaf(TT, "Items", G711.1))
}
