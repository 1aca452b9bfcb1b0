//! H.264 (RFC 6184, packetization mode 1) and H.265 (RFC 7798): each NAL unit in a packet of its own, or in fragments.

use super::{MAX_PAYLOAD, Payload};
use crate::Codec;
use crate::h264::nal_units;

const FU_A: u8 = 28;
const FU: u8 = 49;

pub(super) fn cut(codec: Codec, data: &[u8], emit: &mut dyn FnMut(Payload<'_>)) {
    let header = header_length(codec);
    let mut units = nal_units(data)
        .filter(|unit| unit.len() >= header)
        .peekable();
    while let Some(unit) = units.next() {
        let last = units.peek().is_none();
        if unit.len() <= MAX_PAYLOAD {
            emit(Payload {
                parts: &[unit],
                marker: last,
                later: 0,
            });
        } else {
            fragments(codec, unit, last, emit);
        }
    }
}

fn fragments(codec: Codec, unit: &[u8], last: bool, emit: &mut dyn FnMut(Payload<'_>)) {
    const START: u8 = 0x80;
    const END: u8 = 0x40;
    let (own, rest) = unit.split_at(header_length(codec));
    let mut parts = rest.chunks(MAX_PAYLOAD - 3).peekable();
    let mut place = START;
    while let Some(part) = parts.next() {
        let ends = parts.peek().is_none();
        let place = std::mem::take(&mut place) | if ends { END } else { 0 };
        let (h264, h265);
        let header: &[u8] = match *own {
            [first, second] => {
                let kind = first >> 1 & 0x3f;
                h265 = [first & 0x81 | FU << 1, second, place | kind];
                &h265
            }
            _ => {
                let first = own[0];
                h264 = [first & 0xe0 | FU_A, place | first & 0x1f];
                &h264
            }
        };
        emit(Payload {
            parts: &[header, part],
            marker: last && ends,
            later: 0,
        });
    }
}

fn header_length(codec: Codec) -> usize {
    if codec == Codec::H265 { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(units: &[Vec<u8>]) -> Vec<u8> {
        units
            .iter()
            .flat_map(|unit| [&[0, 0, 0, 1], &unit[..]].concat())
            .collect()
    }

    /// What a receiver makes of the packets.
    fn put_together(codec: Codec, data: &[u8]) -> Vec<Vec<u8>> {
        let (mut units, mut marks) = (Vec::<Vec<u8>>::new(), 0);
        cut(codec, data, &mut |payload| {
            assert_eq!(marks, 0, "nothing comes after the marker");
            marks += u32::from(payload.marker);
            let packet = payload.parts.concat();
            assert!(packet.len() <= MAX_PAYLOAD);
            let (first, fragment, rest) = match (codec, &packet[..]) {
                (Codec::H264, [a, fu, rest @ ..]) if a & 0x1f == FU_A => {
                    (vec![a & 0xe0 | fu & 0x1f], *fu, rest)
                }
                (Codec::H265, [a, b, fu, rest @ ..]) if a >> 1 & 0x3f == FU => {
                    (vec![a & 0x81 | (fu & 0x3f) << 1, *b], *fu, rest)
                }
                _ => (Vec::new(), 0xc0, &packet[..]),
            };
            if fragment & 0x80 != 0 {
                units.push(first);
            }
            units.last_mut().unwrap().extend_from_slice(rest);
        });
        assert_eq!(marks, 1);
        units
    }

    #[test]
    fn a_receiver_gets_back_what_was_cut_at_any_length() {
        for (codec, set, slice) in [
            (Codec::H264, vec![0x67, 1, 2], vec![0x65]),
            (Codec::H265, vec![0x42, 1, 2], vec![0x27, 0x01]),
        ] {
            for length in (1390..1410).chain([2790, 2797, 2798, 2799, 2800, 100_000]) {
                let mut long = slice.clone();
                long.extend((0..length).map(|i: u32| (i % 251) as u8 + 1));
                let units = [
                    set.clone(),
                    long,
                    slice.iter().copied().chain([9]).collect(),
                ];
                assert_eq!(
                    put_together(codec, &stream(&units)),
                    units,
                    "{codec} {length}"
                );
            }
        }
    }

    #[test]
    fn units_without_a_whole_header_are_left_out() {
        let data = stream(&[vec![], vec![0x26], vec![0x26, 0x01, 5]]);
        assert_eq!(put_together(Codec::H265, &data), [[0x26, 0x01, 5]]);
    }
}
