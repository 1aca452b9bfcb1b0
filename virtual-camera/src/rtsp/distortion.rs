//! What cameras get wrong in their streams, and what networks do to them. Time is passed in.

use std::borrow::Cow;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use crate::clip::{Codec, Unit};
use crate::fault_proxy::{Fate, Line, LinkFaults, Way};
use crate::quirks::{Quirks, RtspEndless};

/// From one jump of the RTP time to the next.
const JUMP_EVERY_SECONDS: u64 = 3;
/// What the SSRC of a foreign packet differs in.
const FOREIGN: u32 = 0x5a5a_5a5a;
/// A message of supplemental information that nobody knows: of H.264, and of H.265.
const SEI: [&[u8]; 2] = [
    b"\x06\x05\x10virtual-camera..\x80",
    b"\x4e\x01\x05\x10virtual-camera..\x80",
];

/// What is wrong with one track on its way to one client.
#[derive(Debug)]
pub(super) struct Distortion {
    quirks: Quirks,
    network: LinkFaults,
    line: Line,
    /// A packet that the next one overtakes.
    held: Option<Bytes>,
    began: Instant,
    /// What the RTP clock showed when it began.
    first: u32,
    clock_rate: u64,
    reports: u32,
    sent: u64,
    garbled: bool,
}

impl Distortion {
    pub(super) fn new(quirks: Quirks, began: Instant, first: u32, clock_rate: u64) -> Self {
        Self {
            network: network(&quirks),
            line: Line::new(quirks.rtp_seed, 0, Way::ToClient),
            held: None,
            began,
            first,
            clock_rate,
            reports: 0,
            sent: 0,
            garbled: false,
            quirks,
        }
    }

    /// What the RTP clock claims to show, where it should show `ticks`.
    pub(super) fn ticks(&self, ticks: u32) -> u32 {
        let since = ticks.wrapping_sub(self.first);
        // What began before the session did is not distorted.
        let since = if since > u32::MAX / 2 { 0 } else { since };
        let jumps = i64::from(since) / (JUMP_EVERY_SECONDS * self.clock_rate) as i64;
        let jumped = jumps * i64::from(self.quirks.rtp_jump_s) * self.clock_rate as i64;
        let drifted = i64::from(since) * i64::from(self.quirks.drift_ppm) / 1_000_000;
        ticks.wrapping_add((jumped + drifted) as u32)
    }

    /// What the next sender report claims for the time.
    pub(super) fn wall(&mut self, wall: SystemTime) -> SystemTime {
        self.reports += 1;
        let step = i64::from(self.quirks.sr_step_s);
        let by = Duration::from_secs(step.unsigned_abs());
        // Every other one is right.
        let stepped = match (self.reports % 2, step) {
            (1, _) | (_, 0) => None,
            (_, 1..) => wall.checked_add(by),
            _ => wall.checked_sub(by),
        };
        stepped.unwrap_or(wall)
    }

    /// What is sent of a unit.
    pub(super) fn unit<'u>(&self, codec: Codec, unit: &'u Unit, now: Instant) -> Cow<'u, Unit> {
        let late = Duration::from_secs(self.quirks.late_params_s);
        if now.saturating_duration_since(self.began) >= late {
            return Cow::Borrowed(unit);
        }
        let is_set = |part: &&Bytes| {
            let header = part.first().copied().unwrap_or_default();
            match codec {
                Codec::H264 => matches!(header & 0x1f, 7 | 8),
                Codec::H265 => matches!(header >> 1 & 0x3f, 32..=34),
                _ => false,
            }
        };
        let parts = unit.parts.iter().filter(|part| !is_set(part));
        Cow::Owned(Unit {
            parts: parts.cloned().collect(),
            ..unit.clone()
        })
    }

    /// What is sent before a unit, with a marker.
    pub(super) fn before(&self, codec: Codec) -> Option<&'static [u8]> {
        match codec {
            Codec::H264 if self.quirks.sei_mark => Some(SEI[0]),
            Codec::H265 if self.quirks.sei_mark => Some(SEI[1]),
            _ => None,
        }
    }

    /// Makes the network another one from now on.
    pub(super) fn set_network(&mut self, quirks: &Quirks) {
        self.network = network(quirks);
    }

    /// Whether key frames have no end.
    pub(super) fn is_endless(&self) -> bool {
        self.quirks.rtsp_endless == Some(RtspEndless::Fragments)
    }

    /// What becomes of packets.
    pub(super) fn packets(&mut self, packets: Vec<Bytes>, now: Instant) -> Vec<Bytes> {
        let mut arriving = Vec::with_capacity(packets.len());
        for packet in packets {
            if self.quirks.foreign_ssrc {
                arriving.push(foreign(&packet));
            }
            // Nothing is spoilt, for which the bytes would be needed.
            match self.line.datagram(&self.network, now, &mut []).0 {
                Fate::Lost => continue,
                Fate::Waits { .. } if self.held.is_none() => {
                    self.held = Some(packet);
                    continue;
                }
                Fate::Arrives { copies: 2, .. } => arriving.extend([packet.clone(), packet]),
                Fate::Arrives { .. } | Fate::Waits { .. } => arriving.push(packet),
            }
            arriving.extend(self.held.take());
        }
        arriving
    }

    /// Whether the connection loses bytes with these packets.
    pub(super) fn garbles(&mut self, packets: &[Bytes]) -> bool {
        let Some(after) = self.quirks.desync_after_kb else {
            return false;
        };
        self.sent += packets
            .iter()
            .map(|packet| packet.len() as u64)
            .sum::<u64>();
        let due = self.sent >= u64::from(after) * 1024;
        due && !std::mem::replace(&mut self.garbled, due)
    }
}

