//! RTP and RTCP packets (RFC 3550), interleaved with an RTSP connection (RFC 2326 section 10.12). Pure.

use std::time::{Duration, SystemTime};

use bytes::{BufMut as _, BytesMut};

use super::payload::{self, Payload};
use crate::clock::to_ntp;
use crate::{AccessUnit, Error};

/// How much media time passes between sender reports.
const REPORTS: Duration = Duration::from_secs(5);
/// Names this source in reports. It tells nothing of the host.
const CNAME: &[u8] = b"media-pipeline";

/// The packets of one track.
#[derive(Debug)]
pub(super) struct Sender {
    /// That of RTP; RTCP has the next.
    channel: u8,
    payload_type: u8,
    /// Ticks per second.
    rate: u32,
    source: u32,
    sequence: u16,
    /// The timestamp of media time zero.
    base: u32,
    packets: u32,
    bytes: u32,
    report_at: Option<i128>,
}

/// Numbers that have to be random, so that nobody can guess what is encrypted elsewhere (RFC 3550 section 5.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    pub(super) source: u32,
    pub(super) sequence: u16,
    pub(super) base: u32,
}

impl Sender {
    pub(super) fn new(payload_type: u8, rate: u32, numbers: Numbers) -> Self {
        Self {
            channel: 0,
            payload_type,
            rate,
            source: numbers.source,
            sequence: numbers.sequence,
            base: numbers.base,
            packets: 0,
            bytes: 0,
            report_at: None,
        }
    }

    /// The server has the last word on channels.
    pub(super) fn set_channel(&mut self, channel: u8) {
        self.channel = channel;
    }

    /// Writes the packets of a unit, and before them a report when it is time for one. `at` is media time in nanoseconds. Returns how
    /// many packets of media there were.
    ///
    /// # Errors
    /// [`Error::Payload`] where the unit cannot be sent; no packet was written then.
    pub(super) fn write(
        &mut self,
        unit: &AccessUnit,
        at: i128,
        out: &mut BytesMut,
    ) -> Result<u32, Error> {
        let timestamp = self.timestamp(at);
        // Before the first packet, so that a receiver knows how the tracks belong together before it plays them.
        if self.report_at.is_none_or(|due| at >= due) {
            self.report(timestamp, unit.wall.time, out);
            self.report_at = Some(at + REPORTS.as_nanos() as i128);
        }
        let before = self.packets;
        payload::cut(unit, &mut |payload| self.packet(timestamp, &payload, out))?;
        Ok(self.packets.wrapping_sub(before))
    }

    fn timestamp(&self, at: i128) -> u32 {
        let ticks = (at * i128::from(self.rate) + 500_000_000).div_euclid(1_000_000_000);
        // Timestamps wrap around.
        self.base.wrapping_add(ticks as u32)
    }

    fn packet(&mut self, timestamp: u32, payload: &Payload<'_>, out: &mut BytesMut) {
        let length: usize = payload.parts.iter().map(|part| part.len()).sum();
        frame(self.channel, 12 + length, out);
        out.put_u8(0x80);
        out.put_u8(u8::from(payload.marker) << 7 | self.payload_type);
        out.put_u16(self.sequence);
        out.put_u32(timestamp.wrapping_add(payload.later));
        out.put_u32(self.source);
        payload.parts.iter().for_each(|part| out.put_slice(part));
        self.sequence = self.sequence.wrapping_add(1);
        self.packets = self.packets.wrapping_add(1);
        self.bytes = self.bytes.wrapping_add(length as u32);
    }

    /// A sender report and who sends it (RFC 3550 sections 6.4.1 and 6.5).
    fn report(&self, timestamp: u32, time: SystemTime, out: &mut BytesMut) {
        // Source, item, its end; filled up to whole words.
        let items = 4 + 2 + CNAME.len() + 1;
        let padding = items.next_multiple_of(4) - items;
        let description = items + padding;
        frame(self.channel + 1, 28 + 4 + description, out);
        out.put_slice(&[0x80, 200, 0, 6]);
        out.put_u32(self.source);
        out.put_u64(to_ntp(time));
        out.put_u32(timestamp);
        out.put_u32(self.packets);
        out.put_u32(self.bytes);
        out.put_slice(&[0x81, 202]);
        out.put_u16((description / 4) as u16);
        out.put_u32(self.source);
        out.put_slice(&[1, CNAME.len() as u8]);
        out.put_slice(CNAME);
        out.put_bytes(0, 1 + padding);
    }
}

