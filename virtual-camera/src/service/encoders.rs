//! Encoders of video and sound, as both Media services read, write and limit them.

use std::net::SocketAddrV4;

use super::configurations::{impossible, number};
use super::profiles::{multicast, resolution};
use super::range;
use crate::clip::{Clip, Codec};
use crate::media::{Body, VideoEncoder};
use crate::soap::Fault;
use crate::xml::{Element, Node, Ns, TRT, TT, element};

const VIDEO: [Codec; 3] = [Codec::H264, Codec::H265, Codec::Jpeg];
const AUDIO: [Codec; 2] = [Codec::Pcmu, Codec::Aac];
const QUALITY: (f64, f64) = (1.0, 10.0);
/// Thousands of bits per second.
const BITRATE: (u64, u64) = (32, 8192);
const GOV_LENGTH: (u64, u64) = (1, 300);

/// The word for a codec in the service, where it has one.
fn encoding(codec: Codec, first: bool) -> Option<&'static str> {
    match (codec, first) {
        (Codec::H264, _) => Some("H264"),
        (Codec::H265, true) => None,
        (Codec::H265, false) => Some("H265"),
        (Codec::Jpeg, _) => Some("JPEG"),
        (Codec::Pcmu, true) => Some("G711"),
        (Codec::Pcmu, false) => Some("PCMU"),
        (Codec::Aac, true) => Some("AAC"),
        (Codec::Aac, false) => Some("mpeg4-generic"),
    }
}

/// The codec of a word of either service; the second has two for AAC.
fn codec_of(word: &str, of: &[Codec]) -> Option<Codec> {
    let mut codecs = of.iter().copied();
    codecs.find(|codec| {
        let names = [encoding(*codec, true), encoding(*codec, false)];
        names.contains(&Some(word)) || (*codec == Codec::Aac && word == "MP4A-LATM")
    })
}

/// The words for all video that the service knows.
pub(super) fn video_encodings(ns: Ns) -> impl Iterator<Item = &'static str> {
    VIDEO
        .into_iter()
        .filter_map(move |codec| encoding(codec, ns == TRT))
}

/// The profile that the parameter sets of the clip name (ITU-T H.264, Annex A; ITU-T H.265, Annex A).
fn profile(clip: &Clip) -> Option<&'static str> {
    match clip.codec {
        Codec::H264 => Some(match clip.parameters().first().and_then(|sps| sps.get(1)) {
            Some(66) => "Baseline",
            Some(77) => "Main",
            Some(88) => "Extended",
            _ => "High",
        }),
        Codec::H265 => Some("Main"),
        _ => None,
    }
}

/// What the second Media service writes as attributes of a video encoder.
pub(super) fn attributes(shown: Element, encoder: &VideoEncoder) -> Element {
    match profile(&Clip::of(encoder.codec)) {
        Some(profile) => shown
            .attribute("GovLength", encoder.gov_length)
            .attribute("Profile", profile),
        None => shown,
    }
}

pub(super) fn show_video(
    encoder: &VideoEncoder,
    service: Ns,
    group: Option<SocketAddrV4>,
    shown: Element,
) -> Element {
    let first = service == TRT;
    let clip = Clip::of(encoder.codec);
    let shown = shown
        .leaf(
            TT,
            "Encoding",
            encoding(encoder.codec, first).unwrap_or("H264"),
        )
        .child(resolution(&clip, "Resolution"));
    let rate = element(TT, "RateControl");
    if !first {
        let rate = rate
            .attribute("ConstantBitRate", false)
            .leaf(TT, "FrameRateLimit", encoder.frame_rate)
            .leaf(TT, "BitrateLimit", encoder.bitrate);
        return shown
            .child(rate)
            .child(multicast(group))
            .leaf(TT, "Quality", encoder.quality);
    }
    let rate = rate
        .leaf(TT, "FrameRateLimit", encoder.frame_rate)
        .leaf(TT, "EncodingInterval", 1)
        .leaf(TT, "BitrateLimit", encoder.bitrate);
    let h264 = profile(&clip).map(|profile| {
        element(TT, "H264")
            .leaf(TT, "GovLength", encoder.gov_length)
            .leaf(TT, "H264Profile", profile)
    });
    shown
        .leaf(TT, "Quality", encoder.quality)
        .child(rate)
        .children(h264)
        .child(multicast(group))
        .leaf(TT, "SessionTimeout", "PT60S")
}

pub(super) fn show_audio(
    codec: Codec,
    service: Ns,
    group: Option<SocketAddrV4>,
    shown: Element,
) -> Element {
    let first = service == TRT;
    let (bitrate, samples) = rates(codec);
    let shown = shown.leaf(TT, "Encoding", encoding(codec, first).unwrap_or_default());
    if first {
        return shown
            .leaf(TT, "Bitrate", bitrate)
            .leaf(TT, "SampleRate", samples)
            .child(multicast(group))
            .leaf(TT, "SessionTimeout", "PT60S");
    }
    shown
        .child(multicast(group))
        .leaf(TT, "Bitrate", bitrate)
        .leaf(TT, "SampleRate", samples)
}

