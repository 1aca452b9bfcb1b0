//! Cuts what a client sends into requests, within limits.

use bytes::{Buf as _, Bytes, BytesMut};
use rtsp_types::{Message, ParseError, Request, StatusCode};

const MAX_HEADER: usize = 16 << 10;
const MAX_BODY: usize = 64 << 10;

/// What a client sends.
#[derive(Debug)]
pub(super) enum Incoming {
    Request(Received),
    /// An interleaved packet, with its channel.
    Packet(u8, Bytes),
}

/// A request and its target as the client wrote it, which Digest authentication needs.
#[derive(Debug)]
pub(super) struct Received {
    pub request: Request<Vec<u8>>,
    pub target: String,
}

/// Takes the next request or packet off the buffer; `None` when more bytes are needed. Responses are passed over.
///
/// # Errors
/// The status to answer with, after which the connection cannot go on.
pub(super) fn next_message(buffer: &mut BytesMut) -> Result<Option<Incoming>, StatusCode> {
    loop {
        while buffer.starts_with(b"\r\n") {
            buffer.advance(2);
        }
        let Some(length) = message_length(buffer)? else {
            return Ok(None);
        };
        if buffer.len() < length {
            return Ok(None);
        }
        let mut bytes = buffer.split_to(length);
        if let [b'$', channel, ..] = bytes[..] {
            bytes.advance(4);
            return Ok(Some(Incoming::Packet(channel, bytes.freeze())));
        }
        match Message::<Vec<u8>>::parse(&bytes) {
            Ok((Message::Request(request), _)) => {
                let target = bytes[..]
                    .split(|byte| *byte == b' ')
                    .nth(1)
                    .unwrap_or_default();
                let target = String::from_utf8_lossy(target).into_owned();
                return Ok(Some(Incoming::Request(Received { request, target })));
            }
            Ok(_) => {}
            Err(ParseError::Error | ParseError::Incomplete(_)) => {
                return Err(StatusCode::BadRequest);
            }
        }
    }
}

/// How long the message at the start of the buffer is, once that can be told.
fn message_length(buffer: &[u8]) -> Result<Option<usize>, StatusCode> {
    if let [b'$', rest @ ..] = buffer {
        let [_, high, low, ..] = rest else {
            return Ok(None);
        };
        return Ok(Some(4 + usize::from(u16::from_be_bytes([*high, *low]))));
    }
    let end = buffer
        .windows(4)
        .take(MAX_HEADER)
        .position(|window| window == b"\r\n\r\n");
    let Some(end) = end else {
        return if buffer.len() < MAX_HEADER {
            Ok(None)
        } else {
            Err(StatusCode::BadRequest)
        };
    };
    let header = str::from_utf8(&buffer[..end]).map_err(|_| StatusCode::BadRequest)?;
    let body = header
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(Ok(0), |(_, value)| value.trim().parse::<usize>())
        .map_err(|_| StatusCode::BadRequest)?;
    if body > MAX_BODY {
        return Err(StatusCode::RequestMessageBodyTooLarge);
    }
    Ok(Some(end + 4 + body))
}

#[cfg(test)]
mod tests {
    use rtsp_types::Method;

    use super::*;

    const OPTIONS: &[u8] = b"OPTIONS rtsp://127.0.0.1:80/main RTSP/1.0\r\nCSeq: 1\r\n\r\n";

    fn read(bytes: &[u8]) -> Result<Option<Received>, StatusCode> {
        match next_message(&mut BytesMut::from(bytes))? {
            Some(Incoming::Request(received)) => Ok(Some(received)),
            Some(Incoming::Packet(..)) => panic!("a packet"),
            None => Ok(None),
        }
    }

    #[test]
    fn waits_for_the_whole_request() {
        let request = [
            &b"SET_PARAMETER rtsp://h/main RTSP/1.0\r\nCSeq: 1\r\ncontent-length:  4\r\n\r\n"[..],
            b"a: b",
        ]
        .concat();
        for length in 0..request.len() {
            assert!(read(&request[..length]).unwrap().is_none(), "{length}");
        }
        let received = read(&request).unwrap().unwrap();
        assert_eq!(received.request.method(), Method::SetParameter);
        assert_eq!(received.request.body(), b"a: b");
    }

    #[test]
    fn keeps_the_target_as_it_was_written() {
        let received = read(OPTIONS).unwrap().unwrap();
        assert_eq!(received.target, "rtsp://127.0.0.1:80/main");
    }

    #[test]
    fn tells_packets_from_requests_and_passes_over_the_rest() {
        let mut buffer = BytesMut::new();
        buffer.extend_from_slice(b"$\x01\x00\x03abc\r\n\r\n");
        buffer.extend_from_slice(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n");
        buffer.extend_from_slice(OPTIONS);
        buffer.extend_from_slice(OPTIONS);
        buffer.extend_from_slice(b"$\x01\x00");
        let packet = next_message(&mut buffer).unwrap();
        assert!(matches!(packet, Some(Incoming::Packet(1, packet)) if &packet[..] == b"abc"));
        for _ in 0..2 {
            let request = next_message(&mut buffer).unwrap();
            assert!(matches!(request, Some(Incoming::Request(_))));
        }
        assert!(next_message(&mut buffer).unwrap().is_none());
        assert_eq!(&buffer[..], b"$\x01\x00");
    }

    #[test]
    fn refuses_what_is_too_long_before_it_has_come() {
        let endless = vec![b'a'; MAX_HEADER];
        assert_eq!(read(&endless).unwrap_err(), StatusCode::BadRequest);
        let announced =
            b"SET_PARAMETER rtsp://h/main RTSP/1.0\r\nContent-Length: 4000000000\r\n\r\n";
        assert_eq!(
            read(announced).unwrap_err(),
            StatusCode::RequestMessageBodyTooLarge
        );
    }

    #[test]
    fn refuses_what_is_not_rtsp() {
        for bytes in [
            &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
            b"\xff\xfe\r\n\r\n",
            b"OPTIONS not-a-url RTSP/1.0\r\nCSeq: 1\r\n\r\n",
            b"OPTIONS * RTSP/1.0\r\nContent-Length: -1\r\n\r\n",
            b"OPTIONS * RTSP/1.0\r\nno colon\r\n\r\n",
        ] {
            assert_eq!(read(bytes).unwrap_err(), StatusCode::BadRequest);
        }
    }
}
