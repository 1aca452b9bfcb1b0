use std::collections::BTreeMap;

use super::rps::{MAX_KEPT, Rps};
use super::{NAL_PPS, NAL_SPS, Sps, is_base_layer, is_first_slice, nal_type};
use crate::h264::{bits::BitReader, nal_units};

/// The parameter sets of a stream, as a decoder has them.
#[derive(Debug, Default)]
pub(crate) struct ParameterSets {
    sps: BTreeMap<u32, Sps>,
    pps: BTreeMap<u32, Pps>,
}

/// What an access unit asks of a decoder.
#[derive(Debug)]
pub(crate) struct Demand<'a> {
    /// Parameter set of its picture; `None` if it holds none.
    pub(crate) sps: Option<&'a Sps>,
    /// How many pictures there must be beside the current one. A decoder makes those that it lacks.
    pub(crate) kept: u32,
}

impl ParameterSets {
    /// Takes in an access unit (Annex B). `None` if it cannot be said what it takes to decode it: something is missing or
    /// cannot be read, or there is more than any level permits.
    pub(crate) fn demand(&mut self, data: &[u8]) -> Option<Demand<'_>> {
        let (mut sps, mut kept) = (None, 0);
        for nal in nal_units(data).filter(|nal| is_base_layer(nal)) {
            match nal_type(nal)? {
                NAL_SPS => {
                    let sps = Sps::parse(nal)?;
                    self.sps.insert(sps.id, sps);
                }
                NAL_PPS => {
                    let (id, pps) = Pps::parse(nal)?;
                    self.pps.insert(id, pps);
                }
                kind @ 0..=31 if is_first_slice(nal) => {
                    let mut header = BitReader::new(nal.get(2..)?);
                    let (used, pictures) = self.first_slice(&mut header, kind)?;
                    sps = Some(used);
                    kept = kept.max(pictures);
                }
                _ => {}
            }
        }
        let sps = sps.and_then(|id| self.sps.get(&id));
        (kept <= MAX_KEPT).then_some(Demand { sps, kept })
    }

    /// Reads the header of the first slice of a picture (section 7.3.6.1): its SPS, and how many pictures are to be kept.
    fn first_slice(&self, r: &mut BitReader<'_>, kind: u8) -> Option<(u32, u32)> {
        r.bit()?; // first slice
        if (16..=23).contains(&kind) {
            r.bit()?; // output of earlier pictures
        }
        let pps = self.pps.get(&r.unsigned()?)?;
        let coding = self.sps.get(&pps.sps)?.coding.as_ref()?;
        if matches!(kind, IDR_W_RADL | IDR_N_LP) {
            return Some((pps.sps, 0));
        }
        r.bits(pps.extra_bits)?;
        r.unsigned()?; // type
        if pps.output_flag {
            r.bit()?;
        }
        if coding.separate_planes {
            r.bits(2)?;
        }
        r.bits(coding.order_bits)?;
        let set = if r.bit()? {
            let listed = coding.sets.len().max(1);
            let index = r.bits(listed.next_power_of_two().ilog2())?;
            *coding.sets.get(index as usize)?
        } else {
            Rps::parse(r, &coding.sets, true)?
        };
        let long_term = match coding.long_term {
            None => 0,
            Some(0) => r.unsigned()?,
            Some(_) => r.unsigned()?.checked_add(r.unsigned()?)?,
        };
        Some((pps.sps, set.pictures.checked_add(long_term)?))
    }
}

const IDR_W_RADL: u8 = 19;
const IDR_N_LP: u8 = 20;

/// What the header of a slice depends on in a picture parameter set (section 7.3.2.3.1).
#[derive(Debug)]
struct Pps {
    sps: u32,
    output_flag: bool,
    extra_bits: u32,
}

impl Pps {
    fn parse(nal: &[u8]) -> Option<(u32, Self)> {
        let mut r = BitReader::new(nal.get(2..)?);
        let id = r.unsigned().filter(|&id| id <= 63)?;
        let sps = r.unsigned()?;
        r.bit()?; // dependent slices
        let (output_flag, extra_bits) = (r.bit()?, r.bits(3)?);
        Some((
            id,
            Self {
                sps,
                output_flag,
                extra_bits,
            },
        ))
    }
}
