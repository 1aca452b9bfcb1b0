//! Flash video (Adobe Flash Video File Format Specification 10.1). Times are milliseconds.

use super::mux::{About, Muxer, Patch};
use super::pieces::Pieces;
use super::track::{Sample, Track, VIDEO_TICKS, configuration, write_lengths};
use crate::Codec;

pub(super) struct Flv {
    tracks: Vec<Track>,
    about: About,
    /// Where the value of the duration stands.
    duration: u64,
    end: u64,
}

const AUDIO: u8 = 8;
const VIDEO: u8 = 9;
const SCRIPT: u8 = 18;
/// Second byte of a tag's data: the decoder's configuration, or a frame.
const CONFIGURATION: u8 = 0;
const FRAME: u8 = 1;

impl Flv {
    pub(super) fn new(tracks: Vec<Track>, about: About) -> Self {
        Self {
            tracks,
            about,
            duration: 0,
            end: 0,
        }
    }

    fn metadata(&mut self, out: &mut Vec<u8>) {
        let mut data = vec![2, 0, 10];
        data.extend_from_slice(b"onMetaData");
        let mut properties: Vec<(&str, f64)> = vec![("duration", 0.0)];
        if let Some(video) = self.tracks.first().and_then(Track::video) {
            properties.push(("width", video.width.into()));
            properties.push(("height", video.height.into()));
        }
        properties.push(("requestedDuration", self.about.requested.as_secs_f64()));
        data.push(8);
        data.extend_from_slice(&(properties.len() as u32 + 1).to_be_bytes());
        let mut at = 0;
        for (name, value) in properties {
            name_of(&mut data, name);
            data.push(0);
            if name == "duration" {
                at = data.len();
            }
            data.extend_from_slice(&value.to_be_bytes());
        }
        name_of(&mut data, "description");
        data.push(2);
        let text = self.about.text();
        data.extend_from_slice(&(text.len() as u16).to_be_bytes());
        data.extend_from_slice(text.as_bytes());
        data.extend_from_slice(&[0, 0, 9]);
        self.duration = (out.len() + 11 + at) as u64;
        tag(SCRIPT, 0, &[&data], out);
    }
}

impl Muxer for Flv {
    fn header(&mut self, out: &mut Vec<u8>) {
        let flags = if self.tracks.len() > 1 { 5 } else { 1 };
        out.extend_from_slice(&[b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]);
        self.metadata(out);
        for track in &self.tracks {
            let record = configuration(track);
            match track.codec {
                Codec::H264 => tag(VIDEO, 0, &[&[0x17, CONFIGURATION, 0, 0, 0], &record], out),
                Codec::Aac => tag(AUDIO, 0, &[&[0xaf, CONFIGURATION], &record], out),
                _ => {}
            }
        }
    }

    fn write(&mut self, samples: &[Sample], out: &mut Pieces) {
        out.make(|out| {
            for sample in samples {
                let track = &self.tracks[sample.track];
                let millis = |ticks| track.rescale(ticks, 1_000);
                let delay = self.about.delay;
                let shift = (delay * 1_000).div_ceil(VIDEO_TICKS.into());
                match track.codec {
                    Codec::H264 => {
                        let shown = millis(sample.pts + delay).saturating_sub(millis(sample.dts));
                        let [_, c2, c1, c0] = (shown as u32).to_be_bytes();
                        let kind = if sample.key { 0x17 } else { 0x27 };
                        let mut data = Vec::with_capacity(sample.data.len() + 16);
                        write_lengths(track, &sample.data, &mut data);
                        tag(
                            VIDEO,
                            millis(sample.dts),
                            &[&[kind, FRAME, c2, c1, c0], &data],
                            out,
                        );
                        let end = millis(sample.pts + u64::from(sample.duration)) + shift;
                        self.end = self.end.max(end);
                    }
                    Codec::Aac => {
                        let time = millis(sample.dts) + shift;
                        tag(AUDIO, time, &[&[0xaf, FRAME], &sample.data], out);
                    }
                    codec => {
                        let format = if codec == Codec::Pcma { 0x72 } else { 0x82 };
                        tag(
                            AUDIO,
                            millis(sample.dts) + shift,
                            &[&[format], &sample.data],
                            out,
                        );
                    }
                }
            }
        });
    }

    fn finish(&mut self, _: &mut Vec<u8>) -> Vec<Patch> {
        vec![Patch {
            at: self.duration,
            bytes: (self.end as f64 / 1_000.0).to_be_bytes().to_vec(),
        }]
    }
}

fn name_of(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(&(name.len() as u16).to_be_bytes());
    out.extend_from_slice(name.as_bytes());
}

fn tag(kind: u8, millis: u64, parts: &[&[u8]], out: &mut Vec<u8>) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let [_, l2, l1, l0] = (length as u32).to_be_bytes();
    let [t3, t2, t1, t0] = (millis as u32).to_be_bytes();
    out.extend_from_slice(&[kind, l2, l1, l0, t2, t1, t0, t3, 0, 0, 0]);
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out.extend_from_slice(&(length as u32 + 11).to_be_bytes());
}
