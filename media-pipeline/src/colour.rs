//! From the colour of video to the colour of JPEG, on planes.
//!
//! H.264 cameras mostly send limited range, BT.709 for HD. JFIF means full range, BT.601. Left alone, such planes
//! look washed out and slightly off in hue. The grey axis is the same in both matrices, so chroma maps to chroma
//! with a 2x2 matrix, and luma gets a share of chroma.

use crate::Picture;

/// How the samples of a [`Picture`] are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Colour {
    /// Which values are black and white.
    pub range: Range,
    /// How luma and chroma are mixed from red, green and blue.
    pub matrix: Matrix,
}

impl Colour {
    /// What JFIF prescribes: full range, BT.601.
    pub const JFIF: Self = Self {
        range: Range::Full,
        matrix: Matrix::Bt601,
    };

    /// By range flag and matrix coefficients of a stream (H.264 and H.265, annex E). What the stream leaves open is what
    /// players assume: limited range, BT.709 from 720 lines on and BT.601 below.
    pub(crate) fn coded(full_range: Option<bool>, matrix: Option<u32>, height: u32) -> Self {
        let matrix = match matrix {
            Some(1) => Matrix::Bt709,
            Some(4..=6) => Matrix::Bt601,
            Some(9 | 10) => Matrix::Bt2020,
            _ if height >= 720 => Matrix::Bt709,
            _ => Matrix::Bt601,
        };
        let range = if full_range == Some(true) {
            Range::Full
        } else {
            Range::Limited
        };
        Self { range, matrix }
    }
}

/// Which sample values are black and white.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Range {
    /// Luma 0 to 255, chroma 0 to 255.
    Full,
    /// Luma 16 to 235, chroma 16 to 240.
    Limited,
}

/// How luma and chroma are mixed from red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Matrix {
    /// ITU-R BT.601: standard definition, JPEG.
    Bt601,
    /// ITU-R BT.709: high definition.
    Bt709,
    /// ITU-R BT.2020: ultra high definition. Only the matrix is converted, not the wider primaries.
    Bt2020,
}

impl Matrix {
    /// Weights of red and blue in luma.
    fn weights(self) -> (f64, f64) {
        match self {
            Matrix::Bt601 => (0.299, 0.114),
            Matrix::Bt709 => (0.2126, 0.0722),
            Matrix::Bt2020 => (0.2627, 0.0593),
        }
    }
}

const FRACTION: u32 = 16;
const HALF: i32 = 1 << (FRACTION - 1);

/// Turns samples of one [`Colour`] into [`Colour::JFIF`].
///
/// In 16 bits throughout, so that compilers make eight or more at once of it: samples are shifted up, factors have 13 or
/// 14 bits behind the point, and of their products the upper halves are kept, with 5 bits behind the point.
pub(crate) struct ToJfif {
    luma_zero: i16,
    luma: i16,
    /// What Cb and Cr add to luma; only where the matrix differs.
    luma_share: Option<[i16; 2]>,
    /// What Cb and Cr add to Cb, and to Cr.
    chroma: [[i16; 2]; 2],
    /// What is added to the luma of a row.
    added: Vec<i16>,
}

const LUMA_UP: u32 = 7;
const LUMA_FACTOR: i32 = 1 << 14;
const CHROMA_UP: u32 = 8;
const CHROMA_FACTOR: i32 = 1 << 13;
const POINT: u32 = 5;

impl ToJfif {
    /// `None` if there is nothing to do.
    pub(crate) fn new(colour: Colour) -> Option<Self> {
        if colour == Colour::JFIF {
            return None;
        }
        let (luma_scale, luma_zero, chroma_scale) = match colour.range {
            Range::Full => (1.0, 0, 1.0),
            Range::Limited => (255.0 / 219.0, 16, 255.0 / 224.0),
        };
        let fixed = |value: f64, one: i32| (value * f64::from(one)).round() as i16;
        let [luma_share, cb, cr] = chroma_mix(colour.matrix)
            .map(|row| row.map(|factor| fixed(factor * chroma_scale, CHROMA_FACTOR)));
        Some(Self {
            luma_zero,
            luma: fixed(luma_scale, LUMA_FACTOR),
            luma_share: (colour.matrix != Matrix::Bt601).then_some(luma_share),
            chroma: [cb, cr],
            added: Vec::new(),
        })
    }

