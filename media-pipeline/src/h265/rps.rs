use crate::h264::bits::BitReader;

/// How many pictures a picture asks to be kept for those that refer to them (ITU-T H.265 section 7.3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rps {
    pub(crate) pictures: u32,
}

impl Rps {
    /// Reads a set that may be told by its difference from one of those `before` it. `in_slice`: it stands in the header
    /// of a slice, which names that set.
    pub(crate) fn parse(r: &mut BitReader<'_>, before: &[Self], in_slice: bool) -> Option<Self> {
        if !before.is_empty() && r.bit()? {
            let back = if in_slice { r.unsigned()? } else { 0 };
            let from = before.len().checked_sub(1 + back as usize)?;
            r.bit()?; // sign
            r.unsigned()?; // difference
            let mut pictures = 0;
            for _ in 0..=before[from].pictures {
                // Used by this picture, or at least kept for one that follows.
                pictures += u32::from(r.bit()? || r.bit()?);
            }
            return Some(Self { pictures });
        }
        let mut pictures = 0;
        for _ in 0..2 {
            pictures += r.unsigned().filter(|&count| count <= MAX_KEPT)?;
        }
        for _ in 0..pictures {
            r.unsigned()?;
            r.bit()?;
        }
        Some(Self { pictures })
    }
}

/// Most pictures that are kept besides the current one (section A.4.2: `MaxDpbSize`).
pub(crate) const MAX_KEPT: u32 = 16;

/// Skips the factors of quantisation (section 7.3.4).
pub(super) fn skip_scaling_lists(r: &mut BitReader<'_>) -> Option<()> {
    for size in 0..4 {
        for _ in 0..if size == 3 { 2 } else { 6 } {
            if !r.bit()? {
                r.unsigned()?; // as another one
                continue;
            }
            if size > 1 {
                r.signed()?;
            }
            for _ in 0..64.min(1 << (4 + 2 * size)) {
                r.signed()?;
            }
        }
    }
    Some(())
}
