//! The number in the picture.

/// Cells in the row at the top: eight bits of the number, and the same inverted.
const CELLS: usize = 16;
/// The row is so much of the height.
const ROW: usize = 18;

/// Reads from a decoded picture which frame of the clip it is: 0 to 149, of 15 frames a second, the same in all streams at
/// the same time; `None` where the picture is damaged or not of this camera. `luma` is the brightness of each pixel, row by
/// row without gaps.
///
/// ```
/// // 51 in eight cells, and inverted in eight more.
/// let (black, white) = ([16_u8; 20], [235_u8; 20]);
/// let cells = [black, black, white, white, black, black, white, white];
/// let inverted = [white, white, black, black, white, white, black, black];
/// let row: Vec<u8> = [cells, inverted].concat().concat();
/// let picture = row.repeat(180);
/// assert_eq!(virtual_camera::frame_number(&picture, 320, 180), Some(51));
/// assert_eq!(virtual_camera::frame_number(&[0; 320 * 180], 320, 180), None);
/// ```
#[must_use]
pub fn frame_number(luma: &[u8], width: usize, height: usize) -> Option<u32> {
    let rows = height / ROW;
    let cell = width / CELLS;
    if cell < 4 || rows < 4 || luma.len() < rows * width {
        return None;
    }
    let bits = (0..CELLS).map(|number| {
        // The edges of a cell are not as they were, once it was compressed.
        let start = number * width / CELLS + cell / 4;
        let lines = luma.chunks_exact(width).take(rows * 3 / 4).skip(rows / 4);
        let middle = lines.flat_map(|line| &line[start..start + cell / 2]);
        let (sum, count) = middle.fold((0_u64, 0_u64), |(sum, count), pixel| {
            (sum + u64::from(*pixel), count + 1)
        });
        match sum.checked_div(count)? {
            0..90 => Some(0),
            165.. => Some(1),
            _ => None,
        }
    });
    let bits = bits.collect::<Option<Vec<u32>>>()?;
    let read = |bits: &[u32]| bits.iter().fold(0, |number, bit| number << 1 | bit);
    let (number, inverted) = (read(&bits[..8]), read(&bits[8..]));
    (number == !inverted & 0xff).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_too_small_or_too_short_has_no_number() {
        assert_eq!(frame_number(&[], 0, 0), None);
        assert_eq!(frame_number(&[255; 63 * 100], 63, 100), None);
        assert_eq!(frame_number(&[255; 100], 320, 180), None);
    }
}
