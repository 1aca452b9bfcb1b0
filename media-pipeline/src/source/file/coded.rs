//! What MP4 and Matroska tell alike about how a track is coded.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use mp4_atom::{Avcc, Hvcc};

use super::invalid;
use crate::{AudioParameters, Codec, Parameters, VideoParameters, h264, h265, parameter_sets};

#[derive(Debug)]
pub(super) struct Coded {
    pub(super) codec: Codec,
    pub(super) parameters: Arc<Parameters>,
    /// Bytes of the length before each NAL unit.
    length_size: usize,
}

impl Coded {
    /// `None` without a readable SPS.
    pub(super) fn h264(avcc: &Avcc) -> Option<Self> {
        let sps = owned(&avcc.sequence_parameter_sets);
        let sets = [sps, owned(&avcc.picture_parameter_sets)].concat();
        let length = avcc.length_size.into();
        Self::nal_units(Codec::H264, sets, length)
    }

    /// `None` without a readable SPS.
    pub(super) fn h265(hvcc: &Hvcc) -> Option<Self> {
        let sets = hvcc.arrays.iter().flat_map(|array| owned(&array.nalus));
        let sets = sets.filter(|set| h265::is_parameter_set(set)).collect();
        let length = usize::from(hvcc.length_size_minus_one & 3) + 1;
        Self::nal_units(Codec::H265, sets, length)
    }

    fn nal_units(codec: Codec, sets: Vec<Bytes>, length_size: usize) -> Option<Self> {
        let video = VideoParameters::from_sets(codec, sets)?;
        Some(Self {
            codec,
            parameters: Arc::new(Parameters::Video(video)),
            length_size,
        })
    }

    pub(super) fn jpeg(width: u32, height: u32) -> Self {
        let video = VideoParameters::of_jpeg(width, height);
        Self::plain(Codec::Jpeg, Parameters::Video(video))
    }

    pub(super) fn sound(codec: Codec, mut sound: AudioParameters) -> Self {
        // MP4 files of ffmpeg have two channels outside of the configuration, whatever there are.
        if let Some(channels) = channels(&sound.config).filter(|_| codec == Codec::Aac) {
            sound.channels = channels;
        }
        Self::plain(codec, Parameters::Audio(sound))
    }

    fn plain(codec: Codec, parameters: Parameters) -> Self {
        Self {
            codec,
            parameters: Arc::new(parameters),
            length_size: 0,
        }
    }

    /// An access unit of a frame as it stands in the file.
    pub(super) fn unit(&self, data: Bytes) -> io::Result<Bytes> {
        match self.codec {
            Codec::H264 | Codec::H265 => self.annex_b(&data),
            _ => Ok(data),
        }
    }

    /// NAL units with start codes instead of lengths, and before key frames the parameter sets.
    fn annex_b(&self, mut data: &[u8]) -> io::Result<Bytes> {
        let mut out = Vec::with_capacity(data.len() + 64);
        while !data.is_empty() {
            let Some((length, rest)) = data.split_at_checked(self.length_size) else {
                return Err(invalid("a NAL unit is cut off"));
            };
            let length = length.iter().fold(0, |n, &b| n << 8 | usize::from(b));
            let Some((nal, rest)) = rest.split_at_checked(length) else {
                return Err(invalid("a NAL unit is cut off"));
            };
            out.extend_from_slice(&[0, 0, 0, 1]);
            out.extend_from_slice(nal);
            data = rest;
        }
        let (key, complete) = match self.codec {
            Codec::H264 => (h264::is_random_access(&out), h264::has_parameter_sets(&out)),
            _ => (h265::is_random_access(&out), h265::has_parameter_sets(&out)),
        };
        if let Some(video) = self.parameters.video().filter(|_| key && !complete) {
            return Ok(parameter_sets::insert(self.codec, &out, &video.sets));
        }
        Ok(out.into())
    }
}

/// Of an AudioSpecificConfig (ISO 14496-3, 1.6.2.1) in its usual form.
fn channels(config: &[u8]) -> Option<u16> {
    let &[first, second, ..] = config else {
        return None;
    };
    let (object, rate) = (first >> 3, (first & 7) << 1 | second >> 7);
    match second >> 3 & 0xf {
        number @ 1..=6 if object != 31 && rate != 15 => Some(number.into()),
        7 if object != 31 && rate != 15 => Some(8),
        _ => None,
    }
}

fn owned(sets: &[Vec<u8>]) -> Vec<Bytes> {
    sets.iter().cloned().map(Bytes::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_of_sound_tells_its_channels() {
        for (config, number) in [
            (&[0x11, 0x88, 0x56][..], Some(1)),
            (&[0x11, 0x90], Some(2)),
            (&[0x11, 0xb8], Some(8)),
            (&[0x11, 0x80], None),
            (&[0xff, 0x90], None),
            (&[0x17, 0x90], None),
            (&[0x11], None),
        ] {
            assert_eq!(channels(config), number, "{config:x?}");
        }
    }
}
