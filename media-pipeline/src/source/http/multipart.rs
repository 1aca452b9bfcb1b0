//! Cuts a `multipart/x-mixed-replace` body into its parts, under caps. Pure and incremental.
//!
//! The boundary is the part of RFC 2046 that cameras get wrong most: it comes quoted, with the dashes in the header that belong
//! into the body, or is not the one that was announced. So dashes before it do not count, and without an announcement
//! the first line that begins with dashes names it.

use bytes::{Buf as _, Bytes, BytesMut};
use memchr::memmem;

use crate::Cap;

pub(super) struct Multipart {
    /// Without dashes before it; empty until it is known.
    boundary: Vec<u8>,
    /// Whether there are dashes before it in the body.
    dashed: bool,
    caps: PartCaps,
    state: State,
    /// How far the search for what comes next has come.
    scanned: usize,
}

/// In bytes.
#[derive(Clone, Copy)]
pub(super) struct PartCaps {
    pub(super) header: usize,
    pub(super) body: usize,
}

/// Why a body cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TooLarge(pub(super) Cap, pub(super) usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Preamble,
    Head,
    /// In a body of so many bytes, if that is known.
    Body(Option<usize>),
    End,
}

/// A line with a boundary: where it begins, without the line end before it, and where it ends.
struct Delimiter {
    begin: usize,
    end: usize,
    dashed: bool,
    last: bool,
}

impl Multipart {
    pub(super) fn new(content_type: &str, caps: PartCaps) -> Self {
        Self {
            boundary: boundary(content_type).into(),
            dashed: false,
            caps,
            state: State::Preamble,
            scanned: 0,
        }
    }

    /// Takes the body of the next part out of `buffer`; `None` if more bytes are needed, or none will come.
    pub(super) fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, TooLarge> {
        loop {
            match self.state {
                State::End => {
                    buffer.clear();
                    return Ok(None);
                }
                State::Preamble => {
                    if self.boundary.is_empty() {
                        self.learn(buffer);
                    }
                    match self.delimiter(buffer, true) {
                        Some(delimiter) => {
                            self.dashed = delimiter.dashed;
                            self.pass(buffer, &delimiter);
                        }
                        None if buffer.len() > self.caps.header => {
                            return Err(TooLarge(Cap::Header, self.caps.header));
                        }
                        None => return Ok(None),
                    }
                }
                State::Head => match head_end(buffer, self.scanned) {
                    Some(end) if end <= self.caps.header => {
                        let length = content_length(&buffer.split_to(end));
                        if length.is_some_and(|length| length > self.caps.body) {
                            return Err(TooLarge(Cap::Jpeg, self.caps.body));
                        }
                        self.go_on(State::Body(length));
                    }
                    None if buffer.len() <= self.caps.header => {
                        self.scanned = buffer.len().saturating_sub(3);
                        return Ok(None);
                    }
                    _ => return Err(TooLarge(Cap::Header, self.caps.header)),
                },
                State::Body(Some(length)) => {
                    if buffer.len() < length {
                        return Ok(None);
                    }
                    match self.begins(&buffer[length..]) {
                        Some(true) => {
                            self.go_on(State::Preamble);
                            return Ok(Some(buffer.split_to(length).freeze()));
                        }
                        // Some cameras announce another length than they send.
                        Some(false) => self.go_on(State::Body(None)),
                        None if complete(&buffer[..length]) => {
                            // What follows tells nothing of this part.
                            self.go_on(State::Preamble);
                            return Ok(Some(buffer.split_to(length).freeze()));
                        }
                        None => return Ok(None),
                    }
                }
                State::Body(None) => match self.delimiter(buffer, false) {
                    Some(delimiter) => {
                        let part = buffer.split_to(delimiter.begin).freeze();
                        let line = Delimiter {
                            begin: 0,
                            end: delimiter.end - delimiter.begin,
                            ..delimiter
                        };
                        self.pass(buffer, &line);
                        return Ok(Some(part));
                    }
                    None if buffer.len() > self.caps.body => {
                        return Err(TooLarge(Cap::Jpeg, self.caps.body));
                    }
                    None => return Ok(None),
                },
            }
        }
    }

    fn go_on(&mut self, state: State) {
        self.state = state;
        self.scanned = 0;
    }

    fn pass(&mut self, buffer: &mut BytesMut, delimiter: &Delimiter) {
        buffer.advance(delimiter.end);
        self.go_on(if delimiter.last {
            State::End
        } else {
            State::Head
        });
    }

    /// Takes the boundary from the first line that begins with dashes.
    fn learn(&mut self, buffer: &[u8]) {
        let mut lines = buffer.split_inclusive(|&b| b == b'\n');
        let line = lines.find(|line| line.starts_with(b"--") && line.ends_with(b"\n"));
        if let Some(line) = line {
            self.boundary = without_dashes(line.trim_ascii_end()).to_vec();
        }
    }