/// What a video encoder is after it was set.
pub(super) fn changed_video(now: &Body, wanted: &Node) -> Result<VideoEncoder, Fault> {
    let Body::Video(now) = now else {
        return Err(impossible("Configuration", "no video encoder"));
    };
    let word = wanted.text_of("Encoding").unwrap_or_default();
    let codec = codec_of(word, &VIDEO).ok_or_else(|| impossible("Encoding", word))?;
    let clip = Clip::of(codec);
    let mut encoder = if codec == now.codec {
        *now
    } else {
        VideoEncoder::of(&clip)
    };
    let size = wanted.child("Resolution");
    let size = size.ok_or_else(|| Fault::missing("Resolution"))?;
    number(size, "Width", f64::from(clip.width), f64::from(clip.width))?;
    let height = f64::from(clip.height);
    number(size, "Height", height, height)?;
    encoder.quality = number(wanted, "Quality", QUALITY.0, QUALITY.1)?;
    if let Some(rate) = wanted.child("RateControl") {
        let bitrate = bitrates(&clip);
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

/// What an audio encoder is after it was set.
pub(super) fn changed_audio(wanted: &Node) -> Result<Codec, Fault> {
    let word = wanted.text_of("Encoding").unwrap_or_default();
    let codec = codec_of(word, &AUDIO).ok_or_else(|| impossible("Encoding", word))?;
    let (bitrate, samples) = rates(codec);
    let (bitrate, samples) = (bitrate as f64, f64::from(samples));
    number(wanted, "Bitrate", bitrate, bitrate)?;
    number(wanted, "SampleRate", samples, samples)?;
    Ok(codec)
}

/// What a video encoder may be set to, in the first Media service.
pub(super) fn video_options(options: Element) -> Element {
    let kinds = |with_bitrate: bool| {
        [("JPEG", Codec::Jpeg), ("H264", Codec::H264)].map(|(name, codec)| {
            let clip = Clip::of(codec);
            let options = element(TT, name).child(resolution(&clip, "ResolutionsAvailable"));
            let gov = profile(&clip).map(|_| range("GovLengthRange", GOV_LENGTH.0, GOV_LENGTH.1));
            let options = options
                .children(gov)
                .child(range("FrameRateRange", 1, clip.frame_rate))
                .child(range("EncodingIntervalRange", 1, 1));
            let options = match profile(&clip) {
                Some(profile) => options.leaf(TT, "H264ProfilesSupported", profile),
                None => options,
            };
            let (least, most) = bitrates(&clip);
            options.children(with_bitrate.then(|| range("BitrateRange", least, most)))
        })
    };
    options
        .child(range("QualityRange", QUALITY.0, QUALITY.1))
        .children(kinds(false))
        .child(element(TT, "Extension").children(kinds(true)))
}

/// What a video encoder may be set to, in the second Media service.
pub(super) fn video2_options(ns: Ns) -> Vec<Element> {
    let codecs = VIDEO.into_iter();
    let options = codecs.map(|codec| {
        let clip = Clip::of(codec);
        let rates: Vec<String> = (1..=clip.frame_rate).rev().map(|r| r.to_string()).collect();
        let (least, most) = bitrates(&clip);
        let mut options = element(ns, "Options");
        if let Some(profile) = profile(&clip) {
            let gov = format_args!("{} {}", GOV_LENGTH.0, GOV_LENGTH.1).to_string();
            options = options
                .attribute("GovLengthRange", gov)
                .attribute("ProfilesSupported", profile);
        }
        options
            .attribute("FrameRatesSupported", rates.join(" "))
            .attribute("ConstantBitRateSupported", false)
            .leaf(TT, "Encoding", encoding(codec, false).unwrap_or_default())
            .child(range("QualityRange", QUALITY.0, QUALITY.1))
            .child(resolution(&clip, "ResolutionsAvailable"))
            .child(range("BitrateRange", least, most))
    });
    options.collect()
}

/// What an audio encoder may be set to.
pub(super) fn audio_options(ns: Ns, name: &'static str, first: bool) -> Vec<Element> {
    let codecs = AUDIO.into_iter();
    let options = codecs.map(|codec| {
        let word = encoding(codec, first).unwrap_or_default();
        audio_option(element(ns, name), word, codec)
    });
    options.collect()
}

pub(super) fn audio_option(options: Element, encoding: &str, codec: Codec) -> Element {
    let (bitrate, samples) = rates(codec);
    options
        .leaf(TT, "Encoding", encoding)
        .child(element(TT, "BitrateList").leaf(TT, "Items", bitrate))
        .child(element(TT, "SampleRateList").leaf(TT, "Items", samples))
}

/// Thousands of bits per second, and of samples: those of the clip, there are no others.
fn rates(codec: Codec) -> (u64, u32) {
    let clip = Clip::of(codec);
    (clip.bit_rate(), clip.pace.clock_rate / 1000)
}

fn bitrates(clip: &Clip) -> (u64, u64) {
    // What the clip has is always possible.
    (
        BITRATE.0.min(clip.bit_rate()),
        BITRATE.1.max(clip.bit_rate()),
    )
}
