//! What RTP packets carry: a unit of a clip, cut as the payload format of its codec says.

mod h264;
mod h265;
mod jpeg;

use crate::clip::{Clip, Codec, Unit};

/// Most bytes of payload in a packet; with all headers that is less than the MTU of Ethernet.
pub(super) const MAX_PAYLOAD: usize = 1400;

/// Gives the payload of each packet of a unit, in parts, and whether it has the marker.
pub(super) fn cut(clip: &Clip, unit: &Unit, emit: &mut dyn FnMut(&[&[u8]], bool)) {
    match clip.codec {
        Codec::H264 => h264::cut(&unit.parts, emit),
        Codec::H265 => h265::cut(&unit.parts, emit),
        Codec::Jpeg => {
            let [tables, scan] = &unit.parts[..] else {
                return;
            };
            jpeg::cut((clip.width, clip.height), tables, scan, emit);
        }
        Codec::Aac => {
            for frame in &unit.parts {
                // One access unit: its 13 bits of length and 3 of index (RFC 3640, 3.3.6).
                let size = (frame.len() as u16) << 3;
                emit(&[&[0, 16], &size.to_be_bytes(), frame], true);
            }
        }
        Codec::Pcmu => {
            // There are no pauses after which talk could spurt (RFC 3551, 4.1).
            for frame in &unit.parts {
                emit(&[frame], false);
            }
        }
    }
}

/// Gives a document in parts, the last with the marker (ONVIF Streaming, "Metadata stream").
pub(super) fn cut_document(document: &[u8], emit: &mut dyn FnMut(&[&[u8]], bool)) {
    let mut parts = document.chunks(MAX_PAYLOAD).peekable();
    while let Some(part) = parts.next() {
        emit(&[part], parts.peek().is_none());
    }
}

/// How many of the NAL units at the front go into one packet of `header` bytes, with their lengths.
fn aggregated(nal_units: &[bytes::Bytes], header: usize) -> usize {
    let mut size = header;
    let fitting = nal_units.iter().take_while(|nal_unit| {
        size += 2 + nal_unit.len();
        size <= MAX_PAYLOAD
    });
    fitting.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_aac_says_its_length() {
        let clip = Clip::of(Codec::Aac);
        let unit = &clip.units()[3];
        let mut packets = Vec::new();
        cut(&clip, unit, &mut |parts, marker| {
            packets.push((parts.concat(), marker))
        });
        let [(packet, true)] = &packets[..] else {
            panic!("not one packet with a marker");
        };
        let (header, frame) = packet.split_at(4);
        assert_eq!(header[..2], [0, 16]);
        let size = u16::from_be_bytes([header[2], header[3]]);
        assert_eq!(usize::from(size >> 3), frame.len());
        assert_eq!(frame, unit.parts[0]);
    }

    #[test]
    fn a_document_ends_with_the_marker() {
        let document = vec![b'x'; MAX_PAYLOAD + 1];
        let mut packets = Vec::new();
        cut_document(&document, &mut |parts, marker| {
            packets.push((parts.concat().len(), marker))
        });
        assert_eq!(packets, [(MAX_PAYLOAD, false), (1, true)]);
    }
}
