//! Ten thousand damaged access units for the tests of whatever reads them: the same ones each time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::h264::nal_units;
use crate::{
    AccessUnit, AudioParameters, Codec, H264Decoder, Parameters, StillFormat, VideoDecoder as _,
    VideoParameters, WallClock, encoder_for, h264, h265,
};

/// How many there are.
pub(crate) const COUNT: usize = 10_000;

const H264: [&[u8]; 6] = [
    include_bytes!("../tests/data/bars_main_cabac.h264"),
    include_bytes!("../tests/data/bars_baseline.h264"),
    include_bytes!("../tests/data/bars_cropped.h264"),
    include_bytes!("../tests/data/bars_interlaced.h264"),
    include_bytes!("../tests/data/bars_gop.h264"),
    include_bytes!("../tests/data/moving_b_frames.h264"),
];
const H265: &[u8] = include_bytes!("../tests/data/moving.h265");

/// Units of this codec, nine of ten of them damaged, with the times of a stream and with damaged parameters.
pub(crate) fn units(codec: Codec, count: usize) -> impl Iterator<Item = AccessUnit> {
    let seeds = seeds(codec);
    let mut random = StdRng::seed_from_u64(codec as u64 + 1);
    let mut parameters = None;
    (0..count).map(move |number| {
        let seed = &seeds[random.random_range(0..seeds.len())];
        let mut data = seed.to_vec();
        if random.random_ratio(9, 10) {
            let other = &seeds[random.random_range(0..seeds.len())];
            damage(&mut data, other, &mut random);
        }
        // Streams do not change with every picture.
        if number % 25 == 0 {
            parameters = damaged_parameters(codec, seed, &mut random).map(Arc::new);
        }
        let pts = Duration::from_millis(number as u64 * 40);
        let jump = random
            .random_ratio(1, 200)
            .then_some(Duration::from_secs(7_200));
        let mut unit = AccessUnit::new(
            codec,
            data.into(),
            pts.saturating_sub(jump.unwrap_or_default()),
            WallClock::now(),
        );
        unit.parameters.clone_from(&parameters);
        unit
    })
}

fn seeds(codec: Codec) -> Vec<Bytes> {
    match codec {
        Codec::H264 => H264
            .iter()
            .flat_map(|stream| split(stream, |nal| matches!(nal[0] & 0x1f, 1 | 5)))
            .collect(),
        Codec::H265 => split(H265, |nal| nal[0] >> 1 & 0x3f < 32),
        Codec::Jpeg => {
            let key = AccessUnit::new(
                Codec::H264,
                Bytes::from_static(H264[0]),
                Duration::ZERO,
                WallClock::now(),
            );
            let picture = H264Decoder::default().decode(&key).unwrap().unwrap();
            let mut encoder = encoder_for(StillFormat::Jpeg);
            [10, 60, 95]
                .map(|quality| encoder.encode(picture.clone(), quality).unwrap())
                .into()
        }
        _ => (1..9u8)
            .map(|length| vec![length.wrapping_mul(37); 40 * usize::from(length)].into())
            .collect(),
    }
}

/// The access units of a stream with a slice for each picture: each ends after its slice.
fn split(stream: &[u8], is_slice: impl Fn(&[u8]) -> bool) -> Vec<Bytes> {
    let (mut units, mut unit) = (Vec::new(), Vec::new());
    for nal in nal_units(stream) {
        unit.extend([&[0, 0, 0, 1], nal].concat());
        if is_slice(nal) {
            units.push(Bytes::from(std::mem::take(&mut unit)));
        }
    }
    units
}

/// Some of what goes wrong with bytes.
fn damage(data: &mut Vec<u8>, other: &[u8], random: &mut StdRng) {
    for _ in 0..random.random_range(1..6) {
        if data.is_empty() {
            return;
        }
        let at = random.random_range(0..data.len());
        let length = random.random_range(0..=(data.len() - at).min(64));
        match random.random_range(0..8) {
            0 | 1 => data[at] ^= 1 << random.random_range(0..8),
            2 => data[at] = random.random(),
            3 => data.truncate(at),
            4 => drop(data.drain(at..at + length)),
            5 => data[at..at + length].fill([0, 0xff][random.random_range(0..2)]),
            6 => {
                let again = data[at..at + length].to_vec();
                data.splice(at..at, again);
            }
            _ => {
                let from = random.random_range(0..other.len());
                data.truncate(at);
                data.extend_from_slice(&other[from..]);
            }
        }
    }
}

