use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::{MOST, Reader, Stored, too_large};
use crate::{Codec, Parameters, VideoParameters, h264, h265};

/// A byte stream of H.264 or H.265 (annex B of both), cut into access units.
pub(super) struct AnnexB<R> {
    file: R,
    codec: Codec,
    period: Duration,
    buffer: BytesMut,
    /// How far the search for the next unit has come.
    searched: usize,
    /// A coded picture is among what was searched.
    picture: bool,
    ended: bool,
    count: u32,
    parameters: Option<Arc<Parameters>>,
}

impl<R: Read> AnnexB<R> {
    pub(super) fn new(file: R, codec: Codec, period: Duration) -> Self {
        Self {
            file,
            codec,
            period,
            buffer: BytesMut::new(),
            searched: 0,
            picture: false,
            ended: false,
            count: 0,
            parameters: None,
        }
    }

    /// Where the access unit after the first begins, if that is in the buffer.
    fn boundary(&mut self) -> Option<usize> {
        loop {
            let rest = &self.buffer[self.searched..];
            let found = memchr::memmem::find(rest, &[0, 0, 1]).map(|at| self.searched + at);
            let Some(at) = found else {
                // The last bytes may be the beginning of a start code.
                self.searched = self.buffer.len().saturating_sub(2).max(self.searched);
                return None;
            };
            let nal = &self.buffer[at + 3..];
            // Its first bytes tell what a NAL unit is.
            if nal.len() < 3 && !self.ended {
                self.searched = at;
                return None;
            }
            let (coded, first) = self.slice(nal);
            if self.picture && (first || !coded && self.opens(nal)) {
                // A zero byte before belongs to the start code.
                let start = if at > 0 && self.buffer[at - 1] == 0 {
                    at - 1
                } else {
                    at
                };
                self.picture = false;
                self.searched = 0;
                return Some(start);
            }
            self.picture |= coded;
            self.searched = at + 3;
        }
    }

    /// Whether it is a part of a coded picture, and the first.
    fn slice(&self, nal: &[u8]) -> (bool, bool) {
        let begins = |at: usize| nal.get(at).is_some_and(|byte| byte & 0x80 != 0);
        let kind = nal.first().copied().unwrap_or_default();
        let (coded, first) = match self.codec {
            Codec::H264 => (matches!(kind & 0x1f, 1..=5), begins(1)),
            _ => (kind >> 1 & 0x3f < 32, begins(2)),
        };
        (coded, coded && first)
    }

    /// Whether no NAL unit of this type comes after the picture of its access unit.
    fn opens(&self, nal: &[u8]) -> bool {
        let kind = nal.first().copied().unwrap_or_default();
        match self.codec {
            Codec::H264 => matches!(kind & 0x1f, 6..=9 | 14..=18),
            _ => matches!(kind >> 1 & 0x3f, 32..=35 | 39 | 41..=44 | 48..=55),
        }
    }

    fn stored(&mut self, data: Bytes) -> Stored {
        let is_set = match self.codec {
            Codec::H264 => h264::is_parameter_set,
            _ => h265::is_parameter_set,
        };
        let sets = h264::nal_units(&data).filter(|nal| is_set(nal));
        let sets: Vec<_> = sets.map(Bytes::copy_from_slice).collect();
        let known = self.parameters.as_deref().and_then(Parameters::video);
        if !sets.is_empty()
            && known.is_none_or(|known| known.sets != sets)
            && let Some(video) = VideoParameters::from_sets(self.codec, sets)
        {
            self.parameters = Some(Arc::new(Parameters::Video(video)));
        }
        let pts = self.period * self.count;
        self.count += 1;
        Stored {
            track: 0,
            codec: self.codec,
            data,
            pts,
            duration: self.period,
            parameters: self.parameters.clone(),
        }
    }
}

impl<R: Read + Send> Reader for AnnexB<R> {
    fn next(&mut self) -> io::Result<Option<Stored>> {
        loop {
            if let Some(end) = self.boundary() {
                let data = self.buffer.split_to(end).freeze();
                return Ok(Some(self.stored(data)));
            }
            if self.ended {
                let data = self.buffer.split().freeze();
                self.searched = 0;
                let last = std::mem::take(&mut self.picture);
                return Ok(last.then(|| self.stored(data)));
            }
            if self.buffer.len() > MOST {
                return Err(too_large());
            }
            let length = self.buffer.len();
            self.buffer.resize(length + (64 << 10), 0);
            let read = self.file.read(&mut self.buffer[length..])?;
            self.buffer.truncate(length + read);
            self.ended = read == 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives a few bytes at a time.
    struct Dripping<'a>(&'a [u8], usize);

    impl Read for Dripping<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let taken = self.0.len().min(self.1).min(buffer.len());
            buffer[..taken].copy_from_slice(&self.0[..taken]);
            self.0 = &self.0[taken..];
            Ok(taken)
        }
    }

    fn units(data: &[u8], codec: Codec, at_once: usize) -> Vec<Vec<u8>> {
        let mut reader = AnnexB::new(Dripping(data, at_once), codec, Duration::from_millis(40));
        let units = std::iter::from_fn(|| reader.next().unwrap());
        units.map(|unit| unit.data.to_vec()).collect()
    }

    const SETS: &[u8] = &[0, 0, 0, 1, 0x67, 0x42, 0, 0, 0, 1, 0x68, 0xce];
    const FIRST: &[u8] = &[0, 0, 1, 0x65, 0x88, 5, 0, 0, 1, 0x65, 0x08, 6];
    const SECOND: &[u8] = &[0, 0, 0, 1, 0x41, 0x9a, 7];
    const THIRD: &[u8] = &[0, 0, 0, 1, 0x09, 0xf0, 0, 0, 1, 0x41, 0x9a, 8];

    #[test]
    fn access_units_are_told_apart_however_they_are_read() {
        let data = [SETS, FIRST, SECOND, THIRD].concat();
        for at_once in 1..data.len() {
            let expected = [[SETS, FIRST].concat(), SECOND.to_vec(), THIRD.to_vec()];
            assert_eq!(units(&data, Codec::H264, at_once), expected, "{at_once}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_of_what_has_a_picture(
            data in prop::collection::vec(prop_oneof![Just(0u8), Just(1u8), any::<u8>()], 0..300),
            at_once in 1usize..50,
        ) {
            for codec in [Codec::H264, Codec::H265] {
                let all = units(&data, codec, at_once).concat();
                prop_assert!(data.starts_with(&all));
                prop_assert_eq!(units(&data, codec, 300).concat(), all);
            }
        }
    }
}
