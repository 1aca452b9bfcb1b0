//! Puts the units of a stream together to one clip: where it begins and ends, its tracks, its clock. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use super::ClipEnd;
use super::container::Container;
use super::timing::Reorder;
use super::track::{Sample, Track, VIDEO_TICKS};
use crate::{AccessUnit, Codec, Error, Media, WallClock};

/// What goes to disk at once: about so much time, so that a crash costs no more.
const FRAGMENT: u64 = VIDEO_TICKS as u64;
/// A group of pictures that is longer is cut at this length, or at this size.
const LONGEST_FRAGMENT: u64 = 4 * FRAGMENT;
const LARGEST_FRAGMENT: usize = 4 << 20;
/// More sound than this is sent by no camera.
const MOST_TRACKS: usize = 8;
/// What waits for pictures at most, in samples.
const MOST_WAITING: usize = 4096;
/// Units of sound that are kept for the next clip.
const MOST_SOUND: usize = 256;
/// Units that are further from the newest picture have nothing to do with it.
const FURTHEST_BACK: Duration = Duration::from_secs(10);
const FURTHEST_AHEAD: Duration = Duration::from_secs(3600);
/// Differences between the clocks of stream and host that are only jitter.
const JITTER: Duration = Duration::from_secs(1);

/// A clip in the making.
#[derive(Debug)]
pub(super) struct Assembly {
    container: Container,
    audio: bool,
    /// Identity of the video track in the stream.
    track: u16,
    start: Duration,
    wall: WallClock,
    length: Duration,
    /// Presentation time and wall clock of the newest picture.
    newest: (Duration, WallClock),
    lanes: Vec<Lane>,
    pictures: Reorder<Sample>,
    /// What is complete, in the order of time.
    ready: VecDeque<Sample>,
    /// The tracks are written to the file: there will be no other.
    fixed: bool,
    /// The newest sound, which may belong to the next clip: it comes sooner than the pictures.
    recent: VecDeque<AccessUnit>,
    /// Audio that does not fit, once.
    refused: Option<Codec>,
    frames: u64,
    end: u64,
}

#[derive(Debug)]
struct Lane {
    id: u16,
    track: Track,
    /// The sample whose duration is not known yet.
    last: Option<Sample>,
    usual: u32,
}

/// What became of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Kept,
    /// The clip is over; the unit begins the next one.
    Next(ClipEnd),
}

impl Assembly {
    /// A clip that begins with this unit; `None` if none can begin with it.
    ///
    /// # Errors
    /// [`Error::Container`] if the container cannot hold the codec.
    pub(super) fn begin(
        unit: &AccessUnit,
        container: Container,
        audio: bool,
        length: Duration,
    ) -> Result<Option<Self>, Error> {
        if unit.codec.media() != Media::Video || !unit.random_access {
            return Ok(None);
        }
        if !container.fits(unit.codec) {
            return Err(container.refuse(unit.codec, ""));
        }
        let Some(track) = Track::of(unit) else {
            return Ok(None);
        };
        let mut clip = Self {
            container,
            audio,
            track: unit.track,
            start: unit.pts,
            wall: unit.wall,
            length,
            newest: (unit.pts, unit.wall),
            lanes: vec![Lane::new(unit.track, track)],
            pictures: Reorder::new(),
            ready: VecDeque::new(),
            fixed: false,
            recent: VecDeque::new(),
            refused: None,
            frames: 0,
            end: 0,
        };
        clip.picture(unit);
        Ok(Some(clip))
    }

    pub(super) fn push(&mut self, unit: &AccessUnit) -> Taken {
        let strange = self.is_out_of_time(unit);
        match unit.codec.media() {
            Media::Video if unit.track == self.track => {
                // Where time has jumped nobody can say how the two sides of that belong together.
                let reason = if strange {
                    unit.random_access.then_some(ClipEnd::Interrupted)
                } else {
                    self.end_before(unit)
                };
                if let Some(reason) = reason {
                    return Taken::Next(reason);
                }
                if !strange {
                    self.picture(unit);
                }
            }
            Media::Audio if self.audio && !strange => {
                self.recent.push_back(unit.clone());
                if self.recent.len() > MOST_SOUND {
                    self.recent.pop_front();
                }
                self.sound(unit);
            }
            _ => {}
        }
        Taken::Kept
    }

