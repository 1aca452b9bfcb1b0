//! Cuts a part out of a picture, and makes it smaller. Pure.

use crate::{Error, Picture, Plane};

/// A part of a picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Crop {
    /// Pixels left of it; rounded down to an even number, as colour is stored for pairs of pixels.
    pub left: u32,
    /// Pixels above it; rounded down to an even number.
    pub top: u32,
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
}

/// What becomes of a picture before it is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    pub(crate) crop: Option<Crop>,
    /// Greatest width and height.
    pub(crate) fit: Option<(u32, u32)>,
}

impl Shape {
    /// Cuts first, then makes smaller; never larger. The proportions are kept.
    pub(crate) fn apply(self, picture: Picture) -> Result<Picture, Error> {
        let picture = match self.crop {
            Some(crop) => cut(&picture, crop)?,
            None => picture,
        };
        let (width, height) = (picture.width, picture.height);
        match self.fit.map(|bounds| fitting((width, height), bounds)) {
            Some(size) if size != (width, height) => scale(&picture, size),
            _ => Ok(picture),
        }
    }
}

fn cut(picture: &Picture, crop: Crop) -> Result<Picture, Error> {
    let (left, top) = (crop.left & !1, crop.top & !1);
    let inside = |start: u32, length: u32, whole| {
        length > 0 && start.checked_add(length).is_some_and(|end| end <= whole)
    };
    if !inside(left, crop.width, picture.width) || !inside(top, crop.height, picture.height) {
        return Err(Error::Option {
            option: "crop",
            reason: format!(
                "of {} x {} pixels at {left}, {top} does not lie in the picture of {} x {}",
                crop.width, crop.height, picture.width, picture.height
            ),
        });
    }
    let from = |plane: &Plane, left: u32, top: u32| Plane {
        data: plane
            .data
            .slice(top as usize * plane.stride + left as usize..),
        stride: plane.stride,
    };
    let planes = [
        from(&picture.y, left, top),
        from(&picture.cb, left / 2, top / 2),
        from(&picture.cr, left / 2, top / 2),
    ];
    whole(Picture::new(
        crop.width,
        crop.height,
        planes,
        picture.colour,
    ))
}

/// The largest size with the proportions of `size` that is not over `bounds`, nor over `size`.
fn fitting((width, height): (u32, u32), bounds: (u32, u32)) -> (u32, u32) {
    let ratio = |bound: u32, side: u32| f64::from(bound) / f64::from(side);
    let factor = ratio(bounds.0, width).min(ratio(bounds.1, height)).min(1.0);
    let scaled = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
    (scaled(width), scaled(height))
}

fn scale(picture: &Picture, (width, height): (u32, u32)) -> Result<Picture, Error> {
    let half = |side: u32| side.div_ceil(2);
    let from = (picture.width, picture.height);
    let (half_from, half_to) = ((half(from.0), half(from.1)), (half(width), half(height)));
    let planes = [
        shrink(&picture.y, from, (width, height)),
        shrink(&picture.cb, half_from, half_to),
        shrink(&picture.cr, half_from, half_to),
    ];
    whole(Picture::new(width, height, planes, picture.colour))
}

fn whole(picture: Option<Picture>) -> Result<Picture, Error> {
    picture.ok_or_else(|| Error::Encode {
        reason: "the planes are smaller than the picture".into(),
    })
}

/// Each sample of the result is the mean of the area that it covers.
fn shrink(plane: &Plane, from: (u32, u32), to: (u32, u32)) -> Plane {
    let (columns, rows) = (shares(from.0, to.0), shares(from.1, to.1));
    let mut data = Vec::with_capacity(to.0 as usize * to.1 as usize);
    let mut sum = vec![0.0; from.0 as usize];
    for (first, weights) in &rows {
        sum.fill(0.0);
        for (row, weight) in (*first..).zip(weights) {
            let samples = plane.row(row as u32, from.0);
            for (sum, sample) in sum.iter_mut().zip(samples) {
                *sum += weight * f32::from(*sample);
            }
        }
        data.extend(columns.iter().map(|(first, weights)| {
            let covered = sum[*first..].iter().zip(weights);
            let mean: f32 = covered.map(|(sum, weight)| sum * weight).sum();
            mean.round() as u8
        }));
    }
    Plane {
        data: data.into(),
        stride: to.0 as usize,
    }
}

