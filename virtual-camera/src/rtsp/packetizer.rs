//! RTP packets of H.264 (RFC 3550, RFC 6184) and the RTCP reports that go with them.

use std::time::SystemTime;

use bytes::{BufMut, Bytes, BytesMut};

/// The payload type that the session description names.
pub(super) const PAYLOAD_TYPE: u8 = 96;
/// Most bytes of payload in a packet; with all headers that is less than the MTU of Ethernet.
const MAX_PAYLOAD: usize = 1400;

const FU_A: u8 = 28;
const CNAME: &[u8] = b"virtual-camera";
/// From 1900, where NTP counts from, to 1970.
const NTP_UNIX_SECONDS: u64 = 2_208_988_800;

/// The sending side of one RTP stream.
#[derive(Debug)]
pub(super) struct Packetizer {
    ssrc: u32,
    next_sequence: u16,
    first_timestamp: u32,
    packets: u32,
    octets: u32,
}

impl Packetizer {
    /// The three are random in each session (RFC 3550, 5.1).
    pub(super) fn new(ssrc: u32, first_sequence: u16, first_timestamp: u32) -> Self {
        Self {
            ssrc,
            next_sequence: first_sequence,
            first_timestamp,
            packets: 0,
            octets: 0,
        }
    }

    pub(super) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Whether no packet was made yet.
    pub(super) fn is_unused(&self) -> bool {
        self.packets == 0
    }

    /// The sequence number of the packet that comes next.
    pub(super) fn next_sequence(&self) -> u16 {
        self.next_sequence
    }

    /// The RTP timestamp at `ticks` of the timeline.
    pub(super) fn timestamp(&self, ticks: u32) -> u32 {
        self.first_timestamp.wrapping_add(ticks)
    }

    /// The packets of one frame, the last with the marker.
    pub(super) fn access_unit(&mut self, nal_units: &[Bytes], ticks: u32) -> Vec<Bytes> {
        let mut packets = Vec::new();
        for (index, nal_unit) in nal_units.iter().enumerate() {
            let last = index + 1 == nal_units.len();
            let Some((&header, body)) = nal_unit.split_first() else {
                continue;
            };
            if nal_unit.len() <= MAX_PAYLOAD {
                packets.push(self.packet(&[], nal_unit, last, ticks));
                continue;
            }
            let mut fragments = body.chunks(MAX_PAYLOAD - 2).peekable();
            let mut start = 0x80;
            while let Some(fragment) = fragments.next() {
                let end = if fragments.peek().is_none() { 0x40 } else { 0 };
                let indicator = header & 0xe0 | FU_A;
                let fu_header = start | end | header & 0x1f;
                packets.push(self.packet(
                    &[indicator, fu_header],
                    fragment,
                    last && end != 0,
                    ticks,
                ));
                start = 0;
            }
        }
        packets
    }

    fn packet(&mut self, prefix: &[u8], payload: &[u8], marker: bool, ticks: u32) -> Bytes {
        let octets = prefix.len() + payload.len();
        let mut packet = BytesMut::with_capacity(12 + octets);
        packet.put_u8(0x80);
        packet.put_u8(u8::from(marker) << 7 | PAYLOAD_TYPE);
        packet.put_u16(self.next_sequence);
        packet.put_u32(self.timestamp(ticks));
        packet.put_u32(self.ssrc);
        packet.put_slice(prefix);
        packet.put_slice(payload);
        self.next_sequence = self.next_sequence.wrapping_add(1);
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(octets as u32);
        packet.freeze()
    }

    /// A sender report that says which RTP time it is at which wall-clock time.
    pub(super) fn report(&self, wall: SystemTime, ticks: u32) -> Bytes {
        self.compound(wall, ticks).freeze()
    }

    /// A last report, with the word that nothing follows.
    pub(super) fn bye(&self, wall: SystemTime, ticks: u32) -> Bytes {
        let mut packet = self.compound(wall, ticks);
        packet.put_slice(&[0x81, 203, 0, 1]);
        packet.put_u32(self.ssrc);
        packet.freeze()
    }

