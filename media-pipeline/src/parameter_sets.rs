//! Parameter sets of H.264 and H.265 outside of the pictures that need them. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;

use crate::{Codec, VideoParameters, h264, h265};

/// The data of an access unit (Annex B) with these sets where they belong: before all but the delimiter (ITU-T H.264 section
/// 7.4.1.2.3, H.265 section 7.4.2.4.4).
pub(crate) fn insert(codec: Codec, data: &[u8], sets: &[Bytes]) -> Bytes {
    let (delimiter, rest) = data.split_at(delimiter(codec, data));
    let length: usize = sets.iter().map(|set| 4 + set.len()).sum();
    let mut out = Vec::with_capacity(length + data.len());
    out.extend_from_slice(delimiter);
    for set in sets {
        out.extend_from_slice(&[0, 0, 0, 1]);
        out.extend_from_slice(set);
    }
    out.extend_from_slice(rest);
    out.into()
}

/// How long the delimiter is that the data begins with.
fn delimiter(codec: Codec, data: &[u8]) -> usize {
    let (is_delimiter, length): (fn(&[u8]) -> bool, _) = match codec {
        Codec::H264 => (h264::is_delimiter, 2),
        _ => (h265::is_delimiter, 3),
    };
    let zeros = data.iter().take_while(|&&byte| byte == 0).count();
    match data.get(zeros..).unwrap_or_default() {
        [1, nal @ ..] if zeros >= 2 && nal.len() > length && is_delimiter(nal) => {
            zeros + 1 + length
        }
        _ => 0,
    }
}

/// Every key frame gets the sets: no encoder has more of them, or of more bytes.
const MOST: usize = 64;
const MOST_BYTES: usize = 64 << 10;

/// Takes over picture parameter sets that came before: a stream may have several, and those that it does not send again stay
/// as long as the sequence does.
pub(crate) fn keep(codec: Codec, new: &mut VideoParameters, before: &VideoParameters) {
    let is_pps = |set: &&Bytes| picture_id(codec, set).is_some();
    let of_sequence = |video: &VideoParameters| -> Vec<Bytes> {
        let sets = video.sets.iter().filter(|set| !is_pps(set));
        sets.cloned().collect()
    };
    if of_sequence(new) != of_sequence(before) {
        return;
    }
    for set in before.sets.iter().filter(is_pps) {
        let id = picture_id(codec, set);
        if new.sets.iter().all(|other| picture_id(codec, other) != id) {
            new.sets.push(set.clone());
            if !is_bounded(&new.sets) {
                new.sets.pop();
            }
        }
    }
    // Those of the sequence stay first.
    new.sets.sort_by_key(|set| picture_id(codec, set));
}

fn is_bounded(sets: &[Bytes]) -> bool {
    sets.len() <= MOST && sets.iter().map(Bytes::len).sum::<usize>() <= MOST_BYTES
}

/// The number of a picture parameter set; `None` for other sets.
fn picture_id(codec: Codec, set: &[u8]) -> Option<u32> {
    match codec {
        Codec::H264 => h264::picture_set_id(set),
        _ => h265::picture_set_id(set),
    }
}