    /// Whether a boundary follows, as far as that can be told.
    fn begins(&self, rest: &[u8]) -> Option<bool> {
        let line = rest.trim_ascii_start();
        let name = without_dashes(line);
        let known = name.len().min(self.boundary.len());
        if name[..known] != self.boundary[..known] {
            return Some(false);
        }
        (known == self.boundary.len()).then_some(true)
    }

    /// The next line with the boundary. Before the first part it may come without dashes; in a part it must follow a line
    /// end or the end of a picture.
    fn delimiter(&mut self, buffer: &[u8], leads: bool) -> Option<Delimiter> {
        if self.boundary.is_empty() {
            return None;
        }
        while let Some(found) = memmem::find(&buffer[self.scanned..], &self.boundary) {
            let at = self.scanned + found;
            let after = &buffer[at + self.boundary.len()..];
            let Some(line_end) = after.iter().take(MOST_AFTER).position(|&b| b == b'\n') else {
                if after.len() >= MOST_AFTER {
                    self.scanned = at + 1;
                    continue;
                }
                // The rest of the line is to come.
                self.scanned = at;
                return None;
            };
            let rest = after[..line_end].trim_ascii();
            let dashes = buffer[..at].iter().rev().take_while(|&&b| b == b'-');
            let begin = at - dashes.count();
            let before = &buffer[..begin];
            let dashed = begin < at;
            let placed = before.is_empty()
                || before.ends_with(b"\n")
                || (dashed && before.ends_with(END_OF_PICTURE));
            if (leads || placed && dashed == self.dashed) && matches!(rest, b"" | b"--") {
                let before = before.strip_suffix(b"\n").unwrap_or(before);
                let before = before.strip_suffix(b"\r").unwrap_or(before);
                return Some(Delimiter {
                    begin: before.len(),
                    end: at + self.boundary.len() + line_end + 1,
                    dashed,
                    last: rest == b"--",
                });
            }
            self.scanned = at + 1;
        }
        self.scanned = self
            .scanned
            .max(buffer.len().saturating_sub(self.boundary.len() - 1));
        None
    }
}

/// Longest rest of a line with a boundary.
const MOST_AFTER: usize = 64;
const END_OF_PICTURE: &[u8] = &[0xff, 0xd9];

fn complete(picture: &[u8]) -> bool {
    picture.ends_with(END_OF_PICTURE)
}

/// The boundary that a Content-Type names, without dashes before it; empty where there is none.
fn boundary(content_type: &str) -> &[u8] {
    let mut parameters = content_type.split(';').skip(1);
    let value = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then_some(value.trim().trim_matches('"').trim())
    });
    without_dashes(value.unwrap_or_default().as_bytes())
}

fn without_dashes(line: &[u8]) -> &[u8] {
    let dashes = line.iter().take_while(|&&b| b == b'-').count();
    &line[dashes..]
}

/// Where the empty line after a header ends. A part may have no header at all.
fn head_end(buffer: &[u8], from: usize) -> Option<usize> {
    match buffer {
        [b'\n', ..] => return Some(1),
        [b'\r', b'\n', ..] => return Some(2),
        _ => {}
    }
    (from..buffer.len()).find_map(|i| match &buffer[i..] {
        [b'\n', b'\r', b'\n', ..] => Some(i + 3),
        [b'\n', b'\n', ..] => Some(i + 2),
        _ => None,
    })
}

