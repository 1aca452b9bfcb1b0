//! Key frames out of turn: clips are encoded beforehand, so that a stream that is to have one goes on from the next there is.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::clip::{Clip, Codec};

/// Where streams went on from another place of their clips, as long as somebody plays them.
#[derive(Debug, Default)]
pub(super) struct Cues(Mutex<Vec<(String, Codec, Weak<Cue>)>>);

impl Cues {
    /// That of a stream, by its path, in this codec.
    pub(super) fn of(&self, path: &str, codec: Codec) -> Arc<Cue> {
        let mut cues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cues.retain(|(.., cue)| cue.strong_count() > 0);
        let known = cues.iter().find(|cue| cue.0 == path && cue.1 == codec);
        known
            .and_then(|(.., cue)| cue.upgrade())
            .unwrap_or_else(|| {
                let cue = Arc::default();
                cues.push((path.to_owned(), codec, Arc::downgrade(&cue)));
                cue
            })
    }
}

/// How many units of the clip were passed over.
#[derive(Debug, Default)]
pub(super) struct Cue(Mutex<Jump>);

#[derive(Clone, Copy, Debug, Default)]
struct Jump {
    /// The first unit of the timeline that comes after it.
    from: u64,
    before: u64,
    after: u64,
}

impl Cue {
    /// Where in the clip a unit of the timeline is.
    pub(super) fn place(&self, unit: u64, clip: &Clip) -> usize {
        let jump = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = match unit < jump.from {
            true => jump.before,
            false => jump.after,
        };
        ((unit + passed) % clip.units().len() as u64) as usize
    }

    /// Makes this unit of the timeline a key frame, by passing over those before the next one.
    pub(super) fn jump(&self, unit: u64, clip: &Clip) {
        let place = self.place(unit, clip);
        let ahead = clip.units().iter().cycle().skip(place);
        let distance = ahead
            .take(clip.units().len())
            .take_while(|unit| !unit.is_key)
            .count() as u64;
        let mut jump = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Two before a unit are one.
        if unit > jump.from {
            jump.before = jump.after;
            jump.from = unit;
        }
        jump.after += distance;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_becomes_a_key_frame_and_the_clip_goes_on_from_there() {
        let clip = Clip::of(Codec::H264);
        let cue = Cue::default();
        assert_eq!(cue.place(157, &clip), 7);
        cue.jump(7, &clip);
        let places = [6, 7, 8, 7 + 30].map(|unit| cue.place(unit, &clip));
        assert_eq!(places, [6, 30, 31, 60]);
        // Once more for the same unit, and where there is a key frame in any case.
        cue.jump(7, &clip);
        cue.jump(37, &clip);
        assert_eq!(
            [6, 7, 37].map(|unit| cue.place(unit, &clip)),
            [23 + 6, 30, 60]
        );
        // Over the end of the clip.
        cue.jump(100, &clip);
        assert_eq!([99, 100].map(|unit| cue.place(unit, &clip)), [122, 0]);
    }

    #[test]
    fn all_who_play_a_stream_see_the_same_until_nobody_does() {
        let cues = Cues::default();
        let clip = Clip::of(Codec::H264);
        let (one, two) = (cues.of("/main", Codec::H264), cues.of("/main", Codec::H264));
        cues.of("/main", Codec::H264).jump(1, &clip);
        assert_eq!([&one, &two].map(|cue| cue.place(1, &clip)), [30, 30]);
        assert_eq!(cues.of("/sub", Codec::H264).place(1, &clip), 1);
        drop((one, two));
        assert_eq!(cues.of("/main", Codec::H264).place(1, &clip), 1);
    }
}
