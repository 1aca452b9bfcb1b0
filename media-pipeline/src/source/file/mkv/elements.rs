//! Elements of EBML (RFC 8794), of a file or in memory, with bounds.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use bytes::{Buf as _, Bytes};

use crate::source::file::invalid;

/// The head of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) id: u32,
    /// Bytes of its content; `u64::MAX` where it does not tell.
    pub(super) size: u64,
}

/// The elements of a file.
pub(super) struct Elements<F> {
    file: F,
}

impl<F: Read + Seek> Elements<F> {
    pub(super) fn new(file: F) -> Self {
        Self { file }
    }

    /// The next head; `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Element>> {
        let mut head = [0; 12];
        let Some(id) = self.vint(&mut head, 4)? else {
            return Ok(None);
        };
        let id = head[..id].iter().fold(0, |id, &b| id << 8 | u32::from(b));
        let mut head = [0; 12];
        let Some(length) = self.vint(&mut head, 8)? else {
            return Ok(None);
        };
        let size = vint(&mut Bytes::copy_from_slice(&head[..length]));
        let size = size.ok_or_else(|| invalid("an element has no size"))?;
        Ok(Some(Element { id, size }))
    }

    /// The content; `None` if the file ends before it.
    pub(super) fn body(&mut self, element: Element, most: usize) -> io::Result<Option<Bytes>> {
        let size = usize::try_from(element.size).ok();
        let size = size
            .filter(|&size| size <= most)
            .ok_or_else(|| invalid("an element is too large"))?;
        let mut body = Vec::new();
        // Memory is taken for what there is.
        let read = (&mut self.file).take(element.size).read_to_end(&mut body)?;
        Ok((read == size).then(|| body.into()))
    }

    pub(super) fn skip(&mut self, element: Element) -> io::Result<()> {
        let by = i64::try_from(element.size).map_err(|_| invalid("an element is too large"))?;
        self.file.seek(SeekFrom::Current(by)).map(drop)
    }

    /// Reads a number of variable length, of at most `most` bytes; returns their number.
    fn vint(&mut self, into: &mut [u8; 12], most: usize) -> io::Result<Option<usize>> {
        let cut = |error: io::Error| match error.kind() {
            ErrorKind::UnexpectedEof => Ok(None),
            _ => Err(error),
        };
        if let Err(error) = self.file.read_exact(&mut into[..1]) {
            return cut(error);
        }
        let length = into[0].leading_zeros() as usize + 1;
        if length > most {
            return Err(invalid("what should be an element is none"));
        }
        match self.file.read_exact(&mut into[1..length]) {
            Ok(()) => Ok(Some(length)),
            Err(error) => cut(error),
        }
    }
}

/// The elements in the content of another.
pub(super) fn children(mut content: Bytes) -> io::Result<Vec<(u32, Bytes)>> {
    const MOST: usize = 10_000;
    let mut children = Vec::new();
    while !content.is_empty() && children.len() < MOST {
        let cut = || invalid("an element is cut off");
        let length = content[0].leading_zeros() as usize + 1;
        if length > 4 || content.len() < length {
            return Err(cut());
        }
        let id = content.split_to(length);
        let id = id.iter().fold(0, |id, &b| id << 8 | u32::from(b));
        let size = vint(&mut content).ok_or_else(cut)?;
        let size = usize::try_from(size).ok();
        let size = size.filter(|&size| size <= content.len()).ok_or_else(cut)?;
        children.push((id, content.split_to(size)));
    }
    Ok(children)
}

/// A number of variable length; all ones are `u64::MAX`.
pub(super) fn vint(data: &mut Bytes) -> Option<u64> {
    let length = data.first()?.leading_zeros() as usize + 1;
    if length > 8 || data.len() < length {
        return None;
    }
    let number = data.split_to(length);
    let marked = number.iter().fold(0, |n, &b| n << 8 | u64::from(b));
    let ones = (1 << (7 * length)) - 1;
    let value = marked & ones;
    Some(if value == ones { u64::MAX } else { value })
}

/// A difference of variable length: as many are below zero as above.
pub(super) fn signed_vint(data: &mut Bytes) -> Option<i64> {
    let length = data.first()?.leading_zeros() as usize + 1;
    let value = i64::try_from(vint(data)?).ok()?;
    Some(value - ((1 << (7 * length - 1)) - 1))
}

/// An unsigned integer; 0 if it is too long.
pub(super) fn number(data: &[u8]) -> u64 {
    if data.len() > 8 {
        return 0;
    }
    data.iter().fold(0, |n, &b| n << 8 | u64::from(b))
}

/// A float of 32 or 64 bits; 0 if it is neither.
pub(super) fn float(data: &[u8]) -> f64 {
    let mut data = data;
    match data.len() {
        4 => data.get_f32().into(),
        8 => data.get_f64(),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_long_as_they_say() {
        for (data, value) in [
            (&[0x81][..], Some(1)),
            (&[0x40, 0x7f], Some(127)),
            (&[0xff], Some(u64::MAX)),
            (
                &[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                Some(u64::MAX),
            ),
            (&[0x40], None),
            (&[0], None),
            (&[], None),
        ] {
            assert_eq!(vint(&mut Bytes::copy_from_slice(data)), value, "{data:?}");
        }
        for (data, value) in [
            (&[0xbf][..], 0),
            (&[0x80], -63),
            (&[0xfe], 63),
            (&[0x5f, 0xff], 0),
        ] {
            assert_eq!(signed_vint(&mut Bytes::copy_from_slice(data)), Some(value));
        }
        assert_eq!((number(&[1, 0]), number(&[]), number(&[0; 9])), (256, 0, 0));
        assert_eq!((float(&1.5f32.to_be_bytes()), float(&[1])), (1.5, 0.0));
    }

    #[test]
    fn elements_that_say_more_than_there_is_take_no_memory() {
        let file = io::Cursor::new([0xA3, 0x10, 0xff, 0xff, 0xff, 1, 2, 3]);
        let mut elements = Elements::new(file);
        let element = elements.next().unwrap().unwrap();
        assert_eq!(
            element,
            Element {
                id: 0xA3,
                size: 0xff_ffff
            }
        );
        assert!(elements.body(element, 1000).is_err());
        assert_eq!(elements.body(element, usize::MAX).unwrap(), None);
        assert_eq!(elements.next().unwrap(), None);
    }
}