fn content_length(head: &[u8]) -> Option<usize> {
    let head = String::from_utf8_lossy(head);
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.trim().eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok())?
    });
    length.filter(|&length| length > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CAPS: PartCaps = PartCaps {
        header: 1_000,
        body: 10_000,
    };
    /// Has what looks like a boundary and like line ends in it.
    const ONE: &[u8] = b"\xff\xd8 first --frame\r\nframe \r\n--frames\r\n \xff\xd9";
    const TWO: &[u8] = b"\xff\xd8 second \n\n--fram \xff\xd9";

    fn parts(content_type: &str, chunks: &[&[u8]]) -> Result<Vec<Bytes>, TooLarge> {
        let mut multipart = Multipart::new(content_type, CAPS);
        let (mut buffer, mut parts) = (BytesMut::new(), Vec::new());
        for chunk in chunks {
            buffer.extend_from_slice(chunk);
            while let Some(part) = multipart.next(&mut buffer)? {
                parts.push(part);
            }
        }
        Ok(parts)
    }

    /// A body of two pictures, with `{}` for their lengths and data.
    fn body(part: &str, end: &str) -> Vec<u8> {
        let mut body = Vec::new();
        for picture in [ONE, TWO] {
            body.extend(part.replace("{}", &picture.len().to_string()).bytes());
            body.extend_from_slice(picture);
        }
        body.extend(end.bytes());
        body
    }

    #[test]
    fn boundaries_are_found_however_they_are_written() {
        let typed = "Content-Type: image/jpeg\r\n";
        let announced = format!("{typed}Content-Length: {{}}\r\n\r\n");
        for (content_type, part, end) in [
            (
                "boundary=frame",
                format!("--frame\r\n{announced}"),
                "\r\n--frame--\r\n",
            ),
            (
                "boundary=frame",
                format!("\r\n--frame\r\n{announced}"),
                "\r\n--frame\r\n",
            ),
            (
                "boundary=\"frame\"",
                format!("--frame\r\n{announced}"),
                "\r\n--frame--\r\n",
            ),
            (
                "boundary=--frame",
                format!("--frame\r\n{announced}"),
                "--frame--\r\n",
            ),
            (
                "boundary=--frame",
                format!("----frame\r\n{announced}"),
                "----frame--\r\n",
            ),
            (
                "boundary=frame",
                format!("frame\r\n{announced}"),
                "frame\r\n",
            ),
            (
                "BOUNDARY = frame ; x=y",
                format!("--frame \n{}", announced.replace('\r', "")),
                "\n--frame\n",
            ),
            ("", format!("--frame\r\n{announced}"), "\r\n--frame\r\n"),
            (
                "boundary=",
                format!("\r\n--frame\r\n{announced}"),
                "\r\n--frame\r\n",
            ),
            // Without the lengths, or with wrong ones.
            (
                "boundary=frame",
                format!("\r\n--frame\r\n{typed}\r\n"),
                "\r\n--frame\r\n",
            ),
            (
                "boundary=frame",
                format!("--frame\r\n{typed}\r\n"),
                "--frame--\r\n",
            ),
            (
                "boundary=frame",
                "\r\n--frame\r\n\r\n".into(),
                "\r\n--frame\r\n",
            ),
            (
                "boundary=frame",
                format!("\r\n--frame\r\n{typed}Content-Length: 7\r\n\r\n"),
                "\r\n--frame\r\n",
            ),
            (
                "boundary=frame",
                format!("\r\n--frame\r\n{typed}Content-Length: 0\r\n\r\n"),
                "\r\n--frame\r\n",
            ),
            (
                "boundary=frame",
                format!("\r\n--frame\r\n{typed}content-length: x\r\n\r\n"),
                "\r\n--frame\r\n",
            ),
        ] {
            let content_type = format!("multipart/x-mixed-replace; {content_type}");
            let body = body(&part, end);
            let whole = parts(&content_type, &[&body]);
            assert_eq!(
                whole,
                Ok(vec![ONE.into(), TWO.into()]),
                "{content_type} {part:?}"
            );
            let bytes: Vec<_> = body.chunks(1).collect();
            assert_eq!(
                parts(&content_type, &bytes),
                whole,
                "{content_type} {part:?}"
            );
        }
    }

    #[test]
    fn a_complete_picture_of_the_length_announced_does_not_wait_for_the_next() {
        let body = body("--frame\r\nContent-Length: {}\r\n\r\n", "");
        let found = parts("multipart/x-mixed-replace; boundary=frame", &[&body]);
        assert_eq!(found.unwrap(), [ONE, TWO]);
    }

    #[test]
    fn what_is_longer_than_its_cap_is_refused() {
        let kind = "multipart/x-mixed-replace; boundary=frame";
        let announced = b"--frame\r\nContent-Length: 4000000000\r\n\r\n";
        assert_eq!(parts(kind, &[announced]), Err(TooLarge(Cap::Jpeg, 10_000)));
        let endless = [0; 999];
        let chunks = |first| std::iter::once(first).chain(std::iter::repeat_n(&endless[..], 20));
        let unannounced: Vec<_> = chunks(&b"--frame\r\n\r\n"[..]).collect();
        assert_eq!(parts(kind, &unannounced), Err(TooLarge(Cap::Jpeg, 10_000)));
        for first in [&b""[..], b"--frame\r\nA: "] {
            let header: Vec<_> = chunks(first).collect();
            assert_eq!(parts(kind, &header), Err(TooLarge(Cap::Header, 1_000)));
            assert!(parts("multipart/x-mixed-replace", &header).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(pieces in proptest::collection::vec(0usize..8, 0..40), noise: Vec<u8>, kind in 0usize..3) {
            let words: [&[u8]; 8] =
                [b"--frame", b"\r\n", b"\n", b"Content-Length: 5", b"-", b"frame", b"\xff\xd9", &noise];
            let kinds = ["multipart/x; boundary=frame", "multipart/x", "multipart/x; boundary=--"];
            let chunks: Vec<_> = pieces.into_iter().map(|piece| words[piece]).collect();
            let _ = parts(kinds[kind], &chunks);
        }
    }
}
