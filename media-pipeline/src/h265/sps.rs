use super::rps::{Rps, skip_scaling_lists};
use crate::colour::Colour;
use crate::h264::{bits::BitReader, vui_colour};

/// What the pipeline needs of a sequence parameter set (ITU-T H.265 section 7.3.2.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sps {
    pub(crate) id: u32,
    /// Size of the picture in luma samples, cropped.
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// 1 for 4:2:0.
    pub(crate) chroma_format: u32,
    pub(crate) luma_depth: u32,
    pub(crate) chroma_depth: u32,
    /// `sps_max_sub_layers_minus1` + 1.
    pub(crate) sub_layers: u32,
    pub(crate) temporal_id_nesting: bool,
    /// `general_profile_space` to `general_level_idc` (section 7.3.3), as the decoder configuration record repeats it.
    pub(crate) profile_tier_level: [u8; 12],
    /// Size of the picture as it is coded.
    pub(crate) coded_width: u32,
    pub(crate) coded_height: u32,
    /// What follows the size; `None` if it cannot be read.
    pub(crate) coding: Option<Coding>,
}

/// The part of a sequence parameter set that only a decoder needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coding {
    /// Bits of `slice_pic_order_cnt_lsb`.
    pub(crate) order_bits: u32,
    pub(crate) separate_planes: bool,
    /// Sets of pictures that a picture can name as those to be kept.
    pub(crate) sets: Vec<Rps>,
    /// How many long-term pictures are listed; `None` if there can be none.
    pub(crate) long_term: Option<u32>,
    pub(crate) full_range: Option<bool>,
    /// `matrix_coeffs` (table E.5).
    pub(crate) matrix: Option<u32>,
}

impl Sps {
    /// Reads a NAL unit of type 33; `None` if it is cut short or describes an impossible picture.
    pub(crate) fn parse(nal: &[u8]) -> Option<Self> {
        let mut r = BitReader::new(nal.get(2..)?);
        r.bits(4)?; // VPS id
        let sub_layers = r.bits(3)? + 1;
        let temporal_id_nesting = r.bit()?;
        let mut profile_tier_level = [0; 12];
        for byte in &mut profile_tier_level {
            *byte = r.bits(8)? as u8;
        }
        skip_sub_layers(&mut r, sub_layers - 1)?;
        let id = r.unsigned().filter(|&id| id <= 15)?;
        let chroma_format = r.unsigned().filter(|&format| format <= 3)?;
        let separate_planes = chroma_format == 3 && r.bit()?;
        let (coded_width, coded_height) = (r.unsigned()?, r.unsigned()?);
        let mut crop = [0; 4];
        if r.bit()? {
            let unit_x = if matches!(chroma_format, 1 | 2) { 2 } else { 1 };
            let unit_y = if chroma_format == 1 { 2 } else { 1 };
            for (side, unit) in crop.iter_mut().zip([unit_x, unit_x, unit_y, unit_y]) {
                *side = r.unsigned()?.checked_mul(unit)?;
            }
        }
        let cropped = |coded: u32, sides: &[u32]| {
            let cut = sides[0].checked_add(sides[1])?;
            coded.checked_sub(cut).filter(|&left| left > 0)
        };
        let depth = |r: &mut BitReader<'_>| r.unsigned().filter(|&over| over <= 8).map(|d| d + 8);
        let (width, height) = (
            cropped(coded_width, &crop[..2])?,
            cropped(coded_height, &crop[2..])?,
        );
        let (luma_depth, chroma_depth) = (depth(&mut r)?, depth(&mut r)?);
        Some(Self {
            id,
            width,
            height,
            chroma_format,
            luma_depth,
            chroma_depth,
            sub_layers,
            temporal_id_nesting,
            profile_tier_level,
            coded_width,
            coded_height,
            coding: Coding::parse(&mut r, sub_layers, separate_planes),
        })
    }

    /// How the samples are to be read as colour, as for H.264.
    pub(crate) fn colour(&self) -> Colour {
        let coding = self.coding.as_ref();
        Colour::coded(
            coding.and_then(|coding| coding.full_range),
            coding.and_then(|coding| coding.matrix),
            self.height,
        )
    }
}

impl Coding {
    /// Reads what follows the bit depths.
    fn parse(r: &mut BitReader<'_>, sub_layers: u32, separate_planes: bool) -> Option<Self> {
        let order_bits = r.unsigned().filter(|&over| over <= 12)? + 4;
        let ordered = if r.bit()? { sub_layers } else { 1 };
        for _ in 0..3 * ordered {
            r.unsigned()?; // pictures kept, reordered, latency
        }
        for _ in 0..6 {
            r.unsigned()?; // sizes of blocks, depths of transforms
        }
        if r.bit()? && r.bit()? {
            skip_scaling_lists(r)?;
        }
        r.bits(2)?; // asymmetric partitions, sample adaptive offset
        if r.bit()? {
            r.bits(8)?; // depths of PCM
            r.unsigned()?;
            r.unsigned()?;
            r.bit()?;
        }
        let count = r.unsigned().filter(|&count| count <= MAX_SETS)?;
        let mut sets = Vec::new();
        for _ in 0..count {
            sets.push(Rps::parse(r, &sets, false)?);
        }
        let long_term = if r.bit()? {
            let listed = r.unsigned().filter(|&listed| listed <= 32)?;
            for _ in 0..listed {
                r.bits(order_bits + 1)?;
            }
            Some(listed)
        } else {
            None
        };
        r.bits(2)?; // temporal motion vectors, intra smoothing
        // A damaged VUI costs only the colour description.
        let (full_range, matrix) = if r.bit().unwrap_or(false) {
            vui_colour(r).unwrap_or_default()
        } else {
            (None, None)
        };
        Some(Self {
            order_bits,
            separate_planes,
            sets,
            long_term,
            full_range,
            matrix,
        })
    }
}

/// Most sets of pictures to be kept that a sequence parameter set may list (section 7.4.3.2.1).
const MAX_SETS: u32 = 64;

/// Skips profile and level of the sub-layers below the highest.
fn skip_sub_layers(r: &mut BitReader<'_>, count: u32) -> Option<()> {
    if count == 0 {
        return Some(());
    }
    let mut present = Vec::new();
    for layer in 0..8 {
        let flags = (r.bit()?, r.bit()?);
        if layer < count {
            present.push(flags);
        }
    }
    for (profile, level) in present {
        r.bits(if profile { 32 } else { 0 })?;
        r.bits(if profile { 32 } else { 0 })?;
        r.bits(if profile { 24 } else { 0 })?;
        r.bits(if level { 8 } else { 0 })?;
    }
    Some(())
}