    /// Converts two rows of luma (the second may be empty at the bottom) with the chroma row they share, in place.
    pub(crate) fn rows(&mut self, luma: [&mut [u8]; 2], cb: &mut [u8], cr: &mut [u8]) {
        let around = |sample: u8| (i16::from(sample) - 128) << CHROMA_UP;
        let mix = |[from_cb, from_cr]: [i16; 2], cb: u8, cr: u8| {
            upper(around(cb), from_cb) + upper(around(cr), from_cr)
        };
        let (zero, factor) = (self.luma_zero, self.luma);
        let scaled = |sample: u8| upper((i16::from(sample) - zero) << LUMA_UP, factor);
        match self.luma_share {
            None => luma
                .into_iter()
                .for_each(|row| row.iter_mut().for_each(|s| *s = rounded(scaled(*s)))),
            Some(share) => {
                self.added.resize(2 * cb.len(), 0);
                let pairs = self.added.chunks_exact_mut(2).zip(cb.iter().zip(&*cr));
                pairs.for_each(|(pair, (cb, cr))| pair.fill(mix(share, *cb, *cr)));
                for row in luma {
                    let samples = row.iter_mut().zip(&self.added);
                    samples.for_each(|(s, add)| *s = rounded(scaled(*s) + add));
                }
            }
        }
        let [to_cb, to_cr] = self.chroma;
        let zero = 128 << POINT;
        for (cb, cr) in cb.iter_mut().zip(cr) {
            let (from_cb, from_cr) = (*cb, *cr);
            *cb = rounded(zero + mix(to_cb, from_cb, from_cr));
            *cr = rounded(zero + mix(to_cr, from_cb, from_cr));
        }
    }
}

/// The upper half of a product.
fn upper(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b)) >> 16) as i16
}

fn rounded(fixed: i16) -> u8 {
    ((fixed + (1 << (POINT - 1))) >> POINT).clamp(0, 255) as u8
}

/// Turns one sample of each plane into red, green and blue, full range.
pub(crate) struct ToRgb {
    y: [i32; 256],
    r_from_cr: [i32; 256],
    g_from_cb: [i32; 256],
    g_from_cr: [i32; 256],
    b_from_cb: [i32; 256],
}

impl ToRgb {
    pub(crate) fn new(colour: Colour) -> Self {
        let (luma_scale, luma_zero, chroma_scale) = match colour.range {
            Range::Full => (1.0, 0.0, 1.0),
            Range::Limited => (255.0 / 219.0, 16.0, 255.0 / 224.0),
        };
        let (red, blue) = colour.matrix.weights();
        let green = 1.0 - red - blue;
        let fixed = |value: f64| (value * f64::from(1 << FRACTION)).round() as i32;
        let chroma = |factor: f64| table(|s| fixed((s - 128.0) * chroma_scale * factor));
        Self {
            y: table(|s| fixed((s - luma_zero) * luma_scale)),
            r_from_cr: chroma(2.0 * (1.0 - red)),
            g_from_cb: chroma(-2.0 * (1.0 - blue) * blue / green),
            g_from_cr: chroma(-2.0 * (1.0 - red) * red / green),
            b_from_cb: chroma(2.0 * (1.0 - blue)),
        }
    }

    pub(crate) fn pixel(&self, y: u8, cb: u8, cr: u8) -> [u8; 3] {
        let (y, cb, cr) = (self.y[usize::from(y)], usize::from(cb), usize::from(cr));
        [
            round(y + self.r_from_cr[cr]),
            round(y + self.g_from_cb[cb] + self.g_from_cr[cr]),
            round(y + self.b_from_cb[cb]),
        ]
    }
}

/// Red, green and blue of each pixel, row by row, without padding.
pub(crate) fn rgb(picture: &Picture) -> Vec<u8> {
    let tables = ToRgb::new(picture.colour);
    let (width, half_width) = (picture.width as usize, picture.width.div_ceil(2));
    let mut pixels = vec![0; 3 * width * picture.height as usize];
    for (row, pixels) in (0..).zip(pixels.chunks_exact_mut(3 * width)) {
        let luma = picture.y.row(row, picture.width);
        let chroma = picture.cb.row(row / 2, half_width).iter();
        let chroma = chroma.zip(picture.cr.row(row / 2, half_width));
        let pairs = luma.chunks(2).zip(pixels.chunks_mut(6)).zip(chroma);
        for ((luma, pixels), (cb, cr)) in pairs {
            for (y, pixel) in luma.iter().zip(pixels.chunks_exact_mut(3)) {
                pixel.copy_from_slice(&tables.pixel(*y, *cb, *cr));
            }
        }
    }
    pixels
}

/// What Cb and Cr of a matrix contribute to Y, Cb and Cr of BT.601, all normalised.
fn chroma_mix(matrix: Matrix) -> [[f64; 2]; 3] {
    let (red, blue) = matrix.weights();
    let green = 1.0 - red - blue;
    // Red, green and blue of a colour with zero luma.
    let rgb = |cb: f64, cr: f64| {
        let (r, b) = (2.0 * (1.0 - red) * cr, 2.0 * (1.0 - blue) * cb);
        (r, -(red * r + blue * b) / green, b)
    };
    let (red, blue) = Matrix::Bt601.weights();
    let green = 1.0 - red - blue;
    let column = |cb: f64, cr: f64| {
        let (r, g, b) = rgb(cb, cr);
        let y = red * r + green * g + blue * b;
        [
            y,
            (b - y) / (2.0 * (1.0 - blue)),
            (r - y) / (2.0 * (1.0 - red)),
        ]
    };
    let (from_cb, from_cr) = (column(1.0, 0.0), column(0.0, 1.0));
    std::array::from_fn(|row| [from_cb[row], from_cr[row]])
}

