//! The tracks of a clip and their samples, and how containers want them written. Pure.

use std::sync::Arc;

use bytes::Bytes;
use mp4_atom::{Atom as _, Avcc, AvccExt, HvcCArray, Hvcc};

use super::pieces::Pieces;
use crate::{
    AccessUnit, AudioParameters, Codec, Media, Parameters, VideoParameters, check_jpeg, h264, h265,
};

/// Ticks per second of video tracks, as in RTP.
pub(super) const VIDEO_TICKS: u32 = 90_000;

#[derive(Clone, Debug)]
pub(crate) struct Track {
    pub(crate) codec: Codec,
    pub(crate) parameters: Arc<Parameters>,
    /// Ticks per second of its samples' times, as in RTP.
    pub(crate) timescale: u32,
}

/// An access unit in its place in a clip.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// Index among the clip's tracks.
    pub(super) track: usize,
    pub(super) data: Bytes,
    /// When it is to be decoded, in ticks since the clip began. Strictly increasing within a track.
    pub(super) dts: u64,
    /// When it is to be shown. May be before `dts`, because that is not shifted by the depth of reordering.
    pub(super) pts: u64,
    pub(super) duration: u32,
    pub(super) key: bool,
}

impl Track {
    /// The track that a unit belongs to; `None` where too little is known of it for a container, or a media server.
    pub(crate) fn of(unit: &AccessUnit) -> Option<Self> {
        let parameters = match &unit.parameters {
            Some(known) => known.clone(),
            None => Arc::new(Parameters::Video(found(unit)?)),
        };
        let timescale = match (&*parameters, unit.codec.media()) {
            (Parameters::Video(video), Media::Video) => {
                let sets = match unit.codec {
                    Codec::H264 => 2,
                    Codec::H265 => 3,
                    _ => 0,
                };
                (video.sets.len() >= sets).then_some(VIDEO_TICKS)?
            }
            (Parameters::Audio(audio), Media::Audio) => {
                let configured = unit.codec != Codec::Aac || audio.config.len() >= 2;
                (configured && audio.sample_rate > 0).then_some(audio.sample_rate)?
            }
            _ => return None,
        };
        Some(Self {
            codec: unit.codec,
            parameters,
            timescale,
        })
    }

    pub(crate) fn video(&self) -> Option<&VideoParameters> {
        self.parameters.video()
    }

    pub(crate) fn audio(&self) -> Option<&AudioParameters> {
        self.parameters.audio()
    }

    /// A time in ticks as another number of ticks per second.
    pub(super) fn rescale(&self, ticks: u64, timescale: u32) -> u64 {
        let (ticks, from) = (u128::from(ticks), u128::from(self.timescale));
        ((ticks * u128::from(timescale) + from / 2) / from) as u64
    }
}

/// What the unit itself tells of its track.
fn found(unit: &AccessUnit) -> Option<VideoParameters> {
    let is_set = match unit.codec {
        Codec::H264 => h264::is_parameter_set,
        Codec::H265 => h265::is_parameter_set,
        Codec::Jpeg => {
            let (width, height) = check_jpeg(&unit.data).ok()?;
            return Some(VideoParameters::of_jpeg(width, height));
        }
        _ => return None,
    };
    let sets = h264::nal_units(&unit.data)
        .filter(|nal| is_set(nal))
        .map(Bytes::copy_from_slice);
    VideoParameters::from_sets(unit.codec, sets.collect())
}

/// Writes the NAL units of an access unit, each after its length in four bytes, without the parameter sets of the track.
pub(super) fn write_lengths(track: &Track, data: &[u8], out: &mut Vec<u8>) {
    for nal in coded(track, data) {
        out.extend_from_slice(&(nal.len() as u32).to_be_bytes());
        out.extend_from_slice(nal);
    }
}

/// As [`write_lengths`], without copies of large NAL units.
pub(super) fn share_lengths(track: &Track, data: &Bytes, out: &mut Pieces) {
    for nal in coded(track, data) {
        out.make(|own| own.extend_from_slice(&(nal.len() as u32).to_be_bytes()));
        out.share(data.slice_ref(nal));
    }
}

/// The NAL units of an access unit without the parameter sets of the track, which stand in the file's header. Others come
/// between key frames, and must not be lost.
fn coded<'a>(track: &'a Track, data: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let is_set = match track.codec {
        Codec::H264 => h264::is_parameter_set,
        _ => h265::is_parameter_set,
    };
    let sets = track.video().map_or(&[][..], |video| &video.sets);
    h264::nal_units(data).filter(move |nal| !is_set(nal) || sets.iter().all(|set| set != nal))
}

