//! What every container does with the samples of a clip. Pure: bytes come out, and patches of those that came before.

use std::time::{Duration, SystemTime};

use super::container::Container;
use super::pieces::Pieces;
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
    fn write(&mut self, samples: &[Sample], out: &mut Pieces);

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

    fn write(&mut self, samples: &[Sample], out: &mut Pieces) {
        for sample in samples.iter().filter(|sample| sample.track == 0) {
            out.share(sample.data.clone());
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use proptest::prelude::*;

    use super::super::assembly::{Assembly, Taken};
    use super::*;
    use crate::{AccessUnit, AudioParameters, Parameters, TimeOrigin, VideoParameters};

    /// What a camera may send: of any track, at any time, of any content.
    #[derive(Clone, Debug)]
    struct Sent {
        codec: Codec,
        track: u16,
        key: bool,
        millis: u64,
        data: Vec<u8>,
    }

    prop_compose! {
        fn sent(video: Codec)(
            kind in 0u16..6,
            key in any::<bool>(),
            millis in 0u64..20_000,
            jump in prop::bool::weighted(0.05),
            data in prop::collection::vec(prop_oneof![Just(0u8), Just(1u8), any::<u8>()], 0..40),
        ) -> Sent {
            let codec = match kind {
                0 => Codec::Pcma,
                1 => Codec::Aac,
                _ => video,
            };
            let millis = if jump { millis * 1_000_000 } else { millis };
            Sent { codec, track: kind.min(2), key, millis, data }
        }
    }

    fn unit(sent: &Sent) -> AccessUnit {
        let wall = WallClock {
            time: SystemTime::UNIX_EPOCH,
            origin: TimeOrigin::Receipt,
        };
        let pts = Duration::from_millis(sent.millis);
        let mut unit = AccessUnit::new(sent.codec, sent.data.clone().into(), pts, wall);
        unit.track = sent.track;
        unit.random_access = sent.key;
        unit.parameters = Some(Arc::new(match sent.codec {
            Codec::Pcma => Parameters::Audio(AudioParameters::new(8_000, 1, Bytes::new())),
            Codec::Aac => {
                let config = Bytes::from_static(&[0x14, 0x08]);
                Parameters::Audio(AudioParameters::new(16_000, 1, config))
            }
            _ => {
                let mut video = VideoParameters::of_jpeg(64, 48);
                let nals: [&'static [u8]; 3] = [&[0x40, 1], &[0x42, 1, 1], &[0x44, 1, 0xc1]];
                video.sets = nals.map(Bytes::from_static).to_vec();
                Parameters::Video(video)
            }
        }));
        unit
    }

    const CONTAINERS: [Container; 8] = [
        Container::Mp4,
        Container::PlainMp4,
        Container::Mkv,
        Container::Avi,
        Container::Flv,
        Container::Mts,
        Container::Mpeg,
        Container::Mjpeg,
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whatever_is_sent_becomes_a_clip_with_ascending_times(
            container in prop::sample::select(&CONTAINERS[..]),
            stream in prop_oneof![Just(Codec::H264), Just(Codec::H265), Just(Codec::Jpeg)]
                .prop_flat_map(|codec| prop::collection::vec(sent(codec), 0..120)),
        ) {
            let mut clip: Option<Assembly> = None;
            let mut samples = Vec::new();
            let (mut fragments, mut file) = (Vec::new(), Vec::new());
            for unit in stream.iter().map(unit) {
                let Some(assembly) = &mut clip else {
                    let second = Duration::from_secs(1);
                    clip = Assembly::begin(&unit, container, true, second).unwrap_or_default();
                    continue;
                };
                if assembly.push(&unit) != Taken::Kept {
                    break;
                }
                fragments.extend(assembly.fragment());
            }
            if let Some(mut assembly) = clip {
                fragments.push(assembly.finish(None));
                let tracks: Vec<_> = assembly.tracks().cloned().collect();
                let about = About {
                    start: assembly.wall(),
                    requested: Duration::from_secs(1),
                    delay: delay(&fragments[0]),
                };
                let mut muxer = muxer(container, tracks.clone(), about);
                muxer.header(&mut file);
                for fragment in &fragments {
                    let mut pieces = Pieces::default();
                    muxer.write(fragment, &mut pieces);
                    prop_assert_eq!(pieces.len(), pieces.to_vec().len());
                    file.extend(pieces.to_vec());
                    samples.extend(fragment.iter().cloned());
                }
                for patch in muxer.finish(&mut file) {
                    prop_assert!(patch.at as usize + patch.bytes.len() <= file.len());
                }
                let sent: usize = samples.iter().map(|sample| sample.data.len()).sum();
                prop_assert!(file.len() <= sent * 2 + (samples.len() + 4) * 2_000);
                for track in 0..tracks.len() {
                    let times = samples.iter().filter(|s| s.track == track).map(|s| s.dts);
                    prop_assert!(times.collect::<Vec<_>>().is_sorted_by(|a, b| a < b));
                }
            }
        }
    }
}
