//! What decoders do with pictures that are damaged, hostile, or not in their place.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::num::NonZeroUsize;
use std::time::Duration;

use media_pipeline::{
    AccessUnit, Codec, DecodePool, Error, H265Decoder, StillFormat, VideoDecoder, WallClock,
    decoder_for, encoder_for,
};

fn unit(codec: Codec, data: impl Into<bytes::Bytes>) -> AccessUnit {
    AccessUnit::new(codec, data.into(), Duration::ZERO, WallClock::now())
}

fn clip(name: &str) -> (Codec, Vec<u8>) {
    let codec = if name.ends_with("h265") {
        Codec::H265
    } else {
        Codec::H264
    };
    let folder = env!("CARGO_MANIFEST_DIR");
    let data = std::fs::read(format!("{folder}/tests/data/{name}")).unwrap();
    (codec, data)
}

/// Where the NAL units of a byte stream begin, with their headers.
fn nals(data: &[u8]) -> Vec<(usize, u8)> {
    (0..data.len() - 3)
        .filter(|&at| data[at..at + 3] == [0, 0, 1])
        .map(|at| (at, data[at + 3]))
        .collect()
}

/// The access units of a clip of H.265 with one slice per picture.
fn h265_units(name: &str) -> Vec<AccessUnit> {
    let (codec, data) = clip(name);
    let slices: Vec<usize> = nals(&data)
        .into_iter()
        .filter(|(_, header)| header >> 1 < 32)
        .map(|(at, _)| at)
        .collect();
    let sets_before = |slice: usize| {
        let before = nals(&data).into_iter().rev();
        let mut before = before.skip_while(|(at, _)| *at >= slice);
        let mut start = slice;
        while let Some((at, _)) = before.next().filter(|(_, header)| header >> 1 >= 32) {
            start = at;
        }
        start
    };
    let starts: Vec<usize> = slices.iter().map(|slice| sets_before(*slice)).collect();
    let ends = starts[1..].iter().copied().chain([data.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| unit(codec, data[*start..end].to_vec()))
        .collect()
}

fn leads(unit: &AccessUnit) -> bool {
    nals(&unit.data)
        .iter()
        .any(|(_, header)| matches!(header >> 1, 8 | 9))
}

#[test]
fn what_leads_an_open_group_is_decoded_where_the_group_before_was() {
    let units = h265_units("moving_open_group.h265");
    assert_eq!(units.len(), 13);
    assert!(units.iter().any(leads), "the clip has leading pictures");
    let mut decoder = H265Decoder::default();
    for unit in &units {
        assert!(decoder.decode(unit).unwrap().is_some());
    }
}

#[test]
fn what_leads_an_open_group_is_left_out_where_decoding_starts_with_it() {
    let units = h265_units("moving_open_group.h265");
    let keys: Vec<usize> = (0..units.len())
        .filter(|&i| units[i].random_access)
        .collect();
    let mut fresh = H265Decoder::default();
    let mut jumped = H265Decoder::default();
    jumped.decode(&units[0]).unwrap();
    jumped.reset();
    let end = keys.get(2).copied().unwrap_or(units.len());
    for unit in &units[keys[1]..end] {
        let picture = fresh.decode(unit).unwrap();
        assert_eq!(picture.is_none(), leads(unit));
        let after_jump = jumped.decode(unit).unwrap();
        assert_eq!(picture.map(|p| p.y.data), after_jump.map(|p| p.y.data));
    }
}

#[test]
fn a_key_frame_without_its_sets_is_not_decoded_with_those_of_another_stream() {
    let units = h265_units("moving_open_group.h265");
    let mut decoder = H265Decoder::default();
    decoder.decode(&units[0]).unwrap();
    let slice = nals(&units[0].data).pop().unwrap().0;
    let bare = unit(Codec::H265, units[0].data.slice(slice..));
    assert!(bare.random_access);
    let error = decoder.decode(&bare).unwrap_err();
    assert!(
        error.to_string().contains("without its parameter sets"),
        "{error}"
    );
}

#[test]
fn a_set_of_a_huge_picture_is_refused_before_it_is_decoded() {
    // Height and width of 16,000 in place of those of the clip.
    let sps = Bits::default()
        .bits(0, 4)
        .bits(0, 3)
        .bits(1, 1)
        .bits(0x0160_0000, 32)
        .bits(0, 32)
        .bits(0, 32)
        .unsigned(0)
        .unsigned(1)
        .unsigned(16_000)
        .unsigned(16_000)
        .bits(0, 1)
        .unsigned(0)
        .unsigned(0)
        .unsigned(4)
        .bits(1, 1)
        .unsigned(0)
        .unsigned(0)
        .unsigned(0);
    let sps = (0..6)
        .fold(sps, |sps, _| sps.unsigned(1))
        .bits(0b0_0_0_0, 4)
        .unsigned(0)
        .bits(0b0_0_0_0_1, 5);
    let mut data = vec![0, 0, 1, 0x40, 1, 0xff, 0, 0, 1, 0x42, 1];
    data.extend(escaped(&sps.bytes()));
    let pps = Bits::default()
        .unsigned(0)
        .unsigned(0)
        .bits(0, 5)
        .bits(1, 1);
    data.extend([0, 0, 1, 0x44, 1]);
    data.extend(pps.bytes());
    data.extend([0, 0, 1, 19 << 1, 1, 0b1010_0000, 0x80]);
    let error = H265Decoder::default()
        .decode(&unit(Codec::H265, data))
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Unsupported {
                codec: Codec::H265,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("16000 x 16000"), "{error}");
}

/// Every clip, cut short and with single bytes changed, through one worker: each costs at most itself.
#[tokio::test]
async fn damaged_pictures_are_errors_and_leave_the_worker_usable() {
    let pool = DecodePool::new(NonZeroUsize::MIN);
    for name in [
        "bars_main_cabac.h264",
        "bars_interlaced.h264",
        "bars_h265_709_limited.h265",
        "bars_h265_ten_bits.h265",
    ] {
        let (codec, whole) = clip(name);
        for cut in (0..whole.len()).step_by(whole.len() / 60) {
            let _ = pool.picture(unit(codec, whole[..cut].to_vec())).await;
            let mut noise = whole.clone();
            noise[cut] ^= 0x55;
            let _ = pool.picture(unit(codec, noise)).await;
        }
        let picture = pool.picture(unit(codec, whole)).await.unwrap();
        assert_eq!((picture.width, picture.height), (322, 176), "{name}");
    }
}

/// Bytes changed, left out, repeated, at places that a generator with a fixed seed picks.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_spoiled_pictures_are_pictures_or_errors() {
    let pool = DecodePool::new(NonZeroUsize::new(2).unwrap());
    let key_frame = |name: &str| {
        let (codec, data) = clip(name);
        let mut slices = nals(&data).into_iter().filter(|(_, header)| match codec {
            Codec::H264 => matches!(header & 0x1f, 1 | 5),
            _ => header >> 1 < 32,
        });
        let end = slices.nth(1).map_or(data.len(), |(at, _)| at);
        (codec, data[..end].to_vec())
    };
    let mut seeds = [
        "moving_b_frames.h264",
        "bars_interlaced.h264",
        "moving_open_group.h265",
    ]
    .map(key_frame)
    .to_vec();
    let (codec, data) = &seeds[0];
    let picture = pool.picture(unit(*codec, data.clone())).await.unwrap();
    let jpeg = encoder_for(StillFormat::Jpeg).encode(picture, 80).unwrap();
    seeds.push((Codec::Jpeg, jpeg.to_vec()));
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let mut outcomes = std::collections::BTreeMap::<&str, u32>::new();
    for number in 0..10_000 {
        let (codec, whole) = &seeds[number % seeds.len()];
        let mut data = whole.clone();
        for _ in 0..=next(3) {
            let at = next(data.len());
            match next(4) {
                0 => data[at] = next(256) as u8,
                1 => data[at] ^= 1 << next(8),
                2 => drop(data.drain(at..(at + 1 + next(16)).min(data.len() - 1).max(at))),
                _ => {
                    let part = data[at..(at + 1 + next(16)).min(data.len())].to_vec();
                    data.splice(at..at, part);
                }
            }
        }
        let outcome = match pool.picture(unit(*codec, data)).await {
            Ok(picture) => {
                assert!(picture.width <= 8192 && picture.height <= 8192);
                "picture"
            }
            Err(error) if error.to_string().contains("panicked") => "panic",
            Err(_) => "error",
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    println!("{outcomes:?}");
    assert!(
        outcomes["error"] > 100 && outcomes["picture"] > 100,
        "{outcomes:?}"
    );
    assert!(!outcomes.contains_key("panic"), "{outcomes:?}");
}

#[tokio::test]
async fn damage_between_key_frames_costs_no_more_than_the_group() {
    let mut units = h265_units("moving_open_group.h265");
    let mut noise = units[3].data.to_vec();
    let end = noise.len();
    noise[end / 2..].iter_mut().for_each(|byte| *byte ^= 0x5a);
    units[3].data = noise.into();
    let mut decoder = decoder_for(Codec::H265).unwrap();
    let key = units.iter().rposition(|unit| unit.random_access).unwrap();
    let _: Vec<_> = units[..key]
        .iter()
        .map(|unit| decoder.decode(unit))
        .collect();
    assert!(decoder.decode(&units[key]).unwrap().is_some());
}

/// Writes the bits of a parameter set.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn bits(mut self, value: u32, count: u32) -> Self {
        self.0
            .extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    fn unsigned(self, value: u32) -> Self {
        let length = (value + 1).ilog2();
        self.bits(0, length).bits(value + 1, length + 1)
    }

    fn bytes(&self) -> Vec<u8> {
        let byte = |bits: &[bool]| {
            bits.iter()
                .zip((0..8).rev())
                .map(|(bit, at)| u8::from(*bit) << at)
                .sum()
        };
        self.0.chunks(8).map(byte).collect()
    }
}

/// With emulation prevention.
fn escaped(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for &byte in payload {
        if byte <= 3 && out.ends_with(&[0, 0]) {
            out.push(3);
        }
        out.push(byte);
    }
    out
}

#[cfg(feature = "openh264")]
#[test]
fn openh264_and_the_decoder_of_this_crate_agree() {
    let key_frames = [
        "bars_601_full.h264",
        "bars_untagged_1080.h264",
        "bars_main_cabac.h264",
        "bars_baseline.h264",
        "bars_cropped.h264",
    ];
    let mut theirs = media_pipeline::OpenH264Decoder::new().unwrap();
    let mut ours = decoder_for(Codec::H264).unwrap();
    for name in key_frames {
        let (codec, data) = clip(name);
        let unit = unit(codec, data);
        let theirs = theirs.decode(&unit).unwrap().unwrap();
        let ours = ours.decode(&unit).unwrap().unwrap();
        assert!(samples(&ours) == samples(&theirs), "{name}");
        assert_eq!(ours.colour, theirs.colour);
    }
}

#[cfg(feature = "turbojpeg")]
#[test]
fn libjpeg_turbo_and_the_encoder_of_this_crate_agree() {
    use media_pipeline::{StillEncoder as _, TurboJpegEncoder};

    let mut theirs = TurboJpegEncoder::new().unwrap();
    let mut ours = encoder_for(StillFormat::Jpeg);
    for name in [
        "bars_601_full.h264",
        "bars_709_limited.h264",
        "bars_untagged_1080.h264",
        "bars_cropped.h264",
    ] {
        let (codec, data) = clip(name);
        let mut decoder = decoder_for(codec).unwrap();
        let picture = decoder.decode(&unit(codec, data)).unwrap().unwrap();
        let pixels = |jpeg: bytes::Bytes| image::load_from_memory(&jpeg).unwrap().into_rgb8();
        let theirs = pixels(theirs.encode(picture.clone(), 90).unwrap());
        let ours = pixels(ours.encode(picture, 90).unwrap());
        assert_eq!(ours.dimensions(), theirs.dimensions());
        let apart = ours
            .iter()
            .zip(theirs.iter())
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(apart.unwrap() <= 8, "{name}: {apart:?}");
    }
}

#[cfg(any(feature = "openh264", feature = "ffmpeg"))]
fn samples(picture: &media_pipeline::Picture) -> Vec<u8> {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let planes = [
        (&picture.y, width, height),
        (&picture.cb, half_width, half_height),
        (&picture.cr, half_width, half_height),
    ];
    let rows = planes.into_iter().flat_map(|(plane, width, height)| {
        let rows = plane.data.chunks(plane.stride).take(height);
        rows.map(move |row| &row[..width])
    });
    rows.flatten().copied().collect()
}

#[cfg(feature = "openh264")]
#[test]
fn openh264_agrees_on_groups_of_pictures() {
    for name in ["bars_gop.h264", "moving_b_frames.h264"] {
        let (codec, data) = clip(name);
        let slices = nals(&data);
        let slices: Vec<usize> = slices
            .into_iter()
            .filter(|(_, header)| matches!(header & 0x1f, 1 | 5))
            .map(|(at, _)| at)
            .collect();
        let starts = [0].into_iter().chain(slices[1..].iter().copied());
        let ends = slices[1..].iter().copied().chain([data.len()]);
        let mut theirs = media_pipeline::OpenH264Decoder::new().unwrap();
        let mut ours = decoder_for(codec).unwrap();
        for (number, (start, end)) in starts.zip(ends).enumerate() {
            let unit = unit(codec, data[start..end].to_vec());
            let ours = ours.decode(&unit).unwrap().unwrap();
            match theirs.decode(&unit) {
                Ok(theirs) => {
                    assert!(
                        samples(&ours) == samples(&theirs.unwrap()),
                        "{name}: picture {number}"
                    );
                }
                // It gives those in another order.
                Err(error) => {
                    assert!(error.to_string().contains("B-frames"), "{error}");
                    break;
                }
            }
        }
    }
}

#[cfg(feature = "ffmpeg")]
#[test]
fn libav_agrees_on_key_frames_of_all_streams_in_turn() {
    use media_pipeline::FfmpegDecoder;

    for (codec, names) in [
        (
            Codec::H264,
            &[
                "bars_601_full.h264",
                "bars_untagged_1080.h264",
                "bars_interlaced.h264",
                "bars_main_cabac.h264",
                "bars_baseline.h264",
                "bars_cropped.h264",
                "bars_gop.h264",
                "moving_b_frames.h264",
            ][..],
        ),
        (
            Codec::H265,
            &[
                "bars_h265_601_full.h265",
                "bars_h265_709_limited.h265",
                "moving_open_group.h265",
                "bars_h265_untagged.h265",
            ][..],
        ),
    ] {
        let mut theirs = FfmpegDecoder::new(codec).unwrap();
        let mut ours = decoder_for(codec).unwrap();
        for name in names.iter().chain(names) {
            let unit = unit(codec, pictures_of(name).swap_remove(0));
            assert!(unit.random_access);
            theirs.reset();
            ours.reset();
            let theirs = theirs.decode(&unit).unwrap().unwrap();
            let ours = ours.decode(&unit).unwrap().unwrap();
            assert!(samples(&ours) == samples(&theirs), "{name}");
            assert_eq!(ours.colour, theirs.colour);
        }
    }
}

#[cfg(feature = "ffmpeg")]
#[test]
fn libav_agrees_on_groups_of_pictures_and_refuses_b_frames() {
    use media_pipeline::FfmpegDecoder;

    for (codec, name, refused) in [
        (Codec::H264, "bars_gop.h264", false),
        (Codec::H265, "moving_p.h265", false),
        (Codec::H264, "moving_b_frames.h264", true),
        (Codec::H265, "moving_open_group.h265", true),
    ] {
        let mut theirs = FfmpegDecoder::new(codec).unwrap();
        let mut ours = decoder_for(codec).unwrap();
        let mut same = 0;
        let mut errors = 0;
        for picture in pictures_of(name) {
            let unit = unit(codec, picture);
            let ours = ours.decode(&unit).unwrap().unwrap();
            match theirs.decode(&unit) {
                Ok(theirs) => {
                    assert!(
                        samples(&ours) == samples(&theirs.unwrap()),
                        "{name}: {same}"
                    );
                    same += 1;
                }
                Err(error) => {
                    assert!(error.to_string().contains("B-frames"), "{name}: {error}");
                    errors += 1;
                    if codec == Codec::H264 {
                        break;
                    }
                }
            }
        }
        assert!(
            same > 0 && (errors > 0) == refused,
            "{name}: {same}, {errors}"
        );
    }
}

#[cfg(feature = "ffmpeg")]
#[test]
fn damage_costs_libav_one_picture() {
    use media_pipeline::FfmpegDecoder;

    let mut decoder = FfmpegDecoder::new(Codec::H264).unwrap();
    let (codec, whole) = clip("bars_main_cabac.h264");
    for cut in (0..whole.len()).step_by(whole.len() / 60) {
        let _ = decoder.decode(&unit(codec, whole[..cut].to_vec()));
        let mut noise = whole.clone();
        noise[cut] ^= 0x55;
        let _ = decoder.decode(&unit(codec, noise));
    }
    decoder.reset();
    assert!(decoder.decode(&unit(codec, whole)).unwrap().is_some());
}

#[cfg(feature = "ffmpeg")]
#[test]
fn a_decoder_that_libav_does_not_have_is_said() {
    use media_pipeline::FfmpegDecoder;

    for (codec, name) in [
        (Codec::H264, "h264_of_nobody"),
        (Codec::H265, "h264"),
        (Codec::H264, "a\0b"),
    ] {
        let error = FfmpegDecoder::with_name(codec, name).err().unwrap();
        assert!(error.to_string().contains("no decoder named"), "{error}");
    }
    assert!(FfmpegDecoder::with_name(Codec::H265, "hevc").is_ok());
    assert!(FfmpegDecoder::new(Codec::Jpeg).is_err());
}

/// The access units of a clip with one slice per picture.
#[cfg(feature = "ffmpeg")]
fn pictures_of(name: &str) -> Vec<Vec<u8>> {
    let (codec, data) = clip(name);
    if codec == Codec::H265 {
        let units = h265_units(name).into_iter();
        return units.map(|unit| unit.data.to_vec()).collect();
    }
    let slices = nals(&data).into_iter();
    let slices = slices.filter(|(_, header)| matches!(header & 0x1f, 1 | 5));
    let slices: Vec<usize> = slices.map(|(at, _)| at).collect();
    let starts = [0].into_iter().chain(slices[1..].iter().copied());
    let ends = slices[1..].iter().copied().chain([data.len()]);
    starts
        .zip(ends)
        .map(|(start, end)| data[start..end].to_vec())
        .collect()
}
