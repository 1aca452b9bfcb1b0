//! What every container does with the samples of a clip. Pure: bytes come out, and patches of those that came before.

use std::time::{Duration, SystemTime};

use super::container::Container;
use super::track::{Sample, Track};
use super::{avi, flv, mkv, mp4, mpeg};
use crate::{Codec, WallClock};

/// A clip's metadata.
#[derive(Clone, Debug)]
pub(super) struct About {
    /// When the first picture was taken.
    pub(super) start: WallClock,
    /// How long the clip was to be.
    pub(super) requested: Duration,
    /// Longest time, in ticks of the video track, by which a picture of the first fragment is shown before the time at
    /// which it is decoded: containers without such times put off all others by it.
    pub(super) delay: u64,
}

/// Bytes that replace those at an offset of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Patch {
    pub(super) at: u64,
    pub(super) bytes: Vec<u8>,
}

/// Writes the samples of a clip as one kind of file.
pub(super) trait Muxer: Send {
    /// What stands before all samples.
    fn header(&mut self, out: &mut Vec<u8>);

    /// The next samples, in the order of decoding.
    fn write(&mut self, samples: &[Sample], out: &mut Vec<u8>);

    /// What stands after all samples, and what is to be changed of what was written before.
    fn finish(&mut self, out: &mut Vec<u8>) -> Vec<Patch>;
}

/// The muxer for a container. The first track is the video track.
pub(super) fn muxer(container: Container, tracks: Vec<Track>, about: About) -> Box<dyn Muxer> {
    match container {
        Container::Mp4 => Box::new(mp4::Fragmented::new(tracks, about)),
        Container::PlainMp4 => Box::new(mp4::Plain::new(tracks, about)),
        Container::Mkv | Container::Webm => Box::new(mkv::Matroska::new(tracks, about)),
        Container::Avi => Box::new(avi::Avi::new(tracks, about)),
        Container::Flv => Box::new(flv::Flv::new(tracks, about)),
        Container::Mts => Box::new(mpeg::TransportStream::new(tracks, about)),
        Container::Mpeg => Box::new(mpeg::ProgramStream::new(tracks, about)),
        Container::Mjpeg => Box::new(Concatenated),
    }
}

impl About {
    /// What a player shows as description.
    pub(super) fn text(&self) -> String {
        let start = jiff::Timestamp::try_from(self.start.time).unwrap_or_default();
        let asked = self.requested.as_secs_f64();
        format!("{asked} s requested from {start:.3}")
    }

    /// Seconds since an epoch, given as seconds before that of Unix.
    pub(super) fn seconds_since(&self, before_unix: u64) -> u64 {
        let unix = self.start.time.duration_since(SystemTime::UNIX_EPOCH);
        unix.map_or(0, |since| since.as_secs() + before_unix)
    }
}

/// The delay of [`About::delay`] for these first samples.
pub(super) fn delay(samples: &[Sample]) -> u64 {
    let pictures = samples.iter().filter(|sample| sample.track == 0);
    pictures
        .map(|sample| sample.dts.saturating_sub(sample.pts))
        .max()
        .unwrap_or_default()
}

/// One picture after the other, nothing else.
struct Concatenated;

impl Muxer for Concatenated {
    fn header(&mut self, _: &mut Vec<u8>) {}

    fn write(&mut self, samples: &[Sample], out: &mut Vec<u8>) {
        for sample in samples.iter().filter(|sample| sample.track == 0) {
            out.extend_from_slice(&sample.data);
        }
    }

    fn finish(&mut self, _: &mut Vec<u8>) -> Vec<Patch> {
        Vec::new()
    }
}

/// Whether the codec's data are NAL units.
pub(super) fn has_nal_units(codec: Codec) -> bool {
    matches!(codec, Codec::H264 | Codec::H265)
}
