use super::super::mux::{About, Muxer, Patch};
use super::super::pieces::Pieces;
use super::super::track::{Sample, Track};
use super::{AHEAD, crc, elementary, pes, stream_id, stream_type, times};

/// One pack for each access unit; every fragment begins with the map of the streams.
pub(in crate::clip) struct ProgramStream {
    tracks: Vec<Track>,
    about: About,
}

/// Most data in one PES packet, whose length has 16 bits.
const LARGEST: usize = 65_000;
/// 50 Mbit/s in units of 50 bytes a second.
const MUX_RATE: u32 = 125_000;

impl ProgramStream {
    pub(in crate::clip) fn new(tracks: Vec<Track>, about: About) -> Self {
        Self { tracks, about }
    }

    /// System header (section 2.5.3.5) and program stream map (section 2.5.4.1).
    fn tables(&self, out: &mut Vec<u8>) {
        let sound = self.tracks.len() as u8 - 1;
        let rate = (1 << 23 | MUX_RATE << 1 | 1).to_be_bytes();
        let mut system = vec![rate[1], rate[2], rate[3], sound << 2, 0xe1, 0x7f];
        for track in 0..self.tracks.len() {
            // Buffers of 46 KiB and more for pictures, 4 KiB for sound.
            let bound: [u8; 2] = if track == 0 {
                [0xe0, 0xe6]
            } else {
                [0xc0, 0x20]
            };
            system.push(stream_id(track));
            system.extend_from_slice(&bound);
        }
        out.extend_from_slice(&[0, 0, 1, 0xbb]);
        out.extend_from_slice(&(system.len() as u16).to_be_bytes());
        out.extend_from_slice(&system);

        let mut streams = Vec::new();
        for (index, track) in self.tracks.iter().enumerate() {
            streams.extend_from_slice(&[stream_type(track.codec), stream_id(index), 0, 0]);
        }
        let mut map = vec![0, 0, 1, 0xbc];
        map.extend_from_slice(&(streams.len() as u16 + 10).to_be_bytes());
        map.extend_from_slice(&[0xe0, 0xff, 0, 0]);
        map.extend_from_slice(&(streams.len() as u16).to_be_bytes());
        map.extend_from_slice(&streams);
        let checksum = crc(&map);
        map.extend_from_slice(&checksum.to_be_bytes());
        out.extend_from_slice(&map);
    }
}

impl Muxer for ProgramStream {
    fn header(&mut self, _: &mut Vec<u8>) {}

    fn write(&mut self, samples: &[Sample], out: &mut Pieces) {
        out.make(|out| {
            let mut first = true;
            for sample in samples {
                let track = &self.tracks[sample.track];
                let (pts, dts) = times(track, sample, &self.about);
                pack(dts - AHEAD, out);
                if std::mem::take(&mut first) {
                    self.tables(out);
                }
                let data = elementary(track, sample);
                let id = stream_id(sample.track);
                for (part, chunk) in data.chunks(LARGEST).enumerate() {
                    let stamps = (part == 0).then_some((pts, dts));
                    out.extend_from_slice(&pes(id, chunk.len(), stamps, part == 0));
                    out.extend_from_slice(chunk);
                }
            }
        });
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Vec<Patch> {
        out.extend_from_slice(&[0, 0, 1, 0xb9]);
        Vec::new()
    }
}

/// Pack header (section 2.5.3.3).
fn pack(clock: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0, 0, 1, 0xba]);
    out.push(0x44 | (clock >> 27) as u8 & 0x38 | (clock >> 28) as u8 & 0x03);
    out.push((clock >> 20) as u8);
    out.push((clock >> 12) as u8 & 0xf8 | 0x04 | (clock >> 13) as u8 & 0x03);
    out.push((clock >> 5) as u8);
    out.push((clock << 3) as u8 & 0xf8 | 0x04);
    out.push(0x01);
    let rate = (MUX_RATE << 2 | 3).to_be_bytes();
    out.extend_from_slice(&rate[1..]);
    out.push(0xf8);
}