fn damaged_parameters(codec: Codec, unit: &[u8], random: &mut StdRng) -> Option<Parameters> {
    let is_set = match codec {
        Codec::H264 => h264::is_parameter_set,
        Codec::H265 => h265::is_parameter_set,
        Codec::Jpeg => return None,
        _ => {
            let rate = [8_000, 16_000, 48_000, 1, 0, u32::MAX][random.random_range(0..6)];
            let config: Vec<u8> = (0..random.random_range(0..5))
                .map(|_| random.random())
                .collect();
            let channels = random.random_range(0..9);
            return Some(Parameters::Audio(AudioParameters::new(
                rate,
                channels,
                config.into(),
            )));
        }
    };
    let mut sets: Vec<Bytes> = Vec::new();
    for set in nal_units(unit).filter(|nal| is_set(nal)) {
        let mut set = set.to_vec();
        if random.random_ratio(1, 2) {
            damage(&mut set, unit, random);
        }
        sets.push(set.into());
    }
    // Those that cannot be read are what a client would pass on all the same.
    let read = VideoParameters::from_sets(codec, sets.clone());
    Some(Parameters::Video(read.unwrap_or(VideoParameters {
        width: random.random(),
        height: random.random(),
        sets,
    })))
}

mod tests {
    use super::*;
    use crate::{DecodePool, MAX_SIDE, check_jpeg};

    /// The most memory that this process ever had, in bytes.
    #[cfg(target_os = "linux")]
    fn peak() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.unwrap().trim().trim_end_matches(" kB");
        kib.parse::<u64>().unwrap() << 10
    }

    fn panicked(error: &crate::Error) -> bool {
        error.to_string().contains("panicked")
    }

    #[tokio::test]
    async fn damaged_pictures_are_passed_decoded_or_refused_and_take_bounded_memory() {
        let pool = DecodePool::new(std::num::NonZeroUsize::MIN);
        let (mut passed, mut decoded) = (0, 0);
        for unit in units(Codec::Jpeg, COUNT) {
            let Ok((width, height)) = check_jpeg(&unit.data) else {
                continue;
            };
            assert!(width <= MAX_SIDE && height <= MAX_SIDE);
            assert!(unit.data.starts_with(&[0xff, 0xd8]));
            passed += 1;
            match pool.picture(unit).await {
                Ok(_) => decoded += 1,
                Err(error) => assert!(!panicked(&error)),
            }
        }
        let some = COUNT / 10..COUNT;
        assert!(
            some.contains(&passed) && some.contains(&decoded),
            "{passed}, {decoded}"
        );
        #[cfg(target_os = "linux")]
        assert!(peak() < 1 << 30, "{} MiB", peak() >> 20);
    }

    /// The pool would catch a panic of a decoder, at the cost of the picture; none is known.
    #[tokio::test]
    async fn damaged_units_are_decoded_or_refused_and_take_bounded_memory() {
        let pool = DecodePool::new(std::num::NonZeroUsize::MIN);
        for codec in [Codec::H264, Codec::H265] {
            let (mut kept, mut decoded, mut alone) = (None, 0, 0);
            for (number, unit) in units(codec, COUNT / 2).enumerate() {
                // As for snapshots: each key frame alone.
                if unit.random_access {
                    match pool.picture(unit.clone()).await {
                        Ok(_) => alone += 1,
                        Err(error) => assert!(!panicked(&error), "{codec}: key frame {number}"),
                    }
                }
                // As for whoever wants every picture: one after the other.
                let decoder = kept.take().unwrap_or_else(|| pool.decoder(codec).unwrap());
                match pool.follow(decoder, unit).await {
                    Ok((decoder, picture)) => {
                        kept = Some(decoder);
                        if let Some(picture) = picture {
                            assert!(picture.width <= MAX_SIDE && picture.height <= MAX_SIDE);
                            decoded += 1;
                        }
                    }
                    Err(error) => assert!(!panicked(&error), "{codec}: unit {number}"),
                }
            }
            assert!(alone > 500 && decoded > 500, "{codec}: {alone}, {decoded}");
            let whole = seeds(codec).swap_remove(0);
            let unit = AccessUnit::new(codec, whole, Duration::ZERO, WallClock::now());
            pool.picture(unit).await.unwrap();
        }
        #[cfg(target_os = "linux")]
        assert!(peak() < 1 << 30, "{} MiB", peak() >> 20);
    }

    #[test]
    fn damaged_parameter_sets_are_read_or_not() {
        let mut read = 0;
        for codec in [Codec::H264, Codec::H265] {
            for unit in units(codec, COUNT / 2) {
                let sets = nal_units(&unit.data).map(Bytes::copy_from_slice).collect();
                read += u32::from(VideoParameters::from_sets(codec, sets).is_some());
            }
        }
        assert!(read > 100, "{read}");
    }
}
