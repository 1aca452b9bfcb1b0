//! JPEG (RFC 2435), with the quantization tables in the first packet of each picture.

use super::MAX_PAYLOAD;

/// Three components of which those of colour have half the width and height.
const TYPE: u8 = 1;
/// The tables come along.
const Q: u8 = 255;

/// `tables` are those for luma and chroma; both sides are a multiple of eight.
pub(super) fn cut(
    (width, height): (u32, u32),
    tables: &[u8],
    scan: &[u8],
    emit: &mut dyn FnMut(&[&[u8]], bool),
) {
    let mut offset = 0;
    while offset < scan.len() {
        let [_, o2, o1, o0] = (offset as u32).to_be_bytes();
        let header = [
            0,
            o2,
            o1,
            o0,
            TYPE,
            Q,
            (width / 8) as u8,
            (height / 8) as u8,
        ];
        // Must be zero, precision of 8 bits, length.
        let [high, low] = (tables.len() as u16).to_be_bytes();
        let table_header = [0, 0, high, low];
        let (table_header, tables): (&[u8], &[u8]) = match offset {
            0 => (&table_header, tables),
            _ => (&[], &[]),
        };
        let room = MAX_PAYLOAD - header.len() - table_header.len() - tables.len();
        let end = scan.len().min(offset + room);
        emit(
            &[&header, table_header, tables, &scan[offset..end]],
            end == scan.len(),
        );
        offset = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::{Clip, Codec};

    #[test]
    fn carries_every_picture_of_the_clip_unchanged() {
        let clip = Clip::of(Codec::Jpeg);
        for unit in clip.units() {
            let [tables, scan] = &unit.parts[..] else {
                panic!("not tables and a scan");
            };
            assert_eq!(tables.len(), 128);
            let mut received = Vec::new();
            let mut marked = false;
            cut(
                (clip.width, clip.height),
                tables,
                scan,
                &mut |parts, marker| {
                    assert!(!marked);
                    marked = marker;
                    let packet = parts.concat();
                    assert!(packet.len() <= MAX_PAYLOAD);
                    let (header, mut rest) = packet.split_at(8);
                    let offset = u32::from_be_bytes([0, header[1], header[2], header[3]]);
                    assert_eq!(offset as usize, received.len());
                    assert_eq!(header[4..], [1, 255, 48, 27]);
                    if offset == 0 {
                        assert_eq!(rest[..4], [0, 0, 0, 128]);
                        assert_eq!(rest[4..132], tables[..]);
                        rest = &rest[132..];
                    }
                    received.extend_from_slice(rest);
                },
            );
            assert!(marked);
            assert_eq!(received, scan[..]);
        }
    }
}
