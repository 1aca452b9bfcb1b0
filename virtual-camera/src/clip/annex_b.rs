//! Byte streams of H.264 and H.265 (annex B of both).

use std::ops::RangeInclusive;

use bytes::Bytes;

use super::Unit;

pub(super) fn h264_type(nal_unit: &[u8]) -> u8 {
    nal_unit.first().map_or(0, |header| header & 0x1f)
}

pub(super) fn h265_type(nal_unit: &[u8]) -> u8 {
    nal_unit.first().map_or(0, |header| header >> 1 & 0x3f)
}

/// Cuts a byte stream into NAL units, which share its memory.
pub(super) fn split(stream: Bytes) -> Vec<Bytes> {
    let starts: Vec<usize> = stream
        .windows(3)
        .enumerate()
        .filter(|(_, window)| *window == [0, 0, 1])
        .map(|(position, _)| position)
        .collect();
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| {
            let mut nal_unit = stream.slice(start + 3..end);
            // The fourth byte of a long start code that follows, and trailing zeros.
            while nal_unit.last() == Some(&0) {
                nal_unit.truncate(nal_unit.len() - 1);
            }
            nal_unit
        })
        .filter(|nal_unit| !nal_unit.is_empty())
        .collect()
}

/// The first NAL unit of each of these types.
pub(super) fn first_of(nal_units: &[Bytes], types: &[u8], of: fn(&[u8]) -> u8) -> Vec<Bytes> {
    types
        .iter()
        .map(|kind| {
            let found = nal_units.iter().find(|nal_unit| of(nal_unit) == *kind);
            found.cloned().expect("the clip holds its parameter sets")
        })
        .collect()
}

/// Groups NAL units into frames. The clips have one slice a frame, so a slice ends one.
pub(super) fn group(
    nal_units: Vec<Bytes>,
    of: fn(&[u8]) -> u8,
    slices: RangeInclusive<u8>,
    keys: RangeInclusive<u8>,
) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut parts = Vec::new();
    for nal_unit in nal_units {
        let kind = of(&nal_unit);
        parts.push(nal_unit);
        if slices.contains(&kind) {
            units.push(Unit {
                parts: std::mem::take(&mut parts),
                is_key: keys.contains(&kind),
            });
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_a_byte_stream_at_long_and_short_start_codes() {
        let stream = Bytes::from_static(&[0, 0, 0, 1, 7, 1, 0, 0, 1, 8, 2, 0, 0, 0, 1, 5, 3, 0]);
        assert_eq!(split(stream), [&[7, 1][..], &[8, 2][..], &[5, 3][..]]);
        assert!(split(Bytes::from_static(&[1, 2, 3])).is_empty());
    }
}
