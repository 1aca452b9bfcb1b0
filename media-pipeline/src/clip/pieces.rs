//! What is written of a clip at once, without copies of the samples in it. Pure.

use std::io::IoSlice;

use bytes::Bytes;

/// Bytes in a row: those of a muxer's making, and between them those that are shared with the samples.
#[derive(Default)]
pub(super) struct Pieces {
    own: Vec<u8>,
    /// Each with the number of own bytes before it.
    shared: Vec<(usize, Bytes)>,
    length: usize,
}

impl Pieces {
    /// What is smaller is cheaper to copy than to write on its own.
    const LEAST: usize = 1024;

    /// Goes on with bytes that are made here.
    pub(super) fn make<T>(&mut self, make: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let before = self.own.len();
        let made = make(&mut self.own);
        self.length += self.own.len() - before;
        made
    }

    /// Goes on with bytes of a sample.
    pub(super) fn share(&mut self, data: Bytes) {
        if data.len() < Self::LEAST {
            return self.make(|own| own.extend_from_slice(&data));
        }
        self.length += data.len();
        self.shared.push((self.own.len(), data));
    }

    pub(super) fn append(&mut self, next: Self) {
        let base = self.own.len();
        self.own.extend_from_slice(&next.own);
        let shared = next.shared.into_iter();
        self.shared
            .extend(shared.map(|(before, data)| (base + before, data)));
        self.length += next.length;
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// All of it in order, none of it empty.
    pub(super) fn slices(&self) -> Vec<IoSlice<'_>> {
        let mut slices = Vec::with_capacity(2 * self.shared.len() + 1);
        let mut from = 0;
        let end = (self.own.len(), &[][..]);
        let shared = self
            .shared
            .iter()
            .map(|(before, data)| (*before, &data[..]));
        for (before, data) in shared.chain([end]) {
            slices.extend([&self.own[from..before], data].map(IoSlice::new));
            from = before;
        }
        slices.retain(|slice| !slice.is_empty());
        slices
    }

    #[cfg(test)]
    pub(super) fn to_vec(&self) -> Vec<u8> {
        let slices = self.slices();
        slices
            .iter()
            .flat_map(|slice| slice.iter().copied())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_and_what_is_shared_stay_in_order() {
        let large = |byte| Bytes::from(vec![byte; Pieces::LEAST]);
        let mut pieces = Pieces::default();
        pieces.share(large(1));
        pieces.make(|own| own.push(2));
        pieces.share(Bytes::from_static(&[3]));
        let mut next = Pieces::default();
        next.make(|own| own.push(4));
        next.share(large(5));
        next.share(large(6));
        pieces.append(next);
        pieces.make(|own| own.push(7));
        let (one, five, six) = (large(1), large(5), large(6));
        let want = [&one[..], &[2, 3, 4], &five, &six, &[7]].concat();
        assert!(pieces.to_vec() == want);
        assert_eq!(pieces.len(), want.len());
        assert!(pieces.slices().iter().all(|slice| !slice.is_empty()));
    }

    #[test]
    fn a_large_sample_is_not_copied() {
        let sample = Bytes::from(vec![1; Pieces::LEAST]);
        let mut pieces = Pieces::default();
        pieces.share(sample.clone());
        assert_eq!(pieces.slices()[0].as_ptr(), sample.as_ptr());
    }

    #[test]
    fn nothing_is_no_slices() {
        assert!(Pieces::default().slices().is_empty());
    }
}