/// For each sample of the result: the first of those that it covers, and how much of it each of them is.
fn shares(from: u32, to: u32) -> Vec<(usize, Vec<f32>)> {
    let step = f64::from(from) / f64::from(to);
    let share = |index: u32| {
        let (start, end) = (f64::from(index) * step, f64::from(index + 1) * step);
        let first = (start as u32).min(from - 1);
        let last = (end.ceil() as u32).clamp(first + 1, from);
        let weights = (first..last).map(|sample| {
            let covered = end.min(f64::from(sample + 1)) - start.max(f64::from(sample));
            (covered / step) as f32
        });
        (first as usize, weights.collect())
    };
    (0..to).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Colour;

    /// Luma is the column, blue the column of pairs, red the row of pairs.
    fn picture(width: u32, height: u32) -> Picture {
        let plane = |width: u32, height: u32, value: fn(u32, u32) -> u32| Plane {
            data: (0..height)
                .flat_map(|row| (0..width).map(move |column| value(column, row) as u8))
                .collect::<Vec<_>>()
                .into(),
            stride: width as usize,
        };
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        let planes = [
            plane(width, height, |column, _| column),
            plane(half_width, half_height, |column, _| column),
            plane(half_width, half_height, |_, row| row),
        ];
        Picture::new(width, height, planes, Colour::JFIF).expect("planes of its size")
    }

    fn reshaped(crop: Option<Crop>, fit: Option<(u32, u32)>) -> Result<Picture, Error> {
        Shape { crop, fit }.apply(picture(64, 36))
    }

    #[test]
    fn a_part_is_cut_out_with_its_colour() {
        let (left, top, width, height) = (11, 8, 20, 9);
        let crop = Crop {
            left,
            top,
            width,
            height,
        };
        let part = reshaped(Some(crop), None).expect("it lies in the picture");
        assert_eq!((part.width, part.height), (20, 9));
        assert_eq!(part.y.row(8, 20)[..3], [10, 11, 12]);
        assert_eq!(part.cb.row(4, 10)[..2], [5, 6]);
        assert_eq!(part.cr.row(4, 10)[0], 8);
    }

    #[test]
    fn a_part_that_is_not_in_the_picture_is_refused() {
        for (left, width) in [(60, 8), (0, 65), (0, 0), (u32::MAX, 2)] {
            let (top, height) = (0, 4);
            let crop = Crop {
                left,
                top,
                width,
                height,
            };
            let error = reshaped(Some(crop), None).expect_err("refused");
            assert!(error.to_string().starts_with("crop of"), "{error}");
        }
    }

    #[test]
    fn smaller_pictures_keep_their_proportions_and_none_grows() {
        let size = |fit| {
            let picture = reshaped(None, Some(fit)).expect("it fits");
            (picture.width, picture.height)
        };
        assert_eq!(size((32, 32)), (32, 18));
        assert_eq!(size((64, 9)), (16, 9));
        assert_eq!(size((640, 480)), (64, 36));
        assert_eq!(size((1, 1)), (1, 1));
    }

    #[test]
    fn each_sample_is_the_mean_of_what_it_covers() {
        let quarter = reshaped(None, Some((16, 9))).expect("it fits");
        let expected: Vec<u8> = (0..16).map(|column| 4 * column + 2).collect();
        assert_eq!(quarter.y.row(4, 16), expected);
        let uneven = reshaped(None, Some((48, 27))).expect("it fits");
        let ends = (uneven.y.row(0, 48)[0], uneven.y.row(26, 48)[47]);
        assert_eq!(ends, (0, 63));
        let expected = [(0, vec![0.4, 0.4, 0.2]), (2, vec![0.2, 0.4, 0.4])];
        assert_eq!(shares(5, 2), expected);
    }
}
