//! Media servers that misbehave: a typed error, in time, and no panic.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use media_pipeline::{
    AccessUnit, Cap, Codec, Error, Hub, HubOptions, RestreamOptions, RestreamStatus, Source,
    SourceSession, WallClock,
};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(30);

/// Delivers one key frame over and over.
struct Still(u64);

#[async_trait]
impl Source for Still {
    fn label(&self) -> String {
        "still".into()
    }

    async fn connect(&self) -> Result<Box<dyn SourceSession>, Error> {
        Ok(Box::new(Still(0)))
    }
}

#[async_trait]
impl SourceSession for Still {
    async fn next(&mut self) -> Result<Option<AccessUnit>, Error> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.0 += 20;
        let data = include_bytes!("data/bars_main_cabac.h264");
        let pts = Duration::from_millis(self.0);
        Ok(Some(AccessUnit::new(
            Codec::H264,
            data[..].into(),
            pts,
            WallClock::now(),
        )))
    }

    async fn close(self: Box<Self>) {}
}

/// A server that answers every request with what `answer` makes of its method and number.
async fn server(answer: fn(&str, &str) -> String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(BufReader::new(stream), answer));
        }
    });
    address
}

async fn serve(mut peer: BufReader<TcpStream>, answer: fn(&str, &str) -> String) -> Option<()> {
    loop {
        let (mut line, mut sequence) = (Vec::new(), String::new());
        peer.read_until(b'\n', &mut line)
            .await
            .ok()
            .filter(|read| *read > 0)?;
        let first = String::from_utf8_lossy(&line).into_owned();
        let Some(method) = first.strip_suffix(" RTSP/1.0\r\n") else {
            // A line of a description, or of a packet.
            continue;
        };
        let method = method.split(' ').next()?.to_owned();
        while line != b"\r\n" {
            line.clear();
            peer.read_until(b'\n', &mut line)
                .await
                .ok()
                .filter(|read| *read > 0)?;
            if let Some(number) = String::from_utf8_lossy(&line).strip_prefix("CSeq: ") {
                sequence = number.trim().to_owned();
            }
        }
        let answer = answer(&method, &sequence);
        peer.get_mut().write_all(answer.as_bytes()).await.ok()?;
        while answer.ends_with("endless") {
            peer.get_mut().write_all(&[b'x'; 65_536]).await.ok()?;
        }
    }
}

/// How publishing to such a server begins: it stands, or why not.
async fn publish(answer: fn(&str, &str) -> String) -> Result<(), Error> {
    let address = server(answer).await;
    let hub = Hub::new(Arc::new(Still(0)), HubOptions::default());
    let mut options = RestreamOptions::new(format!("rtsp://{address}/live/").parse().unwrap());
    options.audio = false;
    options.connect_timeout = Duration::from_secs(2);
    let restream = hub.restream(options).unwrap();
    let mut changes = restream.watch_status();
    let begun = async {
        loop {
            match changes.next().await.unwrap() {
                RestreamStatus::Publishing { .. } => return Ok(()),
                RestreamStatus::Backoff { error, .. } => return Err(error),
                _ => {}
            }
        }
    };
    let begun = timeout(SOON, begun).await.unwrap();
    if begun.is_ok() {
        while restream.counters().units < 5 {
            tokio::task::yield_now().await;
        }
    }
    timeout(SOON, restream.close()).await.unwrap();
    begun
}

fn ok(number: &str, headers: &str) -> String {
    format!("RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{headers}\r\n")
}

#[tokio::test]
async fn endless_headers_and_bodies_are_cut() {
    let error = publish(|_, _| "RTSP/1.0 200 OK\r\nServer: endless".into())
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::CapExceeded {
                cap: Cap::Header,
                ..
            }
        ),
        "{error}"
    );
    let error = publish(|_, number| ok(number, "Content-Length: 4000000000\r\n") + "endless")
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::CapExceeded { cap: Cap::Body, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let error = publish(|_, number| {
        format!("RTSP/1.0 302 Moved\r\nCSeq: {number}\r\nLocation: rtsp://192.0.2.1/\r\n\r\n")
    })
    .await
    .unwrap_err();
    let text = error.to_string();
    assert!(
        text.ends_with("ANNOUNCE was answered with 302 Moved (a redirect to rtsp://192.0.2.1/, which is not followed)"),
        "{text}"
    );
}

#[tokio::test]
async fn silence_ends_with_the_time_for_connecting() {
    let error = publish(|_, _| String::new()).await.unwrap_err();
    assert!(matches!(error, Error::Stalled { .. }), "{error}");
    // Answers to something else are none.
    let error = publish(|_, _| ok("4711", "")).await.unwrap_err();
    assert!(matches!(error, Error::Stalled { .. }), "{error}");
}

#[tokio::test]
async fn a_session_without_a_name_and_one_for_ever_are_told_apart() {
    let error = publish(|_, number| ok(number, "")).await.unwrap_err();
    assert!(error.to_string().contains("opened no session"), "{error}");
    publish(|_, number| ok(number, "Session: 1;timeout=18446744073709551615\r\n"))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_not_rtsp_is_an_error_that_says_so() {
    let error = publish(|_, _| "HTTP/1.1 400 Bad Request\r\n\r\n".into())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Misbehaved { .. }), "{error}");
}
