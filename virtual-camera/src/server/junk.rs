//! Answers that are junk as HTTP.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use super::fault;
use crate::quirks::HttpJunk;

/// With a thousand of these, headers are larger than what any answer of a camera has.
const PADDING: &str = match std::str::from_utf8(&[b'x'; 1024]) {
    Ok(padding) => padding,
    Err(_) => "",
};
const PAGE: &str = "<html><head><title>Web Service</title></head><body>Please log in</body></html>";

/// A web page.
pub(super) fn page(status: StatusCode) -> Response {
    let html = HeaderValue::from_static("text/html");
    (status, [(CONTENT_TYPE, html)], PAGE).into_response()
}

/// Sends a document the way `junk` says.
pub(super) fn spoil(junk: HttpJunk, status: StatusCode, mut document: Vec<u8>) -> Response {
    match junk {
        HttpJunk::NulForSpaces => {
            let spaces = document.iter_mut().filter(|byte| **byte == b' ');
            spaces.for_each(|byte| *byte = 0);
            (status, document).into_response()
        }
        HttpJunk::LongContentLength => announce(status, document.len() + 100, document),
        HttpJunk::ShortContentLength => {
            announce(status, document.len().saturating_sub(100), document)
        }
        HttpJunk::ReplyWith500 => (StatusCode::INTERNAL_SERVER_ERROR, document).into_response(),
        HttpJunk::Html401 => (status, document).into_response(),
        HttpJunk::EndlessBody => {
            (status, Body::from_stream(fault::endless(document))).into_response()
        }
        HttpJunk::OversizeHeaders => {
            let mut response = (status, document).into_response();
            let padding = HeaderValue::from_static(PADDING);
            for _ in 0..1000 {
                response.headers_mut().append("x-padding", padding.clone());
            }
            response
        }
        HttpJunk::TruncatedXml => {
            document.truncate(document.len() / 2);
            (status, document).into_response()
        }
        HttpJunk::CorruptXml => {
            corrupt(&mut document);
            (status, document).into_response()
        }
    }
}

/// Flips bits in one byte of fifty, in the same ones of the same document.
fn corrupt(document: &mut [u8]) {
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(document.len() as u64);
    for byte in document {
        if chance.random_bool(0.02) {
            *byte ^= 1 << chance.random_range(0..8);
        }
    }
}

/// A document with Chinese in GBK before each name, which is no UTF-8.
pub(super) fn names_in_gbk(document: &str) -> Vec<u8> {
    const CAMERA: &[u8] = b"\xc9\xe3\xcf\xf1\xcd\xb7";
    let names = ["<tt:Name>", "<tr2:Name>", "<tds:Manufacturer>"];
    let mut spoilt = Vec::with_capacity(document.len());
    for part in document.split_inclusive('>') {
        spoilt.extend_from_slice(part.as_bytes());
        if names.iter().any(|name| part.ends_with(name)) {
            spoilt.extend_from_slice(CAMERA);
        }
    }
    spoilt
}

fn announce(status: StatusCode, length: usize, document: Vec<u8>) -> Response {
    // A stream has no length that could be held against the header.
    let part = Ok::<_, std::io::Error>(Bytes::from(document));
    // What was written is sent before the connection is closed for having written too little.
    let pause = stream::once(async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(Bytes::new())
    });
    let body = Body::from_stream(stream::iter([part]).chain(pause));
    (status, [(CONTENT_LENGTH, HeaderValue::from(length))], body).into_response()
}
