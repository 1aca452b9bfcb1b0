//! What the pipeline has to know of H.265: where decoding can start, and the sequence parameter set.

mod pictures;
mod rps;
mod sps;

pub(crate) use pictures::ParameterSets;
pub(crate) use sps::Sps;

use crate::h264::{bits::BitReader, nal_units};

/// Whether the access unit (Annex B) holds an IRAP picture: IDR, CRA or BLA (types 16 to 23, ITU-T H.265 table 7-1).
///
/// retina marks only the two IDR types; encoders with open GOPs, such as x265 by default, send CRA instead.
pub(crate) fn is_random_access(data: &[u8]) -> bool {
    nal_units(data).any(|nal| matches!(nal_type(nal), Some(16..=23)))
}

/// `nal_unit_type` (section 7.3.1.2).
pub(crate) fn nal_type(nal: &[u8]) -> Option<u8> {
    nal.first().map(|header| (header >> 1) & 0x3f)
}

/// Whether the NAL unit is a sequence parameter set.
pub(crate) fn is_sps(nal: &[u8]) -> bool {
    nal_type(nal) == Some(NAL_SPS)
}

/// Whether the NAL unit is a video, sequence or picture parameter set.
pub(crate) fn is_parameter_set(nal: &[u8]) -> bool {
    matches!(nal_type(nal), Some(NAL_VPS..=NAL_PPS))
}

/// The number of a picture parameter set; `None` for other NAL units.
pub(crate) fn picture_set_id(nal: &[u8]) -> Option<u32> {
    let set = Some(nal).filter(|nal| nal_type(nal) == Some(NAL_PPS))?;
    BitReader::new(set.get(2..)?)
        .unsigned()
        .filter(|&id| id <= 63)
}

/// Whether the NAL unit delimits access units.
pub(crate) fn is_delimiter(nal: &[u8]) -> bool {
    nal_type(nal) == Some(NAL_DELIMITER)
}

/// Whether the access unit (Annex B) brings a sequence parameter set.
pub(crate) fn has_parameter_sets(data: &[u8]) -> bool {
    nal_units(data).any(is_sps)
}

/// Whether the access unit (Annex B) has about as many slices and pictures as one picture has: see
/// [`h264::is_about_one_picture`](crate::h264::is_about_one_picture).
pub(crate) fn is_about_one_picture(data: &[u8]) -> bool {
    const MAX_PICTURES: usize = 4;
    const MAX_SLICES: usize = 1024;
    let slices = nal_units(data).filter(|nal| matches!(nal_type(nal), Some(0..=31)));
    let (mut pictures, mut count) = (0, 0);
    for slice in slices {
        count += 1;
        pictures += usize::from(is_first_slice(slice));
    }
    pictures <= MAX_PICTURES && count <= MAX_SLICES
}

/// Whether the NAL unit is of the layer that every decoder decodes (`nuh_layer_id`, section 7.4.2.2).
pub(crate) fn is_base_layer(nal: &[u8]) -> bool {
    matches!(nal, [first, second, ..] if first & 1 == 0 && second >> 3 == 0)
}

/// `first_slice_segment_in_pic_flag` (section 7.3.6.1).
fn is_first_slice(nal: &[u8]) -> bool {
    nal.get(2).is_some_and(|byte| byte & 0x80 != 0)
}

const NAL_VPS: u8 = 32;
const NAL_SPS: u8 = 33;
const NAL_PPS: u8 = 34;
const NAL_DELIMITER: u8 = 35;

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
    fn a_sequence_parameter_set_of_x265_is_read() {
        let nal = [
            0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00,
            0x00, 0x03, 0x00, 0x3c, 0xa0, 0x0a, 0x48, 0x0b, 0x96, 0x59, 0x59, 0xa4, 0x93, 0x2b,
            0xc0, 0x5a, 0x02, 0x00, 0x00, 0x03, 0x00, 0x02, 0x00, 0x00, 0x03, 0x00, 0x32, 0x10,
        ];
        let sps = Sps::parse(&nal).unwrap();
        assert_eq!((sps.width, sps.height), (328, 184));
        assert_eq!(
            (sps.chroma_format, sps.luma_depth, sps.chroma_depth),
            (1, 8, 8)
        );
        assert_eq!((sps.sub_layers, sps.temporal_id_nesting), (1, true));
        let general = [1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 60];
        assert_eq!(sps.profile_tier_level, general);
        for length in 0..23 {
            assert_eq!(Sps::parse(&nal[..length]), None, "{length}");
        }
    }

    #[test]
    fn trailing_and_leading_pictures_are_not() {
        for nal_type in [0, 1, 6, 7, 8, 9] {
            assert!(!is_random_access(&unit(nal_type)), "type {nal_type}");
        }
    }
}
