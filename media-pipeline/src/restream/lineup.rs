//! What is to be announced: the tracks of a stream, as its units show them. Pure.

use std::time::Duration;

use super::payload;
use crate::clip::Track;
use crate::{AccessUnit, Codec, Error, Media};

/// Sound that has not come after so much media time is not there.
const COMPLETE: Duration = Duration::from_secs(1);
/// Nor is it after so many bytes.
const MOST_BYTES: usize = 8 << 20;
/// More tracks are sent by no camera.
const MOST_TRACKS: usize = 8;

/// The tracks of a stream, and the units that showed them.
#[derive(Debug)]
pub(super) struct Lineup {
    audio: bool,
    /// The number of each in the source's session, the leading one first.
    pub(super) numbers: Vec<u16>,
    pub(super) tracks: Vec<Track>,
    pub(super) held: Vec<AccessUnit>,
    bytes: usize,
    complete: bool,
}

impl Lineup {
    pub(super) fn new(audio: bool) -> Self {
        Self {
            audio,
            numbers: Vec::new(),
            tracks: Vec::new(),
            held: Vec::new(),
            bytes: 0,
            complete: false,
        }
    }

    /// # Errors
    /// [`Error::Payload`] where the stream cannot be sent as it is coded.
    pub(super) fn push(&mut self, unit: AccessUnit) -> Result<(), Error> {
        let known = self.numbers.contains(&unit.track);
        if !known && (!self.wants(&unit) || !self.add(&unit)?) {
            return Ok(());
        }
        self.bytes += unit.data.len();
        let first = self.held.first().map_or(unit.pts, |first| first.pts);
        self.complete =
            !self.audio || unit.pts >= first.saturating_add(COMPLETE) || self.bytes > MOST_BYTES;
        self.held.push(unit);
        Ok(())
    }

    /// Something is missing after the units so far: what comes next is another beginning.
    pub(super) fn gap(&mut self) {
        *self = Self::new(self.audio);
    }

    /// Whether more is not to be waited for.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether there is anything to announce.
    pub(super) fn is_empty(&self) -> bool {
        self.tracks.is_empty()
    }

    /// Whether this unit of a track that was announced tells that the announcement is wrong. Parameter sets of video are sent
    /// along with it; everything else is only in the description.
    pub(super) fn is_outdated_by(&mut self, index: usize, unit: &AccessUnit) -> bool {
        let track = &mut self.tracks[index];
        let Some(parameters) = &unit.parameters else {
            return false;
        };
        if std::sync::Arc::ptr_eq(parameters, &track.parameters) {
            return false;
        }
        let media = unit.codec.media();
        let same =
            unit.codec == track.codec && (media == Media::Video || *parameters == track.parameters);
        track.parameters = parameters.clone();
        !same
    }

    fn wants(&self, unit: &AccessUnit) -> bool {
        match unit.codec.media() {
            Media::Metadata => false,
            // What the first unit is of leads, and it begins where reading can begin.
            _ if self.tracks.is_empty() => unit.random_access,
            Media::Video => false,
            Media::Audio => self.audio && self.tracks.len() < MOST_TRACKS,
        }
    }

    fn add(&mut self, unit: &AccessUnit) -> Result<bool, Error> {
        if unit.codec == Codec::Jpeg {
            payload::cut(unit, &mut |_| ())?;
        }
        let Some(track) = Track::of(unit) else {
            return Ok(false);
        };
        self.numbers.push(unit.track);
        self.tracks.push(track);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::{AudioParameters, Parameters, VideoParameters, WallClock};

    fn picture(millis: u64, key: bool) -> AccessUnit {
        let data: &[u8] = if key {
            &[0, 0, 1, 0x65, 1]
        } else {
            &[0, 0, 1, 0x41, 1]
        };
        let pts = Duration::from_millis(millis);
        let mut unit = AccessUnit::new(Codec::H264, data.into(), pts, WallClock::now());
        let sets = vec![
            Bytes::from_static(&[0x67, 1]),
            Bytes::from_static(&[0x68, 1]),
        ];
        unit.parameters = Some(Arc::new(Parameters::Video(VideoParameters {
            width: 64,
            height: 48,
            sets,
        })));
        unit
    }

    fn sound(millis: u64, rate: u32) -> AccessUnit {
        let pts = Duration::from_millis(millis);
        let mut unit = AccessUnit::new(Codec::Pcmu, vec![0; 160].into(), pts, WallClock::now());
        unit.track = 1;
        let audio = AudioParameters::new(rate, 1, Bytes::new());
        unit.parameters = Some(Arc::new(Parameters::Audio(audio)));
        unit
    }

    #[test]
    fn it_begins_with_a_key_frame_and_waits_for_sound() {
        let mut lineup = Lineup::new(true);
        for (millis, key) in [(0, false), (100, true), (200, false)] {
            lineup.push(picture(millis, key)).unwrap();
        }
        lineup.push(sound(150, 8_000)).unwrap();
        assert!(!lineup.is_complete());
        lineup.push(picture(1_100, true)).unwrap();
        assert!(lineup.is_complete());
        assert_eq!((lineup.numbers, lineup.held.len()), (vec![0, 1], 4));
    }

    #[test]
    fn without_sound_the_first_key_frame_is_enough() {
        let mut lineup = Lineup::new(false);
        lineup.push(sound(0, 8_000)).unwrap();
        lineup.gap();
        lineup.push(picture(0, true)).unwrap();
        lineup.push(sound(0, 8_000)).unwrap();
        assert!(lineup.is_complete());
        assert_eq!(lineup.numbers, [0]);
    }

    #[test]
    fn what_is_only_in_the_description_outdates_it() {
        let mut lineup = Lineup::new(true);
        lineup.push(picture(0, true)).unwrap();
        lineup.push(sound(0, 8_000)).unwrap();
        assert!(!lineup.is_outdated_by(0, &picture(40, true)));
        assert!(!lineup.is_outdated_by(1, &sound(20, 8_000)));
        assert!(lineup.is_outdated_by(1, &sound(40, 16_000)));
    }

    #[test]
    fn a_picture_that_cannot_be_sent_is_said_before_anything_is_announced() {
        let unit = AccessUnit::new(
            Codec::Jpeg,
            Bytes::from_static(&[0xff, 0xd8, 0xff, 0xc2, 0, 2]),
            Duration::ZERO,
            WallClock::now(),
        );
        let error = Lineup::new(true).push(unit).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot send JPEG over RTP: it is not baseline JPEG"
        );
    }
}
