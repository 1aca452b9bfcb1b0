//! Answers that do not come to their end.

use bytes::Bytes;
use rtsp_types::headers::{CONTENT_LENGTH, LOCATION};
use rtsp_types::{Method, StatusCode};
use tokio::sync::mpsc;

use super::framing::Received;
use super::handler::{Response, encode, refusal};
use crate::quirks::{Quirks, RtspEndless};

const BODY: &str = "4000000000";
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// Sends a request to where it came.
pub(super) fn redirection(quirks: &Quirks, received: &Received) -> Option<Response> {
    let endless = quirks.rtsp_endless == Some(RtspEndless::Redirect);
    if !endless || *received.request.method() != Method::Describe {
        return None;
    }
    let mut response = refusal(StatusCode::Found);
    response.insert_header(LOCATION, received.target.as_str());
    Some(response)
}

/// What an answer begins with that has no end; `None` where it has one.
pub(super) fn beginning(quirks: &Quirks, response: &Response) -> Option<Bytes> {
    let mut response = response.clone();
    let unended: &[u8] = match quirks.rtsp_endless? {
        RtspEndless::Header => b"\r\nServer: ",
        RtspEndless::Body => {
            response.insert_header(CONTENT_LENGTH, BODY);
            END_OF_HEAD
        }
        RtspEndless::Fragments | RtspEndless::Redirect => return None,
    };
    let whole = encode(&response);
    let mut parts = whole.windows(END_OF_HEAD.len());
    let end = parts.position(|part| part == END_OF_HEAD)?;
    Some([&whole[..end], unended].concat().into())
}

/// Sends a beginning, and goes on until nobody takes it any more.
pub(super) async fn pour(beginning: Bytes, queue: mpsc::Sender<Bytes>) {
    let mut piece = beginning;
    while queue.send(piece).await.is_ok() {
        piece = Bytes::from_static(&[b'x'; 16 << 10]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_no_end_begins_otherwise() {
        let begins = |endless| {
            let quirks = Quirks {
                rtsp_endless: endless,
                ..Quirks::default()
            };
            let beginning = beginning(&quirks, &refusal(StatusCode::Ok))?;
            Some(String::from_utf8(beginning.into()).unwrap())
        };
        for ends in [
            None,
            Some(RtspEndless::Fragments),
            Some(RtspEndless::Redirect),
        ] {
            assert_eq!(begins(ends), None);
        }
        let header = begins(Some(RtspEndless::Header)).unwrap();
        assert!(header.ends_with("\r\nServer: "), "{header}");
        let body = begins(Some(RtspEndless::Body)).unwrap();
        let (head, rest) = body.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("RTSP/1.0 200 "), "{head}");
        assert_eq!(head.matches("Content-Length: ").count(), 1, "{head}");
        assert!(head.contains("Content-Length: 4000000000"), "{head}");
        assert_eq!(rest, "");
    }
}
