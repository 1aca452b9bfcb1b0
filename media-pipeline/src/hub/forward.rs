//! Pictures between the key frames: a consumer's own decoder follows the current group up to the picture that is due.

use std::collections::VecDeque;

use super::Core;
use super::cache::GopCache;
use crate::{AccessUnit, Codec, Error, Media, Picture, VideoDecoder, h264};

/// Decodes forward from where it stands. Nothing is decoded before it is asked for, and nothing twice.
#[derive(Default)]
pub(super) struct Forward {
    decoder: Option<(Codec, Box<dyn VideoDecoder>)>,
    place: Place,
}

/// Where a consumer's decoder stands in a stream, by the numbers of units.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// The unit that was decoded last; `None` without a decoder.
    at: Option<u64>,
    /// Key frame of the group that could not be decoded: the rest of it is left alone.
    broken: Option<u64>,
}

/// What is to be decoded for the newest picture of a group: the last of the units.
pub(super) struct Batch {
    key: u64,
    units: VecDeque<(u64, AccessUnit)>,
}

impl Place {
    /// What leads to the newest picture, if that was not used and can be reached from here.
    pub(super) fn plan(self, cache: &GopCache, used: Option<u64>) -> Option<Batch> {
        let group = cache.group()?;
        if used >= Some(group.newest) || self.broken == Some(group.key) {
            return None;
        }
        let next = self.at.map_or(0, |at| at + 1);
        Batch::new(cache, group.key, next.max(group.key), group.newest)
    }
}

impl Forward {
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Decodes a batch. `None` if there is no picture of its last unit.
    ///
    /// A batch that a new key frame overtakes is dropped for it: a decoder that is too slow skips pictures instead of
    /// falling behind. `used` becomes the number of the unit that the picture is of.
    pub(super) async fn run(
        &mut self,
        core: &Core,
        mut batch: Batch,
        used: &mut Option<u64>,
    ) -> Result<Option<(AccessUnit, Picture)>, Error> {
        while let Some((number, unit)) = batch.units.pop_front() {
            if let Some(newer) = Batch::overtaking(&core.shared().cache, batch.key) {
                batch = newer;
                continue;
            }
            let last = batch.units.is_empty();
            if !last && is_disposable(&unit) {
                continue;
            }
            match self.decode(core, number, unit.clone()).await {
                Ok(picture) if last => {
                    *used = Some(number);
                    return Ok(picture.map(|picture| (unit, picture)));
                }
                Ok(_) => {}
                Err(error) => {
                    self.place.broken = Some(batch.key);
                    if number == batch.key {
                        *used = Some(number);
                    }
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    /// Gives the decoder back until it is needed again.
    pub(super) fn rest(&mut self) {
        self.decoder = None;
        self.place.at = None;
    }

    /// The decoder is lost after an error or panic.
    async fn decode(
        &mut self,
        core: &Core,
        number: u64,
        unit: AccessUnit,
    ) -> Result<Option<Picture>, Error> {
        let pool = &core.options.pool;
        let codec = unit.codec;
        self.place.at = None;
        let mut decoder = match self.decoder.take() {
            Some((known, decoder)) if known == codec => decoder,
            _ => pool.decoder(codec)?,
        };
        if unit.random_access {
            // The end of the group before was left out.
            decoder.reset();
        }
        let (decoder, picture) = pool.follow(decoder, unit).await?;
        self.decoder = Some((codec, decoder));
        self.place.at = Some(number);
        Ok(picture)
    }
}

impl Batch {
    fn new(cache: &GopCache, key: u64, from: u64, to: u64) -> Option<Self> {
        let track = cache.range(to, to)?.next()?.1.track;
        let units: VecDeque<_> = cache
            .range(from, to)?
            .filter(|(_, unit)| unit.track == track)
            .map(|(number, unit)| (number, unit.clone()))
            .collect();
        // JPEG pictures stand for themselves and are not decoded.
        let codec = units.front()?.1.codec;
        let decodable = codec.media() == Media::Video && codec != Codec::Jpeg;
        decodable.then_some(Self { key, units })
    }

    /// Only the key frame of the group that came after `key`: so each overtaking ends with a picture.
    fn overtaking(cache: &GopCache, key: u64) -> Option<Self> {
        let newer = cache.group().filter(|group| group.key > key)?.key;
        Self::new(cache, newer, newer, newer)
    }
}

pub(super) fn is_disposable(unit: &AccessUnit) -> bool {
    unit.codec == Codec::H264 && h264::is_disposable(&unit.data)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::WallClock;

    fn cache(units: &[(u64, bool)]) -> GopCache {
        let mut cache = GopCache::new(1000, Duration::MAX, Duration::ZERO);
        for &(millis, key) in units {
            let data: &[u8] = if key {
                &[0, 0, 1, 0x65]
            } else {
                &[0, 0, 1, 0x41]
            };
            let pts = Duration::from_millis(millis);
            let unit = AccessUnit::new(Codec::H264, data.into(), pts, WallClock::now());
            cache.push(unit, true);
        }
        cache
    }

    fn planned(place: Place, cache: &GopCache, used: Option<u64>) -> Vec<u64> {
        place.plan(cache, used).map_or(Vec::new(), |batch| {
            batch.units.iter().map(|(number, _)| *number).collect()
        })
    }

    fn at(number: u64) -> Place {
        Place {
            at: Some(number),
            broken: None,
        }
    }

    const GROUP: [(u64, bool); 5] = [
        (0, false),
        (40, true),
        (80, false),
        (120, false),
        (160, false),
    ];

    #[test]
    fn it_goes_from_the_key_frame_to_the_newest_picture() {
        assert_eq!(
            planned(Place::default(), &cache(&GROUP), None),
            [1, 2, 3, 4]
        );
        assert_eq!(planned(at(0), &cache(&GROUP), Some(0)), [1, 2, 3, 4]);
    }

    #[test]
    fn it_goes_on_where_it_stands() {
        assert_eq!(planned(at(2), &cache(&GROUP), Some(2)), [3, 4]);
        assert_eq!(planned(at(4), &cache(&GROUP), Some(4)), [0; 0]);
    }

    #[test]
    fn pictures_that_are_shown_before_the_newest_are_not_due_after_it() {
        let cache = cache(&[(0, true), (120, false), (40, false), (80, false)]);
        assert_eq!(planned(Place::default(), &cache, None), [0, 1]);
        assert_eq!(planned(at(1), &cache, Some(1)), [0; 0]);
    }

    #[test]
    fn only_pictures_are_decoded() {
        let mut cache = cache(&[(0, true)]);
        for (millis, codec, leads) in [(10, Codec::Aac, false), (40, Codec::H264, true)] {
            let data: &[u8] = &[0, 0, 1, 0x41];
            let pts = Duration::from_millis(millis);
            let mut unit = AccessUnit::new(codec, data.into(), pts, WallClock::now());
            unit.track = u16::from(!leads);
            cache.push(unit, leads);
        }
        assert_eq!(planned(Place::default(), &cache, None), [0, 2]);
    }

    #[test]
    fn a_broken_group_is_left_alone() {
        let place = Place {
            at: None,
            broken: Some(1),
        };
        let mut cache = cache(&GROUP);
        assert_eq!(planned(place, &cache, None), [0; 0]);
        let data: &[u8] = &[0, 0, 1, 0x65];
        let pts = Duration::from_millis(200);
        let unit = AccessUnit::new(Codec::H264, data.into(), pts, WallClock::now());
        let number = cache.push(unit, true);
        assert_eq!(planned(place, &cache, None), [number]);
    }
}
