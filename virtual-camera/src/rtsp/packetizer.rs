//! RTP packets (RFC 3550) and the RTCP reports that go with them.

use std::time::SystemTime;

use bytes::{BufMut, Bytes, BytesMut};

const CNAME: &[u8] = b"virtual-camera";
/// From 1900, where NTP counts from, to 1970.
const NTP_UNIX_SECONDS: u64 = 2_208_988_800;

/// The sending side of one RTP stream.
#[derive(Debug)]
pub(super) struct Packetizer {
    payload_type: u8,
    ssrc: u32,
    next_sequence: u16,
    first_timestamp: u32,
    packets: u32,
    octets: u32,
}

impl Packetizer {
    /// The last three are random in each session (RFC 3550, 5.1).
    pub(super) fn new(
        payload_type: u8,
        ssrc: u32,
        first_sequence: u16,
        first_timestamp: u32,
    ) -> Self {
        Self {
            payload_type,
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

    /// The packet that carries these parts, one after the other.
    pub(super) fn packet(&mut self, parts: &[&[u8]], marker: bool, ticks: u32) -> Bytes {
        let octets = parts.iter().map(|part| part.len()).sum::<usize>();
        let mut packet = BytesMut::with_capacity(12 + octets);
        packet.put_u8(0x80);
        packet.put_u8(u8::from(marker) << 7 | self.payload_type);
        packet.put_u16(self.next_sequence);
        packet.put_u32(self.timestamp(ticks));
        packet.put_u32(self.ssrc);
        for part in parts {
            packet.put_slice(part);
        }
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

/// The word that nothing follows from a source of which there is nothing to report.
pub(super) fn goodbye(ssrc: u32) -> Bytes {
    let mut packet = BytesMut::new();
    for head in [[0x80, 201, 0, 1], [0x81, 203, 0, 1]] {
        packet.put_slice(&head);
        packet.put_u32(ssrc);
    }
    packet.freeze()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    #[test]
    fn stamps_packets_with_type_time_and_source() {
        let mut packetizer = Packetizer::new(96, 0xdead_beef, u16::MAX, u32::MAX);
        let packet = packetizer.packet(&[&[0x41], &[1]], true, 6_001);
        assert_eq!(
            packet[..],
            [
                0x80, 0xe0, 0xff, 0xff, 0, 0, 0x17, 0x70, 0xde, 0xad, 0xbe, 0xef, 0x41, 1
            ]
        );
        assert_eq!(packetizer.next_sequence(), 0);
    }

    #[test]
    fn reports_what_it_sent_and_when() {
        let mut packetizer = Packetizer::new(96, 9, 0, 100);
        packetizer.packet(&[&[0x41, 1]], true, 0);
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
