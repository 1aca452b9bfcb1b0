//! Damaged units in every container: nothing panics, and what is written is not much more than what came.

use std::time::Duration;

use super::Container;
use super::assembly::{Assembly, Taken};
use super::mux::{About, delay, muxer};
use super::pieces::Pieces;
use crate::mutated::{COUNT, units};
use crate::{AccessUnit, Codec};

const CONTAINERS: [Container; 8] = [
    Container::Mp4,
    Container::PlainMp4,
    Container::Mkv,
    Container::Avi,
    Container::Mts,
    Container::Mpeg,
    Container::Flv,
    Container::Mjpeg,
];

/// Video with sound between its pictures.
fn stream(video: Codec, audio: Codec) -> impl Iterator<Item = AccessUnit> {
    let share = COUNT / 6;
    units(video, share)
        .zip(units(audio, share))
        .flat_map(|(picture, mut sound)| {
            sound.track = 1;
            [picture, sound]
        })
}

#[test]
fn every_container_takes_damaged_units_or_refuses_them() {
    let mut clips = 0;
    for (video, audio) in [
        (Codec::H264, Codec::Aac),
        (Codec::H265, Codec::Pcmu),
        (Codec::Jpeg, Codec::Aac),
    ] {
        for container in CONTAINERS
            .into_iter()
            .filter(|container| container.fits(video))
        {
            let mut units = stream(video, audio).peekable();
            while units.peek().is_some() {
                clips += u32::from(clip(container, &mut units));
            }
        }
    }
    assert!(clips > 100, "{clips}");
}

/// Makes one clip of what comes next. Whether there was one.
fn clip(container: Container, units: &mut impl Iterator<Item = AccessUnit>) -> bool {
    let length = Duration::from_secs(3);
    let begun = units.find_map(|unit| {
        let assembly = Assembly::begin(&unit, container, true, length);
        Some((assembly.ok()??, unit.wall))
    });
    let Some((mut assembly, start)) = begun else {
        return false;
    };
    let (mut came, mut file, mut writer) = (0, Vec::new(), None);
    let mut write = |assembly: &Assembly, samples: Vec<_>| {
        let muxer = writer.get_or_insert_with(|| {
            let about = About {
                start,
                requested: length,
                delay: delay(&samples),
            };
            let mut muxer = muxer(container, assembly.tracks().cloned().collect(), about);
            muxer.header(&mut file);
            muxer
        });
        let mut pieces = Pieces::default();
        muxer.write(&samples, &mut pieces);
        file.extend(pieces.to_vec());
    };
    for unit in units {
        came += unit.data.len() + 1_000;
        if let Taken::Next(_) = assembly.push(&unit) {
            let rest = assembly.finish(Some(&unit));
            write(&assembly, rest);
            break;
        }
        while let Some(samples) = assembly.fragment() {
            write(&assembly, samples);
        }
    }
    let Some(mut muxer) = writer else {
        return false;
    };
    let patches = muxer.finish(&mut file);
    let length = file.len() as u64;
    assert!(
        patches
            .iter()
            .all(|patch| patch.at + patch.bytes.len() as u64 <= length)
    );
    assert!(file.len() < 4 * came + 10_000, "{} of {came}", file.len());
    true
}
