//! Leaves out what is left of JPEG pictures (RFC 2435) of which packets were lost: retina would put it together as if nothing
//! were missing, and count what is missing with other pictures. Pure, but for the account that is shared.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The payload type of JPEG where a description names no other (RFC 3551, 6).
const JPEG: u8 = 26;
/// Pictures after a loss that retina has not given out yet; of more than these the oldest are forgotten.
const MOST: usize = 64;

/// Packets that were lost before pictures that are whole, with the RTP timestamps of these.
#[derive(Clone, Debug, Default)]
pub(crate) struct Losses(Arc<Mutex<VecDeque<(u32, u32)>>>);

impl Losses {
    fn note(&self, timestamp: u32, packets: u32) {
        let mut noted = self.noted();
        if noted.len() == MOST {
            noted.pop_front();
        }
        noted.push_back((timestamp, packets));
    }

    /// How many packets were lost before the picture with this timestamp, and not told yet.
    pub(crate) fn take(&self, timestamp: u32) -> u32 {
        let mut noted = self.noted();
        let Some(at) = noted.iter().position(|(of, _)| *of == timestamp) else {
            return 0;
        };
        let packets = noted.drain(..=at).map(|(_, packets)| packets);
        packets.fold(0, u32::saturating_add)
    }

    fn noted(&self) -> MutexGuard<'_, VecDeque<(u32, u32)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The payload types that are JPEG in a session, a bit each.
#[derive(Clone, Copy, Debug)]
pub(super) struct PayloadTypes(u128);

impl Default for PayloadTypes {
    fn default() -> Self {
        Self(1 << JPEG)
    }
}

impl PayloadTypes {
    /// Those of a description (RFC 8866), besides the one that is always.
    pub(super) fn of(description: &[u8]) -> Self {
        let mut types = Self::default();
        for line in description.split(|byte| matches!(byte, b'\r' | b'\n')) {
            let map = line.strip_prefix(b"a=rtpmap:");
            let map = map.and_then(|map| std::str::from_utf8(map).ok());
            let Some((number, encoding)) = map.and_then(|map| map.split_once(' ')) else {
                continue;
            };
            let name = encoding.trim().split('/').next().unwrap_or_default();
            if let Ok(number @ 0..128) = number.parse::<u8>()
                && name.eq_ignore_ascii_case("JPEG")
            {
                types.0 |= 1 << number;
            }
        }
        types
    }

    fn contain(self, number: u8) -> bool {
        self.0 >> number & 1 == 1
    }
}

/// Follows the pictures of one track, whose packets come in order.
#[derive(Clone, Debug)]
pub(super) struct Pictures {
    types: PayloadTypes,
    losses: Losses,
    /// Number of the packet that is due.
    next: Option<u16>,
    /// A part of the current picture is missing.
    torn: bool,
    lost: u32,
}

impl Pictures {
    pub(super) fn new(types: PayloadTypes, losses: Losses) -> Self {
        Self {
            types,
            losses,
            next: None,
            torn: false,
            lost: 0,
        }
    }

