//! Elements of EBML (RFC 8794): identifier, size, content.

/// An element with bytes as its content.
pub(super) fn element(out: &mut Vec<u8>, id: u32, data: &[u8]) {
    identifier(out, id);
    size(out, data.len() as u64);
    out.extend_from_slice(data);
}

/// An unsigned integer.
pub(super) fn number(out: &mut Vec<u8>, id: u32, value: u64) {
    let bytes = value.to_be_bytes();
    let skipped = (value.leading_zeros() as usize / 8).min(7);
    element(out, id, &bytes[skipped..]);
}

/// A float of 64 bits.
pub(super) fn float(out: &mut Vec<u8>, id: u32, value: f64) {
    element(out, id, &value.to_be_bytes());
}

pub(super) fn string(out: &mut Vec<u8>, id: u32, value: &str) {
    element(out, id, value.as_bytes());
}

/// An element of elements.
pub(super) fn master(out: &mut Vec<u8>, id: u32, content: impl FnOnce(&mut Vec<u8>)) {
    identifier(out, id);
    let at = out.len();
    out.extend_from_slice(&[0; 8]);
    content(out);
    let length = (out.len() - at - 8) as u64;
    out[at..at + 8].copy_from_slice(&(length | 1 << 56).to_be_bytes());
}

/// The start of an element that goes to the end of the file.
pub(super) fn unknown_size(out: &mut Vec<u8>, id: u32) {
    identifier(out, id);
    out.extend_from_slice(&[0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
}

fn identifier(out: &mut Vec<u8>, id: u32) {
    let bytes = id.to_be_bytes();
    out.extend_from_slice(&bytes[id.leading_zeros() as usize / 8..]);
}

fn size(out: &mut Vec<u8>, size: u64) {
    // All ones are kept for the unknown size.
    let length = (1..8).find(|&n| size < (1 << (7 * n)) - 1).unwrap_or(8);
    let marked = size | 1 << (7 * length);
    out.extend_from_slice(&marked.to_be_bytes()[8 - length..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_as_short_as_they_can_be() {
        for (length, expected) in [
            (1, &[0x81][..]),
            (126, &[0xfe]),
            (127, &[0x40, 0x7f]),
            (16_382, &[0x7f, 0xfe]),
            (16_383, &[0x20, 0x3f, 0xff]),
        ] {
            let mut out = Vec::new();
            size(&mut out, length);
            assert_eq!(out, expected, "{length}");
        }
    }

    #[test]
    fn elements_hold_elements() {
        let mut out = Vec::new();
        master(&mut out, 0x1A45DFA3, |out| {
            number(out, 0x4286, 1);
            number(out, 0xE7, 0x1234);
        });
        assert_eq!(
            out,
            [
                0x1a, 0x45, 0xdf, 0xa3, 1, 0, 0, 0, 0, 0, 0, 8, 0x42, 0x86, 0x81, 1, 0xe7, 0x82,
                0x12, 0x34
            ]
        );
        let mut zero = Vec::new();
        number(&mut zero, 0xE7, 0);
        assert_eq!(zero, [0xe7, 0x81, 0]);
    }
}
