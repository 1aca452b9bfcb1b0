//! What decoders do with pictures that are damaged, hostile, or not in their place.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::num::NonZeroUsize;
use std::time::Duration;

use media_pipeline::{
    AccessUnit, Codec, DecodePool, Error, H265Decoder, VideoDecoder, WallClock, decoder_for,
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
