//! Cuts an RTSP byte stream (RFC 2326) into messages and interleaved packets, under caps. Pure and incremental.

use bytes::{Buf as _, Bytes, BytesMut};

use crate::Cap;

/// Caps on what one peer may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Largest header of an RTSP message in bytes.
    pub header: usize,
    /// Largest body of an RTSP message in bytes.
    pub body: usize,
    /// Largest access unit in bytes, with its RTP overhead.
    pub access_unit: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            header: 16 << 10,
            body: 1 << 20,
            access_unit: 8 << 20,
        }
    }
}

/// Most RTP packets of one access unit, whatever their size.
const MAX_PACKETS: u32 = 65_536;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Message(Message),
    /// An interleaved packet with its four bytes of framing (RFC 2326 section 10.12).
    Interleaved(Bytes),
}

/// A request or response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Request or status line.
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

/// Why a stream cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    Cap { cap: Cap, limit: usize },
    Garbled(&'static str),
}

#[derive(Debug)]
pub(crate) struct Framer {
    caps: Caps,
    /// How far the search for the end of the header has come.
    scanned: usize,
    /// A message whose body is not complete.
    pending: Option<(Message, usize)>,
}

impl Framer {
    pub(crate) fn new(caps: Caps) -> Self {
        Self {
            caps,
            scanned: 0,
            pending: None,
        }
    }

    /// The interleaved packet, with its framing, with which the bytes that come next begin; `None` if they begin with
    /// something else, or it is not complete.
    pub(crate) fn packet<'a>(&self, next: &'a [u8]) -> Option<&'a [u8]> {
        let between = self.pending.is_none() && self.scanned == 0;
        match between {
            true => interleaved(next),
            false => None,
        }
    }

    /// Takes the next complete frame out of `buffer`; `None` if more bytes are needed.
    pub(crate) fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, Violation> {
        if let Some((_, length)) = &self.pending {
            if buffer.len() < *length {
                return Ok(None);
            }
            let body = buffer.split_to(*length).freeze();
            return Ok(self
                .pending
                .take()
                .map(|(message, _)| Frame::Message(Message { body, ..message })));
        }
        if self.scanned == 0 {
            // Some cameras put line ends between messages.
            let blank = buffer
                .iter()
                .take_while(|b| matches!(b, b'\r' | b'\n'))
                .count();
            buffer.advance(blank);
        }
        match buffer.first() {
            None => Ok(None),
            Some(b'$') => {
                let length = interleaved(buffer).map(<[u8]>::len);
                Ok(length.map(|length| Frame::Interleaved(buffer.split_to(length).freeze())))
            }
            Some(_) => self.message(buffer),
        }
    }

    fn message(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, Violation> {
        let over = Violation::Cap {
            cap: Cap::Header,
            limit: self.caps.header,
        };
        let searched = &buffer[..buffer.len().min(self.caps.header)];
        let Some(end) = header_end(searched, self.scanned) else {
            if buffer.len() >= self.caps.header {
                return Err(over);
            }
            if buffer.first().is_some_and(|b| !b.is_ascii_graphic()) {
                return Err(Violation::Garbled(
                    "what arrived is neither an RTSP message nor an interleaved packet",
                ));
            }
            self.scanned = buffer.len().saturating_sub(3);
            return Ok(None);
        };
        self.scanned = 0;
        let message = parse_head(&buffer.split_to(end))?;
        let length = message.content_length()?;
        if length > self.caps.body as u64 {
            return Err(Violation::Cap {
                cap: Cap::Body,
                limit: self.caps.body,
            });
        }
        self.pending = Some((message, length as usize));
        self.next(buffer)
    }
}

