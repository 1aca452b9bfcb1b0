//! MP4 (ISO 14496-12): the `moov` of both kinds. mp4-atom writes the boxes.

mod fragmented;
mod plain;

use mp4_atom::esds::{DecoderConfig, DecoderSpecific, EsDescriptor, SLConfig};
use mp4_atom::{
    Audio, Avc1, Codec as Entry, Dinf, Dref, DrefEntry, Esds, Hdlr, Hvc1, Ilst, Jpeg, Mdhd, Mdia,
    Meta, Minf, Moov, Mp4a, Mvhd, Smhd, Stbl, Stsd, Tkhd, Trak, Udta, Url, Visual, Vmhd,
};

pub(super) use fragmented::Fragmented;
pub(super) use plain::Plain;

use super::mux::{About, has_nal_units};
use super::pieces::Pieces;
use super::track::{Sample, Track, VIDEO_TICKS, avcc, hvcc, share_lengths};
use crate::{Codec, Parameters};

/// Seconds from MP4's epoch, 1904, to that of Unix.
const EPOCH: u64 = 2_082_844_800;

/// Writes a sample's data; returns how many bytes that took.
fn write_data(track: &Track, sample: &Sample, out: &mut Pieces) -> u32 {
    let start = out.len();
    if has_nal_units(track.codec) {
        share_lengths(track, &sample.data, out);
    } else {
        out.share(sample.data.clone());
    }
    (out.len() - start) as u32
}

fn write_box(value: &impl mp4_atom::Encode, out: &mut Vec<u8>) {
    let start = out.len();
    if let Err(error) = value.encode(out) {
        // Only values that a box has no room for can do this; none of ours come from outside unchecked.
        debug_assert!(false, "{error}");
        out.truncate(start);
    }
}

/// The movie without samples. `duration` is in ticks of the video track.
fn movie(about: &About, duration: u64, tracks: Vec<Trak>) -> Moov {
    let made = about.seconds_since(EPOCH);
    let next_track_id = tracks.len() as u32 + 1;
    Moov {
        mvhd: Mvhd {
            creation_time: made,
            modification_time: made,
            timescale: VIDEO_TICKS,
            duration,
            rate: 1.into(),
            volume: 1.into(),
            matrix: Default::default(),
            next_track_id,
        },
        trak: tracks,
        udta: Some(Udta {
            meta: Some(Meta {
                hdlr: Hdlr {
                    handler: b"mdir".into(),
                    name: String::new(),
                },
                items: vec![
                    Ilst {
                        desc: Some(mp4_atom::Desc {
                            country_indicator: 0,
                            language_indicator: 0,
                            text: about.text(),
                        }),
                        ..Ilst::default()
                    }
                    .into(),
                ],
            }),
            ..Udta::default()
        }),
        ..Moov::default()
    }
}

/// A track. `duration` is in its own ticks.
fn trak(about: &About, index: usize, track: &Track, duration: u64, stbl: Stbl) -> Trak {
    let made = about.seconds_since(EPOCH);
    let (width, height) = track
        .video()
        .map_or((0, 0), |video| (video.width as u16, video.height as u16));
    let video = track.video().is_some();
    Trak {
        tkhd: Tkhd {
            creation_time: made,
            modification_time: made,
            track_id: index as u32 + 1,
            duration: track.rescale(duration, VIDEO_TICKS),
            enabled: true,
            in_movie: true,
            volume: if video { 0.into() } else { 1.into() },
            width: width.into(),
            height: height.into(),
            ..Tkhd::default()
        },
        mdia: Mdia {
            mdhd: Mdhd {
                creation_time: made,
                modification_time: made,
                timescale: track.timescale,
                duration,
                language: "und".into(),
            },
            hdlr: Hdlr {
                handler: if video { b"vide" } else { b"soun" }.into(),
                name: if video {
                    "VideoHandler"
                } else {
                    "SoundHandler"
                }
                .into(),
            },
            minf: Minf {
                vmhd: video.then(Vmhd::default),
                smhd: (!video).then(Smhd::default),
                dinf: Dinf {
                    dref: Dref {
                        entries: vec![DrefEntry::Url(Url::default())],
                    },
                },
                stbl,
                ..Minf::default()
            },
        },
        ..Trak::default()
    }
}

fn description(track: &Track) -> Stsd {
    let entry = match &*track.parameters {
        Parameters::Video(video) => {
            let visual = Visual {
                data_reference_index: 1,
                width: video.width as u16,
                height: video.height as u16,
                ..Visual::default()
            };
            match track.codec {
                Codec::H264 => Entry::from(Avc1 {
                    visual,
                    avcc: avcc(video),
                    ..Avc1::default()
                }),
                Codec::H265 => Entry::from(Hvc1 {
                    visual,
                    hvcc: hvcc(video),
                    ..Hvc1::default()
                }),
                _ => Entry::from(Jpeg {
                    visual,
                    ..Jpeg::default()
                }),
            }
        }
        Parameters::Audio(audio) => Entry::from(Mp4a {
            audio: Audio {
                data_reference_index: 1,
                channel_count: audio.channels,
                sample_size: 16,
                sample_rate: u16::try_from(audio.sample_rate).unwrap_or_default().into(),
            },
            esds: Esds {
                es_desc: EsDescriptor {
                    es_id: 1,
                    dec_config: DecoderConfig {
                        object_type_indication: 0x40,
                        stream_type: 5,
                        dec_specific: Some(specific(&audio.config)),
                        ..DecoderConfig::default()
                    },
                    sl_config: SLConfig {},
                    ..EsDescriptor::default()
                },
            },
            btrt: None,
            taic: None,
        }),
    };
    Stsd {
        codecs: vec![entry],
    }
}

fn specific(config: &[u8]) -> DecoderSpecific {
    DecoderSpecific {
        raw: config.to_vec(),
        ..DecoderSpecific::default()
    }
}