/// AVCDecoderConfigurationRecord (ISO 14496-15 section 5.3.3).
pub(super) fn avcc(video: &VideoParameters) -> Avcc {
    let (sps, pps): (Vec<_>, Vec<_>) = video.sets.iter().partition(|set| h264::is_sps(set));
    let header = |index: usize| sps.first().and_then(|s| s.get(index)).copied();
    let known = sps.first().and_then(|sps| h264::Sps::parse(sps));
    // Only the profiles with more than 8 bits or other than 4:2:0 have the extension.
    let high = matches!(header(1), Some(100 | 110 | 122 | 144));
    let ext = known.filter(|_| high).map(|sps| AvccExt {
        chroma_format: sps.chroma_format as u8,
        bit_depth_luma: sps.bit_depth as u8,
        bit_depth_chroma: sps.bit_depth as u8,
        sequence_parameter_sets_ext: Vec::new(),
    });
    Avcc {
        configuration_version: 1,
        avc_profile_indication: header(1).unwrap_or_default(),
        profile_compatibility: header(2).unwrap_or_default(),
        avc_level_indication: header(3).unwrap_or_default(),
        length_size: 4,
        sequence_parameter_sets: sps.iter().map(|set| set.to_vec()).collect(),
        picture_parameter_sets: pps.iter().map(|set| set.to_vec()).collect(),
        ext,
    }
}

/// HEVCDecoderConfigurationRecord (ISO 14496-15 section 8.3.3).
pub(super) fn hvcc(video: &VideoParameters) -> Hvcc {
    let sps = video
        .sets
        .iter()
        .filter(|set| h265::is_sps(set))
        .find_map(|set| h265::Sps::parse(set));
    let mut arrays: Vec<HvcCArray> = Vec::new();
    for set in &video.sets {
        let kind = h265::nal_type(set).unwrap_or_default();
        match arrays.iter_mut().find(|array| array.nal_unit_type == kind) {
            Some(array) => array.nalus.push(set.to_vec()),
            None => arrays.push(HvcCArray {
                completeness: true,
                nal_unit_type: kind,
                nalus: vec![set.to_vec()],
            }),
        }
    }
    let mut record = Hvcc {
        configuration_version: 1,
        length_size_minus_one: 3,
        arrays,
        ..Hvcc::default()
    };
    if let Some(sps) = sps {
        let [profile, c0, c1, c2, c3, i0, i1, i2, i3, i4, i5, level] = sps.profile_tier_level;
        record.general_profile_space = profile >> 6;
        record.general_tier_flag = profile & 0x20 != 0;
        record.general_profile_idc = profile & 0x1f;
        record.general_profile_compatibility_flags = [c0, c1, c2, c3];
        record.general_constraint_indicator_flags = [i0, i1, i2, i3, i4, i5];
        record.general_level_idc = level;
        record.chroma_format_idc = sps.chroma_format as u8;
        record.bit_depth_luma_minus8 = (sps.luma_depth - 8) as u8;
        record.bit_depth_chroma_minus8 = (sps.chroma_depth - 8) as u8;
        record.num_temporal_layers = sps.sub_layers as u8;
        record.temporal_id_nested = sps.temporal_id_nesting;
    }
    record
}

/// The decoder configuration of a track, as MP4, Matroska and FLV hold it. Empty for JPEG and G.711.
pub(super) fn configuration(track: &Track) -> Vec<u8> {
    let mut record = Vec::new();
    let written = match (&*track.parameters, track.codec) {
        (Parameters::Video(video), Codec::H264) => avcc(video).encode_body(&mut record),
        (Parameters::Video(video), Codec::H265) => hvcc(video).encode_body(&mut record),
        (Parameters::Audio(audio), Codec::Aac) => {
            record.extend_from_slice(&audio.config);
            Ok(())
        }
        _ => Ok(()),
    };
    debug_assert!(written.is_ok(), "{written:?}");
    record
}

