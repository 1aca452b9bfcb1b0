//! Configurations, as both Media services read, write and limit them.

use std::fmt::Display;

use super::kept::kept_children;
use super::profiles::{
    AUDIO_OUTPUT, AUDIO_SOURCE, VIDEO_SOURCE, no_configuration, tell_configuration,
};
use super::{Call, analytics, encoders, ptz, range};
use crate::clip::{Clip, Codec};
use crate::media::{Body, Configuration, Kind, MAX_PROFILES, Media};
use crate::soap::Fault;
use crate::state::lock;
use crate::xml::{Element, Node, Ns, TRT, TT, element};

/// Thousands of bits per second, and of samples, of what is played back.
const G711: (u32, u32) = (64, 8);

/// Whether the service with the namespace `service` has a word for the configuration: the first Media service has none for
/// H.265.
pub(super) fn is_shown(configuration: &Configuration, service: Ns) -> bool {
    let codec = match &configuration.body {
        Body::Video(encoder) => encoder.codec,
        _ => return true,
    };
    service != TRT || codec != Codec::H265
}

/// A configuration as the service with the namespace `service` shows it, under a name.
pub(super) fn show(
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
        shown = encoders::attributes(shown, encoder);
    }
    let shown =
        shown
            .leaf(TT, "Name", &configuration.name)
            .leaf(TT, "UseCount", media.uses(kind, token));
    match &configuration.body {
        Body::Plain(content) => shown.children(content.iter().cloned()),
        Body::Analytics => shown.children(analytics::engines(media)),
        Body::Audio(codec) => encoders::show_audio(*codec, service, media.multicast, shown),
        Body::Video(encoder) => encoders::show_video(encoder, service, media.multicast, shown),
    }
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
        Kind::VideoEncoder => return encoders::changed_video(now, wanted).map(Body::Video),
        Kind::AudioEncoder => return encoders::changed_audio(wanted).map(Body::Audio),
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
pub(super) fn number(node: &Node, name: &str, least: f64, most: f64) -> Result<f64, Fault> {
    let text = node.text_of(name).ok_or_else(|| Fault::missing(name))?;
    let number = text.parse::<f64>().ok();
    number
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| impossible(name, text))
}

pub(super) fn impossible(name: &str, value: impl Display) -> Fault {
    Fault::invalid_value("ConfigModify", format!("{name}: {value} is not possible"))
}

/// What a configuration of a kind may be set to.
pub(super) fn options(clip: &Clip, kind: Kind, ns: Ns) -> Result<Vec<Element>, Fault> {
    let options = element(ns, "Options");
    let first = ns == TRT;
    let options = match kind {
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
        Kind::VideoEncoder if first => encoders::video_options(options),
        Kind::VideoEncoder => return Ok(encoders::video2_options(ns)),
        Kind::AudioSource => options.leaf(TT, "InputTokensAvailable", AUDIO_SOURCE),
        Kind::AudioEncoder if first => {
            options.children(encoders::audio_options(TT, "Options", true))
        }
        Kind::AudioEncoder => return Ok(encoders::audio_options(ns, "Options", false)),
        Kind::AudioOutput => options
            .leaf(TT, "OutputTokensAvailable", AUDIO_OUTPUT)
            .child(range("OutputLevelRange", 0, 100)),
        Kind::AudioDecoder if first => options.child(
            element(TT, "G711DecOptions")
                .child(element(TT, "Bitrate").leaf(TT, "Items", G711.0))
                .child(element(TT, "SampleRateRange").leaf(TT, "Items", G711.1)),
        ),
        Kind::AudioDecoder => encoders::audio_option(options, "PCMU", Codec::Pcmu),
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
    };
    Ok(vec![options])
}