impl Message {
    /// The first value of a header; names are compared without regard to case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn set(&mut self, name: &str, value: String) {
        self.remove(name);
        self.headers.push((name.to_owned(), value));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    pub(crate) fn write(&self, out: &mut BytesMut) {
        out.extend_from_slice(self.line.as_bytes());
        out.extend_from_slice(b"\r\n");
        for (name, value) in &self.headers {
            for part in [name.as_str(), ": ", value, "\r\n"] {
                out.extend_from_slice(part.as_bytes());
            }
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
    }

    fn content_length(&self) -> Result<u64, Violation> {
        let mut values = self
            .all("Content-Length")
            .map(|value| value.trim().parse::<u64>());
        let Some(first) = values.next() else {
            return Ok(0);
        };
        match first {
            Ok(length) if values.all(|other| other == Ok(length)) => Ok(length),
            _ => Err(Violation::Garbled(
                "the Content-Length of an RTSP message is not a number",
            )),
        }
    }
}

fn interleaved(next: &[u8]) -> Option<&[u8]> {
    let [b'$', _, high, low, ..] = *next else {
        return None;
    };
    let length = 4 + usize::from(u16::from_be_bytes([high, low]));
    next.get(..length)
}

/// Where the empty line after the header ends.
fn header_end(data: &[u8], from: usize) -> Option<usize> {
    (from..data.len()).find_map(|i| match &data[i..] {
        [b'\n', b'\r', b'\n', ..] => Some(i + 3),
        [b'\n', b'\n', ..] => Some(i + 2),
        _ => None,
    })
}

fn parse_head(head: &[u8]) -> Result<Message, Violation> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines();
    let line = lines.next().unwrap_or_default().trim_end().to_owned();
    if !line.contains("RTSP/") {
        return Err(Violation::Garbled(
            "what arrived is neither an RTSP message nor an interleaved packet",
        ));
    }
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        match (
            line.starts_with([' ', '\t']),
            headers.last_mut(),
            line.split_once(':'),
        ) {
            (true, Some((_, value)), _) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            (false, _, Some((name, value))) => {
                headers.push((name.trim().to_owned(), value.trim().to_owned()))
            }
            // A line without a colon tells nothing; retina would end the session over it.
            _ => {}
        }
    }
    Ok(Message {
        line,
        headers,
        body: Bytes::new(),
    })
}