/// The header of seven bytes that makes a raw AAC frame one of ADTS (ISO 13818-7 section 6.2).
pub(super) fn adts(audio: &AudioParameters, length: usize) -> [u8; 7] {
    let (first, second) = match audio.config[..] {
        [first, second, ..] => (first, second),
        _ => (0x12, 0x10),
    };
    // ADTS knows the first four object types; SBR says its own base, AAC LC, implicitly.
    let object_type = (first >> 3).clamp(1, 4) - 1;
    let object_type = if first >> 3 > 4 { 1 } else { object_type };
    let frequency = (first & 7) << 1 | second >> 7;
    let channels = second >> 3 & 0xf;
    let length = (length + 7) as u32;
    [
        0xff,
        0xf1,
        object_type << 6 | frequency << 2 | channels >> 2,
        (channels & 3) << 6 | (length >> 11) as u8 & 3,
        (length >> 3) as u8,
        (length as u8 & 7) << 5 | 0x1f,
        0xfc,
    ]
}

/// WAVEFORMATEX: how AVI, and Matroska for what it has no name for, describe sound.
pub(super) fn wave_format(track: &Track) -> Vec<u8> {
    let Some(audio) = track.audio() else {
        return Vec::new();
    };
    let (tag, bits, config): (u16, u16, &[u8]) = match track.codec {
        Codec::Aac => (0x00ff, 16, &audio.config),
        Codec::Pcma => (6, 8, &[]),
        _ => (7, 8, &[]),
    };
    let block: u16 = if config.is_empty() { audio.channels } else { 1 };
    let bytes = if config.is_empty() {
        audio.sample_rate.saturating_mul(audio.channels.into())
    } else {
        16_000
    };
    let mut out = Vec::new();
    out.extend_from_slice(&tag.to_le_bytes());
    out.extend_from_slice(&audio.channels.to_le_bytes());
    out.extend_from_slice(&audio.sample_rate.to_le_bytes());
    out.extend_from_slice(&bytes.to_le_bytes());
    out.extend_from_slice(&block.to_le_bytes());
    out.extend_from_slice(&bits.to_le_bytes());
    out.extend_from_slice(&(config.len() as u16).to_le_bytes());
    out.extend_from_slice(config);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(codec: Codec, sets: &[&'static [u8]]) -> Track {
        let video = VideoParameters {
            width: 16,
            height: 16,
            sets: sets.iter().map(|set| Bytes::from_static(set)).collect(),
        };
        Track {
            codec,
            parameters: Arc::new(Parameters::Video(video)),
            timescale: VIDEO_TICKS,
        }
    }

    #[test]
    fn lengths_replace_start_codes_and_only_the_sets_of_the_header_go() {
        let data = [
            0, 0, 0, 1, 0x09, 0x10, 0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 1, 0x68, 5, 0, 0,
            1, 0x65, 3, 4,
        ];
        let track = track(Codec::H264, &[&[0x67, 1], &[0x68, 2]]);
        let mut out = Vec::new();
        write_lengths(&track, &data, &mut out);
        let want = [
            0, 0, 0, 2, 0x09, 0x10, 0, 0, 0, 2, 0x68, 5, 0, 0, 0, 3, 0x65, 3, 4,
        ];
        assert_eq!(out, want);
        let mut shared = Pieces::default();
        share_lengths(&track, &Bytes::copy_from_slice(&data), &mut shared);
        assert_eq!(shared.to_vec(), out);
    }

    #[test]
    fn sets_of_one_kind_share_an_array() {
        let (vps, sps, one, two) = (
            &[0x40, 1][..],
            &[0x42, 1][..],
            &[0x44, 1][..],
            &[0x44, 2][..],
        );
        let track = track(Codec::H265, &[vps, sps, one, two]);
        let record = hvcc(track.video().unwrap());
        let arrays = record.arrays.iter();
        let arrays: Vec<_> = arrays.map(|a| (a.nal_unit_type, a.nalus.len())).collect();
        assert_eq!(arrays, [(32, 1), (33, 1), (34, 2)]);
    }

    #[test]
    fn an_adts_header_repeats_the_configuration() {
        // AAC LC, 16 kHz, one channel.
        let audio = AudioParameters::new(16_000, 1, Bytes::from_static(&[0x14, 0x08]));
        assert_eq!(adts(&audio, 93), [0xff, 0xf1, 0x60, 0x40, 0x0c, 0x9f, 0xfc]);
    }

    #[test]
    fn times_are_rounded_to_the_nearest_tick() {
        let track = track(Codec::Jpeg, &[]);
        assert_eq!(track.rescale(3_600, 1_000), 40);
        assert_eq!(track.rescale(3_003, 1_000), 33);
        assert_eq!(
            track.rescale(u64::from(u32::MAX) * 1_000, 1_000),
            47_721_858_833
        );
    }
}
