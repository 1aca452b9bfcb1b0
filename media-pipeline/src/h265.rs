//! What the pipeline has to know of H.265: where decoding can start.

use crate::h264::nal_units;

/// Whether the access unit (Annex B) holds an IRAP picture: IDR, CRA or BLA (types 16 to 23, ITU-T H.265 table 7-1).
///
/// retina marks only the two IDR types; encoders with open GOPs, such as x265 by default, send CRA instead.
pub(crate) fn is_random_access(data: &[u8]) -> bool {
    nal_units(data)
        .filter_map(|nal| nal.first())
        .any(|header| (16..=23).contains(&((header >> 1) & 0x3f)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(nal_type: u8) -> Vec<u8> {
        vec![
            0,
            0,
            0,
            1,
            35 << 1,
            1,
            0x50,
            0,
            0,
            1,
            nal_type << 1,
            1,
            0xaf,
        ]
    }

    #[test]
    fn clean_random_access_and_broken_link_pictures_are_random_access_points() {
        for nal_type in [16, 17, 18, 19, 20, 21] {
            assert!(is_random_access(&unit(nal_type)), "type {nal_type}");
        }
    }

    #[test]
    fn trailing_and_leading_pictures_are_not() {
        for nal_type in [0, 1, 6, 7, 8, 9] {
            assert!(!is_random_access(&unit(nal_type)), "type {nal_type}");
        }
    }
}