/// The sets in a session description (RFC 6184 section 8.1, RFC 7798 section 7.1), where they are complete.
pub(crate) fn described(codec: Codec, sdp: &[u8], payload_type: u8) -> Option<VideoParameters> {
    let sdp = String::from_utf8_lossy(sdp);
    let prefix = format!("a=fmtp:{payload_type} ");
    let format = sdp.lines().find_map(|line| line.strip_prefix(&prefix))?;
    let values = format
        .split(';')
        .filter_map(|part| part.trim().split_once('='))
        .filter(|(name, _)| match codec {
            Codec::H264 => *name == "sprop-parameter-sets",
            _ => matches!(*name, "sprop-vps" | "sprop-sps" | "sprop-pps"),
        });
    let sets = values.flat_map(|(_, value)| value.split(','));
    let sets = sets.filter_map(|set| BASE64.decode(set.trim()).ok());
    let sets: Vec<_> = sets.map(Bytes::from).collect();
    let (is_set, kinds): (fn(&[u8]) -> bool, _) = match codec {
        Codec::H264 => (h264::is_parameter_set, 2),
        _ => (h265::is_parameter_set, 3),
    };
    let clean = |set: &Bytes| is_set(set) && h264::nal_units(set).next().is_none();
    let has_pps = sets.iter().any(|set| picture_id(codec, set).is_some());
    (sets.len() >= kinds && is_bounded(&sets) && sets.iter().all(clean) && has_pps)
        .then(|| VideoParameters::from_sets(codec, sets))?
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPS: &[u8] = &[0x67, 66, 0, 40, 0xf6, 0x81, 0x47, 0xb0];

    fn video(sets: &[&[u8]]) -> VideoParameters {
        VideoParameters {
            width: 16,
            height: 16,
            sets: sets.iter().map(|set| Bytes::copy_from_slice(set)).collect(),
        }
    }

    #[test]
    fn sets_go_behind_the_delimiter() {
        let sets = [Bytes::from_static(&[0x67, 1]), Bytes::from_static(&[0x68])];
        let inserted = [0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68];
        for (codec, delimiter, slice) in [
            (
                Codec::H264,
                &[0, 0, 0, 1, 0x09, 0xf0][..],
                [0, 0, 1, 0x65, 8],
            ),
            (Codec::H264, &[0, 0, 1, 0x09, 0x10], [0, 0, 1, 0x65, 8]),
            (
                Codec::H265,
                &[0, 0, 0, 1, 0x46, 1, 0x50],
                [0, 0, 1, 0x26, 1],
            ),
            (Codec::H264, &[], [0, 0, 1, 0x65, 8]),
        ] {
            let data = [delimiter, &slice].concat();
            let want = [delimiter, &inserted, &slice].concat();
            assert_eq!(insert(codec, &data, &sets), want, "{codec}");
        }
        for data in [&[][..], &[0, 0, 1], &[0, 0, 1, 9], &[9, 9]] {
            let out = insert(Codec::H264, data, &sets);
            assert_eq!(out, [&inserted, data].concat());
        }
    }

    #[test]
    fn picture_parameter_sets_stay_as_long_as_the_sequence() {
        // Numbers 0, 1 and 2.
        let (zero, one, two) = (&[0x68, 0xc0][..], &[0x68, 0x50][..], &[0x68, 0x70][..]);
        let mut new = video(&[SPS, two]);
        keep(Codec::H264, &mut new, &video(&[SPS, one, zero]));
        assert_eq!(new, video(&[SPS, zero, one, two]));
        let changed: &[u8] = &[0x68, 0x52];
        let mut again = video(&[SPS, changed]);
        keep(Codec::H264, &mut again, &new);
        assert_eq!(again, video(&[SPS, zero, changed, two]));
        let (large, mut next) = (vec![0x68; MOST_BYTES], video(&[SPS, one]));
        keep(Codec::H264, &mut next, &video(&[SPS, &large, zero]));
        assert_eq!(next, video(&[SPS, zero, one]));
        let mut other = video(&[&[0x67, 77], one]);
        keep(Codec::H264, &mut other, &new);
        assert_eq!(other, video(&[&[0x67, 77], one]));
    }

    #[test]
    fn all_sets_of_a_description_are_read_and_broken_ones_are_not() {
        let sps = include_bytes!("../tests/data/bars_baseline.h264");
        let sps = h264::nal_units(sps).find(|nal| h264::is_sps(nal)).unwrap();
        let coded = |sets: &[&[u8]]| {
            let sets: Vec<_> = sets.iter().map(|set| BASE64.encode(set)).collect();
            let sets = sets.join(",");
            format!(
                "m=video 0 RTP/AVP 96\r\na=fmtp:96 packetization-mode=1; sprop-parameter-sets={sets};x=1\r\n"
            )
        };
        let read = |sdp: String, kind| described(Codec::H264, sdp.as_bytes(), kind);
        let all = coded(&[sps, &[0x68, 0xc0], &[0x68, 0x50]]);
        assert_eq!(read(all.clone(), 96).unwrap().sets.len(), 3);
        assert_eq!(read(all, 97), None);
        for broken in [
            &[sps][..],
            &[sps, &[]],
            &[sps, &[0, 0, 0, 1, 0x68, 0xc0]],
            &[sps, &[0x68, 0x80, 0, 0, 1, 0x68]],
            &[&[0x67, 1], &[0x68, 0xc0]],
            &[],
        ] {
            assert_eq!(read(coded(broken), 96), None, "{broken:x?}");
        }
    }
}