    /// A sender report and the source description that must follow it (RFC 3550, 6.1).
    fn compound(&self, wall: SystemTime, ticks: u32) -> BytesMut {
        let since_1970 = wall
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let fraction = (u64::from(since_1970.subsec_nanos()) << 32) / 1_000_000_000;

        let mut packet = BytesMut::new();
        packet.put_slice(&[0x80, 200, 0, 6]);
        packet.put_u32(self.ssrc);
        packet.put_u32((since_1970.as_secs() + NTP_UNIX_SECONDS) as u32);
        packet.put_u32(fraction as u32);
        packet.put_u32(self.timestamp(ticks));
        packet.put_u32(self.packets);
        packet.put_u32(self.octets);

        // One chunk: SSRC, CNAME, and zeros up to the next word, at least one.
        let chunk_words = (4 + 2 + CNAME.len()) / 4 + 1;
        packet.put_slice(&[0x81, 202, 0, chunk_words as u8]);
        packet.put_u32(self.ssrc);
        packet.put_slice(&[1, CNAME.len() as u8]);
        packet.put_slice(CNAME);
        packet.put_bytes(0, chunk_words * 4 - (4 + 2 + CNAME.len()));
        packet
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clip::Clip;

    /// Puts NAL units together again as a receiver does, and checks the marker.
    fn reassemble(packets: &[Bytes]) -> Vec<Vec<u8>> {
        let mut nal_units: Vec<Vec<u8>> = Vec::new();
        for (index, packet) in packets.iter().enumerate() {
            let marker = packet[1] & 0x80 != 0;
            assert_eq!(marker, index + 1 == packets.len());
            let payload = &packet[12..];
            assert!(payload.len() <= MAX_PAYLOAD);
            if payload[0] & 0x1f != FU_A {
                nal_units.push(payload.to_vec());
                continue;
            }
            if payload[1] & 0x80 != 0 {
                nal_units.push(vec![payload[0] & 0xe0 | payload[1] & 0x1f]);
            }
            nal_units.last_mut().unwrap().extend(&payload[2..]);
        }
        nal_units
    }

    #[test]
    fn carries_every_frame_of_the_clip_unchanged() {
        let clip = Clip::built_in();
        let mut packetizer = Packetizer::new(1, 65_000, 0);
        let mut sequence = 65_000_u16;
        let mut fragmented = 0;
        for access_unit in clip.access_units() {
            let packets = packetizer.access_unit(&access_unit.nal_units, 0);
            assert_eq!(reassemble(&packets), access_unit.nal_units);
            fragmented += usize::from(packets.len() > access_unit.nal_units.len());
            for packet in &packets {
                assert_eq!(u16::from_be_bytes([packet[2], packet[3]]), sequence);
                sequence = sequence.wrapping_add(1);
            }
        }
        assert!(fragmented > 0);
        assert_eq!(packetizer.next_sequence(), sequence);
    }

    #[test]
    fn sets_start_and_end_on_the_outer_fragments_only() {
        let nal_unit = Bytes::from([&[0x65][..], &[7; 3 * MAX_PAYLOAD]].concat());
        let packets = Packetizer::new(1, 0, 0).access_unit(&[nal_unit], 0);
        let fu_headers: Vec<u8> = packets.iter().map(|packet| packet[13]).collect();
        assert_eq!(fu_headers, [0x85, 0x05, 0x05, 0x45]);
    }

    #[test]
    fn fills_the_packet_before_it_fragments() {
        let nal_unit = |length: usize| [Bytes::from(vec![0x41; length])];
        let mut packetizer = Packetizer::new(1, 0, 0);
        assert_eq!(packetizer.access_unit(&nal_unit(MAX_PAYLOAD), 0).len(), 1);
        assert_eq!(
            packetizer.access_unit(&nal_unit(MAX_PAYLOAD + 1), 0).len(),
            2
        );
        assert!(packetizer.access_unit(&[Bytes::new()], 0).is_empty());
    }

    #[test]
    fn stamps_packets_with_type_time_and_source() {
        let mut packetizer = Packetizer::new(0xdead_beef, 0, u32::MAX);
        let packets = packetizer.access_unit(&[Bytes::from_static(&[0x41, 1])], 6_001);
        assert_eq!(
            packets[0][..],
            [
                0x80, 0xe0, 0, 0, 0, 0, 0x17, 0x70, 0xde, 0xad, 0xbe, 0xef, 0x41, 1
            ]
        );
    }

    #[test]
    fn reports_what_it_sent_and_when() {
        let mut packetizer = Packetizer::new(9, 0, 100);
        packetizer.access_unit(&[Bytes::from_static(&[0x41, 1])], 0);
        let wall = SystemTime::UNIX_EPOCH + Duration::from_millis(1_500);
        let report = packetizer.report(wall, 50);
        let word =
            |index: usize| u32::from_be_bytes(report[index * 4..index * 4 + 4].try_into().unwrap());
        assert_eq!(word(0), 0x80c8_0006);
        assert_eq!(word(1), 9);
        assert_eq!(u64::from(word(2)), NTP_UNIX_SECONDS + 1);
        assert_eq!(word(3), 1 << 31);
        assert_eq!([word(4), word(5), word(6)], [150, 1, 2]);
        // The lengths of both parts add up.
        assert_eq!(word(7) >> 16, 0x81ca);
        assert_eq!(report.len(), 28 + 4 + 4 * (word(7) & 0xffff) as usize);
        assert_eq!(report.last(), Some(&0));

        let bye = packetizer.bye(wall, 50);
        assert!(bye.starts_with(&report));
        assert_eq!(bye[report.len()..], [0x81, 203, 0, 1, 0, 0, 0, 9]);
    }
}
