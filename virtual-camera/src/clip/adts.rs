//! AAC with a header before each frame (ADTS, ISO/IEC 13818-7).

use bytes::Bytes;

use super::{Unit, sound};

/// The frames of a stream of AAC, without their headers.
pub(super) fn split(stream: &Bytes) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut at = 0;
    while let Some(&[sync, flags, _, high, middle, low, ..]) = stream.get(at..at + 7)
        && sync == 0xff
        && flags & 0xf0 == 0xf0
    {
        let header = if flags & 1 == 1 { 7 } else { 9 };
        let length = usize::from(high & 3) << 11 | usize::from(middle) << 3 | usize::from(low >> 5);
        if length <= header || at + length > stream.len() {
            break;
        }
        units.push(sound(stream.slice(at + header..at + length)));
        at += length;
    }
    units
}

/// The AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1) that says what the header of the first frame says.
pub(super) fn config(stream: &[u8]) -> Bytes {
    let (profile, index, channels) = match stream {
        [_, _, third, fourth, ..] => (third >> 6, third >> 2 & 0xf, (third & 1) << 2 | fourth >> 6),
        _ => (0, 0, 0),
    };
    let object_type = profile + 1;
    Bytes::from(vec![
        object_type << 3 | index >> 1,
        (index & 1) << 7 | channels << 3,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_frames_without_their_headers() {
        let header = [0xff, 0xf1, 0x60, 0x40, 0x01, 0x3f, 0xfc];
        let stream = Bytes::from([&header[..], &[1, 2], &header, &[3, 4], &[9]].concat());
        let units = split(&stream);
        assert_eq!(
            units,
            [
                sound(Bytes::from_static(&[1, 2])),
                sound(Bytes::from_static(&[3, 4]))
            ]
        );
        assert_eq!(config(&stream)[..], [0x14, 0x08]);
    }
}
