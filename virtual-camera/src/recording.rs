//! What a publisher sent to the camera as a media server.

use bytes::Bytes;

/// What was published to a path of the RTSP server with ANNOUNCE and RECORD: see
/// [`VirtualCamera::recordings`](crate::VirtualCamera::recordings).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recording {
    /// The path, such as `/live`.
    pub path: String,
    /// The session description as it was announced.
    pub sdp: String,
    /// Whether its publisher is still there.
    pub is_live: bool,
    /// In the order of the description.
    pub tracks: Vec<RecordedTrack>,
}

/// What came of one track: the last 16 MiB of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedTrack {
    /// `video`, `audio` or `application`.
    pub media: String,
    /// The name of the encoding in capitals, such as `H264` or `MPEG4-GENERIC`.
    pub encoding: String,
    /// RTP packets with their headers, in the order in which they came.
    pub packets: Vec<Bytes>,
    /// RTCP packets.
    pub reports: Vec<Bytes>,
    /// How many packets came before those that are kept.
    pub dropped: u64,
}

impl RecordedTrack {
    /// The payloads, which are put together where they have the same timestamp: one item for each frame. Video in H.264
    /// and H.265 is a byte stream with start codes, which files have and decoders take; fragments that lack their start
    /// are left out. Everything else is as it was in the packets, of which AAC has a header of four bytes.
    #[must_use]
    pub fn access_units(&self) -> Vec<Vec<u8>> {
        let mut units: Vec<Vec<u8>> = Vec::new();
        let mut timestamp = None;
        for packet in &self.packets {
            let Some((payload, at)) = payload(packet) else {
                continue;
            };
            if timestamp.replace(at) != Some(at) || units.is_empty() {
                units.push(Vec::new());
            }
            let Some(unit) = units.last_mut() else {
                continue;
            };
            match self.encoding.as_str() {
                "H264" => push_h264(unit, payload),
                "H265" => push_h265(unit, payload),
                _ => unit.extend_from_slice(payload),
            }
        }
        units.retain(|unit| !unit.is_empty());
        units
    }
}

/// The payload of an RTP packet and its timestamp (RFC 3550, 5.1).
fn payload(packet: &[u8]) -> Option<(&[u8], u32)> {
    let (header, rest) = packet.split_first_chunk::<12>()?;
    let timestamp = u32::from_be_bytes(*header[4..].first_chunk()?);
    let mut rest = rest.get(4 * usize::from(header[0] & 0xf)..)?;
    if header[0] & 0x10 != 0 {
        let words = u16::from_be_bytes(*rest.get(2..)?.first_chunk()?);
        rest = rest.get(4 + 4 * usize::from(words)..)?;
    }
    if header[0] & 0x20 != 0 {
        let padding = usize::from(*rest.last()?);
        rest = rest.get(..rest.len().checked_sub(padding)?)?;
    }
    Some((rest, timestamp))
}

const START_CODE: [u8; 4] = [0, 0, 0, 1];

fn push_h264(unit: &mut Vec<u8>, payload: &[u8]) {
    match payload {
        [header, rest @ ..] if header & 0x1f == 24 => push_all(unit, rest),
        [indicator, header, rest @ ..] if indicator & 0x1f == 28 => {
            let first = [indicator & 0xe0 | header & 0x1f];
            push_fragment(unit, header & 0x80 != 0, &first, rest);
        }
        _ => push_all_of(unit, &[payload]),
    }
}

fn push_h265(unit: &mut Vec<u8>, payload: &[u8]) {
    match payload {
        [high, _, rest @ ..] if high >> 1 & 0x3f == 48 => push_all(unit, rest),
        [high, low, header, rest @ ..] if high >> 1 & 0x3f == 49 => {
            let first = [high & 0x81 | (header & 0x3f) << 1, *low];
            push_fragment(unit, header & 0x80 != 0, &first, rest);
        }
        _ => push_all_of(unit, &[payload]),
    }
}

/// NAL units with their lengths.
fn push_all(unit: &mut Vec<u8>, mut rest: &[u8]) {
    while let [high, low, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(tail.len());
        let (nal_unit, tail) = tail.split_at(length);
        push_all_of(unit, &[nal_unit]);
        rest = tail;
    }
}

fn push_fragment(unit: &mut Vec<u8>, is_start: bool, first: &[u8], rest: &[u8]) {
    if is_start {
        push_all_of(unit, &[first, rest]);
    } else if !unit.is_empty() {
        unit.extend_from_slice(rest);
    }
}

fn push_all_of(unit: &mut Vec<u8>, parts: &[&[u8]]) {
    unit.extend_from_slice(&START_CODE);
    for part in parts {
        unit.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(encoding: &str, payloads: &[(u32, &[u8])]) -> RecordedTrack {
        let packets = payloads.iter().map(|(timestamp, payload)| {
            let header = [&[0x80, 96, 0, 0][..], &timestamp.to_be_bytes(), &[0; 4]];
            Bytes::from([&header.concat()[..], payload].concat())
        });
        RecordedTrack {
            media: "video".into(),
            encoding: encoding.into(),
            packets: packets.collect(),
            reports: Vec::new(),
            dropped: 0,
        }
    }

    #[test]
    fn puts_nal_units_together() {
        let track = track(
            "H264",
            &[
                // A fragment without its start, for which there is no use.
                (0, &[0x7c, 0x45, 9]),
                (1, &[24, 0, 1, 0x67, 0, 2, 0x68, 1]),
                (1, &[0x7c, 0x85, 1]),
                (1, &[0x7c, 0x45, 2]),
                (2, &[0x41, 3]),
            ],
        );
        let first = [
            0, 0, 0, 1, 0x67, 0, 0, 0, 1, 0x68, 1, 0, 0, 0, 1, 0x65, 1, 2,
        ];
        assert_eq!(track.access_units(), [&first[..], &[0, 0, 0, 1, 0x41, 3]]);
    }

    #[test]
    fn reads_past_what_a_header_may_have() {
        let packet = [
            &[0xb1, 96, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0][..],
            &[1; 4],
            &[0xbe, 0xde, 0, 1, 2, 2, 2, 2],
            &[42, 0, 2],
        ]
        .concat();
        assert_eq!(payload(&packet), Some((&[42][..], 7)));
        for length in 0..packet.len() {
            let _ = payload(&packet[..length]);
        }
    }
}
