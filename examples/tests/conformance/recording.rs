//! What went over the wire, as a client sees it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use onvif_core::{HttpTransport, TlsPolicy, Transport, TransportError};
use tokio::sync::Notify;

/// One request with its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub method: String,
    pub url: String,
    pub request_headers: HeaderMap,
    pub request: String,
    pub status: u16,
    pub response_headers: HeaderMap,
    pub response: String,
}

/// Sends as every client does, and keeps what was said.
pub struct Recorder {
    inner: HttpTransport,
    exchanges: Mutex<Vec<Exchange>>,
    news: Notify,
}

impl Recorder {
    pub fn new() -> Self {
        Self {
            inner: HttpTransport::new(TlsPolicy::default(), &[]).unwrap(),
            exchanges: Mutex::default(),
            news: Notify::new(),
        }
    }

    pub fn exchanges(&self) -> Vec<Exchange> {
        self.lock().clone()
    }

    /// Waits until an answered request has this text in it; whether it came within ten seconds.
    pub async fn answered(&self, text: &str) -> bool {
        let wait = async {
            loop {
                let news = self.news.notified();
                let has = |it: &Exchange| it.status == 200 && it.request.contains(text);
                if self.lock().iter().any(has) {
                    return;
                }
                news.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait)
            .await
            .is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for Recorder {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        deadline: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let method = request.method().to_string();
        let url = request.uri().to_string();
        let request_headers = request.headers().clone();
        let body = text(request.body());
        let response = self.inner.send(request, deadline).await?;
        self.lock().push(Exchange {
            method,
            url,
            request_headers,
            request: body,
            status: response.status().as_u16(),
            response_headers: response.headers().clone(),
            response: text(response.body()),
        });
        self.news.notify_waiters();
        Ok(response)
    }
}

fn text(body: &Bytes) -> String {
    String::from_utf8_lossy(body).into_owned()
}
