use super::bits::BitReader;
use crate::colour::Colour;

/// What the pipeline needs of a sequence parameter set (ITU-T H.264 section 7.3.2.1.1 and annex E).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sps {
    pub(crate) id: u32,
    /// `profile_idc`.
    pub(crate) profile: u32,
    pub(crate) coded_width: u32,
    pub(crate) coded_height: u32,
    /// Luma samples cut from the left, right, top and bottom of the coded picture.
    pub(crate) crop: [u32; 4],
    /// 1 for 4:2:0.
    pub(crate) chroma_format: u32,
    pub(crate) bit_depth: u32,
    pub(crate) interlaced: bool,
    pub(crate) full_range: Option<bool>,
    /// `matrix_coefficients` (table E-5).
    pub(crate) matrix: Option<u32>,
}

impl Sps {
    /// Reads a NAL unit of type 7; `None` if it is cut short or describes an impossible picture.
    pub(crate) fn parse(nal: &[u8]) -> Option<Self> {
        let mut r = BitReader::new(nal.get(1..)?);
        let profile = r.bits(8)?;
        r.bits(16)?; // constraint flags, level
        let id = r.unsigned().filter(|&id| id <= 31)?;
        let (mut chroma_format, mut bit_depth) = (1, 8);
        if HIGH_PROFILES.contains(&profile) {
            chroma_format = r.unsigned()?;
            if chroma_format == 3 {
                r.bit()?; // separate colour planes
            }
            bit_depth = 8 + r.unsigned()?.max(r.unsigned()?);
            r.bit()?; // transform bypass
            if r.bit()? {
                for list in 0..if chroma_format == 3 { 12 } else { 8 } {
                    if r.bit()? {
                        skip_scaling_list(&mut r, if list < 6 { 16 } else { 64 })?;
                    }
                }
            }
        }
        r.unsigned()?; // log2_max_frame_num
        match r.unsigned()? {
            0 => drop(r.unsigned()?),
            1 => {
                r.bit()?;
                r.signed()?;
                r.signed()?;
                for _ in 0..r.unsigned().filter(|&count| count <= 255)? {
                    r.signed()?;
                }
            }
            _ => {}
        }
        let references = r.unsigned()?;
        r.bit()?; // gaps
        let width_mbs = r.unsigned()?.checked_add(1)?;
        let map_units = r.unsigned()?.checked_add(1)?;
        // A decoder keeps as many pictures as it is told: no level permits more.
        let kept = u64::from(references) * u64::from(width_mbs) * u64::from(map_units);
        if references > MAX_REFERENCES || (references > 1 && kept > MAX_KEPT_MBS) {
            return None;
        }
        let frames_only = r.bit()?;
        if !frames_only {
            r.bit()?; // mb-adaptive
        }
        let coded_width = width_mbs.checked_mul(16)?;
        let coded_height = map_units.checked_mul(if frames_only { 16 } else { 32 })?;
        r.bit()?; // direct 8x8 inference
        let mut crop = [0; 4];
        if r.bit()? {
            let unit_x = if matches!(chroma_format, 1 | 2) { 2 } else { 1 };
            let unit_y = if chroma_format == 1 { 2 } else { 1 } * if frames_only { 1 } else { 2 };
            for (side, unit) in crop.iter_mut().zip([unit_x, unit_x, unit_y, unit_y]) {
                *side = r.unsigned()?.checked_mul(unit)?;
            }
        }
        if crop[0].checked_add(crop[1])? >= coded_width
            || crop[2].checked_add(crop[3])? >= coded_height
        {
            return None;
        }
        // A damaged VUI costs only the colour description.
        let (full_range, matrix) = if r.bit().unwrap_or(false) {
            vui_colour(&mut r).unwrap_or_default()
        } else {
            (None, None)
        };
        Some(Self {
            id,
            profile,
            coded_width,
            coded_height,
            crop,
            chroma_format,
            bit_depth,
            interlaced: !frames_only,
            full_range,
            matrix,
        })
    }

    pub(crate) fn width(&self) -> u32 {
        self.coded_width - self.crop[0] - self.crop[1]
    }

    pub(crate) fn height(&self) -> u32 {
        self.coded_height - self.crop[2] - self.crop[3]
    }

    /// How the samples are to be read as colour.
    pub(crate) fn colour(&self) -> Colour {
        Colour::coded(self.full_range, self.matrix, self.height())
    }
}

/// Profiles whose SPS carries chroma format and bit depth.
const HIGH_PROFILES: [u32; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// Most reference frames, and most macroblocks in them, at the highest level (annex A, table A-1: `MaxDpbMbs`).
const MAX_REFERENCES: u32 = 16;
const MAX_KEPT_MBS: u64 = 696_320;

fn skip_scaling_list(r: &mut BitReader<'_>, size: u32) -> Option<()> {
    let (mut last, mut next) = (8i32, 8i32);
    for _ in 0..size {
        if next != 0 {
            next = last.wrapping_add(r.signed()?).rem_euclid(256);
        }
        if next != 0 {
            last = next;
        }
    }
    Some(())
}

/// Range flag and matrix coefficients of the VUI, where present; H.265 has the same (annex E of both).
pub(crate) fn vui_colour(r: &mut BitReader<'_>) -> Option<(Option<bool>, Option<u32>)> {
    const EXTENDED_SAR: u32 = 255;
    const UNSPECIFIED: u32 = 2;
    if r.bit()? && r.bits(8)? == EXTENDED_SAR {
        r.bits(32)?;
    }
    if r.bit()? {
        r.bit()?; // overscan
    }
    if !r.bit()? {
        return Some((None, None));
    }
    r.bits(3)?; // video format
    let full_range = r.bit()?;
    let mut matrix = None;
    if r.bit()? {
        r.bits(16)?; // primaries, transfer
        matrix = Some(r.bits(8)?).filter(|&m| m != UNSPECIFIED);
    }
    Some((Some(full_range), matrix))
}
