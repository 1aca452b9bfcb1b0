use super::super::mux::{About, Muxer, Patch};
use super::super::pieces::Pieces;
use super::super::track::{Sample, Track};
use super::{AHEAD, crc, elementary, pes, stream_id, stream_type, times};

/// Packets of 188 bytes; every fragment begins with the tables.
pub(in crate::clip) struct TransportStream {
    tracks: Vec<Track>,
    about: About,
    /// Continuity counters: of the two tables, and of each track.
    counters: Vec<u8>,
}

const PACKET: usize = 188;
const PMT: u16 = 0x1000;
const FIRST_TRACK: u16 = 0x100;
/// Places of the counters.
const OF_PAT: usize = 0;
const OF_PMT: usize = 1;
const OF_TRACKS: usize = 2;

impl TransportStream {
    pub(in crate::clip) fn new(tracks: Vec<Track>, about: About) -> Self {
        Self {
            counters: vec![0; tracks.len() + OF_TRACKS],
            tracks,
            about,
        }
    }

    fn tables(&mut self, out: &mut Vec<u8>) {
        let pat = section(0, &[0, 1, 0xe0 | (PMT >> 8) as u8, PMT as u8]);
        let [p1, p0] = FIRST_TRACK.to_be_bytes();
        let mut body = vec![0xe0 | p1, p0, 0xf0, 0];
        for (pid, track) in (FIRST_TRACK..).zip(&self.tracks) {
            let [p1, p0] = pid.to_be_bytes();
            body.extend_from_slice(&[stream_type(track.codec), 0xe0 | p1, p0, 0xf0, 0]);
        }
        let pmt = section(2, &body);
        self.packets(0, OF_PAT, None, &pat, true, out);
        self.packets(PMT, OF_PMT, None, &pmt, true, out);
    }

    /// Cuts `data` into packets. `clock` goes into the first; tables are filled up with ones, all else is padded before
    /// the data.
    fn packets(
        &mut self,
        pid: u16,
        counter: usize,
        clock: Option<(u64, bool)>,
        data: &[u8],
        table: bool,
        out: &mut Vec<u8>,
    ) {
        let mut rest = data;
        let mut first = true;
        while first || !rest.is_empty() {
            let mut adaptation = Vec::new();
            if let (Some((clock, key)), true) = (clock, first) {
                adaptation.push(if key { 0x50 } else { 0x10 });
                let base = (clock << 15).to_be_bytes();
                // 33 bits of base, six reserved, nine of extension.
                adaptation.extend_from_slice(&base[2..6]);
                adaptation.extend_from_slice(&[base[6] & 0x80 | 0x7e, 0]);
            }
            let used = if adaptation.is_empty() {
                0
            } else {
                adaptation.len() + 1
            };
            let room = PACKET - 4 - used;
            let taken = rest.len().min(room);
            let missing = room - taken;
            if missing > 0 && !table {
                // The field's own length byte, and its flags, are padding too.
                if adaptation.is_empty() && missing > 1 {
                    adaptation.push(0);
                    adaptation.resize(missing - 1, 0xff);
                } else if !adaptation.is_empty() {
                    adaptation.resize(adaptation.len() + missing, 0xff);
                }
            }
            let has_field = used > 0 || (missing > 0 && !table);
            let [p1, p0] = pid.to_be_bytes();
            let start = if first { 0x40 } else { 0 };
            let control = if has_field { 0x30 } else { 0x10 };
            let count = &mut self.counters[counter];
            out.extend_from_slice(&[0x47, start | p1, p0, control | *count]);
            *count = (*count + 1) & 0xf;
            if has_field {
                out.push(adaptation.len() as u8);
                out.extend_from_slice(&adaptation);
            }
            out.extend_from_slice(&rest[..taken]);
            if table {
                out.resize(out.len() + missing, 0xff);
            }
            rest = &rest[taken..];
            first = false;
        }
    }
}

impl Muxer for TransportStream {
    fn header(&mut self, _: &mut Vec<u8>) {}

    fn write(&mut self, samples: &[Sample], out: &mut Pieces) {
        out.make(|out| {
            self.tables(out);
            for sample in samples {
                let track = &self.tracks[sample.track];
                let (pts, dts) = times(track, sample, &self.about);
                let data = elementary(track, sample);
                let video = sample.track == 0;
                // Pictures may leave their length open; sound may not.
                let length = if video {
                    usize::MAX - 1_000
                } else {
                    data.len()
                };
                let mut packet = pes(stream_id(sample.track), length, Some((pts, dts)), true);
                packet.extend_from_slice(&data);
                let clock = video.then_some((dts - AHEAD, sample.key));
                let pid = FIRST_TRACK + sample.track as u16;
                self.packets(pid, OF_TRACKS + sample.track, clock, &packet, false, out);
            }
        });
    }

    fn finish(&mut self, _: &mut Vec<u8>) -> Vec<Patch> {
        Vec::new()
    }
}

/// A table in one section (section 2.4.4), after the byte that points to it.
fn section(id: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u8 + 9;
    let mut out = vec![id, 0xb0, length, 0, 1, 0xc1, 0, 0];
    out.extend_from_slice(body);
    out.extend_from_slice(&crc(&out).to_be_bytes());
    out.insert(0, 0);
    out
}
