use std::ops::Deref;

use onvif_core::xml::FromText;

/// Values that stand in one attribute, with blanks between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct List<T>(pub Vec<T>);

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: FromText> FromText for List<T> {
    /// Commas, which some cameras write, count as blanks. What makes no sense is left out.
    fn from_text(text: &str) -> Option<Self> {
        let words = text.split(|c: char| c.is_whitespace() || c == ',');
        let words = words.filter(|word| !word.is_empty());
        Some(Self(words.filter_map(T::from_text).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_separated_by_blanks_or_commas() {
        assert_eq!(
            List::<i32>::from_text("1 2, 3 x").map(|list| list.0),
            Some(vec![1, 2, 3])
        );
    }
}