    /// Whether the clip can go on with this unit after something was lost. It cannot in another session, where time has
    /// begun anew: there the time of the stream and the host's have come apart.
    pub(super) fn continues_with(&self, unit: &AccessUnit) -> bool {
        let (pts, wall) = self.newest;
        let passed = unit.wall.time.duration_since(wall.time);
        match (unit.pts.checked_sub(pts), passed) {
            (Some(moved), Ok(passed)) => moved.abs_diff(passed) < JITTER,
            _ => false,
        }
    }

    /// The samples of the next fragment, where there are enough for one.
    pub(super) fn fragment(&mut self) -> Option<Vec<Sample>> {
        let first = self.ready.iter().find(|sample| sample.track == 0)?.dts;
        let mut bytes = 0;
        let cut = self.ready.iter().skip(1).position(|sample| {
            let long = sample.dts.saturating_sub(first);
            bytes += sample.data.len();
            sample.track == 0
                && ((sample.key && long >= FRAGMENT)
                    || long >= LONGEST_FRAGMENT
                    || bytes >= LARGEST_FRAGMENT)
        })? + 1;
        self.fixed = true;
        Some(self.ready.drain(..cut).collect())
    }

    /// The rest of the samples. `next` is the unit that begins the next clip.
    pub(super) fn finish(&mut self, next: Option<&AccessUnit>) -> Vec<Sample> {
        while let Some((dts, sample)) = self.pictures.pop() {
            self.place(dts, sample);
        }
        let end = next.and_then(|unit| ticks(unit.pts, self.start, VIDEO_TICKS));
        for lane in 0..self.lanes.len() {
            if let Some(mut last) = self.lanes[lane].last.take() {
                let until = end.filter(|_| lane == 0);
                let rest = until.and_then(|end| u32::try_from(end.checked_sub(last.dts)?).ok());
                last.duration = rest
                    .filter(|&rest| rest > 0)
                    .unwrap_or(self.lanes[lane].usual);
                self.keep(last);
            }
        }
        self.fixed = true;
        let mut samples: Vec<_> = self.ready.drain(..).collect();
        let end = end.unwrap_or(self.end);
        samples.retain(|sample| sample.track == 0 || self.moment(sample) < end);
        samples.sort_by_key(|sample| self.moment(sample));
        samples
    }

    /// The sound that came before this unit and belongs to the clip that begins with it.
    pub(super) fn sound_after(&mut self, next: &AccessUnit) -> VecDeque<AccessUnit> {
        let mut recent = std::mem::take(&mut self.recent);
        recent.retain(|sound| sound.pts >= next.pts);
        recent
    }

    /// Ends the clip with the next key frame, however long it is.
    pub(super) fn shorten(&mut self) {
        self.length = Duration::ZERO;
    }

    pub(super) fn tracks(&self) -> impl Iterator<Item = &Track> {
        self.lanes.iter().map(|lane| &lane.track)
    }

    /// When the first picture was taken.
    pub(super) fn wall(&self) -> WallClock {
        self.wall
    }