fn frame(channel: u8, length: usize, out: &mut BytesMut) {
    out.put_u8(b'$');
    out.put_u8(channel);
    out.put_u16(length as u16);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Codec, TimeOrigin, WallClock};

    const NUMBERS: Numbers = Numbers {
        source: 0x0102_0304,
        sequence: u16::MAX,
        base: u32::MAX - 100,
    };

    fn unit(seconds: u64) -> AccessUnit {
        let wall = WallClock {
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds),
            origin: TimeOrigin::SenderReport,
        };
        let data: &[u8] = &[0, 0, 1, 0x67, 1, 0, 0, 1, 0x65, 2];
        AccessUnit::new(Codec::H264, data.into(), Duration::ZERO, wall)
    }

    fn frames(out: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut frames = Vec::new();
        let mut rest = out;
        while let [b'$', channel, high, low, tail @ ..] = rest {
            let (frame, tail) = tail.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            frames.push((*channel, frame.to_vec()));
            rest = tail;
        }
        assert_eq!(rest, []);
        frames
    }

    fn word(packet: &[u8], at: usize) -> u32 {
        u32::from_be_bytes(packet[at..at + 4].try_into().unwrap())
    }

    #[test]
    fn numbers_and_timestamps_wrap_around_and_the_last_packet_has_the_marker() {
        let mut sender = Sender::new(96, 90_000, NUMBERS);
        sender.set_channel(4);
        let mut out = BytesMut::new();
        assert_eq!(sender.write(&unit(0), 2_000_000, &mut out).unwrap(), 2);
        let frames = frames(&out);
        assert_eq!(frames[0].0, 5);
        assert_eq!(frames[1].1[..4], [0x80, 96, 0xff, 0xff]);
        assert_eq!(frames[2].1[..4], [0x80, 0x80 | 96, 0, 0]);
        for (channel, packet) in &frames[1..] {
            assert_eq!(
                (*channel, word(packet, 4), word(packet, 8)),
                (4, 79, 0x0102_0304)
            );
        }
    }

    #[test]
    fn a_report_at_the_start_and_every_five_seconds_maps_media_time_to_real_time() {
        let mut sender = Sender::new(96, 90_000, NUMBERS);
        let mut reports = Vec::new();
        for second in 0..12u64 {
            let mut out = BytesMut::new();
            let at = i128::from(second) * 1_000_000_000;
            sender.write(&unit(second), at, &mut out).unwrap();
            let of_channel = frames(&out)
                .into_iter()
                .filter(|(channel, _)| *channel == 1);
            reports.extend(of_channel.map(|(_, report)| (second, report)));
        }
        assert_eq!(reports.iter().map(|r| r.0).collect::<Vec<_>>(), [0, 5, 10]);
        let report = &reports[1].1;
        assert_eq!(report.len() % 4, 0);
        assert_eq!(report[..4], [0x80, 200, 0, 6]);
        assert_eq!(word(report, 8), (1_800_000_005u64 + 2_208_988_800) as u32);
        assert_eq!(word(report, 16), NUMBERS.base.wrapping_add(450_000));
        assert_eq!((word(report, 20), word(report, 24)), (10, 20));
        let description = &report[28..];
        assert_eq!(description[..2], [0x81, 202]);
        assert_eq!(usize::from(description[3]) * 4 + 4, description.len());
    }

    #[test]
    fn damaged_units_become_packets_or_nothing() {
        use crate::mutated::{COUNT, units};
        use crate::restream::lineup::Lineup;
        use crate::restream::sdp;

        let mut sent = 0;
        for codec in [
            Codec::H264,
            Codec::H265,
            Codec::Jpeg,
            Codec::Aac,
            Codec::Pcmu,
        ] {
            let mut sender = Sender::new(96, 90_000, NUMBERS);
            for (number, unit) in units(codec, COUNT / 5).enumerate() {
                let mut out = BytesMut::new();
                let at = unit.pts.as_nanos() as i128;
                sent += sender.write(&unit, at, &mut out).unwrap_or(0);
                assert!(frames(&out).iter().all(|(_, packet)| packet.len() <= 1_412));
                assert!(out.len() < 2 * unit.data.len() + 8_000);
                if number % 25 == 0 {
                    let mut lineup = Lineup::new(false);
                    let _ = lineup.push(unit);
                    let local = std::net::IpAddr::from([127, 0, 0, 1]);
                    let said = sdp::describe(&lineup.tracks, local, 1);
                    assert!(
                        said.lines().all(|line| line.as_bytes()[1] == b'='),
                        "{said}"
                    );
                }
            }
        }
        assert!(sent as usize > COUNT / 2, "{sent}");
    }
}
