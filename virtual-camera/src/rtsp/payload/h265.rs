//! H.265 (RFC 7798), without decoding order numbers.

use bytes::Bytes;

use super::{MAX_PAYLOAD, aggregated};

const AP: u8 = 48;
const FU: u8 = 49;

pub(super) fn cut(mut nal_units: &[Bytes], emit: &mut dyn FnMut(&[&[u8]], bool)) {
    while let Some((first, rest)) = nal_units.split_first() {
        let together = aggregated(nal_units, 2);
        if together > 1 {
            let (these, others) = nal_units.split_at(together);
            aggregate(these, others.is_empty(), emit);
            nal_units = others;
            continue;
        }
        nal_units = rest;
        let Some((&[high, low], body)) = first.split_first_chunk() else {
            continue;
        };
        if first.len() <= MAX_PAYLOAD {
            emit(&[first], rest.is_empty());
            continue;
        }
        let mut fragments = body.chunks(MAX_PAYLOAD - 3).peekable();
        let mut start = 0x80;
        while let Some(fragment) = fragments.next() {
            let end = if fragments.peek().is_none() { 0x40 } else { 0 };
            let prefix = [high & 0x81 | FU << 1, low, start | end | high >> 1 & 0x3f];
            emit(&[&prefix, fragment], rest.is_empty() && end != 0);
            start = 0;
        }
    }
}

fn aggregate(nal_units: &[Bytes], last: bool, emit: &mut dyn FnMut(&[&[u8]], bool)) {
    // Layer 0 and temporal sub-layer 0, as everything in the clip.
    let header = [AP << 1, 1];
    let lengths: Vec<_> = nal_units
        .iter()
        .map(|unit| (unit.len() as u16).to_be_bytes())
        .collect();
    let mut parts: Vec<&[u8]> = vec![&header];
    for (length, nal_unit) in lengths.iter().zip(nal_units) {
        parts.extend([&length[..], nal_unit]);
    }
    emit(&parts, last);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::{Clip, Codec};

    #[test]
    fn carries_every_frame_of_the_clip_unchanged() {
        let mut seen = [false; 3];
        for unit in Clip::of(Codec::H265).units() {
            let mut packets = Vec::new();
            cut(&unit.parts, &mut |parts, marker| {
                packets.push((parts.concat(), marker))
            });
            let mut nal_units: Vec<Vec<u8>> = Vec::new();
            for (index, (payload, marker)) in packets.iter().enumerate() {
                assert_eq!(*marker, index + 1 == packets.len());
                assert!(payload.len() <= MAX_PAYLOAD);
                match payload[0] >> 1 {
                    FU => {
                        seen[0] = true;
                        if payload[2] & 0x80 != 0 {
                            nal_units.push(vec![
                                payload[0] & 0x81 | (payload[2] & 0x3f) << 1,
                                payload[1],
                            ]);
                        }
                        nal_units.last_mut().unwrap().extend(&payload[3..]);
                    }
                    AP => {
                        seen[1] = true;
                        let mut rest = &payload[2..];
                        while let [high, low, tail @ ..] = rest {
                            let (unit, tail) =
                                tail.split_at(u16::from_be_bytes([*high, *low]).into());
                            nal_units.push(unit.to_vec());
                            rest = tail;
                        }
                    }
                    _ => {
                        seen[2] = true;
                        nal_units.push(payload.clone());
                    }
                }
            }
            assert_eq!(nal_units, unit.parts);
        }
        assert_eq!(seen, [true; 3]);
    }
}
