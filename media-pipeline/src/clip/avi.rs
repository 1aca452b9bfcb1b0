//! AVI 1.0 (Microsoft, "AVI RIFF File Reference"). All pictures are equally far apart in it: their mean distance is kept.

use super::mux::{About, Muxer, Patch};
use super::pieces::Pieces;
use super::track::{Sample, Track, VIDEO_TICKS, wave_format};
use crate::{Codec, Parameters};

pub(super) struct Avi {
    tracks: Vec<Track>,
    about: About,
    counts: Vec<Count>,
    /// Where the content of the list of chunks begins, with its name.
    movi: u64,
    position: u64,
    index: Vec<u8>,
}

/// What a stream's header says at the end.
#[derive(Clone, Debug, Default)]
struct Count {
    chunks: u32,
    bytes: u64,
    largest: u32,
    first: Option<u64>,
    end: u64,
}

const KEY: u32 = 0x10;
const HAS_INDEX: u32 = 0x10;

impl Avi {
    pub(super) fn new(tracks: Vec<Track>, about: About) -> Self {
        Self {
            counts: vec![Count::default(); tracks.len()],
            tracks,
            about,
            movi: 0,
            position: 0,
            index: Vec::new(),
        }
    }

    /// All before the chunks; as long in the end as in the beginning.
    fn head(&self, riff: u64, movi: u64) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(b"RIFF");
        put(&mut out, &[riff as u32]);
        out.extend_from_slice(b"AVI ");
        list(&mut out, b"hdrl", |out| {
            let video = &self.counts[0];
            let (width, height) = self.size();
            let per_frame = u64::from(self.scale()) * 1_000_000 / u64::from(VIDEO_TICKS);
            chunk(out, b"avih", |out| {
                let streams = self.tracks.len() as u32;
                put(
                    out,
                    &[per_frame as u32, 0, 0, HAS_INDEX, video.chunks, 0, streams],
                );
                put(out, &[video.largest, width, height, 0, 0, 0, 0]);
            });
            for (track, count) in self.tracks.iter().zip(&self.counts) {
                list(out, b"strl", |out| self.stream(track, count, out));
            }
        });
        list(&mut out, b"INFO", |out| {
            let text = self.about.text();
            chunk(out, b"ICMT", |out| out.extend_from_slice(text.as_bytes()));
            chunk(out, b"ISFT", |out| out.extend_from_slice(b"media-pipeline"));
        });
        out.extend_from_slice(b"LIST");
        put(&mut out, &[movi as u32]);
        out
    }

    fn stream(&self, track: &Track, count: &Count, out: &mut Vec<u8>) {
        let (width, height) = self.size();
        let handler: &[u8; 4] = match track.codec {
            Codec::H264 => b"H264",
            Codec::Jpeg => b"MJPG",
            _ => &[0; 4],
        };
        let (kind, scale, rate, length, sample) = match &*track.parameters {
            Parameters::Video(_) => (b"vids", self.scale(), VIDEO_TICKS, count.chunks, 0),
            Parameters::Audio(audio) if track.codec == Codec::Aac => {
                (b"auds", 1024, audio.sample_rate, count.chunks, 0)
            }
            Parameters::Audio(audio) => {
                let block = u64::from(audio.channels.max(1));
                let samples = (count.bytes / block) as u32;
                (b"auds", 1, audio.sample_rate, samples, block as u32)
            }
        };
        let start = count.first.unwrap_or(0) / u64::from(scale.max(1));
        let start = if kind == b"vids" { 0 } else { start as u32 };
        chunk(out, b"strh", |out| {
            out.extend_from_slice(kind);
            out.extend_from_slice(handler);
            put(
                out,
                &[
                    0,
                    0,
                    0,
                    scale,
                    rate,
                    start,
                    length,
                    count.largest,
                    u32::MAX,
                    sample,
                ],
            );
            for side in [0, 0, width as u16, height as u16] {
                out.extend_from_slice(&side.to_le_bytes());
            }
        });
        chunk(out, b"strf", |out| match &*track.parameters {
            Parameters::Video(_) => {
                put(out, &[40, width, height, 1 | 24 << 16]);
                out.extend_from_slice(handler);
                put(
                    out,
                    &[width.saturating_mul(height).saturating_mul(3), 0, 0, 0, 0],
                );
            }
            Parameters::Audio(_) => out.extend_from_slice(&wave_format(track)),
        });
    }

    fn size(&self) -> (u32, u32) {
        let video = self.tracks.first().and_then(Track::video);
        video.map_or((0, 0), |video| (video.width, video.height))
    }

    /// Ticks from one picture to the next.
    fn scale(&self) -> u32 {
        let video = &self.counts[0];
        let mean = video.end / u64::from(video.chunks.max(1));
        u32::try_from(mean).unwrap_or(u32::MAX).max(1)
    }
}

impl Muxer for Avi {
    fn header(&mut self, out: &mut Vec<u8>) {
        out.extend(self.head(0, 0));
        self.movi = out.len() as u64;
        out.extend_from_slice(b"movi");
        self.position = out.len() as u64;
    }

    fn write(&mut self, samples: &[Sample], out: &mut Pieces) {
        out.make(|out| {
            for sample in samples {
                let name: &[u8; 2] = if sample.track == 0 { b"dc" } else { b"wb" };
                let id = [b'0', b'0' + sample.track as u8, name[0], name[1]];
                let begun = out.len();
                chunk(out, &id, |out| out.extend_from_slice(&sample.data));
                self.index.extend_from_slice(&id);
                let flags = if sample.key { KEY } else { 0 };
                let length = sample.data.len() as u32;
                let at = (self.position - self.movi) as u32;
                put(&mut self.index, &[flags, at, length]);
                self.position += (out.len() - begun) as u64;
                let count = &mut self.counts[sample.track];
                count.chunks += 1;
                count.bytes += u64::from(length);
                count.largest = count.largest.max(length);
                count.first = count.first.or(Some(sample.dts));
                count.end = count.end.max(sample.dts + u64::from(sample.duration));
            }
        });
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Vec<Patch> {
        let index = std::mem::take(&mut self.index);
        chunk(out, b"idx1", |out| out.extend_from_slice(&index));
        let riff = self.position + out.len() as u64 - 8;
        vec![Patch {
            at: 0,
            bytes: self.head(riff, self.position - self.movi),
        }]
    }
}

fn put(out: &mut Vec<u8>, numbers: &[u32]) {
    for number in numbers {
        out.extend_from_slice(&number.to_le_bytes());
    }
}

fn chunk(out: &mut Vec<u8>, id: &[u8; 4], content: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(id);
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    content(out);
    let length = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
    if length % 2 == 1 {
        out.push(0);
    }
}

fn list(out: &mut Vec<u8>, id: &[u8; 4], content: impl FnOnce(&mut Vec<u8>)) {
    chunk(out, b"LIST", |out| {
        out.extend_from_slice(id);
        content(out);
    });
}