fn table(value: impl Fn(f64) -> i32) -> [i32; 256] {
    std::array::from_fn(|sample| value(sample as f64))
}

fn round(fixed: i32) -> u8 {
    ((fixed + HALF) >> FRACTION).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The eight corners of the RGB cube at 75 % and 100 %, and greys.
    const BARS: [[f64; 3]; 12] = [
        [0.0, 0.0, 0.0],
        [1.0, 1.0, 1.0],
        [0.5, 0.5, 0.5],
        [0.75, 0.75, 0.0],
        [0.0, 0.75, 0.75],
        [0.0, 0.75, 0.0],
        [0.75, 0.0, 0.75],
        [0.75, 0.0, 0.0],
        [0.0, 0.0, 0.75],
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
    ];

    /// Exact samples of a colour, as a camera would send them.
    fn samples([r, g, b]: [f64; 3], colour: Colour) -> [u8; 3] {
        let (red, blue) = colour.matrix.weights();
        let y = red * r + (1.0 - red - blue) * g + blue * b;
        let (cb, cr) = (
            (b - y) / (2.0 * (1.0 - blue)),
            (r - y) / (2.0 * (1.0 - red)),
        );
        match colour.range {
            Range::Full => [y * 255.0, cb * 255.0 + 128.0, cr * 255.0 + 128.0],
            Range::Limited => [y * 219.0 + 16.0, cb * 224.0 + 128.0, cr * 224.0 + 128.0],
        }
        .map(|v| v.round().clamp(0.0, 255.0) as u8)
    }

    fn all() -> impl Iterator<Item = Colour> {
        let matrices = [Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020];
        [Range::Full, Range::Limited]
            .into_iter()
            .flat_map(move |range| matrices.map(|matrix| Colour { range, matrix }))
    }

    fn to_jfif(colour: Colour, [y, cb, cr]: [u8; 3]) -> [u8; 3] {
        let Some(mut tables) = ToJfif::new(colour) else {
            return [y, cb, cr];
        };
        let (mut luma, mut cb, mut cr) = ([y, y], [cb], [cr]);
        tables.rows([&mut luma, &mut []], &mut cb, &mut cr);
        assert_eq!(luma[0], luma[1]);
        [luma[0], cb[0], cr[0]]
    }

    #[test]
    fn colour_bars_become_jfif_within_two_steps() {
        for colour in all() {
            for bar in BARS {
                let got = to_jfif(colour, samples(bar, colour));
                let want = samples(bar, Colour::JFIF);
                let error = got
                    .iter()
                    .zip(want)
                    .map(|(g, w)| g.abs_diff(w))
                    .max()
                    .unwrap();
                assert!(error <= 2, "{bar:?} in {colour:?}: {got:?}, not {want:?}");
            }
        }
    }

    #[test]
    fn every_sample_is_within_one_of_what_it_should_be() {
        for colour in all() {
            let (scale, zero, chroma_scale) = match colour.range {
                Range::Full => (1.0, 0.0, 1.0),
                Range::Limited => (255.0 / 219.0, 16.0, 255.0 / 224.0),
            };
            let mix = chroma_mix(colour.matrix);
            let chroma = || (0..=255).step_by(15);
            for (cb, cr) in chroma().flat_map(|cb| chroma().map(move |cr| (cb, cr))) {
                for y in (0..=255).step_by(5) {
                    let around = |c: u8| (f64::from(c) - 128.0) * chroma_scale;
                    let mixed = mix.map(|[b, r]| b * around(cb) + r * around(cr));
                    let luma = (f64::from(y) - zero) * scale + mixed[0];
                    let exact = [luma, 128.0 + mixed[1], 128.0 + mixed[2]];
                    for (got, exact) in to_jfif(colour, [y, cb, cr]).into_iter().zip(exact) {
                        let off = (f64::from(got) - exact.clamp(0.0, 255.0)).abs();
                        assert!(
                            off <= 1.0,
                            "{y} {cb} {cr} in {colour:?}: {got}, not {exact}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn colour_bars_become_rgb_within_three_steps() {
        for colour in all() {
            let tables = ToRgb::new(colour);
            for bar in BARS {
                let [y, cb, cr] = samples(bar, colour);
                let got = tables.pixel(y, cb, cr);
                for (got, want) in got.iter().zip(bar) {
                    assert!(
                        (f64::from(*got) - want * 255.0).abs() <= 3.0,
                        "{bar:?} in {colour:?}: {got}"
                    );
                }
            }
        }
    }

    #[test]
    fn greys_keep_neutral_chroma() {
        for colour in all() {
            for y in 16..=235 {
                assert_eq!(to_jfif(colour, [y, 128, 128])[1..], [128, 128]);
            }
        }
    }

    #[test]
    fn the_mix_of_bt601_with_itself_is_the_identity() {
        let [y, cb, cr] = chroma_mix(Matrix::Bt601);
        let expected = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]];
        for (got, want) in [y, cb, cr].iter().flatten().zip(expected.iter().flatten()) {
            assert!((got - want).abs() < 1e-12);
        }
    }
}