    /// From the first picture to the end of the last.
    pub(super) fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.end as f64 / f64::from(VIDEO_TICKS))
    }

    /// Pictures so far.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// The codec of sound that the container cannot hold, when it is seen first.
    pub(super) fn take_refused(&mut self) -> Option<Codec> {
        self.refused.take()
    }

    fn is_out_of_time(&self, unit: &AccessUnit) -> bool {
        let newest = self.newest.0;
        unit.pts + FURTHEST_BACK < newest || unit.pts > newest + FURTHEST_AHEAD
    }

    fn end_before(&self, unit: &AccessUnit) -> Option<ClipEnd> {
        if !unit.random_access {
            return None;
        }
        let track = &self.lanes[0].track;
        let same = unit.codec == track.codec
            && Track::of(unit).is_none_or(|new| new.parameters == track.parameters);
        if !same {
            return Some(ClipEnd::Changed);
        }
        let over = unit.pts.saturating_sub(self.start) >= self.length;
        over.then_some(ClipEnd::Complete)
    }

    fn picture(&mut self, unit: &AccessUnit) {
        // Pictures that are shown before the first refer to pictures of before the clip.
        let Some(pts) = ticks(unit.pts, self.start, VIDEO_TICKS) else {
            return;
        };
        if unit.pts >= self.newest.0 {
            self.newest = (unit.pts, unit.wall);
        }
        let old = unit.pts.saturating_sub(JITTER);
        while self.recent.front().is_some_and(|sound| sound.pts < old) {
            self.recent.pop_front();
        }
        let sample = Sample {
            track: 0,
            data: unit.data.clone(),
            dts: pts,
            pts,
            duration: 0,
            key: unit.random_access,
        };
        if let Some((dts, sample)) = self.pictures.push(pts, sample) {
            self.place(dts, sample);
        }
    }

    fn sound(&mut self, unit: &AccessUnit) {
        let known = self.lanes.iter().position(|lane| lane.id == unit.track);
        let lane = match known {
            Some(lane) => lane,
            None if self.fixed || self.lanes.len() == MOST_TRACKS => return,
            None if !self.container.fits(unit.codec) => {
                self.refused = self.refused.or(Some(unit.codec));
                return;
            }
            None => {
                let Some(track) = Track::of(unit) else {
                    return;
                };
                self.lanes.push(Lane::new(unit.track, track));
                self.lanes.len() - 1
            }
        };
        if let Some(pts) = ticks(unit.pts, self.start, self.lanes[lane].track.timescale) {
            // Where the tracks were put beside each other anew, nothing is to be heard twice.
            let last = self.lanes[lane].last.as_ref();
            if last.is_some_and(|last| last.dts >= pts) {
                return;
            }
            let sample = Sample {
                track: lane,
                data: unit.data.clone(),
                dts: pts,
                pts,
                duration: 0,
                key: true,
            };
            if self.ready.len() < MOST_WAITING {
                self.place(pts, sample);
            }
        }
    }

    /// Gives a sample its place in the order of decoding, and the one before its duration.
    fn place(&mut self, dts: u64, mut sample: Sample) {
        let lane = &mut self.lanes[sample.track];
        let after = lane.last.as_ref().map_or(0, |last| last.dts + 1);
        sample.dts = dts.max(after);
        if sample.track > 0 {
            sample.pts = sample.dts;
        }
        let now = sample.dts;
        if let Some(mut last) = lane.last.replace(sample) {
            last.duration = u32::try_from(now - last.dts).unwrap_or(u32::MAX);
            lane.usual = last.duration;
            self.keep(last);
        }
    }

    fn keep(&mut self, sample: Sample) {
        if sample.track == 0 {
            self.frames += 1;
            let shown = sample.pts + u64::from(sample.duration);
            self.end = self.end.max(shown);
        }
        self.ready.push_back(sample);
        // Sound is complete sooner than pictures that wait for others; what came out of order is put right.
        let mut at = self.ready.len() - 1;
        while at > 0 && self.moment(&self.ready[at]) < self.moment(&self.ready[at - 1]) {
            self.ready.swap(at, at - 1);
            at -= 1;
        }
    }

    /// The time of decoding on the video track's scale.
    fn moment(&self, sample: &Sample) -> u64 {
        let track = &self.lanes[sample.track].track;
        track.rescale(sample.dts, VIDEO_TICKS)
    }
}

impl Lane {
    fn new(id: u16, track: Track) -> Self {
        // Until two samples have shown it.
        let usual = match track.codec {
            Codec::Aac => 1024,
            _ => track.timescale / 25,
        };
        Self {
            id,
            track,
            last: None,
            usual,
        }
    }
}

/// Time since the start in ticks; `None` before it.
fn ticks(pts: Duration, start: Duration, timescale: u32) -> Option<u64> {
    let since = pts.checked_sub(start)?.as_nanos();
    Some(((since * u128::from(timescale) + 500_000_000) / 1_000_000_000) as u64)
}
