//! One RTSP connection: requests in, answers and interleaved packets out.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::endless;
use super::framing::{Incoming, next_message};
use super::handler::{Handler, encode, refusal};
use super::sessions::SESSION_TIMEOUT;
use super::{Shared, now};

/// A client that takes nothing for so long is cut off.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long what is queued may still go out after the end.
const LINGER: Duration = Duration::from_secs(1);
/// Answers and frames that wait to be written.
const QUEUE: usize = 16;

/// The two ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub local: SocketAddr,
    pub peer: SocketAddr,
}

/// Serves one client until it leaves, misbehaves, or `closing` is cancelled. Of what it sends, `begun` was read.
pub(super) async fn serve(
    shared: Arc<Shared>,
    (mut read, begun): (impl AsyncRead + Unpin, BytesMut),
    write: impl AsyncWrite + Unpin,
    ends: Ends,
    closing: CancellationToken,
) {
    let peer = ends.peer;
    let (queue, queued) = mpsc::channel(QUEUE);
    let mut handler = Handler::new(shared, ends, queue.clone());
    let mut writer = pin!(write_queue(write, queued));
    let writer_ended = tokio::select! {
        () = closing.cancelled() => false,
        result = &mut writer => {
            if let Err(error) = result {
                tracing::debug!(%peer, %error, "an RTSP client is cut off");
            }
            true
        }
        result = read_requests(&mut read, begun, &mut handler, queue) => {
            if let Err(error) = result {
                tracing::debug!(%peer, %error, "an RTSP connection ends");
            }
            false
        }
    };
    handler.end_sessions();
    // The queue closes with its last sender.
    drop(handler);
    if !writer_ended {
        let _ = timeout(LINGER, async {
            let _ = writer.await;
            // To close with unread bytes would reset the connection, and the client would miss
            // the last answer.
            let mut discarded = [0; 4096];
            while read
                .read(&mut discarded)
                .await
                .is_ok_and(|length| length > 0)
            {}
        })
        .await;
    }
}

async fn read_requests(
    read: &mut (impl AsyncRead + Unpin),
    mut buffer: BytesMut,
    handler: &mut Handler,
    queue: mpsc::Sender<Bytes>,
) -> io::Result<()> {
    loop {
        match next_message(&mut buffer) {
            Ok(Some(Incoming::Request(received))) => {
                let answer = handler.answer(&received).await;
                if let Some(beginning) = endless::beginning(&handler.quirks(), &answer) {
                    endless::pour(beginning, queue).await;
                    return Ok(());
                }
                if queue.send(encode(&answer)).await.is_err() {
                    return Ok(());
                }
                handler.answered();
                continue;
            }
            Ok(Some(Incoming::Packet(channel, packet))) => {
                handler.packet(channel, packet);
                continue;
            }
            Ok(None) => {}
            Err(status) => {
                let _ = queue.send(encode(&refusal(status))).await;
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("the client sent what is not an RTSP request ({status})"),
                ));
            }
        }
        buffer.reserve(4096);
        match timeout(SESSION_TIMEOUT, read.read_buf(&mut buffer)).await {
            Ok(Ok(0)) => return Ok(()),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(error),
            Err(_) if handler.has_session(now()) => {}
            Err(_) => return Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

async fn write_queue(
    mut write: impl AsyncWrite + Unpin,
    mut queued: mpsc::Receiver<Bytes>,
) -> io::Result<()> {
    while let Some(mut bytes) = queued.recv().await {
        while bytes.has_remaining() {
            timeout(WRITE_TIMEOUT, write.write_buf(&mut bytes)).await??;
        }
        // TLS keeps what the connection did not take at once.
        timeout(WRITE_TIMEOUT, write.flush()).await??;
    }
    write.shutdown().await
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn cuts_off_a_client_that_does_not_read() {
        let (client, server) = tokio::io::duplex(1000);
        let (queue, queued) = mpsc::channel(QUEUE);
        queue.send(Bytes::from(vec![0; 1001])).await.unwrap();
        let start = Instant::now();
        let error = write_queue(server, queued).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed(), WRITE_TIMEOUT);
        // Who sends frames learns of it.
        assert!(queue.is_closed());
        drop(client);
    }

    #[tokio::test(start_paused = true)]
    async fn is_patient_with_a_client_that_reads_slowly() {
        let (mut client, server) = tokio::io::duplex(1000);
        let (queue, queued) = mpsc::channel(QUEUE);
        queue.send(Bytes::from(vec![0; 10_000])).await.unwrap();
        drop(queue);
        let reading = async {
            let mut total = 0;
            let mut bytes = [0; 1000];
            loop {
                tokio::time::sleep(WRITE_TIMEOUT * 9 / 10).await;
                match client.read(&mut bytes).await.unwrap() {
                    0 => return total,
                    length => total += length,
                }
            }
        };
        let (written, read) = tokio::join!(write_queue(server, queued), reading);
        written.unwrap();
        assert_eq!(read, 10_000);
    }
}
