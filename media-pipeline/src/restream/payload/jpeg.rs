//! JPEG (RFC 2435): the tables of quantization travel with each picture, those of Huffman codes do not, so that only
//! pictures with the tables of ITU-T T.81 annex K can be sent.

use super::{MAX_PAYLOAD, Payload};
use crate::huffman::USUAL;

/// The quantization tables come along.
const IN_BAND: u8 = 255;
/// Sides are said in eight bits, in units of eight pixels.
const LONGEST_SIDE: u16 = 255 * 8;
/// There are markers for a restart in the scan; added to the type.
const WITH_RESTARTS: u8 = 64;

/// The parts of a picture that its packets need.
#[derive(Debug)]
pub(super) struct Picture<'a> {
    kind: u8,
    /// In units of eight pixels.
    width: u8,
    height: u8,
    restart_interval: u16,
    /// Those of luma and chroma.
    tables: [&'a [u8]; 2],
    scan: &'a [u8],
}

impl<'a> Picture<'a> {
    /// Takes a JFIF file apart.
    ///
    /// # Errors
    /// Why RTP has no form for it.
    pub(super) fn read(data: &'a [u8]) -> Result<Self, String> {
        let mut rest = data
            .strip_prefix(&[0xff, 0xd8])
            .ok_or("it does not begin with a start-of-image marker")?;
        let mut tables: [Option<&[u8]>; 4] = [None; 4];
        let mut frame = None;
        let mut restart_interval = 0;
        loop {
            let [0xff, marker, tail @ ..] = rest else {
                return Err("a marker is missing".into());
            };
            if *marker == 0xff {
                rest = &rest[1..];
                continue;
            }
            let length = tail.first_chunk().map_or(0, |n| u16::from_be_bytes(*n));
            let segment = tail.get(2..usize::from(length)).ok_or("it is cut short")?;
            rest = &tail[usize::from(length)..];
            match *marker {
                0xdb => quantization(segment, &mut tables)?,
                0xc4 => huffman(segment)?,
                0xc0 => frame = Some(Frame::read(segment)?),
                0xc1..=0xcf => return Err("it is not baseline JPEG".into()),
                0xdd => {
                    restart_interval = segment.first_chunk().map_or(0, |n| u16::from_be_bytes(*n));
                }
                0xda => break,
                _ => {}
            }
        }
        let frame = frame.ok_or("it has no frame header")?;
        let end = rest.windows(2).rposition(|pair| pair == [0xff, 0xd9]);
        let scan = &rest[..end.ok_or("the end-of-image marker is missing")?];
        let table = |index: u8| {
            let table = tables.get(usize::from(index)).copied().flatten();
            table.ok_or("a quantization table is missing")
        };
        Ok(Self {
            kind: frame.kind
                + if restart_interval > 0 {
                    WITH_RESTARTS
                } else {
                    0
                },
            width: frame.width.div_ceil(8) as u8,
            height: frame.height.div_ceil(8) as u8,
            restart_interval,
            tables: [table(frame.luma)?, table(frame.chroma)?],
            scan,
        })
    }

    pub(super) fn cut(&self, emit: &mut dyn FnMut(Payload<'_>)) {
        // All restart intervals are to be taken as one: the packets need not end where they do (section 3.1.7).
        let [high, low] = self.restart_interval.to_be_bytes();
        let restarts = [high, low, 0xff, 0xff];
        let restarts: &[u8] = if self.restart_interval > 0 {
            &restarts
        } else {
            &[]
        };
        let mut offset = 0;
        while offset < self.scan.len() {
            let [_, o2, o1, o0] = (offset as u32).to_be_bytes();
            let header = [0, o2, o1, o0, self.kind, IN_BAND, self.width, self.height];
            let (announced, [luma, chroma]): (&[u8], _) = match offset {
                0 => (&[0, 0, 0, 128], self.tables),
                _ => (&[], [&[][..]; 2]),
            };
            let parts = [&header[..], restarts, announced, luma, chroma];
            let room = MAX_PAYLOAD - parts.iter().map(|part| part.len()).sum::<usize>();
            let end = self.scan.len().min(offset + room);
            let [header, restarts, announced, luma, chroma] = parts;
            emit(Payload {
                parts: &[
                    header,
                    restarts,
                    announced,
                    luma,
                    chroma,
                    &self.scan[offset..end],
                ],
                marker: end == self.scan.len(),
                later: 0,
            });
            offset = end;
        }
    }
}

struct Frame {
    kind: u8,
    width: u16,
    height: u16,
    luma: u8,
    chroma: u8,
}

impl Frame {
    fn read(segment: &[u8]) -> Result<Self, String> {
        let [
            8,
            h1,
            h0,
            w1,
            w0,
            3,
            _,
            y,
            luma,
            _,
            cb,
            chroma,
            _,
            cr,
            other,
            ..,
        ] = *segment
        else {
            return Err("it does not have three components of 8 bits".into());
        };
        let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
        let sides = 1..=LONGEST_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(format!(
                "it has {width} x {height} pixels, and RTP can say no side over {LONGEST_SIDE}"
            ));
        }
        let kind = match (y, cb, cr) {
            (0x21, 0x11, 0x11) => 0,
            (0x22, 0x11, 0x11) => 1,
            _ => return Err("its colours are not sampled as 4:2:0 or 4:2:2".into()),
        };
        if chroma != other {
            return Err("its two colours have different quantization tables".into());
        }
        Ok(Self {
            kind,
            width,
            height,
            luma,
            chroma,
        })
    }
}

