//! Matroska (RFC 9559), in EBML (RFC 8794).
//!
//! Written here, because the crates that could do it bring along unmaintained ones, or leave the whole structure to us anyway.

mod ebml;

use ebml::{element, float, master, number, string, unknown_size};

use super::mux::{About, Muxer, Patch, has_nal_units};
use super::pieces::Pieces;
use super::track::{Sample, Track, VIDEO_TICKS, configuration, wave_format, write_lengths};
use crate::Codec;

/// Seconds from Matroska's epoch, 2001, back to that of Unix.
const EPOCH: u64 = 978_307_200;
/// Blocks count from their cluster in milliseconds of 16 bits.
const LONGEST_CLUSTER: u64 = 30_000;

pub(super) struct Matroska {
    tracks: Vec<Track>,
    about: About,
    /// Where the segment's content begins.
    segment: u64,
    /// Where the value of the duration stands.
    duration: u64,
    position: u64,
    /// Time and place of each cluster that begins with a key frame.
    cues: Vec<(u64, u64)>,
    /// End of the last picture in milliseconds.
    end: f64,
}

impl Matroska {
    pub(super) fn new(tracks: Vec<Track>, about: About) -> Self {
        Self {
            tracks,
            about,
            segment: 0,
            duration: 0,
            position: 0,
            cues: Vec::new(),
            end: 0.0,
        }
    }

    fn info(&mut self, out: &mut Vec<u8>) {
        let unix = self.about.seconds_since(0);
        let date = unix.saturating_sub(EPOCH) * 1_000_000_000;
        let mut info = Vec::new();
        number(&mut info, 0x2AD7B1, 1_000_000); // TimestampScale: milliseconds
        element(&mut info, 0x4461, &date.to_be_bytes()); // DateUTC
        string(&mut info, 0x4D80, "media-pipeline");
        string(&mut info, 0x5741, "media-pipeline");
        float(&mut info, 0x4489, 0.0); // Duration
        master(out, 0x1549A966, |out| out.extend_from_slice(&info));
        self.duration = out.len() as u64 - 8;
    }

    fn tags(&self, out: &mut Vec<u8>) {
        master(out, 0x1254C367, |out| {
            master(out, 0x7373, |out| {
                master(out, 0x63C0, |_| {}); // Targets: the whole file
                master(out, 0x67C8, |out| {
                    string(out, 0x45A3, "DESCRIPTION");
                    string(out, 0x4487, &self.about.text());
                });
            });
        });
    }

    /// The time at which a sample is shown, in milliseconds.
    fn millis(&self, sample: &Sample) -> u64 {
        self.tracks[sample.track].rescale(sample.pts, 1_000)
    }

    fn cluster(&mut self, samples: &[Sample], out: &mut Vec<u8>) {
        let Some(time) = samples.iter().map(|sample| self.millis(sample)).min() else {
            return;
        };
        let at = self.position - self.segment;
        let begun = out.len();
        if let Some(first) = samples.iter().find(|sample| sample.track == 0)
            && first.key
        {
            self.cues.push((self.millis(first), at));
        }
        master(out, 0x1F43B675, |out| {
            number(out, 0xE7, time);
            let mut data = Vec::new();
            for sample in samples {
                let track = &self.tracks[sample.track];
                data.clear();
                data.push(0x81 + sample.track as u8);
                let since = i16::try_from(self.millis(sample) - time).unwrap_or(i16::MAX);
                data.extend_from_slice(&since.to_be_bytes());
                data.push(if sample.key { 0x80 } else { 0 });
                if has_nal_units(track.codec) {
                    write_lengths(track, &sample.data, &mut data);
                } else {
                    data.extend_from_slice(&sample.data);
                }
                element(out, 0xA3, &data); // SimpleBlock
            }
        });
        self.position += (out.len() - begun) as u64;
    }
}

impl Muxer for Matroska {
    fn header(&mut self, out: &mut Vec<u8>) {
        master(out, 0x1A45DFA3, |out| {
            number(out, 0x4286, 1);
            number(out, 0x42F7, 1);
            number(out, 0x42F2, 4);
            number(out, 0x42F3, 8);
            string(out, 0x4282, "matroska");
            number(out, 0x4287, 4);
            number(out, 0x4285, 2);
        });
        // Until the end nobody knows how long it is; a file that was cut off is read as far as it goes.
        unknown_size(out, 0x18538067);
        self.segment = out.len() as u64;
        self.info(out);
        master(out, 0x1654AE6B, |out| {
            for (index, track) in self.tracks.iter().enumerate() {
                master(out, 0xAE, |out| entry(index as u64 + 1, track, out));
            }
        });
        self.tags(out);
        self.position = out.len() as u64;
    }

    fn write(&mut self, samples: &[Sample], out: &mut Pieces) {
        let mut rest = samples;
        while let Some(first) = rest.first() {
            let start = self.millis(first);
            let far = |s: &Sample| self.millis(s).saturating_sub(start) > LONGEST_CLUSTER;
            let end = rest.iter().position(far).unwrap_or(rest.len());
            out.make(|out| self.cluster(&rest[..end], out));
            rest = &rest[end..];
        }
        for sample in samples.iter().filter(|sample| sample.track == 0) {
            let shown = sample.pts + u64::from(sample.duration);
            let millis = shown as f64 * 1_000.0 / f64::from(VIDEO_TICKS);
            self.end = self.end.max(millis);
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Vec<Patch> {
        master(out, 0x1C53BB6B, |out| {
            for &(time, at) in &self.cues {
                master(out, 0xBB, |out| {
                    number(out, 0xB3, time);
                    master(out, 0xB7, |out| {
                        number(out, 0xF7, 1);
                        number(out, 0xF1, at);
                    });
                });
            }
        });
        let length = self.position + out.len() as u64 - self.segment;
        let size = Patch {
            at: self.segment - 8,
            bytes: (length | 1 << 56).to_be_bytes().to_vec(),
        };
        let duration = Patch {
            at: self.duration,
            bytes: self.end.to_be_bytes().to_vec(),
        };
        vec![size, duration]
    }
}

/// TrackEntry.
fn entry(number_of_track: u64, track: &Track, out: &mut Vec<u8>) {
    number(out, 0xD7, number_of_track);
    number(out, 0x73C5, number_of_track);
    number(out, 0x9C, 0); // no lacing
    string(out, 0x22B59C, "und");
    let (id, private) = match track.codec {
        Codec::H264 => ("V_MPEG4/ISO/AVC", configuration(track)),
        Codec::H265 => ("V_MPEGH/ISO/HEVC", configuration(track)),
        Codec::Jpeg => ("V_MJPEG", Vec::new()),
        Codec::Aac => ("A_AAC", configuration(track)),
        _ => ("A_MS/ACM", wave_format(track)),
    };
    string(out, 0x86, id);
    if !private.is_empty() {
        element(out, 0x63A2, &private);
    }
    if let Some(video) = track.video() {
        number(out, 0x83, 1);
        master(out, 0xE0, |out| {
            number(out, 0xB0, video.width.into());
            number(out, 0xBA, video.height.into());
        });
    }
    if let Some(audio) = track.audio() {
        number(out, 0x83, 2);
        master(out, 0xE1, |out| {
            float(out, 0xB5, audio.sample_rate.into());
            number(out, 0x9F, audio.channels.into());
            if track.codec != Codec::Aac {
                number(out, 0x6264, 8);
            }
        });
    }
}
