//! JPEG pictures in a row, taken apart as RTP wants them (RFC 2435).

use bytes::Bytes;

use super::Unit;

const SOF0: u8 = 0xc0;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const DQT: u8 = 0xdb;

/// The pictures of a stream: of each, the tables for luma and chroma, and the scan.
pub(super) fn split(stream: &Bytes) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut at = 0;
    while let Some((unit, end)) = picture(stream, at) {
        units.push(unit);
        at = end;
    }
    units
}

/// The pictures of a stream, complete.
pub(super) fn whole(stream: &Bytes) -> Vec<Bytes> {
    let mut pictures = Vec::new();
    let mut at = 0;
    while let Some((_, end)) = picture(stream, at) {
        pictures.push(stream.slice(at..end));
        at = end;
    }
    pictures
}

/// Width and height of the first picture.
#[cfg(test)]
pub(super) fn size(stream: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    while let Some((marker, content)) = segment(stream, at) {
        if marker == SOF0 {
            let side = |at: usize| {
                Some(u32::from(u16::from_be_bytes(
                    content.get(at..at + 2)?.try_into().ok()?,
                )))
            };
            return Some((side(3)?, side(1)?));
        }
        at += 4 + content.len();
    }
    None
}

/// The picture that starts here, and where it ends.
fn picture(stream: &Bytes, start: usize) -> Option<(Unit, usize)> {
    let mut at = start + 2;
    let mut tables: [&[u8]; 4] = [&[]; 4];
    let mut used = [0, 0];
    loop {
        let (marker, content) = segment(stream, at)?;
        at += 4 + content.len();
        match marker {
            DQT => {
                for table in content.chunks_exact(65) {
                    *tables.get_mut(usize::from(table[0] & 0xf))? = &table[1..];
                }
            }
            // Of each component, its number, its sampling and its table.
            SOF0 => {
                used =
                    [content.get(8), content.get(11)].map(|table| usize::from(*table.unwrap_or(&0)))
            }
            SOS => break,
            _ => {}
        }
    }
    // In a scan, 0xff is followed by zero or is a marker.
    let length = stream[at..]
        .windows(2)
        .position(|pair| pair == [0xff, EOI])?;
    let [luma, chroma] = used.map(|table| tables.get(table).copied().unwrap_or_default());
    let unit = Unit {
        parts: vec![
            [luma, chroma].concat().into(),
            stream.slice(at..at + length),
        ],
        is_key: true,
    };
    Some((unit, at + length + 2))
}

/// The marker of the segment that starts here, and what is in it.
fn segment(stream: &[u8], at: usize) -> Option<(u8, &[u8])> {
    let [0xff, marker, high, low] = *stream.get(at..at + 4)? else {
        return None;
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    Some((marker, stream.get(at + 4..at + 2 + length)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_picture_apart() {
        let mut picture = vec![0xff, 0xd8, 0xff, DQT, 0, 2 + 65, 0];
        picture.extend([7; 64]);
        picture.extend([
            0xff, SOF0, 0, 17, 8, 0, 8, 0, 16, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0,
        ]);
        picture.extend([0xff, SOS, 0, 3, 0, 1, 0xff, 0, 2, 0xff, EOI]);
        assert_eq!(size(&picture), Some((16, 8)));
        let units = split(&[&picture[..], &picture].concat().into());
        assert_eq!(units.len(), 2);
        assert_eq!(
            whole(&[&picture[..], &picture].concat().into()),
            [picture.clone(), picture.clone()]
        );
        assert_eq!(units[1].parts[0][..], [7; 128]);
        assert_eq!(units[1].parts[1][..], [1, 0xff, 0, 2]);
        assert!(split(&Bytes::copy_from_slice(&picture[..40])).is_empty());
    }
}