fn quantization<'a>(
    mut segment: &'a [u8],
    tables: &mut [Option<&'a [u8]>; 4],
) -> Result<(), String> {
    while let [head, rest @ ..] = segment {
        let table = rest.get(..64).filter(|_| head >> 4 == 0);
        let table = table.ok_or("a quantization table is not one of 64 numbers of 8 bits")?;
        if let Some(place) = tables.get_mut(usize::from(head & 0xf)) {
            *place = Some(table);
        }
        segment = &rest[64..];
    }
    Ok(())
}

/// Checks that each table is the one a receiver will use.
fn huffman(mut segment: &[u8]) -> Result<(), String> {
    while let [head, rest @ ..] = segment {
        let found = USUAL.iter().find_map(|(class, lengths, values)| {
            let same = class == head && rest.starts_with(lengths);
            rest.get(lengths.len()..)
                .filter(|rest| same && rest.starts_with(values))
                .map(|rest| &rest[values.len()..])
        });
        segment = found.ok_or(
            "it has Huffman tables of its own (switch off their optimization in what makes it)",
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of which only the markers are real.
    fn jpeg(sampling: u8, width: u16, huffman: &[u8], scan: &[u8], restarts: bool) -> Vec<u8> {
        let mut data = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2];
        for table in 0..2 {
            data.extend([0xff, 0xdb, 0, 67, table]);
            data.extend([table + 7; 64]);
        }
        data.extend([0xff, 0xc0, 0, 17, 8, 0, 90]);
        data.extend(width.to_be_bytes());
        data.extend([3, 1, sampling, 0, 2, 0x11, 1, 3, 0x11, 1]);
        if restarts {
            data.extend([0xff, 0xdd, 0, 4, 0, 9]);
        }
        data.extend([0xff, 0xc4]);
        data.extend((2 + huffman.len() as u16).to_be_bytes());
        data.extend(huffman);
        data.extend([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0]);
        data.extend(scan);
        data.extend([0xff, 0xd9, 0, 0]);
        data
    }

    fn usual() -> Vec<u8> {
        let tables = [USUAL[3], USUAL[0]];
        let tables =
            tables.map(|(class, lengths, values)| [&[class][..], &lengths, values].concat());
        tables.concat()
    }

    #[test]
    fn the_scan_comes_in_order_after_the_tables() {
        for restarts in [false, true] {
            let scan: Vec<u8> = (0..5000u32).map(|i| (i % 251) as u8).collect();
            let data = jpeg(0x22, 162, &usual(), &scan, restarts);
            let mut received = Vec::new();
            let mut marked = 0;
            Picture::read(&data).unwrap().cut(&mut |payload| {
                marked += u32::from(payload.marker);
                let packet = payload.parts.concat();
                assert!(packet.len() <= MAX_PAYLOAD);
                let [0, o2, o1, o0, kind, 255, 21, 12, rest @ ..] = &packet[..] else {
                    panic!("{:?}", &packet[..8]);
                };
                let offset = u32::from_be_bytes([0, *o2, *o1, *o0]) as usize;
                assert_eq!(offset, received.len());
                let mut rest = rest;
                assert_eq!(*kind, if restarts { 65 } else { 1 });
                if restarts {
                    assert_eq!(rest[..4], [0, 9, 0xff, 0xff]);
                    rest = &rest[4..];
                }
                if offset == 0 {
                    assert_eq!(rest[..4], [0, 0, 0, 128]);
                    assert_eq!(
                        (rest[4..68] == [7; 64], rest[68..132] == [8; 64]),
                        (true, true)
                    );
                    rest = &rest[132..];
                }
                received.extend_from_slice(rest);
            });
            assert_eq!((received == scan, marked), (true, 1));
        }
    }

    #[test]
    fn what_rtp_has_no_form_for_is_said() {
        let mut other = usual();
        other[30] ^= 1;
        for (data, reason) in [
            (jpeg(0x22, 160, &other, &[1], false), "Huffman"),
            (jpeg(0x11, 160, &usual(), &[1], false), "4:2:0"),
            (jpeg(0x22, 2048, &usual(), &[1], false), "2048 x 90"),
            (b"<html>".to_vec(), "start-of-image"),
        ] {
            let said = Picture::read(&data).unwrap_err();
            assert!(said.contains(reason), "{said}");
        }
    }

    #[test]
    fn no_cut_picture_makes_it_panic() {
        let whole = jpeg(0x21, 160, &usual(), &[1, 2, 3], true);
        for length in 0..whole.len() - 3 {
            assert!(Picture::read(&whole[..length]).is_err(), "{length} bytes");
        }
    }
}