/// Watches how much each channel sends without finishing an access unit.
#[derive(Debug)]
pub(super) struct AccessUnitMeter {
    limit: usize,
    channels: Box<[Accumulated; 256]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Accumulated {
    timestamp: u32,
    bytes: usize,
    packets: u32,
}

impl AccessUnitMeter {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            channels: Box::new([Accumulated::default(); 256]),
        }
    }

    /// Counts one RTP packet of a channel. RTCP and what is not RTP is left to the RTP reader, which drops it.
    pub(super) fn count(&mut self, channel: u8, packet: &[u8]) -> Result<(), Violation> {
        const RTCP: std::ops::RangeInclusive<u8> = 192..=223;
        let [_, kind, _, _, t3, t2, t1, t0, _, _, _, _, ..] = *packet else {
            return Ok(());
        };
        if RTCP.contains(&kind) {
            return Ok(());
        }
        let unit = &mut self.channels[usize::from(channel)];
        let timestamp = u32::from_be_bytes([t3, t2, t1, t0]);
        if unit.timestamp != timestamp {
            *unit = Accumulated {
                timestamp,
                ..Accumulated::default()
            };
        }
        unit.bytes += packet.len();
        unit.packets += 1;
        if unit.bytes > self.limit || unit.packets > MAX_PACKETS {
            return Err(Violation::Cap {
                cap: Cap::AccessUnit,
                limit: self.limit,
            });
        }
        let marker = kind & 0x80 != 0;
        if marker {
            *unit = Accumulated {
                timestamp,
                ..Accumulated::default()
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames(framer: &mut Framer, chunks: &[&[u8]]) -> Result<Vec<Frame>, Violation> {
        let mut buffer = BytesMut::new();
        let mut frames = Vec::new();
        for chunk in chunks {
            buffer.extend_from_slice(chunk);
            while let Some(frame) = framer.next(&mut buffer)? {
                frames.push(frame);
            }
        }
        Ok(frames)
    }

    const SESSION: &[u8] = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 5\r\n\r\nv=0\r\n\
        \r\n$\x00\x00\x03abc$\x01\x00\x00RTSP/1.0 401 Unauthorized\nCSeq: 2\nWWW-Authenticate: Basic\nWWW-Authenticate: Digest a=1,\n b=2\n\n\
        OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 3\r\n\r\n";

    #[test]
    fn messages_and_packets_are_told_apart() {
        let frames = frames(&mut Framer::new(Caps::default()), &[SESSION]).unwrap();
        let [
            Frame::Message(ok),
            Frame::Interleaved(rtp),
            Frame::Interleaved(empty),
            Frame::Message(no),
            Frame::Message(request),
        ] = &frames[..]
        else {
            panic!("{frames:?}")
        };
        assert_eq!(
            (ok.line.as_str(), ok.header("cseq"), &ok.body[..]),
            ("RTSP/1.0 200 OK", Some("1"), &b"v=0\r\n"[..])
        );
        assert_eq!(
            (&rtp[..], &empty[..]),
            (&b"$\x00\x00\x03abc"[..], &b"$\x01\x00\x00"[..])
        );
        assert_eq!(
            no.all("WWW-Authenticate").collect::<Vec<_>>(),
            ["Basic", "Digest a=1, b=2"]
        );
        assert_eq!(request.line, "OPTIONS rtsp://h/ RTSP/1.0");
    }

    #[test]
    fn a_packet_is_seen_where_it_lies_and_only_between_messages() {
        let mut framer = Framer::new(Caps::default());
        let packet = b"$\x00\x00\x03abc";
        assert_eq!(framer.packet(b"$\x00\x00\x03abc$"), Some(&packet[..]));
        for next in [&b""[..], b"$\x00", b"$\x00\x00\x03ab", b"RTSP/1.0 200 OK"] {
            assert_eq!(framer.packet(next), None);
        }
        for begun in [
            "RTSP/1.0 200 OK\r\n",
            "RTSP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n",
        ] {
            assert_eq!(framer.next(&mut begun.into()), Ok(None));
            assert_eq!(framer.packet(packet), None);
        }
    }

    proptest! {
        #[test]
        fn the_split_of_the_bytes_does_not_matter(cuts in proptest::collection::vec(0..SESSION.len(), 0..8)) {
            let mut cuts = cuts;
            cuts.extend([0, SESSION.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|cut| &SESSION[cut[0]..cut[1]]).collect();
            let whole = frames(&mut Framer::new(Caps::default()), &[SESSION]);
            prop_assert_eq!(frames(&mut Framer::new(Caps::default()), &chunks), whole);
        }

        #[test]
        fn no_input_makes_it_panic(data: Vec<u8>, start in 0usize..4) {
            let starts: [&[u8]; 4] = [b"", b"$", b"RTSP/1.0 200 OK\r\n", b"RTSP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n"];
            let _ = frames(&mut Framer::new(Caps::default()), &[starts[start], &data]);
        }

        #[test]
        fn a_written_message_reads_back(name in "[A-Za-z-]{1,12}", value in "[!-~]{0,20}", body: Vec<u8>) {
            prop_assume!(!name.eq_ignore_ascii_case("Content-Length"));
            let message = Message {
                line: "RTSP/1.0 200 OK".into(),
                headers: vec![(name, value), ("Content-Length".into(), body.len().to_string())],
                body: body.into(),
            };
            let mut bytes = BytesMut::new();
            message.write(&mut bytes);
            prop_assert_eq!(frames(&mut Framer::new(Caps::default()), &[&bytes]), Ok(vec![Frame::Message(message)]));
        }
    }

    #[test]
    fn an_endless_header_is_cut_at_the_cap() {
        let mut framer = Framer::new(Caps {
            header: 100,
            ..Caps::default()
        });
        let line = [b'x'; 60];
        assert_eq!(
            frames(&mut framer, &[b"RTSP/1.0 200 OK\r\nA: ", &line, &line]),
            Err(Violation::Cap {
                cap: Cap::Header,
                limit: 100
            })
        );
    }

    #[test]
    fn a_huge_body_is_refused_before_it_is_buffered() {
        for length in ["1048577", "4000000000", "18446744073709551615"] {
            let head = format!("RTSP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n");
            assert_eq!(
                frames(&mut Framer::new(Caps::default()), &[head.as_bytes()]),
                Err(Violation::Cap {
                    cap: Cap::Body,
                    limit: 1 << 20
                })
            );
        }
        for length in ["-1", "99999999999999999999999", "x", ""] {
            let head = format!("RTSP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n");
            assert!(matches!(
                frames(&mut Framer::new(Caps::default()), &[head.as_bytes()]),
                Err(Violation::Garbled(_))
            ));
        }
    }

    #[test]
    fn what_is_not_rtsp_is_refused_at_once() {
        assert!(frames(&mut Framer::new(Caps::default()), &[&[0, 1, 2, 3]]).is_err());
        assert!(
            frames(
                &mut Framer::new(Caps::default()),
                &[b"HTTP/1.1 200 OK\r\n\r\n"]
            )
            .is_err()
        );
    }

    fn packet(marker: bool, timestamp: u32, length: usize) -> Vec<u8> {
        let mut packet = vec![0x80, 96 | u8::from(marker) << 7, 0, 1];
        packet.extend(timestamp.to_be_bytes());
        packet.resize(12 + length, 0);
        packet
    }

    #[test]
    fn fragments_without_an_end_are_cut_at_the_cap() {
        let mut meter = AccessUnitMeter::new(10_000);
        let sent = (0..)
            .take_while(|_| meter.count(0, &packet(false, 7, 988)).is_ok())
            .count();
        assert_eq!(sent, 10);
    }

    #[test]
    fn marker_and_new_timestamp_end_an_access_unit() {
        let mut meter = AccessUnitMeter::new(3_000);
        for i in 0..100 {
            meter.count(0, &packet(false, i, 1_000)).unwrap();
            meter.count(0, &packet(true, i, 1_000)).unwrap();
            meter.count(2, &packet(false, i, 2_000)).unwrap();
        }
    }

    #[test]
    fn tiny_packets_are_counted_too() {
        let mut meter = AccessUnitMeter::new(usize::MAX);
        let sent = (0..100_000)
            .take_while(|_| meter.count(0, &packet(false, 7, 0)).is_ok())
            .count();
        assert_eq!(sent, 65_536);
    }
}
