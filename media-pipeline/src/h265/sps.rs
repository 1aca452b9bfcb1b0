use crate::h264::bits::BitReader;

/// What the pipeline needs of a sequence parameter set (ITU-T H.265 section 7.3.2.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sps {
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
        r.unsigned()?; // SPS id
        let chroma_format = r.unsigned().filter(|&format| format <= 3)?;
        if chroma_format == 3 {
            r.bit()?; // separate colour planes
        }
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
        Some(Self {
            width: cropped(coded_width, &crop[..2])?,
            height: cropped(coded_height, &crop[2..])?,
            chroma_format,
            luma_depth: depth(&mut r)?,
            chroma_depth: depth(&mut r)?,
            sub_layers,
            temporal_id_nesting,
            profile_tier_level,
        })
    }
}

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
