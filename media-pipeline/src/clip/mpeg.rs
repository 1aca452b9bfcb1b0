//! MPEG-2 systems (ISO 13818-1): transport and program streams.
//!
//! Written here: of the two, crates do packets of the transport stream alone, not what has to be in them.

mod program;
mod transport;

pub(super) use program::ProgramStream;
pub(super) use transport::TransportStream;

use super::mux::{About, has_nal_units};
use super::track::{Sample, Track, VIDEO_TICKS, adts};
use crate::{Codec, h264, h265};

/// Where time begins: clocks have to run ahead of what is decoded.
const START: u64 = VIDEO_TICKS as u64;
/// How far the stream's clock is ahead of decoding.
const AHEAD: u64 = START / 2;

/// `stream_type` (table 2-34).
fn stream_type(codec: Codec) -> u8 {
    match codec {
        Codec::H264 => 0x1b,
        Codec::H265 => 0x24,
        _ => 0x0f,
    }
}

/// `stream_id` (table 2-22).
fn stream_id(track: usize) -> u8 {
    if track == 0 {
        0xe0
    } else {
        0xc0 + (track as u8 - 1)
    }
}

/// Times of showing and decoding in ticks of the video track.
fn times(track: &Track, sample: &Sample, about: &About) -> (u64, u64) {
    let dts = START + track.rescale(sample.dts, VIDEO_TICKS);
    let pts = START + track.rescale(sample.pts, VIDEO_TICKS) + about.delay;
    let dts = if sample.track == 0 { dts.min(pts) } else { pts };
    (pts, dts)
}

/// A sample's data as an elementary stream.
fn elementary(track: &Track, sample: &Sample) -> Vec<u8> {
    const H264_DELIMITER: &[u8] = &[0, 0, 0, 1, 0x09, 0xf0];
    const H265_DELIMITER: &[u8] = &[0, 0, 0, 1, 0x46, 0x01, 0x50];
    let mut out = Vec::with_capacity(sample.data.len() + 16);
    if has_nal_units(track.codec) {
        let first = h264::nal_units(&sample.data).next().unwrap_or_default();
        match track.codec {
            Codec::H264 if !h264::is_delimiter(first) => out.extend_from_slice(H264_DELIMITER),
            Codec::H265 if !h265::is_delimiter(first) => out.extend_from_slice(H265_DELIMITER),
            _ => {}
        }
    }
    if let (Codec::Aac, Some(audio)) = (track.codec, track.audio()) {
        out.extend_from_slice(&adts(audio, sample.data.len()));
    }
    out.extend_from_slice(&sample.data);
    out
}

/// The header of a PES packet (section 2.4.3.6). `length` is that of the data; where it does not fit, it is left open.
fn pes(id: u8, length: usize, times: Option<(u64, u64)>, aligned: bool) -> Vec<u8> {
    let mut stamps = Vec::new();
    let flags = match times {
        None => 0,
        Some((pts, dts)) if pts == dts => {
            stamp(&mut stamps, 2, pts);
            0x80
        }
        Some((pts, dts)) => {
            stamp(&mut stamps, 3, pts);
            stamp(&mut stamps, 1, dts);
            0xc0
        }
    };
    let length = u16::try_from(length + 3 + stamps.len()).unwrap_or(0);
    let [l1, l0] = length.to_be_bytes();
    let alignment = if aligned { 0x84 } else { 0x80 };
    let mut out = vec![0, 0, 1, id, l1, l0, alignment, flags, stamps.len() as u8];
    out.append(&mut stamps);
    out
}

/// 33 bits of time with markers between.
fn stamp(out: &mut Vec<u8>, prefix: u8, ticks: u64) {
    out.push(prefix << 4 | (ticks >> 29) as u8 & 0x0e | 1);
    out.push((ticks >> 22) as u8);
    out.push((ticks >> 14) as u8 | 1);
    out.push((ticks >> 7) as u8);
    out.push((ticks << 1) as u8 | 1);
}

/// CRC of tables (annex A).
fn crc(data: &[u8]) -> u32 {
    data.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_that_of_the_standard() {
        assert_eq!(crc(b"123456789"), 0x0376_e6e7);
    }

    #[test]
    fn time_stamps_have_markers() {
        let mut out = Vec::new();
        stamp(&mut out, 2, 0x1_ffff_ffff);
        assert_eq!(out, [0x2f, 0xff, 0xff, 0xff, 0xff]);
        out.clear();
        stamp(&mut out, 3, 90_000);
        assert_eq!(out, [0x31, 0x00, 0x05, 0xbf, 0x21]);
    }

    #[test]
    fn a_pes_header_tells_both_times_only_where_they_differ() {
        assert_eq!(
            pes(0xe0, 10, Some((5, 5)), true)[4..9],
            [0, 18, 0x84, 0x80, 5]
        );
        assert_eq!(
            pes(0xe0, 10, Some((5, 4)), true)[4..9],
            [0, 23, 0x84, 0xc0, 10]
        );
        assert_eq!(pes(0xe0, 100_000, None, false)[4..9], [0, 0, 0x80, 0, 0]);
    }
}