    /// Whether a packet is of a picture of which nothing is missing so far. What is no packet of a picture is left to its
    /// reader.
    pub(super) fn admits(&mut self, packet: &[u8]) -> bool {
        let [_, kind, s1, s0, t3, t2, t1, t0, ..] = *packet else {
            return true;
        };
        if !self.types.contain(kind & 0x7f) {
            return true;
        }
        let Some(offset) = offset(packet) else {
            return true;
        };
        let sequence = u16::from_be_bytes([s1, s0]);
        let missing = sequence.wrapping_sub(self.next.unwrap_or(sequence));
        self.next = Some(sequence.wrapping_add(1));
        self.lost = self.lost.saturating_add(missing.into());
        // What was lost before the first part is of another picture.
        self.torn = offset > 0 && (self.torn || missing > 0);
        let marker = kind & 0x80 != 0;
        if marker && !self.torn && self.lost > 0 {
            let timestamp = u32::from_be_bytes([t3, t2, t1, t0]);
            self.losses.note(timestamp, std::mem::take(&mut self.lost));
        }
        !self.torn
    }
}

/// Where in the picture the payload of a packet belongs.
fn offset(packet: &[u8]) -> Option<u32> {
    let first = *packet.first()?;
    let mut header = 12 + 4 * usize::from(first & 0x0f);
    if first & 0x10 != 0 {
        let words = packet.get(header + 2..header + 4)?;
        header += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    match *packet.get(header..header + 4)? {
        [_, high, middle, low] => Some(u32::from_be_bytes([0, high, middle, low])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet of the picture with this timestamp.
    fn packet(sequence: u16, timestamp: u8, offset: u8, marker: bool) -> Vec<u8> {
        let [high, low] = sequence.to_be_bytes();
        let kind = JPEG | u8::from(marker) << 7;
        let mut packet = vec![0x80, kind, high, low, 0, 0, 0, timestamp, 0, 0, 0, 1];
        packet.extend([0, 0, 0, offset, 1, 80, 48, 27]);
        packet
    }

    /// Three pictures of three packets each, around the end of the numbers.
    fn pictures() -> Vec<Vec<u8>> {
        let numbers = (0..9_u8).map(|n| (u16::MAX - 4).wrapping_add(n.into()));
        let packets = numbers.zip(0..9_u8);
        let packets = packets.map(|(number, n)| packet(number, n / 3, n % 3, n % 3 == 2));
        packets.collect()
    }

    /// Which packets pass where these are lost, and what is told to be lost before each picture.
    fn passed(lost: &[usize]) -> (Vec<usize>, [u32; 3]) {
        let losses = Losses::default();
        let mut track = Pictures::new(PayloadTypes::default(), losses.clone());
        let packets = pictures();
        let come = (0..packets.len()).filter(|n| !lost.contains(n));
        let passed = come.filter(|n| track.admits(&packets[*n])).collect();
        (passed, [0, 1, 2].map(|timestamp| losses.take(timestamp)))
    }

    #[test]
    fn whole_pictures_pass() {
        assert_eq!(passed(&[]), ((0..9).collect(), [0, 0, 0]));
    }

    #[test]
    fn nothing_follows_what_is_missing_up_to_the_next_picture() {
        let rest = |first: &[usize]| first.iter().copied().chain(6..9).collect::<Vec<_>>();
        assert_eq!(passed(&[3]), (rest(&[0, 1, 2]), [0, 0, 1]));
        assert_eq!(passed(&[4]), (rest(&[0, 1, 2, 3]), [0, 0, 1]));
        assert_eq!(passed(&[5]), (rest(&[0, 1, 2, 3, 4]), [0, 0, 1]));
        assert_eq!(passed(&[1, 2, 3]), (rest(&[0]), [0, 0, 3]));
        assert_eq!(passed(&[3, 4, 5]), (rest(&[0, 1, 2]), [0, 0, 3]));
        assert_eq!(passed(&[1, 4]), (rest(&[0, 3]), [0, 0, 2]));
    }

    #[test]
    fn other_payloads_and_what_is_too_short_pass() {
        let mut track = Pictures::new(PayloadTypes::default(), Losses::default());
        let mut other = packet(1, 0, 1, false);
        other[1] = 96;
        assert!(track.admits(&other));
        other[2] = 9;
        assert!(track.admits(&other));
        for length in 0..16 {
            assert!(track.admits(&packet(5, 0, 1, false)[..length]));
        }
        let mut extended = packet(9, 0, 1, false);
        extended[0] |= 0x1f;
        assert!(track.admits(&extended));
    }

    #[test]
    fn a_description_names_payload_types() {
        let types = PayloadTypes::of(
            b"m=video 0 RTP/AVP 98\r\na=rtpmap:98 jpeg/90000\r\na=rtpmap:96 H264/90000\r\n\
            a=rtpmap:200 JPEG/90000\na=rtpmap:x JPEG\na=rtpmap:\n",
        );
        let named = (0..128).filter(|number| types.contain(*number));
        assert_eq!(named.collect::<Vec<_>>(), [26, 98]);
    }

    #[test]
    fn the_account_is_bounded_and_tells_once() {
        let losses = Losses::default();
        (0..200).for_each(|timestamp| losses.note(timestamp, 1));
        assert_eq!(losses.noted().len(), MOST);
        assert_eq!(losses.take(7), 0);
        assert_eq!(losses.take(199), MOST as u32);
        assert_eq!(losses.take(199), 0);
    }
}
