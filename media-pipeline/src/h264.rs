//! What the pipeline has to know of H.264: NAL units, where decoding can start, and the sequence parameter set.

pub(crate) mod bits;
mod pictures;
mod sps;

pub(crate) use pictures::ParameterSets;
pub(crate) use sps::{Sps, vui_colour};

/// The NAL units of an Annex B byte stream, without start codes.
pub(crate) fn nal_units(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(data);
    std::iter::from_fn(move || {
        let nal = rest?;
        let end = start_code(nal);
        rest = end.and_then(|end| after_start_code(&nal[end..]));
        // Zero bytes before a start code belong to it or are trailing padding.
        let nal = &nal[..end.unwrap_or(nal.len())];
        Some(&nal[..nal.iter().rposition(|&b| b != 0).map_or(0, |i| i + 1)])
    })
}

/// Whether the access unit (Annex B) holds an IDR picture.
pub(crate) fn is_random_access(data: &[u8]) -> bool {
    nal_units(data).any(|nal| nal_type(nal) == Some(NAL_IDR))
}

/// Whether the NAL unit is a sequence parameter set.
pub(crate) fn is_sps(nal: &[u8]) -> bool {
    nal_type(nal) == Some(NAL_SPS)
}

/// Whether the NAL unit is a sequence or picture parameter set.
pub(crate) fn is_parameter_set(nal: &[u8]) -> bool {
    matches!(nal_type(nal), Some(NAL_SPS | NAL_PPS))
}

/// The number of a picture parameter set; `None` for other NAL units.
pub(crate) fn picture_set_id(nal: &[u8]) -> Option<u32> {
    let set = Some(nal).filter(|nal| nal_type(nal) == Some(NAL_PPS))?;
    Some(pictures::pps(set)?.0)
}

/// Whether the NAL unit delimits access units.
pub(crate) fn is_delimiter(nal: &[u8]) -> bool {
    nal_type(nal) == Some(NAL_DELIMITER)
}

/// Whether the access unit brings a sequence and a picture parameter set.
pub(crate) fn has_parameter_sets(data: &[u8]) -> bool {
    let has = |wanted| nal_units(data).any(|nal| nal_type(nal) == Some(wanted));
    has(NAL_SPS) && has(NAL_PPS)
}

/// Whether the access unit has about as many slices and pictures as one picture has. More cost a decoder any amount of
/// time: a picture that repeats the one before takes a dozen bytes.
pub(crate) fn is_about_one_picture(data: &[u8]) -> bool {
    const MAX_PICTURES: usize = 4;
    const MAX_SLICES: usize = 1024;
    let (mut pictures, mut slices) = (0, 0);
    for nal in nal_units(data) {
        if matches!(nal_type(nal), Some(1..=NAL_IDR)) {
            slices += 1;
            // `first_mb_in_slice` is zero where its code is a single one bit.
            pictures += usize::from(nal.get(1).is_some_and(|byte| byte & 0x80 != 0));
        }
    }
    pictures <= MAX_PICTURES && slices <= MAX_SLICES
}

/// Whether the access unit has slices that refer to pictures shown later (`slice_type` B, section 7.3.3).
#[cfg(any(feature = "openh264", feature = "ffmpeg"))]
pub(crate) fn has_b_slices(data: &[u8]) -> bool {
    let slices = nal_units(data).filter(|nal| matches!(nal_type(nal), Some(1..=NAL_IDR)));
    let mut kinds = slices.filter_map(pictures::slice);
    kinds.any(|(kind, _)| matches!(kind, 1 | 6))
}

/// Whether no other picture refers to this access unit (`nal_ref_idc`, section 7.4.1), and it brings no parameter sets.
pub(crate) fn is_disposable(data: &[u8]) -> bool {
    let mut slices = nal_units(data)
        .filter_map(|nal| nal.first())
        .filter(|&header| (1..=NAL_PPS).contains(&(header & 0x1f)) && header & 0x1f != NAL_SEI)
        .peekable();
    slices.peek().is_some()
        && slices.all(|header| header & 0x1f < NAL_IDR && header & NAL_REF_IDC == 0)
}

const NAL_REF_IDC: u8 = 0x60;
const NAL_SLICE: u8 = 1;
const NAL_IDR: u8 = 5;
const NAL_SEI: u8 = 6;
const NAL_SPS: u8 = 7;
const NAL_PPS: u8 = 8;
const NAL_DELIMITER: u8 = 9;

fn nal_type(nal: &[u8]) -> Option<u8> {
    nal.first().map(|header| header & 0x1f)
}

/// Offset of the next `00 00 01`.
fn start_code(data: &[u8]) -> Option<usize> {
    memchr::memmem::find(data, &[0, 0, 1])
}

fn after_start_code(data: &[u8]) -> Option<&[u8]> {
    start_code(data).map(|at| &data[at + 3..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nal_units_are_split_at_three_and_four_byte_start_codes() {
        let data = [
            0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0x65, 4, 0, 0,
        ];
        let nals: Vec<_> = nal_units(&data).collect();
        assert_eq!(nals, [&[0x67, 1, 2][..], &[0x68, 3], &[0x65, 4]]);
    }

    #[test]
    fn data_without_a_start_code_has_no_nal_units() {
        assert_eq!(nal_units(&[1, 2, 3]).count(), 0);
        assert_eq!(nal_units(&[]).count(), 0);
        assert_eq!(nal_units(&[0, 0, 1]).next(), Some(&[][..]));
    }

    #[test]
    fn only_an_idr_slice_is_a_random_access_point() {
        assert!(is_random_access(&[
            0, 0, 0, 1, 0x09, 0x10, 0, 0, 1, 0x65, 0x88
        ]));
        assert!(!is_random_access(&[
            0, 0, 0, 1, 0x09, 0x10, 0, 0, 1, 0x41, 0x9a
        ]));
    }

    #[test]
    fn only_what_nothing_refers_to_is_disposable() {
        let unit = |headers: &[u8]| -> Vec<u8> {
            headers
                .iter()
                .flat_map(|&header| [0, 0, 1, header, 0x88])
                .collect()
        };
        assert!(is_disposable(&unit(&[0x01])));
        assert!(is_disposable(&unit(&[0x09, 0x06, 0x01, 0x01])));
        for kept in [
            &[0x41][..],
            &[0x01, 0x41],
            &[0x65],
            &[0x05],
            &[0x07, 0x01],
            &[0x68, 0x01],
            &[0x06],
            &[],
        ] {
            assert!(!is_disposable(&unit(kept)), "{kept:x?}");
        }
    }
}
