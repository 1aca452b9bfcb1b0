use std::collections::BTreeMap;

use super::bits::BitReader;
use super::{NAL_IDR, NAL_PPS, NAL_SLICE, NAL_SPS, Sps, nal_type, nal_units};

/// The parameter sets of a stream, as a decoder has them.
#[derive(Debug, Default)]
pub(crate) struct ParameterSets {
    sps: BTreeMap<u32, Sps>,
    /// The SPS that each PPS belongs to.
    pps: BTreeMap<u32, u32>,
    newest: Option<u32>,
}

impl ParameterSets {
    /// Takes in an access unit (Annex B). Returns the parameter set of its picture, or where it holds none, the newest.
    ///
    /// # Errors
    /// Why a decoder is not to see the unit.
    pub(crate) fn used(&mut self, data: &[u8]) -> Result<&Sps, &'static str> {
        let mut used = None;
        for nal in nal_units(data) {
            match nal_type(nal) {
                Some(NAL_SPS) => {
                    let sps = Sps::parse(nal).ok_or("its sequence parameter set cannot be read")?;
                    self.newest = Some(sps.id);
                    self.sps.insert(sps.id, sps);
                }
                Some(NAL_PPS) => {
                    let (id, sps) = pps(nal).ok_or("its picture parameter set cannot be read")?;
                    self.pps.insert(id, sps);
                }
                Some(NAL_SLICE | NAL_IDR) => {
                    let (kind, pps) = slice(nal).ok_or("the header of a slice is cut short")?;
                    let id = self.pps.get(&pps).ok_or(MISSING)?;
                    let sps = self.sps.get(id).ok_or(MISSING)?;
                    // Decoders have no memory for the second list of references there.
                    if sps.profile == BASELINE && matches!(kind, 1 | 6) {
                        return Err("it has B slices, which Baseline profile does not permit");
                    }
                    used = Some(sps.id);
                }
                _ => {}
            }
        }
        let used = used.or(self.newest).ok_or(MISSING)?;
        self.sps.get(&used).ok_or(MISSING)
    }
}

const MISSING: &str = "no parameter sets came before it";

/// `profile_idc` (section A.2.1).
const BASELINE: u32 = 66;

/// `slice_type` and the PPS of a slice (section 7.3.3).
pub(super) fn slice(nal: &[u8]) -> Option<(u32, u32)> {
    let mut r = BitReader::new(nal.get(1..)?);
    r.unsigned()?; // first macroblock
    Some((r.unsigned()?, r.unsigned()?))
}

/// The number of a PPS, and that of its SPS (section 7.3.2.2).
pub(super) fn pps(nal: &[u8]) -> Option<(u32, u32)> {
    let mut r = BitReader::new(nal.get(1..)?);
    let id = r.unsigned().filter(|&id| id <= 255)?;
    Some((id, r.unsigned().filter(|&id| id <= 31)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARS: &[u8] = include_bytes!("../../tests/data/bars_baseline.h264");
    const B_FRAMES: &[u8] = include_bytes!("../../tests/data/moving_b_frames.h264");

    fn nals(stream: &[u8], wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let nals = nal_units(stream).filter(|nal| wanted(nal));
        nals.flat_map(|nal| [&[0, 0, 1], nal].concat()).collect()
    }

    fn is_set(nal: &[u8]) -> bool {
        super::super::is_parameter_set(nal)
    }

    fn is_b(nal: &[u8]) -> bool {
        nal[0] & 0x1f == 1 && slice(nal).is_some_and(|(kind, _)| matches!(kind, 1 | 6))
    }

    #[test]
    fn b_slices_are_refused_where_the_profile_has_none() {
        let mut sets = ParameterSets::default();
        assert!(sets.used(&nals(B_FRAMES, is_set)).is_ok());
        let b = nals(B_FRAMES, is_b);
        assert!(!b.is_empty() && sets.used(&b).is_ok());
        assert_eq!(sets.used(&nals(BARS, is_set)).unwrap().profile, BASELINE);
        let reason = sets.used(&b).unwrap_err();
        assert!(reason.contains("Baseline"), "{reason}");
    }

    #[test]
    fn a_picture_without_its_sets_is_refused() {
        let sets = || ParameterSets::default();
        assert_eq!(sets().used(&nals(B_FRAMES, is_b)), Err(MISSING));
        assert_eq!(sets().used(&[]), Err(MISSING));
        let only_sps = nals(B_FRAMES, super::super::is_sps);
        assert!(sets().used(&only_sps).is_ok());
        let slices = nals(B_FRAMES, |nal| nal[0] & 0x1f != 8);
        assert_eq!(sets().used(&slices), Err(MISSING));
    }
}
