//! H.264 (RFC 6184), packetization mode 1.

use bytes::Bytes;

use super::{MAX_PAYLOAD, aggregated};

const STAP_A: u8 = 24;
const FU_A: u8 = 28;

pub(super) fn cut(mut nal_units: &[Bytes], emit: &mut dyn FnMut(&[&[u8]], bool)) {
    while let Some((first, rest)) = nal_units.split_first() {
        let together = aggregated(nal_units, 1);
        if together > 1 {
            let (these, others) = nal_units.split_at(together);
            aggregate(these, others.is_empty(), emit);
            nal_units = others;
            continue;
        }
        nal_units = rest;
        let Some((&header, body)) = first.split_first() else {
            continue;
        };
        if first.len() <= MAX_PAYLOAD {
            emit(&[first], rest.is_empty());
            continue;
        }
        let mut fragments = body.chunks(MAX_PAYLOAD - 2).peekable();
        let mut start = 0x80;
        while let Some(fragment) = fragments.next() {
            let end = if fragments.peek().is_none() { 0x40 } else { 0 };
            let prefix = [header & 0xe0 | FU_A, start | end | header & 0x1f];
            emit(&[&prefix, fragment], rest.is_empty() && end != 0);
            start = 0;
        }
    }
}

fn aggregate(nal_units: &[Bytes], last: bool, emit: &mut dyn FnMut(&[&[u8]], bool)) {
    let importance = nal_units
        .iter()
        .map(|unit| unit.first().map_or(0, |header| header & 0x60));
    let header = [importance.max().unwrap_or(0) | STAP_A];
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

    fn packets(nal_units: &[Bytes]) -> Vec<(Vec<u8>, bool)> {
        let mut packets = Vec::new();
        cut(nal_units, &mut |parts, marker| {
            packets.push((parts.concat(), marker))
        });
        packets
    }

    /// Puts NAL units together again as a receiver does, and checks the marker.
    fn reassemble(packets: &[(Vec<u8>, bool)]) -> Vec<Vec<u8>> {
        let mut nal_units: Vec<Vec<u8>> = Vec::new();
        for (index, (payload, marker)) in packets.iter().enumerate() {
            assert_eq!(*marker, index + 1 == packets.len());
            assert!(payload.len() <= MAX_PAYLOAD);
            match payload[0] & 0x1f {
                FU_A => {
                    if payload[1] & 0x80 != 0 {
                        nal_units.push(vec![payload[0] & 0xe0 | payload[1] & 0x1f]);
                    }
                    nal_units.last_mut().unwrap().extend(&payload[2..]);
                }
                STAP_A => {
                    let mut rest = &payload[1..];
                    while let [high, low, tail @ ..] = rest {
                        let (unit, tail) = tail.split_at(u16::from_be_bytes([*high, *low]).into());
                        nal_units.push(unit.to_vec());
                        rest = tail;
                    }
                }
                _ => nal_units.push(payload.clone()),
            }
        }
        nal_units
    }

    #[test]
    fn carries_every_frame_of_the_clip_unchanged() {
        let mut fragmented = 0;
        for unit in Clip::of(Codec::H264).units() {
            let packets = packets(&unit.parts);
            assert_eq!(reassemble(&packets), unit.parts);
            fragmented += usize::from(packets.len() > unit.parts.len());
            // The parameter sets come in one packet.
            assert_eq!(packets[0].0[0] & 0x1f == STAP_A, unit.is_key);
        }
        assert!(fragmented > 0);
    }

    #[test]
    fn sets_start_and_end_on_the_outer_fragments_only() {
        let nal_unit = Bytes::from([&[0x65][..], &[7; 3 * MAX_PAYLOAD]].concat());
        let fu_headers: Vec<u8> = packets(&[nal_unit])
            .iter()
            .map(|(packet, _)| packet[1])
            .collect();
        assert_eq!(fu_headers, [0x85, 0x05, 0x05, 0x45]);
    }

    #[test]
    fn fills_the_packet_before_it_fragments() {
        let nal_unit = |length: usize| [Bytes::from(vec![0x41; length])];
        assert_eq!(packets(&nal_unit(MAX_PAYLOAD)).len(), 1);
        assert_eq!(packets(&nal_unit(MAX_PAYLOAD + 1)).len(), 2);
        assert!(packets(&[Bytes::new()]).is_empty());
    }
}
