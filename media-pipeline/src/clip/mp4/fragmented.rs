use mp4_atom::{
    Ftyp, Mehd, Mfhd, Moof, Mvex, Stbl, Tfdt, Tfhd, Traf, Trex, Trun, TrunEntry, TrunSamples,
};

use super::super::mux::{About, Muxer, Patch};
use super::super::pieces::Pieces;
use super::super::track::{Sample, Track};
use super::{description, movie, trak, write_box, write_data};

/// A `moov` without samples, then fragments that stand for themselves.
pub(in crate::clip) struct Fragmented {
    tracks: Vec<Track>,
    about: About,
    sequence: u32,
    /// End of the video track in its ticks.
    end: u64,
}

const KEY: u32 = 0x0200_0000;
/// Depends on others, and is not for starting with.
const NOT_KEY: u32 = 0x0101_0000;

impl Fragmented {
    pub(in crate::clip) fn new(tracks: Vec<Track>, about: About) -> Self {
        Self {
            tracks,
            about,
            sequence: 0,
            end: 0,
        }
    }

    fn head(&self, duration: u64) -> Vec<u8> {
        let mut out = Vec::new();
        let brands: [&[u8; 4]; 4] = [b"iso6", b"iso5", b"mp41", b"isom"];
        let ftyp = Ftyp {
            major_brand: b"iso6".into(),
            minor_version: 0,
            compatible_brands: brands.map(Into::into).to_vec(),
        };
        write_box(&ftyp, &mut out);
        let traks = self.tracks.iter().enumerate().map(|(index, track)| {
            let stbl = Stbl {
                stsd: description(track),
                stco: Some(Default::default()),
                ..Stbl::default()
            };
            trak(&self.about, index, track, 0, stbl)
        });
        let mut moov = movie(&self.about, 0, traks.collect());
        let trex = (1..=self.tracks.len() as u32).map(|track_id| Trex {
            track_id,
            default_sample_description_index: 1,
            ..Trex::default()
        });
        moov.mvex = Some(Mvex {
            mehd: Some(Mehd {
                fragment_duration: duration,
            }),
            trex: trex.collect(),
        });
        write_box(&moov, &mut out);
        out
    }

    fn moof(&self, runs: &[(usize, u64, Vec<TrunEntry>)], offsets: &[i32]) -> Moof {
        let trafs = runs.iter().zip(offsets);
        let trafs = trafs.map(|((track, dts, entries), &offset)| Traf {
            tfhd: Tfhd {
                track_id: *track as u32 + 1,
                default_base_is_moof: true,
                ..Tfhd::default()
            },
            tfdt: Some(Tfdt {
                base_media_decode_time: *dts,
            }),
            trun: vec![Trun {
                data_offset: Some(offset),
                samples: TrunSamples::Explicit(entries.clone()),
            }],
            ..Traf::default()
        });
        Moof {
            mfhd: Mfhd {
                sequence_number: self.sequence,
            },
            traf: trafs.collect(),
        }
    }
}

impl Muxer for Fragmented {
    fn header(&mut self, out: &mut Vec<u8>) {
        out.extend(self.head(0));
    }

    fn write(&mut self, samples: &[Sample], out: &mut Pieces) {
        self.sequence += 1;
        let mut data = Pieces::default();
        let (mut runs, mut starts) = (Vec::new(), Vec::new());
        for (index, track) in self.tracks.iter().enumerate() {
            let of_track = || samples.iter().filter(|sample| sample.track == index);
            let Some(first) = of_track().next() else {
                continue;
            };
            starts.push(data.len());
            let entries = of_track().map(|sample| TrunEntry {
                duration: Some(sample.duration),
                size: Some(write_data(track, sample, &mut data)),
                flags: Some(if sample.key { KEY } else { NOT_KEY }),
                cts: (index == 0).then(|| sample.pts as i64 - sample.dts as i64),
            });
            runs.push((index, first.dts, entries.collect()));
        }
        if let Some(last) = samples.iter().rfind(|sample| sample.track == 0) {
            self.end = last.dts + u64::from(last.duration);
        }
        // Offsets count from the start of the moof, whose length does not depend on them.
        let mut moof = Vec::new();
        write_box(&self.moof(&runs, &vec![0; runs.len()]), &mut moof);
        let mdat = moof.len() + 8;
        let offsets: Vec<_> = starts.iter().map(|start| (mdat + start) as i32).collect();
        out.make(|out| {
            write_box(&self.moof(&runs, &offsets), out);
            out.extend_from_slice(&(data.len() as u32 + 8).to_be_bytes());
            out.extend_from_slice(b"mdat");
        });
        out.append(data);
    }

    fn finish(&mut self, _: &mut Vec<u8>) -> Vec<Patch> {
        vec![Patch {
            at: 0,
            bytes: self.head(self.end),
        }]
    }
}
