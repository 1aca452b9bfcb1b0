use mp4_atom::{
    Co64, Ctts, CttsEntry, Edts, Elst, ElstEntry, Ftyp, Stbl, Stsc, StscEntry, Stss, Stsz,
    StszSamples, Stts, SttsEntry,
};

use super::super::mux::{About, Muxer, Patch};
use super::super::pieces::Pieces;
use super::super::track::{Sample, Track, VIDEO_TICKS};
use super::{description, movie, trak, write_box, write_data};

/// One `mdat`, and the `moov` with its index after it.
pub(in crate::clip) struct Plain {
    about: About,
    tables: Vec<Table>,
    /// Where the next byte of the file goes.
    position: u64,
    /// Where the mdat begins.
    mdat: u64,
}

/// What the index says of a track.
struct Table {
    track: Track,
    sizes: Vec<u32>,
    times: Vec<(u64, u64, u32)>,
    keys: Vec<u32>,
    /// First sample and offset of each chunk.
    chunks: Vec<(u32, u64)>,
}

impl Plain {
    pub(in crate::clip) fn new(tracks: Vec<Track>, about: About) -> Self {
        let tables = tracks.into_iter().map(|track| Table {
            track,
            sizes: Vec::new(),
            times: Vec::new(),
            keys: Vec::new(),
            chunks: Vec::new(),
        });
        Self {
            about,
            tables: tables.collect(),
            position: 0,
            mdat: 0,
        }
    }
}

impl Muxer for Plain {
    fn header(&mut self, out: &mut Vec<u8>) {
        let brands: [&[u8; 4]; 3] = [b"isom", b"iso4", b"mp41"];
        let ftyp = Ftyp {
            major_brand: b"isom".into(),
            minor_version: 0,
            compatible_brands: brands.map(Into::into).to_vec(),
        };
        write_box(&ftyp, out);
        self.mdat = out.len() as u64;
        // Its length, in 64 bits, is known at the end.
        out.extend_from_slice(&[0, 0, 0, 1]);
        out.extend_from_slice(b"mdat");
        out.extend_from_slice(&16u64.to_be_bytes());
        self.position = out.len() as u64;
    }

    fn write(&mut self, samples: &[Sample], out: &mut Pieces) {
        for (index, table) in self.tables.iter_mut().enumerate() {
            let begun = table.sizes.len() as u32;
            let start = out.len();
            for sample in samples.iter().filter(|sample| sample.track == index) {
                table.sizes.push(write_data(&table.track, sample, out));
                table.times.push((sample.dts, sample.pts, sample.duration));
                if sample.key {
                    table.keys.push(table.sizes.len() as u32);
                }
            }
            if out.len() > start {
                table.chunks.push((begun, self.position));
                self.position += (out.len() - start) as u64;
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Vec<Patch> {
        let length = self.position - self.mdat;
        let traks = self.tables.iter().enumerate().map(|(index, table)| {
            let mut trak = trak(
                &self.about,
                index,
                &table.track,
                table.duration(),
                table.stbl(),
            );
            trak.edts = table.edits();
            trak
        });
        let video = self.tables.first().map_or(0, Table::duration);
        write_box(&movie(&self.about, video, traks.collect()), out);
        vec![Patch {
            at: self.mdat + 8,
            bytes: length.to_be_bytes().to_vec(),
        }]
    }
}

impl Table {
    fn start(&self) -> u64 {
        self.times.first().map_or(0, |(dts, ..)| *dts)
    }

    fn duration(&self) -> u64 {
        let end = self.times.last();
        end.map_or(0, |(dts, _, duration)| {
            dts + u64::from(*duration) - self.start()
        })
    }

    /// Sound that begins after the picture says so by an empty edit.
    fn edits(&self) -> Option<Edts> {
        let start = self.track.rescale(self.start(), VIDEO_TICKS);
        let edit = |segment_duration, media_time| ElstEntry {
            segment_duration,
            media_time,
            media_rate: 1.into(),
        };
        let duration = self.track.rescale(self.duration(), VIDEO_TICKS);
        (start > 0).then(|| Edts {
            elst: Some(Elst {
                entries: vec![edit(start, None), edit(duration, Some(0))],
            }),
        })
    }

    fn stbl(&self) -> Stbl {
        let mut stts: Vec<SttsEntry> = Vec::new();
        let mut ctts: Vec<CttsEntry> = Vec::new();
        for &(dts, pts, duration) in &self.times {
            match stts.last_mut() {
                Some(run) if run.sample_delta == duration => run.sample_count += 1,
                _ => stts.push(SttsEntry {
                    sample_count: 1,
                    sample_delta: duration,
                }),
            }
            let offset = pts as i64 - dts as i64;
            match ctts.last_mut() {
                Some(run) if run.sample_offset == offset => run.sample_count += 1,
                _ => ctts.push(CttsEntry {
                    sample_count: 1,
                    sample_offset: offset,
                }),
            }
        }
        let shown_as_decoded = ctts.iter().all(|run| run.sample_offset == 0);
        let mut stsc: Vec<StscEntry> = Vec::new();
        for (index, (first, _)) in self.chunks.iter().enumerate() {
            let end = self
                .chunks
                .get(index + 1)
                .map_or(self.sizes.len() as u32, |next| next.0);
            if stsc
                .last()
                .is_none_or(|run| run.samples_per_chunk != end - first)
            {
                stsc.push(StscEntry {
                    first_chunk: index as u32 + 1,
                    samples_per_chunk: end - first,
                    sample_description_index: 1,
                });
            }
        }
        let all_keys = self.keys.len() == self.sizes.len();
        Stbl {
            stsd: description(&self.track),
            stts: Stts { entries: stts },
            ctts: (!shown_as_decoded).then_some(Ctts { entries: ctts }),
            stss: (!all_keys).then(|| Stss {
                entries: self.keys.clone(),
            }),
            stsc: Stsc { entries: stsc },
            stsz: Stsz {
                samples: StszSamples::Different {
                    sizes: self.sizes.clone(),
                },
            },
            co64: Some(Co64 {
                entries: self.chunks.iter().map(|(_, offset)| *offset).collect(),
            }),
            ..Stbl::default()
        }
    }
}
