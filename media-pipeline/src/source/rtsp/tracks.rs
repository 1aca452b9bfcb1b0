//! Which tracks of a session description are read, and what is known of them.

use retina::client::Stream;
use retina::codec::{ParametersRef, VideoParametersCodec};

use super::Tracks;
use crate::{AudioParameters, Codec, Media, Parameters, VideoParameters};

/// The tracks to ask for, by their index; the first video track comes first.
pub(super) fn choose(streams: &[Stream], tracks: Tracks) -> Vec<(usize, Codec)> {
    let known = streams
        .iter()
        .enumerate()
        .filter_map(|(index, stream)| Some((index, codec(stream)?)));
    let mut known: Vec<_> = known.collect();
    known.sort_by_key(|(_, codec)| codec.media() != Media::Video);
    let first_video = known
        .first()
        .filter(|(_, codec)| codec.media() == Media::Video)
        .map(|(index, _)| *index);
    known.retain(|(index, codec)| match (codec.media(), tracks) {
        (Media::Video, _) => Some(*index) == first_video,
        (_, Tracks::Video) => false,
        (media, Tracks::VideoAndAudio) => media == Media::Audio && first_video.is_some(),
        (_, Tracks::All) => true,
    });
    known
}

fn codec(stream: &Stream) -> Option<Codec> {
    match (stream.media(), stream.encoding_name()) {
        ("video", "h264") => Some(Codec::H264),
        ("video", "h265") => Some(Codec::H265),
        ("video", "jpeg") => Some(Codec::Jpeg),
        // Without its configuration nothing can be done with AAC.
        ("audio", "mpeg4-generic") => stream.parameters().map(|_| Codec::Aac),
        ("audio", "pcmu") => Some(Codec::Pcmu),
        ("audio", "pcma") => Some(Codec::Pcma),
        ("application", "vnd.onvif.metadata") => Some(Codec::OnvifMetadata),
        _ => None,
    }
}

/// What the camera offers, for an error.
pub(super) fn offered(streams: &[Stream]) -> String {
    let names: Vec<_> = streams
        .iter()
        .take(8)
        .map(|stream| format!("{}/{}", stream.media(), stream.encoding_name()))
        .collect();
    if names.is_empty() {
        "nothing".into()
    } else {
        names.join(", ")
    }
}

pub(super) fn parameters(stream: &Stream) -> Option<Parameters> {
    match stream.parameters()? {
        ParametersRef::Video(video) => {
            let (width, height) = video.pixel_dimensions();
            let sets = match video.codec_params() {
                VideoParametersCodec::H264 { sps, pps } => vec![sps.clone(), pps.clone()],
                VideoParametersCodec::H265 { vps, sps, pps } => {
                    vec![vps.clone(), sps.clone(), pps.clone()]
                }
                _ => Vec::new(),
            };
            Some(Parameters::Video(VideoParameters {
                width,
                height,
                sets,
            }))
        }
        ParametersRef::Audio(audio) => Some(Parameters::Audio(AudioParameters::new(
            audio.clock_rate(),
            audio.channels().get(),
            audio.extra_data().to_vec().into(),
        ))),
        ParametersRef::Message(_) => None,
    }
}
