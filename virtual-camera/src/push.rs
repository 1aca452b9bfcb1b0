//! Pushes notifications to the consumers that subscribed (WS-BaseNotification).

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::server::url_host;
use crate::service::events::notify;
use crate::state::Camera;

const DEADLINE: Duration = Duration::from_secs(5);

/// Delivers until the camera stops. What a consumer does not take is lost.
pub(crate) async fn deliver(camera: Arc<Camera>) {
    loop {
        let changed = camera.events.changed.notified();
        let mut changed = std::pin::pin!(changed);
        changed.as_mut().enable();
        let deliveries = camera
            .events
            .lock()
            .subscriptions
            .deliveries(Instant::now());
        for delivery in deliveries {
            let manager = format!(
                "{}://{}:{}/onvif/subscription/{}",
                camera.scheme(),
                url_host(camera.http.address()),
                camera.http.port(),
                delivery.id
            );
            let document = notify(&camera, &manager, &delivery.events);
            let posted = tokio::time::timeout(DEADLINE, post(&delivery.consumer, &document)).await;
            if !matches!(posted, Ok(Ok(()))) {
                tracing::info!(consumer = %delivery.consumer, "a consumer does not take its notifications");
            }
        }
        tokio::select! {
            () = changed => {}
            () = camera.stopping.cancelled() => return,
        }
    }
}

async fn post(consumer: &Url, document: &str) -> std::io::Result<()> {
    let host = consumer.host_str().unwrap_or_default();
    let port = consumer.port_or_known_default().unwrap_or(80);
    let mut stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/soap+xml; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{document}",
        &consumer[url::Position::BeforePath..url::Position::AfterQuery],
        document.len(),
    );
    stream.write_all(request.as_bytes()).await?;
    let mut status = [0; 12];
    stream.read_exact(&mut status).await?;
    if &status[9..10] == b"2" {
        Ok(())
    } else {
        Err(std::io::Error::other("refused"))
    }
}
