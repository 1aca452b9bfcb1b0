//! Ranges of numbers, as imaging uses them.

use crate::schema::FloatRange;

impl FloatRange {
    /// The nearest value in the range. A bound that the camera does not tell is none; bounds in the
    /// wrong order are understood.
    pub fn clamp(&self, value: f32) -> f32 {
        let (min, max) = self.bounds();
        value.max(min).min(max)
    }

    /// Whether the value is in the range.
    pub fn contains(&self, value: f32) -> bool {
        let (min, max) = self.bounds();
        (min..=max).contains(&value)
    }

    fn bounds(&self) -> (f32, f32) {
        let min = self.min.unwrap_or(f32::NEG_INFINITY);
        let max = self.max.unwrap_or(f32::INFINITY);
        (min.min(max), min.max(max))
    }
}

/// The nearest value in a range, or the value where there is none.
pub(super) fn nearest(range: Option<FloatRange>, value: f32) -> f32 {
    range.map_or(value, |range| range.clamp(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_with_one_bound_clamps_on_that_side() {
        let range = FloatRange {
            min: Some(0.0),
            max: None,
        };
        assert_eq!((range.clamp(-1.0), range.clamp(1e9)), (0.0, 1e9));
        assert!(!range.contains(-0.5) && !range.contains(f32::NAN));
    }

    #[test]
    fn bounds_in_the_wrong_order_are_understood() {
        let range = FloatRange {
            min: Some(100.0),
            max: Some(0.0),
        };
        assert_eq!(range.clamp(120.0), 100.0);
    }
}