fn network(quirks: &Quirks) -> LinkFaults {
    let chance = |of_thousand: u16| f64::from(of_thousand) / 1000.0;
    LinkFaults {
        drop: chance(quirks.rtp_loss),
        duplicate: chance(quirks.rtp_duplicate),
        reorder: chance(quirks.rtp_reorder),
        ..LinkFaults::default()
    }
}

/// The packet of another session.
fn foreign(packet: &Bytes) -> Bytes {
    let mut foreign = packet.to_vec();
    if let Some(ssrc) = foreign.get_mut(8..12) {
        for (byte, other) in ssrc.iter_mut().zip(FOREIGN.to_be_bytes()) {
            *byte ^= other;
        }
    }
    foreign.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 90_000;

    fn distortion(quirks: Quirks) -> Distortion {
        Distortion::new(quirks, Instant::now(), 1000, u64::from(RATE))
    }

    fn packets(count: u8) -> Vec<Bytes> {
        (0..count)
            .map(|number| Bytes::from(vec![number; 13]))
            .collect()
    }

    #[test]
    fn a_correct_camera_distorts_nothing() {
        let mut correct = distortion(Quirks::default());
        assert_eq!(correct.ticks(500), 500);
        assert_eq!(correct.ticks(100 * RATE), 100 * RATE);
        let wall = SystemTime::UNIX_EPOCH;
        assert_eq!([correct.wall(wall), correct.wall(wall)], [wall, wall]);
        assert_eq!(correct.packets(packets(9), Instant::now()), packets(9));
        assert!(!correct.garbles(&packets(9)));
        assert_eq!(correct.before(Codec::H264), None);
    }

    #[test]
    fn time_jumps_and_drifts() {
        let jumping = distortion(Quirks {
            rtp_jump_s: -2,
            ..Quirks::default()
        });
        assert_eq!(jumping.ticks(1000 + 3 * RATE - 1), 1000 + 3 * RATE - 1);
        assert_eq!(jumping.ticks(1000 + 3 * RATE), 1000 + RATE);
        assert_eq!(jumping.ticks(1000 + 6 * RATE), 1000 + 2 * RATE);

        let drifting = distortion(Quirks {
            drift_ppm: 1_000,
            ..Quirks::default()
        });
        assert_eq!(drifting.ticks(1000 + 1_000_000), 1000 + 1_001_000);
    }

    #[test]
    fn every_other_report_steps() {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        let mut stepping = distortion(Quirks {
            sr_step_s: -40,
            ..Quirks::default()
        });
        let told = [(); 3].map(|()| stepping.wall(wall));
        assert_eq!(told, [wall, wall - Duration::from_secs(40), wall]);
    }

    #[test]
    fn parameter_sets_come_late() {
        let late = distortion(Quirks {
            late_params_s: 5,
            ..Quirks::default()
        });
        let clip = crate::clip::Clip::of(Codec::H264);
        let unit = &clip.units()[0];
        let soon = late.unit(Codec::H264, unit, late.began);
        assert_eq!(soon.parts.len() + 2, unit.parts.len());
        let then = late.unit(Codec::H264, unit, late.began + Duration::from_secs(5));
        assert_eq!(then.parts, unit.parts);
    }

    #[test]
    fn packets_are_lost_doubled_and_out_of_order_the_same_each_time() {
        let quirks = Quirks {
            rtp_loss: 100,
            rtp_duplicate: 100,
            rtp_reorder: 100,
            rtp_seed: 3,
            ..Quirks::default()
        };
        let now = Instant::now();
        let arrived = distortion(quirks.clone()).packets(packets(200), now);
        assert_eq!(arrived, distortion(quirks).packets(packets(200), now));
        let numbers: Vec<u8> = arrived.iter().map(|packet| packet[0]).collect();
        assert!(!numbers.is_sorted());
        let mut different = numbers.clone();
        different.sort_unstable();
        different.dedup();
        assert!((160..200).contains(&different.len()), "{}", different.len());
        assert!(numbers.len() > different.len());
    }

    #[test]
    fn a_network_that_is_put_right_loses_nothing_more() {
        let lossy = Quirks {
            rtp_loss: 1000,
            ..Quirks::default()
        };
        let mut distortion = distortion(lossy);
        let now = Instant::now();
        assert!(distortion.packets(packets(9), now).is_empty());
        distortion.set_network(&Quirks::default());
        assert_eq!(distortion.packets(packets(9), now), packets(9));
    }

    #[test]
    fn foreign_packets_differ_in_their_source() {
        let mut stale = distortion(Quirks {
            foreign_ssrc: true,
            ..Quirks::default()
        });
        let arrived = stale.packets(packets(2), Instant::now());
        assert_eq!(arrived.len(), 4);
        assert_eq!(arrived[1], packets(1)[0]);
        assert_eq!(arrived[0][8..12], FOREIGN.to_be_bytes());
    }

    #[test]
    fn the_connection_is_garbled_once() {
        let mut garbling = distortion(Quirks {
            desync_after_kb: Some(1),
            ..Quirks::default()
        });
        let told = [(); 12].map(|()| garbling.garbles(&packets(10)));
        assert_eq!(told.iter().position(|garbled| *garbled), Some(7));
        assert_eq!(told.iter().filter(|garbled| **garbled).count(), 1);
    }
}
